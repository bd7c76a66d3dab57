/** Who is typing: heard by the others, once in a while, and by nobody later. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as Talk from "../support/AccountTalk.ts"
import type { RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

/** What a client has heard of who is typing. The Ping behind it is answered before what is still under way elsewhere. */
const typists = (client: RawClient) =>
  Effect.map(client.soFar, (lines) => lines.filter(({ _tag }) => _tag === "Typing").map(({ _tag, ...line }) => line))

/** Sends these, and waits until all of them have been acted on, in whatever conversation. */
const type = Effect.fnUntraced(function* (client: RawClient, ...wheres: ReadonlyArray<object>) {
  for (const where of wheres) {
    yield* client.send({ _tag: "Typing", ...where })
    // About one conversation, what was sent before is acted on before.
    yield* client.ask({ _tag: "GetHistory", ...where, limit: 1 })
  }
})

const talking = Effect.fnUntraced(function* (settings: Readonly<Record<string, string>> = {}) {
  const server = yield* TestServer.start({ settings })
  const [ada, ben, cyd] = yield* Effect.all([server.join("Ada"), server.join("ben"), server.join("cyd")])
  yield* ada.ask({ _tag: "CreateRoom", room: "Garden" })
  for (const client of [ada, ben]) yield* client.ask({ _tag: "JoinRoom", room: "garden" })
  yield* Effect.all([ada.soFar, ben.soFar, cyd.soFar])
  return { server, ada, ben, cyd }
})

