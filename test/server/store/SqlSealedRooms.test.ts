/** SealedRooms in a SQLite file, held to the same contract as every other. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect, Layer } from "effect"
import * as Database from "../../../src/server/store/Database.ts"
import { sealedRoomsContract } from "../history/SealedRoomsContract.ts"
import { newFile } from "./OpenLog.ts"

const fresh = Layer.unwrap(Effect.map(newFile, (file) => Database.layerFile({ file, retention: "forever" }))).pipe(
  Layer.provide(NodeFileSystem.layer)
)

sealedRoomsContract("SqlSealedRooms", fresh)
