/** All that a server keeps, for as long as it lives. */
import { Layer } from "effect"
import * as MemoryAccounts from "./MemoryAccounts.ts"
import * as MemoryDeviceLists from "./MemoryDeviceLists.ts"
import * as MemoryGovernances from "./MemoryGovernances.ts"
import * as MemoryHistory from "./MemoryHistory.ts"
import * as MemoryMemberships from "./MemoryMemberships.ts"
import * as MemoryReports from "./MemoryReports.ts"
import * as SealedMemory from "./SealedMemory.ts"

export const layer = Layer.merge(MemoryMemberships.layer, MemoryDeviceLists.layer).pipe(
  Layer.provideMerge(
    Layer.mergeAll(
      MemoryHistory.layer,
      MemoryGovernances.layer,
      MemoryReports.layer,
      MemoryAccounts.layer,
      SealedMemory.layer
    )
  )
)
