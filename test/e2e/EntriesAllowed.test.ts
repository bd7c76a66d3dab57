/** Who may edit, delete, react and reply, to what, for how long, and how they are told if they may not. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { issueOf, reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"
import { withWallClockAhead } from "../support/WallClock.ts"
import { atOnce, comeTo, conversations, done, entriesFor, historyOf, say, talking } from "./EntriesTalk.ts"

describe.each(conversations)("in $place", (conversation) => {
  const { message, where } = conversation
  const edit = (target: number, content = "new") => ({ _tag: "EditMessage", ...where, target, content })
  const remove = (target: number) => ({ _tag: "DeleteMessage", ...where, target })
  const react = (target: number, reaction = "👍") => ({ _tag: "React", ...where, target, reaction })
  const unreact = (target: number) => ({ ...react(target), remove: true })

  it.effect("a message is its author's to edit and delete; anybody may react to it", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking(conversation)
      yield* say(ada, conversation, "one")
      yield* entriesFor(ada)
      const { replies } = yield* atOnce(ben, [edit(1), remove(1)])
      assert.deepStrictEqual(replies.map(reasonOf), [
        { _tag: "NotAllowed", action: "EditMessage" },
        { _tag: "NotAllowed", action: "DeleteMessage" }
      ])
      assert.deepStrictEqual(yield* entriesFor(ada), [])
      assert.deepStrictEqual(yield* Effect.forEach([react(1), unreact(1)], (request) => done(ben, request)), [2, 3])
      assert.deepStrictEqual(yield* Effect.forEach([edit(1), remove(1)], (request) => done(ada, request)), [4, 5])
    })
  )

  it.effect("what a guest did is theirs for that connection only: the next of that name may not change it", () =>
    Effect.gen(function* () {
      const { ada, ben, server } = yield* talking(conversation)
      yield* say(ada, conversation, "one")
      yield* done(ada, react(1))
      yield* ada.reset
      yield* TestServer.whenGone(ben, "Ada")
      const { client: again } = yield* comeTo(server, conversation, "Ada")
      const { replies } = yield* atOnce(again, [edit(1), remove(1), unreact(1)])
      assert.deepStrictEqual(replies.map(reasonOf), [
        { _tag: "NotAllowed", action: "EditMessage" },
        { _tag: "NotAllowed", action: "DeleteMessage" },
        { _tag: "MessageNotFound", seq: 1 }
      ])
      // The reaction is there already, under this name: nobody reacts in one way twice.
      const reaction = yield* again.ask(react(1))
      assert.deepStrictEqual([reaction["seq"], reaction["repeated"]], [2, true])
      const { messages } = yield* historyOf(ben, conversation)
      assert.deepStrictEqual(messages[0]?.["reactions"], [{ reaction: "👍", users: ["Ada"], count: 1 }])
    })
  )

  it.effect("a message may be edited for EDIT_WINDOW after it was sent, however often, and deleted for ever", () =>
    Effect.gen(function* () {
      const { ada } = yield* talking(conversation, { EDIT_WINDOW: "10 minutes", IDLE_TIMEOUT: "1 day" })
      yield* say(ada, conversation, "one")
      yield* TestClock.adjust(10 * 60_000 - 1)
      assert.strictEqual(yield* done(ada, edit(1)), 2)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(reasonOf(yield* ada.ask(edit(1))), { _tag: "NotAllowed", action: "EditMessage" })
      assert.strictEqual(yield* done(ada, remove(1)), 3)
    })
  )

  it.effect("EDIT_WINDOW is a day where nothing else is said", () =>
    Effect.gen(function* () {
      let ahead = 0
      const server = yield* withWallClockAhead(() => ahead)(TestServer.start({ history: conversation.history }))
      const { client: ada } = yield* comeTo(server, conversation, "Ada")
      yield* say(ada, conversation, "one")
      ahead = 24 * 3_600_000 - 1
      assert.strictEqual(yield* done(ada, edit(1)), 2)
      ahead += 1
      assert.deepStrictEqual(reasonOf(yield* ada.ask(edit(1))), { _tag: "NotAllowed", action: "EditMessage" })
    })
  )

  it.effect("with an EDIT_WINDOW of 0 nothing may be edited, and everything be deleted", () =>
    Effect.gen(function* () {
      const { ada } = yield* talking(conversation, { EDIT_WINDOW: "0" })
      const { replies } = yield* atOnce(ada, [{ ...message, content: "one" }, edit(1), react(1), remove(1)])
      assert.deepStrictEqual(
        replies.map((reply) => reply["seq"] ?? reasonOf(reply)),
        [1, { _tag: "NotAllowed", action: "EditMessage" }, 2, 3]
      )
    })
  )

  it.effect("what is done to a place without a message is refused with MessageNotFound and that place", () =>
    Effect.gen(function* () {
      const { ada } = yield* talking(conversation)
      yield* say(ada, conversation, "one", "two")
      for (const request of [edit(2), react(2), unreact(2), remove(1)]) yield* done(ada, request)
      const nowhere = [0, 1, 3, 4, 5, 6, 7, 1000, Number.MAX_SAFE_INTEGER]
      for (const seq of nowhere) {
        const { replies } = yield* atOnce(ada, [edit(seq), remove(seq), react(seq), unreact(seq)])
        assert.deepStrictEqual(
          replies.map(reasonOf),
          Array.from({ length: 4 }, () => ({ _tag: "MessageNotFound", seq }))
        )
      }
      // A reply may be to what was deleted; what it cannot be to is what never was a message.
      for (const seq of nowhere.filter((place) => place !== 1)) {
        const reply = yield* ada.ask({ ...message, content: "three", replyTo: seq })
        assert.deepStrictEqual(reasonOf(reply), { _tag: "MessageNotFound", seq })
      }
      assert.strictEqual(yield* done(ada, { ...message, content: "three", replyTo: 1 }), 7)
    })
  )

  it.effect("what is refused takes no place in the log, and nobody hears of it", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking(conversation)
      yield* say(ada, conversation, "one")
      yield* entriesFor(ben)
      yield* atOnce(ada, [edit(9), { ...message, content: "lost", replyTo: 9 }, react(9), edit(1)])
      assert.deepStrictEqual(
        (yield* entriesFor(ben)).map(({ _tag, seq }) => [seq, _tag]),
        [[2, "Edited"]]
      )
    })
  )

  it.effect("the longest texts are carried on as they are", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking(conversation)
      yield* say(ada, conversation, "one")
      const requests = [
        edit(1, "漢\n".repeat(4096)),
        react(1, "x".repeat(32)),
        react(1, "👩‍👩‍👧"),
        { ...remove(1), reason: "ß".repeat(300) }
      ]
      for (const request of requests) yield* done(ada, request)
      const heard = yield* entriesFor(ben)
      assert.strictEqual(heard[1]?.["content"], "漢\n".repeat(4096))
      assert.deepStrictEqual(
        heard.slice(2, 4).map(({ reaction }) => reaction),
        ["x".repeat(32), "👩‍👩‍👧"]
      )
      assert.strictEqual(heard[4]?.["reason"], "ß".repeat(300))
    })
  )

  it.effect("of a room and of a user at once is refused, and of a user is for accounts", () =>
    Effect.gen(function* () {
      const { ada } = yield* talking(conversation)
      for (const request of [edit(1), remove(1), react(1)]) {
        const both = yield* ada.ask({ ...request, room: "dev", with: "Ben" })
        assert.strictEqual(issueOf(both), "room, with: only one of the two may be given")
        const { room: _, ...rest } = { room: undefined, ...request }
        for (const user of ["Ben", "Nobody", "Ada"]) {
          const refused = yield* ada.ask({ ...rest, with: user })
          assert.deepStrictEqual(reasonOf(refused), { _tag: "AccountRequired", action: request._tag })
        }
      }
    })
  )

  it.effect("each of them counts against the rate", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* talking(conversation, { MESSAGE_RATE: "1", MESSAGE_BURST: "12" })
      const requests = Array.from({ length: 5 }, () => [edit(1), react(1), remove(1)]).flat()
      yield* ada.send({ ...message, content: "one" })
      // In one piece, or each has time of its own to wait.
      yield* ada.send(...requests.map((request, index) => Object.assign({ id: `${index}` }, request)))
      // Two of them wait for a token, a second each, and then the others are refused.
      const pass = Effect.andThen(TestClock.adjust("1 second"), ben.soFar)
      yield* Effect.repeat(pass, { until: () => Effect.succeed(ada.receivedText().includes('"id":"14"')) })
      const last = reasonOf(yield* ada.find(({ id }) => id === "14"))
      assert.strictEqual(Reflect.get(last, "_tag"), "RateLimited")
      assert.isAbove(Number(Reflect.get(last, "retryAfter")), 0)
    })
  )
})

describe("what is no request at all", () => {
  const edit = (content: unknown) => ({ _tag: "EditMessage", target: 1, content })
  const remove = (reason: string) => ({ _tag: "DeleteMessage", target: 1, reason })
  const react = (reaction: string) => ({ _tag: "React", target: 1, reaction })

  const faults = [
    { field: "target", request: { ...edit("x"), target: -1 } },
    { field: "target", request: { ...edit("x"), target: 1.5 } },
    { field: "target", request: { ...edit("x"), target: "1" } },
    { field: "target", request: { ...edit("x"), target: undefined } },
    { field: "content", request: edit("") },
    { field: "content", request: edit("x".repeat(8193)) },
    { field: "content", request: edit("a\u0007b") },
    { field: "content", request: edit(undefined) },
    { field: "reason", request: remove("") },
    { field: "reason", request: remove("x".repeat(301)) },
    { field: "reason", request: remove("a\nb") },
    { field: "reaction", request: react("") },
    { field: "reaction", request: react("x".repeat(33)) },
    { field: "reaction", request: react("a\tb") },
    { field: "remove", request: { ...react("x"), remove: false } },
    { field: "key", request: { ...edit("x"), key: "short" } },
    { field: "with", request: { ...edit("x"), with: "no name" } },
    { field: "replyTo", request: { _tag: "GlobalMessage", content: "x", replyTo: -1 } },
    { field: "replyTo", request: { _tag: "GlobalMessage", content: "x", replyTo: null } }
  ]

  it.effect("is an InvalidMessage, wherever it is for, that names the field", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      for (const { field, request } of faults) {
        assert.include(issueOf(yield* ada.ask(request)), field, JSON.stringify(request))
      }
    })
  )
})

describe("in a room", () => {
  it.effect("edits, deletions, reactions and replies are for its members: NotInRoom, RoomNotFound", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      yield* ada.ask({ _tag: "JoinRoom", room: "dev" })
      yield* done(ada, { _tag: "RoomMessage", room: "dev", content: "one" })
      const requests = (room: string) => [
        { _tag: "EditMessage", room, target: 1, content: "two" },
        { _tag: "DeleteMessage", room, target: 1 },
        { _tag: "React", room, target: 1, reaction: "👍" },
        { _tag: "RoomMessage", room, content: "two", replyTo: 1 }
      ]
      const ben = yield* server.join("Ben")
      for (const request of requests("DEV")) {
        assert.deepStrictEqual(reasonOf(yield* ben.ask(request)), { _tag: "NotInRoom", room: "dev" })
      }
      for (const request of requests("ops")) {
        assert.deepStrictEqual(reasonOf(yield* ben.ask(request)), { _tag: "RoomNotFound", room: "ops" })
      }
      yield* ada.ask({ _tag: "LeaveRoom", room: "dev" })
      for (const request of requests("dev")) {
        assert.deepStrictEqual(reasonOf(yield* ada.ask(request)), { _tag: "NotInRoom", room: "dev" })
      }
      // Who comes back is the same connection, and so the same author.
      yield* ada.ask({ _tag: "JoinRoom", room: "dev" })
      assert.strictEqual(yield* done(ada, { _tag: "EditMessage", room: "Dev", target: 1, content: "two" }), 2)
    })
  )

  it.effect("a place means its own log: the same place of the lobby is another message", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      for (const client of [ada, ben]) yield* client.ask({ _tag: "JoinRoom", room: "dev" })
      yield* done(ada, { _tag: "GlobalMessage", content: "in the lobby" })
      yield* done(ben, { _tag: "RoomMessage", room: "dev", content: "in the room" })
      const inLobby = yield* ben.ask({ _tag: "DeleteMessage", target: 1 })
      assert.deepStrictEqual(reasonOf(inLobby), { _tag: "NotAllowed", action: "DeleteMessage" })
      assert.strictEqual(yield* done(ben, { _tag: "DeleteMessage", room: "dev", target: 1 }), 2)
      const { messages } = yield* ada.ask({ _tag: "GetHistory" })
      assert.nestedPropertyVal(messages, "[0].content", "in the lobby")
    })
  )
})
