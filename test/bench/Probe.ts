/**
 * Requests on a connection of their own while something else goes on: how long the server keeps those waiting who ask
 * for little. One after the other at a fixed pace; each counts from when it was due, so that a stall of 100 ms is not
 * one slow answer but all those that it held up.
 */
import { Effect } from "effect"
import { askTimed, BenchError } from "./Crowd.ts"
import { Histogram } from "./Histogram.ts"
import type { Member } from "./Member.ts"

export interface Request {
  readonly text: string
  readonly isAnswer: (line: string) => boolean
}

/** Asks what `next` says, every so many milliseconds, for as long as `work` takes. Fails as soon as an answer fails to come. */
export const during = Effect.fnUntraced(function* <A, E>(
  member: Member,
  everyMillis: number,
  next: () => Request,
  work: Effect.Effect<A, E>
) {
  const times = new Histogram()
  const asking = Effect.gen(function* () {
    const startedAt = performance.now()
    for (let index = 0; ; index++) {
      const due = startedAt + index * everyMillis
      const early = due - performance.now()
      if (early > 0) yield* Effect.sleep(early)
      const { text, isAnswer } = next()
      const writtenAt = performance.now()
      const { millis } = yield* askTimed(member, text, isAnswer)
      // What an earlier answer held up counts for this one too; a timer's own millisecond does not.
      times.record(millis + Math.max(0, writtenAt - due - timerMillis))
    }
  })
  // It asks for ever, so that it can only end first by failing.
  const result = yield* Effect.raceFirst(work, asking)
  if (member.isClosed) return yield* new BenchError({ message: `The probe was cut off: ${member.lastRefusal}` })
  return { result, times }
})

const timerMillis = 2

let nonce = 0

export const ping = (member: Member) => (): Request => {
  const own = ++nonce
  return { text: member.dialect.ping(own), isAnswer: (line) => member.dialect.isPong(line, own) }
}

/** A request of parley's by its tag, told by its answer's. */
export const request = (
  message: { readonly _tag: string; readonly [field: string]: unknown },
  answer: string
): Request => {
  const id = `p${++nonce}`
  const start = `{"_tag":"${answer}"`
  return {
    text: `${JSON.stringify({ ...message, id })}\n`,
    isAnswer: (line) =>
      (line.startsWith(start) || line.startsWith('{"_tag":"Rejected"')) && line.includes(`"id":"${id}"`)
  }
}
