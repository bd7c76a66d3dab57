/** What happened in one run, line by line, and what of it must not be. Time is the simulation's, in milliseconds. */
import { createHash } from "node:crypto"

interface Line {
  readonly at: number
  readonly what: string
  readonly detail: object | undefined
}

export class Journal {
  readonly #lines: Array<Line> = []
  readonly #wrong: Array<string> = []
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** `detail` is a message or an event, which nothing changes any more; it is only put into words if somebody reads it. */
  note(what: string, detail?: object): void {
    this.#lines.push({ at: this.#now(), what, detail })
  }

  /** Something that must not be. */
  accuse(what: string): void {
    this.#wrong.push(what)
    this.note(`WRONG: ${what}`)
  }

  get wrong(): ReadonlyArray<string> {
    return this.#wrong
  }

  /** The last so many lines. */
  tail(count: number): ReadonlyArray<string> {
    return this.#lines.slice(-count).map(format)
  }

  /** Equal for two runs in which the same happened at the same times. */
  digest(): string {
    return createHash("sha256").update(this.tail(this.#lines.length).join("\n")).digest("hex")
  }
}

const format = ({ at, detail, what }: Line) =>
  `${at} ${what}${detail === undefined ? "" : ` ${JSON.stringify(detail)}`}`
