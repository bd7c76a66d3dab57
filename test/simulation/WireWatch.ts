/**
 * Judges what a server says on one connection, at the moment it says it, by what is on the disk.
 *
 * 1. What is told of a log is on the disk already, and told in its order: without a gap and without a repeat from the
 *    place on that the Welcome or RoomJoined named, which is the client's cursor where it had one. It is told as it was made;
 *    what has been deleted, and edits of it, may be told as tombstones, and must be to who came afterwards.
 * 2. A `Sent` names the place of the entry that was made, or of the first with its key, or of the reaction that was there
 *    already, and comes after the entry itself (see `Origins`).
 * 3. Each request has one reply, and what that cost was bounded (see `Costs`). What is refused is refused rightly (see
 *    `Refusals`).
 * 4. Times never go back within a conversation, and what depends on how long something took is right (see `Silence`).
 * 5. A page is what stands in the log, and what is found holds what was searched for (see `Pages`).
 */
import { isDeepStrictEqual } from "node:util"
import type { EntryRequest } from "../../src/client/core/Request.ts"
import type { Cursor } from "../../src/common/log/Cursor.ts"
import type { Body } from "../../src/common/log/Entry.ts"
import { nameKey } from "../../src/common/name/Name.ts"
import type { RoomName } from "../../src/common/name/RoomName.ts"
import type { UserName } from "../../src/common/name/UserName.ts"
import { ClientMessage } from "../../src/common/wire/ClientMessage.ts"
import type { EntryMessage } from "../../src/common/wire/EntryMessage.ts"
import { ServerMessage, type ServerMessageOf } from "../../src/common/wire/ServerMessage.ts"
import { makeSplitter } from "../../src/connection/Frames.ts"
import { type Decoder, makeDecoder } from "../../src/connection/Line.ts"
import { authorOfAccount } from "../../src/server/session/AccountId.ts"
import { AccountWatch, type AccountWitness } from "./AccountWatch.ts"
import type { Costs, Needs } from "./Costs.ts"
import type { Disk } from "./Disk.ts"
import { bodyOf, entryOf, isEntry, isEntryRequest, lobbyKey, logOf, roomKey, textBytes } from "./Entries.ts"
import type { Journal } from "./Journal.ts"
import { asAsked } from "./Lawful.ts"
import type { Tap } from "./Network.ts"
import type { Origins } from "./Origins.ts"
import { wrongInFindings, wrongInHistory } from "./Pages.ts"
import { wrongInRefusal } from "./Refusals.ts"
import { type Limits, Silence } from "./Silence.ts"
import type { WorldClock } from "./WorldClock.ts"

/** How many missed messages a client is sent at most. */
export const maxReplay = 1000

const ofClient = makeDecoder(ClientMessage)
const ofServer = makeDecoder(ServerMessage)

export interface Witness {
  readonly disk: Disk
  readonly journal: Journal
  readonly costs: Costs
  readonly origins: Origins
  readonly limits: Limits
  /** How long one may edit, and how large a reply may be: milliseconds and bytes. */
  readonly editWindow: number
  readonly mailboxBytes: number
  readonly clock: WorldClock
  /** There if there are accounts. */
  readonly accounts: AccountWitness | undefined
}

/** A request under way. */
interface Open {
  readonly request: ClientMessage
  /** When it was said: after how many entries of all logs, at which instant, and after how many settings of the clocks. */
  readonly moment: number
  readonly instant: number
  readonly steps: number
  /** How far its asker had been told of the log it is about. */
  readonly told: number
  /** The logs it may search, the first of them in any case. */
  readonly searched: ReadonlyArray<string>
}

/** Somebody came to a log: when it asked to, and what it was told to be the newest. */
interface Coming {
  readonly instant: number
  readonly seq: number
}

/** Sees one connection, and may be told that the machine stood still. */
export interface Watch extends Tap {
  readonly pause: (millis: number) => void
  readonly isGone: () => boolean
}

