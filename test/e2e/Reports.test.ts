/** Reports: what was said is kept as it stood, by whom and for whom; only what one may read, and not without end. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as Talk from "../support/AccountTalk.ts"
import type { RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const report = (client: RawClient, target: number, where: object = {}, reason = "insults") =>
  client.ask({ _tag: "Report", target, reason, ...where })

const refusal = (client: RawClient, target: number, where: object = {}) =>
  Effect.map(report(client, target, where), reasonOf)

const hostile = "one \u202e two\n| 3  a line\ttab 🍅'\"</b>"

describe("Report", () => {
  it.effect("keeps what was said as it stands, where, by whom, who reports it and why, and tells nobody", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* Talk.register(server, "Ada")
      const mal = yield* Talk.register(server, "mal")
      const guest = yield* server.join("Guest")
      yield* ada.client.ask({ _tag: "CreateRoom", room: "Garden" })
      for (const client of [ada.client, mal.client, guest]) yield* client.ask({ _tag: "JoinRoom", room: "garden" })
      yield* guest.ask({ _tag: "GlobalMessage", content: hostile })
      yield* mal.client.ask({ _tag: "RoomMessage", room: "garden", content: "first" })
      yield* mal.client.ask({ _tag: "EditMessage", room: "garden", target: 1, content: "worse" })
      yield* mal.client.ask({ _tag: "PrivateMessage", to: "ada", content: "psst" })
      yield* Effect.forEach([ada.client, mal.client, guest], Talk.heard)
      yield* TestClock.setTime(5000)
      assert.strictEqual((yield* report(ada.client, 1))._tag, "Reported")
      assert.strictEqual((yield* report(guest, 1, { room: "GARDEN" }, "rude 💥"))._tag, "Reported")
      assert.strictEqual((yield* report(ada.client, 1, { with: "MAL" }))._tag, "Reported")
      // What becomes of it later changes nothing.
      yield* mal.client.ask({ _tag: "DeleteMessage", room: "garden", target: 1 })
      const found = yield* server.users.reports(undefined)
      const network = "127.0.0.1"
      assert.deepStrictEqual(
        found.map(({ by, id, isHandled, reason, said: { at, content, from }, seq, where, ...one }) => ({
          id,
          isHandled,
          reason,
          seq,
          where: JSON.stringify(where),
          at: one.at >= 5000,
          said: at < 5000,
          content,
          by: [by.user, by.account !== undefined, by.network],
          from: [from.user, from.account !== undefined, from.network]
        })),
        [
          {
            id: 3,
            isHandled: false,
            reason: "insults",
            where: '{"with":"mal"}',
            seq: 1,
            at: true,
            said: true,
            content: "psst",
            by: ["Ada", true, network],
            from: ["mal", true, undefined]
          },
          {
            id: 2,
            isHandled: false,
            reason: "rude 💥",
            where: '{"room":"Garden"}',
            seq: 1,
            at: true,
            said: true,
            content: "worse",
            by: ["Guest", false, network],
            from: ["mal", true, undefined]
          },
          {
            id: 1,
            isHandled: false,
            reason: "insults",
            where: "{}",
            seq: 1,
            at: true,
            said: true,
            content: hostile,
            by: ["Ada", true, network],
            from: ["Guest", false, network]
          }
        ]
      )
      assert.deepStrictEqual(
        (yield* Talk.heard(mal.client)).map(({ _tag }) => _tag).filter((tag) => tag.startsWith("Report")),
        []
      )
    })
  )

  it.effect("is for what one may read alone", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* Talk.register(server, "Ada")
      const ben = yield* Talk.register(server, "ben")
      const guest = yield* server.join("Guest")
      for (const room of ["open", "attic"]) {
        yield* ada.client.ask({ _tag: "CreateRoom", room, private: room === "attic" })
        yield* ada.client.ask({ _tag: "JoinRoom", room })
        yield* ada.client.ask({ _tag: "RoomMessage", room, content: "inside" })
      }
      yield* ada.client.ask({ _tag: "GlobalMessage", content: "gone" })
      yield* ada.client.ask({ _tag: "DeleteMessage", target: 1 })
      yield* ada.client.ask({ _tag: "PrivateMessage", to: "ben", content: "for ben" })
      yield* ada.client.ask({ _tag: "PrivateMessage", to: "Guest", content: "for a guest" })
      assert.deepStrictEqual(yield* refusal(ben.client, 1, { room: "open" }), { _tag: "NotInRoom", room: "open" })
      for (const room of ["attic", "cellar"]) {
        assert.deepStrictEqual(yield* refusal(ben.client, 1, { room }), { _tag: "RoomNotFound", room })
        assert.deepStrictEqual(yield* refusal(guest, 1, { room }), { _tag: "RoomNotFound", room })
      }
      const isNone = (seq: number) => ({ _tag: "MessageNotFound", seq })
      for (const seq of [0, 1, 2, 3, 99]) assert.deepStrictEqual(yield* refusal(ben.client, seq), isNone(seq))
      assert.deepStrictEqual(yield* refusal(ben.client, 1, { with: "guest" }), isNone(1))
      assert.deepStrictEqual(yield* refusal(guest, 1, { with: "ada" }), isNone(1))
      assert.deepInclude(yield* refusal(ada.client, 1, { with: "ben", room: "open" }), { _tag: "InvalidMessage" })
      assert.deepStrictEqual(yield* server.users.reports(undefined), [])
      // Who is away from a room, but a member, may read it.
      const again = yield* Talk.comeBack(server, "ada", ada.token)
      assert.strictEqual((yield* report(again.client, 1, { room: "attic" }))._tag, "Reported")
      assert.strictEqual((yield* report(ben.client, 1, { with: "ada" }))._tag, "Reported")
    })
  )

  it.effect(
    "comes so often in an hour and no more: of an account on all its connections, of guests from each address",
    () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start({ settings: { IDLE_TIMEOUT: "2 hours" } })
        const ada = yield* Talk.register(server, "Ada")
        const other = yield* Talk.comeBack(server, "ada", ada.token)
        const guest = yield* server.join("Guest")
        yield* guest.ask({ _tag: "GlobalMessage", content: "hm" })
        for (let count = 0; count < 15; count++) {
          for (const { client } of [ada, other]) assert.strictEqual((yield* report(client, 1))._tag, "Reported")
        }
        assert.deepStrictEqual(yield* refusal(other.client, 1), { _tag: "RateLimited", retryAfter: 3_600_000 })
        for (let count = 0; count < 5; count++) assert.strictEqual((yield* report(guest, 1))._tag, "Reported")
        yield* TestClock.adjust("30 minutes")
        assert.deepStrictEqual(yield* refusal(guest, 1), { _tag: "RateLimited", retryAfter: 1_800_000 })
        // Under whatever name it comes again.
        const [renamed, neighbour] = [
          yield* server.join("Gus"),
          yield* server.join("Nia", { localAddress: "127.0.0.9" })
        ]
        assert.deepStrictEqual(yield* refusal(renamed, 1), { _tag: "RateLimited", retryAfter: 1_800_000 })
        assert.strictEqual((yield* report(neighbour, 1))._tag, "Reported")
        // Who asks too often is told so only of what is there.
        assert.deepStrictEqual(yield* refusal(guest, 2), { _tag: "MessageNotFound", seq: 2 })
      })
  )
})
