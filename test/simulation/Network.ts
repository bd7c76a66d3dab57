/**
 * The network between some clients and one server at a time, on simulated time.
 *
 * What is written to a connection arrives in its order, on some of them in pieces cut anew, after a delay of its own; what is written to
 * two connections arrives in any order. Connections are lost at one end first, closed halfway, and not read for a while.
 * Owns what is on its way: `pass` lets time pass, and everything arrive that is due.
 */
import { Effect } from "effect"
import { Socket } from "effect/socket"
import type { End, MemorySocketServer } from "../support/MemorySocket.ts"
import type { Chance } from "./Chance.ts"
import type { Journal } from "./Journal.ts"
import type { WorldClock } from "./WorldClock.ts"

/** So many bytes may be unread before a writer has to wait: little, so that it happens. */
const highWaterBytes = 512

/** Sees what goes over one connection. */
export interface Tap {
  readonly said: (bytes: Uint8Array) => void
  readonly told: (bytes: Uint8Array) => void
  /** The server reads something, some time after it was said. */
  readonly heard: (bytes: Uint8Array) => void
  /** The server's end is gone: it was closed there, or reset. */
  readonly gone: () => void
}

/** One connection. */
interface Cable {
  readonly number: number
  readonly owner: string
  readonly client: End
  readonly server: End
  isCut: boolean
}

interface Due {
  readonly at: number
  readonly happen: () => void
}

export interface NetworkOptions {
  readonly chance: Chance
  readonly journal: Journal
  readonly clock: WorldClock
  /** Waits until nothing more happens without time passing. */
  readonly rest: Effect.Effect<void>
  /** Something happens from outside, so often: it may have consequences. */
  readonly onHappening: (count: number) => void
  readonly tap: (label: string) => Tap
}

export class Network {
  /** Who listens, if anybody does. */
  server: MemorySocketServer["Service"] | undefined
  /** How often an attempt to connect fails. */
  refusing = 0
  /** The longest that a piece is on its way, in milliseconds. */
  slowness = 0
  readonly #options: NetworkOptions
  /** The earliest last. */
  #due: Array<Due> = []
  #cables: Array<Cable> = []
  #count = 0

  constructor(options: NetworkOptions) {
    this.#options = options
  }

  get isQuiet(): boolean {
    return this.#due.length === 0
  }

  /** Connects once, without the client; undefined if nobody can be reached. */
  connect(owner: string): End | undefined {
    return this.#connect(owner)
  }

  /** A socket that connects anew each time it is opened. */
  socketOf(owner: string): Socket.Socket {
    let end: End | undefined
    return Socket.make({
      reader: Effect.suspend(() => {
        end = this.#connect(owner)
        return end === undefined ? Effect.fail(unreachable) : end.socket.reader
      }),
      writer: Effect.suspend(() => (end === undefined ? Effect.die(unreachable) : end.socket.writer))
    })
  }

  /** Lets time pass. */
  readonly pass = Effect.fnUntraced({ self: this }, function* (this: Network, millis: number) {
    const { clock, rest } = this.#options
    const end = clock.now() + millis
    yield* rest
    for (let next = this.#next(); next <= end; next = this.#next()) {
      clock.moveTo(next)
      yield* this.#wake()
      yield* this.#arrive()
    }
    clock.moveTo(end)
    yield* rest
  })

