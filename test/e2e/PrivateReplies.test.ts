/** Replies in private: each end names what is replied to by its place in their own inbox. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"
import { atOnce, done, keyOf } from "./EntriesTalk.ts"

const write = (to: string, content: string, replyTo?: number) => ({
  _tag: "PrivateMessage",
  to,
  content,
  ...(replyTo !== undefined && { replyTo })
})

/** What came of private messages: content, place, and what it replies to. */
const heardBy = (client: RawClient) =>
  Effect.map(client.soFar, (lines) =>
    lines.filter(({ _tag }) => _tag === "PrivateMessage").map(({ content, replyTo, seq }) => [content, seq, replyTo])
  )

/** Ada's inbox is one message ahead of Ben's. */
const talking = Effect.gen(function* () {
  const server = yield* TestServer.start()
  const [ada, ben, cleo] = yield* Effect.all([server.join("Ada"), server.join("Ben"), server.join("Cleo")])
  yield* done(cleo, write("Ada", "psst"))
  yield* done(ada, write("Ben", "tea?"))
  yield* Effect.all([heardBy(ada), heardBy(ben)])
  return { server, ada, ben, cleo }
})

describe("a private reply", () => {
  it.effect("names what it replies to by each side's own seq", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking
      assert.strictEqual(yield* done(ben, write("ada", "yes", 1)), 2)
      assert.strictEqual(yield* done(ada, write("Ben", "milk?", 3)), 4)
      assert.strictEqual(yield* done(ada, write("Ben", "I said tea", 2)), 5)
      assert.deepStrictEqual(yield* heardBy(ada), [
        ["yes", 3, 2],
        ["milk?", 4, 3],
        ["I said tea", 5, 2]
      ])
      assert.deepStrictEqual(yield* heardBy(ben), [
        ["yes", 2, 1],
        ["milk?", 3, 2],
        ["I said tea", 4, 1]
      ])
    })
  )

  it.effect("may come in one packet with what it replies to", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking
      const { replies } = yield* atOnce(ada, [write("Ben", "a"), write("Ben", "b", 3), write("Ben", "c", 4)])
      assert.deepStrictEqual(
        replies.map(({ seq }) => seq),
        [3, 4, 5]
      )
      assert.deepStrictEqual(yield* heardBy(ben), [
        ["a", 2, undefined],
        ["b", 3, 2],
        ["c", 4, 3]
      ])
    })
  )

  it.effect("to what is no message with that user is MessageNotFound, takes no place, and nobody hears it", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking
      // 1 is a message with Cleo.
      for (const seq of [0, 1, 3, 99]) {
        assert.deepStrictEqual(reasonOf(yield* ada.ask(write("Ben", "hm", seq))), { _tag: "MessageNotFound", seq })
      }
      assert.deepStrictEqual(yield* heardBy(ben), [])
      assert.strictEqual(yield* done(ada, write("Ben", "hm", 2)), 3)
    })
  )

  it.effect("sent again under its key is answered with the first one's Sent, and heard once", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking
      const reply = { ...write("Ben", "hm", 2), key: keyOf("reply") }
      const first = yield* ada.ask(reply)
      const { replies } = yield* atOnce(ada, [reply, { ...write("Ben", "other", 77), key: keyOf("reply") }])
      assert.deepStrictEqual(replies, [
        { ...first, id: "1", repeated: true },
        { ...first, id: "2", repeated: true }
      ])
      assert.lengthOf(yield* heardBy(ben), 1)
    })
  )

  it.effect("to who came back names nothing there, for their inbox begins anew", () =>
    Effect.gen(function* () {
      const { ada, ben, server } = yield* talking
      yield* ben.reset
      yield* TestServer.whenGone(ada, "Ben")
      const again = yield* server.join("Ben")
      assert.strictEqual(yield* done(ada, write("Ben", "still tea?", 2)), 3)
      assert.deepStrictEqual(yield* heardBy(again), [["still tea?", 1, undefined]])
      assert.deepStrictEqual((yield* heardBy(ada)).at(-1), ["still tea?", 3, 2])
      // What the one before had is not theirs.
      assert.deepStrictEqual(reasonOf(yield* again.ask(write("Ada", "no", 2))), { _tag: "MessageNotFound", seq: 2 })
      assert.strictEqual(yield* done(again, write("Ada", "no", 1)), 2)
      assert.deepStrictEqual((yield* heardBy(ada)).at(-1), ["no", 4, 3])
    })
  )

  it.effect("to who is not here is UserNotFound", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking
      yield* ben.ask({ _tag: "Disconnect" })
      yield* TestServer.whenGone(ada, "Ben")
      for (const request of [write("Ben", "hm", 2), { ...write("Ben", "hm", 2), key: keyOf("k") }]) {
        assert.deepStrictEqual(reasonOf(yield* ada.ask(request)), { _tag: "UserNotFound", user: "Ben" })
      }
    })
  )
})

describe("what is asked about one private conversation", () => {
  it.effect("is answered in the order in which it was asked, also what is refused at once", () =>
    Effect.gen(function* () {
      const { ada } = yield* talking
      const react = { _tag: "React", with: "ben", target: 2, reaction: "+1" }
      const { replies } = yield* atOnce(ada, [write("Ben", "a"), react, write("BEN", "b"), react])
      assert.deepStrictEqual(
        replies.map(({ _tag, id }) => [id, _tag]),
        [
          ["1", "Sent"],
          ["2", "Rejected"],
          ["3", "Sent"],
          ["4", "Rejected"]
        ]
      )
    })
  )
})
