/**
 * What a client may say: the requests of protocol version 1, from Handshake to Search.
 *
 * Every request may carry an `id`, which its one reply repeats. Unknown fields are ignored, an unknown `_tag` is not a
 * ClientMessage.
 */
import { Schema } from "effect"
import { Content } from "./Content.ts"
import { Cursor, Seq } from "./Cursor.ts"
import { RoomName } from "./RoomName.ts"
import { UserName } from "./UserName.ts"

/** Chosen by the client, for matching a reply to its request on one connection. */
export const RequestId = Schema.String.check(Schema.isBetweenLength(1, 64, { message: "must have 1 to 64 characters" }))
export type RequestId = typeof RequestId.Type

/** Makes a repeated send recognisable: unique for good, a UUID or ULID. */
export const MessageKey = Schema.String.check(
  Schema.isBetweenLength(16, 64, { message: "must have 16 to 64 characters" })
)
export type MessageKey = typeof MessageKey.Type

/** How a user proves an account is theirs. */
const Credentials = Schema.TaggedUnion({
  Password: { password: Schema.String },
  Token: { token: Schema.String },
  Key: { publicKey: Schema.String },
  KeyProof: { publicKey: Schema.String, signature: Schema.String }
})

/** How many entries one GetHistory may ask for. */
export const HistoryLimit = Schema.Int.check(
  Schema.isBetween({ minimum: 1, maximum: 500 }, { message: "must be a whole number from 1 to 500" })
)

/** How many entries a GetHistory or a Search without a `limit` gets. */
export const defaultHistoryLimit = 50

/** What is searched for: words, all of which must occur; those in double quotes one after the other. */
export const SearchQuery = Schema.String.check(
  Schema.isBetweenLength(1, 256, { message: "must have 1 to 256 characters" }),
  Schema.isPattern(/[\p{L}\p{N}]/u, {
    message: "must hold a letter or a digit",
    arbitraryConstraint: { patterns: [{ source: '^["* ]?[0-9A-Za-zßÉΣж漢字][ "a-z漢*()-]*$', flags: "u" }] }
  })
)
export type SearchQuery = typeof SearchQuery.Type

const id = Schema.optionalKey(RequestId)
const key = Schema.optionalKey(MessageKey)

export const ClientMessage = Schema.TaggedUnion({
  Handshake: {
    id,
    user: UserName,
    credentials: Schema.optionalKey(Credentials),
    after: Schema.optionalKey(Schema.Struct({ lobby: Schema.optionalKey(Cursor), inbox: Schema.optionalKey(Cursor) }))
  },
  GlobalMessage: { id, content: Content, key },
  PrivateMessage: { id, to: UserName, content: Content, key },
  Ping: { id, nonce: Schema.Int },
  ListUsers: { id },
  Disconnect: { id },
  CreateRoom: { id, room: RoomName },
  JoinRoom: { id, room: RoomName, after: Schema.optionalKey(Cursor) },
  LeaveRoom: { id, room: RoomName },
  ListRooms: { id },
  ListRoomUsers: { id, room: RoomName },
  RoomMessage: { id, room: RoomName, content: Content, key },
  GetHistory: {
    id,
    room: Schema.optionalKey(RoomName),
    with: Schema.optionalKey(UserName),
    before: Schema.optionalKey(Seq),
    after: Schema.optionalKey(Seq),
    limit: Schema.optionalKey(HistoryLimit)
  },
  Search: {
    id,
    query: SearchQuery,
    room: Schema.optionalKey(RoomName),
    with: Schema.optionalKey(UserName),
    before: Schema.optionalKey(Seq),
    limit: Schema.optionalKey(HistoryLimit)
  }
})
export type ClientMessage = typeof ClientMessage.Type
