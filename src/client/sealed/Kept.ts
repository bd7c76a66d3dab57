/** What is kept of conversations, as values: a group and where it stands, what is on its way out, and what was read. */
import { Schema } from "effect"
import { Seq, Timestamp } from "../../common/log/Cursor.ts"
import { Device, Incarnation, KeyEpoch, UserDevice } from "../../common/log/Sealing.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import { beside, governed } from "../../common/wire/EntryMessage.ts"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import type { Group } from "../crypto/Group.ts"
import { Payload, Saying } from "./Payload.ts"
import { Reading } from "./Seen.ts"

/** One conversation, as this device knows it. */
export interface Kept {
  readonly room: RoomName
  /** Which incarnation of the log `cursor` is of. */
  readonly log: string
  readonly cursor: Seq
  /** The newest incarnation of the group that was heard of. */
  readonly incarnation: number
  /** None before this device is let in, and after it was removed. */
  readonly group: Group | undefined
  readonly more: KeptMore
}

export const KeptMore = Schema.Struct({
  /** What was read in this key epoch; none where something of it cannot be known. */
  reading: Schema.optionalKey(Reading),
  /** At which place this key epoch began, as far as this device has followed it. */
  since: Schema.optionalKey(Seq),
  /** The newest keys that this device had when it was put out: a welcome to older ones was given before. */
  left: Schema.optionalKey(Schema.Struct({ incarnation: Incarnation, keyEpoch: KeyEpoch })),
  /** What this device was let into by its key package of last resort, which opens a welcome again: see Repeated.ts. */
  joined: Schema.optionalKey(Schema.Array(Schema.String)),
  /** Hashes of what this device has sealed in this key epoch, the newest last: what of it comes again was repeated, and no copy's. */
  sealed: Schema.optionalKey(Schema.Array(Schema.String)),
  /**
   * Something of this key epoch is gone from the log, and may have been this device's own, if its state was put back since: which of its
   * keys were used is not known any more.
   */
  unsure: Schema.optionalKey(Schema.Literal(true)),
  /** Why the group cannot be followed any more. */
  outOfStep: Schema.optionalKey(Schema.String),
  /** Devices of who was kicked or banned since they were let in: they are to be removed, even if they are back. */
  toGo: Schema.optionalKey(Schema.Array(UserDevice)),
  /** Devices whose change of keys nobody could follow: they are not let in until they are trusted again. */
  leftOut: Schema.optionalKey(Schema.Array(UserDevice))
})
export type KeptMore = typeof KeptMore.Type

/** `cursor`: how far this log was read, if it was the room's before; `joined`: what must not be joined again, in whatever log. */
export const begin = (room: RoomName, log: string, cursor: Seq = 0, joined: KeptMore["joined"] = []): Kept => ({
  room,
  log,
  cursor,
  incarnation: 0,
  group: undefined,
  more: joined.length > 0 ? { joined } : {}
})

/** A message on its way: the very bytes that are sent, however often, under `key`. */
export interface OutboxRow {
  readonly key: MessageKey
  readonly incarnation: number
  readonly keyEpoch: number
  readonly content: OutboxContent
}

const Base64 = Schema.Uint8ArrayFromBase64

export const OutboxContent = Schema.Struct({ data: Base64, payload: Payload })
export type OutboxContent = typeof OutboxContent.Type

/** A change of keys on its way. */
export interface Pending {
  readonly key: MessageKey
  readonly incarnation: number
  readonly keyEpoch: number
  readonly change: PendingChange
}

export const PendingChange = Schema.TaggedUnion({
  Commit: {
    data: Base64,
    /** The group, once these bytes are in the log. */
    next: Base64,
    welcome: Schema.optionalKey(Base64),
    adds: Schema.Array(UserDevice),
    removes: Schema.Array(UserDevice)
  },
  /** A fresh group, of this device alone. */
  Reset: { next: Base64 }
})
export type PendingChange = typeof PendingChange.Type

/** Something of the log that people see: read once, and kept. */
export interface PlainRow {
  readonly seq: Seq
  readonly line: PlainLine
}

const head = { at: Timestamp, from: UserName, device: Device }

const Standing = Schema.TaggedUnion({ ...governed, Deleted: beside.Deleted })

export const PlainLine = Schema.TaggedUnion({
  Opened: { ...head, saying: Saying },
  /** What cannot be read, and why: `reason` names it, `message` is for people. */
  Unreadable: { ...head, reason: Schema.String, message: Schema.String },
  /** Who came in and who went out with a change of keys. */
  Changed: { ...head, added: Schema.Array(UserDevice), removed: Schema.Array(UserDevice) },
  /** This device is out from here on, until it is let in again: what follows is not for it. */
  PutOut: { ...head, how: Schema.Literals(["removed", "reset", "kicked"]) },
  /** This device was let in, and nothing from before can be read; or it has made the keys itself. */
  LetIn: { at: Timestamp, how: Schema.Literals(["letIn", "made"]) },
  /** What `from` had said here was deleted; of what this device could not read, the author is whom the server names. */
  Erased: { at: Timestamp, by: UserName, from: UserName, saidAt: Timestamp },
  /** What was done to the room, or that something was deleted, in the server's own word: it was not sealed. */
  Stood: { entry: Standing }
})
export type PlainLine = typeof PlainLine.Type

/** The place that a row is about which stands for nothing by itself: an edit, a reaction, a deletion. */
export const targetOf = ({ line }: PlainRow): Seq | undefined => {
  if (line._tag === "Stood") return line.entry._tag === "Deleted" ? line.entry.target : undefined
  return line._tag === "Opened" && line.saying._tag !== "Said" ? line.saying.target : undefined
}
