/**
 * The deciding half of a conversation: the only one who appends to its log, so what is decided is still true when it is
 * stored (invariant 9). In come runs of acts, out go places, refusals and entries: only data, so that the delivering halves
 * may be on other nodes. Today there is one, in this process.
 *
 * A run is decided act by act, and what is accepted of it is one commit (invariant 12). What one delivering half had stored,
 * the others hear by `others`; a run that failed may have been stored all the same, so they hear of that as well, as of no
 * entries at all: time to look into the log. Whoever hears late has missed something, and finds it there.
 *
 * A room that was erased is decided on no more: whatever is asked of this half is answered that there is no such room.
 */
import { Array as Arr, Clock, Duration, Effect, Option, PubSub, Result, type Scope, Semaphore, Stream } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import type { Epoch, Seq, Timestamp } from "../../common/log/Cursor.ts"
import type { AuthorId, Entry } from "../../common/log/Entry.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import { ServerConfig } from "../config/ServerConfig.ts"
import { type Governance, type Person, ungoverned } from "../governance/Governance.ts"
import type { Changes } from "../governance/Sealing.ts"
import { Governances } from "../history/Governances.ts"
import { type AnsweredKey, History, type NewEntry, type StorageUnavailable, type Stored } from "../history/History.ts"
import type { Act } from "./Act.ts"
import { isFree, questionOf, stateOf } from "./Decider.ts"
import {
  type Actor,
  decideInRoom,
  evolveInRoom,
  isMuted,
  rememberInRoom,
  type RoomDecision,
  type RoomState,
  stateOf as roomStateOf,
  whyNotDelete,
  whyNotEnter
} from "./RoomDecider.ts"

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
  /** How it is governed, as far as that is stored. Waits for nothing. */
  readonly governance: () => Governance
  /**
   * Lets somebody become a member, or refuses it: decided behind everything that was decided before, and nothing else is
   * decided until it is stored (invariant 9). `isKnown`: it may come into a private room uninvited.
   */
  readonly admit: <A>(
    person: Person,
    isKnown: boolean,
    store: Effect.Effect<A, StorageUnavailable>
  ) => Effect.Effect<Result.Result<A, Rejection>, StorageUnavailable>
  /** The same, of who is a member or needs not be one: now. */
  readonly whyNotEnter: (person: Person, isKnown: boolean) => Option.Option<Rejection>
  /** Changes how it is governed without an entry, and stores that. */
  readonly govern: (change: (before: Governance) => Governance) => Effect.Effect<void, StorageUnavailable>
  /**
   * Erases the room, if this one may delete it: behind everything that was decided before. What comes behind it is refused. If it
   * fails it may have been carried out all the same; then the log has another epoch.
   */
  /** By nobody: what nobody's right is asked for. */
  readonly erase: (actor: Actor | undefined) => Effect.Effect<Result.Result<void, Rejection>, StorageUnavailable>
  /** What other halves had stored, run by run; no entries where something may have been stored that nobody was told of. */
  readonly others: (than: DeliveringHalf) => Effect.Effect<Stream.Stream<ReadonlyArray<Entry>>, never, Scope.Scope>
}

interface Told {
  readonly by: DeliveringHalf
  readonly entries: ReadonlyArray<Entry>
}

/** Of a conversation of which nothing is kept: it does not matter when that began. */
const plain = ungoverned(0)

/** Whoever is behind by more looks into the log. */
const maxWaiting = 64

export interface DecidingOptions {
  readonly conversation: SharedConversation
  /** The guest who made the room, for as long as its connection stands. */
  readonly guestOwner?: () => AuthorId | undefined
}

