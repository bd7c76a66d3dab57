/**
 * What one client was handed of the logs, and whether that is a copy of them: contiguous, in order, without a repeat,
 * from the place on where the client first came in. A `Gap` is allowed for what the server need not send again.
 */
import type { ClientEvent } from "../../src/client/ClientEvent.ts"
import type { ChatMessage } from "../../src/common/ServerMessage.ts"
import { conversationKey } from "../../src/server/messages/Conversation.ts"
import type { Disk } from "./Disk.ts"
import type { Journal } from "./Journal.ts"
import { lobbyKey, logOf, maxReplay } from "./WireWatch.ts"

interface Place {
  /** The client sees what comes after this. */
  readonly start: number
  /** The newest it was handed. */
  last: number
}

export class View {
  readonly #owner: string
  readonly #disk: Disk
  readonly #journal: Journal
  /** The logs it sees now. */
  readonly #places = new Map<string, Place>()
  /** Behind which place the room begins that it came back to last. */
  #rejoinedAt = 0
  readonly #handed: Array<readonly [log: string, message: ChatMessage]> = []

  constructor(owner: string, disk: Disk, journal: Journal) {
    this.#owner = owner
    this.#disk = disk
    this.#journal = journal
  }

  /** Names the time in which it sees a log without a break: another one once it has left and come again. */
  stay(log: string): object | undefined {
    return this.#places.get(log)
  }

  /** Whether it has been handed what stands there, or never will be, because it came later. */
  hasSeen(log: string, seq: number): boolean {
    const place = this.#places.get(log)
    return place === undefined || seq <= place.start || seq <= place.last
  }

  /** The logs of which something is missing. */
  get incomplete(): ReadonlyArray<string> {
    return [...this.#places].flatMap(([log, { last }]) => (last === this.#disk.newest(log) ? [] : [log]))
  }

  follow(event: ClientEvent): void {
    switch (event._tag) {
      case "Connected":
        return this.#begin(lobbyKey, event.welcome.lobby.seq)
      case "RejoinRefused":
        return this.#end(conversationKey({ _tag: "Room", room: event.room }))
      case "Skipped":
        return this.#accuse("events were skipped")
      case "Rejoined":
        this.#rejoinedAt = event.joined.seq - event.joined.missed
        return
      case "Gap": {
        const log = event.conversation._tag === "Inbox" ? undefined : conversationKey(event.conversation)
        return log === undefined ? undefined : this.#skip(log, event.missing)
      }
      case "Received": {
        const { message } = event
        if (message._tag === "RoomJoined") {
          return this.#begin(conversationKey({ _tag: "Room", room: message.room }), message.seq - message.missed)
        }
        if (message._tag === "RoomLeft") return this.#end(conversationKey({ _tag: "Room", room: message.room }))
        if ("content" in message) return this.#take(message)
      }
    }
  }

  /** Compares what was handed on since the last time with the disk. */
  compare(): void {
    for (const [log, { at, content, from, seq }] of this.#handed.splice(0)) {
      const entry = this.#disk.entries(log)[seq - 1]
      if (entry?.content !== content || entry.from !== from || entry.at !== at) {
        this.#accuse(`${log} ${seq} is seen as "${content}" from ${from}, and stored as ${JSON.stringify(entry)}`)
      }
    }
  }

  #begin(log: string, start: number): void {
    this.#places.set(log, { start, last: start })
  }

  #end(log: string): void {
    this.#places.delete(log)
  }

  #take(message: ChatMessage): void {
    const log = logOf(message)
    if (log === undefined) return
    const place = this.#places.get(log)
    if (place === undefined) return this.#accuse(`${log} ${message.seq} is seen from outside`)
    if (message.seq !== place.last + 1) this.#accuse(`${log} ${message.seq} is seen where ${place.last + 1} comes next`)
    place.last = Math.max(place.last, message.seq)
    this.#handed.push([log, message])
  }

  #skip(log: string, missing: number | undefined): void {
    const place = this.#places.get(log)
    // A room that nobody had written to is another one after a restart, or once it is forgotten.
    if (missing === undefined && log !== lobbyKey && place?.last === 0) return this.#begin(log, this.#rejoinedAt)
    const behind = place === undefined ? 0 : this.#disk.newest(log) - place.last
    if (missing === undefined || behind < maxReplay + missing) this.#accuse(`${log} has a gap of ${missing}`)
    if (place !== undefined) place.last += missing ?? 0
  }

  #accuse(what: string): void {
    this.#journal.accuse(`${this.#owner}: ${what}`)
  }
}
