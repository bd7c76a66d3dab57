/** DeviceLists in a SQLite file, held to the same contract as every other. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, FileSystem, Layer } from "effect"
import { DeviceLists } from "../../../src/server/accounts/DeviceLists.ts"
import * as Database from "../../../src/server/store/Database.ts"
import { deviceListsContract, ownerOf } from "../accounts/DeviceListsContract.ts"
import { newFile } from "./OpenLog.ts"

const fresh = Layer.unwrap(Effect.map(newFile, (file) => Database.layerFile({ file, retention: "forever" }))).pipe(
  Layer.provide(NodeFileSystem.layer)
)

deviceListsContract("SqlDeviceLists", fresh, 5)

layer(NodeFileSystem.layer, { excludeTestServices: true })("SqlDeviceLists", (it) => {
  it.effect("hand out a package once, also if the machine stops the moment it was answered", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const [file, afterwards] = [yield* newFile, yield* newFile]
      const services = yield* Layer.build(Database.layerFile({ file, retention: "forever" }))
      const lists = Context.get(services, DeviceLists)
      const [device] = yield* ownerOf(services, 1)
      assert(device !== undefined)
      const claim = { ...device, isLastResort: false }
      yield* lists.addPackages(device, ["AAAA", "BBBB"], "CCCC")
      assert.deepStrictEqual(yield* lists.claim([claim]), ["AAAA"])
      // What is on the disk now is all that is left.
      for (const ending of ["", "-wal"]) yield* files.copyFile(`${file}${ending}`, `${afterwards}${ending}`)
      const again = yield* Layer.build(Database.layerFile({ file: afterwards, retention: "forever" }))
      const left = Context.get(again, DeviceLists)
      assert.deepStrictEqual(yield* left.claim([claim, claim]), ["BBBB", "CCCC"])
      assert.strictEqual(yield* left.addPackages(device, ["AAAA"], undefined), 0)
    }).pipe(Effect.scoped)
  )
})
