/** Numbers of a malicious server that are as large as they can be, and larger: nothing of them is kept, and what is true is followed afterwards. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as Horizon from "../../../src/client/sealed/Horizon.ts"
import type { Line } from "../../support/LyingServer.ts"
import { enter, isIn, say, until, vault } from "./Devices.ts"
import { converse, lines, newest, told, two, twoWith, untilLine } from "./Lies.ts"

const largest = Number.MAX_SAFE_INTEGER
const numbers = [largest, largest - 1, largest + 1, 2 ** 62, 1e300]
/** A line with a number that is none is no reply: one of them is enough, for it costs the ten seconds that a reply is waited for. */
const someNumbers = numbers.slice(0, 3)

layer(NodeServices.layer, { excludeTestServices: true })("A number that is too large", (it) => {
  it.effect.each(someNumbers)("as a place is no place, live, in a page or of the whole log: %d", (seq) =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* twoWith({ lateness: 300 })
      yield* converse(ada, "one", ben)
      const one = newest(lying, "Sealed")
      const topic = { _tag: "TopicSet", room: vault, at: 1, from: "ada", topic: "far", seq }
      lying.talksOf("ben")[0]?.tell({ ...one, seq }, topic)
      let lies = 0
      const honestly = lying.told((line, { user }) => {
        if (user !== "ben") return undefined
        if (line._tag === "RoomJoined") return Number.isSafeInteger(seq) ? [{ ...line, seq }] : undefined
        if (line._tag !== "History") return undefined
        lies += 1
        return [{ ...line, messages: [topic, { ...one, seq }], more: true }]
      })
      // More often than is asked for what is missing.
      for (let n = 1; n <= 8; n++) {
        yield* ben.rooms.hear({ _tag: "Gap", conversation: { _tag: "Room", room: vault } })
        yield* until(
          "it was lied to",
          Effect.sync(() => lies >= n)
        )
      }
      yield* ben.cut
      yield* until(
        "and again",
        Effect.sync(() => lies > 8)
      )
      assert.isBelow(lies, 25, "it is not asked on and on")
      honestly()
      yield* ben.cut
      yield* until("ben is back", isIn(ben, vault, 2))
      yield* converse(ada, "two", ben)
      yield* converse(ben, "three", ada)
      assert.deepStrictEqual(yield* lines(ben), ["let in", "ada: one", "ada: two", "ben: three"])
      assert.deepStrictEqual(told(ben, "Stopped", "OutOfStep", "Withheld"), [])
    }).pipe(Effect.scoped)
  )

  it.effect.each(numbers)("as the place of a welcome lets nobody in, and keeps nobody out: %d", (seq) =>
    Effect.gen(function* () {
      const { ada, lying, on } = yield* two
      const cyd = yield* on("cyd")
      yield* cyd.rooms.ready
      let lies = 0
      const honestly = lying.told((line, { user }) => {
        const { welcomes } = line
        if (user !== "cyd" || line._tag !== "Welcomes" || !Array.isArray(welcomes) || welcomes.length === 0)
          return undefined
        lies += 1
        return [{ ...line, welcomes: welcomes.map((welcome: Line) => Object.assign(welcome, { seq })) }]
      })
      yield* enter(cyd)
      yield* until(
        "it was lied to",
        Effect.sync(() => lies > 1)
      )
      honestly()
      yield* cyd.cut
      yield* until("cyd is let in", isIn(cyd, vault, 3))
      yield* converse(ada, "here", cyd)
      assert.deepStrictEqual(told(cyd, "Stopped", "OutOfStep"), [])
    }).pipe(Effect.scoped)
  )

  it.effect.each(numbers)(
    "of groups is forgotten with the next connection, and fresh keys can be made: %d",
    (incarnation) =>
      Effect.gen(function* () {
        const { ada, ben, lying } = yield* two
        let lies = 0
        const honestly = lying.told((line, { user }) => {
          if (user !== "ben" || line._tag !== "RoomJoined") return undefined
          lies += 1
          return [{ ...line, keys: { incarnation, keyEpoch: incarnation, seq: incarnation } }]
        })
        yield* ben.cut
        yield* until(
          "it was lied to",
          Effect.sync(() => lies > 0)
        )
        yield* ben.client.request({ _tag: "Ping", nonce: 1 })
        honestly()
        yield* ben.cut
        yield* until("ben is back", isIn(ben, vault, 2))
        yield* ben.rooms.rekey(vault)
        yield* until(
          "there are fresh keys",
          Effect.sync(
            () =>
              lying.overheard.filter(({ _tag }) => _tag === "KeysReset").length > 0 &&
              ben.rooms.incarnationOf(vault) === 2
          )
        )
        yield* until("ada is let in", isIn(ada, vault, 2))
        yield* converse(ada, "two", ben)
        assert.deepStrictEqual(told(ben, "Stopped"), [])
      }).pipe(Effect.scoped)
  )

  it.effect.each(numbers)("of groups, in a reset that it made up, is taken for the next one: %d", (incarnation) =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      yield* converse(ada, "one", ben)
      const one = newest(lying, "Sealed")
      const reset = { _tag: "KeysReset", room: vault, at: 1, from: "ada", device: one["device"], incarnation }
      lying.talksOf("ben")[0]?.tell({ ...reset, seq: Number(one["seq"]) + 1 })
      yield* converse(ada, "two", ada)
      yield* ben.client.request({ _tag: "Ping", nonce: 1 })
      assert.isAtMost(ben.rooms.incarnationOf(vault), 2)
      yield* ada.rooms.rekey(vault)
      for (const person of [ada, ben]) yield* until("all have fresh keys", isIn(person, vault, 2))
      yield* converse(ada, "three", ben)
      yield* converse(ben, "four", ada)
      assert.deepStrictEqual(told(ben, "Stopped"), [])
    }).pipe(Effect.scoped)
  )

  it.effect.each(numbers)("in a refusal is looked for a while, and then forgotten: %d", (seq) =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      let held = 0
      lying.asked((line, talk) => {
        if (line._tag !== "SealedMessage" || held++ > 0) return undefined
        talk.tell({
          _tag: "Rejected",
          id: line["id"],
          reason: { _tag: "StaleKeyEpoch", keyEpoch: seq, seq },
          message: "By the server's word."
        })
        return []
      })
      yield* say(ada, "refused once")
      yield* untilLine(ben, "ada: refused once")
      yield* converse(ada, "and on", ben)
      assert.deepStrictEqual(told(ada, "Stopped", "OutOfStep"), [])
    }).pipe(Effect.scoped)
  )
})

describe("A horizon", () => {
  it("forgets what is said to be in the log and is not", () => {
    let horizon = Horizon.expecting(Horizon.nothing, largest)
    let looks = 0
    while (Horizon.isAwaiting(horizon, 7)) {
      horizon = Horizon.read(horizon, { asked: horizon.hearings, before: 7, cursor: 7, isMore: false })
      looks += 1
    }
    assert.strictEqual(looks, 50)
    horizon = Horizon.read(horizon, { asked: horizon.hearings, before: 7, cursor: 8, isMore: false })
    assert.isFalse(Horizon.isAwaiting(horizon, 8))
    assert.isAtMost(horizon.heard, 8)
  })
})
