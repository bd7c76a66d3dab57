/**
 * Private messages: in the inbox of a guest, which counts from 1 for one connection, and between two inboxes: what one
 * has of the other the other has of it, once, at the same time and in the same order, each with places of their own.
 */
import { nameKey } from "../../src/common/name/Name.ts"
import type { ServerMessage } from "../../src/common/wire/ServerMessage.ts"
import { type Deed, inboxOf, nameOf } from "./ReferenceEntry.ts"
import { inOrder, type Log, type LogEntry, type Logs } from "./ReferenceLog.ts"
import { keyOf, type Report, type Request, type SessionFacts, type Trace } from "./ReferenceTrace.ts"

type Private = Extract<ServerMessage, { _tag: "PrivateMessage" }>

/** `accounts`: the names of all accounts there are. */
export const checkPrivate = (trace: Trace, logs: Logs, accounts: ReadonlyArray<string>, report: Report): void => {
  for (const session of trace.sessions) {
    if (!session.isAccount) checkGuest(session, trace, report)
    checkPlaces(session, trace, report)
  }
  checkDelivery(trace, logs, accounts, report)
  for (const [index, one] of accounts.entries()) {
    for (const other of accounts.slice(index + 1)) checkPair(one, other, logs, report)
  }
}

const privatesHeardBy = ({ heard }: SessionFacts) =>
  heard.flatMap(({ at, message }) => (message._tag === "PrivateMessage" ? [{ at, message }] : []))

const privatesSaid = (trace: Trace) =>
  trace.requests.flatMap((request) =>
    request.message._tag === "PrivateMessage" ? [{ request, said: request.message }] : []
  )

/** Each message in a guest's inbox was said by its author, to or from its owner, and stands there once. */
const checkGuest = (session: SessionFacts, trace: Trace, report: Report) => {
  const contents = new Set<string>()
  for (const [index, { at, message }] of privatesHeardBy(session).entries()) {
    if (message.seq !== index + 1) report(at, `${session.user}'s inbox has no ${index + 1}, but ${message.seq}`)
    if (contents.has(message.content)) report(at, `${session.user} hears ${message.content} twice`)
    contents.add(message.content)
    if (message.from !== session.user && message.to !== session.user)
      report(at, `${session.user} hears others' secrets`)
    const isSaid = privatesSaid(trace).some(({ request, said }) => isSame(request, said, message))
    if (!isSaid) report(at, `${message.content} was not said by ${message.from} to ${message.to}`)
  }
}

const isSame = (request: Request, said: { readonly to: string; readonly content: string }, message: Private) =>
  said.content === message.content && request.session.user === message.from && nameKey(said.to) === nameKey(message.to)

const isTo = (session: SessionFacts, name: string) => keyOf(session) === nameKey(name)

/**
 * What was Sent is in its sender's inbox at that place, before the Sent; in that of the account it is for; and in that of a
 * guest who was there.
 */
const checkDelivery = (trace: Trace, logs: Logs, accounts: ReadonlyArray<string>, report: Report) => {
  for (const { request, said } of privatesSaid(trace)) {
    const { heardAt, reply, saidAt, session } = request
    if (reply?._tag !== "Sent" || reply.repeated === true) continue
    const inbox = privatesHeardBy(session)
    const own = inbox.find(({ message }) => message.content === said.content)
    if (own === undefined || own.at > heardAt || own.message.seq !== reply.seq || own.message.at !== reply.at) {
      report(heardAt, `${session.user} does not have ${said.content} at ${reply.seq} before its Sent`)
    }
    if (own !== undefined && own.message.replyTo !== said.replyTo) {
      report(heardAt, `${said.content} replies to ${own.message.replyTo}, not to ${said.replyTo}`)
    }
    const isForAccount = accounts.some((account) => nameKey(account) === nameKey(said.to))
    if (isForAccount) checkStored(inboxOf(said.to), { said, at: reply.at, heardAt }, logs, report)
    const quiet = trace.quietAfter(heardAt)
    const receivers = trace.sessions.filter(
      (receiver) => isTo(receiver, said.to) && receiver.welcomedAt < saidAt && receiver.endSaid > quiet
    )
    for (const receiver of receivers) {
      const messages = privatesHeardBy(receiver).map(({ message }) => message)
      const theirs = messages.find(({ content }) => content === said.content)
      if (theirs === undefined || theirs.at !== reply.at) report(heardAt, `${said.to} misses ${said.content}`)
      if (session.isAccount && receiver.isAccount) continue
      // By their own place, if they have it.
      const place = placeOfReplied(request, receiver, logs)
      if (theirs !== undefined && theirs.replyTo !== place) {
        report(heardAt, `${said.to} hears a reply to ${theirs.replyTo}, not to ${place}`)
      }
    }
  }
}

