/**
 * What one entry of the log makes of a conversation: the group behind it, the line that people see, and what has come of what was on
 * its way. It stores nothing and tells nobody; whoever reads a page does that, at once, for all of it (see Conversation.ts).
 *
 * What cannot be read is a line with its reason, never nothing. A change of keys that cannot be followed takes the conversation out
 * of step for good: from there on everything is such a line, until the keys are reset.
 */
import { Effect } from "effect"
import type { Seq } from "../../common/log/Cursor.ts"
import { groupIdOf, type UserDevice } from "../../common/log/Sealing.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { EntryMessage, StandingMessage } from "../../common/wire/EntryMessage.ts"
import { apply } from "../crypto/Apply.ts"
import { Damaged } from "../crypto/CryptoError.ts"
import type { Device } from "../crypto/Device.ts"
import { authenticatorOf, decodeGroup, type Group, membersOf } from "../crypto/Group.ts"
import { type Identity, identityKey, isSameIdentity } from "../crypto/Identity.ts"
import { open } from "../crypto/Message.ts"
import type { IsTrusted } from "../crypto/Trust.ts"
import { isGroupOf, type KeyPlace } from "./Decision.ts"
import type { Kept, KeptMore, OutboxRow, Pending, PlainLine } from "./Kept.ts"
import { decode, type Payload } from "./Payload.ts"
import * as Repeated from "./Repeated.ts"
import * as Seen from "./Seen.ts"

export type SealedEntry = EntryMessage | StandingMessage
type EntryOf<Tag extends SealedEntry["_tag"]> = Extract<SealedEntry, { readonly _tag: Tag }>

export interface Outlook {
  readonly own: Device
  readonly isTrusted: IsTrusted
  readonly outbox: ReadonlyArray<OutboxRow>
  readonly pending: Pending | undefined
  /** What this device has said with its present keys may be among what is read now, or gone from there: its state may have been put back. */
  readonly isReturning: boolean
  /** In conversations of two, what a blocked one says is not given to the other: what is read differs without a lie. */
  readonly comparesReading: boolean
}

export interface Outcome {
  readonly kept: Kept
  readonly line?: PlainLine
  /** The row of the outbox that has come. */
  readonly echo?: string
  readonly dropsPending?: true
  /** A place whose message is to be forgotten. */
  readonly erases?: number
  /** What its author says of itself. */
  readonly payload?: Payload
  readonly notice?: "Cloned" | "OutOfStep" | "Lacking" | "Differs"
  /** The keys for this have not come: there may be a welcome. */
  readonly lacksKeys?: true
  /** Somebody in the group is not known: their list may have gone on. */
  readonly isUnknown?: true
}

/** Everything about a conversation that an entry changes, the cursor moved onto it. */
export const read = (before: Kept, entry: SealedEntry, outlook: Outlook): Effect.Effect<Outcome> => {
  const kept: Kept = { ...before, cursor: entry.seq }
  switch (entry._tag) {
    case "Sealed":
      return readSealed(kept, entry, outlook)
    case "KeysCommitted":
      return readCommit(kept, entry, outlook)
    case "KeysReset":
      return Effect.orDie(readReset(kept, entry, outlook))
    case "Kicked":
    case "Banned":
      return Effect.succeed(putOut(kept, entry, outlook))
    case "Deleted":
      return Effect.succeed({ kept, erases: entry.target, line: { _tag: "Stood", entry } })
    case "Tombstone": {
      const { reading: _, ...more } = kept.more
      const after = { ...kept, more }
      const isOwn = nameKey(entry.from) === nameKey(outlook.own.identity.user)
      return Effect.succeed({
        kept: isOwn && outlook.isReturning ? unsure(after) : after,
        line: { _tag: "Erased", at: entry.deletedAt, by: entry.deletedBy, from: entry.from, saidAt: entry.at }
      })
    }
    case "TopicSet":
    case "RoleSet":
    case "AccessSet":
    case "Invited":
    case "Unbanned":
    case "Muted":
    case "Unmuted":
      return Effect.succeed({ kept, line: { _tag: "Stood", entry } })
    default:
      return Effect.succeed({ kept })
  }
}

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"))
const areSame = (one: Uint8Array, other: Uint8Array) => Buffer.compare(one, other) === 0

