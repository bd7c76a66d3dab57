/** All that a server keeps, for as long as it lives. */
import { Layer } from "effect"
import * as MemoryAccounts from "./MemoryAccounts.ts"
import * as MemoryHistory from "./MemoryHistory.ts"
import * as MemoryMemberships from "./MemoryMemberships.ts"

export const layer = Layer.provideMerge(MemoryMemberships.layer, Layer.merge(MemoryHistory.layer, MemoryAccounts.layer))
