/**
 * Judges what a server says on one connection, at the moment it says it, by what is on the disk.
 *
 * 1. What is told of a log is on the disk already, and told in its order: without a gap and without a repeat from the
 *    place on that the Welcome or RoomJoined named, which is the client's cursor where it had one.
 * 2. A `Sent` names the place where the disk has the message, and comes after the message itself.
 * 3. Each request has one reply.
 */
import { ClientMessage } from "../../src/common/ClientMessage.ts"
import type { Cursor } from "../../src/common/Cursor.ts"
import { type ChatMessage, ServerMessage, type ServerMessageOf } from "../../src/common/ServerMessage.ts"
import type { UserName } from "../../src/common/UserName.ts"
import { makeSplitter } from "../../src/connection/Frames.ts"
import { type Decoder, makeDecoder } from "../../src/connection/Line.ts"
import { conversationKey } from "../../src/server/messages/Conversation.ts"
import type { Disk } from "./Disk.ts"
import type { Journal } from "./Journal.ts"
import type { Tap } from "./Network.ts"

/** How many missed messages a client is sent at most. */
export const maxReplay = 1000

export const lobbyKey = conversationKey({ _tag: "Lobby" })

/** The log a message is of; undefined of a private message. */
export const logOf = (message: ChatMessage | ClientMessage): string | undefined => {
  if (message._tag === "GlobalMessage") return lobbyKey
  return message._tag === "RoomMessage" ? conversationKey({ _tag: "Room", room: message.room }) : undefined
}

const ofClient = makeDecoder(ClientMessage)
const ofServer = makeDecoder(ServerMessage)

export const watch = (label: string, disk: Disk, journal: Journal): Tap => {
  const open = new Map<string, ClientMessage>()
  /** Where each log stands for this client. */
  const places = new Map<string, number>()
  let user: UserName | undefined

  const accuse = (what: string) => journal.accuse(`${label}: ${what}`)

  const begin = (
    log: string,
    { epoch, seq }: Cursor,
    after: Cursor | undefined,
    reply?: ServerMessageOf<"RoomJoined">
  ) => {
    // It may have waited for the client to read, and the log may have grown since.
    if (seq > disk.newest(log)) accuse(`${log} is said to stand at ${seq}, and stands at ${disk.newest(log)}`)
    const fits = after !== undefined && after.epoch === epoch && after.seq <= seq
    const place = fits ? Math.max(after.seq, seq - maxReplay) : seq
    places.set(log, place)
    if (reply === undefined) return
    if (reply.missed !== seq - place)
      accuse(`${reply.missed} messages of ${log} are said to follow, not ${seq - place}`)
    const truncated = after !== undefined && !(fits && place === after.seq)
    if (reply.truncated !== truncated) accuse(`RoomJoined says truncated: ${reply.truncated} of ${log}`)
  }

  const hearChat = (message: ChatMessage) => {
    const log = logOf(message)
    if (log === undefined) return
    const place = places.get(log)
    const { at, content, from, seq } = message
    const entry = disk.entries(log)[seq - 1]
    if (entry === undefined) accuse(`${log} ${seq} is told and not stored`)
    else if (entry.content !== content || entry.from !== from || entry.at !== at) {
      accuse(`${log} ${seq} is told as "${content}" from ${from} at ${at}, and stored as ${JSON.stringify(entry)}`)
    }
    if (place === undefined) accuse(`${log} ${seq} is told to who is not in`)
    else if (seq !== place + 1) accuse(`${log} ${seq} is told where ${place + 1} comes next`)
    places.set(log, seq)
  }

  const hearSent = ({ at, seq }: ServerMessageOf<"Sent">, request: ClientMessage) => {
    const log = logOf(request)
    if (log === undefined || !("content" in request)) return
    const entry = disk.entries(log)[seq - 1]
    if (entry === undefined) return accuse(`${request.content} is answered with ${seq} and not stored`)
    if (entry.content !== request.content || entry.at !== at || entry.from !== user) {
      accuse(`${request.content} is answered with ${seq} at ${at}, where ${JSON.stringify(entry)} stands`)
    }
    if (user !== undefined && request.key !== undefined && disk.placeOf(log, user, request.key) !== seq) {
      accuse(`${request.content} is answered with ${seq}, and stands under its key elsewhere`)
    }
    const place = places.get(log)
    if (place === undefined || place < seq) accuse(`${request.content} is answered with ${seq} before it is told`)
  }

  const hearReply = (message: ServerMessage, request: ClientMessage) => {
    if (message._tag === "Welcome" && request._tag === "Handshake") {
      user = message.user
      begin(lobbyKey, message.lobby, request.after?.lobby)
    } else if (message._tag === "RoomJoined" && request._tag === "JoinRoom") {
      begin(conversationKey({ _tag: "Room", room: message.room }), message, request.after, message)
    } else if (message._tag === "RoomLeft") places.delete(conversationKey({ _tag: "Room", room: message.room }))
    else if (message._tag === "Sent") hearSent(message, request)
  }

  const hear = (message: ServerMessage) => {
    if ("content" in message) return hearChat(message)
    if (!("id" in message) || message.id === undefined) return
    const request = open.get(message.id)
    if (request === undefined) return accuse(`${message._tag} answers no request, or one that was answered`)
    open.delete(message.id)
    hearReply(message, request)
  }

  return {
    said: eachMessage(ofClient, (message) => {
      journal.note(`${label} >`, message)
      if (message.id !== undefined) open.set(message.id, message)
    }),
    told: eachMessage(ofServer, (message) => {
      journal.note(`${label} <`, message)
      hear(message)
    })
  }
}

/** Cuts bytes into lines and decodes them. What is no message cannot be judged; whoever gets it will complain. */
const eachMessage = <Message extends object>(decode: Decoder<Message>, act: (message: Message) => void) => {
  const splitter = makeSplitter(1 << 24)
  return (bytes: Uint8Array) => {
    for (const line of splitter.push(bytes)) {
      const incoming = decode(line)
      if (incoming._tag === "Message") act(incoming.message)
    }
  }
}
