/**
 * A disk that is full to the last byte, and stays so unless the server makes room: a small file system of its own, in memory.
 * Deleting old messages writes before it frees anything, and so does a start.
 */
import { execFileSync } from "node:child_process"
import { closeSync, openSync, statfsSync, writeSync } from "node:fs"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Array as Arr, Clock, Duration, Effect, FileSystem } from "effect"
import type { History } from "../../src/server/history/History.ts"
import * as Eventually from "./Eventually.ts"
import * as FileServer from "./FileServer.ts"
import * as Logbook from "./Logbook.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const mebibyte = 2 ** 20

const mount = (folder: string, mebibytes: number) =>
  execFileSync("sh", ["-c", `mount -t tmpfs -o size=${mebibytes}m tmpfs ${folder}`], { stdio: "ignore" })

const smallDisk = Effect.fnUntraced(function* (mebibytes = 96) {
  const folder = yield* FileServer.newFolder
  yield* Effect.acquireRelease(
    Effect.sync(() => mount(folder, mebibytes)),
    () => Effect.sync(() => execFileSync("sh", ["-c", `umount --lazy ${folder}`]))
  )
  return folder
})

/** Why no disk can be made here, or undefined. */
const missing: string | undefined = (() => {
  try {
    execFileSync(
      "sh",
      ["-c", "d=$(mktemp -d) && mount -t tmpfs -o size=1m tmpfs $d && umount $d; e=$?; rmdir $d; exit $e"],
      {
        stdio: "ignore"
      }
    )
    return undefined
  } catch {
    return "no file system may be mounted"
  }
})()
const note = missing === undefined ? "" : ` (skipped: ${missing})`

const freeOf = (folder: string) => {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

/**
 * Takes what is left of the disk, but for `spared` bytes. At once: a server in this process cannot give anything back
 * meanwhile, which would be taken, too.
 */
const fillUp = (folder: string, spared = 0) => {
  const ballast = openSync(`${folder}/ballast`, "a")
  for (const bytes of [mebibyte, 4096]) {
    const piece = new Uint8Array(bytes)
    while (freeOf(folder) >= spared + bytes) writeSync(ballast, piece)
  }
  closeSync(ballast)
}

const reserveIsMade = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  const size = Effect.orElseSucceed(
    Effect.map(files.stat(`${file}-reserve`), (info) => Number(info.size)),
    () => 0
  )
  yield* Eventually.ask("space was kept in reserve", size, (bytes) => bytes === 8 * mebibyte)
})

const indexBytes = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  return Number((yield* files.stat(`${file}-search`)).size)
})

/**
 * The place of the newest message that has this word. On a busy machine a search may be ended before it has found what it
 * would have: then it is asked again.
 */
const finds = Effect.fnUntraced(function* (history: History["Service"], query: string, before?: number) {
  const search = Effect.catchTag(history.search([Logbook.lobby], { query, limit: 1, before }), "SearchTooSlow", () =>
    Effect.succeed({ found: [] })
  )
  const { found } = yield* Eventually.ask(`${query} was found`, search, ({ found }) => found.length === 1)
  return found[0]?.message.seq
})

/** One word that stands in all, and many that stand once each: 6000 such messages make an index of several megabytes. */
const wordy = (number: number): Logbook.Line => ({
  content: ["all", ...Array.from({ length: 60 }, (_, word) => `w${number}x${word}`)].join(" "),
  key: `line ${number}`
})

const lines = (at: number): ReadonlyArray<Logbook.Line> =>
  Array.from({ length: 6000 }, (_, index) => ({
    at,
    content: `stale ${index} ${"x".repeat(500)}`,
    key: `stale ${index}`
  }))

