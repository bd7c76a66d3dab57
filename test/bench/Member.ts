/**
 * One connection of the generator. Hot path: lines are found by scanning for line feeds, deliveries are read off their
 * last bytes, and only what is neither delivery nor acknowledgement becomes a string, if somebody asked for it.
 *
 * A line that comes in two chunks is put together in `#carry`; all other bytes are looked at where they were read.
 */
import { type Dialect, markerBytes } from "./Dialect.ts"
import type { Histogram } from "./Histogram.ts"
import type { Ledger } from "./Ledger.ts"
import type { Connect, Wire } from "./Wire.ts"

const lineFeed = 10
const tilde = 0x7e
const zero = 0x30

export class Member {
  readonly name: string
  readonly dialect: Dialect
  readonly #wire: Wire
  #carry: Buffer | undefined
  #ledger: Ledger | undefined
  #seen = new Uint8Array(0)
  /** When each message of this member went that is acknowledged one day, and how many have been. */
  #unacknowledged: Array<number> = []
  #acknowledged = 0
  #acknowledgements: Histogram | undefined
  isOpen = false
  isClosed = false
  /** Whether the last write filled the socket's buffer. */
  isFull = false
  bytes = 0
  refusals = 0
  lastRefusal = ""
  onOpen: () => void = () => {}
  onClose: (reason: string) => void = () => {}
  onDrain: () => void = () => {}
  onAcknowledged: (now: number) => void = () => {}
  /** Who looks at the lines that are neither deliveries nor acknowledgements. */
  onLine: ((line: string, now: number) => void) | undefined

  constructor(name: string, dialect: Dialect, port: number, connect: Connect) {
    this.name = name
    this.dialect = dialect
    this.#wire = connect(port, {
      onOpen: () => {
        this.isOpen = true
        this.onOpen()
      },
      onBytes: (bytes, length) => this.#take(bytes, length),
      onDrain: () => {
        this.isFull = false
        this.onDrain()
      },
      onClose: (error) => {
        this.isClosed = true
        this.onClose(this.lastRefusal === "" ? (error?.message ?? "closed by the server") : this.lastRefusal)
      }
    })
  }

  /** Counts what comes from now on in this ledger; acknowledgements, if asked for, in a histogram. */
  count(ledger: Ledger, acknowledgements?: Histogram): void {
    this.#ledger = ledger
    this.#seen = new Uint8Array(Math.ceil(ledger.capacity / 8))
    this.#acknowledgements = acknowledgements
    this.#unacknowledged = []
    this.#acknowledged = 0
  }

  write(text: string): boolean {
    if (this.isClosed) return true
    this.isFull = !this.#wire.write(text)
    return !this.isFull
  }

  /** Notes that a message was written at this time whose acknowledgement is measured. */
  awaitAcknowledgement(startedAt: number): void {
    this.#unacknowledged.push(startedAt)
  }

  unacknowledged(): number {
    return this.#unacknowledged.length - this.#acknowledged
  }

  close(): void {
    this.onClose = () => {}
    this.#wire.destroy()
  }

  #take(bytes: Buffer, length: number): void {
    const now = performance.now()
    this.bytes += length
    let start = 0
    let end = bytes.indexOf(lineFeed)
    if (end >= length) end = -1
    if (this.#carry !== undefined) {
      const rest = bytes.subarray(0, end === -1 ? length : end + 1)
      const whole = Buffer.concat([this.#carry, rest])
      if (end === -1) {
        this.#carry = whole
        return
      }
      this.#carry = undefined
      this.#line(whole, 0, whole.length - 1, now)
      start = end + 1
      end = bytes.indexOf(lineFeed, start)
    }
    // The buffer is longer than what was read, and holds older bytes behind it.
    while (end !== -1 && end < length) {
      this.#line(bytes, start, end, now)
      start = end + 1
      end = bytes.indexOf(lineFeed, start)
    }
    if (start < length) this.#carry = Buffer.from(bytes.subarray(start, length))
  }

  #line(bytes: Buffer, start: number, end: number, now: number): void {
    const marker = end - this.dialect.trailerBytes - markerBytes
    if (marker > start && bytes[marker] === tilde) {
      let number = 0
      for (let at = marker + 1; at < marker + markerBytes; at++) number = number * 10 + (bytes[at] ?? 0) - zero
      this.#ledger?.receive(number, this.#seen, now)
      return
    }
    const kind = this.dialect.kindOf(bytes, start, end)
    if (kind === "acknowledged") {
      const startedAt = this.#unacknowledged[this.#acknowledged]
      if (startedAt !== undefined) {
        this.#acknowledged++
        this.#acknowledgements?.record(now - startedAt)
      }
      this.onAcknowledged(now)
      return
    }
    if (kind === "refused") {
      this.refusals++
      this.lastRefusal = bytes.toString("latin1", start, end).trim()
    }
    if (this.onLine !== undefined) this.onLine(bytes.toString("latin1", start, end), now)
    else if (this.dialect.answer !== undefined) this.#answer(bytes.toString("latin1", start, end))
  }

  #answer(line: string): void {
    const answer = this.dialect.answer?.(line)
    if (answer !== undefined) this.write(answer)
  }
}
