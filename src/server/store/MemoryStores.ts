/** All that a server keeps, for as long as it lives. */
import { Layer } from "effect"
import * as MemoryAccounts from "./MemoryAccounts.ts"
import * as MemoryGovernances from "./MemoryGovernances.ts"
import * as MemoryHistory from "./MemoryHistory.ts"
import * as MemoryMemberships from "./MemoryMemberships.ts"
import * as MemoryReports from "./MemoryReports.ts"

export const layer = MemoryMemberships.layer.pipe(
  Layer.provideMerge(
    Layer.mergeAll(MemoryHistory.layer, MemoryGovernances.layer, MemoryReports.layer, MemoryAccounts.layer)
  )
)
