/**
 * One encrypted conversation at work: a fiber that does one thing after the other, as Decision.ts says, so that the group is in one
 * hand. Owns what is remembered of it in memory; what matters is in the store before anything leaves (see SealedStore.ts).
 *
 * Schedules it survives: killed between storing and sending (the same bytes are sent again, under the same key); killed between
 * sending and reading (the echo finds its row); two commits at once (the log decides); a welcome that comes twice (its place is
 * behind the cursor); entries that come while something else is under way (they wait here, or are read by pages).
 *
 * Bounds: 500 live entries wait, further ones are read by pages; one message is on its way at a time.
 */
import { Deferred, Effect, Queue } from "effect"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import type { ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { RequestError } from "../core/ClientError.ts"
import { type Group, membersOf } from "../crypto/Group.ts"
import { type Action, afterStale, decide } from "./Decision.ts"
import type { SealedEntry } from "./Entries.ts"
import { begin, type Kept, type Pending } from "./Kept.ts"
import * as Outgoing from "./Outgoing.ts"
import type { Saying } from "./Payload.ts"
import * as Reader from "./Reader.ts"
import { isPassing, refusalOf } from "./Refusal.ts"
import { KeysOutOfStep, NotLetIn, NotTrusted, type SayError, Stopped } from "./SealedError.ts"
import type { StoreError } from "./SealedStore.ts"
import * as Tender from "./Tender.ts"
import * as Timers from "./Timers.ts"
import { type Conversation, stateOf, type View } from "./View.ts"
import type { Workshop } from "./Workshop.ts"

const maxLive = 500

/** Until it is asked again for what should be there, and how often; for a welcome the longest pause, and how often in vain. */
const lookAgain = 100
const looksAgain = 50
const longestWelcomePause = 15_000
const looksBeforeReset = 5

type StepError = RequestError | StoreError
interface Wish {
  readonly saying: Saying
  readonly key: MessageKey | undefined
  readonly done: Deferred.Deferred<MessageKey, SayError>
}

export const open = Effect.fnUntraced(function* (workshop: Workshop, room: RoomName) {
  const { ask, store, tell } = workshop
  const signals = yield* Queue.sliding<void>(1)

  let kept: Kept | undefined = yield* store.kept(room)
  let outbox = yield* store.outbox(room)
  let pending = yield* store.pending(room)
  const sent = new Set<string>()
  let isPendingAnswered = false
  let isJoined = false
  let log = kept?.log ?? ""
  let incarnation = kept?.incarnation ?? 0
  let other: ServerMessageOf<"RoomJoined">["with"]
  let heardOf = 0
  let live: Array<SealedEntry> = []
  /** Places that are in the log for certain, and how often they were looked for in vain. */
  let expected = 0
  let vain = 0
  let isWelcomeDue = true
  let welcomePause = workshop.patience
  let welcomeLooks = 0
  let isTendingDue = false
  let isResetWished = false
  let tendingTurn = 0
  let tendingPause = workshop.patience
  let wishes: Array<Wish> = []
  let hasStopped = false
  let told: View["state"] = "away"

  const signal = () => Queue.offerUnsafe(signals, undefined)
  const after = yield* Timers.make(signal)

  const standing = (at: Kept) => ({
    isJoined,
    cursor: at.cursor,
    heard: heardOf,
    group: at.group && { incarnation: at.incarnation, keyEpoch: at.group.keyEpoch },
    incarnation,
    isOutOfStep: at.more.outOfStep !== undefined,
    pending: pending && { isAnswered: isPendingAnswered },
    outbox: outbox.map((row) => ({ ...row, isSent: sent.has(row.key) })),
    isWelcomeDue,
    isTendingDue,
    hasWish: wishes.length > 0
  })

  /** Whoever waits to be let in looks for a welcome, less and less often. */
  const lookForWelcomeLater = () => {
    isWelcomeDue = false
    const pause = welcomePause
    welcomePause = Math.min(welcomePause * 2, longestWelcomePause)
    after(pause, () => {
      isWelcomeDue = true
    })
  }

  /** In this device's turn, or at once, if something waits for it. */
  const tendLater = (pause: number) => {
    const turn = ++tendingTurn
    after(pause, () => {
      if (turn === tendingTurn) isTendingDue = true
    })
  }
  const tendInTurn = () => {
    if (kept?.group !== undefined) tendLater(Tender.turnIn(workshop, kept.group))
  }

  const expect = (seq: number) => {
    expected = Math.max(expected, seq)
    heardOf = Math.max(heardOf, seq)
  }

  const refuse = (reason: () => SayError) => {
    for (const { done } of wishes) Deferred.doneUnsafe(done, Effect.fail(reason()))
    wishes = []
  }

  const dropPending = Effect.tap(store.dropPending(room), () =>
    Effect.sync(() => {
      pending = undefined
      isPendingAnswered = false
    })
  )

  const readNext = Effect.fnUntraced(function* (at: Kept) {
    const target = heardOf
    const isLive = live[0]?.seq === at.cursor + 1
    const page = isLive
      ? live
      : (yield* ask({ _tag: "GetHistory", room, after: at.cursor, limit: workshop.pageSize })).messages
    const read = yield* Reader.read(workshop, { kept: at, outbox, pending, page, other })
    kept = read.kept
    live = live.filter(({ seq }) => seq > read.kept.cursor)
    incarnation = Math.max(incarnation, kept.incarnation)
    outbox = outbox.filter(({ key }) => !read.echoes.has(key))
    if (read.dropsPending) {
      pending = undefined
      isPendingAnswered = false
    }
    const { group: hadGroup } = at
    if (kept.group === undefined) {
      if (hadGroup !== undefined) welcomePause = workshop.patience
      isWelcomeDue = isWelcomeDue || hadGroup !== undefined
    } else if (hadGroup?.keyEpoch !== kept.group.keyEpoch) {
      tendingPause = workshop.patience
      tendInTurn()
    }
    if (read.kept.cursor > at.cursor || page.length > 0) {
      vain = 0
      return
    }
    // A page holds what this connection has been told. What is certain to be there is looked for again, a little later.
    const isAwaited = expected > kept.cursor && vain < looksAgain
    // What was heard of meanwhile is not in it.
    if (heardOf === target) heardOf = kept.cursor
    vain += 1
    if (!isAwaited) return
    after(lookAgain, () => {
      heardOf = Math.max(heardOf, expected)
    })
  })

  const takeWelcome = Effect.fnUntraced(function* (at: Kept) {
    const joined = yield* Reader.joinBefore(workshop, { kept: at, before: Infinity, other })
    // Perhaps nobody is left who could: the server, which knows, takes fresh keys of one who was not in only then.
    if (joined === undefined) return ++welcomeLooks % looksBeforeReset > 0 ? lookForWelcomeLater() : yield* reset(at)
    kept = joined
    incarnation = Math.max(incarnation, joined.incarnation)
    outbox = yield* store.outbox(room)
    pending = undefined
    heardOf = Math.max(heardOf, joined.cursor + 1)
    welcomePause = workshop.patience
    tendInTurn()
  })

  const reset = Effect.fnUntraced(function* (at: Kept) {
    pending = yield* Tender.makeReset(workshop, at, incarnation + 1)
    isPendingAnswered = false
  })

  const sendChange = Effect.fnUntraced(function* (at: Kept, made: Pending) {
    const refusal = yield* refusalOf(ask(Tender.requestOf(room, made)))
    if (refusal === undefined) {
      isPendingAnswered = true
      return
    }
    if (isPassing(refusal)) return yield* Effect.sleep(lookAgain)
    const { reason } = refusal
    if (reason._tag === "StaleKeyEpoch" && afterStale(standing(at), reason) === "read") {
      expect(reason.seq)
      // Of a reset that others were quicker with, a device that is not let in reads nothing.
      if (made.change._tag === "Reset") incarnation = Math.max(incarnation, made.incarnation)
      else if (vain < looksAgain) return
    }
    // A key that was stored is answered first: refused, it is not in the log and will not be.
    yield* dropPending
    tendingPause = Math.min(tendingPause * 2, longestWelcomePause)
    tendLater(tendingPause)
  })

  const tend = Effect.fnUntraced(function* (at: Kept) {
    isTendingDue = false
    tendingTurn += 1
    const made = yield* Tender.tend(workshop, at, other)
    if (made._tag === "Made") {
      ;({ kept, pending } = made)
      isPendingAnswered = false
    } else if (made._tag === "Later") {
      tendingPause = Math.min(tendingPause * 2, longestWelcomePause)
      tendLater(tendingPause)
    }
  })

  const sealNext = Effect.fnUntraced(function* (at: Kept, group: Group) {
    const wish = wishes.shift()
    if (wish === undefined) return
    const unsure = Tender.whoIsHeld(workshop, other)
    if (unsure !== undefined) {
      Deferred.doneUnsafe(wish.done, Effect.fail(new NotTrusted({ user: unsure })))
      return
    }
    const key = wish.key ?? (yield* workshop.newKey)
    const { next, row } = yield* Outgoing.seal(workshop, at, group, key, wish.saying)
    yield* store.sealed(next, row)
    kept = next
    outbox = [...outbox, row]
    Deferred.doneUnsafe(wish.done, Effect.succeed(key))
  })

  const sealAgain = Effect.fnUntraced(function* (at: Kept, group: Group, key: string) {
    const before = outbox.find((row) => row.key === key)
    if (before === undefined) return
    const { next, row } = yield* Outgoing.seal(workshop, at, group, before.key, before.content.payload.saying)
    yield* store.resealed(next, row)
    kept = next
    outbox = outbox.map((one) => (one.key === key ? row : one))
    sent.delete(key)
  })

  const send = Effect.fnUntraced(function* (at: Kept, key: string) {
    const row = outbox.find((one) => one.key === key)
    if (row === undefined) return
    const { content, keyEpoch } = row
    const data = Buffer.from(content.data).toString("base64")
    const refusal = yield* refusalOf(ask({ _tag: "SealedMessage", room, keyEpoch, data, key: row.key }))
    if (refusal === undefined) {
      sent.add(key)
      return
    }
    if (isPassing(refusal)) return yield* Effect.sleep(lookAgain)
    const { message, reason } = refusal
    if (reason._tag === "NotAllowed" && vain < looksAgain) {
      // Somebody has reset the keys, and the log will say so: it stays on its way until this device is let in again.
      heardOf = Math.max(heardOf, at.cursor + 1)
      return yield* Effect.sleep(lookAgain)
    }
    if (reason._tag !== "StaleKeyEpoch") {
      yield* store.refused(row.key)
      outbox = outbox.filter((one) => one.key !== key)
      tell({ _tag: "Refused", room, key, saying: content.payload.saying, message })
      return
    }
    const means = afterStale(standing(at), reason)
    if (means === "read") expect(reason.seq)
    else if (means === "remove") isTendingDue = true
    yield* Effect.sleep(means === "read" ? 0 : lookAgain)
  })

  const perform = Effect.fnUntraced(function* (at: Kept, action: Action): Effect.fn.Return<void, StepError> {
    const { group } = at
    switch (action._tag) {
      case "Read":
        return yield* readNext(at)
      case "TakeWelcome":
        return yield* takeWelcome(at)
      case "Begin":
        return yield* reset(at)
      case "SendChange":
        return pending && (yield* sendChange(at, pending))
      case "Tend":
        return yield* tend(at)
      case "SealAgain":
        return group && (yield* sealAgain(at, group, action.key))
      case "Send":
        return yield* send(at, action.key)
      case "Seal":
        return group && (yield* sealNext(at, group))
      case "Rest":
        return yield* Queue.take(signals)
    }
  })

  const step = Effect.gen(function* () {
    if (kept === undefined || kept.log !== log) {
      if (log === "") return yield* Queue.take(signals)
      // Another log: nothing of the one before is in it.
      for (const { content, key } of outbox) {
        yield* store.refused(key)
        tell({ _tag: "Refused", room, key, saying: content.payload.saying, message: "The room was made anew." })
      }
      outbox = []
      yield* dropPending
      kept = begin(room, log)
      yield* store.received({ kept, rows: [], echoes: [], dropsPending: true, erased: [] })
    }
    if (isJoined && isResetWished && heardOf <= kept.cursor) {
      isResetWished = false
      yield* dropPending
      return yield* reset(kept)
    }
    if (kept.group === undefined && incarnation > 0) refuse(() => new NotLetIn({ room }))
    if (kept.more.outOfStep !== undefined) refuse(() => new KeysOutOfStep({ room }))
    const state = stateOf(isJoined, kept)
    if (state !== told) tell({ _tag: "Stands", room, state: (told = state) })
    yield* perform(kept, decide(standing(kept)))
  })

  const stop = (message: string) =>
    Effect.sync(() => {
      hasStopped = true
      refuse(() => new Stopped({ room }))
      tell({ _tag: "Stopped", room, message })
    })

  yield* step.pipe(
    // A request that could not be answered is asked again by the next step, if it is still to be.
    Effect.catchTag(["ReplyLost", "RequestRejected", "UnexpectedReply"], () => Effect.sleep(workshop.patience)),
    Effect.forever,
    Effect.catch((error) => stop(error.message)),
    Effect.forkScoped
  )

  const conversation: Conversation = {
    room,
    joined: ({ epoch, keys, seq, with: partner }) => {
      isJoined = true
      other = partner
      log = epoch
      if (keys !== undefined) incarnation = Math.max(incarnation, keys.incarnation)
      heardOf = Math.max(heardOf, seq)
      live = []
      vain = 0
      isWelcomeDue = true
      isPendingAnswered = false
      tendInTurn()
      signal()
    },
    away: () => {
      isJoined = false
      signal()
    },
    heard: (entry) => {
      const last = live.at(-1)?.seq ?? kept?.cursor ?? 0
      if (entry.seq === last + 1 && live.length < maxLive) live.push(entry)
      heardOf = Math.max(heardOf, entry.seq)
      signal()
    },
    missed: () => {
      heardOf = Math.max(heardOf, (kept?.cursor ?? 0) + 1)
      signal()
    },
    changed: () => {
      isWelcomeDue = true
      tendInTurn()
      signal()
    },
    say: (saying, key) =>
      Effect.suspend(() => {
        if (hasStopped) return Effect.fail(new Stopped({ room }))
        const wish: Wish = { saying, key, done: Deferred.makeUnsafe() }
        wishes.push(wish)
        signal()
        return Effect.onInterrupt(Deferred.await(wish.done), () =>
          Effect.sync(() => {
            wishes = wishes.filter((one) => one !== wish)
          })
        )
      }),
    rekey: Effect.sync(() => {
      isResetWished = true
      signal()
    }),
    view: Effect.sync(() => ({
      room,
      log,
      state: stateOf(isJoined, kept),
      keyEpoch: kept?.group?.keyEpoch,
      members: kept?.group === undefined ? [] : membersOf(kept.group),
      cursor: kept?.cursor ?? 0,
      underway: outbox.length
    }))
  }
  return conversation
})
