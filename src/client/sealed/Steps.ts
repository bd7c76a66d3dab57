/**
 * Carries out what Decision.ts says, for the fiber of one conversation: each step asks at most once, stores before it sends, and
 * leaves in memory what the next one is decided from.
 *
 * What is refused is not sent again at once, however often a server refuses: pauses grow up to 15 s, until something comes of it. What
 * is not answered at all is given up, and is as if it were refused: sent again it has the same key, by which the server knows it.
 */
import { Clock, Deferred, Effect, Queue } from "effect"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { RequestError } from "../core/ClientError.ts"
import { spanOf } from "../core/Page.ts"
import { type Group, membersOf } from "../crypto/Group.ts"
import { type Action, afterStale, type Standing } from "./Decision.ts"
import * as Horizon from "./Horizon.ts"
import type { Kept, OutboxRow, Pending } from "./Kept.ts"
import * as Memory from "./Memory.ts"
import * as Outgoing from "./Outgoing.ts"
import * as Reader from "./Reader.ts"
import { refusalOf } from "./Refusal.ts"
import type { StoreError } from "./SealedStore.ts"
import * as Tender from "./Tender.ts"
import { type After, growing } from "./Timers.ts"
import * as Waiting from "./Waiting.ts"
import type { Workshop } from "./Workshop.ts"

/** Until it is asked again for what should be there, in milliseconds. */
const lookAgain = 100
export const longestPause = 15_000
/** So often it is asked for what is missing in the log; with the pauses in between, a second and a half. */
const looksForMissing = 4
/** So often it is asked again whether this device is in; with the pauses in between, 12 seconds. */
const refusalsBeforeGivenUp = 6

/** What people can do about a member who has the newest keys alone. */
const ifNobodyLetsIn = ({ group }: Kept): string =>
  group === undefined
    ? " If whoever made the newest keys lets nobody in, a moderator can :kick them: then others may make new ones."
    : ""

/** The server takes nothing before somebody is removed, and nobody here knows whom. */
const nobodyToRemove = (other: UserName | undefined): string =>
  other === undefined
    ? "The server says that a device has to be removed from the keys first, and not which. Nothing was sent; :rekey makes new keys."
    : `${other} has no account any more, or the server pretends. Nothing was sent.`

type StepError = RequestError | StoreError

interface Bench {
  readonly workshop: Workshop
  readonly room: RoomName
  readonly memory: Memory.Memory
  readonly after: After
  /** Holds what came while nothing was done. */
  readonly signals: Queue.Dequeue<void>
}

