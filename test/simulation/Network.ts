/**
 * The network between some clients and one server at a time, on simulated time.
 *
 * What is written to a connection arrives in its order, on some of them in pieces cut anew, after a delay of its own; what is written to
 * two connections arrives in any order. Connections are lost at one end first, closed halfway, and not read for a while.
 * Owns what is on its way: `pass` lets time pass, and everything arrive that is due.
 */
import { Effect } from "effect"
import { Socket } from "effect/socket"
import { TestClock } from "effect/testing"
import type { End, MemorySocketServer } from "../support/MemorySocket.ts"
import type { Chance } from "./Chance.ts"
import type { Journal } from "./Journal.ts"

/** So many bytes may be unread before a writer has to wait: little, so that it happens. */
const highWaterBytes = 512

/** Sees what goes over one connection. */
export interface Tap {
  readonly said: (bytes: Uint8Array) => void
  readonly told: (bytes: Uint8Array) => void
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
  /** The simulation's time, in milliseconds. */
  readonly now: () => number
  /** Waits until nothing more happens without time passing. */
  readonly rest: Effect.Effect<void>
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
    const { now, rest } = this.#options
    const end = now() + millis
    yield* rest
    for (let next = this.#due.at(-1); next !== undefined && next.at <= end; next = this.#due.at(-1)) {
      if (next.at > now()) yield* TestClock.adjust(next.at - now())
      yield* rest
      // What is due at the same time arrives at the same time.
      while (this.#due.at(-1)?.at === next.at) this.#due.pop()?.happen()
      yield* rest
    }
    if (end > now()) yield* TestClock.adjust(end - now())
    yield* rest
  })

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
    const { said, told } = tap(`${owner}#${number}`)
    const isChopped = chance.is(0.5)
    const options = { highWaterBytes, ...(isChopped && { random: chance.next }) }
    const [client, server] = this.server.plugIn(
      { ...options, observe: said, carry: this.#carrier() },
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
      const { chance, now } = this.#options
      const delay = this.slowness === 0 || chance.is(0.5) ? chance.between(0, 2) : chance.between(0, this.slowness)
      last = Math.max(last, now() + delay)
      this.#later(last - now(), arrive)
    }
  }

  #later(millis: number, happen: () => void): void {
    const at = this.#options.now() + millis
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
