/**
 * A server in miniature, without sockets or time: a lobby and one room, with the protocol's rules for cursors, keys and
 * catching up. What is under way in either direction is held until the test lets it arrive, or loses it.
 */
import { type Cursor, Epoch } from "../../../src/common/log/Cursor.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { ClientMessage } from "../../../src/common/wire/ClientMessage.ts"
import type { ServerMessage } from "../../../src/common/wire/ServerMessage.ts"

export const ada = UserName.make("ada")
export const bob = UserName.make("bob")
export const dev = RoomName.make("dev")

const epoch = Epoch.make("first")

interface Entry {
  readonly seq: number
  readonly from: UserName
  readonly content: string
  readonly key: string | undefined
}

export class ModelServer {
  readonly lobby: Array<Entry> = []
  readonly room: Array<Entry> = []
  readonly #catchUp: number
  readonly #overlap: number
  #isInRoom = false
  #isIdentified = false
  #toServer: Array<ClientMessage> = []
  #toClient: Array<ServerMessage> = []

  /**
   * `catchUp` is how many missed messages are sent again at most; `overlap`, how many the client has seen already are
   * sent with them. A good server has no overlap.
   */
  constructor({ catchUp, overlap }: { readonly catchUp: number; readonly overlap: number }) {
    this.#catchUp = catchUp
    this.#overlap = overlap
  }

  /** The connection breaks, and all that was under way is lost. */
  cut(): void {
    this.#isInRoom = false
    this.#isIdentified = false
    this.#toServer = []
    this.#toClient = []
  }

  send(messages: ReadonlyArray<ClientMessage>): void {
    this.#toServer.push(...messages)
  }

  /** The next message on its way to the client arrives. */
  arriving(): ServerMessage | undefined {
    return this.#toClient.shift()
  }

  /** Somebody else says something. */
  hear(place: "lobby" | "room", content: string): void {
    this.#store(place, bob, content, undefined)
  }

  /** The next message on its way to the server arrives; tells whether there was one. */
  work(): boolean {
    const message = this.#toServer.shift()
    if (message === undefined) return false
    const id = message.id ?? ""
    switch (message._tag) {
      case "Handshake": {
        this.#isIdentified = true
        this.#toClient.push({
          _tag: "Welcome",
          id,
          user: message.user,
          protocol: 1,
          server: { name: "model", version: "1" },
          account: false,
          lobby: { epoch, seq: this.lobby.length }
        })
        this.#replay("lobby", message.after?.lobby)
        break
      }
      case "JoinRoom": {
        const missed = this.#missed(this.room, message.after)
        const truncated = message.after !== undefined && this.room.length - message.after.seq > missed
        const users = [ada, bob]
        this.#isInRoom = true
        this.#toClient.push({
          _tag: "RoomJoined",
          id,
          room: dev,
          epoch,
          seq: this.room.length,
          missed,
          truncated,
          users,
          count: users.length
        })
        this.#replay("room", message.after)
        break
      }
      case "GlobalMessage":
        this.#accept("lobby", id, message.content, message.key)
        break
      case "RoomMessage":
        this.#accept("room", id, message.content, message.key)
        break
      default:
        break
    }
    return true
  }

  #accept(place: "lobby" | "room", id: string, content: string, key: string | undefined): void {
    const known = this[place].find((entry) => entry.key === key)
    if (known !== undefined) {
      this.#toClient.push({ _tag: "Sent", id, seq: known.seq, at: 0, repeated: true })
      return
    }
    const entry = this.#store(place, ada, content, key)
    this.#toClient.push({ _tag: "Sent", id, seq: entry.seq, at: 0 })
  }

  #store(place: "lobby" | "room", from: UserName, content: string, key: string | undefined): Entry {
    const entry = { seq: this[place].length + 1, from, content, key }
    this[place].push(entry)
    if (this.#isIdentified && (place === "lobby" || this.#isInRoom)) this.#toClient.push(toMessage(place, entry))
    return entry
  }

  #missed(log: ReadonlyArray<Entry>, after: Cursor | undefined): number {
    return after === undefined ? 0 : Math.min(log.length - after.seq + this.#overlap, log.length, this.#catchUp)
  }

  #replay(place: "lobby" | "room", after: Cursor | undefined): void {
    const log = this[place]
    const missed = this.#missed(log, after)
    if (missed > 0) this.#toClient.push(...log.slice(-missed).map((entry) => toMessage(place, entry)))
  }
}

const toMessage = (place: "lobby" | "room", { seq, from, content }: Entry): ServerMessage =>
  place === "lobby"
    ? { _tag: "GlobalMessage", seq, at: 0, from, content }
    : { _tag: "RoomMessage", room: dev, seq, at: 0, from, content }
