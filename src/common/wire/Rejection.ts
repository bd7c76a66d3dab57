/** Why a request was refused: the facts a program needs. The sentence for a person stands beside it in `Rejected`. */
import { Schema } from "effect"
import { Timestamp } from "../log/Cursor.ts"
import { Reason } from "../log/Governing.ts"
import { RoomName } from "../name/RoomName.ts"
import { UserName } from "../name/UserName.ts"
import { line } from "../text/Content.ts"
import { Sentence } from "../text/Text.ts"

/** How long to wait before trying again, in milliseconds. */
const retryAfter = Schema.Natural

export const Rejection = Schema.TaggedUnion({
  InvalidMessage: { issue: Sentence },
  FrameTooLarge: { limit: Schema.Natural },
  HandshakeRequired: {},
  HandshakeTimeout: {},
  AlreadyIdentified: {},
  UserNameTaken: { user: UserName },
  InvalidCredentials: {},
  PasswordRequired: { user: UserName },
  TooManyAttempts: { retryAfter },
  UserNotFound: { user: UserName },
  CannotMessageYourself: {},
  RoomExists: { room: RoomName },
  RoomNotFound: { room: RoomName },
  AlreadyInRoom: { room: RoomName },
  NotInRoom: { room: RoomName },
  /** `why`: the sentence to say, where it depends on more than the action. */
  NotAllowed: { action: line(64), why: Schema.optionalKey(Sentence) },
  RateLimited: { retryAfter },
  TooManyRooms: { limit: Schema.Natural },
  TooManyConnections: {},
  SlowConsumer: {},
  ServerStopping: {},
  StorageUnavailable: {},
  /** `limit`: how long a search may take, in milliseconds. */
  SearchTooSlow: { limit: Schema.Natural },
  /** `seq`: where no message stands, or none any more. */
  MessageNotFound: { seq: Schema.Natural },
  TooManyReactions: { limit: Schema.Natural },
  AccountRequired: { action: line(64) },
  DeviceNotFound: { device: line(64) },
  KeyNotFound: { fingerprint: line(128) },
  AccountExists: { user: UserName },
  /** `to`: the name of an account that this one looks like. */
  NameTooSimilar: { user: UserName, to: UserName },
  InvalidInvite: {},
  RegistrationClosed: {},
  TooManyDevices: { limit: Schema.Natural },
  /** The current key epoch of an encrypted room, and where it began. */
  StaleKeyEpoch: { keyEpoch: Schema.Natural, seq: Schema.Natural },
  /** The newest entry of the list of devices. */
  StaleDeviceList: { n: Schema.Natural },
  EncryptionRequired: { room: Schema.optionalKey(RoomName) },
  DeviceRequired: {},
  /** The account is disabled, or in `room`, one is banned there. */
  Banned: {
    room: Schema.optionalKey(RoomName),
    until: Schema.optionalKey(Timestamp),
    reason: Schema.optionalKey(Reason)
  },
  /** In `room`, or else in the lobby. */
  Muted: {
    room: Schema.optionalKey(RoomName),
    until: Schema.optionalKey(Timestamp),
    reason: Schema.optionalKey(Reason)
  }
})
export type Rejection = typeof Rejection.Type

/** The refusals after which the server closes the connection. */
export const endsConnection = (rejection: Rejection): boolean =>
  alwaysEnds(rejection) || (rejection._tag === "Banned" && rejection.room === undefined)
const alwaysEnds = Rejection.isAnyOf([
  "FrameTooLarge",
  "HandshakeRequired",
  "HandshakeTimeout",
  "UserNameTaken",
  "PasswordRequired",
  "TooManyConnections",
  "SlowConsumer",
  "ServerStopping"
])

/** A Handshake refused for one of these is the last, but who is welcome already stays: guessing on needs another connection. */
export const endsHandshake = (rejection: Rejection): boolean => endsConnection(rejection) || endsStrangers(rejection)
const endsStrangers = Rejection.isAnyOf(["InvalidCredentials", "NameTooSimilar", "TooManyAttempts"])

