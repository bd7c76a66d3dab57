/** What a malicious server can keep people from, what it costs them, and what they see of it: see src/client/crypto/SECURITY.md. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import type { Line } from "../../support/LyingServer.ts"
import { enter, homeOf, isIn, makeVault, say, switchOn, until, vault } from "./Devices.ts"
import { converse, lastResortOf, lines, type Lying, newest, told, two, untilLine, untilNews, world } from "./Lies.ts"

const refusal = (line: Line, reason: object): Line => ({
  _tag: "Rejected",
  id: line["id"],
  reason,
  message: "By the server's word."
})

layer(NodeServices.layer, { excludeTestServices: true })("A malicious server", (it) => {
  it.effect("that refuses for keys that nobody has is asked less and less often, and the message waits", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      const asked: Array<number> = []
      const clock = yield* Clock.Clock
      const honestly = lying.asked((line, talk) => {
        if (line._tag !== "SealedMessage") return undefined
        asked.push(clock.currentTimeMillisUnsafe())
        talk.tell(refusal(line, { _tag: "StaleKeyEpoch", keyEpoch: 7, seq: 1_000_000 }))
        return []
      })
      yield* say(ada, "for long")
      yield* until(
        "it was refused often",
        Effect.sync(() => asked.length >= 8)
      )
      const pauses = asked.slice(1).map((at, index) => at - (asked[index] ?? 0))
      assert.isAbove(pauses.at(-1) ?? 0, 10 * 20, JSON.stringify(pauses))
      assert.strictEqual((yield* ada.rooms.view(vault))?.underway, 1)
      honestly()
      yield* untilLine(ben, "ada: for long")
      assert.deepStrictEqual(told(ada, "Refused", "Stopped"), [])
    }).pipe(Effect.scoped)
  )

  it.effect("that says that a device may not gets nothing more of that message, and its author is told", () =>
    Effect.gen(function* () {
      const { ada, lying } = yield* two
      const honestly = lying.asked((line, talk) => {
        if (line._tag !== "SealedMessage") return undefined
        talk.tell(refusal(line, { _tag: "DeviceRequired" }))
        return []
      })
      yield* say(ada, "refused")
      const { message, saying } = yield* untilNews(ada, "Refused")
      assert.deepStrictEqual(
        { message, saying },
        { message: "By the server's word.", saying: { _tag: "Said", content: "refused" } }
      )
      honestly()
      yield* converse(ada, "and on", ada)
    }).pipe(Effect.scoped)
  )

  it.effect("that gives the same page again is asked once more, not for ever", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      yield* converse(ada, "one", ben)
      const one = newest(lying, "Sealed")
      lying.told((line, { user }) =>
        user === "ben" && line._tag === "History" ? [{ ...line, messages: [one], more: true }] : undefined
      )
      const before = lying.overheard.length
      yield* ben.cut
      yield* until("ben is back", isIn(ben))
      yield* converse(ada, "two", ben)
      const pages = lying.overheard.slice(before).filter(({ _tag }) => _tag === "GetHistory")
      assert.isAtMost(pages.length, 6)
      assert.deepStrictEqual(yield* lines(ben), ["let in", "ada: one", "ada: two"])
    }).pipe(Effect.scoped)
  )

  it.effect("that says things which are none is not heard, and what was said meanwhile is read", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      const [talk] = lying.talksOf("ben")
      const head = { room: vault, seq: 3, at: 1, from: "ada", device: "1", keyEpoch: 1 }
      const long = "A".repeat(70_000)
      talk?.tell(
        { _tag: "Sealed", ...head, data: "no base64" },
        { _tag: "Sealed", ...head, data: long },
        { _tag: "Sealed", ...head, seq: -1, data: "AAAA" },
        {
          _tag: "KeysCommitted",
          ...head,
          data: "AAAA",
          adds: Array.from({ length: 9 }, () => ({ user: "ada", device: "1" })),
          removes: []
        },
        { _tag: "Welcomes", welcomes: [{ room: vault, seq: 3, data: long }] },
        { _tag: "KeyPackages", packages: [{ user: "ada", device: "1", data: long }] }
      )
      yield* converse(ada, "one", ben)
      assert.deepStrictEqual(yield* lines(ben), ["let in", "ada: one"])
    }).pipe(Effect.scoped)
  )

  it.effect("that says a line without an end is left, and what is kept goes on with the next connection", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      for (const talk of lying.talksOf("ben")) talk.tellRaw("x".repeat(5 * 1024 * 1024))
      const error = yield* Effect.flip(ben.client.request({ _tag: "ListUsers" }))
      assert.match(error.message, /it sent a line of over 4194304 bytes/)
      yield* converse(ada, "meanwhile", ada)
    }).pipe(Effect.scoped)
  )

  /** What the server says of rooms that are not there to whoever asks to come in. */
  const letsIn = (lying: Lying, user: string) => {
    const asked = new Set<unknown>()
    lying.asked((line, talk) => {
      if (talk.user !== user || line._tag !== "JoinRoom") return undefined
      const { id, room } = line
      asked.add(room)
      const place = { epoch: "e", seq: 0, missed: 0, truncated: false, users: [], count: 0 }
      talk.tell({ _tag: "RoomJoined", id, room, encrypted: true, role: "member", ...place })
      return []
    })
    return asked
  }

  it.effect("that names conversations that nobody began has 200 of them followed at most, which is told once", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      const asked = letsIn(lying, "ada")
      const before = (yield* ada.store.rooms).length
      const strangers = Array.from({ length: 400 }, (_, n) => `stranger${n}`)
      const tell = () =>
        lying
          .talksOf("ada")[0]
          ?.tell(...strangers.map((user) => ({ _tag: "ConversationOpened", room: `~ada~${user}`, with: user })))
      tell()
      tell()
      yield* until(
        "they are followed",
        Effect.map(ada.store.rooms, (rooms) => rooms.length === before + 200)
      )
      yield* converse(ada, "nothing is held up", ben)
      assert.strictEqual(asked.size, 200)
      assert.deepStrictEqual(told(ada, "NotFollowed"), [{ _tag: "NotFollowed", what: "conversations", most: 200 }])
      assert.strictEqual((yield* ada.store.rooms).length, before + 200)
    }).pipe(Effect.scoped)
  )

  it.effect("that names as conversations what is none of this account has nothing asked", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      const asked = letsIn(lying, "ada")
      lying.talksOf("ada")[0]?.tell(
        { _tag: "ConversationOpened", room: "lounge", with: "ben" },
        { _tag: "ConversationOpened", room: "~ben~cyd", with: "ben" },
        { _tag: "ConversationOpened", room: "~ada~cyd", with: "ben" },
        { _tag: "ConversationOpened", room: "~ada~ada", with: "ada" },
        // One is in it already.
        { _tag: "ConversationOpened", room: vault, with: "ben" }
      )
      yield* converse(ada, "nothing is held up", ben)
      assert.deepStrictEqual([...asked], [])
    }).pipe(Effect.scoped)
  )

  it.effect("that lists more rooms than there can be has so many followed, which is told once", () =>
    Effect.gen(function* () {
      const { lying, path } = yield* world
      const home = homeOf(path, "ada", "desk")
      yield* Effect.scoped(Effect.flatMap(switchOn(lying.port, home), ({ rooms }) => rooms.ready))
      const asked = letsIn(lying, "ada")
      const room = { seq: 0, read: 0, unread: 0, mentions: 0, role: "member", encrypted: true }
      const rooms = Array.from({ length: 40 }, (_, n) => ({ ...room, room: `room${n}` }))
      lying.told((line) => (line._tag === "Welcome" ? [{ ...line, rooms }] : undefined))
      const ada = yield* switchOn(lying.port, home, { mostFollowed: 5 })
      yield* ada.rooms.ready
      yield* until(
        "all are asked for",
        Effect.sync(() => asked.size === 40 && told(ada, "NotFollowed").length > 0)
      )
      assert.deepStrictEqual(told(ada, "NotFollowed"), [{ _tag: "NotFollowed", what: "rooms", most: 5 }])
      yield* until(
        "five are followed",
        Effect.map(ada.store.rooms, ({ length }) => length === 5)
      )
    }).pipe(Effect.scoped)
  )

  it.effect("that lies about which keys there are keeps nobody in from speaking", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      for (const keys of [
        { incarnation: 99, keyEpoch: 7, seq: 2 },
        { incarnation: 0, keyEpoch: 0, seq: 0 },
        { incarnation: 1, keyEpoch: 0, seq: 1 }
      ]) {
        const honestly = lying.told((line, { user }) =>
          user === "ada" && line._tag === "RoomJoined" ? [{ ...line, keys }] : undefined
        )
        yield* ada.cut
        yield* until("ada is back", isIn(ada, vault, 2))
        yield* converse(ada, `of ${keys.incarnation}.${keys.keyEpoch}`, ben)
        honestly()
      }
      assert.deepStrictEqual(told(ada, "OutOfStep", "Cloned", "Stopped"), [])
    }).pipe(Effect.scoped)
  )

  it.effect(
    "that says that the room is another one puts one out of it: nothing is sent, and old keys do not come back",
    () =>
      Effect.gen(function* () {
        const { lying, on } = yield* world
        const ada = yield* on("ada")
        const ben = yield* on("ben")
        yield* makeVault(ada)
        yield* ben.rooms.ready
        const device = DeviceId.make(lying.talksOf("ben")[0]?.device ?? "")
        const lastResort = lastResortOf(lying, "ben")
        const hidesPackages = lying.told((line) =>
          line._tag === "KeyPackages" ? [{ ...line, packages: [{ user: "ben", device, data: lastResort }] }] : undefined
        )
        yield* enter(ben)
        yield* until("ben is let in", isIn(ben, vault, 2))
        yield* converse(ben, "with keys that are used once", ada)
        const welcome = lying.overheard.findLast(({ _tag }) => _tag === "CommitKeys")?.["welcome"]
        const seq = Number(newest(lying, "Sealed")["seq"]) + 1
        const keepsBack = lying.asked((line, { user }) =>
          user === "ben" && line._tag === "SealedMessage" ? [] : undefined
        )
        yield* say(ben, "on its way")
        const honestly = lying.told((line, { user }) => {
          if (user !== "ben") return undefined
          if (line._tag === "Welcomes") return [{ ...line, welcomes: [{ room: vault, seq, data: welcome }] }]
          return line._tag === "RoomJoined" ? [{ ...line, epoch: "another" }] : undefined
        })
        yield* ben.cut
        assert.strictEqual((yield* untilNews(ben, "Refused")).message, "The room was made anew.")
        assert.strictEqual(
          (yield* untilNews(ben, "OutOfStep")).message,
          "The server has repeated a welcome to keys that this device had before."
        )
        assert.strictEqual((yield* Effect.flip(say(ben, "again with the same keys")))._tag, "NotLetIn")
        // And back: what was read there before is neither read twice nor gone.
        for (const end of [honestly, hidesPackages, keepsBack]) end()
        yield* ben.cut
        yield* converse(ada, "who waits reads nothing", ada)
        yield* until(
          "ben is back",
          Effect.map(ben.rooms.view(vault), (view) => view?.log !== "another" && view?.state === "waiting")
        )
        yield* ben.rooms.rekey(vault)
        yield* until("ada is let in again", isIn(ben, vault, 2))
        yield* converse(ben, "with fresh keys", ada)
        yield* converse(ada, "too", ben)
        assert.include(yield* lines(ben), "ben: with keys that are used once")
        assert.deepStrictEqual(told(ben, "Stopped"), [])
      }).pipe(Effect.scoped)
  )

  it.effect("that claims places ahead of the log loses what comes there, which is told with what is said next", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      yield* converse(ada, "one", ben)
      const one = newest(lying, "Sealed")
      // A place far ahead: what comes after that is behind it, until the log gets there.
      lying.talksOf("ben")[0]?.tell({ ...one, seq: Number(one["seq"]) + 1 }, { ...one, seq: Number(one["seq"]) + 2 })
      yield* until(
        "ben is past it",
        Effect.map(ben.rooms.view(vault), (view) => (view?.cursor ?? 0) > Number(one["seq"]) + 1)
      )
      yield* converse(ada, "two", ada)
      yield* converse(ada, "three", ada)
      yield* converse(ada, "four", ben)
      assert.notInclude(yield* lines(ben), "ada: two")
      assert.deepInclude(yield* untilNews(ben, "Withheld"), { user: ada.home.user, what: "messages" })
    }).pipe(Effect.scoped)
  )
})
