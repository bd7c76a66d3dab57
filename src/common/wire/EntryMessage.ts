/**
 * Entries on the wire, both ways: the one place where a log's entry and what a connection carries meet.
 *
 * A message keeps the tag of its kind of conversation; every other kind has one tag, and says its conversation by `room`,
 * by `with` (the other user of a private conversation), or by neither (the lobby).
 */
import { Schema } from "effect"
import type { SharedConversation } from "../log/Conversation.ts"
import { Seq, Timestamp } from "../log/Cursor.ts"
import { Body, type Entry, maxReactions, Reaction } from "../log/Entry.ts"
import { maxReactors, type View } from "../log/Timeline.ts"
import { RoomName } from "../name/RoomName.ts"
import { UserName } from "../name/UserName.ts"
import { Content } from "../text/Content.ts"

const entry = { seq: Seq, at: Timestamp, from: UserName }
const said = { ...entry, content: Content, replyTo: Schema.optionalKey(Seq) }
/** Which conversation, of entries of any. */
export const whereabouts = { room: Schema.optionalKey(RoomName), with: Schema.optionalKey(UserName) }

/** What was said, as it was said. */
export const chat = {
  GlobalMessage: said,
  PrivateMessage: { ...said, to: UserName },
  RoomMessage: { ...said, room: RoomName }
}
export const ChatMessage = Schema.TaggedUnion(chat)
export type ChatMessage = typeof ChatMessage.Type

const { Deleted, Edited, Reacted, Tombstone } = Body.cases
/** What was done beside. */
export const beside = {
  Edited: { ...whereabouts, ...entry, ...Edited.fields },
  Deleted: { ...whereabouts, ...entry, ...Deleted.fields },
  Reacted: { ...whereabouts, ...entry, ...Reacted.fields },
  Tombstone: { ...whereabouts, ...entry, ...Tombstone.fields }
}

/** An entry as it was made: live, and after a cursor. */
export const EntryMessage = Schema.TaggedUnion({ ...chat, ...beside })
export type EntryMessage = typeof EntryMessage.Type

const asItStands = {
  edited: Schema.optionalKey(Timestamp),
  reactions: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        reaction: Reaction,
        users: Schema.Array(UserName).check(Schema.isMaxLength(maxReactors)),
        count: Schema.Natural
      })
    ).check(Schema.isMaxLength(maxReactions))
  )
}

/** A message as it stands: in History and SearchResults. */
export const StandingMessage = Schema.TaggedUnion({
  GlobalMessage: { ...chat.GlobalMessage, ...asItStands },
  PrivateMessage: { ...chat.PrivateMessage, ...asItStands },
  RoomMessage: { ...chat.RoomMessage, ...asItStands },
  Tombstone: beside.Tombstone
})
export type StandingMessage = typeof StandingMessage.Type

/** How entries of this log read on the wire. */
export const entryMessage = (conversation: SharedConversation): ((entry: Entry) => EntryMessage) => {
  const where = conversation._tag === "Room" ? { room: conversation.room } : {}
  return ({ at, body, from, seq }) => {
    if (body._tag !== "Said") return { ...body, ...where, seq, at, from }
    const { _tag: _, ...text } = body
    return conversation._tag === "Room"
      ? { _tag: "RoomMessage", room: conversation.room, seq, at, from, ...text }
      : { _tag: "GlobalMessage", seq, at, from, ...text }
  }
}

/** How what stands in this log reads on the wire. */
export const standingMessage = (conversation: SharedConversation): ((view: View) => StandingMessage) => {
  const where = conversation._tag === "Room" ? { room: conversation.room } : {}
  return (view) => {
    if (view._tag === "Tombstone") return { ...view, ...where }
    const { _tag: _, reactions, ...text } = view
    const message = reactions.length === 0 ? text : { ...text, reactions }
    return conversation._tag === "Room"
      ? { _tag: "RoomMessage", room: conversation.room, ...message }
      : { _tag: "GlobalMessage", ...message }
  }
}
