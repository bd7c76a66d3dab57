/** Which log a message belongs to. */
import { Schema } from "effect"
import { nameKey } from "../name/Name.ts"
import { RoomName } from "../name/RoomName.ts"
import { UserName } from "../name/UserName.ts"

export const Conversation = Schema.TaggedUnion({
  /** Everyone connected. */
  Lobby: {},
  /** The members of a room. */
  Room: { room: RoomName },
  /** Private messages to and from one user. */
  Inbox: { user: UserName }
})
export type Conversation = typeof Conversation.Type

/** A log that has members, all of whom read the same. */
export const SharedConversation = Schema.Union([Conversation.cases.Lobby, Conversation.cases.Room])
export type SharedConversation = typeof SharedConversation.Type

/** Equal for two spellings of one conversation. */
export const conversationKey: (conversation: Conversation) => string = Conversation.match({
  Lobby: () => "lobby",
  Room: ({ room }) => `room:${nameKey(room)}`,
  Inbox: ({ user }) => `inbox:${nameKey(user)}`
})
