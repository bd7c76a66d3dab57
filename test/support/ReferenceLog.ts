/**
 * The logs of the lobby, the rooms and the accounts' inboxes, put together from what everybody saw of them, and what must be
 * true of a log.
 */
import { nameKey } from "../../src/common/name/Name.ts"
import { authorOf, type Deed, type HeardEntry, entryIn, nameOf, type Wish, wishesOf } from "./ReferenceEntry.ts"
import { readOwners } from "./ReferenceOwners.ts"
import { outcomesOf, statesOf } from "./ReferenceTimeline.ts"
import { ownerOf, type Report, type Request, type Trace } from "./ReferenceTrace.ts"

export interface LogEntry {
  readonly seq: number
  readonly at: number
  readonly from: string
  /** Nothing, if all who saw it saw a Tombstone. */
  readonly deed: Deed | undefined
  /** The place in the trace where somebody first knew of it. */
  readonly knownAt: number
  /** The place where it was first asked for. */
  readonly saidAt: number
  /** Those that may have made it: one, if it was answered. */
  readonly madeBy: ReadonlyArray<Request>
  /** In an inbox, the key of whom it was exchanged with. */
  readonly partner: string | undefined
}

export type Log = Map<number, LogEntry>
export type Logs = ReadonlyMap<string, Log>

/** The newest place that was known before this point of the trace, and the newest that could have been. */
export const newestKnown = (log: Log, at: number) => newestOf(log, (entry) => entry.knownAt < at)
export const newestPossible = (log: Log, at: number) => newestOf(log, (entry) => entry.saidAt < at)
const newestOf = (log: Log, isIn: (entry: LogEntry) => boolean) =>
  Math.max(0, ...[...log.values()].filter(isIn).map(({ seq }) => seq))

export const inOrder = (log: Log): ReadonlyArray<LogEntry> => [...log.values()].toSorted((a, b) => a.seq - b.seq)

/** Builds the logs from every sight of an entry, and reports where two sights differ. */
export const readLogs = (trace: Trace, report: Report): Logs => {
  const logs = new Map<string, Log>()
  const wishes = wishesOf(trace.requests)
  const byDeed = Map.groupBy(wishes, wishName)

  const learn = (heard: Omit<HeardEntry, "tombstone">, at: number, by?: Request) => {
    const { at: time, deed, from, log: name, partner, seq } = heard
    const log = logs.get(name) ?? new Map<number, LogEntry>()
    logs.set(name, log)
    const known = log.get(seq)
    const knownAt = Math.min(at, known?.knownAt ?? Infinity)
    const same = known?.deed ?? deed
    const asked = same === undefined ? [] : (byDeed.get(wishName({ log: name, from, deed: same, partner })) ?? [])
    const madeBy = by === undefined ? (known?.madeBy ?? asked.map(({ request }) => request)) : [by]
    // Of what nobody saw it is not known who asked for it, nor when.
    const saidAt = same === undefined ? 0 : Math.min(Infinity, ...asked.map(({ request }) => request.saidAt))
    log.set(seq, {
      seq,
      at: time,
      from,
      deed: same,
      knownAt,
      saidAt,
      madeBy: madeBy.length === 0 ? asked.map(({ request }) => request) : madeBy,
      partner
    })
    if (known === undefined) return
    const isOther = known.deed !== undefined && deed !== undefined && nameOf(known.deed) !== nameOf(deed)
    if (known.at !== time || nameKey(known.from) !== nameKey(from) || isOther || known.partner !== partner) {
      report(at, `two versions of ${name} ${seq}: ${JSON.stringify(known.deed)} and ${JSON.stringify(deed)}`)
    }
  }

  for (const session of trace.sessions) {
    const owner = ownerOf(session)
    for (const { at, message } of session.heard) {
      const entry = entryIn(message, owner)
      if (entry !== undefined) learn(entry, at)
      if (message._tag !== "History") continue
      // How it stands says that it was there, and what was said only if it was not edited.
      for (const old of message.messages) {
        const standing = entryIn(old, owner)
        if (standing !== undefined) learn({ ...standing, deed: "edited" in old ? undefined : standing.deed }, at)
      }
    }
  }
  for (const { deed, from, isOwn, log, partner, request } of wishes) {
    const { heardAt, reply } = request
    if (!isOwn || reply?._tag !== "Sent" || reply.repeated === true) continue
    learn({ log, seq: reply.seq, at: reply.at, from, deed, partner }, heardAt, request)
  }
  return logs
}

/** In an inbox the target is named by the place of whoever's it is. */
const wishName = ({ deed, from, log, partner }: Pick<Wish, "deed" | "from" | "log" | "partner">) =>
  `${log} ${partner} ${nameKey(from)} ${nameOf(partner === undefined ? deed : { ...deed, target: 0 })}`

/** One count without gaps, in the order of time; each entry was asked for by its author, may be made there, and is once. */
export const checkLogs = (trace: Trace, logs: Logs, report: Report): void => {
  const governsIn = readOwners(trace)
  for (const [name, log] of logs) {
    const entries = inOrder(log)
    const states = statesOf(entries)
    const deeds = new Set<string>()
    let latest = 0
    for (const [index, { at, deed, from, knownAt, madeBy, partner, seq }] of entries.entries()) {
      const what = `${name} ${seq} by ${from}, ${JSON.stringify(deed)},`
      if (seq !== index + 1) report(knownAt, `${name} has no ${index + 1}, but ${seq}`)
      if (at < latest) report(knownAt, `${what} is older than the one before`)
      latest = at
      if (deed === undefined) continue
      if (deed.kind !== "Reacted" && deeds.has(nameOf(deed))) report(knownAt, `${what} was stored before`)
      deeds.add(nameOf(deed))
      const before = states[index]
      if (madeBy.length === 0) report(knownAt, `${what} was asked for by nobody`)
      else if (
        before === undefined ||
        !madeBy.some(({ session }) => {
          const author = authorOf(session)
          return isAllowed(before, { deed, partner, from, author, governs: governsIn(name, author) })
        })
      ) {
        report(knownAt, `${what} must not stand behind what there was`)
      }
    }
    checkOrder(
      wishesOf(trace.requests).filter((wish) => wish.isOwn && wish.log === name),
      report
    )
  }
}

const isAllowed = (...asked: Parameters<typeof outcomesOf>) =>
  outcomesOf(...asked).some(({ kind }) => kind === "Accepted")

/** Whoever had a Sent before something else was asked for stands before it; so do the earlier requests of one session. */
const checkOrder = (wishes: ReadonlyArray<Wish>, report: Report) => {
  const stored = wishes.flatMap(({ request }) =>
    request.reply?._tag === "Sent" && request.reply.repeated === undefined ? [{ request, seq: request.reply.seq }] : []
  )
  for (const [index, later] of stored.entries()) {
    for (const earlier of stored.slice(0, index)) {
      const isBefore =
        earlier.request.heardAt < later.request.saidAt || earlier.request.session === later.request.session
      if (isBefore && earlier.seq >= later.seq) {
        report(later.request.heardAt, `${later.seq} was said after ${earlier.seq}, but does not stand behind it`)
      }
    }
  }
}
