/**
 * One encrypted conversation at work: a fiber that does one thing after the other, as Decision.ts says, so that the group is in one
 * hand. What it remembers is in Memory.ts, how each thing is done in Steps.ts; what matters is in the store before anything leaves
 * (see SealedStore.ts).
 *
 * Schedules it survives: killed between storing and sending (the same bytes are sent again, under the same key); killed between
 * sending and reading (the echo finds its row); two commits at once (the log decides); a welcome that comes twice (its place is
 * behind the cursor); entries that come while something else is under way, a page too (see Horizon.ts).
 *
 * Bounds: one message is on its way at a time; of what waits, see Memory.ts and Horizon.ts; one timer for each purpose.
 */
import { Deferred, Effect, Queue } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import { partnerIn, type RoomName } from "../../common/name/RoomName.ts"
import type { RequestError } from "../core/ClientError.ts"
import { decide, isGroupOf } from "./Decision.ts"
import * as Horizon from "./Horizon.ts"
import { begin, type Kept } from "./Kept.ts"
import * as Memory from "./Memory.ts"
import * as Once from "./Once.ts"
import { isVerified } from "./Pin.ts"
import { Copied, KeysOutOfStep, LogPutBack, NotLetIn, Stopped, TooMuchWaits } from "./SealedError.ts"
import type { StoreError } from "./SealedStore.ts"
import * as Steps from "./Steps.ts"
import * as Timers from "./Timers.ts"
import { type Conversation, membersIn, stateOf, type View } from "./View.ts"
import type { Workshop } from "./Workshop.ts"

