/**
 * A server in miniature with a lobby, two rooms and an inbox, and one person before it: what the state of the screens is held to.
 * Every count is made anew, message by message, over the log as it stands.
 */
import { Arbitrary } from "effect"
import * as ChatState from "../../../../src/client/core/chat/ChatState.ts"
import * as Due from "../../../../src/client/core/chat/Due.ts"
import * as Intention from "../../../../src/client/core/chat/Intention.ts"
import * as Talk from "../../../../src/client/core/chat/Talk.ts"
import type { ClientEvent } from "../../../../src/client/core/ClientEvent.ts"
import { type Whereabouts, whereaboutsOf } from "../../../../src/client/core/Heard.ts"
import type { Conversation } from "../../../../src/common/log/Conversation.ts"
import { Epoch } from "../../../../src/common/log/Cursor.ts"
import type { Body, Entry } from "../../../../src/common/log/Entry.ts"
import { mentions } from "../../../../src/common/log/Mentions.ts"
import * as Timeline from "../../../../src/common/log/Timeline.ts"
import { RoomName } from "../../../../src/common/name/RoomName.ts"
import { UserName } from "../../../../src/common/name/UserName.ts"
import { entryMessage, standingMessage } from "../../../../src/common/wire/EntryMessage.ts"
import type { ServerMessage, ServerMessageOf } from "../../../../src/common/wire/ServerMessage.ts"
import { oneOf, wholeNumber } from "../../../support/generators.ts"

const [ada, bob, eve] = [UserName.make("ada"), UserName.make("bob"), UserName.make("eve")]
const [dev, ops] = [RoomName.make("dev"), RoomName.make("ops")]
const epoch = Epoch.make("first")

/** Where things happen; eve is blocked. */
export const places: ReadonlyArray<Whereabouts> = [{}, { room: dev }, { room: ops }, { with: bob }, { with: eve }]
const lobby: Conversation = { _tag: "Lobby" }
const inbox: Conversation = { _tag: "Inbox", user: ada }
const logs: ReadonlyArray<Conversation> = [lobby, { _tag: "Room", room: dev }, { _tag: "Room", room: ops }, inbox]
const logOf = ({ room, with: other }: Whereabouts) => {
  if (other !== undefined) return inbox
  return (
    logs.find(
      (one) => one._tag === (room === undefined ? "Lobby" : "Room") && (one._tag !== "Room" || one.room === room)
    ) ?? lobby
  )
}

/** What happens, or what the person does. Numbers choose among what there is. */
export interface Step {
  readonly do:
    | "answer"
    | "another device reads"
    | "another device says"
    | "away"
    | "back"
    | "delete"
    | "discard"
    | "here"
    | "lose"
    | "move"
    | "page up"
    | "react"
    | "refuse"
    | "retry"
    | "return"
    | "return with a gap"
    | "say"
    | "show"
    | "submit"
    | "submit late"
    | "type"
  readonly place: number
  readonly number: number
  readonly isMention: boolean
}

export const someStep: Arbitrary.Arbitrary<Step> = Arbitrary.all({
  do: oneOf<Step["do"]>(
    "say",
    "say",
    "say",
    "say",
    "another device reads",
    "another device says",
    "away",
    "here",
    "back",
    "page up",
    "delete",
    "react",
    "discard",
    "lose",
    "move",
    "move",
    "return",
    "return with a gap",
    "retry",
    "show",
    "show",
    "submit",
    "submit",
    "submit late",
    "type",
    "type",
    "answer",
    "answer",
    "refuse"
  ),
  place: wholeNumber(0, places.length - 1),
  number: wholeNumber(0, 6),
  isMention: Arbitrary.map(wholeNumber(0, 2), (number) => number === 0)
})

interface Sent extends Intention.Submission {
  readonly where: Whereabouts
}

export class ChatWorld {
  state = ChatState.empty
  readonly #logs = new Map<Conversation, ReadonlyArray<Entry>>(logs.map((log) => [log, []]))
  /** Up to where the client has heard of each log, or been told what of it is unread. */
  readonly #heard = new Map<Conversation, number>(logs.map((log) => [log, 0]))
  /** The mark of each place that the server knows. */
  readonly #marks = new Map<Whereabouts, number>(places.map((place) => [place, 0]))
  /** How far the person has read, here or elsewhere. */
  readonly #read = new Map<Whereabouts, number>(places.map((place) => [place, 0]))
  #isConnected = false
  #wasConnected = false
  #underWay: Array<Sent> = []
  /** Every text that was typed and submitted, and what became of it. */
  readonly typed: Array<string> = []
  readonly delivered: Array<{ readonly where: Whereabouts; readonly content: string }> = []
  readonly discarded: Array<string> = []
  readonly problems: Array<string> = []

