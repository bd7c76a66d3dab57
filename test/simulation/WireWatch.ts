/**
 * Judges what a server says on one connection, at the moment it says it, by what is on the disk.
 *
 * 1. What is told of a log is on the disk already, and told in its order: without a gap and without a repeat from the
 *    place on that the Welcome or RoomJoined named, which is the client's cursor where it had one.
 * 2. A `Sent` names the place where the disk has the message, and comes after the message itself.
 * 3. Each request has one reply, and what that cost was bounded (see `Costs`).
 * 4. Times never go back within a conversation, and what depends on how long something took is right (see `Silence`).
 * 5. A page is what stands in the log, and what is found holds what was searched for.
 */
import { conversationKey } from "../../src/common/log/Conversation.ts"
import type { Cursor } from "../../src/common/log/Cursor.ts"
import type { RoomName } from "../../src/common/name/RoomName.ts"
import type { UserName } from "../../src/common/name/UserName.ts"
import { ClientMessage } from "../../src/common/wire/ClientMessage.ts"
import type { ChatMessage } from "../../src/common/wire/EntryMessage.ts"
import { ServerMessage, type ServerMessageOf } from "../../src/common/wire/ServerMessage.ts"
import { makeSplitter } from "../../src/connection/Frames.ts"
import { type Decoder, makeDecoder } from "../../src/connection/Line.ts"
import { holds, phrasesOf, termsOf } from "../../src/server/search/SearchWords.ts"
import type { Costs, Needs } from "./Costs.ts"
import type { Disk } from "./Disk.ts"
import type { Journal } from "./Journal.ts"
import type { Tap } from "./Network.ts"
import { type Limits, Silence } from "./Silence.ts"

/** How many missed messages a client is sent at most. */
export const maxReplay = 1000

export const lobbyKey = conversationKey({ _tag: "Lobby" })

/** The log a message is of; undefined of a private message. */
export const logOf = (message: ChatMessage | ClientMessage): string | undefined => {
  if (message._tag === "GlobalMessage") return lobbyKey
  return message._tag === "RoomMessage" ? roomKey(message.room) : undefined
}

const roomKey = (room: RoomName) => conversationKey({ _tag: "Room", room })

const ofClient = makeDecoder(ClientMessage)
const ofServer = makeDecoder(ServerMessage)

export interface Witness {
  readonly disk: Disk
  readonly journal: Journal
  readonly costs: Costs
  readonly limits: Limits
  /** The time that only passes, in milliseconds. */
  readonly now: () => number
}

/** Sees one connection, and may be told that the machine stood still. */
export interface Watch extends Tap {
  readonly pause: (millis: number) => void
  readonly isGone: () => boolean
}

