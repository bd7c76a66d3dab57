/** All that a server keeps, in memory but for what a test replaces. */
import { Layer } from "effect"
import type { History } from "../../src/server/history/History.ts"
import * as MemoryAccounts from "../../src/server/store/MemoryAccounts.ts"
import * as MemoryDeviceLists from "../../src/server/store/MemoryDeviceLists.ts"
import * as MemoryGovernances from "../../src/server/store/MemoryGovernances.ts"
import * as MemoryHistory from "../../src/server/store/MemoryHistory.ts"
import * as MemoryMemberships from "../../src/server/store/MemoryMemberships.ts"
import * as MemoryReports from "../../src/server/store/MemoryReports.ts"
import * as SealedMemory from "../../src/server/store/SealedMemory.ts"

export const storesOver = <E = never, R = never>(
  history: Layer.Layer<History, E, R>,
  accounts: typeof MemoryAccounts.layer = Layer.fresh(MemoryAccounts.layer)
) =>
  Layer.merge(MemoryMemberships.layer, Layer.fresh(MemoryDeviceLists.layer)).pipe(
    Layer.provideMerge(
      Layer.mergeAll(history, accounts, MemoryGovernances.layer, SealedMemory.layer, Layer.fresh(MemoryReports.layer))
    )
  )

export const stores = storesOver(MemoryHistory.layer)
