/**
 * Entries as the reference model compares them: what was asked for and what was heard, in one form.
 *
 * Nobody uses words twice in a trace, but to ask for the same thing again under its key: that is how an entry is known
 * again. Reactions alone have none; who reacts, to what, and how is all that tells them apart.
 */
import { nameKey } from "../../src/common/name/Name.ts"
import type { ClientMessage } from "../../src/common/wire/ClientMessage.ts"
import type { EntryMessage } from "../../src/common/wire/EntryMessage.ts"
import type { ServerMessage } from "../../src/common/wire/ServerMessage.ts"
import type { Request, SessionFacts } from "./ReferenceTrace.ts"

export const lobby = "lobby"
export const roomLog = (room: string) => `room ${nameKey(room)}`
/** Where private messages of a guest stand: one for each connection, which is nobody else's. */
export const inboxLog = "inbox"
/** Where those of an account stand, on whatever connection. */
export const inboxOf = (owner: string) => `inbox ${nameKey(owner)}`

/** What an entry holds beside who made it, when and where. */
export type Deed =
  | { readonly kind: "Said"; readonly words: string; readonly target: number | undefined }
  | { readonly kind: "Edited"; readonly words: string; readonly target: number }
  | { readonly kind: "Deleted"; readonly words: string | undefined; readonly target: number }
  | { readonly kind: "Reacted"; readonly words: string; readonly target: number; readonly isRemoved: boolean }

export const nameOf = (deed: Deed): string =>
  JSON.stringify([deed.kind, deed.words, deed.target, deed.kind === "Reacted" && deed.isRemoved])

/** An entry that was heard; without a deed, it was a Tombstone. */
export interface HeardEntry {
  readonly log: string
  readonly seq: number
  readonly at: number
  readonly from: string
  readonly deed: Deed | undefined
  readonly tombstone: { readonly deletedBy: string; readonly deletedAt: number } | undefined
  /** In an inbox, the key of whom it was exchanged with. */
  readonly partner: string | undefined
}

/** The entry of a log that a message is, if it is one. `owner`: the account that hears it; a guest's inbox is no log. */
export const entryIn = (message: ServerMessage, owner?: string): HeardEntry | undefined => {
  switch (message._tag) {
    case "GlobalMessage":
    case "RoomMessage":
    case "PrivateMessage":
      return heard(message, owner, { kind: "Said", words: message.content, target: message.replyTo })
    case "Edited":
      return heard(message, owner, { kind: "Edited", words: message.content, target: message.target })
    case "Deleted":
      return heard(message, owner, { kind: "Deleted", words: message.reason, target: message.target })
    case "Reacted": {
      const { reaction, removed, target } = message
      return heard(message, owner, { kind: "Reacted", words: reaction, target, isRemoved: removed === true })
    }
    case "Tombstone":
      return heard(message, owner, undefined)
    default:
      return undefined
  }
}

const heard = (message: EntryMessage, owner: string | undefined, deed: Deed | undefined): HeardEntry | undefined => {
  const { at, from, seq } = message
  const entry = { seq, at, from, deed, tombstone: message._tag === "Tombstone" ? message : undefined }
  const other = otherIn(message, owner)
  if (other !== undefined) {
    return owner === undefined ? undefined : { ...entry, log: inboxOf(owner), partner: nameKey(other) }
  }
  const room = "room" in message ? message.room : undefined
  return { ...entry, log: room === undefined ? lobby : roomLog(room), partner: undefined }
}

/** Of something private: with whom it was exchanged. */
const otherIn = (message: EntryMessage, owner = ""): string | undefined => {
  if (message._tag !== "PrivateMessage") return "with" in message ? message.with : undefined
  return nameKey(message.from) === nameKey(owner) ? message.to : message.from
}

/** What a request wants to be done. */
const deedOf = (message: ClientMessage | { readonly _tag: "Nonsense" }): Deed | undefined => {
  switch (message._tag) {
    case "GlobalMessage":
    case "RoomMessage":
    case "PrivateMessage":
      return { kind: "Said", words: message.content, target: message.replyTo }
    case "EditMessage":
      return { kind: "Edited", words: message.content, target: message.target }
    case "DeleteMessage":
      return { kind: "Deleted", words: message.reason, target: message.target }
    case "React":
      return {
        kind: "Reacted",
        words: message.reaction,
        target: message.target,
        isRemoved: message.remove === true
      }
    default:
      return undefined
  }
}

/** Whose something is: an account's, on whatever connection, or that of one connection of a guest. */
export type Author = string | number
export const authorOf = ({ id, isAccount, user }: SessionFacts): Author => (isAccount ? nameKey(user ?? "") : id)

/** Somebody wants something done in a log. */
export interface Wish {
  readonly request: Request
  readonly log: string
  readonly from: string
  readonly author: Author
  readonly deed: Deed
  readonly key: string | undefined
  /** In an inbox, the key of whom it is exchanged with. */
  readonly partner: string | undefined
  /** Whether places are those that its sender names: in a receiver's inbox they are not. */
  readonly isOwn: boolean
}

/** Of something private: whom it is for. */
export const receiverOf = (message: Request["message"]): string | undefined => {
  if (message._tag === "PrivateMessage") return message.to
  return "with" in message ? message.with : undefined
}

export const wishOf = (request: Request): Wish | undefined => {
  const { message, session } = request
  const deed = deedOf(message)
  if (deed === undefined || session.user === undefined || message._tag === "Nonsense") return undefined
  const wish = { request, from: session.user, author: authorOf(session), deed, isOwn: true }
  const key = "key" in message ? message.key : undefined
  const receiver = receiverOf(message)
  if (receiver !== undefined) {
    return session.isAccount ? { ...wish, key, log: inboxOf(session.user), partner: nameKey(receiver) } : undefined
  }
  const room = "room" in message ? message.room : undefined
  return { ...wish, key, log: room === undefined ? lobby : roomLog(room), partner: undefined }
}

/** In the inbox of whom it is for, if that is an account. */
const wishForReceiver = (request: Request): Wish | undefined => {
  const { message, session } = request
  const deed = deedOf(message)
  const receiver = receiverOf(message)
  if (deed === undefined || session.user === undefined || receiver === undefined) return undefined
  const from = session.user
  const wish = { request, from, author: authorOf(session), deed, key: undefined, isOwn: false }
  return { ...wish, log: inboxOf(receiver), partner: nameKey(from) }
}

export const wishesOf = (requests: ReadonlyArray<Request>): ReadonlyArray<Wish> =>
  requests.flatMap((request) => [wishOf(request) ?? [], wishForReceiver(request) ?? []].flat())