  #log(log: Conversation) {
    return this.#logs.get(log) ?? []
  }

  #add(where: Whereabouts, from: UserName, body: Body): Entry {
    const log = logOf(where)
    const seq = this.#log(log).length + 1
    const to = where.with === undefined ? {} : { to: from === ada ? where.with : ada }
    const entry: Entry = { seq, at: seq, from, ...to, body }
    this.#logs.set(log, [...this.#log(log), entry])
    if (this.#isConnected) this.#deliver(log, entry)
    return entry
  }

  #deliver(log: Conversation, entry: Entry) {
    this.#heard.set(log, Math.max(entry.seq, this.#heard.get(log) ?? 0))
    this.#hear({ _tag: "Received", message: this.#wire(log, entry) })
  }

  #wire(log: Conversation, entry: Entry) {
    const message = entryMessage(log)(entry)
    // What is done to a message of an inbox is exchanged with whom the message was.
    const target = "target" in entry.body ? this.#log(log)[entry.body.target - 1] : undefined
    if (log !== inbox || target === undefined || !("with" in message)) return message
    return { ...message, with: whereaboutsOf(entryMessage(log)(target), ada).with ?? bob }
  }

  #hear(event: ClientEvent) {
    this.state = ChatState.hear(this.state, event, 0)
    this.#noteRead()
  }

  #set(state: ChatState.ChatState) {
    this.state = state
    this.#noteRead()
  }

  /** What is in view is read; and the server is told at once, if it can be. */
  #noteRead() {
    const { shown, isLooking } = this.state
    const where = places.find((place) => Talk.keyOf(place) === shown) ?? {}
    const talk = ChatState.shownTalk(this.state)
    const { entries, hasOlder, isAtEnd } = talk.window
    const isInView = talk.anchor === undefined && isAtEnd && (entries.length > 0 || !hasOlder)
    if (isLooking && isInView) this.#reads(where, this.#heard.get(logOf(where)) ?? 0)
    if (!this.#isConnected) return
    for (const { seq, where: read } of Due.due(this.state)) {
      const place = places.find((one) => Talk.keyOf(one) === Talk.keyOf(read)) ?? {}
      if (seq > (this.#read.get(place) ?? 0)) this.problems.push(`${Talk.keyOf(read)} is told as read up to ${seq}`)
      this.#marks.set(place, Math.max(seq, this.#marks.get(place) ?? 0))
    }
    this.state = Due.told(this.state)
  }

  #reads(where: Whereabouts, seq: number) {
    this.#read.set(where, Math.max(seq, this.#read.get(where) ?? 0))
  }

  /** The messages of others there behind a place, as they stand after all up to another. */
  #unreadIn(where: Whereabouts, read: number, upTo: number) {
    const log = logOf(where)
    return [...Timeline.of(this.#log(log).slice(0, upTo)).values()].filter(
      (message): message is Timeline.StandingMessage =>
        message._tag === "Message" &&
        message.seq > read &&
        message.from !== ada &&
        message.from !== eve &&
        (where.with === undefined || where.with === message.from)
    )
  }

  #counts(where: Whereabouts, read: number, upTo: number) {
    const all = this.#unreadIn(where, read, upTo)
    return { unread: all.length, mentions: all.filter(({ content }) => mentions(content, ada)).length }
  }

  /** At least so much is unread, and no more where all of it was heard of one by one. */
  expected(where: Whereabouts) {
    return this.#counts(where, this.#read.get(where) ?? 0, this.#heard.get(logOf(where)) ?? 0)
  }

  #welcome(): ServerMessageOf<"Welcome"> {
    const standing = (where: Whereabouts) => {
      const read = this.#marks.get(where) ?? 0
      const seq = this.#log(logOf(where)).length
      return { seq, read, ...this.#counts(where, read, seq) }
    }
    const [, first, second, ...partners] = places
    return {
      _tag: "Welcome",
      user: ada,
      protocol: 1,
      server: { name: "parley", version: "1" },
      account: true,
      lobby: { epoch, seq: this.#log(lobby).length },
      lobbyRead: this.#marks.get(places[0] ?? {}) ?? 0,
      rooms: [first, second].flatMap((where) =>
        where?.room === undefined ? [] : [{ room: where.room, role: "member" as const, ...standing(where) }]
      ),
      conversations: partners.flatMap((where) => {
        if (where.with === undefined) return []
        const { mentions: _, ...counted } = standing(where)
        return [{ with: where.with, ...counted }]
      })
    }
  }

  connect() {
    this.#isConnected = this.#wasConnected = true
    const welcome = this.#welcome()
    for (const log of logs) this.#heard.set(log, this.#log(log).length)
    this.#reads(places[0] ?? {}, this.#log(lobby).length)
    for (const [place, mark] of this.#marks) this.#reads(place, mark)
    this.#hear({ _tag: "Connected", welcome })
    this.#hear({ _tag: "Received", message: { _tag: "Blocked", users: [eve] } })
    this.#load()
  }

  /** What was missed comes; of the rooms and the lobby perhaps only the last of it. */
  #reconnect(isCut: boolean) {
    if (this.#isConnected || !this.#wasConnected) return
    this.#isConnected = true
    const welcome = this.#welcome()
    for (const [place, mark] of this.#marks) this.#reads(place, mark)
    this.#hear({ _tag: "Reconnected", missed: 0, welcome })
    for (const log of logs) {
      const missed = this.#log(log).slice(this.#heard.get(log) ?? 0)
      const left = isCut && log._tag === "Room" ? missed.slice(0, -1) : []
      if (log._tag === "Room") {
        const joined = { room: log.room, epoch, seq: this.#log(log).length, users: [ada], count: 1 }
        const missing = missed.length - left.length
        this.#hear({
          _tag: "Rejoined",
          joined: { _tag: "RoomJoined", ...joined, missed: missing, truncated: left.length > 0 },
          missed: missed.length
        })
      }
      if (left.length > 0) {
        this.#heard.set(log, this.#log(log).length)
        this.#hear({ _tag: "Gap", conversation: log, missing: left.length })
      }
      for (const entry of missed.slice(left.length)) this.#deliver(log, entry)
    }
    this.#load()
  }

  /** The page that is missing where one looks. */
  #load() {
    const talk = ChatState.shownTalk(this.state)
    if (!this.#isConnected || !ChatState.isMissing(talk)) return
    const log = logOf(talk.where)
    const all = [...Timeline.of(this.#log(log)).values()].toSorted((one, other) => one.seq - other.seq)
    const here = all
      .map((message) => standingMessage(log)(Timeline.viewOf(message)))
      .filter((message) => talk.where.with === undefined || partnerOf(message) === talk.where.with)
    this.#set(
      Intention.turned(this.state, this.state.shown, { messages: here.slice(-3), more: here.length > 3 }, "older")
    )
  }

  step({ do: what, isMention, number, place }: Step) {
    const where = places[place] ?? {}
    const log = logOf(where)
    const seen = this.state.shown
    switch (what) {
      case "say":
        this.#add(where, where.with ?? (number === 0 ? eve : bob), {
          _tag: "Said",
          content: `${this.#log(log).length} ${isMention ? "@ada" : ""}`
        })
        break
      case "another device says":
        this.#add(where, ada, { _tag: "Said", content: `text ${number}` })
        break
      case "another device reads": {
        const mark = Math.min(this.#log(log).length, (this.#marks.get(where) ?? 0) + number)
        if (mark <= (this.#marks.get(where) ?? 0)) break
        this.#marks.set(where, mark)
        if (!this.#isConnected) break
        this.#reads(where, mark)
        this.#hear({ _tag: "Received", message: { _tag: "ReadMarked", ...where, seq: mark } })
        break
      }
      case "delete":
      case "react": {
        const all = [...Timeline.of(this.#log(log)).values()].filter(({ _tag }) => _tag === "Message")
        const target = all[all.length - 1 - number]
        if (target?._tag !== "Message") break
        const partner = where.with === undefined || target.from === where.with || target.to === where.with
        if (!partner) break
        if (what === "delete") this.#add(where, target.from, { _tag: "Deleted", target: target.seq })
        else
          this.#add(where, where.with ?? bob, {
            _tag: "Reacted",
            target: target.seq,
            reaction: `${target.reactions.length}`
          })
        break
      }
      case "away":
      case "here":
        this.#set(Intention.lookAt(this.state, what === "here"))
        break
      case "page up":
        this.#set(Intention.stayOn(this.state, ChatState.shownTalk(this.state).window.entries[0]?.seq))
        break
      case "back":
        this.#set(Intention.stayOn(this.state, undefined))
        break
      case "show":
        this.#set(Intention.show(this.state, Talk.keyOf(where)))
        break
      case "move": {
        if (!this.#isConnected) break
        const users = [[bob], [eve], [ada, bob], [], [eve, bob], [bob], [eve]][number] ?? []
        const change = isMention ? { joined: users, left: [] } : { joined: [], left: users }
        const tag =
          where.room === undefined ? { _tag: "Presence" as const } : { _tag: "RoomPresence" as const, room: where.room }
        this.#hear({ _tag: "Received", message: { ...tag, ...change } })
        break
      }
      case "lose":
        if (!this.#isConnected) break
        this.#isConnected = false
        this.#hear({ _tag: "Disconnected", cause: "a cut" })
        break
      case "return":
      case "return with a gap":
        this.#reconnect(what === "return with a gap")
        break
      case "type": {
        const talk = ChatState.shownTalk(this.state)
        // It goes on where something is typed already.
        if (talk.draft !== "") break
        const text = `text ${number}`
        this.typed.push(text)
        this.#set(Intention.type(this.state, seen, text))
        break
      }
      case "submit":
      case "submit late": {
        // Another conversation is shown by now than the one that was seen.
        const believed = what === "submit" ? seen : Talk.keyOf(where)
        const [next, sent] = Intention.submit(this.state, believed)
        if (sent !== undefined && believed !== seen) this.problems.push("something was sent that nobody saw")
        this.#send(next, sent)
        break
      }
      case "retry": {
        const failed = ChatState.shownTalk(this.state).outbox.find(({ state }) => state._tag === "Failed")
        if (failed !== undefined) this.#send(...Intention.retry(this.state, seen, failed.number))
        break
      }
      case "discard": {
        const failed = ChatState.shownTalk(this.state).outbox.find(({ state }) => state._tag === "Failed")
        if (failed === undefined) break
        this.discarded.push(failed.content)
        this.#set(Intention.discard(this.state, seen, failed.number))
        break
      }
      case "answer":
      case "refuse": {
        const [sent] = this.#underWay
        if (sent === undefined || !this.#isConnected || !("content" in sent.request)) break
        this.#underWay = this.#underWay.slice(1)
        if (what === "refuse") {
          this.#set(Intention.failed(this.state, sent, "no"))
          break
        }
        const { content } = sent.request
        const entry = this.#add(sent.where, ada, { _tag: "Said", content: content ?? "" })
        this.delivered.push({ where: sent.where, content: content ?? "" })
        this.#set(Intention.stored(this.state, sent, entry.seq))
        break
      }
    }
    this.#load()
  }

  #send(state: ChatState.ChatState, sent: Intention.Submission | undefined) {
    this.#set(state)
    if (sent === undefined) return
    const { request } = sent
    const where =
      request._tag === "RoomMessage"
        ? { room: request.room }
        : request._tag === "PrivateMessage"
          ? { with: request.to }
          : {}
    const place = places.find((one) => Talk.keyOf(one) === Talk.keyOf(where)) ?? {}
    if (Talk.keyOf(place) !== sent.key || sent.key !== this.state.shown) {
      this.problems.push(`${JSON.stringify(request)} was sent while ${this.state.shown} was shown`)
    }
    this.#underWay.push({ ...sent, where: place })
  }

  /** What is under way. */
  get underWay(): ReadonlyArray<string> {
    return this.#underWay.flatMap(({ request }) => ("content" in request ? [request.content ?? ""] : []))
  }

  /** What the log holds, for whoever compares what is shown. */
  standing(where: Whereabouts) {
    const log = logOf(where)
    return [...Timeline.of(this.#log(log)).values()]
      .toSorted((one, other) => one.seq - other.seq)
      .map((message) => standingMessage(log)(Timeline.viewOf(message)))
      .filter((message) => where.with === undefined || partnerOf(message) === where.with)
  }

  heardUpTo(where: Whereabouts) {
    return this.#heard.get(logOf(where)) ?? 0
  }
}

/** Whom a standing message of the inbox was exchanged with. */
const partnerOf = (message: ServerMessage | ReturnType<ReturnType<typeof standingMessage>>): UserName | undefined => {
  if (message._tag === "PrivateMessage") return message.from === ada ? message.to : message.from
  return "with" in message ? message.with : undefined
}
