/**
 * What was sent in one measurement, and what of it came: the place where loss, repeats and latency are counted.
 *
 * Messages are numbered, and no two measurements share a number, so that what comes late of an earlier one is told
 * apart (`strays`). Each receipt is one bit of its member: a message that comes twice to one and never to another shows
 * as one repeat and one loss, not as nothing.
 */
import { Histogram } from "./Histogram.ts"

/** Numbers have ten digits; a measurement takes a million of them at most. */
let nextBase = 1

/** Timers are late by up to a millisecond or two; what is later than this counts as the message's latency. */
const timerSlackMillis = 2

/** From when on a message counts that went now and was due then. */
export const startOf = (now: number, due: number): number => Math.min(now, due + timerSlackMillis)

export class Ledger {
  readonly base: number
  readonly capacity: number
  readonly #startedAt: Float64Array
  readonly latency = new Histogram()
  /** How late the generator itself was with a message that had its time. */
  readonly lateness = new Histogram()
  /** Deliveries that are due, come, repeated, and of other measurements. */
  expected = 0
  received = 0
  repeats = 0
  strays = 0
  sent = 0
  firstSentAt = Number.NaN
  lastReceivedAt = Number.NaN
  /** Called when so many have been received. */
  target = Number.POSITIVE_INFINITY
  onTarget: (now: number) => void = () => {}

  constructor(capacity: number, base: number = nextBase) {
    this.capacity = capacity
    this.base = base
    nextBase = Math.max(nextBase, base + capacity)
    this.#startedAt = new Float64Array(capacity)
  }

  /** What is due when all messages of an earlier ledger come once more, to so many who have not seen them. */
  static replayOf({ base, sent }: Ledger, receivers: number, now: number): Ledger {
    const ledger = new Ledger(sent, base)
    ledger.sent = sent
    ledger.expected = sent * receivers
    ledger.firstSentAt = now
    ledger.#startedAt.fill(now)
    return ledger
  }

  /** Notes a message that goes to so many receivers; `due` is when it should have gone. Gives its number. */
  send(receivers: number, now: number, due: number = now): number {
    const index = this.sent++
    if (index >= this.capacity) throw new Error(`The measurement has room for ${this.capacity} messages only.`)
    if (index === 0) this.firstSentAt = now
    this.#startedAt[index] = startOf(now, due)
    if (due !== now) this.lateness.record(now - due)
    this.expected += receivers
    return this.base + index
  }

  /** Notes a delivery to the member whose bits these are. */
  receive(number: number, seen: Uint8Array, now: number): void {
    const index = number - this.base
    if (!(index >= 0 && index < this.sent)) {
      this.strays++
      return
    }
    const byte = seen[index >>> 3] ?? 0
    const bit = 1 << (index & 7)
    if ((byte & bit) !== 0) {
      this.repeats++
      return
    }
    seen[index >>> 3] = byte | bit
    this.received++
    this.lastReceivedAt = now
    this.latency.record(now - (this.#startedAt[index] ?? now))
    if (this.received === this.target) this.onTarget(now)
  }

  lost(): number {
    return this.expected - this.received
  }
}