type Headed = Pick<EntryOf<"Sealed">, "at" | "from" | "device">
const headOf = ({ at, device, from }: Headed) => ({ at, from, device })
const ownHead = ({ identity }: Device) => ({ from: identity.user, device: identity.device })
const isFrom = ({ device, from }: Headed, { identity }: Device) => isSameIdentity({ user: from, device }, identity)

const unreadable = (
  entry: Headed,
  { _tag, message }: { readonly _tag: string; readonly message: string }
): PlainLine => ({
  _tag: "Unreadable",
  ...headOf(entry),
  reason: _tag,
  message
})

const notLetIn = { _tag: "NotLetIn", message: "This was said before this device was let in, or after it was out." }
const notUnderstood = { _tag: "NotUnderstood", message: "This was said by a later version of parley. Update this one." }
const repeated = {
  _tag: "Repeated",
  message: "The server has repeated something of this device, or kept what it had refused: it is not shown again."
}
const wrongName = {
  _tag: "WrongName",
  message: "The server says that this is somebody else's than the one who sealed it: it is not shown."
}

const readSealed = Effect.fnUntraced(function* (kept: Kept, entry: EntryOf<"Sealed">, outlook: Outlook) {
  const data = bytesOf(entry.data)
  const { comparesReading, outbox, own } = outlook
  const echo = outbox.find(({ content }) => areSame(content.data, data))
  const { reading } = kept.more
  const isOfReading = reading !== undefined && reading.keyEpoch === entry.keyEpoch
  const after: Kept = isOfReading ? { ...kept, more: { ...kept.more, reading: Seen.read(reading, data) } } : kept
  if (echo !== undefined) {
    const { payload } = echo.content
    return { kept: after, echo: echo.key, line: opened({ ...entry, ...ownHead(own) }, payload) } satisfies Outcome
  }
  const { group } = kept
  if (group === undefined) {
    return { kept: after, line: unreadable(entry, notLetIn), lacksKeys: true } satisfies Outcome
  }
  const places = entry.seq - (kept.more.since ?? entry.seq)
  return yield* Effect.match(open(group, data, places), {
    onFailure: (error): Outcome => ({
      // Of a change of keys that the log does not have any more, or that is held back, nothing comes later.
      kept: error._tag === "EpochAhead" ? lacking(after, error.message) : after,
      line: unreadable(entry, isOurs(error, kept, data) ? repeated : error),
      ...(error._tag === "EpochAhead" && kept.more.outOfStep === undefined && { notice: "Lacking" }),
      ...(isCopys(error, kept, entry, own) && { notice: "Cloned" }),
      ...((error._tag === "EpochAhead" || error._tag === "NotForThisGroup") && { lacksKeys: true })
    }),
    onSuccess: ({ group: next, plaintext, sender }): Outcome => {
      const read: Kept = { ...after, group: next }
      if (!isSameIdentity(sender, { user: entry.from, device: entry.device })) {
        return { kept: read, line: unreadable(entry, wrongName) }
      }
      const payload = decode(plaintext)
      if (payload === undefined) return { kept: read, line: unreadable(entry, notUnderstood) }
      const isOther =
        comparesReading && isOfReading && payload.seen !== undefined && Seen.differs(reading, payload.seen)
      return { kept: read, line: opened(entry, payload), payload, ...(isOther && { notice: "Differs" }) }
    }
  })
})

/** Something that this device may have said with its present keys is gone from the log. */
export const unsure = (kept: Kept): Kept =>
  kept.group === undefined ? kept : { ...kept, more: { ...kept.more, unsure: true } }

/** Out of step by nobody's doing that is known. */
const lacking = (kept: Kept, message: string): Kept => ({
  ...kept,
  more: { ...kept.more, outOfStep: kept.more.outOfStep ?? message }
})

type Failure = { readonly _tag: string }
const isOurs = ({ _tag }: Failure, { more }: Kept, data: Uint8Array) =>
  _tag === "FromThisDevice" && Repeated.isNoted(more, data)

/** It was sealed by a copy of this device, or by a member who pretends: this device has not sealed it. */
const isCopys = (error: Failure, { more }: Kept, entry: Headed & { readonly data: string }, own: Device) =>
  error._tag === "FromThisDevice" && isFrom(entry, own) && !Repeated.isNoted(more, bytesOf(entry.data))