  /** Nobody runs for so long, as when a lid is closed. Then all that was due happens at once. */
  readonly pause = Effect.fnUntraced({ self: this }, function* (this: Network, millis: number) {
    const { chance, clock, journal, rest } = this.#options
    yield* rest
    clock.moveTo(clock.now() + millis)
    journal.note(`nobody ran for ${millis} ms`)
    const [first, second] = chance.is(0.5) ? [this.#wake(), this.#arrive()] : [this.#arrive(), this.#wake()]
    yield* first
    yield* second
  })

  /** When something is due. */
  #next(): number {
    return Math.min(this.#due.at(-1)?.at ?? Infinity, this.#options.clock.next() ?? Infinity)
  }

  #wake(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { clock, onHappening, rest } = this.#options
      const woken = clock.wake()
      onHappening(woken)
      return woken === 0 ? Effect.void : rest
    })
  }

  /** What is due at the same time arrives at the same time. */
  #arrive(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { clock, onHappening, rest } = this.#options
      const now = clock.now()
      let arrived = 0
      for (let due = this.#due.at(-1); due !== undefined && due.at <= now; due = this.#due.at(-1)) {
        this.#due.pop()
        due.happen()
        arrived++
      }
      onHappening(arrived)
      return arrived === 0 ? Effect.void : rest
    })
  }

  /** One end sees a reset, and the other a little later. */
  lose(owner: string): void {
    const { chance } = this.#options
    for (const cable of this.#of(owner)) {
      const [first, second] = chance.is(0.5) ? [cable.client, cable.server] : [cable.server, cable.client]
      this.#note(cable, first === cable.client ? "is lost to the client" : "is lost to the server")
      this.#cut(cable)
      first.lose()
      this.#later(chance.is(0.3) ? 0 : chance.between(0, 2000), () => second.reset())
    }
  }

  /** The client says that it will say no more. */
  halfClose(owner: string): void {
    for (const cable of this.#of(owner)) {
      this.#note(cable, "is closed halfway")
      cable.client.halfClose()
    }
  }

  /** One end stops reading, or goes on. */
  setPaused(owner: string, end: "client" | "server", isPaused: boolean): void {
    for (const cable of this.#of(owner)) {
      this.#note(cable, `${end} ${isPaused ? "stops reading" : "reads on"}`)
      cable[end].setPaused(isPaused)
    }
  }

  /** The server is no more: it hears and says nothing from now on, and its peers learn of that in time. */
  crash(): void {
    this.server = undefined
    for (const cable of this.#cables) {
      this.#cut(cable)
      cable.server.lose()
      this.#later(this.#options.chance.between(0, 300), () => cable.client.reset())
    }
  }

  readonly heal = (): void => {
    this.refusing = 0
    this.slowness = 0
    for (const { client, server } of this.#cables) {
      client.setPaused(false)
      server.setPaused(false)
    }
  }

  #connect(owner: string): End | undefined {
    const { chance, tap } = this.#options
    if (this.server === undefined || chance.is(this.refusing)) return undefined
    const number = ++this.#count
    const { gone, heard, said, told } = tap(`${owner}#${number}`)
    const isChopped = chance.is(0.5)
    const options = { highWaterBytes, ...(isChopped && { random: chance.next }) }
    const [client, server] = this.server.plugIn(
      { ...options, observe: said, taken: heard, closed: gone, carry: this.#carrier() },
      { ...options, observe: told, carry: this.#carrier() }
    )
    this.#cables = this.#cables.filter(({ isCut }) => !isCut)
    const cable: Cable = { number, owner, client, server, isCut: false }
    for (const before of this.#of(owner)) this.#cut(before)
    this.#cables.push(cable)
    this.#note(cable, "is opened")
    return client
  }

  /** Nothing of one direction overtakes what is before it. */
  #carrier() {
    let last = 0
    return (arrive: () => void) => {
      const { chance, clock } = this.#options
      const now = clock.now()
      const delay = this.slowness === 0 || chance.is(0.5) ? chance.between(0, 2) : chance.between(0, this.slowness)
      last = Math.max(last, now + delay)
      this.#later(last - now, arrive)
    }
  }

  #later(millis: number, happen: () => void): void {
    const at = this.#options.clock.now() + millis
    const place = this.#due.findLastIndex((due) => due.at > at)
    this.#due.splice(place + 1, 0, { at, happen })
  }

  #of(owner: string): ReadonlyArray<Cable> {
    return this.#cables.filter((cable) => cable.owner === owner && !cable.isCut)
  }

  #cut(cable: Cable): void {
    cable.isCut = true
    cable.client.setPaused(false)
    cable.server.setPaused(false)
  }

  #note({ number, owner }: Cable, what: string): void {
    this.#options.journal.note(`${owner}#${number} ${what}`)
  }
}

const unreachable = new Socket.SocketError({
  reason: new Socket.SocketOpenError({ kind: "Unknown", cause: new Error("nobody listens") })
})
