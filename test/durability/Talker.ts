/**
 * A client that knows nothing of ours but the words, and keeps its own side of the delivery guarantee over any number
 * of servers: it remembers the last place of every log, joins with it, and sends again under the same key what had no
 * Sent. It keeps `window` messages under way, so that it is as fast as the server.
 */
import * as Net from "node:net"
import { Schema } from "effect"
import { UserName } from "../../src/common/name/UserName.ts"
import { ServerMessage } from "../../src/common/wire/ServerMessage.ts"
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
  /** Begins to talk, if it is time. */
  readonly talk: () => void
}

interface Unanswered {
  readonly place: string
  readonly content: string
  attempts: number
}

export const make = ({ isTalking, ledger, name, random, rooms }: TalkerOptions): Talker => {
  const logs = new Map<string, Heard>([lobby, ...rooms].map((place) => [place, newHeard(ledger, name, place)]))
  const unanswered = new Map<string, Unanswered>()
  let socket: Net.Socket | undefined
  let joined = new Set<string>()
  let count = 0

  const logOf = (place: string) => logs.get(place) ?? newHeard(ledger, name, place)
  const say = (message: object) => socket?.write(`${JSON.stringify(message)}\n`)
  const after = (heard: Heard) => (heard.epoch === undefined ? undefined : { epoch: heard.epoch, seq: cursorOf(heard) })

  const send = (key: string, message: Unanswered) => {
    const { content, place } = message
    message.attempts++
    say(
      place === lobby
        ? { _tag: "GlobalMessage", content, key, id: key }
        : { _tag: "RoomMessage", room: place, content, key, id: key }
    )
  }

  const talk = () => {
    while (isTalking() && unanswered.size < window && joined.size === logs.size) {
      const place = [...logs.keys()][Math.floor(random() * logs.size)] ?? lobby
      const key = `${name}-${String(++count).padStart(16, "0")}`
      const message = { place, content: `${key} ${"x".repeat(Math.floor(random() * 200))}`, attempts: 0 }
      unanswered.set(key, message)
      send(key, message)
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
    const { attempts, content, place } = message
    unanswered.delete(key)
    ledger.promised.push({ place, key, from: UserName.make(name), content, seq, at, repeated: repeated === true })
    if (repeated === true && attempts === 1) ledger.problems.push(`${name}: ${key} was called repeated the first time`)
    if (seq > cursorOf(logOf(place))) ledger.problems.push(`${name}: Sent ${seq} in ${place} came before the message`)
    talk()
  }

  const take = (message: ServerMessage) => {
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
      case "GlobalMessage":
        return hear(ledger, logOf(lobby), message)
      case "RoomMessage":
        return hear(ledger, logOf(message.room), message)
      case "Sent":
        return sent(message)
      case "Rejected":
        if (message.reason._tag !== "RoomExists") ledger.problems.push(`${name}: ${JSON.stringify(message)}`)
    }
  }

  return {
    connect: (port) => {
      const current = Net.connect({ host: "127.0.0.1", port, noDelay: true })
      let unfinished = ""
      socket = current
      joined = new Set()
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
    talk
  }
}