const opened = (entry: Headed, { saying }: Payload): PlainLine => ({ _tag: "Opened", ...headOf(entry), saying })

/** A group in a new key epoch, of which nothing was read yet. */
const entered = (kept: Kept, group: Group, since: Seq, comparesReading: boolean): Kept => {
  const { outOfStep: _, reading: __, sealed: ___, unsure: ____, toGo = [], ...rest } = kept.more
  const members = new Set(membersOf(group).map(identityKey))
  const still = toGo.filter((identity) => members.has(identityKey(identity)))
  const more: KeptMore = {
    ...rest,
    since,
    ...(still.length > 0 && { toGo: still }),
    ...(comparesReading && { reading: Seen.begin(group.keyEpoch, authenticatorOf(group)) })
  }
  return { ...kept, group, more }
}

const without = (kept: Kept): Kept => {
  const { joined, leftOut = [] } = kept.more
  const left = placeLeft(kept)
  const more: KeptMore = { ...(leftOut.length > 0 && { leftOut }), ...(left && { left }), ...(joined && { joined }) }
  return { ...kept, group: undefined, more }
}

/** The newest keys that this device has had there. */
export const placeLeft = ({ group, incarnation, more }: Kept): KeyPlace | undefined =>
  group === undefined ? more.left : { incarnation, keyEpoch: group.keyEpoch }

const maxLeftOut = 100

/** Why all members refuse it alike, so that it is its maker's doing; anything else may be this device's, or the server's. */
const areFaults: ReadonlySet<string> = new Set(["Damaged", "BadSignature", "AlreadyOpened", "TooFarAhead", "TooLarge"])

/** Out of step, and by whom: by the server's word, for nobody can open what nobody can open. */
const takenOut = (
  kept: Kept,
  entry: EntryOf<"KeysCommitted">,
  error: { readonly _tag: string; readonly message: string },
  own: Device
): Kept => {
  const culprit = { user: entry.from, device: entry.device }
  const before = (kept.more.leftOut ?? []).filter((one) => !isSameIdentity(one, culprit))
  const isFault = areFaults.has(error._tag) && !isFrom(entry, own)
  const more: KeptMore = { ...kept.more, outOfStep: error.message }
  return { ...kept, more: isFault ? { ...more, leftOut: [...before, culprit].slice(-maxLeftOut) } : more }
}

/** Who is in one tree and not in the other. */
const changes = (before: Group, after: Group) => {
  const named = ({ device, user }: Identity): UserDevice => ({ user, device })
  const missing = (group: Group, from: Group) => {
    const there = new Set(membersOf(group).map(identityKey))
    return membersOf(from)
      .filter((member) => !there.has(identityKey(member)))
      .map(named)
  }
  return { added: missing(before, after), removed: missing(after, before) }
}

const readCommit = Effect.fnUntraced(function* (kept: Kept, entry: EntryOf<"KeysCommitted">, outlook: Outlook) {
  const data = bytesOf(entry.data)
  const { comparesReading, isTrusted, own, pending } = outlook
  const { group } = kept
  if (group === undefined) return { kept, lacksKeys: true } satisfies Outcome
  const change = pending?.change
  if (change?._tag === "Commit" && areSame(change.data, data)) {
    const next = yield* Effect.orDie(decodeGroup(change.next))
    const line: PlainLine = { _tag: "Changed", at: entry.at, ...ownHead(own), ...changes(group, next) }
    return { kept: entered(kept, next, entry.seq, comparesReading), line, dropsPending: true } satisfies Outcome
  }
  if (kept.more.outOfStep !== undefined) return { kept } satisfies Outcome
  return yield* Effect.match(apply(group, data, isTrusted), {
    onFailure: (error): Outcome => ({
      kept: takenOut(kept, entry, error, own),
      line: unreadable(entry, error),
      dropsPending: true,
      notice: isCopys(error, kept, entry, own) ? "Cloned" : "OutOfStep",
      ...((error._tag === "EpochAhead" || error._tag === "NotForThisGroup") && { lacksKeys: true }),
      ...(error._tag === "Untrusted" && { isUnknown: true })
    }),
    onSuccess: ({ added, group: next, removed }): Outcome => {
      // The server lets nobody remove whoever they like, and sees what is named alone.
      if (!areAlike(added, entry.adds) || !areAlike(removed, entry.removes)) {
        const error = new Damaged({ issue: "this change of keys lets in or puts out others than it says" })
        return {
          kept: takenOut(kept, entry, error, own),
          line: unreadable(entry, error),
          dropsPending: true,
          notice: "OutOfStep"
        }
      }
      if (next === undefined)
        return { kept: without(kept), line: { _tag: "PutOut", ...headOf(entry), how: "removed" }, dropsPending: true }
      const named = ({ device, user }: Identity): UserDevice => ({ user, device })
      const line: PlainLine = {
        _tag: "Changed",
        ...headOf(entry),
        added: added.map(named),
        removed: removed.map(named)
      }
      const followed = entered(withoutThem(kept, removed), next, entry.seq, comparesReading)
      return { kept: followed, line, dropsPending: true }
    }
  })
})

