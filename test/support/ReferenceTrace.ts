/**
 * What happened in a run of the server, as its clients saw it: the input of the reference model.
 *
 * A trace is the list of everything that was said, heard, cut and closed, in the order in which it happened; a place in
 * this list is the model's only clock. `Quiet` is put there when every request has had its reply, every message and
 * presence change has been heard, and whoever was cut off is gone: after it, answers can be predicted exactly. In
 * between only what the protocol promises whatever the order is expected.
 */
import { type NameKey, nameKey } from "../../src/common/name/Name.ts"
import type { UserName } from "../../src/common/name/UserName.ts"
import type { ClientMessage } from "../../src/common/wire/ClientMessage.ts"
import type { ServerMessage } from "../../src/common/wire/ServerMessage.ts"

export type TraceEvent =
  | { readonly _tag: "Opened"; readonly session: number }
  | { readonly _tag: "Said"; readonly session: number; readonly message: ClientMessage }
  /** A line that is no message, but has an id. */
  | { readonly _tag: "SaidNonsense"; readonly session: number; readonly id: string }
  | { readonly _tag: "Heard"; readonly session: number; readonly message: ServerMessage }
  /** The client cut the connection. */
  | { readonly _tag: "Cut"; readonly session: number }
  /** The client saw the server's end of the connection close. */
  | { readonly _tag: "Closed"; readonly session: number }
  | { readonly _tag: "Quiet" }

/** A request and its reply. Places are positions in the trace, and `Infinity` where something never happened. */
export interface Request {
  readonly session: SessionFacts
  readonly message: ClientMessage | { readonly _tag: "Nonsense"; readonly id: string }
  readonly saidAt: number
  reply: ServerMessage | undefined
  heardAt: number
}

interface Heard {
  readonly at: number
  readonly message: ServerMessage
}

export interface SessionFacts {
  readonly id: number
  readonly requests: Map<string, Request>
  readonly heard: Array<Heard>
  /** The name it asked for in its first Handshake. */
  user: UserName | undefined
  /** Whether it has shown that this is an account of its own. */
  isAccount: boolean
  welcomedAt: number
  /** When it was cut, disconnected or was closed, whichever came first, and when that was over and done with. */
  endSaid: number
  gone: number
  closedAt: number
}

export interface Trace {
  readonly sessions: ReadonlyArray<SessionFacts>
  /** All requests in the order they were said. */
  readonly requests: ReadonlyArray<Request>
  readonly quiets: ReadonlyArray<number>
  /** The first Quiet at or after this place. */
  readonly quietAfter: (at: number) => number
  readonly isQuiet: (request: Request) => boolean
}

export type Report = (at: number, violation: string) => void

/** The account that hears what is said on a connection, if it is one. */
export const ownerOf = ({ isAccount, user }: SessionFacts): string | undefined => (isAccount ? user : undefined)

export const keyOf = (session: SessionFacts): NameKey | undefined =>
  session.user === undefined ? undefined : nameKey(session.user)

export const readTrace = (events: ReadonlyArray<TraceEvent>, report: Report): Trace => {
  const sessions = new Map<number, SessionFacts>()
  const requests: Array<Request> = []
  const quiets = events.flatMap(({ _tag }, at) => (_tag === "Quiet" ? [at] : []))
  const quietAfter = (at: number) => quiets.find((quiet) => quiet >= at) ?? Infinity

  const sessionOf = (id: number): SessionFacts => {
    const known = sessions.get(id)
    if (known !== undefined) return known
    const session: SessionFacts = {
      id,
      requests: new Map(),
      heard: [],
      user: undefined,
      isAccount: false,
      welcomedAt: Infinity,
      endSaid: Infinity,
      gone: Infinity,
      closedAt: Infinity
    }
    sessions.set(id, session)
    return session
  }

  const end = (session: SessionFacts, at: number) => {
    session.endSaid = Math.min(session.endSaid, at)
    session.gone = Math.min(session.gone, quietAfter(at))
  }

  const hear = (session: SessionFacts, message: ServerMessage, at: number) => {
    session.heard.push({ at, message })
    if (session.closedAt < at) report(at, `session ${session.id} heard ${message._tag} after the end`)
    const isNews = (!("id" in message) || message.id === undefined) && message._tag !== "Goodbye"
    if (isNews && session.welcomedAt > at && message._tag !== "Rejected") {
      report(at, `session ${session.id} heard ${message._tag} before its Welcome`)
    }
    if (!("id" in message) || message.id === undefined) return
    const request = session.requests.get(message.id)
    if (request === undefined) return report(at, `session ${session.id} heard a reply to nothing: ${message._tag}`)
    if (request.reply !== undefined) return report(at, `a second reply to ${request.message._tag}: ${message._tag}`)
    request.reply = message
    request.heardAt = at
    if (message._tag === "Welcome") session.welcomedAt = Math.min(session.welcomedAt, at)
  }

  for (const [at, event] of events.entries()) {
    if (event._tag === "Quiet") continue
    const session = sessionOf(event.session)
    if (event._tag === "Said" || event._tag === "SaidNonsense") {
      const message = event._tag === "Said" ? event.message : { _tag: "Nonsense" as const, id: event.id }
      if (message._tag === "Handshake" && session.user === undefined) {
        session.user = message.user
        session.isAccount = message.credentials !== undefined
      }
      const request: Request = { session, message, saidAt: at, reply: undefined, heardAt: Infinity }
      requests.push(request)
      session.requests.set(message.id ?? `without id ${at}`, request)
      if (message._tag === "Disconnect") end(session, at)
    } else if (event._tag === "Heard") hear(session, event.message, at)
    else if (event._tag === "Cut") end(session, at)
    else if (event._tag === "Closed") {
      if (session.welcomedAt < at && session.endSaid > at) report(at, `session ${session.id} was closed for no reason`)
      session.closedAt = at
      end(session, at)
    }
  }

  for (const { heardAt, message, saidAt, session } of requests) {
    const mustBeAnswered = session.welcomedAt < Infinity && saidAt <= session.endSaid && !wasCut(session, events)
    if (mustBeAnswered && heardAt === Infinity) report(saidAt, `no reply to ${message._tag} of session ${session.id}`)
    if (quietAfter(saidAt) < heardAt && heardAt < Infinity) {
      report(heardAt, `the reply to ${message._tag} of session ${session.id} came after a Quiet`)
    }
  }

  /** Said when nothing else was going on: between a Quiet and the next action of anybody but a question. */
  const isQuiet = ({ heardAt, saidAt }: Request) => {
    const quiet = quiets.findLast((place) => place < saidAt)
    if (quiet === undefined || heardAt === Infinity) return false
    return events.slice(quiet, heardAt).every((event) => event._tag !== "Cut" && !isAction(event))
  }

  return { sessions: [...sessions.values()], requests, quiets, quietAfter, isQuiet }
}

const wasCut = (session: SessionFacts, events: ReadonlyArray<TraceEvent>) => events[session.endSaid]?._tag === "Cut"

const questions = new Set(["Ping", "ListUsers", "ListRooms", "ListRoomUsers", "GetHistory"])
const isAction = (event: TraceEvent) => event._tag === "Said" && !questions.has(event.message._tag)
