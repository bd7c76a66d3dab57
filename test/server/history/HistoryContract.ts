/** What every layer of `History` must do, in memory or on disk: call it with a layer that begins with nothing. */
import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Effect, Fiber, type Layer } from "effect"
import { type Conversation } from "../../../src/common/log/Conversation.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { History } from "../../../src/server/history/History.ts"
import { entry, everything, findAll, textOf } from "./HistoryAsked.ts"
import { type Fresh, historyProperties } from "./HistoryProperties.ts"
import { inboxProperties } from "./InboxProperties.ts"
import { kindProperties } from "./KindProperties.ts"
import { lobby, room } from "./NaiveHistory.ts"

export const historyContract = <LayerError>(
  name: string,
  layer: Layer.Layer<History, LayerError>,
  runs = 100
): void => {
  const fresh: Fresh<LayerError> = (effect) => Effect.provide(effect, layer, { local: true })

  describe(`${name}, as a History,`, () => {
    historyProperties(fresh, runs)
    kindProperties(fresh, runs)
    inboxProperties(fresh, runs)

    it.effect("finds what was just stored, also where the log begins with another conversation", () =>
      Effect.gen(function* () {
        const history = yield* History
        yield* history.append([entry("pear")])
        yield* history.append([entry("apple", { conversation: room("dev") })])
        const found = yield* findAll(history, [room("dev")], { query: "apple", limit: 1 })
        assert.deepStrictEqual(
          found.map(({ message }) => (message._tag === "Message" ? message.content : "")),
          ["apple"]
        )
      }).pipe(fresh)
    )

    it.effect("tells in which conversation something was found, as the search named it", () =>
      Effect.gen(function* () {
        const history = yield* History
        const dev: Conversation = { _tag: "Room", room: RoomName.make("dev") }
        const other: Conversation = { _tag: "Room", room: RoomName.make("other") }
        yield* history.append([
          entry("ripe"),
          entry("ripe", { conversation: dev }),
          entry("ripe", { conversation: other })
        ])
        const named: Conversation = { _tag: "Room", room: RoomName.make("DEV") }
        const found = yield* findAll(history, [{ _tag: "Lobby" }, named], { query: "RIPE", limit: 1 })
        assert.deepStrictEqual(
          found.map(({ conversation }) => conversation),
          [named, { _tag: "Lobby" }]
        )
      }).pipe(fresh)
    )

    it.effect("stores what people may write, and refuses half a surrogate pair or NUL alone", () =>
      Effect.gen(function* () {
        const history = yield* History
        const key = "0123456789abcdef"
        const good = ["\ufeffa\ufffe\uffff", "😀".repeat(8192), "\u{10ffff}", "a\u2028\u202eb"]
        for (const content of good) yield* history.append([entry(content, { key: `${key} ${content.slice(0, 40)}` })])
        const bad = [
          entry("a\ud800"),
          entry("\udc00a"),
          entry("a\u0000b"),
          entry("a", { key: `${key}\ud800` }),
          entry("a", { key: `${key}\u0000` }),
          entry("a", { from: UserName.make("a\udfff", { disableChecks: true }) })
        ]
        for (const one of bad) {
          assert.strictEqual((yield* Effect.flip(history.append([one])))._tag, "StorageUnavailable")
          // Nor is anything else of that append stored.
          yield* Effect.flip(history.append([entry("with it"), one]))
        }
        const { entries } = yield* history.read(lobby, everything)
        assert.deepStrictEqual(entries.map(textOf), good)
      }).pipe(fresh)
    )

    it.effect("never lets the time of a conversation go back, and answers the time it stored", () =>
      Effect.gen(function* () {
        const history = yield* History
        const dev = room("dev")
        const stored = yield* history.append([
          entry("a", { at: 50 }),
          entry("b", { at: 70, conversation: dev }),
          entry("c", { at: 40 }),
          entry("d", { at: 60 })
        ])
        const later = yield* history.append([
          entry("e", { at: 10, key: "0123456789abcdef" }),
          entry("f", { at: 10, conversation: dev })
        ])
        const again = yield* history.append([entry("e", { at: 90, key: "0123456789abcdef" })])
        assert.deepStrictEqual(
          [...stored, ...later, ...again].map(({ at }) => at),
          [50, 70, 50, 60, 60, 70, 60]
        )
        const { entries } = yield* history.read(lobby, everything)
        assert.deepStrictEqual(
          entries.map(({ at }) => at),
          [50, 50, 60, 60]
        )
      }).pipe(fresh)
    )

    it.effect("gives each room an epoch of its own, which it keeps while it is not forgotten", () =>
      Effect.gen(function* () {
        const history = yield* History
        const conversations = [lobby, room("a"), room("b")]
        const before = yield* Effect.forEach(conversations, (conversation) => history.newest(conversation))
        assert.strictEqual(new Set(before.map(({ epoch }) => epoch)).size, 3)
        // Written to in another order than asked for, and one by one of another name in between.
        for (const conversation of [room("c"), room("b"), room("A"), lobby]) {
          yield* history.append([entry("a", { conversation })])
        }
        const after = yield* Effect.forEach(conversations, (conversation) => history.newest(conversation))
        assert.deepStrictEqual(
          after,
          before.map(({ epoch }) => ({ epoch, seq: 1 }))
        )
      }).pipe(fresh)
    )

    it.effect("forgets a room nobody wrote to, and gives it another epoch when it is made again", () =>
      Effect.gen(function* () {
        const history = yield* History
        assert.isTrue(history.forgetUnsafe(room("unheard-of")))
        const { epoch } = yield* history.newest(room("a"))
        assert.isTrue(history.forgetUnsafe(room("A")))
        const again = yield* history.newest(room("a"))
        assert.notStrictEqual(again.epoch, epoch)
        assert.deepStrictEqual(yield* history.append([entry("a", { conversation: room("a") })]), [
          { seq: 1, at: 1, repeated: false }
        ])
        assert.deepStrictEqual(yield* history.newest(room("a")), { epoch: again.epoch, seq: 1 })
      }).pipe(fresh)
    )

    it.effect("forgets nothing that was written to, is being written to, or is the lobby", () =>
      Effect.gen(function* () {
        const history = yield* History
        yield* history.append([entry("a", { conversation: room("a") })])
        assert.isFalse(history.forgetUnsafe(room("a")))
        assert.isFalse(history.forgetUnsafe(lobby))
        const { epoch } = yield* history.newest(room("b"))
        const storing = yield* Effect.forkChild(history.append([entry("a", { conversation: room("b") })]), {
          startImmediately: true
        })
        assert.isFalse(history.forgetUnsafe(room("b")))
        yield* Fiber.join(storing)
        assert.isFalse(history.forgetUnsafe(room("b")))
        assert.deepStrictEqual(yield* history.newest(room("b")), { epoch, seq: 1 })
      }).pipe(fresh)
    )

    it.effect(
      "erases a room, of which nothing is read, found or answered; what is written there again begins at 1",
      () =>
        Effect.gen(function* () {
          const history = yield* History
          const [dev, other] = [room("dev"), room("other")]
          assert(dev._tag === "Room")
          const key = "0123456789abcdef"
          yield* history.append([
            entry("apple", { conversation: dev, key }),
            entry("apple", { conversation: other }),
            entry("apple"),
            entry("pear", { conversation: dev, body: { _tag: "Edited", target: 1, content: "apple pie" } }),
            entry("", { conversation: dev, body: { _tag: "Reacted", target: 1, reaction: "👍" } })
          ])
          const before = yield* history.newest(dev)
          assert.lengthOf(yield* findAll(history, [dev, other], { query: "apple", limit: 10 }), 2)

          yield* history.erase({ _tag: "Room", room: RoomName.make("DEV") })
          assert.deepStrictEqual(yield* history.read(dev, everything), { entries: [], more: false })
          assert.deepStrictEqual(yield* history.standing(dev, everything), { messages: [], more: false })
          const from = UserName.make("ada")
          const facts = yield* history.facts(dev, { keys: [{ from, key }], targets: [1], reactors: [] })
          assert.strictEqual(facts.answered.size, 0)
          const found = yield* findAll(history, [lobby, dev, other], { query: "apple", limit: 10 })
          assert.deepStrictEqual(
            found.map(({ conversation }) => conversation),
            [lobby, other]
          )
          const now = yield* history.newest(dev)
          assert.strictEqual(now.seq, 0)
          assert.notStrictEqual(now.epoch, before.epoch)

          // The same key is another message's now, and it has nothing of the first.
          const stored = yield* history.append([entry("apple tart", { conversation: dev, key })])
          assert.deepStrictEqual(stored, [{ seq: 1, at: 1, repeated: false }])
          assert.deepStrictEqual(yield* history.newest(dev), { epoch: now.epoch, seq: 1 })
          const { messages } = yield* history.standing(dev, everything)
          assert.deepStrictEqual(
            messages.map((message) =>
              message._tag === "Message" ? [message.content, message.reactions] : message._tag
            ),
            [["apple tart", []]]
          )
          yield* history.erase(dev)
          assert.strictEqual((yield* history.newest(dev)).seq, 0)
          assert.isTrue(history.forgetUnsafe(dev))
          assert.strictEqual((yield* history.newest(other)).seq, 1)
        }).pipe(fresh)
    )

    it.effect("erases a room nobody wrote to, and one nobody ever heard of: each is another one then", () =>
      Effect.gen(function* () {
        const history = yield* History
        const dev = room("dev")
        assert(dev._tag === "Room")
        const epochs = new Set<string>()
        for (let times = 0; times < 3; times++) {
          yield* history.erase(dev)
          epochs.add((yield* history.newest(dev)).epoch)
        }
        assert.strictEqual(epochs.size, 3)
        assert.deepInclude((yield* history.append([entry("a", { conversation: dev })]))[0], { seq: 1 })
      }).pipe(fresh)
    )

    it.effect("has nothing to begin with", () =>
      Effect.gen(function* () {
        const history = yield* History
        const conversation: Conversation = { _tag: "Room", room: RoomName.make("empty") }
        assert.strictEqual((yield* history.newest(conversation)).seq, 0)
        assert.deepStrictEqual(yield* history.read(conversation, everything), { entries: [], more: false })
        assert.deepStrictEqual(yield* history.search([conversation], { query: "a", before: undefined, limit: 1 }), {
          found: [],
          next: undefined
        })
        assert.deepStrictEqual(history.rooms, [])
      }).pipe(fresh)
    )

    it.effect("stores a key once although it comes twice in one batch", () =>
      Effect.gen(function* () {
        const history = yield* History
        const key = "0123456789abcdef"
        const stored = yield* history.append([entry("a", { key }), entry("b"), entry("a", { key, at: 9 })])
        assert.deepStrictEqual(stored, [
          { seq: 1, at: 1, repeated: false },
          { seq: 2, at: 1, repeated: false },
          { seq: 1, at: 1, repeated: true }
        ])
        assert.lengthOf((yield* history.read({ _tag: "Lobby" }, everything)).entries, 2)
      }).pipe(fresh)
    )

    it.effect("answers a key as the entry it was answered with first, whatever it comes with then, and with what", () =>
      Effect.gen(function* () {
        const history = yield* History
        const [key, other] = ["0123456789abcdef", "another key 01234"]
        const from = UserName.make("bob")
        yield* history.append([entry("a"), entry("b")])
        // With an entry, and alone; with one of the same commit.
        const [third] = yield* history.append([entry("c")], [{ conversation: lobby, from, key, seq: 1 }])
        assert.deepInclude(third, { seq: 3, repeated: false })
        assert.deepStrictEqual(yield* history.append([], [{ conversation: lobby, from, key, seq: 2 }]), [])
        yield* history.append([entry("d", { at: 7 })], [{ conversation: lobby, from, key: other, seq: 4 }])

        const loud = UserName.make("BOB")
        const { answered } = yield* history.facts(lobby, { keys: [{ from: loud, key }], targets: [], reactors: [] })
        assert.deepStrictEqual([...answered.values()], [{ seq: 1, at: 1 }])
        const stored = yield* history.append([
          entry("x", { from: loud, key }),
          entry("x", { key }),
          entry("x", { from, key: other, at: 9 })
        ])
        assert.deepStrictEqual(stored, [
          { seq: 1, at: 1, repeated: true },
          { seq: 5, at: 7, repeated: false },
          { seq: 4, at: 7, repeated: true }
        ])
        // Each alone, as most entries come.
        assert.deepStrictEqual(yield* history.append([entry("x", { from, key })]), [{ seq: 1, at: 1, repeated: true }])
        assert.deepInclude((yield* history.append([entry("y", { from, key: `${key}2` })]))[0], { seq: 6 })
        assert.strictEqual((yield* history.newest(lobby)).seq, 6)
        const bad = [{ conversation: lobby, from, key: `${key}\ud800`, seq: 1 }]
        assert.strictEqual((yield* Effect.flip(history.append([entry("with it")], bad)))._tag, "StorageUnavailable")
        assert.strictEqual((yield* history.newest(lobby)).seq, 6)
      }).pipe(fresh)
    )

    it.effect("tells keys apart by sender and by conversation, and senders not by case", () =>
      Effect.gen(function* () {
        const history = yield* History
        const key = "0123456789abcdef"
        const room: Conversation = { _tag: "Room", room: RoomName.make("dev") }
        const stored = yield* history.append([
          entry("a", { key }),
          entry("a", { key, from: UserName.make("bob") }),
          entry("a", { key, conversation: room }),
          entry("a", { key, from: UserName.make("ADA") }),
          entry("a", { key: key.toUpperCase() })
        ])
        assert.deepStrictEqual(
          stored.map(({ repeated, seq }) => [seq, repeated]),
          [
            [1, false],
            [2, false],
            [1, false],
            [1, true],
            [3, false]
          ]
        )
      }).pipe(fresh)
    )

    it.effect("takes two spellings of a room for one log, and a room and an inbox of one name for two", () =>
      Effect.gen(function* () {
        const history = yield* History
        const room = (name: string): Conversation => ({ _tag: "Room", room: RoomName.make(name) })
        const inbox = (name: string): Conversation => ({ _tag: "Inbox", user: UserName.make(name) })
        const conversations = [room("straße"), room("STRASSE"), inbox("straße"), inbox("STRAẞE"), room("lobby")]
        const places = yield* Effect.forEach(conversations, (conversation) =>
          Effect.map(history.append([entry("a", { conversation })]), (stored) => stored[0]?.seq)
        )
        assert.deepStrictEqual(places, [1, 2, 1, 2, 1])
        assert.strictEqual((yield* history.newest({ _tag: "Lobby" })).seq, 0)
      }).pipe(fresh)
    )

    it.effect("keeps the spelling of each message's sender", () =>
      Effect.gen(function* () {
        const history = yield* History
        yield* history.append([entry("a"), entry("b", { from: UserName.make("ADA") })])
        const { entries } = yield* history.read({ _tag: "Lobby" }, everything)
        assert.deepStrictEqual<ReadonlyArray<string>>(
          entries.map(({ from }) => from),
          ["ada", "ADA"]
        )
      }).pipe(fresh)
    )

    it.effect("gives many writers at once one order without gaps", () =>
      Effect.gen(function* () {
        const history = yield* History
        const batches = Arr.makeBy(20, (batch) => Arr.makeBy(10, (index) => entry(`${batch} ${index}`)))
        const stored = yield* Effect.forEach(batches, (batch) => history.append(batch), { concurrency: "unbounded" })
        const { entries } = yield* history.read({ _tag: "Lobby" }, everything)
        assert.deepStrictEqual(
          entries.map(({ seq }) => seq),
          Arr.makeBy(200, (index) => index + 1)
        )
        for (const [batch, places] of stored.entries()) {
          // Entries of one batch stand next to each other.
          const first = places[0]?.seq ?? 0
          assert.deepStrictEqual(entries.slice(first - 1, first + 9).map(textOf), batches[batch]?.map(textOf))
        }
      }).pipe(fresh)
    )
  })
}
