/**
 * Entries on the wire, both ways: the one place where a log's entry and what a connection carries meet.
 *
 * A message keeps the tag of its kind of conversation; every other kind has one tag, and says its conversation by `room`,
 * by `with` (the other user of a private conversation), or by neither (the lobby).
 */
import { Schema } from "effect"
import type { Conversation, Inbox } from "../log/Conversation.ts"
import { Seq, Timestamp } from "../log/Cursor.ts"
import { Body, type Entry, maxReactions, Reaction } from "../log/Entry.ts"
import { governing } from "../log/Governing.ts"
import { sealing } from "../log/Sealing.ts"
import { maxReactors, type View } from "../log/Timeline.ts"
import { nameKey } from "../name/Name.ts"
import { RoomName } from "../name/RoomName.ts"
import { UserName } from "../name/UserName.ts"
import { Content } from "../text/Content.ts"

const entry = { seq: Seq, at: Timestamp, from: UserName }
const said = { ...entry, content: Content, replyTo: Schema.optionalKey(Seq) }
/** Which conversation, of entries of any. */
export const whereabouts = { room: Schema.optionalKey(RoomName), with: Schema.optionalKey(UserName) }
const Whereabouts = Schema.Struct(whereabouts)
const Said = Schema.Struct(said)

/** What was said, as it was said. */
export const chat = {
  GlobalMessage: said,
  PrivateMessage: { ...said, to: UserName },
  RoomMessage: { ...said, room: RoomName }
}
export const ChatMessage = Schema.TaggedUnion(chat)
export type ChatMessage = typeof ChatMessage.Type

const { Deleted, Edited, Reacted, Tombstone } = Body.cases
const of = { ...whereabouts, ...entry }
/** What was done to a room, or to somebody in it. */
export const governed = {
  TopicSet: { ...of, ...governing.TopicSet },
  RoleSet: { ...of, ...governing.RoleSet },
  AccessSet: { ...of, ...governing.AccessSet },
  Invited: { ...of, ...governing.Invited },
  Kicked: { ...of, ...governing.Kicked },
  Banned: { ...of, ...governing.Banned },
  Unbanned: { ...of, ...governing.Unbanned },
  Muted: { ...of, ...governing.Muted },
  Unmuted: { ...of, ...governing.Unmuted }
}
/** What was sealed, and what was done to the keys. */
export const sealed = {
  Sealed: { ...of, device: sealing.Sealed.device, keyEpoch: sealing.Sealed.keyEpoch, data: sealing.Sealed.data },
  KeysCommitted: { ...of, ...sealing.KeysCommitted },
  KeysReset: { ...of, ...sealing.KeysReset }
}
/** What was done beside. */
export const beside = {
  Edited: { ...whereabouts, ...entry, ...Edited.fields },
  Deleted: { ...whereabouts, ...entry, ...Deleted.fields },
  Reacted: { ...whereabouts, ...entry, ...Reacted.fields },
  Tombstone: { ...whereabouts, ...entry, ...Tombstone.fields }
}

/** An entry as it was made: live, and after a cursor. */
export const EntryMessage = Schema.TaggedUnion({ ...chat, ...beside, ...sealed, ...governed })
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

/**
 * A message as it stands, in History and SearchResults; in History also what was done to the room, and, where only moderation is
 * asked for, what others than its author deleted. Of an encrypted room History has all entries, as they were made.
 */
export const StandingMessage = Schema.TaggedUnion({
  GlobalMessage: { ...chat.GlobalMessage, ...asItStands },
  PrivateMessage: { ...chat.PrivateMessage, ...asItStands },
  RoomMessage: { ...chat.RoomMessage, ...asItStands },
  Tombstone: beside.Tombstone,
  Deleted: beside.Deleted,
  ...sealed,
  ...governed
})
export type StandingMessage = typeof StandingMessage.Type

/** How entries of this log read on the wire. */
export const entryMessage = (conversation: Conversation): ((entry: Entry) => EntryMessage) => {
  const where = whereIn(conversation)
  const say = sayIn(conversation)
  return ({ body, ...head }) => {
    if (body._tag === "Said") {
      const { _tag: _, ...text } = body
      return say({ ...head, ...text })
    }
    const { at, from, seq } = head
    if (body._tag === "Sealed") {
      const { unheard: _, ...shown } = body
      return { ...shown, ...where(head), seq, at, from }
    }
    return { ...body, ...where(head), seq, at, from }
  }
}

/** How what stands in this log reads on the wire. */
export const standingMessage = (conversation: Conversation): ((view: View) => StandingMessage) => {
  const where = whereIn(conversation)
  const say = sayIn(conversation)
  return (view) => {
    if (view._tag === "Tombstone") {
      const { to: _, ...tombstone } = view
      return { ...tombstone, ...where(view) }
    }
    if (view._tag === "Sealed") {
      const { unheard: _, ...shown } = view
      return { ...shown, ...where(view) }
    }
    if (view._tag !== "Message") return { ...view, ...where(view) }
    const { _tag: _, reactions, ...text } = view
    return say(reactions.length === 0 ? text : { ...text, reactions })
  }
}

type Addressed = Pick<Entry, "from" | "to">

/** Which conversation, of an entry of any kind. */
const whereIn = (conversation: Conversation): ((head: Addressed) => typeof Whereabouts.Type) => {
  switch (conversation._tag) {
    case "Lobby":
      return () => ({})
    case "Room":
      return () => ({ room: conversation.room })
    case "Inbox":
      return (head) => ({ with: partnerIn(conversation, head) })
  }
}

const sayIn = (conversation: Conversation) => {
  /** What is damaged may not say whom it is for. */
  const receiver = (from: UserName) => (conversation._tag === "Inbox" ? conversation.user : from)
  return <Text extends Addressed & Omit<typeof Said.Type, "from">>({ to, ...text }: Text) => {
    switch (conversation._tag) {
      case "Lobby":
        return { _tag: "GlobalMessage" as const, ...text }
      case "Room":
        return { _tag: "RoomMessage" as const, room: conversation.room, ...text }
      case "Inbox":
        return { _tag: "PrivateMessage" as const, to: to ?? receiver(text.from), ...text }
    }
  }
}

/** Whom an entry of an inbox was exchanged with. */
const partnerIn = ({ user }: Inbox, { from, to }: Addressed): UserName =>
  to !== undefined && nameKey(from) === nameKey(user) ? to : from
