/**
 * Where an attack takes place, in the process of those who attack: the server's port, how many they are, and all their
 * connections, which are counted and all closed in the end.
 *
 * A crowd are connections that do nothing but be there; whoever costs the server something on purpose is hostile.
 */
import { Array as Arr, Effect } from "effect"
import { BenchError } from "../Crowd.ts"
import { atRate } from "../Route.ts"
import { Foe, type FoeOptions } from "./Foe.ts"
import type { Orders, Tally } from "./Orders.ts"

export type Kind = "hostile" | "crowd"

const gatherConcurrency = 50
const connectPatience = "30 seconds"

/** The default settings: what a connection may send at once, and then a second. */
const burst = 200
const perSecond = 50

export class Field {
  readonly orders: Orders
  readonly #foes = new Map<Foe, Kind>()
  readonly #prefix: string
  #named = 0
  #gone = { hostile: 0, crowd: 0, bytesIn: 0, bytesOut: 0, refusals: 0 }
  readonly #cut: Record<string, number> = {}
  done = 0

  /** Tells that all are in position, and waits for the order to attack. */
  readonly ordered: Effect.Effect<void>

  constructor(orders: Orders, ordered: Effect.Effect<void>) {
    this.orders = orders
    this.ordered = ordered
    this.#prefix = orders.part === "seed" ? "s" : "x"
  }

  /** A name that nobody had. */
  name(): string {
    return `${this.#prefix}${++this.#named}`
  }

  /** Begins to connect. */
  dial(kind: Kind, options: Partial<Omit<FoeOptions, "port">> = {}): Foe {
    const foe = new Foe({ name: options.name ?? this.name(), port: this.orders.port, ...options })
    this.#foes.set(foe, kind)
    return foe
  }

  /** Forgets a connection that has ended, but for its figures. */
  retire(foe: Foe): void {
    const kind = this.#foes.get(foe)
    if (kind === undefined) return
    this.#foes.delete(foe)
    this.#gone[kind]++
    this.#gone.bytesIn += foe.bytesIn
    this.#gone.bytesOut += foe.bytesOut
    this.#gone.refusals += foe.refusals
    if (foe.hasLeft || !foe.isClosed) return
    const reason = foe.reason()
    this.#cut[reason] = (this.#cut[reason] ?? 0) + 1
  }

  /** Connects, says its name and is welcomed. */
  recruit(kind: Kind, options: Partial<Omit<FoeOptions, "port">> = {}): Effect.Effect<Foe, BenchError> {
    return Effect.suspend(() => {
      const foe = this.dial(kind, options)
      return Effect.as(
        foe.line('"_tag":"Welcome"', () => foe.send({ _tag: "Handshake", user: foe.name })),
        foe
      )
    })
  }

  gather(kind: Kind, count: number): Effect.Effect<ReadonlyArray<Foe>, BenchError> {
    return Effect.forEach(
      Arr.makeBy(count, () => kind),
      (each) => this.recruit(each),
      {
        concurrency: gatherConcurrency
      }
    )
  }

  /** Makes a room, if it is not there, and brings these in. */
  enter(foes: ReadonlyArray<Foe>, room: string): Effect.Effect<void, BenchError> {
    const [first] = foes
    if (first === undefined) return Effect.void
    return first.ask({ _tag: "CreateRoom", room }).pipe(
      Effect.andThen(
        Effect.forEach(foes, (foe) => foe.ask({ _tag: "JoinRoom", room }), {
          concurrency: gatherConcurrency,
          discard: true
        })
      )
    )
  }

  /** Each of K hostile connections does this for ever; who is cut comes back as somebody new. */
  each(what: (foe: Foe, index: number) => Effect.Effect<void, BenchError>, options: Partial<FoeOptions> = {}) {
    const once = (index: number) =>
      Effect.suspend(() => {
        const foe = this.dial("hostile", options)
        return opened(foe).pipe(
          Effect.andThen(Effect.sync(() => foe.send({ _tag: "Handshake", user: foe.name }))),
          Effect.andThen(Effect.raceFirst(what(foe, index), closed(foe))),
          Effect.ignore,
          Effect.ensuring(
            Effect.sync(() => {
              if (!foe.isClosed) foe.leave()
              this.retire(foe)
            })
          ),
          Effect.andThen(Effect.sleep(returnMillis))
        )
      })
    return Effect.forEach(Arr.range(0, this.orders.k - 1), (index) => Effect.forever(once(index)), {
      concurrency: "unbounded",
      discard: true
    })
  }

  tally(): Tally {
    let { bytesIn, bytesOut, crowd, hostile, refusals } = this.#gone
    let hostileOpen = 0
    const cut: Record<string, number> = { ...this.#cut }
    for (const [foe, kind] of this.#foes) {
      bytesIn += foe.bytesIn
      bytesOut += foe.bytesOut
      refusals += foe.refusals
      if (kind === "crowd") crowd++
      else hostile++
      if (kind === "hostile" && !foe.isClosed) hostileOpen++
      if (foe.isClosed && !foe.hasLeft) cut[foe.reason()] = (cut[foe.reason()] ?? 0) + 1
    }
    return { hostile, hostileOpen, crowd, bytesIn, bytesOut, refusals, cut, done: this.done }
  }

  close(): void {
    for (const foe of this.#foes.keys()) if (!foe.isClosed) foe.leave()
  }
}

const returnMillis = 100

/** Waits until the connection stands. */
export const opened = (foe: Foe): Effect.Effect<void, BenchError> =>
  Effect.callback<void, BenchError>((resume) => {
    const fail = () => resume(Effect.fail(new BenchError({ message: `${foe.name} could not connect.` })))
    if (foe.isOpen) return resume(Effect.void)
    if (foe.isClosed) return fail()
    foe.onOpen = () => resume(Effect.void)
    return Effect.sync(foe.onClose(fail))
  }).pipe(
    Effect.timeoutOrElse({
      duration: connectPatience,
      orElse: () => Effect.fail(new BenchError({ message: `${foe.name} could not connect in ${connectPatience}.` }))
    })
  )

/** Waits until the connection has ended. */
export const closed = (foe: Foe): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (foe.isClosed) return resume(Effect.void)
    return Effect.sync(foe.onClose(() => resume(Effect.void)))
  })

/** Sends so many at once as a burst may have, then as many a second as the rate allows, for as long as it takes them. */
export const atFullRate = (foe: Foe, next: (index: number) => object): Effect.Effect<void> =>
  Effect.suspend(() => {
    let index = 0
    const send = () => foe.send(next(index++))
    for (let left = burst; left > 0; left--) send()
    return atRate(Number.MAX_SAFE_INTEGER, perSecond, () => {
      if (!foe.isFull) send()
    })
  })