export const make = ({ after, memory, room, signals, workshop }: Bench) => {
  const { ask, lateness, patience, store, tell } = workshop
  const welcomePause = growing(patience / 4, longestPause)
  const waiting = Waiting.make(patience, longestPause)
  /** Whether the fresh keys on their way are asked for since nobody may be left. */
  let isTrial = false
  const tendingPause = growing(patience, longestPause)
  const sendingPause = growing(patience, longestPause)

  /** Who is to go is removed before anything is said, whether the server asks for it or not. */
  const standing = (at: Kept): Standing => {
    const found = Memory.standing(memory, at, workshop.isCopied())
    const hasSomething = found.hasWish || found.outbox.some(({ isSent }) => !isSent)
    return hasSomething && Tender.mustRemove(workshop, at) ? { ...found, isTendingDue: true } : found
  }

  /** Whoever waits to be let in looks for a welcome, less and less often. */
  const lookForWelcomeLater = () => {
    memory.isWelcomeDue = false
    after({
      purpose: "welcome",
      pause: welcomePause.take(),
      what: () => {
        memory.isWelcomeDue = true
      }
    })
  }
  const lookForWelcome = () => {
    memory.isWelcomeDue = true
    welcomePause.beginAgain()
  }

  const tendLater = (pause: number, keepsEarlier = false) =>
    after({
      purpose: "tend",
      pause,
      keepsEarlier,
      what: () => {
        memory.isTendingDue = true
      }
    })
  /** In this device's turn; what is asked for again in one key epoch is not put off by that. */
  const tendInTurn = (isNewEpoch: boolean) => {
    const { gone, kept } = memory
    if (kept?.group === undefined) return
    tendingPause.beginAgain()
    tendLater(Tender.turnIn(workshop, kept, kept.group, gone), !isNewEpoch)
  }

  /** Refusals since something came of anything. */
  let refusals = 0
  const goOn = () => {
    refusals = 0
    memory.isHeldBack = false
    sendingPause.beginAgain()
  }
  const holdBack = () => {
    refusals += 1
    memory.isHeldBack = true
    after({
      purpose: "send",
      pause: sendingPause.take(),
      what: () => {
        memory.isHeldBack = false
      }
    })
  }

  /** What was refused for a reason that reading or tending takes away is tried again at once, but not for ever. */
  const holdBackIfAgain = () => {
    if (refusals > 0) return holdBack()
    refusals = 1
  }

  const expect = (seq: number) => {
    memory.horizon = Horizon.expecting(memory.horizon, seq)
  }

  const dropPending = Effect.tap(store.dropPending(room), () => Effect.sync(() => Memory.setPending(memory, undefined)))

  /** Over a slow line half a page may come in time where a whole one does not. */
  let { pageSize } = workshop
  const askPage = ({ cursor }: Kept) =>
    ask({ _tag: "GetHistory", room, after: cursor, limit: pageSize }).pipe(
      Effect.tapError(({ _tag }) =>
        Effect.sync(() => {
          if (_tag === "ReplyLost") pageSize = Math.max(1, Math.floor(pageSize / 2))
        })
      ),
      Effect.tap(({ more }) =>
        Effect.sync(() => {
          if (!more) ({ pageSize } = workshop)
        })
      )
    )

  /** How often it was asked for what is missing in the log, in a row. */
  let missingLooks = 0
  const missingPause = growing(lookAgain, longestPause)

  const readNext = Effect.fnUntraced(function* (at: Kept) {
    const asked = memory.horizon.hearings
    const live = Horizon.livePage(memory.horizon, at.cursor)
    const page = live ? undefined : yield* askPage(at)
    const messages = live ?? page?.messages ?? []
    const isWhole = page === undefined || (spanOf(page)?.count ?? 0) === messages.length
    const mayMiss = isWhole ? (missingLooks < looksForMissing ? "no" : "told") : "unknown"
    const { isReturning, other, outbox, pending } = memory
    const read = yield* Reader.read(workshop, {
      kept: at,
      outbox,
      pending,
      page: messages,
      other,
      mayMiss,
      isReturning
    })
    const { failed, isMissing, kept } = read
    memory.kept = kept
    memory.incarnation = Math.max(memory.incarnation, kept.incarnation)
    const isMore = page?.more === true
    memory.horizon = Horizon.read(memory.horizon, { asked, before: at.cursor, cursor: kept.cursor, isMore })
    if (!isMore && failed === undefined && !isMissing) memory.isReturning = false
    if (failed !== undefined || isMissing) memory.horizon = Horizon.mayGoOn(memory.horizon, kept.cursor)
    Memory.dropRows(memory, read.echoes)
    if (read.dropsPending) Memory.setPending(memory, undefined)
    if (kept.cursor > at.cursor) goOn()
    if (kept.group === undefined) {
      if (at.group !== undefined) lookForWelcome()
    } else if (at.group?.keyEpoch !== kept.group.keyEpoch || at.incarnation !== kept.incarnation) tendInTurn(true)
    if (failed !== undefined) return yield* failed
    if (!isMissing) {
      missingLooks = 0
      missingPause.beginAgain()
    } else {
      missingLooks += 1
      return yield* Effect.sleep(missingPause.take())
    }
    if (kept.cursor > at.cursor || !Horizon.isAwaiting(memory.horizon, kept.cursor)) return
    after({
      purpose: "look",
      pause: lookAgain,
      what: () => {
        expect(memory.horizon.expected)
      }
    })
  })

  const makeReset = Effect.fnUntraced(function* (at: Kept) {
    Memory.setPending(memory, yield* Tender.makeReset(workshop, at, memory.incarnation + 1))
  })

  const reset = (at: Kept) => {
    // What nobody has asked for fails without a word: where two begin a conversation at once, one of them is let in by the other.
    isTrial = !memory.isResetWished
    memory.isResetWished = false
    return makeReset(at)
  }

  const takeWelcome = Effect.fnUntraced(function* (at: Kept) {
    const joined = yield* Reader.joinBefore(workshop, { kept: at, before: Infinity, other: memory.other })
    if (joined === undefined) {
      const now = Number((yield* Clock.monotonicTimeNanos) / 1_000_000n)
      if (!waiting.isOver(now)) return lookForWelcomeLater()
      // Perhaps nobody is left who could: the server, which knows, takes fresh keys of one who is not in only then.
      isTrial = true
      return yield* makeReset(at)
    }
    waiting.beginAgain()
    memory.kept = joined
    memory.incarnation = Math.max(memory.incarnation, joined.incarnation)
    memory.outbox = yield* store.outbox(room)
    Memory.setPending(memory, undefined)
    memory.horizon = Horizon.mayGoOn(memory.horizon, joined.cursor)
    welcomePause.beginAgain()
    tendInTurn(true)
  })

  /** What the server says it has stored is looked for, and sent again, if it does not come. */
  const awaitEcho = ({ key }: Pending) =>
    after({
      purpose: "echo",
      pause: lateness,
      what: () => {
        if (memory.pending?.key !== key) return
        memory.isPendingAnswered = false
        memory.horizon = Horizon.mayGoOn(memory.horizon, memory.kept?.cursor ?? 0)
      }
    })

  const sendChange = Effect.fnUntraced(function* (at: Kept, made: Pending) {
    const refusal = yield* refusalOf(ask(Tender.requestOf(room, made)))
    if (refusal === undefined) {
      memory.isPendingAnswered = true
      awaitEcho(made)
      return goOn()
    }
    if (refusal === "passing") return holdBack()
    const { reason } = refusal
    if (reason._tag === "StaleKeyEpoch" && afterStale(standing(at), reason) === "read") {
      expect(reason.seq)
      // Of a reset that others were quicker with, a device that is not let in reads nothing.
      if (made.change._tag === "Reset") memory.incarnation = Math.max(memory.incarnation, made.incarnation)
      else if (Horizon.isAwaiting(memory.horizon, at.cursor)) return holdBackIfAgain()
    } else if (made.change._tag === "Reset" && isTrial) {
      // Others have keys, of which this device has heard nothing yet.
      if (memory.incarnation === 0) memory.incarnation = made.incarnation
      lookForWelcomeLater()
    } else if (made.change._tag === "Reset") {
      holdBack()
      tell({ _tag: "OutOfStep", room, message: `No fresh keys could be made. ${refusal.message}${ifNobodyLetsIn(at)}` })
    }
    // A key that was stored is answered first: refused, it is not in the log and will not be.
    yield* dropPending
    tendLater(tendingPause.take())
    if (mustChange(at)) holdBack()
  })

  /** Whether keys have to change before anything more is said. */
  const mustChange = (at: Kept): boolean => at.more.unsure === true || Tender.mustRemove(workshop, at)

  const inVain = new Map<string, number>()

  const tend = Effect.fnUntraced(function* (at: Kept) {
    memory.isTendingDue = false
    const freshens = at.more.unsure === true && (memory.wishes.length > 0 || memory.outbox.length > 0)
    const how = { addsAtOnce: memory.addsAtOnce, freshens, inVain }
    const made = yield* Effect.tapError(Tender.tend(workshop, at, memory.other, how), () =>
      Effect.sync(() => tendLater(tendingPause.take(), true))
    )
    if (made._tag === "Made") {
      memory.kept = made.kept
      memory.addsAtOnce = made.addsAtOnce
      Memory.setPending(memory, made.pending)
    } else if (made._tag === "Later") tendLater(tendingPause.take(), true)
    if (made._tag !== "Made" && mustChange(at)) holdBack()
  })

  const sealNext = Effect.fnUntraced(function* (at: Kept, group: Group) {
    const [wish] = memory.wishes
    if (wish === undefined) return
    const unsure = Tender.whoIsHeld(workshop, memory.other, group)
    if (unsure !== undefined) {
      memory.wishes = memory.wishes.filter((one) => one !== wish)
      Deferred.doneUnsafe(wish.done, Effect.fail(unsure))
      return
    }
    const key = wish.key ?? (yield* workshop.newKey)
    const { next, row } = yield* Outgoing.seal(workshop, at, group, key, wish.saying)
    yield* store.sealed(next, row)
    memory.kept = next
    memory.outbox = [...memory.outbox, row]
    // Not before: where it cannot be stored, whoever said it is told so with all others who wait.
    memory.wishes = memory.wishes.filter((one) => one !== wish)
    Deferred.doneUnsafe(wish.done, Effect.succeed(key))
  })

  const refuse = Effect.fnUntraced(function* ({ content, key }: OutboxRow, message: string) {
    yield* store.refused(key)
    Memory.dropRows(memory, new Set([key]))
    tell({ _tag: "Refused", room, key, saying: content.payload.saying, message })
  })

  const sealAgain = Effect.fnUntraced(function* (at: Kept, group: Group, key: string) {
    const before = memory.outbox.find((row) => row.key === key)
    if (before === undefined) return
    // It was meant for who they were before.
    const unsure = Tender.whoIsHeld(workshop, memory.other, group)
    if (unsure !== undefined) return yield* refuse(before, unsure.message)
    const { next, row } = yield* Outgoing.seal(workshop, at, group, before.key, before.content.payload.saying)
    yield* store.resealed(next, row)
    memory.kept = next
    memory.outbox = memory.outbox.map((one) => (one.key === key ? row : one))
    memory.sent.delete(key)
  })

  const send = Effect.fnUntraced(function* (at: Kept, group: Group, key: string) {
    const row = memory.outbox.find((one) => one.key === key)
    if (row === undefined) return
    const { content, keyEpoch } = row
    const data = Buffer.from(content.data).toString("base64")
    const refusal = yield* refusalOf(ask({ _tag: "SealedMessage", room, keyEpoch, data, key: row.key }))
    if (refusal === undefined) {
      memory.sent.add(key)
      return goOn()
    }
    if (refusal === "passing") return holdBack()
    const { message, reason } = refusal
    if (reason._tag === "NotAllowed" && refusals < refusalsBeforeGivenUp) {
      // Somebody has reset the keys, and the log will say so: it stays on its way until this device is let in again.
      memory.horizon = Horizon.mayGoOn(memory.horizon, at.cursor)
      return holdBack()
    }
    if (reason._tag !== "StaleKeyEpoch") {
      return yield* refuse(row, message)
    }
    const means = afterStale(standing(at), reason)
    if (means === "read") expect(reason.seq)
    else if (means === "remove") {
      if (refusals >= refusalsBeforeGivenUp) return yield* refuse(row, nobodyToRemove(memory.other))
      // Who is to go is in no list that this device knows.
      for (const { user } of refusals > 0 ? membersOf(group) : []) workshop.lists.changed(user)
      memory.isTendingDue = true
    }
    if (means === "wait") holdBack()
    else holdBackIfAgain()
  })

  const perform = Effect.fnUntraced(function* (at: Kept, action: Action): Effect.fn.Return<void, StepError> {
    const { group } = at
    switch (action._tag) {
      case "Read":
        return yield* readNext(at)
      case "TakeWelcome":
        return yield* takeWelcome(at)
      case "Reset":
        return yield* reset(at)
      case "SendChange":
        return memory.pending && (yield* sendChange(at, memory.pending))
      case "Tend":
        return yield* tend(at)
      case "SealAgain":
        return group && (yield* sealAgain(at, group, action.key))
      case "Send":
        return group && (yield* send(at, group, action.key))
      case "Seal":
        return group && (yield* sealNext(at, group))
      case "Rest":
        return yield* Queue.take(signals)
    }
  })

  return { perform, standing, dropPending, tendInTurn, lookForWelcome }
}
