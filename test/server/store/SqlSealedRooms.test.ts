/** SealedRooms in a SQLite file, held to the same contract as every other. */
import { DatabaseSync } from "node:sqlite"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { Accounts } from "../../../src/server/accounts/Accounts.ts"
import { History } from "../../../src/server/history/History.ts"
import { SealedRooms } from "../../../src/server/history/SealedRooms.ts"
import * as Database from "../../../src/server/store/Database.ts"
import { ownerOf } from "../accounts/DeviceListsContract.ts"
import { sealed, sealedRoomsContract } from "../history/SealedRoomsContract.ts"
import { newFile } from "./OpenLog.ts"

const fresh = Layer.unwrap(Effect.map(newFile, (file) => Database.layerFile({ file, retention: "forever" }))).pipe(
  Layer.provide(NodeFileSystem.layer)
)

sealedRoomsContract("SqlSealedRooms", fresh)

layer(NodeFileSystem.layer, { excludeTestServices: true })("SqlSealedRooms", (it) => {
  it.effect("leave what was sealed and deleted where the search index counts it as before: without any words", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const services = yield* Layer.build(Database.layerFile({ file, retention: "forever" }))
      const [history, rooms] = [Context.get(services, History), Context.get(services, SealedRooms)]
      const [one] = yield* ownerOf(services, 1)
      assert(one !== undefined)
      yield* history.append([sealed({ begun: [one] }, { welcome: "AAAA" })])
      yield* history.append([sealed({}, { body: { _tag: "Deleted", target: 1 } })])
      const database = new DatabaseSync(file)
      const rows = database.prepare("SELECT kind, content ->> 'bytes' AS bytes FROM messages ORDER BY seq").all()
      assert.deepStrictEqual({ ...rows[0] }, { kind: "Tombstone", bytes: 0 })
      // With its login a device loses what waited for it.
      assert.lengthOf(yield* rooms.welcomes(one, 0, 9), 1)
      yield* Context.get(services, Accounts).removeDevice(one.account, one.device)
      assert.deepStrictEqual(yield* rooms.welcomes(one, 0, 9), [])
      database.close()
    }).pipe(Effect.scoped)
  )
})