realTime("on a full disk", (it) => {
  const mounted = it.effect.skipIf(missing !== undefined)

  mounted(
    `the server starts, what was stored is read, and RETENTION deletes what is old, until there is room${note}`,
    () =>
      Effect.gen(function* () {
        const folder = yield* smallDisk()
        const file = `${folder}/chat.sqlite`
        const now = yield* Clock.currentTimeMillis
        yield* Effect.scoped(
          Effect.gen(function* () {
            const history = yield* Logbook.open(file)
            for (const line of [lines(1), [{ content: "fresh", at: now }]]) yield* Logbook.write(history, line)
            yield* reserveIsMade(file)
          })
        )
        fillUp(folder)
        yield* Effect.scoped(
          Effect.gen(function* () {
            assert.lengthOf(yield* Logbook.contents(yield* Logbook.open(file)), 6001)
          })
        )
        fillUp(folder)
        const history = yield* Logbook.open(file, { retention: Duration.hours(1) })
        yield* Eventually.ask("old messages were deleted", Logbook.contents(history), ({ length }) => length === 1)
        yield* Logbook.write(history, [{ content: "new", at: now }])
        assert.deepStrictEqual(yield* Logbook.contents(history), ["6001 fresh", "6002 new"])
      })
  )

  mounted(`what is sent is stored as long as the search index can be given up for it${note}`, () =>
    Effect.gen(function* () {
      const folder = yield* smallDisk()
      const file = `${folder}/chat.sqlite`
      yield* Effect.scoped(
        Effect.gen(function* () {
          const history = yield* Logbook.open(file)
          const texts = Array.from({ length: 6000 }, (_, number) => wordy(number))
          for (const some of Arr.chunksOf(texts, 2000)) yield* Logbook.write(history, some)
          yield* Eventually.ask("the index was made", indexBytes(file), (bytes) => bytes >= 4 * mebibyte)
          yield* reserveIsMade(file)
        })
      )
      // Opened anew no log has any room left: giving up the index takes some, too.
      const history = yield* Logbook.open(file)
      fillUp(folder)
      // More than the log of the database, which is made larger only now and then, has left.
      const more = Array.from({ length: 3000 }, (_, number) => wordy(6000 + number))
      for (const some of Arr.chunksOf(more, 500)) yield* Logbook.write(history, some)
      assert.lengthOf(yield* Logbook.contents(history), 9000)
      assert.isBelow(yield* indexBytes(file), mebibyte)
    })
  )

  mounted(`what waits to be indexed, however much it is, stays so once little room is left${note}`, () =>
    Effect.gen(function* () {
      const folder = yield* smallDisk()
      const file = `${folder}/chat.sqlite`
      const count = 6000
      yield* Effect.scoped(
        Effect.gen(function* () {
          const history = yield* Logbook.open(file)
          const texts = Array.from({ length: count }, (_, number) => wordy(number))
          for (const some of Arr.chunksOf(texts, 2000)) yield* Logbook.write(history, some)
          yield* reserveIsMade(file)
        })
      )
      const files = yield* FileSystem.FileSystem
      for (const ending of ["", "-wal"]) yield* files.remove(`${file}-search${ending}`, { force: true })
      fillUp(folder, 42 * mebibyte)
      const history = yield* Logbook.open(file)
      yield* Eventually.isSo("it was indexed", () => freeOf(folder) < 40 * mebibyte)
      // A search and a step of the index take turns: more of them than there are steps.
      for (let turn = 0; turn < 60; turn++) assert.strictEqual(yield* finds(history, "all"), count)
      assert.isAbove(freeOf(folder), 38 * mebibyte)
    })
  )

  mounted(
    `little of it is the search index when there is no room for more messages, which are found all the same${note}`,
    () =>
      Effect.gen(function* () {
        const folder = yield* smallDisk(64)
        const file = `${folder}/chat.sqlite`
        const history = yield* Logbook.open(file)
        let stored = 0
        const say = Effect.suspend(() => {
          const content = ["all", ...Array.from({ length: 500 }, (_, word) => `w${stored}x${word}`)].join(" ")
          return Effect.map(Logbook.write(history, [{ content }]), () => stored++)
        })
        yield* Effect.ignore(Effect.forever(say))
        assert.isBelow(yield* indexBytes(file), 8 * mebibyte)
        // Not all that is between the first and the newest one: to look at that may take longer than a search may.
        assert.strictEqual(yield* finds(history, "all"), stored)
        assert.strictEqual(yield* finds(history, "w0x7", 100), 1)
      })
  )
})
