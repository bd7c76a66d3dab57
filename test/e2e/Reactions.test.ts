/** How reactions add up: who is named, in which order, how many there may be, and how they are taken back. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"
import { atOnce, comeTo, conversations, done, entriesFor, historyOf, say, talking } from "./EntriesTalk.ts"

describe.each(conversations)("reactions in $place", (conversation) => {
  const react = (reaction: string, target = 1) => ({ _tag: "React", ...conversation.where, target, reaction })
  const unreact = (reaction: string, target = 1) => ({ ...react(reaction, target), remove: true })
  const reactionsOf = (client: RawClient) =>
    Effect.map(historyOf(client, conversation), ({ messages }) => messages[0]?.["reactions"])

  it.effect(
    "one that is there already is answered with the Sent of the entry that made it so; nobody hears of it",
    () =>
      Effect.gen(function* () {
        const { ada, ben } = yield* talking(conversation)
        yield* say(ada, conversation, "one")
        const first = yield* ben.ask(react("👍"))
        yield* done(ada, react("👍"))
        yield* Effect.all([ada.soFar, ben.soFar])
        const { replies } = yield* atOnce(ben, [react("👍"), { ...react("👍"), key: "another-key-01234" }])
        const again = { ...first, repeated: true }
        assert.deepStrictEqual(replies, [
          { ...again, id: "1" },
          { ...again, id: "2" }
        ])
        assert.deepStrictEqual(yield* entriesFor(ada), [])
        assert.deepStrictEqual(yield* reactionsOf(ada), [{ reaction: "👍", users: ["Ben", "Ada"], count: 2 }])
      })
  )

  it.effect("one that was there already keeps the key it came with, whatever that is used for later", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking(conversation)
      yield* say(ada, conversation, "one", "two")
      const first = yield* done(ben, react("👍"))
      const again = { ...react("👍"), key: "another-key-01234" }
      assert.deepInclude(yield* ben.ask(again), { seq: first, repeated: true })
      yield* done(ben, unreact("👍"))
      assert.deepInclude(yield* ben.ask(again), { seq: first, repeated: true })
      yield* done(ada, { _tag: "DeleteMessage", ...conversation.where, target: 1 })
      assert.deepInclude(yield* ben.ask(again), { seq: first, repeated: true })
      const said = { ...conversation.message, content: "three", key: "another-key-01234" }
      assert.deepInclude(yield* ben.ask(said), { seq: first, repeated: true })
      assert.notProperty(yield* ada.ask(said), "repeated")
      assert.strictEqual((yield* historyOf(ada, conversation)).messages.length, 3)
    })
  )

  it.effect("one is another if a single character is, and where another message has it", () =>
    Effect.gen(function* () {
      const { ada } = yield* talking(conversation)
      yield* say(ada, conversation, "one", "two")
      for (const reaction of ["ok", "OK", "👍", "👍🏽", "é", "e\u0301"]) yield* done(ada, react(reaction))
      assert.deepStrictEqual(reasonOf(yield* ada.ask(unreact("ok", 2))), { _tag: "MessageNotFound", seq: 2 })
      assert.strictEqual(yield* done(ada, react("ok", 2)), 9)
      const named = yield* reactionsOf(ada)
      assert(Array.isArray(named))
      assert.deepStrictEqual(
        named.map(({ reaction }) => reaction),
        ["ok", "OK", "👍", "👍🏽", "é", "e\u0301"]
      )
    })
  )

  it.effect("taking back what is not there, or not one's own, is MessageNotFound", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking(conversation)
      yield* say(ada, conversation, "one")
      yield* done(ada, react("👍"))
      const refused = { _tag: "MessageNotFound", seq: 1 }
      assert.deepStrictEqual(reasonOf(yield* ben.ask(unreact("👍"))), refused)
      assert.deepStrictEqual(reasonOf(yield* ada.ask(unreact("🎉"))), refused)
      yield* done(ada, unreact("👍"))
      assert.deepStrictEqual(reasonOf(yield* ada.ask(unreact("👍"))), refused)
      assert.isUndefined(yield* reactionsOf(ada))
      assert.strictEqual(yield* done(ada, react("👍")), 4)
      assert.deepStrictEqual(yield* reactionsOf(ada), [{ reaction: "👍", users: ["Ada"], count: 1 }])
    })
  )

  it.effect("stand in the order of their first, also when that is taken back, and users in the order of theirs", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking(conversation)
      yield* say(ada, conversation, "one")
      const steps: ReadonlyArray<readonly [RawClient, object, ReadonlyArray<string>]> = [
        [ada, react("a"), ["a: Ada"]],
        [ben, react("b"), ["a: Ada", "b: Ben"]],
        [ada, react("b"), ["a: Ada", "b: Ben,Ada"]],
        [ben, react("a"), ["a: Ada,Ben", "b: Ben,Ada"]],
        [ada, unreact("a"), ["b: Ben,Ada", "a: Ben"]],
        [ada, react("a"), ["b: Ben,Ada", "a: Ben,Ada"]],
        [ben, unreact("b"), ["b: Ada", "a: Ben,Ada"]],
        [ben, react("b"), ["b: Ada,Ben", "a: Ben,Ada"]],
        [ada, unreact("b"), ["a: Ben,Ada", "b: Ben"]],
        [ben, unreact("b"), ["a: Ben,Ada"]],
        [ada, react("b"), ["a: Ben,Ada", "b: Ada"]]
      ]
      for (const [client, request, expected] of steps) {
        yield* done(client, request)
        const standing = yield* reactionsOf(ada)
        assert(Array.isArray(standing))
        assert.deepStrictEqual(
          standing.map(({ reaction, users }) => `${reaction}: ${users}`),
          expected
        )
      }
    })
  )

  it.effect("name the 20 earliest and count all; who takes theirs back makes place for the next", () =>
    Effect.gen(function* () {
      const { ada, server } = yield* talking(conversation)
      yield* say(ada, conversation, "one")
      const names = Array.from({ length: 23 }, (_, index) => `r${23 - index}`)
      const crowd = yield* Effect.forEach(names, (name) => comeTo(server, conversation, name))
      for (const { client } of crowd) yield* done(client, react("👍"))
      const standing = (users: ReadonlyArray<string>, count: number) => [{ reaction: "👍", users, count }]
      assert.deepStrictEqual(yield* reactionsOf(ada), standing(names.slice(0, 20), 23))
      for (const place of [0, 21]) {
        const one = crowd[place]
        if (one !== undefined) yield* done(one.client, unreact("👍"))
      }
      const left = names.filter((_, index) => index !== 0 && index !== 21)
      assert.deepStrictEqual(yield* reactionsOf(ada), standing(left.slice(0, 20), 21))
      const [first] = crowd
      if (first !== undefined) yield* done(first.client, react("👍"))
      assert.deepStrictEqual(yield* reactionsOf(ada), standing(left.slice(0, 20), 22))
    })
  )

  it.effect("stay when who made them has gone", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking(conversation)
      yield* say(ada, conversation, "one")
      yield* done(ben, react("👍"))
      yield* ben.ask({ _tag: "Disconnect" })
      yield* TestServer.whenGone(ada, "Ben")
      assert.deepStrictEqual(yield* reactionsOf(ada), [{ reaction: "👍", users: ["Ben"], count: 1 }])
    })
  )

  it.effect("are at most 50 different ones on a message: then TooManyReactions, until one of them is taken back", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking(conversation)
      yield* say(ada, conversation, "one", "two")
      const many = Array.from({ length: 52 }, (_, index) => react(`r${index + 1}`))
      const { replies } = yield* atOnce(ada, many)
      assert.deepStrictEqual(
        replies.slice(0, 50).map(({ seq }) => seq),
        Array.from({ length: 50 }, (_, index) => index + 3)
      )
      const full = { _tag: "TooManyReactions", limit: 50 }
      assert.deepStrictEqual(replies.slice(50).map(reasonOf), [full, full])
      assert.deepStrictEqual(reasonOf(yield* ben.ask(react("r51"))), full)
      // One that is there may be joined, and repeated; another message has reactions of its own.
      assert.strictEqual(yield* done(ben, react("r50")), 53)
      assert.strictEqual((yield* ada.ask(react("r1")))["repeated"], true)
      assert.strictEqual(yield* done(ben, react("r51", 2)), 54)
      yield* done(ben, unreact("r50"))
      assert.deepStrictEqual(reasonOf(yield* ben.ask(react("r51"))), full)
      const packet = yield* atOnce(ada, [unreact("r50"), react("r51"), react("r50")])
      assert.deepStrictEqual(
        packet.replies.map((reply) => reply["seq"] ?? reasonOf(reply)),
        [56, 57, full]
      )
      const named = yield* reactionsOf(ada)
      assert(Array.isArray(named))
      assert.lengthOf(named, 50)
      assert.deepStrictEqual(named.at(-1), { reaction: "r51", users: ["Ada"], count: 1 })
    })
  )

  it.effect("survive an edit of the message, and go with it", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking(conversation)
      yield* say(ada, conversation, "one")
      yield* done(ben, react("👍"))
      yield* done(ada, { _tag: "EditMessage", ...conversation.where, target: 1, content: "won" })
      assert.deepStrictEqual(yield* reactionsOf(ada), [{ reaction: "👍", users: ["Ben"], count: 1 }])
      yield* done(ada, { _tag: "DeleteMessage", ...conversation.where, target: 1 })
      const { messages } = yield* historyOf(ben, conversation)
      assert.deepStrictEqual(
        messages.map(({ _tag, reactions }) => [_tag, reactions]),
        [["Tombstone", undefined]]
      )
    })
  )
})