export const watch = (label: string, witness: Witness): Watch => {
  const { accounts, clock, costs, disk, editWindow, journal, limits, mailboxBytes, origins } = witness
  const { now } = clock
  const account = costs.open(label)
  const silence = new Silence(limits, now())
  const open = new Map<string, Open>()
  /** Where each log stands for this client. */
  const places = new Map<string, number>()
  const comings = new Map<string, Coming>()
  /** When the last was said that it was told of, by conversation. */
  const times = new Map<string, number>()
  const asked = new Set<string>()
  /** The furthest place it was told of by a Sent: replies about one log keep the order of the requests. */
  const done = new Map<string, number>()
  let inbox = 0
  let user: UserName | undefined
  /** Rooms that another connection of its account has left. */
  const putOut = new Set<string>()
  /** Once it has said that it is an account. */
  let own: AccountWatch | undefined
  /** The log of its private messages, if it is one. */
  let inboxKey: string | undefined

  /** Whom something private is exchanged with, as the disk names it. */
  const partnerOf = (request: EntryRequest) => {
    const other = request._tag === "PrivateMessage" ? request.to : "with" in request ? request.with : undefined
    return other === undefined ? undefined : accounts?.safe.partnerNamed(other)
  }

  const accuse = (what: string) => journal.accuse(`${label}: ${what}`)
  const complain = (wrong: string | undefined) => {
    if (wrong !== undefined) accuse(wrong)
  }

  const begin = (
    log: string,
    { epoch, seq }: Cursor,
    after: Cursor | undefined,
    instant: number,
    reply?: ServerMessageOf<"RoomJoined">
  ) => {
    // It may have waited for the client to read, and the log may have grown since.
    if (seq > disk.newest(log)) accuse(`${log} is said to stand at ${seq}, and stands at ${disk.newest(log)}`)
    const fits = after !== undefined && after.epoch === epoch && after.seq <= seq
    const place = fits ? Math.max(after.seq, seq - maxReplay) : seq
    places.set(log, place)
    comings.set(log, { instant, seq })
    times.delete(log)
    if (place === disk.newest(log)) account.catchUp(log)
    if (reply === undefined) return
    if (reply.missed !== seq - place)
      accuse(`${reply.missed} messages of ${log} are said to follow, not ${seq - place}`)
    const truncated = after !== undefined && !(fits && place === after.seq)
    if (reply.truncated !== truncated) accuse(`RoomJoined says truncated: ${reply.truncated} of ${log}`)
  }

  const hearPrivate = ({ seq }: EntryMessage) => {
    inbox++
    if (seq !== inbox) accuse(`private message ${seq} is told where ${inbox} comes next`)
  }

  const hearEntry = (message: EntryMessage) => {
    const name = logOf(message) ?? inboxKey
    const last = times.get(name ?? "") ?? 0
    if (message.at < last) accuse(`it is told of ${message.at} behind ${last}`)
    times.set(name ?? "", message.at)
    if (name === undefined) return hearPrivate(message)
    const { seq } = message
    const entry = entryOf(message)
    const log = disk.log(name)
    const coming = comings.get(name)
    if (log?.made[seq - 1] === undefined) accuse(`${name} ${seq} is told and not stored`)
    else if (log.isTold(entry) === false) {
      accuse(`${name} is told as ${JSON.stringify(entry)}, and stored as ${JSON.stringify(log.made[seq - 1])}`)
    } else if (coming !== undefined && seq <= coming.seq && log.wasDeleted(seq, coming.instant)) {
      if (entry.body._tag !== "Tombstone") accuse(`${name} ${seq} is told, and was deleted before it came`)
    }
    if (entry.body._tag === "Deleted") log?.deletionTold(entry.body.target, disk.instant())
    const place = places.get(name)
    if (place === undefined) accuse(`${name} ${seq} is told to who is not in`)
    else if (seq !== place + 1) accuse(`${name} ${seq} is told where ${place + 1} comes next`)
    places.set(name, seq)
    if (seq === disk.newest(name)) account.catchUp(name)
  }

  const hearSent = ({ at, repeated, seq }: ServerMessageOf<"Sent">, request: EntryRequest, moment: number) => {
    const name = logOf(request) ?? inboxKey
    if (name === undefined || user === undefined) return
    const body = bodyOf(request)
    const log = disk.log(name)
    const entry = log?.made[seq - 1]
    const what = JSON.stringify(body)
    if (log === undefined || entry === undefined) return accuse(`${what} is answered with ${seq} and not stored`)
    if (entry.at !== at || nameKey(entry.from) !== nameKey(user)) {
      accuse(`${what} is answered with ${seq} at ${at}, where ${JSON.stringify(entry)} stands`)
    }
    const first = request.key === undefined ? undefined : disk.placeOf(name, user, request.key, partnerOf(request))
    if (repeated === undefined) {
      if (!isDeepStrictEqual(asAsked(entry.body), body))
        accuse(`${what} is answered with ${seq}: ${JSON.stringify(entry)}`)
      if (request.key !== undefined && first !== seq) accuse(`${what} is ${seq}, and stands under its key at ${first}`)
      complain(origins.made(label, log.authors[seq - 1], own && authorOfAccount(own.member.account)))
    } else if (first !== seq && !log.hasReaction(body, user, seq, moment)) {
      accuse(`${what} is answered with ${seq} as a repeat, of which it is none`)
    }
    // Who is told of a reaction that was there already has stored nothing, and its key may still be used.
    if (request.key !== undefined && first === seq) {
      complain(origins.answered(`${name} ${partnerOf(request) ?? ""}`, user, request.key, seq))
    }
    done.set(name, Math.max(seq, done.get(name) ?? 0))
    const place = places.get(name)
    // What it had said before another connection left is done all the same.
    if (place === undefined && putOut.has(name)) return
    if (place === undefined || place < seq) accuse(`${what} is answered with ${seq} before it is told`)
  }

  const hearRefusal = ({ reason }: ServerMessageOf<"Rejected">, { moment, request, steps }: Open) => {
    if (!isEntryRequest(request)) return
    const latest = steps === clock.steps ? clock.wall() : Infinity
    const author = origins.authorOf(label)
    const name = logOf(request)
    const decided = { log: disk.log(name), moment, done: done.get(name ?? "") ?? 0 }
    const wrong = wrongInRefusal(reason, { request, ...decided, user, author, latest, editWindow })
    if (wrong !== undefined) accuse(`${JSON.stringify(request)}: ${wrong}`)
  }

  const hearReply = (message: ServerMessage, asked: Open, bytes: number) => {
    const { instant, moment, request, searched } = asked
    if (message._tag === "Welcome" && request._tag === "Handshake") {
      user = message.user
      begin(lobbyKey, message.lobby, request.after?.lobby, instant)
      inboxKey = message.account ? accounts?.safe.inboxKey(message.user) : undefined
      if (message.account !== (own !== undefined)) accuse(`it is welcomed as an account: ${message.account}`)
      if (message.inbox !== undefined && inboxKey !== undefined) {
        begin(inboxKey, message.inbox, request.after?.inbox, instant)
      }
    } else if (message._tag === "RoomJoined" && request._tag === "JoinRoom") {
      begin(roomKey(message.room), message, request.after, instant, message)
    } else if (message._tag === "RoomLeft") {
      places.delete(roomKey(message.room))
      account.catchUp(roomKey(message.room))
    } else if (message._tag === "Sent" && isEntryRequest(request)) hearSent(message, request, moment)
    else if (message._tag === "Rejected") hearRefusal(message, asked)
    else if (message._tag === "History" && request._tag === "GetHistory" && request.with === undefined) {
      complain(wrongInHistory(disk, nameOf(request), { reply: message, bytes, maxBytes: mailboxBytes }, request, asked))
    } else if (message._tag === "SearchResults" && request._tag === "Search") {
      // The first that is written in a room may be found although it was not there yet.
      const all = inboxKey === undefined ? searched : searchedBy(request)
      complain(wrongInFindings(disk, all, message, request, asked))
    }
  }

  const hear = (message: ServerMessage, bytes: number) => {
    const wrong = silence.judge(message, now())
    if (wrong !== undefined) accuse(wrong)
    if (isEntry(message)) return hearEntry(message)
    // Another connection of the account has left.
    if (message._tag === "RoomLeft" && message.id === undefined) {
      places.delete(roomKey(message.room))
      putOut.add(roomKey(message.room))
    }
    if (!("id" in message) || message.id === undefined) return
    const asked = open.get(message.id)
    if (asked === undefined) return accuse(`${message._tag} answers no request, or one that was answered`)
    open.delete(message.id)
    account.answer(message.id, message, bytes)
    complain(own?.told(message, asked.request, asked.moment === disk.moment))
    hearReply(message, asked, bytes)
  }

  /** Which log is read for the reply, if one is, and how often at most. */
  const needsOf = (request: ClientMessage): Needs | undefined => {
    if (request._tag === "GetHistory") {
      if (request.with !== undefined) return undefined
      return { log: nameOf(request), reads: costs.readsOfPage }
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
    if (request.room !== undefined) return [roomKey(request.room)]
    // An account may be a member of any, whichever connection asked to join it.
    const all = inboxKey === undefined ? asked : [...disk.logs].filter((log) => log.startsWith("room:"))
    return [lobbyKey, ...all, ...(inboxKey === undefined ? [] : [inboxKey])]
  }

  return {
    said: eachMessage(ofClient, (message) => {
      costs.happen(1)
      journal.note(`${label} >`, message)
      const name = isEntryRequest(message) ? logOf(message) : undefined
      if (name !== undefined && isEntryRequest(message) && dependsOnLog(bodyOf(message))) costs.allowLookup(name)
      if (message._tag === "Handshake" && message.credentials !== undefined && accounts !== undefined) {
        const member = accounts.safe.memberNamed(message.user)
        own = member && new AccountWatch(member, accounts)
      }
      own?.said(message)
      if (message.id === undefined) return
      const searched = searchedBy(message)
      const told = message._tag === "GetHistory" ? (places.get(nameOf(message)) ?? 0) : 0
      const when = { moment: disk.moment, instant: disk.instant(), steps: clock.steps }
      open.set(message.id, { request: message, ...when, told, searched })
      account.ask(message.id, message, needsOf(message), searched)
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

/** The room's log, or else the lobby's. */
const nameOf = ({ room }: { readonly room?: RoomName }) => (room === undefined ? lobbyKey : roomKey(room))

/** Whether it has to be looked up what stands there, before it can be said whether it may be. */
const dependsOnLog = (body: Body): boolean => body._tag !== "Said" || body.replyTo !== undefined

/** 500 entries are read at once, or 64 KiB of them: half of that, where the next one would have been too much. */
const readsOfReplay = (disk: Disk, log: string, after: number): number => {
  const missed = disk.log(log)?.made.slice(Math.max(after, disk.newest(log) - maxReplay)) ?? []
  const bytes = missed.reduce((sum, { body }) => sum + textBytes(body), 0)
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
