/** The index beside a database: what it takes in, and what it lets go. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Arbitrary, Context, Deferred, Effect, Exit, Fiber, FileSystem, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { Conversation } from "../../../src/common/log/Conversation.ts"
import { SearchTooSlow } from "../../../src/server/history/History.ts"
import { Partner } from "../../../src/server/history/Partner.ts"
import { giveUp, makeAddStep } from "../../../src/server/search/IndexUpkeep.ts"
import { SearchTurn, type Turn } from "../../../src/server/search/SearchTurn.ts"
import { look } from "../../../src/server/search/SearchWindows.ts"
import { holds, phrasesOf, termsOf } from "../../../src/server/search/SearchWords.ts"
import * as OldestMessages from "../../../src/server/store/OldestMessages.ts"
import { silently } from "../../support/FaultyServer.ts"
import { oneOf, tries } from "../../support/generators.ts"
import { contentOf, fresh, lobby, storeLong } from "./FreshIndex.ts"
import * as StoredRows from "./StoredRows.ts"

/** Counts the pieces of a search. */
const counting = () => {
  const pieces = { count: 0 }
  const turn: Turn = (piece) => {
    pieces.count++
    return piece
  }
  return { pieces, turn }
}

layer(NodeFileSystem.layer)("the search index", (it) => {
  it.effect("takes in what was stored before it was there, in more than one step", () =>
    Effect.gen(function* () {
      const { holds } = yield* fresh(1200)
      yield* holds(1200)
    })
  )

  it.effect("finds what it has not taken in yet", () =>
    Effect.gen(function* () {
      const { find } = yield* fresh(3)
      const { found, next } = yield* find(2)
      assert.deepStrictEqual(
        found.map(({ message }) => message.seq),
        [3, 2]
      )
      assert.strictEqual(next, 2)
    })
  )

  it.effect("lets go of the words of what was deleted, also of everything", () =>
    Effect.gen(function* () {
      const { database, find, holds, index } = yield* fresh(1200)
      yield* holds(1200)
      yield* database.withTransaction(OldestMessages.make(database).deleteOldest(1700, 700))
      index.noteUnsafe()
      yield* holds(500)
      yield* database.withTransaction(OldestMessages.make(database).deleteOldest(9999, 700))
      index.noteUnsafe()
      yield* holds(0)
      assert.deepStrictEqual((yield* find(1)).found, [])
    })
  )

  it.effect("finds everything once, page by page, by count and by size, in the index and beside it", () =>
    Effect.gen(function* () {
      const texts = Array.from({ length: 40 }, (_, n) => `ripe ${n % 3 === 0 ? "red " : ""}${"x".repeat(n * 10)}`)
      const { append, holds, index, search } = yield* fresh(texts)
      const pages = Effect.fnUntraced(function* (query: string, options: { limit?: number; maxBytes?: number }) {
        const seqs: Array<number> = []
        let before: number | undefined
        do {
          const { found, next } = yield* search(query, { ...options, before })
          assert.isNotEmpty(found)
          const bytes = found.reduce((sum, { message }) => sum + Buffer.byteLength(contentOf(message)), 0)
          if (found.length > 1) assert.isAtMost(bytes, options.maxBytes ?? Infinity)
          seqs.push(...found.map(({ message }) => message.seq))
          before = next
        } while (before !== undefined)
        return seqs
      })
      const newestFirst = (count: number) => Array.from({ length: count }, (_, n) => count - n)
      const check = Effect.fnUntraced(function* (count: number) {
        for (const options of [{ limit: 7 }, { maxBytes: 300 }, { maxBytes: 1 }, { limit: 3, maxBytes: 700 }]) {
          assert.deepStrictEqual(yield* pages("ripe", options), newestFirst(count))
          const red = newestFirst(40).filter((seq) => seq % 3 === 1)
          assert.deepStrictEqual(yield* pages('"ripe red"', options), red)
        }
      })
      yield* check(40)
      yield* holds(40)
      yield* check(40)
      yield* append([StoredRows.said(41, "ripe")])
      yield* check(41)
      index.noteUnsafe()
      yield* holds(41)
      yield* check(41)
    })
  )

  it.effect("ends a search after a second of searching, while another is answered in between", () =>
    Effect.gen(function* () {
      const { append, database, search } = yield* fresh(["ripe"])
      yield* storeLong(database, 1500)
      yield* append([9998, 9999].map((seq) => StoredRows.said(seq, "ripe")))
      const slow = yield* Effect.forkChild(search("中国中国国"), { startImmediately: true })
      const { found } = yield* search("ripe", { limit: 1 })
      assert.lengthOf(found, 1)
      assert.isUndefined(slow.pollUnsafe())
      assert.deepStrictEqual(yield* Fiber.await(slow), Exit.fail(new SearchTooSlow({ limit: 1000 })))
    })
  )

  it.effect("takes in and looks at few long texts at a time", () =>
    Effect.gen(function* () {
      const { database, search, sql } = yield* fresh(["ripe"])
      yield* storeLong(database, 20)
      const { pieces, turn } = counting()
      yield* Effect.provideService(search("ripe"), SearchTurn, turn)
      assert.isAtLeast(pieces.count, 10)
      yield* makeAddStep(sql)
      const [[through] = []] = yield* sql`SELECT through FROM progress`.values
      assert.isAtMost(Number(through), 3)
    })
  )

  it.effect("looks at blocks of the log, and no further for words that stand in no message together", () =>
    Effect.gen(function* () {
      // As if each message were as long as a block.
      const { holds, search, sql } = yield* fresh(["ripe", "red", "ripe red", "red"])
      yield* holds(4)
      yield* sql`INSERT INTO words (words) VALUES ('delete-all')`
      for (const [id, words] of ["ripe", "red", "ripe red", "red"].entries()) {
        yield* sql`INSERT INTO words (rowid, scope, content, characters) VALUES (${id + 1}, ${`c1 l${id} s${id}`}, ${words}, '')`
      }
      yield* sql`UPDATE progress SET units = 3 * 33554432`
      const { pieces, turn } = counting()
      const { found } = yield* Effect.provideService(search("ripe red"), SearchTurn, turn)
      assert.deepStrictEqual(
        found.map(({ message }) => message.seq),
        [3]
      )
      assert.strictEqual(pieces.count, 6)
      const wanted = { conversations: [1], query: "red", phrases: phrasesOf("red") }
      const { ids, rest } = yield* look(sql, wanted, { bound: 5, block: 2 }, 9)
      assert.deepStrictEqual(ids, [3])
      assert.deepStrictEqual(rest, { bound: 3, block: 1 })
    })
  )

  it.effect("finds what was edited a moment ago only in what an inbox has with the one who is asked for", () =>
    Effect.gen(function* () {
      const { append, database, holds, index } = yield* fresh(["ripe", "ripe"])
      yield* database`UPDATE messages SET partner = '#' || (seq + 1)`
      yield* holds(2)
      yield* append([StoredRows.edited(3, 1, "red"), StoredRows.edited(4, 2, "red")])
      const found = Effect.fnUntraced(function* (partner: string) {
        const search = { query: "red", before: undefined, limit: 9, with: Partner.make(partner) }
        const results = yield* index.search({ conversations: new Map([[1, lobby]]), isBySeq: true, search })
        return results.found.map(({ message }) => message.seq)
      })
      assert.deepStrictEqual([yield* found("#2"), yield* found("#3"), yield* found("#4")], [[1], [2], []])
    })
  )

  it.effect("searches more conversations than an expression may name", () =>
    Effect.gen(function* () {
      const { holds, index } = yield* fresh(3)
      yield* holds(3)
      const others = Array.from({ length: 3000 }, (_, n): readonly [number, Conversation] => [n + 2, lobby])
      const search = { query: "ripe", before: undefined, limit: 9 }
      const all = { conversations: new Map([...others, [1, lobby]]), isBySeq: false, search }
      assert.lengthOf((yield* index.search(all)).found, 3)
      const elsewhere = { conversations: new Map(others), isBySeq: false, search }
      assert.lengthOf((yield* index.search(elsewhere)).found, 0)
    })
  )

  it.effect("finds on a full disk, gives itself up for room, and is made again when there is some", () =>
    Effect.gen(function* () {
      const words = (n: number) => Array.from({ length: 400 }, (_, k) => `w${n * 400 + k}`).join(" ")
      const { database, holds, index, search, sql } = yield* fresh(Array.from({ length: 500 }, (_, n) => words(n)))
      yield* holds(500)
      const pageCount = Effect.map(sql`PRAGMA main.page_count`.values, (rows) => Number(rows[0]?.[0]))
      const pages = yield* pageCount
      yield* sql`PRAGMA main.max_page_count = ${sql.literal(`${pages}`)}`
      yield* database`
        INSERT INTO messages (conversation, seq, at, sender, content) SELECT 1, seq + 500, at, sender, content || 'x' FROM messages`
      const finds = Effect.gen(function* () {
        assert.lengthOf((yield* search("w7")).found, 2)
        assert.lengthOf((yield* search("w399 w0")).found, 1)
        assert.lengthOf((yield* search("w399x w0")).found, 1)
      })
      yield* finds
      index.noteUnsafe()
      yield* Effect.andThen(TestClock.adjust("100 millis"), pageCount).pipe(
        Effect.repeat({ until: (now) => now < pages / 4 })
      )
      yield* finds
      yield* sql`PRAGMA main.max_page_count = 1000000`
      yield* TestClock.adjust("10 seconds")
      yield* holds(1000)
      yield* finds
    }).pipe(silently)
  )

  it.effect("has given its space to everybody who came upon a full disk before it was given up", () =>
    Effect.gen(function* () {
      const words = (n: number) => Array.from({ length: 400 }, (_, k) => `w${n * 400 + k}`).join(" ")
      const asked = yield* Deferred.make<void>()
      const given = yield* Deferred.make<void>()
      const spare = Effect.andThen(Deferred.succeed(asked, undefined), Deferred.await(given))
      const { database, holds, index } = yield* fresh(
        Array.from({ length: 500 }, (_, n) => words(n)),
        spare
      )
      yield* holds(500)
      yield* database`CREATE TABLE kept (number INTEGER, bytes BLOB)`
      const [[pages] = []] = yield* database`PRAGMA page_count`.values
      yield* database`PRAGMA max_page_count = ${database.literal(`${pages}`)}`
      const insert = (number: number) => Effect.asVoid(database`INSERT INTO kept VALUES (${number}, zeroblob(1000000))`)
      const start = Effect.forkChild({ startImmediately: true })

      const first = yield* start(index.makingRoom(insert(1)))
      yield* Deferred.await(asked)
      // The index is being given up. One waits until that is done; another hears of the full disk only when it is.
      const [failed, told] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const waits = Effect.tapError(insert(2), () => Deferred.succeed(failed, undefined))
      const second = yield* start(index.makingRoom(waits))
      const isLate = Effect.tapError(insert(3), () =>
        Effect.andThen(Deferred.succeed(told, undefined), Fiber.await(first))
      )
      const third = yield* start(index.makingRoom(isLate))
      yield* Effect.andThen(Deferred.await(failed), Deferred.await(told))
      yield* database`PRAGMA max_page_count = 1000000`
      yield* Deferred.succeed(given, undefined)
      yield* Fiber.joinAll([first, second, third])
      assert.deepStrictEqual(yield* database`SELECT number FROM kept ORDER BY number`.values, [[1], [2], [3]])
    }).pipe(silently)
  )

  it.effect("is not given up for less than it is worth", () =>
    Effect.gen(function* () {
      const { holds, sql } = yield* fresh(3)
      yield* holds(3)
      let spared = 0
      const spare = Effect.sync(() => {
        spared++
      })
      assert.strictEqual(yield* giveUp(sql, spare), 0)
      // What is kept back for RETENTION and for a start is not taken for nothing.
      assert.strictEqual(spared, 0)
    })
  )

  it.effect("gives a placeholder for what is damaged, and everything else", () =>
    Effect.gen(function* () {
      const { database, holds, search, seqs } = yield* fresh(["ripe one", "ripe two", "ripe three", "ripe four"])
      yield* holds(4)
      yield* database`UPDATE messages SET content = x'ff00' WHERE seq = 2`
      yield* database`UPDATE messages SET sender = 'not a name', at = -1 WHERE seq = 3`
      assert.deepStrictEqual(yield* seqs("ripe"), [4, 3, 2, 1])
      const { found } = yield* search("ripe")
      assert.deepStrictEqual(
        found.map(({ message }) => [message.from, message.at, contentOf(message).split(" ", 2).join(" ")]),
        [
          ["ada", 1003, "ripe four"],
          ["unknown", 0, "(This message"],
          ["ada", 1001, "(This message"],
          ["ada", 1000, "ripe one"]
        ]
      )
    })
  )

  it.effect("takes in, looks at and finds what stands beside a page of the database that is broken", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const broken = `ripe ${"ж".repeat(8000)}`
      const { append, database, file, holds, index, seqs, sql } = yield* fresh(["ripe", broken, "ripe"])
      yield* database`PRAGMA wal_checkpoint(TRUNCATE)`
      // The content goes on in pages of its own; each begins with the number of the next.
      const bytes = yield* files.readFile(file)
      for (let page = 0; page < bytes.length; page += 4096) {
        const isOfContent = [4, 5, 1000, 1001].every((place) => [0xd0, 0xb6].includes(bytes[page + place] ?? 0))
        if (isOfContent) bytes.set([0x7f, 0xff, 0xff, 0xff], page)
      }
      yield* files.writeFile(file, bytes)
      assert.deepStrictEqual(yield* seqs("ripe"), [3, 1])
      index.noteUnsafe()
      yield* holds(2)
      yield* append([StoredRows.said(4, "ripe")])
      yield* sql`INSERT INTO words (rowid, scope, content, characters) VALUES (2, 'c1 l0 s0', 'ripe', '')`
      assert.deepStrictEqual(yield* seqs("ripe"), [4, 3, 2, 1])
    }).pipe(silently)
  )
})

