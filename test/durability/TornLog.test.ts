/**
 * What a crash of the whole machine may leave of the write-ahead log: its end is missing, half written, or something
 * else. What was on the disk before has to be there, and of the rest only what forms a beginning.
 *
 * `CRASH_SEED=<seed>` repeats the places.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Config, Effect, FileSystem, Random } from "effect"
import * as FileServer from "./FileServer.ts"
import * as Logbook from "./Logbook.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const seedOf = Effect.flatMap(Random.nextIntBetween(0, 1_000_000_000), (chosen) =>
  Config.withDefault(Config.Int("CRASH_SEED"), chosen)
)

/** Lines on the disk for good, and lines whose place in the log is torn. */
const safe = 30
const torn = 30

const line = (number: number): Logbook.Line => ({
  content: `line ${number} ${"·".repeat((number * 37) % 500)}`,
  key: `${number}`
})
const lines = Array.from({ length: safe + torn }, (_, index) => line(index + 1))
const expected = FileServer.outline(lines.map(({ content }, index) => ({ seq: index + 1, content })))

/** Damage done to the bytes of a log from a place on. */
const damages = {
  "is cut off": (log: Uint8Array, place: number) => Effect.succeed(log.slice(0, place)),
  "has a wrong byte": (log: Uint8Array, place: number) =>
    Effect.sync(() => log.map((byte, index) => (index === place ? byte ^ 0xff : byte))),
  "goes on with zeros": (log: Uint8Array, place: number) =>
    Effect.sync(() => log.map((byte, index) => (index >= place ? 0 : byte))),
  "goes on with garbage": Effect.fnUntraced(function* (log: Uint8Array, place: number) {
    const garbage = yield* Effect.all(Array.from({ length: 9000 }, () => Random.nextIntBetween(0, 255)))
    return Uint8Array.from([...log.slice(0, place), ...garbage])
  })
}

/** `CRASH_ROUNDS`, as in `pnpm test:long`, looks at more of them. */
const triesOf = Config.withDefault(Config.Int("CRASH_ROUNDS"), 2)

realTime("a database whose log", (it) => {
  it.effect.each(Object.entries(damages))(
    "%s somewhere has what was on the disk before, of the rest a beginning, and goes on",
    ([, damage]) =>
      Effect.gen(function* () {
        const seed = yield* seedOf
        const files = yield* FileSystem.FileSystem
        const file = yield* FileServer.newFile
        const history = yield* Logbook.open(file)
        for (const some of lines.slice(0, safe)) yield* Logbook.write(history, [some])
        const { length: safeLength } = yield* files.readFile(`${file}-wal`)
        for (const some of lines.slice(safe)) yield* Logbook.write(history, [some])
        // What a crash would leave: nothing of it was closed.
        const main = yield* files.readFile(file)
        const log = yield* files.readFile(`${file}-wal`)
        assert.isAbove(log.length, safeLength)

        const look = Effect.fnUntraced(function* () {
          const place = yield* Random.nextIntBetween(safeLength, log.length)
          const where = `CRASH_SEED=${seed}, byte ${place} of ${safeLength} to ${log.length}`
          const copy = yield* FileServer.newFile
          yield* files.writeFile(copy, main)
          yield* files.writeFile(`${copy}-wal`, yield* damage(log, place))
          const reopened = yield* Logbook.open(copy)
          const left = yield* Logbook.contents(reopened)
          assert.isAtLeast(left.length, safe, where)
          assert.deepStrictEqual(left, expected.slice(0, left.length), where)
          // Who had no Sent sends again, under the same keys: all is there once, in order.
          const answers = yield* Logbook.write(reopened, lines)
          assert.deepStrictEqual(
            answers.map(({ repeated, seq }) => ({ repeated, seq })),
            lines.map((_, index) => ({ repeated: index < left.length, seq: index + 1 })),
            where
          )
          assert.deepStrictEqual(yield* Logbook.contents(reopened), expected, where)
          return left.length
        }, Effect.scoped)

        const tries = yield* triesOf
        yield* Effect.gen(function* () {
          const kept = yield* Effect.all(Array.from({ length: tries }, look), { concurrency: 2 })
          assert.isBelow(Math.min(...kept), safe + torn, `CRASH_SEED=${seed}`)
        }).pipe(Random.withSeed(seed))
      })
  )

  it.effect("was torn when the server was killed serves what it had answered before, and the rest once more", () =>
    Effect.gen(function* () {
      const seed = yield* seedOf
      const files = yield* FileSystem.FileSystem
      const file = yield* FileServer.newFile
      const send = (from: number, to: number) =>
        lines.slice(from, to).map(({ content, key = "" }) => ({
          _tag: "GlobalMessage",
          content,
          key: FileServer.keyOf(key)
        }))
      const cutLength = yield* Effect.gen(function* () {
        const server = yield* FileServer.start(file)
        const ada = yield* FileServer.join(server.port, "ada")
        yield* ada.send(...send(0, safe))
        yield* ada.findMany("Sent", safe)
        const { size } = yield* files.stat(`${file}-wal`)
        for (const message of send(safe, safe + torn)) yield* ada.ask(message)
        yield* server.kill("SIGKILL")
        const { size: whole } = yield* files.stat(`${file}-wal`)
        return yield* Random.withSeed(Random.nextIntBetween(Number(size), Number(whole) - 1), seed)
      }).pipe(Effect.scoped)
      yield* files.truncate(`${file}-wal`, cutLength)

      const server = yield* FileServer.startHere(file)
      const ada = yield* FileServer.join(server.port, "ada")
      const where = `CRASH_SEED=${seed}`
      const left = FileServer.outline(yield* FileServer.readLog(ada))
      assert.isAtLeast(left.length, safe, where)
      assert.isBelow(left.length, safe + torn, where)
      assert.deepStrictEqual(left, expected.slice(0, left.length), where)
      yield* ada.send(...send(0, safe + torn))
      const answers = yield* ada.findMany("Sent", safe + torn)
      assert.deepStrictEqual(
        answers.map(({ seq }) => seq),
        lines.map((_, index) => index + 1),
        where
      )
      assert.deepStrictEqual(FileServer.outline(yield* FileServer.readLog(ada)), expected, where)
    })
  )
})
