/**
 * Requests and messages as what they are about: an entry of a log, and which log. Written anew, not taken from the server,
 * whose own way of saying it is what is judged.
 */
import type { EntryRequest, RoomRequest } from "../../src/client/core/Request.ts"
import { conversationKey } from "../../src/common/log/Conversation.ts"
import type { Body, Entry } from "../../src/common/log/Entry.ts"
import { type Governing, type GoverningTag, isGoverning } from "../../src/common/log/Governing.ts"
import { isSealing } from "../../src/common/log/Sealing.ts"
import type { View } from "../../src/common/log/Timeline.ts"
import type { RoomName } from "../../src/common/name/RoomName.ts"
import type { UserName } from "../../src/common/name/UserName.ts"
import { ClientMessage } from "../../src/common/wire/ClientMessage.ts"
import type { EntryMessage, StandingMessage } from "../../src/common/wire/EntryMessage.ts"
import { isRoomRequest } from "../../src/common/wire/RoomRequest.ts"
import { ServerMessage } from "../../src/common/wire/ServerMessage.ts"

export const lobbyKey = conversationKey({ _tag: "Lobby" })

export const roomKey = (room: RoomName): string => conversationKey({ _tag: "Room", room })

/** Where a message says that it belongs: with neither, to the lobby. */
interface Whereabouts {
  readonly room?: RoomName
  readonly with?: UserName
}

const logAt = ({ room, with: other }: Whereabouts): string | undefined => {
  if (other !== undefined) return undefined
  return room === undefined ? lobbyKey : roomKey(room)
}

/** What is told of a log, each entry by itself. */
export const isEntry = ServerMessage.isAnyOf([
  "GlobalMessage",
  "PrivateMessage",
  "RoomMessage",
  "Edited",
  "Deleted",
  "Reacted",
  "Tombstone",
  "TopicSet",
  "RoleSet",
  "AccessSet",
  "Invited",
  "Kicked",
  "Banned",
  "Unbanned",
  "Muted",
  "Unmuted"
])

/** What makes an entry of a log. */
export const isEntryRequest = ClientMessage.isAnyOf([
  "GlobalMessage",
  "PrivateMessage",
  "RoomMessage",
  "EditMessage",
  "DeleteMessage",
  "React",
  "SetTopic",
  "SetRole",
  "SetAccess",
  "InviteUser",
  "Kick",
  "Ban",
  "Unban",
  "Mute",
  "Unmute"
])
/** The log a message is of, or a request is about; undefined where that is nobody's but two people's. */
export const logOf = (message: EntryMessage | StandingMessage | EntryRequest): string | undefined => {
  if (message._tag === "PrivateMessage") return undefined
  return message._tag === "GlobalMessage" ? lobbyKey : logAt(message)
}

/** The entry that a message tells of. */
export const entryOf = (message: EntryMessage): Entry => {
  const { at, from, seq } = message
  return { seq, at, from, body: bodyTold(message) }
}

const bodyTold = (message: EntryMessage): Body => {
  if (isGoverning(message)) return deedTold(message)
  switch (message._tag) {
    case "Edited":
      return { _tag: "Edited", target: message.target, content: message.content }
    case "Deleted":
      return {
        _tag: "Deleted",
        target: message.target,
        ...(message.reason !== undefined && { reason: message.reason }),
        ...(message.moderated && { moderated: message.moderated })
      }
    case "Reacted": {
      const { reaction, removed, target } = message
      return { _tag: "Reacted", target, reaction, ...(removed && { removed }) }
    }
    case "Tombstone":
      return { _tag: "Tombstone", deletedBy: message.deletedBy, deletedAt: message.deletedAt }
    case "KeysCommitted":
    case "KeysReset":
    case "Sealed":
      throw new Error(`Nobody here seals anything, and still ${message._tag} was told`)
    default:
      return said(message)
  }
}

/** What was done to a room: all that is told, but for where it stands. */
const deedTold = (message: Extract<EntryMessage, { readonly _tag: GoverningTag }>): Governing => {
  const { at: _at, from: _from, room: _room, seq: _seq, with: _with, ...deed } = message
  return deed
}

/** The entry that a request is to make. */
export const bodyOf = (request: EntryRequest): Body => {
  if (isRoomRequest(request)) return deedAsked(request)
  switch (request._tag) {
    case "EditMessage":
      return { _tag: "Edited", target: request.target, content: request.content }
    case "DeleteMessage":
      return {
        _tag: "Deleted",
        target: request.target,
        ...(request.reason !== undefined && { reason: request.reason })
      }
    case "React": {
      const { reaction, remove, target } = request
      return { _tag: "Reacted", target, reaction, ...(remove && { removed: remove }) }
    }
    default:
      return said(request)
  }
}

/** What is to be done to a room; until when it binds, only the entry can say. */
const deedAsked = (request: RoomRequest): Governing => {
  const because = "reason" in request && request.reason !== undefined ? { reason: request.reason } : {}
  switch (request._tag) {
    case "SetTopic":
      return { _tag: "TopicSet", topic: request.topic }
    case "SetRole":
      return { _tag: "RoleSet", user: request.user, role: request.role }
    case "SetAccess":
      return { _tag: "AccessSet", private: request.private }
    case "InviteUser":
      return { _tag: "Invited", user: request.user }
    case "Kick":
      return { _tag: "Kicked", user: request.user, ...because }
    case "Ban":
      return { _tag: "Banned", user: request.user, ...because }
    case "Unban":
      return { _tag: "Unbanned", user: request.user }
    case "Mute":
      return { _tag: "Muted", user: request.user, ...because }
    case "Unmute":
      return { _tag: "Unmuted", user: request.user }
  }
}

const said = ({ content, replyTo }: { readonly content: string; readonly replyTo?: number }): Body => ({
  _tag: "Said",
  content,
  ...(replyTo !== undefined && { replyTo })
})

/** A message as it is told to stand. */
export const viewOf = (message: StandingMessage): View => {
  const { at, from, seq } = message
  if (message._tag === "Tombstone") {
    return { _tag: "Tombstone", seq, at, from, deletedBy: message.deletedBy, deletedAt: message.deletedAt }
  }
  if (isGoverning(message)) return { ...deedTold(message), seq, at, from }
  if (message._tag === "Deleted") {
    const { moderated, reason, target } = message
    return {
      _tag: "Deleted",
      target,
      ...(reason !== undefined && { reason }),
      ...(moderated && { moderated }),
      seq,
      at,
      from
    }
  }
  if (isSealing(message)) throw new Error(`Nobody here seals anything, and still ${message._tag} was told`)
  const { content, edited, reactions = [], replyTo } = message
  const optional = { ...(replyTo !== undefined && { replyTo }), ...(edited !== undefined && { edited }) }
  return { _tag: "Message", seq, at, from, content, ...optional, reactions }
}

/** How many bytes of text an entry has, or a message as it stands. */
export const textBytes = (what: object): number =>
  "content" in what && typeof what.content === "string" ? Buffer.byteLength(what.content) : 0
