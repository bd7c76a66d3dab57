/** Where a database may be, and who else may read it: nobody. */
import * as process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import * as Eventually from "./Eventually.ts"
import * as FileServer from "./FileServer.ts"
import * as Logbook from "./Logbook.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const withUmask = (mask: number) =>
  Effect.acquireRelease(
    Effect.sync(() => process.umask(mask)),
    (before) => Effect.sync(() => process.umask(before))
  )

const modesOf = Effect.fnUntraced(function* (folder: string) {
  const files = yield* FileSystem.FileSystem
  const names = (yield* files.readDirectory(folder)).toSorted()
  return yield* Effect.forEach(names, (name) =>
    Effect.map(files.stat(`${folder}/${name}`), ({ mode }) => `${name} ${(mode & 0o777).toString(8)}`)
  )
})

/** Everything a running server keeps beside its database. */
const all = ["", "-lock", "-reserve", "-search", "-search-wal", "-shm", "-wal"]
const allPrivate = all.map((ending) => `chat.sqlite${ending} 600`)

realTime("the database's files", (it) => {
  it.effect("and the folders made for them are nobody else's, whatever the umask", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* FileServer.newFolder
      yield* withUmask(0)
      const history = yield* Logbook.open(`${folder}/new/data/chat.sqlite`)
      yield* Logbook.write(history, [{ content: "one" }])
      yield* Eventually.ask("all was made", modesOf(`${folder}/new/data`), ({ length }) => length === all.length)
      assert.deepStrictEqual(yield* modesOf(`${folder}/new/data`), allPrivate)
      assert.deepStrictEqual(yield* modesOf(`${folder}/new`), ["data 700"])
      assert.strictEqual((yield* files.stat(`${folder}/new`)).mode & 0o777, 0o700)
    })
  )

  it.effect("are made so if others could read them; a folder that was there is left as it was", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* FileServer.newFolder
      const file = `${folder}/chat.sqlite`
      yield* Logbook.fill(file, [{ content: "one" }])
      yield* files.chmod(folder, 0o755)
      for (const name of yield* files.readDirectory(folder)) yield* files.chmod(`${folder}/${name}`, 0o644)
      yield* withUmask(0o022)
      yield* Logbook.write(yield* Logbook.open(file), [{ content: "two" }])
      yield* Eventually.ask("all was made", modesOf(folder), ({ length }) => length === all.length)
      assert.deepStrictEqual(yield* modesOf(folder), allPrivate)
      assert.strictEqual((yield* files.stat(folder)).mode & 0o777, 0o755)
    })
  )
})

const long = (folder: string, bytes: number) => {
  const parts: Array<string> = []
  let left = bytes - Buffer.byteLength(`${folder}/chat.sqlite`)
  while (left > 0) {
    const part = Math.min(left - 1, 100)
    parts.push("x".repeat(part))
    left -= part + 1
  }
  return [folder, ...parts, "chat.sqlite"].join("/")
}

realTime("a database", (it) => {
  it.effect.skipIf(process.platform !== "linux")("below a folder that never answers is refused in time", () =>
    Effect.gen(function* () {
      const file = "/proc/nope/x/chat.sqlite"
      const { message } = yield* Effect.timeout(Effect.flip(Effect.scoped(Logbook.open(file))), "60 seconds")
      assert.match(message, /^Cannot use the database \/proc\/nope.* folder cannot be made .* Set DATABASE to a file/)
    })
  )

  it.effect("may have as long a path as SQLite takes, and is refused with a longer one", () =>
    Effect.gen(function* () {
      const folder = yield* FileServer.newFolder
      const history = yield* Logbook.open(long(folder, 490))
      yield* Logbook.write(history, [{ content: "one" }])
      assert.deepStrictEqual(yield* Logbook.contents(history), ["1 one"])
      const { message } = yield* Effect.flip(Effect.scoped(Logbook.open(long(folder, 491))))
      assert.match(message, /full path has 491 bytes, and SQLite takes 490\. Set DATABASE to a file elsewhere/)
    })
  )

  it.effect("may be named by a link to a place where there is none yet", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* FileServer.newFolder
      yield* files.makeDirectory(`${folder}/disk`)
      yield* files.symlink("disk/real.sqlite", `${folder}/chat.sqlite`)
      yield* Logbook.write(yield* Logbook.open(`${folder}/chat.sqlite`), [{ content: "one" }])
      assert.isTrue(yield* files.exists(`${folder}/disk/real.sqlite-wal`))
    })
  )
})
