/**
 * What one client was handed of the logs, and whether that is a copy of them: contiguous, in order, without a repeat,
 * from the place on where the client first came in. A `Gap` is allowed for what the server need not send again.
 *
 * And whether it makes of it what the log makes of it: the messages as they stand, folded from what the client was handed on
 * all its connections, beside those folded from the entries as they were made.
 */
import { isDeepStrictEqual } from "node:util"
import type { ClientEvent } from "../../src/client/core/ClientEvent.ts"
import { conversationKey } from "../../src/common/log/Conversation.ts"
import type { Entry } from "../../src/common/log/Entry.ts"
import { follow, type Standing, type Timeline } from "../../src/common/log/Timeline.ts"
import type { EntryMessage } from "../../src/common/wire/EntryMessage.ts"
import type { Disk } from "./Disk.ts"
import { entryOf, isEntry, lobbyKey, logOf } from "./Entries.ts"
import type { Journal } from "./Journal.ts"
import { type Log, untold } from "./Log.ts"
import { maxReplay } from "./WireWatch.ts"

interface Place {
  /** The client sees what comes after this. */
  start: number
  /** The newest it was handed. */
  last: number
  readonly epoch: string
  /** The messages as they stand behind the start, or behind the last gap: by what was handed, and by what was made. */
  heard: Timeline
  made: Timeline
  /** Handed, and not in these yet. */
  fresh: Array<Entry>
}

export class View {
  readonly #owner: string
  readonly #disk: Disk
  readonly #journal: Journal
  /** The logs it sees now. */
  readonly #places = new Map<string, Place>()
  /** Those that are other ones since a client came back. */
  readonly #made = new Set<string>()
  /** Where private messages are, of an account. */
  readonly #inbox: string | undefined
  readonly #handed: Array<readonly [log: string, entry: Entry]> = []

  constructor(owner: string, disk: Disk, journal: Journal, inbox?: string) {
    this.#inbox = inbox
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
      case "Connected": {
        const { inbox, lobby } = event.welcome
        if (this.#inbox !== undefined && inbox !== undefined) this.#begin(this.#inbox, inbox.seq, inbox.epoch)
        return this.#begin(lobbyKey, lobby.seq, lobby.epoch)
      }
      case "RejoinRefused":
        return this.#end(conversationKey({ _tag: "Room", room: event.room }))
      case "Skipped":
        return this.#accuse("events were skipped")
      case "Gap": {
        const log = event.conversation._tag === "Inbox" ? this.#inbox : conversationKey(event.conversation)
        return log === undefined ? undefined : this.#skip(log, event.missing)
      }
      case "Rejoined":
        return this.#rejoin(conversationKey({ _tag: "Room", room: event.joined.room }), event.joined)
      case "Received": {
        const { message } = event
        if (message._tag === "RoomJoined") {
          const log = conversationKey({ _tag: "Room", room: message.room })
          // Asked again on another connection, it says where one was: in a room that has gone since, and been made again.
          const isAnother = this.#places.get(log)?.epoch !== message.epoch
          this.#begin(log, message.seq - message.missed, message.epoch)
          if (message.truncated && isAnother) this.#made.add(log)
          return
        }
        if (message._tag === "RoomLeft") return this.#end(conversationKey({ _tag: "Room", room: message.room }))
        if (isEntry(message)) return this.#take(message)
      }
    }
  }

  /** Compares what was handed on since the last time with the disk. */
  compare(): void {
    for (const [name, entry] of this.#handed.splice(0)) {
      const log = this.#disk.log(name)
      if (log?.isTold(entry) !== true) {
        this.#accuse(
          `${name} is seen as ${JSON.stringify(entry)}, and stored as ${JSON.stringify(log?.made[entry.seq - 1])}`
        )
      }
    }
    for (const [name, place] of this.#places) {
      const log = this.#disk.log(name)
      const fresh = place.fresh.splice(0)
      if (log === undefined || fresh.length === 0) continue
      place.heard = follow(place.heard, fresh)
      place.made = follow(
        place.made,
        fresh.flatMap(({ seq }) => untold(log.made[seq - 1]) ?? [])
      )
      this.#compareTimelines(name, log, place)
    }
  }

  #compareTimelines(name: string, log: Log, { heard, last, made }: Place): void {
    for (const [seq, stands] of made) {
      const seen = heard.get(seq)
      // What was deleted while it was away may be a tombstone already, before the deletion itself is seen.
      const isAhead = seen?._tag === "Tombstone" && isDeepStrictEqual(seen, withoutReceiver(log.standing(seq)))
      if (!isAhead && !isDeepStrictEqual(seen, stands)) {
        this.#accuse(`${name} ${seq} stands as ${JSON.stringify(seen)} at ${last}, and is ${JSON.stringify(stands)}`)
      }
    }
    for (const [seq, seen] of heard) {
      // The tombstone of an edit stands behind that of the message.
      const isEdit = seen._tag === "Tombstone" && log.made[seq - 1]?.body._tag === "Edited"
      if (!made.has(seq) && !isEdit) this.#accuse(`${name} ${seq} stands as ${JSON.stringify(seen)}, and is no message`)
    }
  }

  #begin(log: string, start: number, epoch: string): void {
    this.#places.set(log, { start, last: start, epoch, heard: new Map(), made: new Map(), fresh: [] })
  }

  /** A room that nothing was written to may have gone and been made again: then there is a gap that nobody can count. */
  #rejoin(log: string, { epoch, missed, seq }: { epoch: string; missed: number; seq: number }): void {
    const place = this.#places.get(log)
    // An account is in its rooms on arrival; how much was written before its client was in, is told.
    if (place === undefined) this.#made.add(log)
    if (place === undefined) return this.#begin(log, seq - missed, epoch)
    if (place.epoch === epoch) return
    if (place.last > 0) this.#accuse(`${log} has another epoch`)
    this.#begin(log, seq - missed, epoch)
    this.#made.add(log)
  }

  #end(log: string): void {
    this.#places.delete(log)
  }

  #take(message: EntryMessage): void {
    const log = logOf(message) ?? this.#inbox
    if (log === undefined) return
    const place = this.#places.get(log)
    if (place === undefined) return this.#accuse(`${log} ${message.seq} is seen from outside`)
    if (message.seq !== place.last + 1) this.#accuse(`${log} ${message.seq} is seen where ${place.last + 1} comes next`)
    this.#made.delete(log)
    place.last = Math.max(place.last, message.seq)
    const entry = entryOf(message)
    this.#handed.push([log, entry])
    place.fresh.push(entry)
  }

  #skip(log: string, missing: number | undefined): void {
    if (this.#made.delete(log)) return
    const place = this.#places.get(log)
    const behind = place === undefined ? 0 : this.#disk.newest(log) - place.last
    if (missing === undefined || behind < maxReplay + missing) this.#accuse(`${log} has a gap of ${missing}`)
    if (place === undefined) return
    place.last += missing ?? 0
    // What was done to earlier messages meanwhile is not known.
    place.start = place.last
    place.heard = new Map()
    place.made = new Map()
    place.fresh = []
  }

  #accuse(what: string): void {
    this.#journal.accuse(`${this.#owner}: ${what}`)
  }
}

const withoutReceiver = (standing: Standing | undefined) => {
  if (standing === undefined || !("to" in standing)) return standing
  const { to: _, ...rest } = standing
  return rest
}
