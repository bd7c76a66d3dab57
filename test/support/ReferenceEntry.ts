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
import type { Request } from "./ReferenceTrace.ts"

export const lobby = "lobby"
export const roomLog = (room: string) => `room ${nameKey(room)}`
/** Where private messages stand: one for each connection. */
export const inboxLog = "inbox"

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
}

/** The entry of the lobby's log or a room's that a message is, if it is one. */
export const entryIn = (message: ServerMessage): HeardEntry | undefined => {
  switch (message._tag) {
    case "GlobalMessage":
    case "RoomMessage":
      return heard(message, { kind: "Said", words: message.content, target: message.replyTo })
    case "Edited":
      return heard(message, { kind: "Edited", words: message.content, target: message.target })
    case "Deleted":
      return heard(message, { kind: "Deleted", words: message.reason, target: message.target })
    case "Reacted": {
      const { reaction, removed, target } = message
      return heard(message, { kind: "Reacted", words: reaction, target, isRemoved: removed === true })
    }
    case "Tombstone":
      return { ...heard(message, undefined), tombstone: message }
    default:
      return undefined
  }
}

type InALog = Exclude<EntryMessage, { readonly _tag: "PrivateMessage" }>

const heard = (message: InALog, deed: Deed | undefined): HeardEntry => {
  const { at, from, seq } = message
  const room = "room" in message ? message.room : undefined
  return { log: room === undefined ? lobby : roomLog(room), seq, at, from, deed, tombstone: undefined }
}

/** What a request wants to be done. */
const deedOf = (message: ClientMessage | { readonly _tag: "Nonsense" }): Deed | undefined => {
  switch (message._tag) {
    case "GlobalMessage":
    case "RoomMessage":
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

/** Somebody wants something done in a log that is shared. */
export interface Wish {
  readonly request: Request
  readonly log: string
  readonly from: string
  readonly deed: Deed
  readonly key: string | undefined
}

export const wishOf = (request: Request): Wish | undefined => {
  const { message, session } = request
  const deed = deedOf(message)
  if (deed === undefined || session.user === undefined || message._tag === "Nonsense") return undefined
  const key = "key" in message ? message.key : undefined
  const room = "room" in message ? message.room : undefined
  return { request, log: room === undefined ? lobby : roomLog(room), from: session.user, deed, key }
}

export const wishesOf = (requests: ReadonlyArray<Request>): ReadonlyArray<Wish> =>
  requests.flatMap((request) => wishOf(request) ?? [])
