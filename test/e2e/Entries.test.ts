/** Edits, deletions, reactions and replies as everybody sees them: live, in pipelines, in History, and with keys. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"
import {
  at,
  atOnce,
  comeTo,
  conversations,
  done,
  entriesFor,
  historyOf,
  isEntry,
  keyOf,
  say,
  talking
} from "./EntriesTalk.ts"

describe.each(conversations)("in $place", (conversation) => {
  const { message, where } = conversation
  const edit = (target: number, content: string, key?: string) => ({
    _tag: "EditMessage",
    ...where,
    target,
    content,
    ...(key && { key })
  })
  const remove = (target: number, more: object = {}) => ({ _tag: "DeleteMessage", ...where, target, ...more })
  const react = (target: number, reaction: string, more: object = {}) => ({
    _tag: "React",
    ...where,
    target,
    reaction,
    ...more
  })

  it.effect("what is done to a message reaches everybody as an entry of its own, in the same bytes", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking(conversation)
      yield* say(ada, conversation, "tee")
      yield* ada.ask(edit(1, "tea"))
      yield* ben.ask(react(1, "👍"))
      yield* ben.ask(react(1, "👍", { remove: true }))
      yield* ada.ask(remove(1, { reason: "out of tea" }))
      const own = yield* entriesFor(ada)
      assert.deepStrictEqual(own, [
        { ...message, seq: 1, at, from: "Ada", content: "tee" },
        { _tag: "Edited", ...where, seq: 2, at, from: "Ada", target: 1, content: "tea" },
        { _tag: "Reacted", ...where, seq: 3, at, from: "Ben", target: 1, reaction: "👍" },
        { _tag: "Reacted", ...where, seq: 4, at, from: "Ben", target: 1, reaction: "👍", removed: true },
        { _tag: "Deleted", ...where, seq: 5, at, from: "Ada", target: 1, reason: "out of tea" }
      ])
      assert.deepStrictEqual(yield* entriesFor(ben), own)
      const [hers, his] = [ada, ben].map((client) =>
        client
          .receivedText()
          .split("\n")
          .filter((line) => line.includes('"from":'))
      )
      assert.deepStrictEqual(his, hers)
    })
  )

  it.effect("Sent comes behind the entry, with its seq and time and the id of the request", () =>
    Effect.gen(function* () {
      const { ada } = yield* talking(conversation)
      yield* say(ada, conversation, "tee")
      yield* ada.soFar
      for (const [seq, request] of [edit(1, "tea"), react(1, "👍"), remove(1)].map((one, index) => [index + 2, one])) {
        yield* ada.send({ ...Object(request), id: "mine" })
        const [entry, sent] = yield* ada.nextLines(2)
        assert.strictEqual(entry?.["seq"], seq)
        assert.deepStrictEqual(sent, { _tag: "Sent", id: "mine", seq, at })
      }
    })
  )

  it.effect(
    "a message, its edit, a reaction to it and its deletion may come in one packet, by a guess at its seq",
    () =>
      Effect.gen(function* () {
        const { ada, ben } = yield* talking(conversation)
        const requests = [{ ...message, content: "tee" }, edit(1, "tea"), react(1, "👍"), remove(1)]
        const { lines, replies } = yield* atOnce(ada, requests)
        assert.deepStrictEqual(
          replies.map(({ id, seq }) => `${String(id)} at ${String(seq)}`),
          ["1 at 1", "2 at 2", "3 at 3", "4 at 4"]
        )
        for (const sent of replies) {
          const entry = lines.findIndex((line) => isEntry(line) && line["seq"] === sent["seq"])
          assert.isBelow(entry, lines.indexOf(sent))
        }
        assert.deepStrictEqual(
          (yield* entriesFor(ben)).map(({ _tag }) => _tag),
          [message._tag, "Edited", "Reacted", "Deleted"]
        )
      })
  )

  it.effect("each request of a packet is decided on what those before it have done", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking(conversation)
      const requests = [
        { ...message, content: "one" },
        react(1, "👍"),
        react(1, "👍"),
        react(1, "👍", { remove: true }),
        react(1, "👍", { remove: true }),
        remove(1),
        edit(1, "two"),
        react(1, "👍"),
        { ...message, content: "but", replyTo: 1 },
        { ...message, content: "me", replyTo: 6 },
        remove(1)
      ]
      const { replies } = yield* atOnce(ada, requests)
      assert.deepStrictEqual(
        replies.map((line) => (line._tag === "Sent" ? [line["seq"], line["repeated"] ?? false] : reasonOf(line))),
        [
          [1, false],
          [2, false],
          [2, true],
          [3, false],
          { _tag: "MessageNotFound", seq: 1 },
          [4, false],
          { _tag: "MessageNotFound", seq: 1 },
          { _tag: "MessageNotFound", seq: 1 },
          [5, false],
          { _tag: "MessageNotFound", seq: 6 },
          { _tag: "MessageNotFound", seq: 1 }
        ]
      )
      assert.deepStrictEqual(
        (yield* entriesFor(ben)).map(({ seq }) => seq),
        [1, 2, 3, 4, 5]
      )
    })
  )

  it.effect("History gives messages as they stand, and nothing that was done beside", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking(conversation)
      yield* say(ada, conversation, "one", "two", "three")
      yield* ben.ask(react(1, "👍"))
      yield* TestClock.adjust("1 second")
      yield* ada.ask(edit(1, "won"))
      yield* ada.ask(edit(3, "tree"))
      yield* TestClock.adjust("1 second")
      yield* ada.ask(edit(3, "free"))
      yield* ada.ask(remove(2, { reason: "wrong" }))
      yield* ben.ask({ ...message, content: "four", replyTo: 2 })
      const standing = [
        {
          ...message,
          seq: 1,
          at,
          from: "Ada",
          content: "won",
          edited: at + 1000,
          reactions: [{ reaction: "👍", users: ["Ben"], count: 1 }]
        },
        { _tag: "Tombstone", ...where, seq: 2, at, from: "Ada", deletedBy: "Ada", deletedAt: at + 2000 },
        { ...message, seq: 3, at, from: "Ada", content: "free", edited: at + 2000 },
        { ...message, seq: 9, at: at + 2000, from: "Ben", content: "four", replyTo: 2 }
      ]
      for (const client of [ada, ben]) {
        assert.deepStrictEqual(yield* historyOf(client, conversation), { messages: standing, more: false })
      }
      const only = yield* historyOf(ada, conversation, { only: "messages" })
      assert.deepStrictEqual(only, { messages: standing, more: false })
    })
  )

  const ranges = [
    { range: { limit: 2 }, seqs: [2, 9], more: true },
    { range: { limit: 3 }, seqs: [1, 2, 9], more: false },
    { range: { before: 9 }, seqs: [1, 2], more: false },
    { range: { before: 9, limit: 1 }, seqs: [2], more: true },
    { range: { before: 2 }, seqs: [1], more: false },
    { range: { after: 0, limit: 2 }, seqs: [1, 2], more: true },
    { range: { after: 1, limit: 1 }, seqs: [2], more: true },
    { range: { after: 2 }, seqs: [9], more: false },
    { range: { after: 2, before: 9 }, seqs: [], more: false },
    { range: { after: 9 }, seqs: [], more: false }
  ]

  it.effect("History of any range counts messages and tombstones alone", () =>
    Effect.gen(function* () {
      const { ada } = yield* talking(conversation)
      yield* say(ada, conversation, "one", "two")
      for (const request of [
        edit(2, "three"),
        edit(1, "four"),
        react(1, "👍"),
        react(2, "👍"),
        remove(2),
        edit(1, "5")
      ])
        yield* done(ada, request)
      yield* say(ada, conversation, "six")
      for (const { range, ...expected } of ranges) {
        const { messages, more } = yield* historyOf(ada, conversation, range)
        const page = { more, seqs: messages.map(({ seq }) => seq) }
        assert.deepStrictEqual(page, expected, JSON.stringify(range))
      }
    })
  )

  it.effect('History with only: "moderation" gives nothing where nobody but an author deleted, and no more of it', () =>
    Effect.gen(function* () {
      const { ada } = yield* talking(conversation)
      yield* say(ada, conversation, "one", "two")
      yield* done(ada, remove(1))
      const nothing = { messages: [], more: false }
      assert.deepStrictEqual(yield* historyOf(ada, conversation, { only: "moderation" }), nothing)
      assert.deepStrictEqual(yield* historyOf(ada, conversation, { only: "moderation", after: 0 }), nothing)
    })
  )

  it.effect("a reply names what it replies to: live, in History, and although that was deleted", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking(conversation)
      yield* say(ada, conversation, "tea?")
      yield* done(ben, { ...message, content: "yes", replyTo: 1 })
      yield* done(ada, remove(1))
      yield* done(ben, { ...message, content: "hm", replyTo: 1 })
      const replies = (yield* entriesFor(ada)).filter(({ replyTo }) => replyTo === 1)
      assert.deepStrictEqual(
        replies.map(({ content }) => content),
        ["yes", "hm"]
      )
      const { messages } = yield* historyOf(ben, conversation)
      assert.deepStrictEqual(
        messages.map(({ replyTo, seq }) => [seq, replyTo]),
        [
          [1, undefined],
          [2, 1],
          [4, 1]
        ]
      )
    })
  )

  it.effect("a key is answered once: the repeat gets the first Sent, and nobody else hears of it", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking(conversation)
      yield* say(ada, conversation, "one", "two")
      for (const [kind, request] of [
        ["edit", edit(1, "won")],
        ["react", react(2, "👍")],
        ["unreact", react(2, "👍", { remove: true })],
        ["delete", remove(2, { reason: "why not" })]
      ] as const) {
        const keyed = { ...request, key: keyOf(kind) }
        const first = yield* ada.ask(keyed)
        yield* Effect.all([ada.soFar, ben.soFar])
        yield* TestClock.adjust("1 second")
        const { replies } = yield* atOnce(ada, [keyed, keyed])
        const repeated = { ...first, repeated: true }
        assert.deepStrictEqual(replies, [
          { ...repeated, id: "1" },
          { ...repeated, id: "2" }
        ])
        assert.deepStrictEqual(yield* Effect.all([entriesFor(ada), entriesFor(ben)]), [[], []])
      }
    })
  )

  it.effect("a key stands for what it was used for first, whatever it is used for then", () =>
    Effect.gen(function* () {
      const { ada } = yield* talking(conversation)
      const key = keyOf("one for all")
      const first = yield* ada.ask({ ...message, content: "one", key })
      yield* ada.soFar
      const others = [
        edit(1, "won"),
        remove(1),
        react(1, "👍"),
        react(9, "👍"),
        { ...message, content: "2", replyTo: 7 }
      ]
      for (const request of others) {
        yield* ada.send({ ...request, key, id: "again" })
        assert.deepStrictEqual(yield* ada.find("Sent"), { ...first, id: "again", repeated: true })
      }
      const edited = yield* ada.ask(edit(1, "won", keyOf("an edit")))
      const said = yield* ada.ask({ ...message, content: "three", key: keyOf("an edit") })
      assert.deepStrictEqual([said["seq"], said["repeated"]], [edited["seq"], true])
    })
  )

  it.effect("a key is answered also when its target was deleted, and when what it made was", () =>
    Effect.gen(function* () {
      const { ada } = yield* talking(conversation)
      const requests = [
        { ...message, content: "one", key: keyOf("message") },
        edit(1, "won", keyOf("edit")),
        react(1, "👍", { key: keyOf("reaction") }),
        { ...message, content: "two", replyTo: 1, key: keyOf("reply") },
        remove(1, { key: keyOf("deletion") })
      ]
      for (const request of requests) yield* done(ada, request)
      yield* done(ada, remove(4))
      for (const [index, request] of requests.entries()) {
        const reply = yield* ada.ask(request)
        assert.deepStrictEqual([reply["seq"], reply["repeated"]], [index + 1, true])
      }
    })
  )

  it.effect("a key that was refused is not used up", () =>
    Effect.gen(function* () {
      const { ada } = yield* talking(conversation)
      const request = edit(1, "won", keyOf("edit"))
      assert.deepStrictEqual(reasonOf(yield* ada.ask(request)), { _tag: "MessageNotFound", seq: 1 })
      yield* say(ada, conversation, "one")
      assert.strictEqual(yield* done(ada, request), 2)
    })
  )

  it.effect("a key used twice in one packet is stored once, at one time, also where the clock went back", () =>
    Effect.gen(function* () {
      const { ada } = yield* talking(conversation)
      yield* say(ada, conversation, "one")
      yield* TestClock.setTime(at - 60_000)
      const request = edit(1, "won", keyOf("edit"))
      const { replies } = yield* atOnce(ada, [request, request, react(1, "👍"), react(1, "👍")])
      assert.deepStrictEqual(replies, [
        { _tag: "Sent", id: "1", seq: 2, at },
        { _tag: "Sent", id: "2", seq: 2, at, repeated: true },
        { _tag: "Sent", id: "3", seq: 3, at },
        { _tag: "Sent", id: "4", seq: 3, at, repeated: true }
      ])
    })
  )

  it.effect("a key is known on a later connection of the same name, and means nothing for another name", () =>
    Effect.gen(function* () {
      const { ada, ben, server } = yield* talking(conversation)
      yield* say(ada, conversation, "one")
      const request = edit(1, "won", keyOf("edit"))
      const seq = yield* done(ada, request)
      yield* ada.reset
      yield* TestServer.whenGone(ben, "Ada")
      const { client: again } = yield* comeTo(server, conversation, "ADA")
      const reply = yield* again.ask(request)
      assert.deepStrictEqual([reply["seq"], reply["at"], reply["repeated"]], [seq, at, true])
      assert.deepStrictEqual(reasonOf(yield* ben.ask(request)), { _tag: "NotAllowed", action: "EditMessage" })
    })
  )
})
