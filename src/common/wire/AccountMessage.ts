/** What the server says of accounts: replies, and what stands in the Welcome to one. Every list has a bound. */
import { Schema } from "effect"
import { Seq, Timestamp } from "../log/Cursor.ts"
import { Role, Topic } from "../log/Governing.ts"
import { RoomName } from "../name/RoomName.ts"
import { UserName } from "../name/UserName.ts"
import { text } from "../text/Text.ts"
import { DeviceId, DeviceName, Fingerprint } from "./AccountRequest.ts"
import { whereabouts } from "./EntryMessage.ts"
import { RequestId } from "./RequestId.ts"

/** So many devices, and so many keys, an account may have. */
export const maxDevices = 32
export const maxKeys = 32
/** So many users it may have blocked. */
export const maxBlocked = 500
/** So many of an account's private conversations are in a Welcome: the newest. */
export const maxConversations = 200
/** So many invitations are in a Welcome: the newest. */
export const maxInvitations = 200
/** A Welcome names no more rooms: the largest MAX_ROOMS_PER_USER there may be. */
const maxRooms = 100_000
/** No more messages are counted as unread. */
export const maxUnread = 1000

const Token = text(1, 1024)

const isTrue = Schema.optionalKey(Schema.Literal(true))
const unread = Schema.Natural.check(Schema.isLessThanOrEqualTo(maxUnread))

/** What a room is about, whether it is there for those alone who were invited, and whether it is encrypted. */
export const about = { topic: Schema.optionalKey(Topic), private: isTrue, encrypted: isTrue }

/** A room that the account is in: its newest place, how far it was read, what is unread, and what of that names the account. */
export const RoomStanding = Schema.Struct({
  room: RoomName,
  seq: Seq,
  read: Seq,
  unread,
  mentions: unread,
  role: Role,
  /** It is the encrypted conversation with this one. */
  with: Schema.optionalKey(UserName),
  ...about
})
export type RoomStanding = typeof RoomStanding.Type

/** A private conversation: the places are those of the account's inbox. */
export const ConversationStanding = Schema.Struct({ with: UserName, seq: Seq, read: Seq, unread })
export type ConversationStanding = typeof ConversationStanding.Type

/** What a Welcome to an account has beside. */
export const standing = {
  admin: isTrue,
  device: Schema.optionalKey(DeviceId),
  token: Schema.optionalKey(Token),
  rooms: Schema.optionalKey(Schema.Array(RoomStanding).check(Schema.isMaxLength(maxRooms))),
  conversations: Schema.optionalKey(Schema.Array(ConversationStanding).check(Schema.isMaxLength(maxConversations))),
  lobbyRead: Schema.optionalKey(Seq),
  /** To rooms it has not joined since. */
  invitations: Schema.optionalKey(
    Schema.Array(Schema.Struct({ room: RoomName, by: UserName })).check(Schema.isMaxLength(maxInvitations))
  )
}

const id = Schema.optionalKey(RequestId)

export const accountMessages = {
  /** Sign the four lines of `ssh/LoginText` with the key, and send a Handshake with a KeyProof. */
  Challenge: { id, nonce: text(1, 128) },
  Registered: { id, token: Token, device: DeviceId },
  PasswordChanged: { id },
  AccountDeleted: { id },
  Devices: {
    id,
    devices: Schema.Array(
      Schema.Struct({
        device: DeviceId,
        name: DeviceName,
        since: Timestamp,
        lastSeen: Timestamp,
        connected: Schema.Boolean,
        here: isTrue
      })
    ).check(Schema.isMaxLength(maxDevices))
  },
  DeviceRemoved: { id, device: DeviceId },
  KeyAdded: { id, fingerprint: Fingerprint },
  Keys: {
    id,
    keys: Schema.Array(
      Schema.Struct({ fingerprint: Fingerprint, name: Schema.optionalKey(DeviceName), since: Timestamp })
    ).check(Schema.isMaxLength(maxKeys))
  },
  KeyRemoved: { id, fingerprint: Fingerprint },
  UserInfo: {
    id,
    user: UserName,
    account: Schema.Boolean,
    connected: Schema.Boolean,
    since: Schema.optionalKey(Timestamp),
    lastSeen: Schema.optionalKey(Timestamp),
    admin: isTrue
  },
  /** A reply, and without an `id` news from another connection of the account. */
  ReadMarked: { id, ...whereabouts, seq: Seq },
  /** In the order of their names. A reply, and without an `id` news from another connection of the account. */
  Blocked: { id, users: Schema.Array(UserName).check(Schema.isMaxLength(maxBlocked)) }
}