/** One sentence for a person: what was wrong and what to do. */
export const describe: (rejection: Rejection) => string = Rejection.match({
  InvalidMessage: ({ issue }) => `This is not a valid message: ${issue}. Correct it and send it again.`,
  FrameTooLarge: ({ limit }) => `A line may have ${limit} bytes at most. Send the text in smaller pieces.`,
  HandshakeRequired: () => "The first message must be a Handshake. Connect again and start with one.",
  HandshakeTimeout: () => "No Handshake came in time. Connect again and send one at once.",
  AlreadyIdentified: () => "This connection has a name already. Open another connection to use another name.",
  UserNameTaken: ({ user }) => `The name ${user} is in use. Choose another one.`,
  InvalidCredentials: () =>
    "These credentials are not valid for this name. Check the name and the password, token or key.",
  PasswordRequired: ({ user }) =>
    `The name ${user} needs a login: it belongs to an account, or this server lets no guests in. Log in, register, or choose another name.`,
  TooManyAttempts: ({ retryAfter }) => `There were too many attempts. Try again in ${seconds(retryAfter)}.`,
  UserNotFound: ({ user }) => `No user called ${user} is here. Ask for the list of users.`,
  CannotMessageYourself: () => "A private message goes to somebody else. Name another user.",
  RoomExists: ({ room }) => `There is a room called ${room} already. Join it, or choose another name.`,
  RoomNotFound: ({ room }) =>
    `There is no room called ${room}, or none for you. Create it, ask for the list of rooms, or be invited if it is private.`,
  AlreadyInRoom: ({ room }) => `You are in the room ${room} already.`,
  NotInRoom: ({ room }) => `You are not in the room ${room}. Join it first.`,
  NotAllowed: ({ action, why }) => why ?? notAllowed[action] ?? `You may not do that (${action}).`,
  RateLimited: ({ retryAfter }) =>
    retryAfter > longWait
      ? `That was done too often in an hour. Try again in ${Math.ceil(retryAfter / 60_000)} minutes.`
      : `That was too fast. Send it again in ${seconds(retryAfter)}.`,
  TooManyRooms: ({ limit }) => `The limit of ${limit} rooms is reached. Leave a room first.`,
  TooManyConnections: () =>
    "There are too many connections: to this server, from this address or of this account. Close one, or try again later.",
  SlowConsumer: () => "This connection did not read what it was sent. Connect again and read faster.",
  ServerStopping: () => "The server is stopping. Connect again later.",
  StorageUnavailable: () =>
    "The server could not carry this out just now. Try again later; a message that has a key, with the same key.",
  SearchTooSlow: ({ limit }) =>
    `The search took longer than ${seconds(limit)}. Search for rarer words, or in one room.`,
  MessageNotFound: ({ seq }) => `There is no message ${seq} here, or not any more. Look at the history for its number.`,
  TooManyReactions: ({ limit }) => `A message keeps ${limit} different reactions. Use one that is there already.`,
  AccountRequired: ({ action }) => `Only accounts can do that (${action}). Register first; it takes a password.`,
  DeviceNotFound: ({ device }) => `This account has no device ${device}. Ask for the list of devices.`,
  KeyNotFound: ({ fingerprint }) => `This account has no key ${fingerprint}. Ask for the list of keys.`,
  AccountExists: ({ user }) => `There is an account called ${user} already. Log in, or choose another name.`,
  NameTooSimilar: ({ to, user }) =>
    `The name ${user} looks like ${to}, which belongs to an account. Choose one that cannot be mistaken for it.`,
  InvalidInvite: () => "This invite is not valid, or was used or has run out. Ask whoever runs the server for another.",
  RegistrationClosed: () => "No new accounts are made here, for now or for good. Ask whoever runs the server for one.",
  TooManyDevices: ({ limit }) => `An account has ${limit} devices at most. Remove one that is not used any more.`,
  StaleKeyEpoch: ({ keyEpoch, seq }) =>
    `The keys of this room are those of epoch ${keyEpoch} since entry ${seq}. Catch up to there, remove who is out, and send it again.`,
  StaleDeviceList: ({ n }) => `This list of devices has ${n} entries by now. Read them, and sign the next one.`,
  EncryptionRequired: ({ room }) =>
    room === undefined
      ? "This conversation is encrypted. Send it sealed."
      : `The room ${room} is encrypted. Send it sealed, from a client that can.`,
  DeviceRequired: () =>
    "Only devices that are in the list of an account take part in encrypted conversations. Publish this one first (PublishDevice).",
  Banned: ({ reason, room, until }) => {
    if (room === undefined) {
      return `This account is disabled${until === undefined ? "" : ends(until)}${because(reason)}. Ask whoever runs the server.`
    }
    return `You are banned from the room ${room}${ends(until)}${because(reason)}. A moderator of it can lift that (Unban).`
  },
  Muted: ({ reason, room, until }) => {
    const where = room === undefined ? "in the lobby" : `in the room ${room}`
    const who = room === undefined ? "An admin of the server" : "A moderator of it"
    return `You may not write ${where}${ends(until)}${because(reason)}. ${who} can lift that (Unmute).`
  }
})

const ends = (until: Timestamp | undefined) =>
  until === undefined ? " for good" : ` until ${new Date(until).toISOString().slice(0, 16).replace("T", " ")} UTC`
const because = (reason: string | undefined) => (reason === undefined ? "" : ` (${reason})`)

/** Why a password is not heard. */
const plaintext =
  "This connection is not encrypted: anybody on the way could read the password. Connect with TLS; whoever runs the server can also set ALLOW_PLAINTEXT_PASSWORDS=true."

/** What to do instead, for what a request may be refused for. */
const notAllowed: Readonly<Record<string, string>> = {
  EditMessage:
    "Only its author can edit a message, and only for a while; a guest on the connection it was sent on. Send another one.",
  DeleteMessage:
    "Only its author can delete a message (a guest only on the connection it was sent on), in a room its moderators, and everywhere an admin.",
  Handshake: plaintext,
  Register: plaintext,
  ChangePassword: plaintext,
  DeleteAccount: plaintext,
  DeleteRoom: "Only the owner of a room can delete it, or an admin of the server.",
  AddKey: "An account has 32 keys at most. Remove one that is not used any more."
}

/** What is limited per hour may have to wait for so much longer than a message, in milliseconds. */
const longWait = 120_000

const seconds = (milliseconds: number) => `${Math.max(0.1, Math.ceil(milliseconds / 100) / 10)} s`
