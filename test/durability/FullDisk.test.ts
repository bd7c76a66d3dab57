/**
 * A disk that is full to the last byte, and stays so unless the server makes room: a small file system of its own, in memory.
 * Deleting old messages writes before it frees anything, and so does a start.
 */
import { execFileSync } from "node:child_process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Array as Arr, Clock, Duration, Effect, FileSystem } from "effect"
import { sqlite } from "../admin/AdminProcess.ts"
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

/** Takes all that is left of the disk. */
const fillUp = Effect.fnUntraced(function* (folder: string) {
  const files = yield* FileSystem.FileSystem
  for (const bytes of [mebibyte, 4096]) {
    const piece = files.writeFile(`${folder}/ballast`, new Uint8Array(bytes), { flag: "a" })
    yield* Effect.ignore(Effect.forever(piece))
  }
})

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
        yield* fillUp(folder)
        yield* Effect.scoped(
          Effect.gen(function* () {
            assert.lengthOf(yield* Logbook.contents(yield* Logbook.open(file)), 6001)
          })
        )
        yield* fillUp(folder)
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
      // Many words that stand once each: an index of several megabytes.
      const line = (number: number) => ({
        content: Array.from({ length: 60 }, (_, word) => `w${number}x${word}`).join(" "),
        key: `line ${number}`
      })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const history = yield* Logbook.open(file)
          const texts = Array.from({ length: 6000 }, (_, number) => line(number))
          for (const some of Arr.chunksOf(texts, 2000)) yield* Logbook.write(history, some)
          yield* reserveIsMade(file)
        })
      )
      // Whole: otherwise it takes more room meanwhile, and is given up before the disk is full. How far it is can be seen
      // only while nobody has it open.
      const openForASecond = Effect.scoped(Effect.andThen(Logbook.open(file), Effect.sleep("1 second")))
      yield* Eventually.ask(
        "the index was made",
        Effect.andThen(openForASecond, sqlite(`${file}-search`, "SELECT through FROM progress")),
        ([row]) => Number(row?.["through"]) >= 6000
      )
      assert.isAbove(yield* indexBytes(file), 4 * mebibyte)
      // Opened anew no log has any room left: giving up the index takes some, too.
      const history = yield* Logbook.open(file)
      yield* fillUp(folder)
      // More than the log of the database, which is made larger only now and then, has left.
      const more = Array.from({ length: 3000 }, (_, number) => line(6000 + number))
      for (const some of Arr.chunksOf(more, 500)) yield* Logbook.write(history, some)
      assert.lengthOf(yield* Logbook.contents(history), 9000)
      assert.isBelow(yield* indexBytes(file), mebibyte)
    })
  )

  mounted(
    `little of it is the search index when there is no room for more messages, which are found all the same${note}`,
    () =>
      Effect.gen(function* () {
        const folder = yield* smallDisk(48)
        const file = `${folder}/chat.sqlite`
        const history = yield* Logbook.open(file)
        let said = 0
        const say = Effect.suspend(() => {
          const lines = Array.from({ length: 5 }, (_, line) => ({
            content: Array.from({ length: 500 }, (_, word) => `w${said + line}x${word}`).join(" ")
          }))
          said += lines.length
          return Logbook.write(history, lines)
        })
        yield* Effect.ignore(Effect.forever(say))
        assert.isBelow(yield* indexBytes(file), 8 * mebibyte)
        // Without an index all of them take a busy machine more than the second that a search may take.
        const { found } = yield* history.search([Logbook.lobby], { query: "w0x7", limit: 1, before: 500 })
        assert.lengthOf(found, 1)
      })
  )
})