const troubled = [
  "a b a b a a b",
  "مرحبا",
  "ﷺ",
  "㍿",
  "𞤀𞤁 fulah",
  "東京都 tower",
  "don't",
  "c1 l0 s0",
  "İstanbul",
  "a\u0301b",
  "\u0300"
]

/** One index for many searches: everything of this in it, and the same again beside it. */
class Troubled extends Context.Service<Troubled, Effect.Success<ReturnType<typeof fresh>>>()(
  "parley/test/server/search/SearchIndex.test/Troubled"
) {
  static readonly layer = Layer.effect(
    Troubled,
    Effect.gen(function* () {
      const made = yield* fresh(troubled)
      yield* made.holds(troubled.length)
      yield* made.append(troubled.map((content, n) => StoredRows.said(troubled.length + n + 1, content)))
      return made
    })
  )
}

layer(Troubled.layer.pipe(Layer.provide(NodeFileSystem.layer)))("any text may be searched for", (it) => {
  const someText = Arbitrary.schema(Schema.String)
  const someWords = Arbitrary.array(oneOf("a", "b", '"', " ", "東", "𞤀", "\ud800", "\0", "*", ...troubled), {
    maxLength: 8
  }).pipe(Arbitrary.map((pieces) => pieces.join("")))
  it.effect.prop(
    "and the index finds what a look at the texts finds",
    [someText, someWords],
    Effect.fnUntraced(function* (queries) {
      const { seqs } = yield* Troubled
      for (const query of queries) {
        const phrases = phrasesOf(query)
        const texts = [...troubled, ...troubled]
        const expected = texts.flatMap((text, n) =>
          phrases.length > 0 && holds(termsOf(text), phrases) ? [n + 1] : []
        )
        assert.deepStrictEqual(yield* seqs(query), expected.toReversed(), JSON.stringify(query))
      }
    }),
    tries(150)
  )
})
