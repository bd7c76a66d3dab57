/** The index beside a database whose messages are edited and deleted. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Arbitrary, Context, Effect, Fiber, FileSystem, Layer } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { TestClock } from "effect/testing"
import * as Timeline from "../../../src/common/log/Timeline.ts"
import { makeAddStep, prepare } from "../../../src/server/search/IndexUpkeep.ts"
import { holds, phrasesOf, termsOf } from "../../../src/server/search/SearchWords.ts"
import * as SqliteClient from "../../../src/server/sql/SqliteClient.ts"
import { indexSetup } from "../../../src/server/store/Database.ts"
import { oneOf, tries, wholeNumber } from "../../support/generators.ts"
import { fresh, functions, lobby } from "./FreshIndex.ts"
import * as StoredRows from "./StoredRows.ts"

/** What happens to a log, each at one of the messages before it. */
const someDeeds = Arbitrary.array(
  Arbitrary.all({
    kind: oneOf("say", "say", "say", "edit", "edit", "delete", "react", "take in", "search"),
    text: oneOf("a", "b", "a b", "b a", "a c a b", "c"),
    at: wholeNumber(0, 1000)
  }),
  { minLength: 1, maxLength: 40 }
)

/** One index for many logs, each a conversation of its own. */
class Shared extends Context.Service<Shared, Effect.Success<ReturnType<typeof fresh>> & { logs: number }>()(
  "parley/test/server/search/SearchEdits.test/Shared"
) {
  static readonly layer = Layer.effect(
    Shared,
    Effect.map(fresh([]), (made) => ({ ...made, logs: 1 }))
  )
}

layer(Shared.layer.pipe(Layer.provide(NodeFileSystem.layer)))("a search finds messages as they stand", (it) => {
  it.effect.prop(
    "whatever was edited and deleted, and however much of that the index has taken in: as the timeline of the log has them",
    [someDeeds],
    Effect.fnUntraced(function* ([deeds]) {
      const shared = yield* Shared
      const number = ++shared.logs
      const log = StoredRows.make(shared.database, number)
      yield* log.open
      const takeIn = makeAddStep(shared.sql)

      const pages = Effect.fnUntraced(function* (query: string) {
        const views: Array<Timeline.View> = []
        let before: number | undefined
        do {
          const search = { query, before, limit: 2 }
          const conversations = new Map([[number, lobby]])
          const { found, next } = yield* shared.index.search({ conversations, isBySeq: true, search })
          views.push(...found.map(({ message }) => message))
          before = next
        } while (before !== undefined)
        return views
      })
      const check = Effect.gen(function* () {
        const messages = [...Timeline.of(log.log).values()].toSorted((one, other) => other.seq - one.seq)
        for (const query of ["a", '"a b"', "b c", "zz"]) {
          const expected = messages.filter(
            (one) => one._tag === "Message" && holds(termsOf(one.content), phrasesOf(query))
          )
          assert.deepStrictEqual(yield* pages(query), expected.map(Timeline.viewOf), query)
        }
      })

      for (const { at, kind, text } of deeds) {
        const seq = log.log.length + 1
        const target = 1 + (at % Math.max(log.log.length, 1))
        const isMessage = Timeline.of(log.log).get(target)?._tag === "Message"
        if (kind === "say") yield* log.append([StoredRows.said(seq, text)])
        if (kind === "edit" && isMessage) yield* log.append([StoredRows.edited(seq, target, text)])
        if (kind === "delete" && isMessage) yield* log.append([StoredRows.deleted(seq, target)])
        if (kind === "react" && isMessage) yield* log.append([StoredRows.reacted(seq, target, text)])
        if (kind === "take in") yield* takeIn
        if (kind === "search") yield* check
      }
      yield* check
      yield* takeIn
      yield* check
    }),
    tries(60, 40)
  )
})