export const watch = (label: string, { costs, disk, journal, limits, now }: Witness): Watch => {
  const account = costs.open(label)
  const silence = new Silence(limits, now())
  const open = new Map<string, ClientMessage>()
  /** Where each log stands for this client. */
  const places = new Map<string, number>()
  /** When the last was said that it was told of, by conversation. */
  const times = new Map<string, number>()
  const asked = new Set<string>()
  let inbox = 0
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
    times.delete(log)
    if (place === disk.newest(log)) account.catchUp(log)
    if (reply === undefined) return
    if (reply.missed !== seq - place)
      accuse(`${reply.missed} messages of ${log} are said to follow, not ${seq - place}`)
    const truncated = after !== undefined && !(fits && place === after.seq)
    if (reply.truncated !== truncated) accuse(`RoomJoined says truncated: ${reply.truncated} of ${log}`)
  }

  const hearPrivate = ({ seq }: ChatMessage) => {
    inbox++
    if (seq !== inbox) accuse(`private message ${seq} is told where ${inbox} comes next`)
  }

  const hearChat = (message: ChatMessage) => {
    const log = logOf(message)
    const last = times.get(log ?? "") ?? 0
    if (message.at < last) accuse(`it is told of ${message.at} behind ${last}`)
    times.set(log ?? "", message.at)
    if (log === undefined) return hearPrivate(message)
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
    if (seq === disk.newest(log)) account.catchUp(log)
  }

  const hearPage = (messages: ReadonlyArray<ChatMessage>) => {
    for (const message of messages) {
      const log = logOf(message)
      const entry = log === undefined ? undefined : disk.entries(log)[message.seq - 1]
      if (entry?.content !== message.content || entry.from !== message.from || entry.at !== message.at) {
        accuse(`a page holds ${log} ${message.seq}, which is stored as ${JSON.stringify(entry)}`)
      }
    }
  }

  const hearHistory = ({ messages }: ServerMessageOf<"History">, { after }: ClientMessageOf<"GetHistory">) => {
    hearPage(messages)
    const first = messages.at(0)?.seq ?? 0
    for (const [index, { seq }] of messages.entries()) {
      if (seq !== first + index) accuse(`a page holds ${seq} where ${first + index} comes next`)
    }
    if (after !== undefined && messages.length > 0 && first !== after + 1)
      accuse(`a page behind ${after} begins at ${first}`)
  }

  const hearFindings = ({ messages }: ServerMessageOf<"SearchResults">, { query }: ClientMessageOf<"Search">) => {
    hearPage(messages)
    const phrases = phrasesOf(query)
    for (const { content } of messages) {
      if (!holds(termsOf(content), phrases)) accuse(`"${content}" is found, which does not hold ${query}`)
    }
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
      begin(roomKey(message.room), message, request.after, message)
    } else if (message._tag === "RoomLeft") {
      places.delete(roomKey(message.room))
      account.catchUp(roomKey(message.room))
    } else if (message._tag === "Sent") hearSent(message, request)
    else if (message._tag === "History" && request._tag === "GetHistory") hearHistory(message, request)
    else if (message._tag === "SearchResults" && request._tag === "Search") hearFindings(message, request)
  }

  const hear = (message: ServerMessage, bytes: number) => {
    const wrong = silence.judge(message, now())
    if (wrong !== undefined) accuse(wrong)
    if ("content" in message) return hearChat(message)
    if (!("id" in message) || message.id === undefined) return
    const request = open.get(message.id)
    if (request === undefined) return accuse(`${message._tag} answers no request, or one that was answered`)
    open.delete(message.id)
    account.answer(message.id, message, bytes)
    hearReply(message, request)
  }

  /** Which log is read for the reply, if one is, and how often at most. */
  const needsOf = (request: ClientMessage): Needs | undefined => {
    if (request._tag === "GetHistory") {
      if (request.with !== undefined) return undefined
      return { log: request.room === undefined ? lobbyKey : roomKey(request.room), reads: costs.readsOfPage }
    }
    if (request._tag === "Handshake") return needsToJoin(lobbyKey, request.after?.lobby)
    return request._tag === "JoinRoom" ? needsToJoin(roomKey(request.room), request.after) : undefined
  }

  /** Without a cursor too: something may be said while it is being let in. */
  const needsToJoin = (log: string, after: Cursor | undefined): Needs => ({
    log,
    reads: after === undefined ? 0 : readsOfReplay(disk, log, after.seq)
  })

  const searchedBy = (request: ClientMessage): ReadonlyArray<string> => {
    if (request._tag === "JoinRoom") asked.add(roomKey(request.room))
    if (request._tag !== "Search" || request.with !== undefined) return []
    return request.room === undefined ? [lobbyKey, ...asked] : [roomKey(request.room)]
  }

  return {
    said: eachMessage(ofClient, (message) => {
      costs.happen(1)
      journal.note(`${label} >`, message)
      if (message.id === undefined) return
      open.set(message.id, message)
      account.ask(message.id, message, needsOf(message), searchedBy(message))
    }),
    told: eachMessage(
      ofServer,
      (message, bytes) => {
        costs.happen(1)
        journal.note(`${label} <`, message)
        hear(message, bytes)
      },
      (issue) => accuse(`it is told what is no message: ${issue}`)
    ),
    heard: () => {
      costs.happen(1)
      silence.hear(now())
    },
    gone: () => account.go(),
    pause: (millis) => silence.pause(millis),
    isGone: () => account.isGone
  }
}

type ClientMessageOf<Tag extends ClientMessage["_tag"]> = Extract<ClientMessage, { readonly _tag: Tag }>

/** 500 entries are read at once, or 64 KiB of them: half of that, where the next one would have been too much. */
const readsOfReplay = (disk: Disk, log: string, after: number): number => {
  const missed = disk.entries(log).slice(Math.max(after, disk.newest(log) - maxReplay))
  const bytes = missed.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0)
  return 2 + Math.ceil(missed.length / 500) + Math.ceil(bytes / (32 * 1024))
}

/** Cuts bytes into lines and decodes them. What is no message cannot be judged, and is complained of if anybody wants to. */
const eachMessage = <Message extends object>(
  decode: Decoder<Message>,
  act: (message: Message, bytes: number) => void,
  complain: (issue: string) => void = () => {}
) => {
  const splitter = makeSplitter(1 << 24)
  return (bytes: Uint8Array) => {
    for (const line of splitter.push(bytes)) {
      const incoming = decode(line)
      if (incoming._tag === "Message") act(incoming.message, line.length + 1)
      else complain(incoming._tag === "Malformed" ? incoming.issue : incoming._tag)
    }
  }
}
