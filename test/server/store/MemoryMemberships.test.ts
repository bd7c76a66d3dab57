/** Memberships in memory, held to the same contract as every other. */
import * as MemoryStores from "../../../src/server/store/MemoryStores.ts"
import { membershipsContract } from "../accounts/MembershipsContract.ts"

membershipsContract("MemoryMemberships", MemoryStores.layer)
