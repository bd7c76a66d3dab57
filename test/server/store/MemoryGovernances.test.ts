/** How rooms are governed, in memory, held to the same contract as every other. */
import * as MemoryStores from "../../../src/server/store/MemoryStores.ts"
import { governancesContract } from "../history/GovernancesContract.ts"

governancesContract("MemoryGovernances", MemoryStores.layer)