interface SaidOnce {
  readonly said: { readonly content: string }
  readonly at: number
  readonly heardAt: number
}

/** Whether the receiver is here or away; once everybody has been given all there is. */
const checkStored = (log: string, { at, heardAt, said }: SaidOnce, logs: Logs, report: Report) => {
  const stored = [...(logs.get(log)?.values() ?? [])].filter((entry) => isMessage(entry, said.content))
  const isErased = [...(logs.get(log)?.values() ?? [])].some((entry) => entry.at === at && entry.deed === undefined)
  if (stored.length !== 1 && !(stored.length === 0 && isErased)) {
    report(heardAt, `${log} has ${said.content} ${stored.length} times`)
  }
}

const isMessage = ({ deed }: LogEntry, content: string) => deed?.kind === "Said" && deed.words === content

/** Where the message that is replied to stands for its receiver; one of the two is a guest, who has what it heard itself. */
const placeOfReplied = (request: Request, receiver: SessionFacts, logs: Logs): number | undefined => {
  const { message, session } = request
  const replyTo = message._tag === "PrivateMessage" ? message.replyTo : undefined
  if (replyTo === undefined) return undefined
  const place = (holder: SessionFacts, isIt: (entry: { seq: number; content: string | undefined }) => boolean) => {
    const log = holder.isAccount ? inboxOf(holder.user ?? "") : undefined
    const entries =
      log === undefined
        ? privatesHeardBy(holder).map(({ message: { content, seq } }) => ({ seq, content }))
        : inOrder(logs.get(log) ?? new Map()).map(({ deed, seq }) => ({
            seq,
            content: deed?.kind === "Said" ? deed.words : undefined
          }))
    return entries.find(isIt)
  }
  const content = place(session, ({ seq }) => seq === replyTo)?.content
  return content === undefined ? undefined : place(receiver, (entry) => entry.content === content)?.seq
}

/** What a guest says to a guest need not wait until what it says to an account is stored. */
const checkPlaces = (session: SessionFacts, trace: Trace, report: Report) => {
  const own = privatesSaid(trace).filter(({ request }) => request.session === session)
  const ordered = session.isAccount ? [own] : Map.groupBy(own, ({ said }) => nameKey(said.to)).values()
  for (const some of ordered) {
    const places = some.flatMap(({ request: { reply } }) =>
      reply?._tag === "Sent" && !reply.repeated ? [reply.seq] : []
    )
    if (places.some((seq, index) => seq <= (places[index - 1] ?? 0))) {
      report(session.endSaid, `${session.user}'s private messages changed places`)
    }
  }
}

/** What two accounts have of each other. */
const checkPair = (one: string, other: string, logs: Logs, report: Report) => {
  const mine = exchangedIn(logs.get(inboxOf(one)), other)
  const theirs = exchangedIn(logs.get(inboxOf(other)), one)
  for (let index = 0; index < Math.max(mine.length, theirs.length); index++) {
    const [here, there] = [mine[index], theirs[index]]
    const isTwin =
      here !== undefined &&
      there !== undefined &&
      here.at === there.at &&
      nameKey(here.from) === nameKey(there.from) &&
      isSameDeed(here.deed, there.deed) &&
      indexOf(mine, here.deed) === indexOf(theirs, there.deed)
    if (isTwin) continue
    const at = Math.max(here?.knownAt ?? 0, there?.knownAt ?? 0)
    return report(
      at,
      `${one} has of ${other} ${JSON.stringify(shownOf(here))}, and they ${JSON.stringify(shownOf(there))}`
    )
  }
}

const exchangedIn = (log: Log | undefined, partner: string): ReadonlyArray<LogEntry> =>
  inOrder(log ?? new Map()).filter((entry) => entry.partner === nameKey(partner))

/** Nobody may have seen what was erased. */
const isSameDeed = (one: Deed | undefined, other: Deed | undefined) =>
  one === undefined || other === undefined || nameOf({ ...one, target: 0 }) === nameOf({ ...other, target: 0 })

/** The how manieth it is that something is about. */
const indexOf = (entries: ReadonlyArray<LogEntry>, deed: Deed | undefined) =>
  deed?.target === undefined ? undefined : entries.findIndex(({ seq }) => seq === deed.target)

const shownOf = (entry: LogEntry | undefined) => entry && { seq: entry.seq, at: entry.at, deed: entry.deed }
