/**
 * The deciding half of a conversation: the only one who appends to its log, so what is decided is still true when it is
 * stored (invariant 9). In come runs of acts, out go places, refusals and entries: only data, so that the delivering halves
 * may be on other nodes. Today there is one, in this process.
 *
 * A run is decided act by act, and what is accepted of it is one commit (invariant 12). What one delivering half had stored,
 * the others hear by `others`; a run that failed may have been stored all the same, so they hear of that as well, as of no
 * entries at all: time to look into the log. Whoever hears late has missed something, and finds it there.
 */
import { Array as Arr, Clock, Duration, Effect, PubSub, type Scope, Semaphore, Stream } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import type { Seq, Timestamp } from "../../common/log/Cursor.ts"
import type { Entry } from "../../common/log/Entry.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import { ServerConfig } from "../config/ServerConfig.ts"
import { type AnsweredKey, History, type NewEntry, type StorageUnavailable, type Stored } from "../history/History.ts"
import type { Act } from "./Act.ts"
import { decide, type Decision, evolve, isFree, questionOf, remember, type State, stateOf } from "./Decider.ts"

/** What became of one act. */
export type Answer =
  | { readonly _tag: "Refused"; readonly reason: Rejection }
  | { readonly _tag: "Stored"; readonly seq: Seq; readonly at: Timestamp; readonly repeated: boolean }

/** What became of a run. */
export interface Outcome {
  /** One for each act, in their order. */
  readonly answers: ReadonlyArray<Answer>
  /** The new entries, in the order of the log: one behind the other, without others between them. */
  readonly entries: ReadonlyArray<Entry>
}

/** Names a delivering half. */
export type DeliveringHalf = symbol

export interface Deciding {
  readonly carryOut: (
    run: Arr.NonEmptyReadonlyArray<Act>,
    by: DeliveringHalf
  ) => Effect.Effect<Outcome, StorageUnavailable>
  /** What other halves had stored, run by run; no entries where something may have been stored that nobody was told of. */
  readonly others: (than: DeliveringHalf) => Effect.Effect<Stream.Stream<ReadonlyArray<Entry>>, never, Scope.Scope>
}

interface Told {
  readonly by: DeliveringHalf
  readonly entries: ReadonlyArray<Entry>
}

/** Whoever is behind by more looks into the log. */
const maxWaiting = 64

export const make = Effect.fnUntraced(function* (
  conversation: SharedConversation
): Effect.fn.Return<Deciding, never, History | ServerConfig | Scope.Scope> {
  const history = yield* History
  const config = yield* ServerConfig
  const clock = yield* Clock.Clock
  const editWindow = Duration.toMillis(config.editWindow)
  const told = yield* PubSub.sliding<Told>(maxWaiting)
  const oneByOne = yield* Semaphore.make(1)

  const newEntry = ({ author, body, from, key }: Act): NewEntry => ({
    conversation,
    from,
    author,
    body,
    at: clock.currentTimeMillisUnsafe(),
    key
  })

  /** Nothing is looked up. */
  const storeAll = Effect.fnUntraced(function* (run: Arr.NonEmptyReadonlyArray<Act>) {
    const stored = yield* history.append(Arr.map(run, newEntry))
    return { answers: stored.map(answerOf), entries: entriesOf(run, stored) }
  })

  const decideAll = Effect.fnUntraced(function* (run: Arr.NonEmptyReadonlyArray<Act>) {
    const { seq: newest } = yield* history.newest(conversation)
    let state: State = stateOf(yield* history.facts(conversation, questionOf(run)))
    const now = clock.currentTimeMillisUnsafe()
    const decisions: Array<Decision> = []
    const accepted: Array<Act> = []
    const answered: Array<AnsweredKey> = []
    for (const act of run) {
      const decision = decide(state, act, { now, editWindow })
      decisions.push(decision)
      if (decision._tag === "Repeated" && decision.key !== undefined) {
        const { key, seq } = decision
        answered.push({ conversation, from: act.from, key, seq })
        state = remember(state, act.from, key, decision)
      }
      if (decision._tag !== "Accepted") continue
      accepted.push(act)
      state = evolve(state, { seq: newest + accepted.length, at: now, from: act.from, body: act.body }, act)
    }
    const isNews = accepted.length > 0 || answered.length > 0
    const stored = isNews ? yield* history.append(accepted.map(newEntry), answered) : []
    // Time stands still after a step back of the clock: when an entry was made is known once it is stored.
    const times = new Map(stored.map(({ at, seq }) => [seq, at]))
    let next = 0
    const answers = decisions.map((decision): Answer => {
      if (decision._tag === "Refused") return decision
      if (decision._tag === "Repeated") {
        const { at, seq } = decision
        return { _tag: "Stored", seq, at: times.get(seq) ?? at, repeated: true }
      }
      const place = stored[next++]
      return place === undefined ? lost : answerOf(place)
    })
    return { answers, entries: entriesOf(accepted, stored) }
  })

  const tellOthers = (by: DeliveringHalf, entries: ReadonlyArray<Entry>) =>
    Effect.sync(() => {
      PubSub.publishUnsafe(told, { by, entries })
    })

  return {
    carryOut: (run, by) =>
      Effect.suspend((): Effect.Effect<Outcome, StorageUnavailable> =>
        run.every(isFree) ? storeAll(run) : decideAll(run)
      ).pipe(
        Effect.tap(({ entries }) => (entries.length === 0 ? Effect.void : tellOthers(by, entries))),
        Effect.tapCause(() => tellOthers(by, [])),
        oneByOne.withPermit
      ),
    others: (than) =>
      Effect.map(PubSub.subscribe(told), (subscription) =>
        Stream.fromSubscription(subscription).pipe(
          Stream.filter(({ by }) => by !== than),
          Stream.map(({ entries }) => entries)
        )
      )
  }
})

const answerOf = ({ at, repeated, seq }: Stored): Answer => ({ _tag: "Stored", seq, at, repeated })

/** History answers each entry; whoever did not would be asked again. */
const lost: Answer = { _tag: "Refused", reason: { _tag: "StorageUnavailable" } }

const entriesOf = (acts: ReadonlyArray<Act>, stored: ReadonlyArray<Stored>): ReadonlyArray<Entry> =>
  stored.flatMap(({ at, repeated, seq }, index) => {
    const act = acts[index]
    return repeated || act === undefined ? [] : [{ seq, at, from: act.from, body: act.body }]
  })
