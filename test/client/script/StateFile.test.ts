import * as process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { open } from "../../../src/client/script/StateFile.ts"
import { Epoch } from "../../../src/common/log/Cursor.ts"

layer(NodeServices.layer)("The file that keeps a tail's place", (it) => {
  it.effect("writes into no file that others have put a link to in its way", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const [path, other] = [`${folder}/tail.cursor`, `${folder}/other`]
      yield* files.writeFileString(other, "precious")
      yield* files.symlink(other, `${path}.${process.pid}`)
      const { save } = yield* open(path, "lobby")
      yield* save({ epoch: Epoch.make("e"), seq: 7, at: 1 })
      assert.strictEqual(yield* files.readFileString(other), "precious")
      assert.include(yield* files.readFileString(path), '"seq": 7')
    })
  )

  it.effect("leaves nothing beside a file that is something else", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      yield* files.writeFileString(`${folder}/passwd`, "root")
      assert.include(`${yield* Effect.flip(open(`${folder}/passwd`, "lobby"))}`, "is not written over")
      assert.deepStrictEqual(yield* files.readDirectory(folder), ["passwd"])
    })
  )
})
