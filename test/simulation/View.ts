/**
 * What one client was handed of the logs, and whether that is a copy of them: contiguous, in order, without a repeat,
 * from the place on where the client first came in. A `Gap` is allowed for what the server need not send again.
 */
import type { ClientEvent } from "../../src/client/core/ClientEvent.ts"
import { conversationKey } from "../../src/common/log/Conversation.ts"
import type { ChatMessage } from "../../src/common/wire/EntryMessage.ts"
import type { Disk } from "./Disk.ts"
import type { Journal } from "./Journal.ts"
import { lobbyKey, logOf, maxReplay } from "./WireWatch.ts"

interface Place {
  /** The client sees what comes after this. */
  readonly start: number
  /** The newest it was handed. */
  last: number
  readonly epoch: string
}

export class View {
  readonly #owner: string
  readonly #disk: Disk
  readonly #journal: Journal
  /** The logs it sees now. */
  readonly #places = new Map<string, Place>()
  /** Those that are other ones since a client came back. */
  readonly #made = new Set<string>()
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

  /** The newest it was handed of a log that it sees. */
  lastOf(log: string): number | undefined {
    return this.#places.get(log)?.last
  }

  /** It sees the log no more. */
  leave(log: string): void {
    this.#end(log)
  }

  /** The logs of which something is missing. */
  get incomplete(): ReadonlyArray<string> {
    return [...this.#places].flatMap(([log, { last }]) => (last === this.#disk.newest(log) ? [] : [log]))
  }

  follow(event: ClientEvent): void {
    switch (event._tag) {
      case "Connected":
        return this.#begin(lobbyKey, event.welcome.lobby.seq, event.welcome.lobby.epoch)
      case "RejoinRefused":
        return this.#end(conversationKey({ _tag: "Room", room: event.room }))
      case "Skipped":
        return this.#accuse("events were skipped")
      case "Gap": {
        const log = event.conversation._tag === "Inbox" ? undefined : conversationKey(event.conversation)
        return log === undefined ? undefined : this.#skip(log, event.missing)
      }
      case "Rejoined":
        return this.#rejoin(conversationKey({ _tag: "Room", room: event.joined.room }), event.joined)
      case "Received": {
        const { message } = event
        if (message._tag === "RoomJoined") {
          return this.#begin(
            conversationKey({ _tag: "Room", room: message.room }),
            message.seq - message.missed,
            message.epoch
          )
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

  #begin(log: string, start: number, epoch: string): void {
    this.#places.set(log, { start, last: start, epoch })
  }

  /** A room that nothing was written to may have gone and been made again: then there is a gap that nobody can count. */
  #rejoin(log: string, { epoch, missed, seq }: { epoch: string; missed: number; seq: number }): void {
    const place = this.#places.get(log)
    if (place === undefined || place.epoch === epoch) return
    if (place.last > 0) this.#accuse(`${log} has another epoch`)
    this.#begin(log, seq - missed, epoch)
    this.#made.add(log)
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
    if (missing === undefined && this.#made.delete(log)) return
    const place = this.#places.get(log)
    const behind = place === undefined ? 0 : this.#disk.newest(log) - place.last
    if (missing === undefined || behind < maxReplay + missing) this.#accuse(`${log} has a gap of ${missing}`)
    if (place !== undefined) place.last += missing ?? 0
  }

  #accuse(what: string): void {
    this.#journal.accuse(`${this.#owner}: ${what}`)
  }
}
