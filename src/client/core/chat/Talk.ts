/**
 * One conversation as a person has it: what is at hand of it, what of that is unread, what they are about to say there, and what they
 * said that is on its way. Pure.
 */
import type { Seq, Timestamp } from "../../../common/log/Cursor.ts"
import type { Role } from "../../../common/log/Governing.ts"
import { mentions } from "../../../common/log/Mentions.ts"
import { type NameKey, nameKey } from "../../../common/name/Name.ts"
import { isConversationRoom } from "../../../common/name/RoomName.ts"
import { UserName } from "../../../common/name/UserName.ts"
import type { EncryptionState } from "../Encryption.ts"
import type { HeardEntry, Whereabouts } from "../Heard.ts"
import * as Moves from "./Moves.ts"
import * as Outgoing from "./Outgoing.ts"
import * as Unread from "./Unread.ts"
import * as Window from "./Window.ts"

export interface Talk {
  readonly where: Whereabouts
  readonly window: Window.Window
  /** Who came and went between the messages; no part of the log, and never unread. */
  readonly moves: Moves.Moves
  readonly unread: Unread.Unread
  /** The mark that the server knows, or is being told. */
  readonly marked: Seq
  /** What the server said last of what is unread, up to which place. */
  readonly told: { readonly seq: Seq; readonly unread: number; readonly mentions: number } | undefined
  /** Behind this place all is new to who looks, until they have looked elsewhere; none if nothing is. */
  readonly newFrom: Seq | undefined
  /** The message on which the view stays, if somebody has gone back; else it follows what comes. */
  readonly anchor: Seq | undefined
  /** What is being typed. */
  readonly draft: string
  /** What the draft answers. */
  readonly replyTo: Seq | undefined
  /** Which of one's own messages the draft is to replace. */
  readonly editing: Seq | undefined
  readonly outbox: Outgoing.Outbox
  /** Whether one is in the room; in the lobby and in private always. */
  readonly isIn: boolean
  readonly role: Role | undefined
  readonly topic: string | undefined
  readonly isPrivate: boolean
  /** Of an encrypted room, how it stands for this device; and with whom it is, if it is the conversation of two. */
  readonly sealed: { readonly state: EncryptionState; readonly isVerified: boolean } | undefined
  readonly partner: UserName | undefined
  /** Who is about to say something, until when that may be believed (epoch milliseconds). */
  readonly typing: ReadonlyMap<NameKey, { readonly user: UserName; readonly until: Timestamp }>
}

/** Equal for two spellings of one conversation. */
export const keyOf = ({ room, with: other }: Whereabouts): string => {
  if (room !== undefined) return `room ${nameKey(room)}`
  return other === undefined ? "lobby" : `with ${nameKey(other)}`
}

export const make = (where: Whereabouts, read: Seq): Talk => ({
  where,
  window: Window.make(where),
  moves: Moves.empty,
  unread: Unread.upTo(read),
  marked: read,
  told: undefined,
  newFrom: undefined,
  anchor: undefined,
  draft: "",
  replyTo: undefined,
  editing: undefined,
  outbox: [],
  isIn: true,
  role: undefined,
  topic: undefined,
  isPrivate: false,
  sealed: undefined,
  partner: undefined,
  typing: new Map()
})

/** Who reads it, and whom they do not want to hear. */
export interface Reader {
  readonly user: UserName
  readonly isHidden: (user: UserName) => boolean
}

/** What a message is to this reader. */
export const meaningOf = (entry: HeardEntry, { isHidden, user }: Reader): "mention" | "message" | "nothing" => {
  const isMessage = entry._tag === "GlobalMessage" || entry._tag === "RoomMessage" || entry._tag === "PrivateMessage"
  if (!isMessage || nameKey(entry.from) === nameKey(user) || isHidden(entry.from)) return "nothing"
  return mentions(entry.content, user) ? "mention" : "message"
}

const keptIn = ({ anchor }: Pick<Talk, "anchor">): Window.Kept => (anchor === undefined ? "newest" : "oldest")

/** After the next entry of its log. */
export const hear = (talk: Talk, entry: HeardEntry, reader: Reader): Talk => {
  const isOwn = nameKey(entry.from) === nameKey(reader.user)
  const content = "content" in entry && entry._tag !== "Edited" ? entry.content : undefined
  const unread = entry._tag === "Deleted" ? Unread.remove(talk.unread, entry.target) : talk.unread
  const isTyped = content !== undefined || entry._tag === "Edited"
  const typing = isTyped && talk.typing.has(nameKey(entry.from)) ? without(talk.typing, entry.from) : talk.typing
  return {
    ...governedBy(talk, entry, reader.user),
    window: Window.follow(talk.window, entry, keptIn(talk)),
    unread: Unread.hear(unread, entry.seq, meaningOf(entry, reader)),
    outbox: isOwn && content !== undefined ? outboxAfter(talk.outbox, { ...entry, content }) : talk.outbox,
    typing
  }
}

