/**
 * What was said here and does not stand in the log yet: on its way, or refused. Pure.
 *
 * The entry comes before its `Sent`. Until then nobody can be certain whose it is, since another device of the account may say the
 * same: the earliest of these words is taken for it, and is hidden rather than gone, so that a refusal shows it again.
 *
 * Bounds: none of its own; who types makes it grow, and the client lets 1024 requests be under way.
 */
import type { Seq, Timestamp } from "../../../common/log/Cursor.ts"

export interface Outgoing {
  /** Which of those of this sitting. */
  readonly number: number
  readonly content: string
  readonly replyTo?: Seq
  /** When it was typed, by this machine's clock. */
  readonly at?: Timestamp
  /** It was typed in a sitting before, which ended before one knew whether the server had it. */
  readonly isOfBefore?: boolean
  readonly state:
    | { readonly _tag: "Waiting" }
    /** An entry with these words has come; or the answer, before the entry. */
    | { readonly _tag: "Arrived"; readonly seq: Seq }
    | { readonly _tag: "Failed"; readonly message: string }
}

export type Outbox = ReadonlyArray<Outgoing>

/** Those that are to be shown behind the log. */
export const shown = (outbox: Outbox): Outbox => outbox.filter(({ state }) => state._tag !== "Arrived")

/** Whether of any of these one does not know yet what becomes of it. */
export const areWaiting = (talks: Iterable<{ readonly outbox: Outbox }>): boolean =>
  [...talks].some(({ outbox }) => outbox.some(({ state }) => state._tag === "Waiting"))

/** Something that oneself said stands in the log. */
export const heard = (outbox: Outbox, seq: Seq, content: string): Outbox => {
  if (outbox.some(({ state }) => state._tag === "Arrived" && state.seq === seq)) {
    return outbox.filter(({ state }) => state._tag !== "Arrived" || state.seq !== seq)
  }
  const index = outbox.findIndex((one) => one.state._tag === "Waiting" && one.content === content)
  const found = outbox[index]
  return found === undefined ? outbox : outbox.with(index, { ...found, state: { _tag: "Arrived", seq } })
}

/** The server has stored it at this place; `isThere` says whether that entry has come. */
export const stored = (outbox: Outbox, number: number, seq: Seq, isThere: boolean): Outbox =>
  isThere
    ? outbox.filter((one) => one.number !== number)
    : outbox.map((one) => (one.number === number ? { ...one, state: { _tag: "Arrived", seq } } : one))

export const failed = (outbox: Outbox, number: number, message: string): Outbox =>
  outbox.map((one) => (one.number === number ? { ...one, state: { _tag: "Failed", message } } : one))

export const without = (outbox: Outbox, number: number): Outbox => outbox.filter((one) => one.number !== number)

export const failures = (outbox: Outbox): Outbox => outbox.filter(({ state }) => state._tag === "Failed")

/** By so much, in milliseconds, the clock of a server may be behind ours. */
const skew = 60_000

/** What of a sitting before stands in the log after all, among what oneself said there. */
export const found = (
  outbox: Outbox,
  said: ReadonlyArray<{ readonly content: string; readonly at: Timestamp }>
): Outbox => {
  const left = outbox.filter(
    ({ at = 0, content, isOfBefore }) =>
      isOfBefore !== true || !said.some((one) => one.content === content && one.at >= at - skew)
  )
  return left.length === outbox.length ? outbox : left
}
