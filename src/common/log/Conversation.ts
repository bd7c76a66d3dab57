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
  /** Private messages to and from one user: an account, which keeps it whatever becomes of its name, or a guest. */
  Inbox: { user: UserName, account: Schema.optionalKey(Schema.Natural) }
})
export type Conversation = typeof Conversation.Type
export type Inbox = Extract<Conversation, { readonly _tag: "Inbox" }>

/** A log that has members, all of whom read the same. */
export const SharedConversation = Schema.Union([Conversation.cases.Lobby, Conversation.cases.Room])
export type SharedConversation = typeof SharedConversation.Type

/** Equal for two spellings of one conversation. */
export const conversationKey: (conversation: Conversation) => string = Conversation.match({
  Lobby: () => "lobby",
  Room: ({ room }) => `room:${nameKey(room)}`,
  // No name holds a number sign.
  Inbox: ({ account, user }) => `inbox:${account === undefined ? nameKey(user) : `#${account}`}`
})