/** What of a sitting before was on its way may come by itself, where it is encrypted. */
const outboxAfter = (
  outbox: Outgoing.Outbox,
  said: { readonly seq: Seq; readonly at: Timestamp; readonly content: string }
) => Outgoing.found(Outgoing.heard(outbox, said.seq, said.content), [said])

/** After others than this one came and went. */
export const hearMoves = (talk: Talk, change: Moves.Change, user: UserName, now: Timestamp): Talk => {
  const moves = Moves.hear(talk.moves, talk.window, change, user, now)
  return moves === talk.moves ? talk : { ...talk, moves }
}

const without = <A>(map: ReadonlyMap<NameKey, A>, user: UserName): ReadonlyMap<NameKey, A> => {
  const rest = new Map(map)
  rest.delete(nameKey(user))
  return rest
}

/** What an entry makes of the room. */
const governedBy = (talk: Talk, entry: HeardEntry, user: UserName): Talk => {
  switch (entry._tag) {
    case "TopicSet":
      return { ...talk, topic: entry.topic === "" ? undefined : entry.topic }
    case "AccessSet":
      return { ...talk, isPrivate: entry.private }
    case "RoleSet":
      if (nameKey(entry.user) === nameKey(user)) return { ...talk, role: entry.role }
      // Who hands a room over moderates it.
      return entry.role === "owner" && talk.role === "owner" ? { ...talk, role: "moderator" } : talk
    default:
      return talk
  }
}

/** Some entries of its log were left out: the server has counted what of them is unread, or else any of them may be. */
export const miss = (talk: Talk, missing: number): Talk => {
  const { told, unread } = talk
  const isCounted = told !== undefined && told.seq > unread.counted
  return {
    ...talk,
    window: Window.broken(talk.window, keptIn(talk)),
    unread: isCounted ? Unread.counted(unread.read, told.seq, told) : Unread.miss(unread, missing)
  }
}

/** The log is another one from here on: of what is typed the words stay, but what they were to replace or answer is in it no more. */
export const begunAnew = (talk: Talk): Talk => ({
  ...talk,
  replyTo: undefined,
  editing: undefined,
  window: Window.ended(talk.window),
  moves: Moves.empty,
  unread: Unread.carried(talk.unread),
  marked: 0,
  told: undefined,
  newFrom: undefined,
  anchor: talk.anchor === undefined ? undefined : Window.placeInPast(talk.window, talk.anchor)
})

/** The mark of the account is at this place, whoever set it. */
export const marked = (talk: Talk, seq: Seq): Talk => ({
  ...talk,
  marked: Math.max(talk.marked, seq),
  unread: Unread.mark(talk.unread, seq)
})

/** Whether all that is counted is at hand and in view, for who looks. */
const isInView = ({ anchor, window }: Talk): boolean =>
  anchor === undefined && window.isAtEnd && (window.entries.length > 0 || !window.hasOlder)

/** Somebody looks at it: what is in view is read. */
export const look = (talk: Talk): Talk => {
  const { counted, read } = talk.unread
  const isAllRead = Unread.unread(talk.unread) === 0
  if (!isInView(talk) || (isAllRead && read >= counted)) return talk
  return { ...talk, newFrom: isAllRead ? talk.newFrom : (talk.newFrom ?? read), unread: Unread.all(talk.unread) }
}

/** Nobody looks at it any more: what was new is not. */
export const leave = (talk: Talk): Talk => (talk.newFrom === undefined ? talk : { ...talk, newFrom: undefined })

export const unread = (talk: Talk): number => Unread.unread(talk.unread)

/** In private everything is meant for one. */
export const mentionsIn = (talk: Pick<Talk, "partner" | "unread" | "where">): number =>
  isPersonal(talk) ? Unread.unread(talk.unread) : Unread.mentions(talk.unread)

/** To people a conversation of two is with somebody, whether or not it is encrypted. */
export const addresseeOf = ({ partner, where }: Pick<Talk, "partner" | "where">): Whereabouts =>
  partner === undefined ? where : { with: partner }

/** Whether it is between two. */
export const isPersonal = ({ partner, where }: Pick<Talk, "partner" | "where">): boolean =>
  where.with !== undefined || partner !== undefined

/** The same, by where it is. */
export const isOfTwo = ({ room, with: other }: Whereabouts): boolean =>
  other !== undefined || (room !== undefined && isConversationRoom(room))
