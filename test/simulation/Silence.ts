/**
 * Judges what durations the server tells by the time that only passes: who was heard a moment ago is not idle, whatever
 * the clocks on the wall say and however long the machine stood still; and who is too fast may go on soon.
 */
import type { ServerMessage } from "../../src/common/wire/ServerMessage.ts"

export interface Limits {
  readonly idleMillis: number
  /** Messages a second; 0 if there is no limit. */
  readonly rate: number
}

/** Of a pause, two looks of the server's watch count as silence: it cannot know when in between the pause began. */
const countedOfPause = 2000

/** More than anybody here says in one breath: who is refused so many is told to ask for the last of them behind all others. */
const mostAtOnce = 500

export class Silence {
  readonly #limits: Limits
  #heardAt: number
  #excused = 0

  constructor(limits: Limits, now: number) {
    this.#limits = limits
    this.#heardAt = now
  }

  hear(now: number): void {
    this.#heardAt = now
    this.#excused = 0
  }

  /** Nobody ran for so long. */
  pause(millis: number): void {
    this.#excused += Math.max(0, millis - countedOfPause)
  }

  /** What is wrong with what is told now, if anything is. */
  judge(message: ServerMessage, now: number): string | undefined {
    const { idleMillis, rate } = this.#limits
    if (message._tag === "Goodbye" && message.reason?.startsWith("Nothing was heard") === true) {
      const silent = now - this.#heardAt
      return silent - this.#excused < idleMillis
        ? `it is told that it is idle, ${silent} ms after it was heard, of which ${this.#excused} were a pause`
        : undefined
    }
    if (message._tag !== "Rejected" || message.reason._tag !== "RateLimited") return undefined
    const { retryAfter } = message.reason
    return retryAfter * rate > 1000 * mostAtOnce + rate ? `it is told to wait for ${retryAfter} ms` : undefined
  }
}
