/**
 * What one conversation remembers while it runs: what the store has of it, how far the log is known to go, and what is due. Its one
 * owner is Conversation.ts; Steps.ts changes it for that fiber.
 *
 * Bounds: 100 wishes wait, further ones are refused; what else grows is in the store and goes with the outbox.
 */
import { Deferred, Effect } from "effect"
import { maxAdds } from "../../common/log/Sealing.ts"
import type { NameKey } from "../../common/name/Name.ts"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import type { ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { Standing } from "./Decision.ts"
import * as Horizon from "./Horizon.ts"
import type { Kept, OutboxRow, Pending } from "./Kept.ts"
import type { Saying } from "./Payload.ts"
import type { SayError } from "./SealedError.ts"

/** Something to say that is not sealed yet. */
export interface Wish {
  readonly saying: Saying
  /** Under which to send it, if whoever says it has one. */
  readonly key: MessageKey | undefined
  readonly done: Deferred.Deferred<MessageKey, SayError>
}

export const maxWishes = 100

export interface Memory {
  kept: Kept | undefined
  outbox: ReadonlyArray<OutboxRow>
  pending: Pending | undefined
  isPendingAnswered: boolean
  /** Keys of the outbox that the server has taken in this run. */
  readonly sent: Set<string>
  isJoined: boolean
  log: string
  /** The newest that is known of, also by who was refused. */
  incarnation: number
  /** Of a conversation of two. */
  other: ServerMessageOf<"RoomJoined">["with"]
  /** Who of the group is not here any more, by the keys of their names, as the server says: nobody waits for their turn. */
  gone: ReadonlySet<NameKey>
  horizon: Horizon.Horizon
  /** What had been read when this connection was not in the room: its log cannot end before. */
  readSoFar: number
  /** What has come since this program was started is not read yet; it may have been started with a state that was put back. */
  isReturning: boolean
  /** The log ends before what was read of it. */
  isPutBack: boolean
  isWelcomeDue: boolean
  isTendingDue: boolean
  isResetWished: boolean
  isHeldBack: boolean
  /** How many devices a commit lets in that is not too large. */
  addsAtOnce: number
  wishes: ReadonlyArray<Wish>
  /** Name keys of who is trusted again since. */
  trusted: ReadonlySet<string>
  hasStopped: boolean
}

interface Stored {
  readonly kept: Kept | undefined
  readonly outbox: ReadonlyArray<OutboxRow>
  readonly pending: Pending | undefined
}

export const make = ({ kept, outbox, pending }: Stored): Memory => ({
  kept,
  outbox,
  pending,
  isPendingAnswered: false,
  sent: new Set(),
  isJoined: false,
  log: kept?.log ?? "",
  incarnation: kept?.incarnation ?? 0,
  other: undefined,
  gone: new Set(),
  horizon: Horizon.nothing,
  readSoFar: kept?.cursor ?? 0,
  isReturning: true,
  isPutBack: false,
  isWelcomeDue: true,
  isTendingDue: false,
  isResetWished: false,
  isHeldBack: false,
  addsAtOnce: maxAdds,
  wishes: [],
  trusted: new Set(),
  hasStopped: false
})

export const standing = (memory: Memory, { cursor, group, incarnation, more }: Kept, isCopied: boolean): Standing => ({
  isJoined: memory.isJoined,
  cursor,
  heard: memory.horizon.heard,
  group: group && { incarnation, keyEpoch: group.keyEpoch },
  incarnation: memory.incarnation,
  isOutOfStep: more.outOfStep !== undefined,
  isUnsure: more.unsure === true,
  pending: memory.pending && { isAnswered: memory.isPendingAnswered },
  outbox: memory.outbox.map((row) => ({ ...row, isSent: memory.sent.has(row.key) })),
  isWelcomeDue: memory.isWelcomeDue,
  isTendingDue: memory.isTendingDue,
  isResetWished: memory.isResetWished,
  isHeldBack: memory.isHeldBack,
  isCopied,
  hasWish: memory.wishes.length > 0
})

/** Nothing of what waits to be said will be. */
export const refuse = (memory: Memory, reason: SayError): void => {
  for (const { done } of memory.wishes) Deferred.doneUnsafe(done, Effect.fail(reason))
  memory.wishes = []
}

export const setPending = (memory: Memory, pending: Pending | undefined): void => {
  memory.pending = pending
  memory.isPendingAnswered = false
}

export const dropRows = (memory: Memory, keys: ReadonlySet<string>): void => {
  memory.outbox = memory.outbox.filter(({ key }) => !keys.has(key))
  for (const key of keys) memory.sent.delete(key)
}
