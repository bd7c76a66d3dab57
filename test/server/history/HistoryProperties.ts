/**
 * The part of the contract of `History` that is tried with random entries: each property runs against a fresh layer, and
 * against a list of entries that does the same without regard to time.
 */
import { assert, it } from "@effect/vitest"
import { Arbitrary, Array as Arr, Effect, Result } from "effect"
import { type Conversation, conversationKey } from "../../../src/common/log/Conversation.ts"
import type { Entry } from "../../../src/common/log/Entry.ts"
import { type View, viewOf } from "../../../src/common/log/Timeline.ts"
import { History, type NewEntry } from "../../../src/server/history/History.ts"
import { holds, phrasesOf, termsOf } from "../../../src/server/search/SearchWords.ts"
import { tries, wholeNumber } from "../../support/generators.ts"
import { entry, everything, findAll, textOf } from "./HistoryAsked.ts"
import {
  lobby,
  NaiveHistory,
  oddEntry,
  oddRoom,
  room,
  someBatches,
  someBytes,
  someConversation,
  someQuery,
  someRange,
  withOthers
} from "./NaiveHistory.ts"

const appendAll = Effect.fnUntraced(function* (batches: ReadonlyArray<ReadonlyArray<NewEntry>>) {
  const history = yield* History
  const naive = new NaiveHistory()
  for (const batch of batches) {
    if (!Arr.isReadonlyArrayNonEmpty(batch)) continue
    const stored = yield* history.append(batch)
    assert.deepStrictEqual(
      stored,
      batch.map((entry) => naive.append(entry))
    )
  }
  return { history, naive }
})

const standing = (naive: NaiveHistory, conversation: Conversation, { seq }: Entry): ReadonlyArray<View> => {
  const stands = naive.timeline(conversation).get(seq)
  return stands === undefined ? [] : [viewOf(stands)]
}

/** Runs an effect against a history of its own. */
export type Fresh<LayerError> = <A, E>(effect: Effect.Effect<A, E, History>) => Effect.Effect<A, E | LayerError>

export const historyProperties = <LayerError>(fresh: Fresh<LayerError>, runs: number): void => {
  it.effect.prop(
    "gives each entry the next place in its conversation, and a repeated key the first one's",
    [someBatches],
    ([batches]) => fresh(appendAll(batches)),
    tries(runs)
  )

  it.effect.prop(
    "reads back what was stored, any part of it, exactly as it was",
    [someBatches, Arbitrary.array(Arbitrary.all([someConversation, someRange, someBytes]))],
    Effect.fnUntraced(function* ([batches, reads]) {
      const { history, naive } = yield* appendAll(batches)
      for (const [conversation, range, maxBytes] of reads) {
        assert.deepStrictEqual(
          yield* history.read(conversation, range, maxBytes),
          naive.page(conversation, range, maxBytes)
        )
      }
    }, fresh),
    tries(runs)
  )

  it.effect.prop(
    "knows the newest place of every conversation, under one epoch each",
    [someBatches],
    Effect.fnUntraced(function* ([batches]) {
      const { history, naive } = yield* appendAll(batches)
      for (const { conversation } of batches.flat()) {
        const { epoch, seq } = yield* history.newest(conversation)
        assert.strictEqual(seq, naive.log(conversation).length)
        assert.match(epoch, /^.{1,64}$/)
        assert.strictEqual((yield* history.newest(conversation)).epoch, epoch)
      }
    }, fresh),
    tries(runs / 2)
  )

  it.effect.prop(
    "gives all of a log to whoever reads it page by page, forwards or backwards",
    [someBatches, someConversation, wholeNumber(1, 5), someBytes],
    Effect.fnUntraced(function* ([batches, conversation, limit, maxBytes]) {
      const { history, naive } = yield* appendAll(batches)
      const forwards: Array<Entry> = []
      for (let more = true; more;) {
        const after = forwards.at(-1)?.seq ?? 0
        const page = yield* history.read(conversation, { ...everything, after, limit }, maxBytes)
        forwards.push(...page.entries)
        more = page.more
      }
      const backwards: Array<Entry> = []
      for (let more = true; more;) {
        const before = backwards[0]?.seq
        const page = yield* history.read(conversation, { ...everything, before, limit }, maxBytes)
        backwards.unshift(...page.entries)
        more = page.more
      }
      assert.deepStrictEqual(forwards, naive.log(conversation))
      assert.deepStrictEqual(backwards, naive.log(conversation))
    }, fresh),
    tries(runs / 2)
  )

  it.effect.prop(
    "finds what holds all words in the conversations searched, newest first, page by page, and nothing else",
    [someBatches, Arbitrary.array(Arbitrary.all([someConversation, someQuery, wholeNumber(1, 5)]), { maxLength: 3 })],
    Effect.fnUntraced(function* ([batches, searches]) {
      const { history, naive } = yield* appendAll(batches)
      for (const [conversation, query, limit] of searches) {
        for (const conversations of [[conversation], withOthers(conversation)] as const) {
          const found = yield* findAll(history, conversations, { query, limit })
          const expected = naive.all.filter(
            (entry) =>
              conversations.some((one) => conversationKey(one) === conversationKey(entry.conversation)) &&
              holds(termsOf(textOf(entry.entry)), phrasesOf(query))
          )
          assert.deepStrictEqual(
            found.map(({ message }) => message),
            expected.flatMap(({ conversation: where, entry }) => standing(naive, where, entry)).toReversed()
          )
        }
      }
    }, fresh),
    tries(runs / 2)
  )

  it.effect.prop(
    "reads back and finds again what it answered as stored, refuses what it could not, and lets nobody else pay for it",
    [Arbitrary.array(oddEntry, { minLength: 1 })],
    Effect.fnUntraced(function* ([odd]) {
      const history = yield* History
      const dev = { conversation: room("dev") }
      const others = Arr.makeBy(6, (index) => history.append([entry(`${index}`, index % 2 === 0 ? dev : {})]))
      const appends = odd.map((one) => Effect.result(history.append([one])))
      // All at once, so that they meet in one commit.
      const [, outcomes] = yield* Effect.all(
        [Effect.all(others, { concurrency: "unbounded" }), Effect.all(appends, { concurrency: "unbounded" })],
        { concurrency: "unbounded" }
      )
      const { entries } = yield* history.read(oddRoom, { ...everything, after: 0 })
      const storedSeqs = new Set<number>()
      for (const [index, outcome] of outcomes.entries()) {
        const one = odd[index]
        const [stored] = Result.getOrElse(outcome, () => [])
        if (one === undefined || stored === undefined) continue
        storedSeqs.add(stored.seq)
        if (!stored.repeated) {
          assert.deepStrictEqual(entries[stored.seq - 1], {
            seq: stored.seq,
            at: stored.at,
            from: one.from,
            body: one.body
          })
        }
        if (one.key !== undefined) {
          assert.deepStrictEqual(yield* history.append([one]), [{ ...stored, repeated: true }])
        }
      }
      assert.strictEqual(storedSeqs.size, entries.length)
      for (const conversation of [lobby, room("dev")]) {
        assert.lengthOf((yield* history.read(conversation, everything)).entries, 3)
      }
    }, fresh),
    tries(runs / 2)
  )
}
