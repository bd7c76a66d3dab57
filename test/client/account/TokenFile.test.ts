/** Where tokens are kept, what others can see of them, and what is left when the client is killed in between. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as process from "node:process"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, FileSystem, Redacted } from "effect"
import * as TokenFile from "../../../src/client/account/TokenFile.ts"
import { UserName } from "../../../src/common/name/UserName.ts"

const ada = UserName.make("Ada")
const address = { host: "chat.example.org", port: 9000 }

const makeFolder = FileSystem.FileSystem.use((files) => files.makeTempDirectoryScoped({ prefix: "parley-" }))
const token = (text: string) => Redacted.make(text)
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

/** Ada's file, in a folder that is not there yet. */
const open = Effect.fnUntraced(function* () {
  const folder = join(yield* makeFolder, "config", "parley")
  const path = TokenFile.pathIn(folder, address, ada)
  return { folder, path, store: yield* TokenFile.open(path, folder) }
})

layer(NodeFileSystem.layer)((it) => {
  describe("the file of tokens", () => {
    it.effect("is its owner's alone, in a folder of their own, whatever the umask", () =>
      Effect.gen(function* () {
        const { folder, path, store } = yield* open()
        assert.deepStrictEqual(yield* store.read, [])
        yield* store.keep(token("t1"), undefined)
        assert.strictEqual(modeOf(path), "600")
        assert.strictEqual(modeOf(folder), "700")
        chmodSync(folder, 0o755)
        yield* store.keep(token("t2"), token("t1"))
        assert.strictEqual(modeOf(folder), "700")
        assert.deepStrictEqual(readdirSync(folder), ["chat.example.org_9000_ada.token"])
        assert.strictEqual(readFileSync(path, "utf8"), "t2\nt1\n")
      })
    )

    it.effect("holds four tokens at most, the newest first, each once", () =>
      Effect.gen(function* () {
        const { path, store } = yield* open()
        yield* store.keep(token("t1"), undefined)
        for (const number of [2, 3, 4, 5, 6]) yield* store.keep(token(`t${number}`), token(`t${number - 1}`))
        assert.strictEqual(readFileSync(path, "utf8"), "t6\nt5\nt4\nt3\n")
        assert.deepStrictEqual((yield* store.read).map(Redacted.value), ["t6", "t5", "t4", "t3"])
      })
    )

    it.effect("that others can read is not used, and the sentence says how to keep it to oneself", () =>
      Effect.gen(function* () {
        const { folder, path, store } = yield* open()
        yield* store.keep(token("t1"), undefined)
        for (const mode of [0o640, 0o604, 0o620]) {
          chmodSync(path, mode)
          const error = yield* Effect.flip(TokenFile.open(path, folder))
          assert.include(error.message, `chmod 600 ${path}`)
          assert.deepStrictEqual(yield* store.read, [])
        }
      })
    )

    it.effect("is as it was when its writer is killed before it is whole", () =>
      Effect.gen(function* () {
        const { path, store } = yield* open()
        yield* store.keep(token("t1"), undefined)
        // Killed while it wrote the next one, by a process of the same number.
        writeFileSync(`${path}.${process.pid}`, "t", { mode: 0o644 })
        assert.deepStrictEqual((yield* store.read).map(Redacted.value), ["t1"])
        yield* store.keep(token("t2"), token("t1"))
        assert.strictEqual(readFileSync(path, "utf8"), "t2\nt1\n")
        assert.strictEqual(modeOf(path), "600")
      })
    )

    it.effect("holds a good token whichever of two processes writes last", () =>
      Effect.gen(function* () {
        const { folder, path, store } = yield* open()
        yield* store.keep(token("t1"), undefined)
        const other = yield* TokenFile.open(path, folder)
        // Both have come with t1; the server knows t3, which it gave last, and t1.
        yield* other.keep(token("t3"), token("t1"))
        yield* store.keep(token("t2"), token("t1"))
        assert.includeMembers((yield* store.read).map(Redacted.value), ["t1", "t3"])
      })
    )

    it.effect("that cannot be written is said, with why, and without what was to be in it", () =>
      Effect.gen(function* () {
        const folder = yield* makeFolder
        const path = join(folder, "missing", "bot.token")
        const store = yield* TokenFile.open(path)
        const error = yield* Effect.flip(store.keep(token("secret"), undefined))
        assert.include(error.message, "its folder is not there")
        assert.notInclude(error.message, "secret")
      })
    )

    it.effect("is forgotten, and then there is nothing to forget", () =>
      Effect.gen(function* () {
        const { folder, store } = yield* open()
        yield* store.keep(token("t1"), undefined)
        yield* store.forget
        yield* store.forget
        assert.deepStrictEqual(readdirSync(folder), [])
      })
    )

    it.effect("is not read if it is far too large for one, or no file", () =>
      Effect.gen(function* () {
        const { folder, path, store } = yield* open()
        mkdirSync(folder, { recursive: true })
        writeFileSync(path, "x\n".repeat(40_000), { mode: 0o600 })
        assert.deepStrictEqual(yield* store.read, [])
        const other = join(folder, "other")
        symlinkSync("/nowhere", other)
        assert.deepStrictEqual(yield* (yield* TokenFile.open(other)).read, [])
      })
    )

    it.effect("is each user's own on each server, whatever they are called", () =>
      Effect.gen(function* () {
        const folder = yield* makeFolder
        const long = UserName.make("漢".repeat(32))
        const paths = [
          TokenFile.pathIn(folder, address, ada),
          TokenFile.pathIn(folder, { ...address, port: 9001 }, ada),
          TokenFile.pathIn(folder, { ...address, host: "../../evil" }, ada),
          TokenFile.pathIn(folder, { host: "::1", port: 8080 }, UserName.make("हिन्दी")),
          TokenFile.pathIn(folder, address, long)
        ]
        assert.strictEqual(TokenFile.pathIn(folder, address, UserName.make("ADA")), paths[0])
        for (const path of paths) yield* (yield* TokenFile.open(path, folder)).keep(token("t"), undefined)
        assert.strictEqual(readdirSync(folder).length, 5)
        assert.deepStrictEqual(yield* TokenFile.usersIn(folder, address), [UserName.make("ada")])
        assert.deepStrictEqual(yield* TokenFile.usersIn(folder, { host: "::1", port: 8080 }), [UserName.make("हिन्दी")])
        assert.deepStrictEqual(yield* TokenFile.usersIn(join(folder, "missing"), address), [])
      })
    )
  })
})
