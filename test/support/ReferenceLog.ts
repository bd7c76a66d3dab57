/**
 * The logs of the lobby and the rooms, put together from what everybody saw of them, and what must be true of a log.
 *
 * Every content in a trace is unique, but for repeats with the same key: that is how an entry is known again.
 */
import { nameKey } from "../../src/common/name/Name.ts"
import type { ChatMessage } from "../../src/common/wire/EntryMessage.ts"
import { keyOf, type Report, type Request, type Trace } from "./ReferenceTrace.ts"

export interface LogEntry {
  readonly seq: number
  readonly at: number
  readonly from: string
  readonly content: string
  /** The place in the trace where somebody first knew of it. */
  readonly knownAt: number
  /** The place where it was first said. */
  readonly saidAt: number
}

export type Log = Map<number, LogEntry>
export type Logs = ReadonlyMap<string, Log>

export const lobby = "lobby"
export const roomLog = (room: string) => `room ${nameKey(room)}`

/** The log a message of the protocol is about, whoever says it. */
export const logOf = (message: { readonly _tag: string; readonly room?: string }): string | undefined => {
  if (message._tag === "GlobalMessage") return lobby
  return message._tag === "RoomMessage" && message.room !== undefined ? roomLog(message.room) : undefined
}

/** The newest place that was known before this point of the trace, and the newest that could have been. */
export const newestKnown = (log: Log, at: number) => newestOf(log, (entry) => entry.knownAt < at)
export const newestPossible = (log: Log, at: number) => newestOf(log, (entry) => entry.saidAt < at)
const newestOf = (log: Log, isIn: (entry: LogEntry) => boolean) =>
  Math.max(0, ...[...log.values()].filter(isIn).map(({ seq }) => seq))

/** A chat message that was said, to the lobby or a room. */
interface Publish {
  readonly request: Request
  readonly log: string
  readonly from: string
  readonly content: string
  readonly key: string | undefined
}

const publishesOf = (trace: Trace): ReadonlyArray<Publish> =>
  trace.requests.flatMap((request) => {
    const { message, session } = request
    if (message._tag !== "GlobalMessage" && message._tag !== "RoomMessage") return []
    const log = logOf(message)
    return log === undefined || session.user === undefined
      ? []
      : [{ request, log, from: session.user, content: message.content, key: message.key }]
  })

/** Builds the logs from every sight of an entry, and reports where two sights differ. */
export const readLogs = (trace: Trace, report: Report): Logs => {
  const logs = new Map<string, Log>()
  const firstSaid = new Map<string, number>()
  for (const { content, request } of publishesOf(trace)) {
    firstSaid.set(content, Math.min(request.saidAt, firstSaid.get(content) ?? Infinity))
  }

  const learn = (log: string, seen: Omit<LogEntry, "knownAt" | "saidAt">, at: number) => {
    const entries = logs.get(log) ?? new Map<number, LogEntry>()
    logs.set(log, entries)
    const known = entries.get(seen.seq)
    const knownAt = Math.min(at, known?.knownAt ?? Infinity)
    entries.set(seen.seq, { ...seen, knownAt, saidAt: firstSaid.get(seen.content) ?? Infinity })
    if (known === undefined) return
    if (known.at !== seen.at || known.content !== seen.content || nameKey(known.from) !== nameKey(seen.from)) {
      report(at, `two versions of ${log} ${seen.seq}: ${known.content} and ${seen.content}`)
    }
  }
  const learnMessage = (message: ChatMessage, at: number) => {
    const log = logOf(message)
    if (log !== undefined) learn(log, message, at)
  }

  for (const { heard } of trace.sessions) {
    for (const { at, message } of heard) {
      if (message._tag === "GlobalMessage" || message._tag === "RoomMessage") learnMessage(message, at)
      else if (message._tag === "History") for (const old of message.messages) learnMessage(old, at)
    }
  }
  for (const { content, from, log, request } of publishesOf(trace)) {
    const { heardAt, reply } = request
    if (reply?._tag === "Sent") learn(log, { seq: reply.seq, at: reply.at, from, content }, heardAt)
  }
  return logs
}

/** One count without gaps; each entry said once by its author, in its author's order and in the order of time. */
export const checkLogs = (trace: Trace, logs: Logs, report: Report): void => {
  const publishes = publishesOf(trace)
  for (const [name, log] of logs) {
    const said = new Map(
      publishes.filter((publish) => publish.log === name).map((publish) => [publish.content, publish])
    )
    const entries = [...log.values()].toSorted((a, b) => a.seq - b.seq)
    const contents = new Set<string>()
    let latest = 0
    for (const [index, entry] of entries.entries()) {
      const what = `${name} ${entry.seq}`
      if (entry.seq !== index + 1) report(entry.knownAt, `${name} has no ${index + 1}, but ${entry.seq}`)
      if (contents.has(entry.content)) report(entry.knownAt, `${what} was stored before: ${entry.content}`)
      contents.add(entry.content)
      const publish = said.get(entry.content)
      if (publish === undefined) report(entry.knownAt, `${what} was said by nobody: ${entry.content}`)
      else if (nameKey(publish.from) !== nameKey(entry.from)) {
        report(entry.knownAt, `${what} was said by ${publish.from}, not ${entry.from}`)
      }
      if (entry.at < latest) report(entry.knownAt, `${what} is older than the one before`)
      latest = entry.at
    }
    checkOrder(
      publishes.filter((publish) => publish.log === name),
      report
    )
  }
}

/** Whoever had a Sent before another message was said stands before it; so do the earlier messages of one session. */
const checkOrder = (publishes: ReadonlyArray<Publish>, report: Report) => {
  const stored = publishes.flatMap(({ request }) =>
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

/** A Sent says where the message stands; a repeat is answered with the place of the first, and only a repeat is. */
export const checkRepeats = (trace: Trace, report: Report): void => {
  const publishes = trace.requests.flatMap((request) => {
    const { message, session } = request
    const isChat =
      message._tag === "GlobalMessage" || message._tag === "RoomMessage" || message._tag === "PrivateMessage"
    if (!isChat || message.key === undefined) return []
    return [{ request, identity: `${keyOf(session)} ${logOf(message) ?? "inbox"} ${message.key}` }]
  })
  for (const [index, { identity, request }] of publishes.entries()) {
    const { heardAt, reply, saidAt } = request
    if (reply?._tag !== "Sent") continue
    const earlier = publishes.slice(0, index).filter((other) => other.identity === identity)
    const sent = earlier.flatMap(({ request }) => (request.reply?._tag === "Sent" ? [request] : []))
    if (reply.repeated === true && earlier.length === 0) report(heardAt, `the first of its key is called a repeat`)
    if (
      reply.repeated === undefined &&
      sent.some((first) => first.heardAt < saidAt || first.session === request.session)
    ) {
      report(heardAt, `a repeat was stored again`)
    }
    for (const { reply: first, session } of sent) {
      // The place in the inbox of a connection that is gone is 0.
      const isGone =
        session !== request.session &&
        request.message._tag === "PrivateMessage" &&
        reply.repeated === true &&
        reply.seq === 0
      if (first?._tag === "Sent" && ((first.seq !== reply.seq && !isGone) || first.at !== reply.at)) {
        report(heardAt, `a repeat was answered with ${reply.seq} at ${reply.at}, not ${first.seq} at ${first.at}`)
      }
    }
  }
}
