/** What people notice of messages that a malicious server keeps back, reorders or shows to some: see src/client/crypto/SECURITY.md. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Topic } from "../../../src/common/log/Governing.ts"
import { conversationRoom } from "../../../src/common/name/RoomName.ts"
import { MessageKey } from "../../../src/common/wire/RequestId.ts"
import type { Line } from "../../support/LyingServer.ts"
import { isIn, say, until, vault } from "./Devices.ts"
import { aboutEntries, converse, isSealed, lines, newest, told, two, untilLine, untilNews, world } from "./Lies.ts"

const isSealedIn = (room: string) => (line: Line) => line._tag === "Sealed" && line["room"] === room

layer(NodeServices.layer, { excludeTestServices: true })("The order of a malicious server", (it) => {
  it.effect("that leaves a message out for somebody is noticed with the next one", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      yield* converse(ada, "one", ben)
      const { seq } = newest(lying, "Sealed")
      lying.told(aboutEntries("ben", (line) => (line["seq"] === Number(seq) + 1 ? [] : undefined)))
      yield* converse(ada, "kept from ben", ada)
      yield* converse(ada, "and on", ben)
      assert.deepStrictEqual(yield* lines(ben), ["let in", "ada: one", "ada: and on"])
      assert.deepStrictEqual(told(ben, "Withheld"), [
        { _tag: "Withheld", room: vault, what: "places", count: 1 },
        { _tag: "Withheld", room: vault, user: ada.home.user, what: "messages" }
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("that passes over a place is asked for it again, and nothing behind it is read before", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      yield* converse(ada, "one", ben)
      const hidden = Number(newest(lying, "Sealed")["seq"]) + 1
      let pages = 0
      lying.told((line, { user }) => {
        const { messages } = line
        if (user !== "ben") return undefined
        if (line["seq"] === hidden && line._tag === "Sealed") return []
        if (line._tag !== "History" || !Array.isArray(messages) || pages >= 2) return undefined
        pages += 1
        return [{ ...line, messages: messages.filter(({ seq }) => seq !== hidden) }]
      })
      yield* converse(ada, "two", ada)
      yield* converse(ada, "three", ben)
      assert.strictEqual(pages, 2)
      assert.deepStrictEqual(yield* lines(ben), ["let in", "ada: one", "ada: two", "ada: three"])
      assert.deepStrictEqual(told(ben, "Withheld"), [])
    }).pipe(Effect.scoped)
  )

  it.effect("that passes over a place for good is told of it, once, also where it was no message", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      yield* converse(ada, "one", ben)
      const topic = { _tag: "SetTopic", room: vault, topic: Topic.make("what ben does not see") } as const
      lying.told(aboutEntries("ben", (line) => (line._tag === "TopicSet" ? [] : undefined)))
      for (const text of ["two", "three"]) {
        yield* ada.client.request({ ...topic, key: MessageKey.make(`a key of tests, for ${text}`) })
        yield* converse(ada, text, ben)
      }
      assert.deepStrictEqual(yield* lines(ben), ["let in", "ada: one", "ada: two", "ada: three"])
      assert.deepStrictEqual(told(ben, "Withheld"), [{ _tag: "Withheld", room: vault, what: "places", count: 1 }])
    }).pipe(Effect.scoped)
  )

  it.effect("that claims a place far ahead, live or in a page, has nothing skipped before it", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      yield* converse(ada, "one", ben)
      const one = newest(lying, "Sealed")
      const far = { ...one, seq: Number.MAX_SAFE_INTEGER }
      lying.talksOf("ben")[0]?.tell({ ...one, seq: Number(one["seq"]) + 1000 }, far)
      yield* converse(ada, "two", ben)
      let pages = 0
      lying.told((line, { user }) => {
        if (user !== "ben" || line._tag !== "History" || pages >= 2) return undefined
        pages += 1
        return [{ ...line, messages: [far] }]
      })
      yield* ben.cut
      yield* until("ben is back", isIn(ben))
      yield* converse(ada, "three", ben)
      assert.deepStrictEqual(yield* lines(ben), ["let in", "ada: one", "ada: two", "ada: three"])
      assert.deepStrictEqual(told(ben, "Withheld", "Stopped"), [])
    }).pipe(Effect.scoped)
  )

  it.effect("that leaves out the newest is not noticed before somebody says something", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      yield* converse(ada, "one", ben)
      lying.told(aboutEntries("ben", (line) => (isSealed(line) ? [] : undefined)))
      yield* converse(ada, "two", ada)
      yield* ben.client.request({ _tag: "Ping", nonce: 1 })
      assert.deepStrictEqual(yield* lines(ben), ["let in", "ada: one"])
      assert.deepStrictEqual(told(ben, "Withheld", "OutOfStep", "Refused"), [])
    }).pipe(Effect.scoped)
  )

  it.effect("that shows two people two conversations is noticed by both with what the other says next", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      yield* converse(ada, "one", ben)
      /** What is said until then is never given to this one. */
      const hide = (to: string, from: string) => {
        const hidden = new Set<unknown>()
        let isOver = false
        lying.told(
          aboutEntries(to, (line) => {
            if (isSealed(line) && line["from"] === from && !isOver) hidden.add(line["seq"])
            return isSealed(line) && hidden.has(line["seq"]) ? [] : undefined
          })
        )
        return () => {
          isOver = true
        }
      }
      const lies = [hide("ben", "ada"), hide("ada", "ben")]
      yield* converse(ada, "two", ada)
      yield* converse(ben, "too", ben)
      for (const honestly of lies) honestly()
      yield* converse(ada, "three", ben)
      yield* converse(ben, "three too", ada)
      for (const [one, other] of [
        [ada, ben],
        [ben, ada]
      ] as const) {
        assert.deepStrictEqual(told(one, "Withheld"), [
          { _tag: "Withheld", room: vault, what: "places", count: 1 },
          { _tag: "Withheld", room: vault, user: other.home.user, what: "messages" }
        ])
      }
    }).pipe(Effect.scoped)
  )

  it.effect(
    "that turns two messages round is noticed where their author had read the first one before the second",
    () =>
      Effect.gen(function* () {
        const { ada, ben, lying } = yield* two
        const held: Array<Line> = []
        const honestly = lying.told(
          aboutEntries("ben", (line) => {
            if (!isSealed(line)) return undefined
            held.push(line)
            return []
          })
        )
        yield* converse(ada, "first", ada)
        yield* converse(ada, "second", ada)
        yield* until(
          "both are held",
          Effect.sync(() => held.length >= 2)
        )
        honestly()
        const [first, second] = held
        assert(first !== undefined && second !== undefined)
        lying
          .talksOf("ben")[0]
          ?.tell({ ...second, seq: Number(first["seq"]) }, { ...first, seq: Number(second["seq"]) })
        yield* untilLine(ben, "ada: first")
        assert.deepStrictEqual(yield* lines(ben), ["let in", "ada: second", "ada: first"])
        assert.deepInclude(yield* untilNews(ben, "Withheld"), { user: ada.home.user, what: "messages" })
      }).pipe(Effect.scoped)
  )

  it.effect("has the last word on whose message came first, of those that were on their way at once", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      const held: Array<Line> = []
      const keep = (line: Line) => {
        if (line._tag !== "SealedMessage") return undefined
        held.push(line)
        return []
      }
      const honestly = lying.asked(keep)
      yield* say(ada, "from ada, who was first")
      yield* until(
        "it is on its way",
        Effect.sync(() => held.length === 1)
      )
      honestly()
      yield* converse(ben, "from ben", ben)
      yield* ada.cut
      for (const one of [ada, ben]) yield* untilLine(one, "ada: from ada, who was first")
      assert.deepStrictEqual((yield* lines(ada)).slice(-2), ["ben: from ben", "ada: from ada, who was first"])
      assert.deepStrictEqual(told(ben, "Withheld"), [])
    }).pipe(Effect.scoped)
  )

  it.effect("that leaves a message out in a conversation of two is not noticed", () =>
    Effect.gen(function* () {
      const { lying, on } = yield* world
      const ada = yield* on("ada")
      const ben = yield* on("ben")
      for (const one of [ada, ben]) yield* one.rooms.ready
      const room = conversationRoom(ada.home.user, ben.home.user)
      yield* ada.client.request({ _tag: "OpenConversation", with: ben.home.user })
      yield* until("ben is let in", isIn(ben, room, 2))
      lying.told(aboutEntries("ben", (line) => (isSealedIn(room)(line) && line["seq"] === 3 ? [] : undefined)))
      yield* say(ada, "one", room)
      yield* untilLine(ada, "ada: one", room)
      yield* say(ada, "two", room)
      yield* untilLine(ben, "ada: two", room)
      assert.deepStrictEqual(yield* lines(ben, room), ["let in", "ada: two"])
      assert.deepStrictEqual(told(ben, "Withheld"), [])
    }).pipe(Effect.scoped)
  )

  it.effect("changes nothing of what was read: of one place, the first stays", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      yield* converse(ada, "one", ben)
      yield* converse(ada, "two", ben)
      const [first, second] = lying.overheard.filter((line) => isSealed(line) && line._tag === "Sealed")
      assert(first !== undefined && second !== undefined)
      lying.told((line, { user }) =>
        user === "ben" && line._tag === "History"
          ? [{ ...line, messages: [{ ...second, seq: first["seq"] }, second] }]
          : undefined
      )
      yield* ben.cut
      yield* until("ben is back", isIn(ben))
      yield* ben.client.request({ _tag: "Ping", nonce: 1 })
      assert.deepStrictEqual(yield* lines(ben), ["let in", "ada: one", "ada: two"])
    }).pipe(Effect.scoped)
  )

  it.effect(
    "that says Sent and keeps nothing: the message is shown as under way, and is sent again over another connection",
    () =>
      Effect.gen(function* () {
        const { ada, ben, lying } = yield* two
        const honestly = lying.asked((line, talk) => {
          if (line._tag !== "SealedMessage") return undefined
          talk.tell({ _tag: "Sent", id: line["id"], seq: 3, at: 1 })
          return []
        })
        yield* say(ada, "into the void")
        const isUnderway = Effect.map(ada.rooms.view(vault), (view) => view?.underway === 1)
        yield* until("it is under way", isUnderway)
        yield* ada.client.request({ _tag: "Ping", nonce: 1 })
        assert.isTrue(yield* isUnderway)
        assert.deepStrictEqual(yield* lines(ada), ["let in", "ada changed keys: +ben -"])
        honestly()
        yield* ada.cut
        yield* untilLine(ben, "ada: into the void")
      }).pipe(Effect.scoped)
  )
})
