/** Why a request was refused: the facts a program needs. The sentence for a person stands beside it in `Rejected`. */
import { Schema } from "effect"
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
  NotAllowed: { action: line(64) },
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
  AccountRequired: { action: line(64) }
})
export type Rejection = typeof Rejection.Type

/** The refusals after which the server closes the connection. */
export const endsConnection = Rejection.isAnyOf([
  "FrameTooLarge",
  "HandshakeRequired",
  "HandshakeTimeout",
  "UserNameTaken",
  "InvalidCredentials",
  "PasswordRequired",
  "TooManyConnections",
  "SlowConsumer",
  "ServerStopping"
])

/** One sentence for a person: what was wrong and what to do. */
export const describe: (rejection: Rejection) => string = Rejection.match({
  InvalidMessage: ({ issue }) => `This is not a valid message: ${issue}. Correct it and send it again.`,
  FrameTooLarge: ({ limit }) => `A line may have ${limit} bytes at most. Send the text in smaller pieces.`,
  HandshakeRequired: () => "The first message must be a Handshake. Connect again and start with one.",
  HandshakeTimeout: () => "No Handshake came in time. Connect again and send one at once.",
  AlreadyIdentified: () => "This connection has a name already. Open another connection to use another name.",
  UserNameTaken: ({ user }) => `The name ${user} is in use. Choose another one.`,
  InvalidCredentials: () =>
    "These credentials are not valid for this name. Check them, or come without any as a guest.",
  PasswordRequired: ({ user }) => `The name ${user} belongs to an account. Give its password, or choose another name.`,
  TooManyAttempts: ({ retryAfter }) => `There were too many attempts. Try again in ${seconds(retryAfter)}.`,
  UserNotFound: ({ user }) => `No user called ${user} is here. Ask for the list of users.`,
  CannotMessageYourself: () => "A private message goes to somebody else. Name another user.",
  RoomExists: ({ room }) => `There is a room called ${room} already. Join it, or choose another name.`,
  RoomNotFound: ({ room }) => `There is no room called ${room}. Create it, or ask for the list of rooms.`,
  AlreadyInRoom: ({ room }) => `You are in the room ${room} already.`,
  NotInRoom: ({ room }) => `You are not in the room ${room}. Join it first.`,
  NotAllowed: ({ action }) => notAllowed[action] ?? `You may not do that (${action}).`,
  RateLimited: ({ retryAfter }) => `That was too fast. Send it again in ${seconds(retryAfter)}.`,
  TooManyRooms: ({ limit }) => `The limit of ${limit} rooms is reached. Leave a room first.`,
  TooManyConnections: () => "The server is full. Try again later.",
  SlowConsumer: () => "This connection did not read what it was sent. Connect again and read faster.",
  ServerStopping: () => "The server is stopping. Connect again later.",
  StorageUnavailable: () =>
    "The server could not carry this out just now. Try again later; a message that has a key, with the same key.",
  SearchTooSlow: ({ limit }) =>
    `The search took longer than ${seconds(limit)}. Search for rarer words, or in one room.`,
  MessageNotFound: ({ seq }) => `There is no message ${seq} here, or not any more. Look at the history for its number.`,
  TooManyReactions: ({ limit }) => `A message keeps ${limit} different reactions. Use one that is there already.`,
  AccountRequired: ({ action }) => `Only accounts can do that (${action}).`
})

/** What to do instead, for what a request may be refused for. */
const notAllowed: Readonly<Record<string, string>> = {
  EditMessage:
    "Only its author can edit a message, on the connection it was sent on, and only for a while. Send another one.",
  DeleteMessage: "Only its author can delete a message, on the connection it was sent on."
}

const seconds = (milliseconds: number) => `${Math.max(0.1, Math.ceil(milliseconds / 100) / 10)} s`
