/** Reports in memory, held to the same contract as every other. */
import * as MemoryReports from "../../../src/server/store/MemoryReports.ts"
import { maxOfContract, reportsContract } from "../reports/ReportsContract.ts"

reportsContract("MemoryReports", MemoryReports.layerWith(maxOfContract))
