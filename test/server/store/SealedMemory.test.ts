/** SealedRooms in memory, held to the same contract as every other. */
import { Layer } from "effect"
import * as MemoryStores from "../../../src/server/store/MemoryStores.ts"
import { sealedRoomsContract } from "../history/SealedRoomsContract.ts"

sealedRoomsContract("SealedMemory", Layer.fresh(MemoryStores.layer))