describe("Typing", () => {
  it.effect("is heard by the others in the conversation alone, and has no reply", () =>
    Effect.gen(function* () {
      const { ada, ben, cyd } = yield* talking()
      yield* type(ada, { room: "GARDEN", id: "a" }, { id: "b" }, { with: "BEN", id: "c" })
      assert.deepStrictEqual(yield* typists(ben), [
        { room: "Garden", user: "Ada" },
        { user: "Ada" },
        { with: "Ada", user: "Ada" }
      ])
      assert.deepStrictEqual(yield* typists(cyd), [{ user: "Ada" }])
      const own = (yield* ada.soFar).filter(({ _tag, id }) => _tag === "Typing" || ["a", "b", "c"].includes(String(id)))
      assert.deepStrictEqual(own, [])
    })
  )

  it.effect("is said once in three seconds for each user and conversation, and again afterwards", () =>
    Effect.gen(function* () {
      const { ada, ben, cyd } = yield* talking()
      for (let count = 0; count < 5; count++) yield* type(ada, { room: "garden" })
      yield* type(cyd, {})
      yield* TestClock.adjust("2999 millis")
      yield* type(ada, { room: "garden" }, {})
      assert.deepStrictEqual(yield* typists(ben), [{ room: "Garden", user: "Ada" }, { user: "cyd" }, { user: "Ada" }])
      yield* TestClock.adjust("1 millis")
      yield* type(ada, { room: "garden" }, {})
      assert.deepStrictEqual(yield* typists(ben), [{ room: "Garden", user: "Ada" }])
    })
  )

  it.effect("is refused where one is not, to oneself, and to who is nobody", () =>
    Effect.gen(function* () {
      const { ada, ben, cyd, server } = yield* talking()
      const owner = yield* Talk.register(server, "owner")
      yield* owner.client.ask({ _tag: "CreateRoom", room: "attic", private: true })
      const why = (client: RawClient, where: object) => Effect.map(client.ask({ _tag: "Typing", ...where }), reasonOf)
      assert.deepStrictEqual(yield* why(cyd, { room: "garden" }), { _tag: "NotInRoom", room: "Garden" })
      assert.deepStrictEqual(yield* why(cyd, { room: "attic" }), { _tag: "RoomNotFound", room: "attic" })
      assert.deepStrictEqual(yield* why(cyd, { room: "cellar" }), { _tag: "RoomNotFound", room: "cellar" })
      assert.deepStrictEqual(yield* why(owner.client, { room: "attic" }), { _tag: "NotInRoom", room: "attic" })
      assert.deepStrictEqual(yield* why(ada, { with: "ada" }), { _tag: "CannotMessageYourself" })
      assert.deepStrictEqual(yield* why(ada, { with: "nobody" }), { _tag: "UserNotFound", user: "nobody" })
      assert.deepInclude(yield* why(ada, { with: "ben", room: "garden" }), { _tag: "InvalidMessage" })
      assert.deepStrictEqual(yield* typists(ben), [])
    })
  )

  it.effect("with an account that is away says nothing, and nothing to a guest who is not here any more", () =>
    Effect.gen(function* () {
      const { ada, ben, server } = yield* talking()
      const dora = yield* Talk.register(server, "dora")
      const again = yield* Talk.comeBack(server, "dora", dora.token)
      yield* type(ada, { with: "dora" })
      for (const { client } of [dora, again])
        assert.deepStrictEqual(yield* typists(client), [{ with: "Ada", user: "Ada" }])
      // What one connection types, the others of the same user do not hear.
      yield* type(dora.client, {})
      assert.deepStrictEqual([yield* typists(again.client), yield* typists(ben)], [[], [{ user: "dora" }]])
      for (const { client } of [dora, again]) yield* client.ask({ _tag: "Disconnect" })
      yield* TestServer.whenGone(ada, "dora")
      yield* TestClock.adjust("3 seconds")
      yield* type(ada, { with: "dora" })
      const back = yield* Talk.comeBack(server, "dora", again.token, { after: { inbox: { epoch: "none", seq: 0 } } })
      assert.deepStrictEqual(yield* typists(back.client), [])
    })
  )

  it.effect("of who is muted is refused, and says until when and why", () =>
    Effect.gen(function* () {
      const { ada, ben, server } = yield* talking()
      const owner = yield* Talk.register(server, "owner")
      yield* owner.client.ask({ _tag: "CreateRoom", room: "hall" })
      for (const client of [owner.client, ada, ben]) yield* client.ask({ _tag: "JoinRoom", room: "hall" })
      const muted = yield* owner.client.ask({ _tag: "Mute", room: "hall", user: "ada", seconds: 60, reason: "noise" })
      assert.strictEqual(muted._tag, "Sent")
      yield* ben.soFar
      const reply = yield* ada.ask({ _tag: "Typing", room: "hall" })
      assert.deepStrictEqual(reasonOf(reply), { _tag: "Muted", room: "hall", until: 60_000, reason: "noise" })
      assert.deepStrictEqual(yield* typists(ben), [])
      yield* TestClock.adjust("1 minute")
      yield* type(ada, { room: "hall" })
      assert.deepStrictEqual(yield* typists(ben), [{ room: "hall", user: "Ada" }])
    })
  )

  it.effect("is not said where more than PRESENCE_MAX are in", () =>
    Effect.gen(function* () {
      const { ada, ben, cyd } = yield* talking({ PRESENCE_MAX: "2" })
      yield* type(ada, { room: "garden" }, {})
      assert.deepStrictEqual([yield* typists(ben), yield* typists(cyd)], [[{ room: "Garden", user: "Ada" }], []])
    })
  )

  it.live("counts against MESSAGE_RATE, and leaves no request under way", () =>
    Effect.gen(function* () {
      const { ada } = yield* talking()
      yield* ada.send(...Array.from({ length: 1000 }, () => ({ _tag: "Typing", room: "garden" })))
      assert.strictEqual((yield* ada.ask({ _tag: "RoomMessage", room: "garden", content: "here" }))._tag, "Sent")
      const slow = yield* TestServer.start({ settings: { MESSAGE_RATE: "1", MESSAGE_BURST: "5" } })
      const dora = yield* slow.join("dora")
      yield* dora.send(...Array.from({ length: 20 }, (_, index) => ({ _tag: "Typing", id: `${index}` })))
      const refused = yield* dora.find("Rejected")
      assert.deepInclude(reasonOf(refused), { _tag: "RateLimited" })
    })
  )
})
