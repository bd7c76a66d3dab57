/**
 * What the server may say: replies, chat messages, presence.
 *
 * Only replies carry an `id`. Every list and every text has a bound, so that neither end has to believe the other. Every case has one encoding and it is its own: the decoded value is the plain JSON
 * object, so the server may write it with `JSON.stringify` (a property test holds this).
 */
import { Schema } from "effect"
import { Cursor, Epoch, Seq, Timestamp } from "../log/Cursor.ts"
import { Reason, Role, Topic } from "../log/Governing.ts"
import { RoomName } from "../name/RoomName.ts"
import { UserName } from "../name/UserName.ts"
import { Sentence, text } from "../text/Text.ts"
import { about, accountMessages, standing } from "./AccountMessage.ts"
import { maxHistoryLimit } from "./ClientMessage.ts"
import { beside, chat, governed, sealed, StandingMessage, whereabouts } from "./EntryMessage.ts"
import { Rejection } from "./Rejection.ts"
import { RequestId } from "./RequestId.ts"
import { RoomKeys, sealingMessages } from "./SealingMessage.ts"

/** The version of the protocol spoken here. */
export const protocolVersion = 1

const id = Schema.optionalKey(RequestId)
/** How many names one message holds; the first in their order. `more` says that there are others, `after` asks for them. */
export const maxNames = 1000
const users = Schema.Array(UserName).check(Schema.isMaxLength(maxNames))
const page = { more: Schema.optionalKey(Schema.Literal(true)), count: Schema.Natural }
/** There if this is no change but everybody: what was known before is to be forgotten. */
const all = Schema.optionalKey(Schema.Literal(true))
/** How many entries follow to catch up, and whether older ones were left out; there if the Handshake asked for them. */
const missed = { missed: Schema.optionalKey(Schema.Natural), truncated: Schema.optionalKey(Schema.Boolean) }
/** Who is banned or muted, by whom, until when and why. */
const bound = Schema.Array(
  Schema.Struct({
    user: UserName,
    by: UserName,
    until: Schema.optionalKey(Timestamp),
    reason: Schema.optionalKey(Reason)
  })
).check(Schema.isMaxLength(maxNames))
/** Messages as they stand, in pages. */
const messages = Schema.Array(StandingMessage).check(Schema.isMaxLength(maxHistoryLimit))

export const ServerMessage = Schema.TaggedUnion({
  Welcome: {
    id,
    user: UserName,
    protocol: Schema.Literal(protocolVersion),
    server: Schema.Struct({ name: text(0, 64), version: text(0, 64) }),
    account: Schema.Boolean,
    lobby: Schema.Struct({ ...Cursor.fields, ...missed }),
    inbox: Schema.optionalKey(Schema.Struct({ ...Cursor.fields, ...missed })),
    ...standing
  },
  Presence: { joined: users, left: users, all },
  Sent: { id, seq: Seq, at: Timestamp, repeated: Schema.optionalKey(Schema.Literal(true)) },
  ...chat,
  ...beside,
  ...sealed,
  ...governed,
  ...sealingMessages,
  ...accountMessages,
  /** Somebody is about to say something: for a moment, and not for certain. */
  Typing: { ...whereabouts, user: UserName },
  Reported: { id },
  Pong: { id, nonce: Schema.Int },
  UserList: { id, users, ...page },
  RoomCreated: { id, room: RoomName, by: UserName },
  RoomJoined: {
    id,
    room: RoomName,
    epoch: Epoch,
    seq: Seq,
    missed: Schema.Natural,
    truncated: Schema.Boolean,
    /** What one is there; and, if it is an account that is in, how far it has read. */
    role: Schema.optionalKey(Role),
    ...about,
    read: Schema.optionalKey(Seq),
    /** Of an encrypted room; and of an encrypted conversation, with whom it is. */
    keys: Schema.optionalKey(RoomKeys),
    with: Schema.optionalKey(UserName),
    users,
    ...page
  },
  RoomPresence: { room: RoomName, joined: users, left: users, all },
  RoomLeft: { id, room: RoomName, reason: Schema.optionalKey(Sentence) },
  RoomList: {
    id,
    rooms: Schema.Array(
      Schema.Struct({
        room: RoomName,
        users: Schema.Natural,
        member: Schema.optionalKey(Schema.Literal(true)),
        ...about
      })
    ).check(Schema.isMaxLength(maxNames)),
    ...page
  },
  /** `away`: members who are not connected. `count` is of both together. */
  RoomUsers: { id, room: RoomName, users, away: Schema.optionalKey(users), ...page },
  /** `members`: those here and away. `bans` and `mutes` are told to moderators. */
  RoomInfo: {
    id,
    room: RoomName,
    topic: Schema.optionalKey(Topic),
    private: Schema.Boolean,
    encrypted: Schema.optionalKey(Schema.Literal(true)),
    owner: Schema.optionalKey(UserName),
    moderators: users,
    members: Schema.Natural,
    createdAt: Timestamp,
    bans: Schema.optionalKey(bound),
    mutes: Schema.optionalKey(bound)
  },
  /** A reply, and without an `id` the last that its members hear of it. */
  RoomDeleted: { id, room: RoomName, by: UserName },
  /** Somebody lets this account into a room. */
  Invitation: { room: RoomName, by: UserName },
  History: { id, messages, more: Schema.Boolean },
  /** Newest first. `next`, there if there is more, is what to give as `before` for the page behind this one. */
  SearchResults: {
    id,
    messages,
    more: Schema.Boolean,
    next: Schema.optionalKey(Schema.Natural)
  },
  Goodbye: { id, reason: Schema.optionalKey(Sentence) },
  Rejected: { id, reason: Rejection, message: Sentence }
})
export type ServerMessage = typeof ServerMessage.Type
export type ServerMessageOf<Tag extends ServerMessage["_tag"]> = Extract<ServerMessage, { readonly _tag: Tag }>
