/** What is done to messages, as rows of a database: one commit, pages that cost the same, and nothing that comes back. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Array as Arr, Duration, Effect } from "effect"
import { AuthorId, type Body } from "../../../src/common/log/Entry.ts"
import type { View } from "../../../src/common/log/Timeline.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { History } from "../../../src/server/history/History.ts"
import { checksum } from "../../../src/server/store/Checksum.ts"
import * as OldestMessages from "../../../src/server/store/OldestMessages.ts"
import * as StandingRows from "../../../src/server/store/StandingRows.ts"
import { silently } from "../../support/FaultyServer.ts"
import { entry, everything, fresh, lobby, say } from "./OpenLog.ts"

const ada = UserName.make("ada")
const act = (body: Body, from = "ada", at = 10) =>
  entry("", { body, from: UserName.make(from), at, author: AuthorId.make("guest-1") })
const newest = { after: undefined, before: undefined, limit: 50 }

const tombstone = (seq: number, at: number): View => ({
  _tag: "Tombstone",
  seq,
  at,
  from: ada,
  deletedBy: ada,
  deletedAt: 10
})

const edited = Effect.fnUntraced(function* (history: History["Service"]) {
  yield* say(history, ["one", "two", "three"])
  yield* history.append([
    act({ _tag: "Edited", target: 2, content: "two, but better" }),
    act({ _tag: "Reacted", target: 2, reaction: "👍" }, "bob")
  ])
})

layer(NodeFileSystem.layer)("what is done to messages", (it) => {
  it.effect("leaves of a deleted message a tombstone, its key, and what is still to be erased", () =>
    Effect.gen(function* () {
      const { history, sql } = yield* fresh()
      yield* say(history, ["one"])
      yield* history.append([entry("é 😀", { key: "0123456789abcdef", author: AuthorId.make("guest-1"), at: 2 })])
      yield* history.append([act({ _tag: "Edited", target: 2, content: "two" })])
      yield* history.append([act({ _tag: "Deleted", target: 2 })])
      const content = '{"deletedBy":"ada","deletedAt":10,"bytes":7}'
      const rows =
        yield* sql`SELECT kind, target, author, content, idempotency_key, checksum FROM messages WHERE seq = 2`.values
      const sum = checksum(1, 2, 2, "ada", content, "Tombstone")
      assert.deepStrictEqual(rows, [["Tombstone", null, null, content, "ada 0123456789abcdef", sum]])
      assert.deepStrictEqual(yield* sql`SELECT * FROM standing`.values, [])
      assert.deepStrictEqual(yield* sql`SELECT * FROM erasures`.values, [[2, 1, 2]])
      const [again] = yield* history.append([entry("é 😀", { key: "0123456789abcdef" })])
      assert.deepInclude(again, { seq: 2, repeated: true })
    })
  )

  it.effect("is stored together with its entry, or neither is", () =>
    Effect.gen(function* () {
      const { history, sql } = yield* fresh()
      yield* edited(history)
      const dump = Effect.all([
        sql`SELECT * FROM messages`.values,
        sql`SELECT * FROM standing`.values,
        sql`SELECT * FROM reactors`.values
      ])
      const before = yield* dump
      // The last of all that follows from these.
      yield* sql`CREATE TRIGGER refuse BEFORE INSERT ON erasures BEGIN SELECT RAISE(ABORT, 'no'); END`
      yield* Effect.flip(
        history.append([
          act({ _tag: "Edited", target: 1, content: "other" }),
          act({ _tag: "Reacted", target: 3, reaction: "ok" }),
          act({ _tag: "Deleted", target: 2 })
        ])
      )
      assert.deepStrictEqual(yield* dump, before)
    }).pipe(silently)
  )

  it.effect(
    "makes tombstones of the edits of a deleted message, whatever of them is erased, and keeps those of one that is gone",
    () =>
      Effect.gen(function* () {
        const { history, sql } = yield* fresh()
        yield* edited(history)
        yield* history.append([act({ _tag: "Edited", target: 1, content: "one, but better" })])
        yield* history.append([act({ _tag: "Deleted", target: 2 })])
        const bodies = Effect.map(history.read(lobby, everything), ({ entries }) =>
          entries.map(({ body, seq }) => ({ seq, ...body }))
        )
        const buried = { _tag: "Tombstone", deletedBy: "ada", deletedAt: 10 }
        const read = yield* bodies
        assert.deepStrictEqual<unknown>(read[1], { seq: 2, ...buried })
        assert.deepStrictEqual<unknown>(read[3], { seq: 4, ...buried })
        assert.deepInclude(read[5], { _tag: "Edited", content: "one, but better" })
        // Whoever erases has done the half of it, then all.
        yield* sql`UPDATE messages SET content = '' WHERE seq = 4`
        assert.deepStrictEqual(yield* bodies, read)
        yield* sql`DELETE FROM erasures`
        assert.deepStrictEqual(yield* bodies, read)
        // RETENTION takes the messages, and the edits stay.
        yield* sql.withTransaction(OldestMessages.make(sql).deleteOldest(3, 2))
        const left = yield* bodies
        assert.deepStrictEqual(
          left.map(({ _tag, seq }) => [seq, _tag]),
          [
            [3, "Said"],
            [4, "Tombstone"],
            [5, "Reacted"],
            [6, "Edited"],
            [7, "Deleted"]
          ]
        )
        assert.deepInclude(left[3], { _tag: "Edited", content: "one, but better" })
      })
  )

  it.effect("gives nobody the edit of a deleted message that RETENTION took before it was erased", () =>
    Effect.gen(function* () {
      const { history, sql } = yield* fresh()
      yield* edited(history)
      yield* history.append([act({ _tag: "Deleted", target: 2 })])
      yield* sql.withTransaction(OldestMessages.make(sql).deleteOldest(3, 2))
      const { entries } = yield* history.read(lobby, everything)
      assert.notInclude(JSON.stringify(entries), "better")
      assert.lengthOf(yield* sql`SELECT * FROM erasures`, 1)
    })
  )

  it.effect("goes with its message when RETENTION takes that, reactions step by step", () =>
    Effect.gen(function* () {
      const { history, sql } = yield* fresh()
      yield* say(history, ["one", "two"])
      const reactions = Array.from({ length: 30 }, (_, index) =>
        act({ _tag: "Reacted", target: 1, reaction: "👍" }, `user${index}`, 1000)
      )
      yield* Effect.forEach(reactions, (one) => history.append([one]))
      yield* history.append([act({ _tag: "Edited", target: 2, content: "kept" }, "ada", 1000)])
      const step = Effect.map(sql.withTransaction(OldestMessages.make(sql).deleteOldest(2, 10)), (done) => done.count)
      const left = Effect.map(sql`SELECT COUNT(*) FROM reactors`.values, (rows) => rows[0]?.[0])
      assert.deepStrictEqual([yield* step, yield* left], [10, 20])
      assert.deepStrictEqual([yield* step, yield* left], [10, 10])
      assert.deepStrictEqual([yield* step, yield* left], [10, 0])
      assert.strictEqual(yield* step, 0)
      assert.deepStrictEqual(yield* sql`SELECT id FROM standing`.values, [[2]])
    })
  )

  it.effect("costs a page of messages as they stand nothing, be it 100,000 reactions", () =>
    Effect.gen(function* () {
      const { history, sql } = yield* fresh()
      yield* say(history, ["one", "two", "three"])
      yield* sql`
        WITH RECURSIVE numbers (n) AS (SELECT 4 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100003)
        INSERT INTO messages (conversation, seq, at, sender, content, kind, target)
        SELECT 1, n, 5, 'ada', '{"reaction":"ok"}', 'Reacted', 1 FROM numbers`
      const page = yield* history.standing(lobby, newest, 1000)
      assert.deepStrictEqual(
        page.messages.map(({ seq }) => seq),
        [1, 2, 3]
      )
      const source = StandingRows.make(sql)
      for (const isForwards of [true, false]) {
        const [text, parameters] = source.rows(1, newest, isForwards).compile()
        const plan = yield* sql.unsafe(`EXPLAIN QUERY PLAN ${text}`, parameters).values
        const searched = plan.map((step) => String(step.at(-1))).filter((step) => step.includes("SEARCH messages"))
        assert.deepStrictEqual(searched, [
          "SEARCH messages USING COVERING INDEX messages_standing (conversation=? AND seq>? AND seq<?)",
          "SEARCH messages USING COVERING INDEX messages_sealed (conversation=? AND seq>? AND seq<?)",
          "SEARCH messages USING INDEX messages_moderation (conversation=? AND seq>? AND seq<?)",
          "SEARCH messages USING INTEGER PRIMARY KEY (rowid=?)"
        ])
      }
      // What is decided on is looked up by its place, however long the log is.
      const targets = Arr.makeBy(100, (index) => index + 1)
      // The shortest of several times, for a machine may do something else meanwhile.
      const shortest = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.map(Effect.replicateEffect(Effect.timed(effect), 7), (times) =>
          Math.min(...times.map(([time]) => Duration.toMillis(time)))
        )
      const scanning = yield* shortest(sql`SELECT COUNT(*) FROM messages WHERE length(sender) > 0`)
      const looking = yield* shortest(history.facts(lobby, { keys: [], targets, reactors: [] }))
      assert.isBelow(looking, 5 * scanning + 20)
    })
  )

  it.effect("stands as a placeholder where its row is damaged, and the rest of the page as it is", () =>
    Effect.gen(function* () {
      const { history, sql } = yield* fresh()
      yield* edited(history)
      yield* history.append([act({ _tag: "Deleted", target: 3 })])
      yield* sql`UPDATE messages SET content = 'no JSON' WHERE seq IN (3, 5)`
      yield* sql`UPDATE standing SET reactions = 'no JSON'`
      yield* sql`UPDATE messages SET content = x'00' WHERE seq = 1`
      const { messages } = yield* history.standing(lobby, newest)
      assert.deepStrictEqual(
        messages.map((one) => [one.seq, one._tag === "Message" ? one.content.slice(0, 20) : one._tag]),
        [
          [1, "(This message is dam"],
          [2, "two, but better"],
          [3, "(This message is dam"]
        ]
      )
      const { entries } = yield* history.read(lobby, everything)
      assert.deepStrictEqual(
        entries.map(({ body }) => body._tag),
        ["Said", "Said", "Said", "Edited", "Said", "Deleted"]
      )
      const { targets } = yield* history.facts(lobby, {
        keys: [],
        targets: [1, 2, 3],
        reactors: [{ target: 1, user: ada, reaction: "👍" }]
      })
      assert.deepStrictEqual(
        [...targets.values()].map(({ is }) => is),
        ["Message", "Message", "Tombstone"]
      )
    }).pipe(silently)
  )

  it.effect("shows a tombstone at the place of a message", () =>
    Effect.gen(function* () {
      const { history } = yield* fresh()
      yield* edited(history)
      yield* history.append([act({ _tag: "Deleted", target: 2 })])
      const { messages } = yield* history.standing(lobby, newest)
      assert.deepStrictEqual(messages[1], tombstone(2, 2))
    })
  )
})