layer(NodeFileSystem.layer)("the search index follows edits and deletions", (it) => {
  it.effect(
    "leaves what is edited in its block, whatever became of those behind it: as in an index that is made anew",
    () =>
      Effect.gen(function* () {
        const { append, file, sql } = yield* fresh([])
        // 8 KiB of units each, so that a block of the small size has 260.
        const count = 1000
        yield* append(Array.from({ length: count }, (_, n) => StoredRows.said(n + 1, "x".repeat(7000 + n))))
        const takeIn = (index: SqlClient.SqlClient) =>
          Effect.repeat(makeAddStep(index), { while: (hasMore) => hasMore })
        yield* takeIn(sql)
        const quarters = Array.from({ length: count / 4 }, (_, n) => n * 4)
        const deletions = quarters.map((n, index) => StoredRows.deleted(count + index + 1, n + 1))
        yield* append(deletions)
        yield* takeIn(sql)
        const edits = quarters.flatMap((n) => [n + 2, n + 4])
        yield* append(edits.map((seq, index) => StoredRows.edited(count + deletions.length + index + 1, seq, "red")))
        yield* takeIn(sql)

        const anew = yield* SqliteClient.make({ filename: `${file}-anew`, setup: indexSetup(file), functions })
        yield* prepare(anew)
        yield* takeIn(anew)
        const blocks = (index: SqlClient.SqlClient) =>
          Effect.forEach([0, 1, 2, 3, 4], (block) =>
            Effect.map(index`SELECT rowid FROM words(${`scope : s${block}`})`.values, (rows) => rows.flat())
          )
        const found = yield* blocks(sql)
        assert.deepStrictEqual(found, yield* blocks(anew))
        assert.lengthOf(found.flat(), count - deletions.length)
        assert.isAbove(found.filter((block) => block.length > 0).length, 3)
      })
  )

  it.effect("takes ten thousand edits of one message in as few steps as if nobody had edited, and one more", () =>
    Effect.gen(function* () {
      const { append, database, seqs, sql } = yield* fresh(["ripe"])
      yield* database`
        WITH RECURSIVE numbers (value) AS (SELECT 2 UNION ALL SELECT value + 1 FROM numbers WHERE value < 10000)
        INSERT INTO messages (conversation, seq, at, sender, content, kind, target)
        SELECT 1, value, 1, 'ada', 'edited ' || value, 'Edited', 1 FROM numbers`
      yield* append([StoredRows.edited(10_001, 1, "red")])
      let steps = 1
      const counted = Effect.tap(makeAddStep(sql), (hasMore) => Effect.sync(() => (steps += hasMore ? 1 : 0)))
      yield* Effect.repeat(counted, { while: (hasMore) => hasMore })
      assert.isAtMost(steps, 22)
      assert.deepStrictEqual(yield* seqs("red"), [1])
      assert.deepStrictEqual(yield* seqs("ripe"), [])
      assert.deepStrictEqual(yield* sql`SELECT COUNT(*) FROM words('edited')`.values, [[0]])
    })
  )

  it.effect("keeps nothing of what was deleted in any of its files once it was purged, and finds the rest", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const long = Array.from({ length: 700 }, (_, n) => `Wombat${n}`).join(" ")
      const { append, file, index, seqs, sql } = yield* fresh(["ripe xylophonist", "ripe", long, "ripe zugzwang"])
      yield* sql`PRAGMA main.secure_delete = ON`
      const takeIn = Effect.repeat(makeAddStep(sql), { while: (hasMore) => hasMore })
      yield* takeIn
      yield* append([StoredRows.edited(5, 2, "quagmire"), StoredRows.deleted(6, 1)])
      yield* takeIn
      yield* append([StoredRows.deleted(7, 3), StoredRows.deleted(8, 2)])
      yield* index.forget([2, 3])
      const purging = yield* Effect.forkChild(index.purge, { startImmediately: true })
      yield* Effect.andThen(
        TestClock.adjust("1 second"),
        Effect.sync(() => purging.pollUnsafe())
      ).pipe(Effect.repeat({ until: (exit) => exit !== undefined }))
      yield* Fiber.join(purging)
      const bytes = Buffer.concat(
        yield* Effect.forEach(["-search", "-search-wal"], (ending) => files.readFile(`${file}${ending}`))
      ).toString("latin1")
      for (const word of ["xylophon", "quagmir", "ombat"]) assert.notInclude(bytes, word)
      assert.include(bytes, "zugzwang")
      assert.deepStrictEqual(yield* seqs("ripe"), [4])
    })
  )
})