export const make = Effect.fnUntraced(function* ({
  conversation,
  guestOwner = () => undefined
}: DecidingOptions): Effect.fn.Return<Deciding, never, Governances | History | ServerConfig | Scope.Scope> {
  const history = yield* History
  const governances = yield* Governances
  const config = yield* ServerConfig
  const clock = yield* Clock.Clock
  const editWindow = Duration.toMillis(config.editWindow)
  const told = yield* PubSub.sliding<Told>(maxWaiting)
  const oneByOne = yield* Semaphore.make(1)

  const governance = () => governances.get(conversation) ?? plain
  /** What was stored may not be what is known. */
  let isDoubtful = false
  let isErased = false
  /** Of the log that may have been erased by a commit that failed. */
  let erasing: Epoch | undefined
  const gone: Option.Option<Rejection> =
    conversation._tag === "Room" ? Option.some({ _tag: "RoomNotFound", room: conversation.room }) : Option.none()

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
    let state: RoomState = roomStateOf(stateOf(yield* history.facts(conversation, questionOf(run))), governance())
    const now = clock.currentTimeMillisUnsafe()
    const circumstances = { conversation, now, editWindow, guestOwner: guestOwner() }
    const decisions: Array<RoomDecision> = []
    const accepted: Array<Act> = []
    const entries: Array<NewEntry> = []
    const answered: Array<AnsweredKey> = []
    for (const act of run) {
      const decision = decideInRoom(state, act, circumstances, newest + accepted.length + 1)
      decisions.push(decision)
      if (decision._tag === "Repeated" && decision.key !== undefined) {
        const { key, seq } = decision
        answered.push({ conversation, from: act.from, key, seq })
        state = rememberInRoom(state, act.from, key, decision)
      }
      if (decision._tag !== "Accepted") continue
      const { body, dismissed, governance: governed, sealed } = decision
      accepted.push({ ...act, body })
      entries.push({
        ...newEntry({ ...act, body }),
        ...(governed !== undefined && { governance: governed }),
        ...(dismissed !== undefined && { dismissed }),
        ...(sealed !== undefined && { sealed: sealedBy(act, sealed) })
      })
      state = evolveInRoom(state, { seq: newest + accepted.length, at: now, from: act.from, body }, act, decision)
    }
    const isNews = accepted.length > 0 || answered.length > 0
    const stored = isNews ? yield* history.append(entries, answered) : []
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

  const refusalOf = (person: Person, isKnown: boolean) =>
    isErased ? gone : whyNotEnter(governance(), person, { conversation, isKnown, now: clock.currentTimeMillisUnsafe() })

  const refuseAll = (run: ReadonlyArray<Act>): Outcome => ({
    answers: Option.match(gone, {
      onNone: () => [],
      onSome: (reason) => run.map((): Answer => ({ _tag: "Refused", reason }))
    }),
    entries: []
  })

  const mute = (act: Act) => isMuted(governance(), act, clock.currentTimeMillisUnsafe())

  const lookAgain = Effect.gen(function* () {
    yield* governances.lookAgain(conversation)
    if (erasing !== undefined) isErased = (yield* history.newest(conversation)).epoch !== erasing
    isDoubtful = false
  })
  const doubt = Effect.sync(() => {
    isDoubtful = true
  })
  /** Nothing is decided on what may not be so. */
  const surely = <A, E>(act: Effect.Effect<A, E>): Effect.Effect<A, E | StorageUnavailable> =>
    Effect.suspend(() => (isDoubtful ? Effect.andThen(lookAgain, act) : act)).pipe(Effect.onError(() => doubt))

  return {
    carryOut: (run, by) =>
      Effect.suspend((): Effect.Effect<Outcome, StorageUnavailable> => {
        if (isErased) return Effect.succeed(refuseAll(run))
        return run.every((act) => isFree(act) && !mute(act)) && governance().keys === undefined
          ? storeAll(run)
          : decideAll(run)
      }).pipe(
        surely,
        Effect.tap(({ entries }) => (entries.length === 0 ? Effect.void : tellOthers(by, entries))),
        Effect.tapCause(() => tellOthers(by, [])),
        oneByOne.withPermit
      ),
    governance,
    admit: (person, isKnown, store) =>
      Effect.suspend(() =>
        Option.match(refusalOf(person, isKnown), {
          onNone: () =>
            Effect.map(store, (stored): Result.Result<Effect.Success<typeof store>, Rejection> =>
              Result.succeed(stored)
            ),
          onSome: (refusal) => Effect.succeed(Result.fail(refusal))
        })
      ).pipe(surely, oneByOne.withPermit),
    whyNotEnter: refusalOf,
    govern: (change) =>
      Effect.suspend(() => {
        const before = governance()
        const after = change(before)
        return after === before || isErased ? Effect.void : governances.put(conversation, after)
      }).pipe(surely, oneByOne.withPermit),
    erase: (actor) =>
      Effect.gen(function* () {
        if (conversation._tag === "Lobby") return Result.fail<Rejection>({ _tag: "NotAllowed", action: "DeleteRoom" })
        if (isErased) return Result.fail<Rejection>({ _tag: "RoomNotFound", room: conversation.room })
        const refusal = actor && whyNotDelete(governance(), actor, guestOwner())
        if (refusal !== undefined) return Result.fail(refusal)
        erasing = (yield* history.newest(conversation)).epoch
        yield* history.erase(conversation)
        isErased = true
        return Result.void
      }).pipe(surely, oneByOne.withPermit),
    others: (than) =>
      Effect.map(PubSub.subscribe(told), (subscription) =>
        Stream.fromSubscription(subscription).pipe(
          Stream.filter(({ by }) => by !== than),
          Stream.map(({ entries }) => entries)
        )
      )
  }
})

/** With the welcome to those who are let in. */
const sealedBy = ({ keys }: Act, changes: Changes): NonNullable<NewEntry["sealed"]> =>
  keys?.welcome === undefined ? changes : { ...changes, welcome: keys.welcome }

const answerOf = ({ at, repeated, seq }: Stored): Answer => ({ _tag: "Stored", seq, at, repeated })

/** History answers each entry; whoever did not would be asked again. */
const lost: Answer = { _tag: "Refused", reason: { _tag: "StorageUnavailable" } }

const entriesOf = (acts: ReadonlyArray<Act>, stored: ReadonlyArray<Stored>): ReadonlyArray<Entry> =>
  stored.flatMap(({ at, repeated, seq }, index) => {
    const act = acts[index]
    return repeated || act === undefined ? [] : [{ seq, at, from: act.from, body: act.body }]
  })
