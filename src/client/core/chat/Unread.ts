/**
 * How much of a conversation somebody has not read: messages of others behind the mark, and those of them that are meant for them.
 * Pure.
 *
 * What was heard here is known one by one, so a mark from another device takes away exactly those before it. Of what the server
 * counted before this client came (`before`) only the numbers are known: they stay until the mark is behind all of it, so there is
 * never said to be less than there is.
 *
 * Bounds: the newest `maxKnown` are known one by one; what is pushed out is counted as before.
 */
import type { Seq } from "../../../common/log/Cursor.ts"

const maxKnown = 1000

export interface Unread {
  /** All up to here was read. */
  readonly read: Seq
  /** All up to here is counted: an entry is counted once, however often it is told of. */
  readonly counted: Seq
  readonly before: { readonly upTo: Seq; readonly unread: number; readonly mentions: number }
  readonly heard: ReadonlyArray<{ readonly seq: Seq; readonly isMention: boolean }>
}

const none = (upTo: Seq) => ({ upTo, unread: 0, mentions: 0 })

/** All up to here was read. */
export const upTo = (seq: Seq): Unread => ({ read: seq, counted: seq, before: none(seq), heard: [] })

/** As the server counts it. */
export const counted = (
  read: Seq,
  newest: Seq,
  { mentions, unread }: { readonly unread: number; readonly mentions: number }
): Unread =>
  unread === 0 && mentions === 0
    ? { ...upTo(read), counted: Math.max(read, newest) }
    : { read, counted: Math.max(read, newest), before: { upTo: newest, unread, mentions }, heard: [] }

/** An entry is there; `is` says whether it counts, and as what. */
export const hear = (before: Unread, seq: Seq, is: "mention" | "message" | "nothing"): Unread => {
  if (seq <= before.counted) return before
  if (is === "nothing" || seq <= before.read) return { ...before, counted: seq }
  const heard = [...before.heard, { seq, isMention: is === "mention" }]
  const pushed = heard.length > maxKnown ? heard[0] : undefined
  if (pushed === undefined) return { ...before, counted: seq, heard }
  return {
    ...before,
    counted: seq,
    heard: heard.slice(1),
    before: {
      upTo: pushed.seq,
      unread: before.before.unread + 1,
      mentions: before.before.mentions + (pushed.isMention ? 1 : 0)
    }
  }
}

/**
 * What stands up to here, told by the newest page of the log: of what was only counted, what is there is known one by one, and what is
 * `more` stays counted as it was. What came since is known already.
 */
export const found = (
  unread: Unread,
  messages: ReadonlyArray<{ readonly seq: Seq; readonly is: "mention" | "message" | "nothing" }>,
  more: boolean
): Unread => {
  const { before, heard, read } = unread
  const first = messages[0]?.seq ?? before.upTo + 1
  if (before.unread === 0 || before.upTo <= read) return unread
  const known = messages.flatMap(({ is, seq }) =>
    is === "nothing" || seq <= read || seq > before.upTo ? [] : [{ seq, isMention: is === "mention" }]
  )
  const isWhole = !more || first <= read + 1
  const left = isWhole ? 0 : Math.max(0, before.unread - (before.upTo - first + 1))
  const rest = isWhole ? none(read) : { upTo: first - 1, unread: left, mentions: before.mentions }
  return { ...unread, before: rest, heard: [...known, ...heard].slice(-maxKnown) }
}

/** A message is there no more. */
export const remove = (before: Unread, seq: Seq): Unread =>
  before.heard.some((one) => one.seq === seq)
    ? { ...before, heard: before.heard.filter((one) => one.seq !== seq) }
    : before

/** So many were left out, behind all that is counted and up to there. They may have been messages. */
export const miss = (before: Unread, missing: number): Unread => {
  if (missing === 0) return before
  const all = [before.before.unread + before.heard.length + missing, mentions(before)] as const
  return {
    ...before,
    counted: before.counted + missing,
    before: { upTo: before.counted + missing, unread: all[0], mentions: all[1] },
    heard: []
  }
}

/** All up to a place was read, here or elsewhere. A mark never goes back. */
export const mark = (before: Unread, seq: Seq): Unread => {
  if (seq <= before.read) return before
  return {
    read: seq,
    counted: Math.max(before.counted, seq),
    before: seq >= before.before.upTo ? none(seq) : before.before,
    heard: before.heard.filter((one) => one.seq > seq)
  }
}

/** All of it was read. */
export const all = ({ counted, read }: Unread): Unread => upTo(Math.max(counted, read))

/** The log is another one from here on; what was not read stays so. */
export const carried = (before: Unread): Unread => ({
  read: 0,
  counted: 0,
  before: { upTo: 0, unread: unread(before), mentions: mentions(before) },
  heard: []
})

export const unread = ({ before, heard }: Unread): number => before.unread + heard.length

export const mentions = ({ before, heard }: Unread): number =>
  heard.reduce((sum, { isMention }) => sum + (isMention ? 1 : 0), before.mentions)