const areAlike = (those: ReadonlyArray<Identity>, named: ReadonlyArray<UserDevice>): boolean =>
  those.length === named.length && those.every((one) => named.some((other) => isSameIdentity(one, other)))

/** Who was removed has gone, also if the same commit lets them in again. */
const withoutThem = (kept: Kept, removed: ReadonlyArray<Identity>): Kept => {
  const gone = new Set(removed.map(identityKey))
  const toGo = (kept.more.toGo ?? []).filter((identity) => !gone.has(identityKey(identity)))
  return { ...kept, more: { ...kept.more, toGo } }
}

const readReset = Effect.fnUntraced(function* (kept: Kept, entry: EntryOf<"KeysReset">, outlook: Outlook) {
  const { incarnation } = entry
  const { comparesReading, own, pending } = outlook
  const change = pending?.change
  // They only go up: a server that says otherwise would have keys of the same name made twice.
  const now = isGroupOf(kept.incarnation, incarnation) ? incarnation : kept.incarnation + 1
  const after: Kept = { ...kept, incarnation: Math.max(kept.incarnation, now) }
  if (change?._tag === "Reset" && pending?.incarnation === incarnation && isFrom(entry, own)) {
    const group = yield* decodeGroup(change.next)
    const line: PlainLine = { _tag: "LetIn", at: entry.at, how: "made" }
    return { kept: entered(after, group, entry.seq, comparesReading), line, dropsPending: true } satisfies Outcome
  }
  return {
    kept: { ...without(kept), incarnation: after.incarnation },
    line: { _tag: "PutOut", ...headOf(entry), how: "reset" },
    dropsPending: true
  } satisfies Outcome
})

const putOut = (kept: Kept, entry: EntryOf<"Kicked" | "Banned">, { own }: Outlook): Outcome => {
  const { at, from, user } = entry
  const isOwn = nameKey(user) === nameKey(own.identity.user)
  const line: PlainLine = { _tag: "Stood", entry }
  if (isOwn) {
    const out: PlainLine = { _tag: "PutOut", at, from, device: own.identity.device, how: "kicked" }
    return { kept: without(kept), line: kept.group === undefined ? line : out, dropsPending: true }
  }
  const going = inGroupOf(kept).filter((member) => nameKey(member.user) === nameKey(user))
  if (going.length === 0) return { kept, line }
  const toGo = [...(kept.more.toGo ?? []), ...going.map(({ device, user }) => ({ user, device }))]
  return { kept: { ...kept, more: { ...kept.more, toGo } }, line }
}

const inGroupOf = ({ group }: Kept) => (group === undefined ? [] : membersOf(group))

/** The incarnation that a group's name is of; undefined if it is another room's. */
export const incarnationIn = (room: string, groupId: string): number | undefined => {
  const incarnation = Number(groupId.slice(groupId.lastIndexOf("/") + 1))
  return Number.isSafeInteger(incarnation) && groupIdOf(room, incarnation) === groupId ? incarnation : undefined
}

/** A conversation joined at a place. */
export const letIn = (kept: Kept, group: Group, seq: Seq, incarnation: number, comparesReading: boolean): Kept =>
  entered({ ...without(kept), cursor: seq, incarnation }, group, seq, comparesReading)
