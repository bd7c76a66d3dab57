import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Array as Arr, Effect } from "effect"
import type { Conversation } from "../../../src/common/log/Conversation.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { Content } from "../../../src/common/text/Content.ts"
import { History, type NewEntry } from "../../../src/server/history/History.ts"
import * as MemoryHistory from "../../../src/server/store/MemoryHistory.ts"
import { tries, wholeNumber } from "../../support/generators.ts"
import { textOf } from "../history/HistoryAsked.ts"
import { historyContract } from "../history/HistoryContract.ts"

historyContract("MemoryHistory", MemoryHistory.layer)

const room = (name: string): Conversation => ({ _tag: "Room", room: RoomName.make(name) })
const entry = (conversation: Conversation, content: string, key?: string): NewEntry => ({
  conversation,
  from: UserName.make("ada"),
  author: undefined,
  body: { _tag: "Said", content: Content.make(content) },
  at: 1,
  key
})
const everything = { before: undefined, after: undefined, limit: 100_000 }
const within = (limits: MemoryHistory.MemoryLimits) => Effect.provide(MemoryHistory.layerWith(limits), { local: true })

const fill = Effect.fnUntraced(function* (conversation: Conversation, count: number) {
  const history = yield* History
  for (let index = 0; index < count; index++) yield* history.append([entry(conversation, "0123456789")])
  return history
})

describe("MemoryHistory's bounds", () => {
  it.effect.prop(
    "keep the newest entries of a conversation, a tenth more than the limit at most, at the places they had",
    [wholeNumber(1, 40), wholeNumber(0, 200)],
    ([maxEntries, count]) =>
      Effect.gen(function* () {
        const history = yield* fill(room("dev"), count)
        const { entries, more } = yield* history.read(room("dev"), everything)
        assert.isAtMost(entries.length, Math.floor(maxEntries * 1.1))
        assert.isAtLeast(entries.length, Math.min(count, maxEntries))
        assert.deepStrictEqual(
          entries.map(({ seq }) => seq),
          Arr.makeBy(entries.length, (index) => count - entries.length + index + 1).slice(0, entries.length)
        )
        assert.isFalse(more)
        assert.strictEqual((yield* history.newest(room("dev"))).seq, count)
      }).pipe(within({ maxEntries, maxCharacters: 1_000_000 })),
    tries(60)
  )

  it.effect.prop(
    "hold no more characters than the limit, and drop those of the conversation that was quiet longest",
    [wholeNumber(20, 400), Arbitrary.array(wholeNumber(0, 3))],
    ([maxCharacters, written]) =>
      Effect.gen(function* () {
        const history = yield* History
        const counts = [0, 0, 0, 0]
        for (const index of written) {
          yield* history.append([entry(room(`room${index}`), "0123456789")])
          counts[index] = (counts[index] ?? 0) + 1
          const held = yield* Effect.forEach([0, 1, 2, 3], (other) => history.read(room(`room${other}`), everything))
          const characters = held
            .flatMap(({ entries }) => entries)
            .reduce((sum, entry) => sum + textOf(entry).length, 0)
          assert.isAtMost(characters, maxCharacters)
          assert.isNotEmpty(held[index]?.entries)
          for (const [other, count] of counts.entries()) {
            assert.strictEqual((yield* history.newest(room(`room${other}`))).seq, count)
            assert.include([undefined, count], held[other]?.entries.at(-1)?.seq)
          }
        }
      }).pipe(within({ maxEntries: 1000, maxCharacters })),
    tries(60, 60)
  )

  it.effect("drop entries, but never give a place again", () =>
    Effect.gen(function* () {
      const history = yield* fill(room("dev"), 50)
      const { seq } = (yield* history.append([entry(room("DEV"), "next")]))[0] ?? { seq: 0 }
      assert.strictEqual(seq, 51)
      const { entries, more } = yield* history.read(room("dev"), { before: undefined, after: 2, limit: 3 })
      assert.isAbove(entries[0]?.seq ?? 0, 3)
      assert.isTrue(more)
      assert.deepStrictEqual(yield* history.read(room("dev"), { before: 3, after: undefined, limit: 3 }), {
        entries: [],
        more: false
      })
    }).pipe(within({ maxEntries: 10, maxCharacters: 1_000_000 }))
  )

  it.effect("forget a key together with its entry, and not before", () =>
    Effect.gen(function* () {
      const history = yield* History
      const key = "0123456789abcdef"
      const again = Effect.map(history.append([entry(room("dev"), "keyed", key)]), (stored) => stored[0])
      assert.deepInclude(yield* again, { seq: 1, repeated: false })
      yield* fill(room("dev"), 9)
      assert.deepInclude(yield* again, { seq: 1, repeated: true })
      yield* fill(room("dev"), 20)
      assert.deepInclude(yield* again, { seq: 31, repeated: false })
    }).pipe(within({ maxEntries: 10, maxCharacters: 1_000_000 }))
  )

  it.effect("forget a key that was answered with an entry together with that, and count it until then", () =>
    Effect.gen(function* () {
      const history = yield* History
      const dev = room("dev")
      const from = UserName.make("ada")
      const keyOf = (index: number) => `key ${index} .............`.slice(0, 16)
      yield* fill(dev, 1)
      yield* history.append([], [{ conversation: dev, from, key: keyOf(0), seq: 1 }])
      assert.deepInclude((yield* history.append([entry(dev, "again", keyOf(0))]))[0], { seq: 1, repeated: true })
      // 20 characters each: the log of this conversation is the only one that can make room.
      for (let index = 1; index < 20; index++) {
        yield* history.append([], [{ conversation: dev, from, key: keyOf(index), seq: 1 }])
      }
      assert.deepInclude((yield* history.append([entry(dev, "again", keyOf(0))]))[0], { seq: 2, repeated: false })
    }).pipe(within({ maxEntries: 10, maxCharacters: 200 }))
  )

  it.effect("give two servers two epochs", () =>
    Effect.gen(function* () {
      const newest = Effect.flatMap(History, (history) => history.newest({ _tag: "Lobby" }))
      const [one, other] = yield* Effect.all([newest.pipe(freshly), newest.pipe(freshly)])
      assert.notStrictEqual(one.epoch, other.epoch)
    })
  )
})

const freshly = Effect.provide(MemoryHistory.layer, { local: true })
