/** What whoever comes back with a cursor is given of edits, deletions, reactions and replies. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"
import { at, comeTo, conversations, done, entriesFor, isEntry, keyOf, say, talking } from "./EntriesTalk.ts"

describe.each(conversations)("in $place", (conversation) => {
  const { message, where } = conversation
  const edit = (target: number, content: string) => ({ _tag: "EditMessage", ...where, target, content })
  const remove = (target: number, more: object = {}) => ({ _tag: "DeleteMessage", ...where, target, ...more })
  const react = (target: number, more: object = {}) => ({ _tag: "React", ...where, target, reaction: "👍", ...more })

  it.effect("entries are replayed as they were made, behind any cursor, and counted in `missed`", () =>
    Effect.gen(function* () {
      const { ada, ben, epoch, server } = yield* talking(conversation)
      yield* say(ada, conversation, "one")
      for (const request of [edit(1, "won"), react(1), edit(1, "two"), react(1, { remove: true })])
        yield* done(ada, request)
      yield* done(ada, { ...message, content: "three", replyTo: 1 })
      const heard = yield* entriesFor(ben)
      assert.lengthOf(heard, 6)
      for (let seq = 0; seq <= 6; seq++) {
        const { client, standing } = yield* comeTo(server, conversation, `r${seq}`, { epoch, seq })
        assert.strictEqual(standing.seq, 6)
        if (where.room !== undefined) assert.deepInclude(standing, { missed: 6 - seq, truncated: false })
        assert.deepStrictEqual(yield* entriesFor(client), heard.slice(seq))
      }
    })
  )

  it.effect(
    "a deleted message and its edits are replayed as Tombstones at their seqs, everything else as it was made",
    () =>
      Effect.gen(function* () {
        const { ada, ben, epoch, server } = yield* talking(conversation)
        yield* say(ada, conversation, "secret", "open")
        yield* done(ada, edit(1, "secret too"))
        yield* done(ben, react(1))
        yield* done(ada, edit(2, "open too"))
        yield* TestClock.adjust("1 second")
        yield* done(ada, remove(1, { reason: "slip" }))
        yield* done(ben, { ...message, content: "what?", replyTo: 1 })
        const heard = yield* entriesFor(ben)
        const tombstone = { _tag: "Tombstone", ...where, at, from: "Ada", deletedBy: "Ada", deletedAt: at + 1000 }
        const { client } = yield* comeTo(server, conversation, "Cleo", { epoch, seq: 0 })
        const replayed = yield* entriesFor(client)
        assert.deepStrictEqual(replayed, [
          { ...tombstone, seq: 1 },
          heard[1],
          { ...tombstone, seq: 3 },
          heard[3],
          heard[4],
          { _tag: "Deleted", ...where, seq: 6, at: at + 1000, from: "Ada", target: 1, reason: "slip" },
          heard[6]
        ])
        assert.notInclude(client.receivedText(), "secret")
      })
  )

  it.effect(
    "nobody is given a deleted text again, although somebody was given it by the same cursor a moment before",
    () =>
      Effect.gen(function* () {
        const { ada, epoch, server } = yield* talking(conversation)
        yield* say(ada, conversation, "secret")
        yield* done(ada, edit(1, "secret too"))
        const { client: before } = yield* comeTo(server, conversation, "Cleo", { epoch, seq: 0 })
        assert.lengthOf(yield* entriesFor(before), 2)
        yield* done(ada, remove(1))
        const { client: after } = yield* comeTo(server, conversation, "Dan", { epoch, seq: 0 })
        assert.deepStrictEqual(
          (yield* entriesFor(after)).map(({ _tag, seq }) => [seq, _tag]),
          [
            [1, "Tombstone"],
            [2, "Tombstone"],
            [3, "Deleted"]
          ]
        )
        assert.notInclude(after.receivedText(), "secret")
      })
  )

  it.effect("who was away for a while has seen every entry once, and may send again what was not answered", () =>
    Effect.gen(function* () {
      const { ada, ben, epoch, server } = yield* talking(conversation)
      yield* say(ada, conversation, "one")
      const own = { ...react(1), key: keyOf("react") }
      yield* done(ben, own)
      const before = yield* entriesFor(ben)
      yield* ben.reset
      yield* TestServer.whenGone(ada, "Ben")
      for (const request of [edit(1, "won"), remove(1)]) yield* done(ada, request)
      const { client: again } = yield* comeTo(server, conversation, "Ben", { epoch, seq: 2 })
      const repeat = yield* again.ask(own)
      assert.deepStrictEqual([repeat["seq"], repeat["repeated"]], [2, true])
      yield* say(ada, conversation, "two")
      const seqs = [...before, ...(yield* entriesFor(again))].map(({ seq }) => seq)
      assert.deepStrictEqual(seqs, [1, 2, 3, 4, 5])
    })
  )

  it.effect("a Tombstone of an edit was never a message: it stands in no History, and nobody replies to it", () =>
    Effect.gen(function* () {
      const { ada } = yield* talking(conversation)
      yield* say(ada, conversation, "one")
      for (const request of [edit(1, "two"), remove(1)]) yield* done(ada, request)
      const history = yield* ada.ask({ _tag: "GetHistory", ...where })
      assert.deepStrictEqual(history["messages"], [
        { _tag: "Tombstone", ...where, seq: 1, at, from: "Ada", deletedBy: "Ada", deletedAt: at }
      ])
      const reply = yield* ada.ask({ ...message, content: "three", replyTo: 2 })
      assert.deepStrictEqual(reasonOf(reply), { _tag: "MessageNotFound", seq: 2 })
    })
  )

  it.effect("entries that come while somebody catches up come once, behind what was missed", () =>
    Effect.gen(function* () {
      const { ada, epoch, server } = yield* talking(conversation, { MAILBOX_BYTES: "16 MiB" })
      yield* say(ada, conversation, "one")
      const many = Array.from({ length: 600 }, (_, index) => edit(1, `${index}`))
      yield* ada.send(...many)
      yield* ada.findMany("Sent", many.length)
      yield* ada.send(...many)
      const { client } = yield* comeTo(server, conversation, "Cleo", { epoch, seq: 1 })
      yield* ada.findMany("Sent", many.length)
      const seqs = (yield* entriesFor(client)).map(({ seq }) => Number(seq))
      const first = Math.max(2, Number(seqs[0]))
      assert.deepStrictEqual(
        seqs,
        Array.from({ length: 1202 - first }, (_, index) => first + index)
      )
    })
  )

  it.effect("what one connection was given is what it heard live and what it is replayed, entry by entry", () =>
    Effect.gen(function* () {
      const { ada, ben, epoch, server } = yield* talking(conversation)
      yield* say(ada, conversation, "one", "two")
      yield* Effect.all(
        [
          ada.send(...[1, 2, 1, 2].map((target) => edit(target, "x")), react(1), react(2)),
          ben.send(react(1), react(2), react(1, { remove: true }), { ...message, content: "y", replyTo: 2 })
        ],
        { concurrency: "unbounded" }
      )
      yield* ada.findMany("Sent", 6)
      yield* ben.findMany("Sent", 4)
      const live = (yield* ben.soFar).filter(isEntry)
      assert.lengthOf(live, 12)
      const { client } = yield* comeTo(server, conversation, "Cleo", { epoch, seq: 0 })
      assert.deepStrictEqual(yield* entriesFor(client), live)
    })
  )
})
