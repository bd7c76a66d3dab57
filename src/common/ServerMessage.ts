/**
 * What the server may say: replies, chat messages, presence.
 *
 * Only replies carry an `id`. Every case has one encoding and it is its own: the decoded value is the plain JSON
 * object, so the server may write it with `JSON.stringify` (a property test holds this).
 */
import { Schema } from "effect"
import { RequestId } from "./ClientMessage.ts"
import { Content } from "./Content.ts"
import { Cursor, Epoch, Seq, Timestamp } from "./Cursor.ts"
import { Rejection } from "./Rejection.ts"
import { RoomName } from "./RoomName.ts"
import { UserName } from "./UserName.ts"

/** The version of the protocol spoken here. */
export const protocolVersion = 1

const id = Schema.optionalKey(RequestId)
const users = Schema.Array(UserName)
const entry = { seq: Seq, at: Timestamp, from: UserName }

const chat = {
  GlobalMessage: { ...entry, content: Content },
  PrivateMessage: { ...entry, to: UserName, content: Content },
  RoomMessage: { room: RoomName, ...entry, content: Content }
}

/** A message of a conversation, as it stands in its log. */
export const ChatMessage = Schema.TaggedUnion(chat)
export type ChatMessage = typeof ChatMessage.Type

export const ServerMessage = Schema.TaggedUnion({
  Welcome: {
    id,
    user: UserName,
    protocol: Schema.Literal(protocolVersion),
    server: Schema.Struct({ name: Schema.String, version: Schema.String }),
    account: Schema.Boolean,
    token: Schema.optionalKey(Schema.String),
    lobby: Cursor,
    inbox: Schema.optionalKey(Cursor)
  },
  Presence: { joined: users, left: users },
  Sent: { id, seq: Seq, at: Timestamp, repeated: Schema.optionalKey(Schema.Literal(true)) },
  ...chat,
  Pong: { id, nonce: Schema.Int },
  UserList: { id, users },
  RoomCreated: { id, room: RoomName, by: UserName },
  RoomJoined: {
    id,
    room: RoomName,
    epoch: Epoch,
    seq: Seq,
    missed: Schema.Natural,
    truncated: Schema.Boolean,
    users
  },
  RoomPresence: { room: RoomName, joined: users, left: users },
  RoomLeft: { id, room: RoomName, reason: Schema.optionalKey(Schema.String) },
  RoomList: { id, rooms: Schema.Array(Schema.Struct({ room: RoomName, users: Schema.Natural })) },
  RoomUsers: { id, room: RoomName, users },
  History: { id, messages: Schema.Array(ChatMessage), more: Schema.Boolean },
  /** Newest first. `next`, there if there is more, is what to give as `before` for the page behind this one. */
  SearchResults: {
    id,
    messages: Schema.Array(ChatMessage),
    more: Schema.Boolean,
    next: Schema.optionalKey(Schema.Natural)
  },
  Goodbye: { id, reason: Schema.optionalKey(Schema.String) },
  Rejected: { id, reason: Rejection, message: Schema.String }
})
export type ServerMessage = typeof ServerMessage.Type
export type ServerMessageOf<Tag extends ServerMessage["_tag"]> = Extract<ServerMessage, { readonly _tag: Tag }>
