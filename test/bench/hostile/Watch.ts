/**
 * What one kind of honest request has met in one phase: how long each took, and which were refused or never answered.
 *
 * Requests go at their time whether or not earlier ones were answered, so that a stall of a second is all the requests
 * that fell into it. What is unanswered at the end counts as having taken until then.
 */
import { Histogram } from "../Histogram.ts"

export interface Seen {
  readonly sent: number
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly refused: number
  readonly unanswered: number
}

export class Watch {
  #times = new Histogram()
  readonly #outstanding = new Map<string, number>()
  #sent = 0
  #refused = 0
  readonly refusals = new Set<string>()

  begin(key: string, now: number): void {
    this.#sent++
    this.#outstanding.set(key, now)
  }

  /** Notes an answer; those to nothing that was asked in this phase do not count. */
  end(key: string, now: number): void {
    const startedAt = this.#outstanding.get(key)
    if (startedAt === undefined) return
    this.#outstanding.delete(key)
    this.#times.record(now - startedAt)
  }

  refuse(key: string, reason: string): void {
    if (!this.#outstanding.delete(key)) return
    this.#refused++
    this.refusals.add(reason)
  }

  get isWaiting(): boolean {
    return this.#outstanding.size > 0
  }

  /** Ends the phase and begins the next. */
  close(now: number): Seen {
    const unanswered = this.#outstanding.size
    for (const startedAt of this.#outstanding.values()) this.#times.record(now - startedAt)
    const seen: Seen = {
      sent: this.#sent,
      p50: this.#times.quantile(0.5),
      p99: this.#times.quantile(0.99),
      max: this.#times.max(),
      refused: this.#refused,
      unanswered
    }
    this.#times = new Histogram()
    this.#outstanding.clear()
    this.#sent = 0
    this.#refused = 0
    return seen
  }
}
