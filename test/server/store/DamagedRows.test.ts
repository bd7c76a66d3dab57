/** Rows and pages of a database that were changed on the disk: placeholders stand for them, and nothing else is lost. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Array as Arr, Effect, Logger } from "effect"
import type { Entry } from "../../../src/common/log/Entry.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { unreadable, unreadableText } from "../../../src/server/history/History.ts"
import { silently } from "../../support/FaultyServer.ts"
import { textOf } from "../history/HistoryAsked.ts"
import { entry, everything, fresh, lobby, newFile, open, room, say, spoil } from "./OpenLog.ts"

const isDamaged = (entry: Entry) => textOf(entry) === unreadableText

/** Counts what is logged meanwhile. */
const counting = (lines: Array<unknown>) =>
  Effect.provide(Logger.layer([Logger.make(({ message }) => void lines.push(message))]))

layer(NodeFileSystem.layer)("a damaged database", (it) => {
  it.effect("gives a placeholder for each row that is no message any more, at its place, and logs it once", () =>
    Effect.gen(function* () {
      const { history, sql } = yield* fresh()
      yield* say(history, ["one", "two", "three", "four", "five", "six"])
      yield* sql`UPDATE messages SET content = CAST(x'61ff00' AS TEXT) WHERE seq = 2`
      yield* sql`UPDATE messages SET sender = 'no name' WHERE seq = 3`
      yield* sql`UPDATE messages SET at = 9e300 WHERE seq = 4`
      yield* sql`UPDATE messages SET content = x'0102', at = 'soon' WHERE seq = 5`
      const lines: Array<unknown> = []
      const expected: ReadonlyArray<Entry> = [
        { seq: 1, at: 1, from: UserName.make("ada"), body: { _tag: "Said", content: "one" } },
        unreadable(2, 2, UserName.make("ada")),
        unreadable(3, 3, undefined),
        unreadable(4, 3, UserName.make("ada")),
        unreadable(5, 3, UserName.make("ada")),
        { seq: 6, at: 6, from: UserName.make("ada"), body: { _tag: "Said", content: "six" } }
      ]
      const read = Effect.gen(function* () {
        assert.deepStrictEqual((yield* history.read(lobby, everything)).entries, expected)
        const backwards = yield* history.read(lobby, { ...everything, after: undefined, limit: 4 }, 1000)
        assert.deepStrictEqual(backwards.entries, expected.slice(2))
      })
      yield* read.pipe(Effect.repeat({ times: 3 }), counting(lines))
      assert.lengthOf(lines, 4)
      assert.match(String(lines[0]), /Message 2 of lobby is damaged.*content/)
      // And whoever writes next is not hindered.
      assert.deepStrictEqual((yield* say(history, ["seven"]))[0]?.seq, 7)
    })
  )

  it.effect("gives everything that is not on the page that cannot be read, forwards and backwards, in pieces too", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const contents = Arr.makeBy(300, (index) => `line ${index + 1} ${"x".repeat(index % 50 === 7 ? 8000 : 60)}`)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { history, sql } = yield* open(file)
          yield* say(history, contents)
          yield* sql`PRAGMA wal_checkpoint(TRUNCATE)`
        })
      )
      spoil(file, "line 150 ")
      const { history } = yield* open(file)
      const { entries, more } = yield* history.read(lobby, everything)
      assert.isFalse(more)
      assert.deepStrictEqual(
        entries.map(({ seq }) => seq),
        Arr.makeBy(300, (index) => index + 1)
      )
      const lost = entries.filter(isDamaged).map(({ seq }) => seq)
      assert.include(lost, 150)
      // A page holds about 40 of them.
      assert.isBelow(lost.length, 60)
      for (const entry of entries) {
        if (!isDamaged(entry)) assert.strictEqual(textOf(entry), contents[entry.seq - 1])
        assert.isAtLeast(entry.at, entries[entry.seq - 2]?.at ?? 0)
      }
      // In pieces, both ways, it is the same.
      for (const isForwards of [true, false]) {
        const pieces: Array<Entry> = []
        for (let isMore = true; isMore;) {
          const range = isForwards
            ? { after: pieces.at(-1)?.seq ?? 0, before: undefined, limit: 70 }
            : { after: undefined, before: pieces[0]?.seq, limit: 70 }
          const page = yield* history.read(lobby, range, 5000)
          assert.isNotEmpty(page.entries)
          if (isForwards) pieces.push(...page.entries)
          else pieces.unshift(...page.entries)
          isMore = page.more
        }
        assert.deepStrictEqual(
          pieces.map((entry) => [entry.seq, textOf(entry)]),
          entries.map((entry) => [entry.seq, textOf(entry)])
        )
      }
      // What is stored elsewhere in it is stored.
      assert.deepStrictEqual((yield* say(history, ["after all"]))[0]?.seq, 301)
    }).pipe(silently)
  )

  it.effect("opens although the newest message of a log cannot be read, and goes on behind it", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { history, sql } = yield* open(file)
          yield* say(
            history,
            Arr.makeBy(200, (index) => `line ${index + 1} ${"x".repeat(60)}`)
          )
          yield* history.append(Arr.makeBy(200, () => entry("y".repeat(60), { conversation: room("dev") })))
          yield* sql`PRAGMA wal_checkpoint(TRUNCATE)`
        })
      )
      spoil(file, "line 200 ")
      const { history } = yield* open(file)
      assert.strictEqual((yield* history.newest(lobby)).seq, 200)
      assert.isTrue((yield* history.read(lobby, everything)).entries.some(({ seq }) => seq === 100))
      // Also in the transaction that looks first, for a key that comes twice.
      const keyed = entry("a", { key: "0123456789abcdef" })
      const [stored] = yield* history.append([keyed])
      assert(stored !== undefined)
      assert.strictEqual(stored.seq, 201)
      assert.deepStrictEqual(yield* history.append([keyed]), [{ ...stored, repeated: true }])
    }).pipe(silently)
  )
})
