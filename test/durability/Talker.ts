/**
 * A client that knows nothing of ours but the words, and keeps its own side of the delivery guarantee over any number
 * of servers: it remembers the last place of every log, joins with it, and sends again under the same key what had no
 * Sent: messages, edits and deletions of what it said since it came, and reactions to what anybody said. It keeps `window`
 * requests under way, so that it is as fast as the server.
 *
 * A server that was killed has forgotten who its guests were: what is sent again is refused where it was not stored before.
 */
import * as Net from "node:net"
import { Schema } from "effect"
import { ServerMessage } from "../../src/common/wire/ServerMessage.ts"
import { type Deed, entryIn } from "../support/ReferenceEntry.ts"
import { begin, cursorOf, hear, type Heard, type Ledger, lobby, newHeard } from "./Ledger.ts"

const window = 6

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(ServerMessage))

export interface TalkerOptions {
  readonly name: string
  readonly rooms: ReadonlyArray<string>
  readonly ledger: Ledger
  /** From 0 to 1, 1 excluded. */
  readonly random: () => number
  /** Whether to send anything new. */
  readonly isTalking: () => boolean
}

export interface Talker {
  readonly connect: (port: number) => void
  readonly close: () => void
  /** In the lobby and in every room. */
  readonly isBack: () => boolean
  /** Everything was answered. */
  readonly isQuiet: () => boolean
  /** In words: where it is, and what has no answer. */
  readonly standing: () => string
  /** Begins to talk, if it is time. */
  readonly talk: () => void
}

interface Unanswered {
  readonly place: string
  readonly deed: Deed
  attempts: number
}

/** What may be refused to who keeps to the protocol: a connection's words are its own, and others may delete theirs. */
const mayBeRefused: ReadonlySet<string> = new Set(["MessageNotFound", "NotAllowed"])

/** How far back it looks for what to react or reply to: far fewer reactions than a message may have. */
const lately = 20

