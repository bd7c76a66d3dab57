/**
 * What a client may say: the requests of protocol version 1, from Handshake to Search.
 *
 * Every request may carry an `id`, which its one reply repeats. Unknown fields are ignored, an unknown `_tag` is not a
 * ClientMessage.
 */
import { Schema } from "effect"
import { Cursor, Seq } from "../log/Cursor.ts"
import { Reason, Topic } from "../log/Governing.ts"
import { NewRoomName, RoomName } from "../name/RoomName.ts"
import { UserName } from "../name/UserName.ts"
import { Content } from "../text/Content.ts"
import { text } from "../text/Text.ts"
import { accountRequests, DeviceName, Invite } from "./AccountRequest.ts"
import { Credentials, Password } from "./Credentials.ts"
import { whereabouts } from "./EntryMessage.ts"
import { entryRequests } from "./EntryRequest.ts"
import { MessageKey, RequestId } from "./RequestId.ts"
import { roomRequests } from "./RoomRequest.ts"
import { deviceRequests, sealingRequests } from "./SealingRequest.ts"

/** How many entries one GetHistory may ask for. */
export const maxHistoryLimit = 500
export const HistoryLimit = Schema.Int.check(
  Schema.isBetween(
    { minimum: 1, maximum: maxHistoryLimit },
    { message: `must be a whole number from 1 to ${maxHistoryLimit}` }
  )
)

/** How many entries a GetHistory or a Search without a `limit` gets. */
export const defaultHistoryLimit = 50

/** What is searched for: words, all of which must occur; those in double quotes one after the other. */
export const SearchQuery = text(1, 256).check(
  Schema.isPattern(/[\p{L}\p{N}]/u, {
    message: "must hold a letter or a digit",
    arbitraryConstraint: { patterns: [{ source: '^["* ]?[0-9A-Za-zßÉΣж漢字][ "a-z漢*()-]*$', flags: "u" }] }
  })
)
export type SearchQuery = typeof SearchQuery.Type

const id = Schema.optionalKey(RequestId)
const key = Schema.optionalKey(MessageKey)
const replyTo = Schema.optionalKey(Seq)

const others = {
  Handshake: {
    id,
    user: UserName,
    credentials: Schema.optionalKey(Credentials),
    register: Schema.optionalKey(Schema.Struct({ password: Password, invite: Schema.optionalKey(Invite) })),
    /** What a device that is made by this is to be called. */
    device: Schema.optionalKey(DeviceName),
    after: Schema.optionalKey(Schema.Struct({ lobby: Schema.optionalKey(Cursor), inbox: Schema.optionalKey(Cursor) }))
  },
  GlobalMessage: { id, content: Content, replyTo, key },
  PrivateMessage: { id, to: UserName, content: Content, replyTo, key },
  ListUsers: { id, after: Schema.optionalKey(UserName) },
  CreateRoom: {
    id,
    room: NewRoomName,
    private: Schema.optionalKey(Schema.Boolean),
    topic: Schema.optionalKey(Topic),
    encrypted: Schema.optionalKey(Schema.Boolean)
  },
  OpenConversation: { id, with: UserName },
  JoinRoom: { id, room: RoomName, after: Schema.optionalKey(Cursor) },
  LeaveRoom: { id, room: RoomName },
  ListRooms: { id, after: Schema.optionalKey(RoomName) },
  GetRoom: { id, room: RoomName },
  DeleteRoom: { id, room: RoomName },
  ListRoomUsers: { id, room: RoomName, after: Schema.optionalKey(UserName) },
  RoomMessage: { id, room: RoomName, content: Content, replyTo, key },
  /** Has no reply, unless it is refused. */
  Typing: { id, ...whereabouts },
  Report: { id, ...whereabouts, target: Seq, reason: Reason },
  GetHistory: {
    id,
    room: Schema.optionalKey(RoomName),
    with: Schema.optionalKey(UserName),
    before: Schema.optionalKey(Seq),
    after: Schema.optionalKey(Seq),
    limit: Schema.optionalKey(HistoryLimit),
    only: Schema.optionalKey(Schema.Literals(["messages", "moderation"]))
  },
  Search: {
    id,
    query: SearchQuery,
    room: Schema.optionalKey(RoomName),
    with: Schema.optionalKey(UserName),
    before: Schema.optionalKey(Seq),
    limit: Schema.optionalKey(HistoryLimit)
  }
}
/** What goes its own way; see also `EntryRequest`, `RoomRequest`, `SealingRequest` and `AccountRequest`. */
export const OtherRequest = Schema.TaggedUnion(others)
export type OtherRequest = typeof OtherRequest.Type

const handedOn = {
  ...others,
  ...entryRequests,
  ...roomRequests,
  ...sealingRequests,
  ...deviceRequests,
  ...accountRequests
}
/** What a connection hands on to the server's processors. */
export const HandedOn = Schema.TaggedUnion(handedOn)
export type HandedOn = typeof HandedOn.Type

export const ClientMessage = Schema.TaggedUnion({ ...handedOn, Ping: { id, nonce: Schema.Int }, Disconnect: { id } })
export type ClientMessage = typeof ClientMessage.Type

const encode = Schema.encodeSync(ClientMessage)
/** As it is written: with what is secret in it. */
export const written = (message: ClientMessage): object => (hasSecrets(message) ? encode(message) : message)
const hasSecrets = ClientMessage.isAnyOf(["Handshake", "Register", "ChangePassword", "DeleteAccount"])