export const open = Effect.fnUntraced(function* (shared: Workshop, room: RoomName) {
  const { lists, own, store } = shared
  const memory = Memory.make({
    kept: yield* store.kept(room),
    outbox: yield* store.outbox(room),
    pending: yield* store.pending(room)
  })
  const era = () => `${memory.kept?.incarnation} ${memory.kept?.group?.keyEpoch}`
  const workshop: Workshop = { ...shared, tell: Once.onceInEach(era, shared.tell) }
  const { tell } = workshop

  const signals = yield* Queue.sliding<void>(1)
  const signal = () => Queue.offerUnsafe(signals, undefined)
  const after = yield* Timers.make(signal)
  const steps = Steps.make({ workshop, room, memory, after, signals })
  let told: View["state"] = "away"
  const troublePause = Timers.growing(workshop.patience, Steps.longestPause)

  /** The log of this name is another one: nothing of the one before is in it. */
  const beginAgain = Effect.fnUntraced(function* () {
    for (const { content, key } of memory.outbox) {
      yield* store.refused(key)
      tell({ _tag: "Refused", room, key, saying: content.payload.saying, message: "The room was made anew." })
    }
    Memory.dropRows(memory, new Set(memory.outbox.map(({ key }) => key)))
    yield* steps.dropPending
    const { log } = memory
    // A server may say that it is the one before again: what was read of that is not read twice.
    memory.kept = begin(room, log, yield* store.readOf({ room, log }), memory.kept?.more.joined)
    yield* store.received({ kept: memory.kept, rows: [], echoes: [], dropsPending: true, erased: [] })
  })

  /** Who is trusted again is let in again. */
  const letBackIn = Effect.fnUntraced(function* (kept: Kept, trusted: ReadonlySet<string>) {
    memory.trusted = new Set()
    const leftOut = (kept.more.leftOut ?? []).filter(({ user }) => !trusted.has(nameKey(user)))
    memory.kept = { ...kept, more: { ...kept.more, leftOut } }
    yield* store.received({ kept: memory.kept, rows: [], echoes: [], dropsPending: false, erased: [] })
    steps.tendInTurn(false)
  })

  const refusalAt = ({ group, more }: Kept) => {
    if (workshop.isCopied()) return new Copied({ device: own.identity.device })
    if (memory.isPutBack) return new LogPutBack({ room })
    if (group === undefined && memory.incarnation > 0) return new NotLetIn({ room })
    return more.outOfStep === undefined ? undefined : new KeysOutOfStep({ room })
  }

  const step = Effect.gen(function* () {
    if (memory.kept === undefined || memory.kept.log !== memory.log) {
      if (memory.log === "") return yield* Queue.take(signals)
      yield* beginAgain()
    }
    const { kept } = memory
    if (kept === undefined) return
    if (memory.trusted.size > 0) return yield* letBackIn(kept, memory.trusted)
    const refusal = refusalAt(kept)
    if (refusal !== undefined) Memory.refuse(memory, refusal)
    const state = stateOf(memory.isJoined, kept, memory.incarnation > 0)
    if (state !== told) tell({ _tag: "Stands", room, state: (told = state) })
    if (memory.isJoined && memory.isPutBack) {
      tell({ _tag: "OutOfStep", room, message: new LogPutBack({ room }).message })
      return yield* Queue.take(signals)
    }
    yield* steps.perform(kept, decide(steps.standing(kept)))
    troublePause.beginAgain()
  })

  const stop = ({ message }: RequestError | StoreError) =>
    Effect.sync(() => {
      memory.hasStopped = true
      Memory.refuse(memory, new Stopped({ room }))
      tell({ _tag: "Stopped", room, message })
    })

  yield* step.pipe(
    // A request that could not be answered is asked again by the next step, if it is still to be.
    Effect.catchTag(["ReplyLost", "RequestRejected", "UnexpectedReply"], () => Effect.sleep(troublePause.take())),
    Effect.forever,
    Effect.catch(stop),
    Effect.forkScoped
  )

  const view = (): View => {
    const { incarnation, isJoined, kept, log, outbox } = memory
    const members = membersIn(kept)
    const others = members.filter(({ user }) => nameKey(user) !== nameKey(own.identity.user))
    return {
      room,
      log,
      state: stateOf(isJoined, kept, incarnation > 0),
      keyEpoch: kept?.group?.keyEpoch,
      members,
      isVerified: others.length > 0 && others.every(({ user }) => isVerified(lists.pinOf(user))),
      leftOut: kept?.more.leftOut ?? [],
      cursor: kept?.cursor ?? 0,
      underway: outbox.length
    }
  }

  const conversation: Conversation = {
    room,
    joined: ({ epoch, keys, seq, with: partner }) => {
      memory.isJoined = true
      // Its name is what one has joined, and what its keys are for; `with` is a spelling of it, or a lie.
      const named = partnerIn(room, own.identity.user)
      const isSpelling = partner !== undefined && named !== undefined && nameKey(partner) === nameKey(named)
      memory.other = isSpelling ? partner : named
      // Their name may be somebody else's by now.
      if (memory.other !== undefined && memory.log !== "" && memory.log !== epoch) lists.changed(memory.other)
      memory.horizon = Horizon.joined(memory.horizon, seq, memory.log === epoch)
      memory.isPutBack = memory.kept?.log === epoch && seq < memory.readSoFar
      memory.log = epoch
      const known = memory.kept?.log === epoch ? memory.kept.incarnation : 0
      // What was said on another connection is not believed for ever: only what was read is.
      if (keys !== undefined && isGroupOf(known, keys.incarnation))
        memory.incarnation = Math.max(known, keys.incarnation)
      memory.isPendingAnswered = false
      memory.gone = new Set()
      // What was answered and is not in the log was not stored: whoever has it already is told so by its key.
      memory.sent.clear()
      steps.lookForWelcome()
      steps.tendInTurn(false)
      signal()
    },
    away: () => {
      memory.isJoined = false
      memory.readSoFar = memory.kept?.cursor ?? 0
      signal()
    },
    heard: (entry) => {
      memory.horizon = Horizon.entered(memory.horizon, entry, memory.kept?.cursor ?? 0)
      signal()
    },
    missed: () => {
      memory.horizon = Horizon.mayGoOn(memory.horizon, memory.kept?.cursor ?? 0)
      signal()
    },
    changed: ({ joined, left } = { joined: [], left: [] }) => {
      const members = new Set(membersIn(memory.kept).map(({ user }) => nameKey(user)))
      const here = new Set(joined.map((user) => nameKey(user)))
      const gone = [...memory.gone, ...left.map((user) => nameKey(user))]
      memory.gone = new Set(gone.filter((key) => members.has(key) && !here.has(key)))
      steps.lookForWelcome()
      steps.tendInTurn(false)
      signal()
    },
    trusted: (user) => {
      memory.trusted = new Set([...memory.trusted, nameKey(user)])
      signal()
    },
    say: (saying, key) =>
      Effect.suspend(() => {
        if (memory.hasStopped) return Effect.fail(new Stopped({ room }))
        if (memory.wishes.length >= Memory.maxWishes) return Effect.fail(new TooMuchWaits({ room }))
        const wish: Memory.Wish = { saying, key, done: Deferred.makeUnsafe() }
        memory.wishes = [...memory.wishes, wish]
        signal()
        return Effect.onInterrupt(Deferred.await(wish.done), () =>
          Effect.sync(() => {
            memory.wishes = memory.wishes.filter((one) => one !== wish)
          })
        )
      }),
    rekey: Effect.sync(() => {
      memory.isResetWished = true
      signal()
    }),
    incarnation: () => memory.kept?.incarnation ?? 0,
    members: () => membersIn(memory.kept),
    view: Effect.sync(view)
  }
  return conversation
})