export const make = ({ isTalking, ledger, name, random, rooms }: TalkerOptions): Talker => {
  const logs = new Map<string, Heard>([lobby, ...rooms].map((place) => [place, newHeard(ledger, name, place)]))
  const unanswered = new Map<string, Unanswered>()
  let socket: Net.Socket | undefined
  let joined = new Set<string>()
  let count = 0
  /** Where its own messages of this connection stand that it has not deleted. */
  let own = new Map<string, Array<number>>()

  const logOf = (place: string) => logs.get(place) ?? newHeard(ledger, name, place)
  const say = (message: object) => socket?.write(`${JSON.stringify(message)}\n`)
  const after = (heard: Heard) => (heard.epoch === undefined ? undefined : { epoch: heard.epoch, seq: cursorOf(heard) })

  const send = (key: string, one: Unanswered) => {
    one.attempts++
    say({ ...requestOf(one.deed, one.place), key, id: key })
  }

  const any = <A>(all: ReadonlyArray<A>): A | undefined => all[Math.floor(random() * all.length)]

  /** Something new to do in a place, with words that nobody has used before. */
  const deedFor = (place: string, words: string): Deed => {
    const mine = own.get(place) ?? []
    const target = any(mine)
    const theirs = any(saidIn(logOf(place)).slice(-lately))
    const choice = random()
    if (target !== undefined && choice < 0.2) return { kind: "Edited", words, target }
    if (target !== undefined && choice < 0.3) {
      own.set(
        place,
        mine.filter((seq) => seq !== target)
      )
      return { kind: "Deleted", words, target }
    }
    if (theirs !== undefined && choice < 0.5) {
      return { kind: "Reacted", words: words.slice(-32).trim(), target: theirs, isRemoved: false }
    }
    return { kind: "Said", words, target: choice < 0.6 ? theirs : undefined }
  }

  const talk = () => {
    while (isTalking() && unanswered.size < window && joined.size === logs.size) {
      const place = any([...logs.keys()]) ?? lobby
      const key = `${name}-${String(++count).padStart(16, "0")}`
      const deed = deedFor(place, `${"x".repeat(Math.floor(random() * 200))} ${key}`)
      const one = { place, deed, attempts: 0 }
      unanswered.set(key, one)
      send(key, one)
    }
  }

  const isIn = (place: string) => {
    joined.add(place)
    for (const [key, message] of unanswered) if (message.place === place) send(key, message)
    talk()
  }

  const sent = ({ at, id: key = "", repeated, seq }: Extract<ServerMessage, { readonly _tag: "Sent" }>) => {
    const message = unanswered.get(key)
    if (message === undefined) return void ledger.problems.push(`${name}: a second Sent for ${key}`)
    const { attempts, deed, place } = message
    unanswered.delete(key)
    ledger.promised.push({ place, key, from: name, deed, seq, at, repeated: repeated === true })
    // What an earlier connection said is not this one's.
    if (deed.kind === "Said" && repeated === undefined) own.set(place, [...(own.get(place) ?? []), seq].slice(-lately))
    if (repeated === true && attempts === 1) ledger.problems.push(`${name}: ${key} was called repeated the first time`)
    if (seq > cursorOf(logOf(place))) ledger.problems.push(`${name}: Sent ${seq} in ${place} came before the message`)
    talk()
  }

  const refused = ({ id: key = "", reason }: Extract<ServerMessage, { readonly _tag: "Rejected" }>) => {
    const one = unanswered.get(key)
    if (one === undefined || one.deed.kind === "Said" || !mayBeRefused.has(reason._tag)) {
      if (reason._tag !== "RoomExists") ledger.problems.push(`${name}: ${key} got ${JSON.stringify(reason)}`)
      return
    }
    const { attempts, deed, place } = one
    const isDeleted = logOf(place).entries.some(
      (entry) => entry.deed?.kind === "Deleted" && entry.deed.target === deed.target
    )
    if (attempts === 1 && !isDeleted) ledger.problems.push(`${name}: ${key} was refused, ${JSON.stringify(deed)}`)
    unanswered.delete(key)
    ledger.refused.push({ place, key, from: name })
    talk()
  }

  const take = (message: ServerMessage) => {
    const entry = entryIn(message)
    if (entry !== undefined) hear(ledger, logOf("room" in message ? (message.room ?? lobby) : lobby), entry)
    switch (message._tag) {
      case "Welcome":
        begin(ledger, logOf(lobby), message.lobby.epoch, message.lobby.seq)
        isIn(lobby)
        for (const room of rooms) {
          say({ _tag: "CreateRoom", room })
          say({ _tag: "JoinRoom", room, after: after(logOf(room)) })
        }
        return
      case "RoomJoined":
        if (message.truncated) ledger.problems.push(`${name}: more was missed in ${message.room} than is sent again`)
        begin(ledger, logOf(message.room), message.epoch, message.seq)
        return isIn(message.room)
      case "Sent":
        return sent(message)
      case "Rejected":
        return refused(message)
    }
  }

  return {
    connect: (port) => {
      const current = Net.connect({ host: "127.0.0.1", port, noDelay: true })
      let unfinished = ""
      socket = current
      joined = new Set()
      own = new Map()
      current.setEncoding("utf8")
      current.on("connect", () => say({ _tag: "Handshake", user: name, after: { lobby: after(logOf(lobby)) } }))
      current.on("data", (piece: string) => {
        const lines = (unfinished + piece).split("\n")
        unfinished = lines.pop() ?? ""
        for (const line of lines) take(decode(line))
      })
      // The server is killed: how the connection ends says nothing.
      current.on("error", () => {})
      current.on("close", () => {
        if (socket === current) joined = new Set()
      })
    },
    close: () => socket?.destroy(),
    isBack: () => joined.size === logs.size,
    isQuiet: () => unanswered.size === 0,
    standing: () => {
      const open = [...unanswered].map(
        ([key, { attempts, deed, place }]) => `${key} in ${place}, ${attempts} times: ${JSON.stringify(deed)}`
      )
      return `${name} is in ${[...joined].join(", ")} and waits for ${open.join(", ") || "nothing"}`
    },
    talk
  }
}

const saidIn = ({ entries }: Heard) => entries.flatMap(({ deed, seq }) => (deed?.kind === "Said" ? [seq] : []))

const requestOf = (deed: Deed, place: string): object => {
  const where = place === lobby ? {} : { room: place }
  const { target, words } = deed
  switch (deed.kind) {
    case "Said": {
      const replyTo = target === undefined ? {} : { replyTo: target }
      return { _tag: place === lobby ? "GlobalMessage" : "RoomMessage", ...where, content: words, ...replyTo }
    }
    case "Edited":
      return { _tag: "EditMessage", ...where, target, content: words }
    case "Deleted":
      return { _tag: "DeleteMessage", ...where, target, reason: words }
    case "Reacted":
      return { _tag: "React", ...where, target, reaction: words, ...(deed.isRemoved && { remove: true }) }
  }
}
