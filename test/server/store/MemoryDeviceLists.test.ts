/** DeviceLists in memory, held to the same contract as every other. */
import { Layer } from "effect"
import * as MemoryStores from "../../../src/server/store/MemoryStores.ts"
import { deviceListsContract } from "../accounts/DeviceListsContract.ts"

deviceListsContract("MemoryDeviceLists", Layer.fresh(MemoryStores.layer))
