/** What is kept of conversations, as values: a group and where it stands, what is on its way out, and what was read. */
import { Schema } from "effect"
import { Seq, Timestamp } from "../../common/log/Cursor.ts"
import { Device, UserDevice } from "../../common/log/Sealing.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
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
  /** Why the group cannot be followed any more. */
  outOfStep: Schema.optionalKey(Schema.String),
  /** Devices of who was kicked or banned since they were let in: they are to be removed, even if they are back. */
  toGo: Schema.optionalKey(Schema.Array(UserDevice))
})
export type KeptMore = typeof KeptMore.Type

export const begin = (room: RoomName, log: string): Kept => ({
  room,
  log,
  cursor: 0,
  incarnation: 0,
  group: undefined,
  more: {}
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

export const PlainLine = Schema.TaggedUnion({
  Opened: { ...head, saying: Saying },
  /** What cannot be read, and why: `reason` names it, `message` is for people. */
  Unreadable: { ...head, reason: Schema.String, message: Schema.String },
  /** Who came in and who went out with a change of keys. */
  Changed: { ...head, added: Schema.Array(UserDevice), removed: Schema.Array(UserDevice) },
  /** This device is out from here on: what follows is not for it. */
  PutOut: head,
  /** This device was let in: nothing from before can be read. */
  LetIn: { at: Timestamp },
  /** What stood here was deleted. */
  Erased: { at: Timestamp, by: UserName }
})
export type PlainLine = typeof PlainLine.Type
