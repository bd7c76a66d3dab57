/**
 * Read marks, and what an account finds at its arrival: the rooms it is in, its private conversations, and of each how far it
 * was read, how much is unread and how much of that names it.
 *
 * A mark never goes back, nor beyond the log; all of an account's connections know it; and what is unread is counted again
 * here, message by message, as the log stood.
 */
import { nameKey } from "../../src/common/name/Name.ts"
import type { ServerMessage } from "../../src/common/wire/ServerMessage.ts"
import { inboxOf, lobby, roomLog } from "./ReferenceEntry.ts"
import { inOrder, type Log, type Logs, newestKnown, newestPossible } from "./ReferenceLog.ts"
import { joinsOfAccounts, type Members, readMembers } from "./ReferenceMembers.ts"
import { type Span, spanOf } from "./ReferenceRooms.ts"
import { type State, statesOf } from "./ReferenceTimeline.ts"
import { keyOf, type Report, type Request, type SessionFacts, type Trace } from "./ReferenceTrace.ts"

/** What is marked: a log, or of an inbox the part that was exchanged with one partner. */
interface Place {
  readonly name: string
  readonly log: string
  readonly room: string | undefined
  readonly partner: string | undefined
}

interface Whereabouts {
  readonly room?: string
  readonly with?: string
}

/** At least, and at most. */
interface Bounds {
  readonly least: number
  readonly most: number
}

type Welcome = Extract<ServerMessage, { _tag: "Welcome" }>

const placeOf = (account: string, { room, with: partner }: Whereabouts): Place => {
  if (room !== undefined) return { name: roomLog(room), log: roomLog(room), room, partner: undefined }
  if (partner === undefined) return { name: lobby, log: lobby, room: undefined, partner: undefined }
  const key = nameKey(partner)
  return { name: `with ${key}`, log: inboxOf(account), room: undefined, partner: key }
}

const nothing: Log = new Map()
const isWithin = (seq: number, { least, most }: Bounds) => seq >= least && seq <= most
const show = ({ least, most }: Bounds) => (least === most ? `${least}` : `${least} to ${most}`)

export const checkMarks = (trace: Trace, logs: Logs, accounts: ReadonlyArray<string>, report: Report): void => {
  const accountKeys: ReadonlySet<string> = new Set(accounts.map(nameKey))
  const logOf = (name: string) => logs.get(name) ?? nothing
  const states = new Map<string, ReadonlyArray<State>>()
  const statesIn = (name: string) => {
    const known = states.get(name) ?? statesOf(inOrder(logOf(name)))
    states.set(name, known)
    return known
  }
  const members = new Map<string, Members>()
  const membersOf = (room: string) => {
    const known = members.get(nameKey(room)) ?? readMembers(trace, room)
    members.set(nameKey(room), known)
    return known
  }
  const marksOf = new Map<string, ReadonlyArray<Marking>>()
  const markingsOf = (account: string) => {
    const known = marksOf.get(account) ?? readMarkings(trace, account)
    marksOf.set(account, known)
    return known
  }
  const newest = (log: string, { from, to }: Span): Bounds => ({
    least: newestKnown(logOf(log), from),
    most: newestPossible(logOf(log), to)
  })

  /** Where a place ends: with whom nothing was ever said, at 0. */
  const endOf = ({ log, partner }: Place, span: Span): Bounds => {
    const end = newest(log, span)
    if (partner === undefined) return end
    const last = statesIn(log).length - 1
    const isThere = (upTo: number) => messagesWith(statesIn(log)[Math.min(upTo, last)] ?? new Map(), partner).length > 0
    return { least: isThere(end.least) ? end.least : 0, most: isThere(end.most) ? end.most : 0 }
  }

  /** Where a mark may stand at some moment of this span, but for what is asked for meanwhile by `own`. */
  const markBounds = (account: string, place: Place, span: Span, own?: Request): Bounds => {
    const others = markingsOf(account).filter((marking) => marking.place === place.name && marking.request !== own)
    const end = newestPossible(logOf(place.log), span.to)
    const done = others.filter(({ request }) => request.heardAt <= span.from).map(({ marked }) => marked ?? 0)
    const begun = others.filter(({ request }) => request.saidAt < span.to).map(({ seq }) => Math.min(seq, end))
    const joined = place.room === undefined ? { least: 0, most: 0 } : joinBounds(account, place.room, place.log, span)
    return { least: Math.max(joined.least, ...done), most: Math.max(joined.most, ...begun) }
  }

  /** It begins at the newest place when one joins for the first time. */
  const joinBounds = (account: string, room: string, log: string, span: Span): Bounds => {
    const joins = joinsOfAccounts(trace, room).filter(({ session }) => keyOf(session) === account)
    const first = Math.min(...joins.map(({ saidAt }) => saidAt))
    const done = Math.min(...joins.flatMap(({ heardAt, reply }) => (reply?._tag === "RoomJoined" ? [heardAt] : [])))
    if (first >= span.to) return { least: 0, most: 0 }
    return {
      least: done <= span.from ? newestKnown(logOf(log), first) : 0,
      most: newestPossible(logOf(log), Math.min(done, span.to))
    }
  }

  const checkMarking = ({ account, marked, place: name, request, seq, whereabouts }: Marking) => {
    const { heardAt, reply } = request
    if (reply === undefined) return
    const place = placeOf(account, whereabouts)
    const span = spanOf(request)
    const wrong = (what: string) => report(heardAt, `${account} marks ${name} up to ${seq}: ${what}`)
    if (place.room !== undefined) {
      const { isPossibly, isSurely } = membersOf(place.room)
      if (reply._tag === "Rejected" && reply.reason._tag === "NotInRoom") {
        return isSurely(account, span) ? wrong("it is a member") : undefined
      }
      if (!isPossibly(account, span)) return wrong("it is no member")
    }
    const before = markBounds(account, place, span, request)
    const end = endOf(place, span)
    const bounds = {
      least: Math.max(before.least, Math.min(seq, end.least)),
      most: Math.max(before.most, Math.min(seq, end.most))
    }
    if (place.partner !== undefined && reply._tag === "Rejected" && reply.reason._tag === "UserNotFound") {
      return bounds.least > 0 ? wrong("there is something to be read") : undefined
    }
    if (marked === undefined) return wrong(`it is answered with ${JSON.stringify(reply)}`)
    if (!isWithin(marked, bounds)) wrong(`it stands at ${marked}, not ${show(bounds)}`)
  }

  const checkWelcome = (account: string, user: string, at: number, welcome: Welcome, request: Request) => {
    const span = spanOf(request)
    const wrong = (what: string) => report(at, `${user} is welcomed and told ${what}`)
    const { conversations = [], lobbyRead = -1, rooms = [] } = welcome
    const lobbyMark = markBounds(account, placeOf(account, {}), span)
    if (!isWithin(lobbyRead, lobbyMark)) wrong(`that the lobby was read up to ${lobbyRead}, not ${show(lobbyMark)}`)

    for (const { mentions, read, room, seq, unread } of rooms) {
      if (!membersOf(room).isPossibly(account, span)) wrong(`that it is in ${room}`)
      const place = placeOf(account, { room })
      const mark = markBounds(account, place, span)
      if (!isWithin(read, mark)) wrong(`that ${room} was read up to ${read}, not ${show(mark)}`)
      const end = newest(place.log, span)
      if (!isWithin(seq, end)) wrong(`that ${room} ends at ${seq}, not ${show(end)}`)
      const counts = statesIn(place.log)
        .slice(seq, end.most + 1)
        .map((state) => countUnread(state, { account, user, read, partner: undefined }))
      if (!counts.some((count) => isWithin(unread, count.unread) && isWithin(mentions, count.mentions))) {
        const shown = counts.map((count) => `${show(count.unread)} and ${show(count.mentions)}`).join(" or ")
        wrong(`that ${unread} of ${room} are unread behind ${read}, ${mentions} of them for it, not ${shown}`)
      }
    }
    const listed: ReadonlySet<string> = new Set(rooms.map(({ room }) => nameKey(room)))
    if (listed.size < rooms.length) wrong("of a room twice")
    for (const message of trace.requests.map((one) => one.message)) {
      const room = message._tag === "JoinRoom" ? message.room : undefined
      if (room === undefined || listed.has(nameKey(room)) || !membersOf(room).isSurely(account, span)) continue
      return wrong(`nothing of ${room}, which it is in`)
    }
    checkConversations(account, user, at, { conversations, span })
  }

  const checkConversations = (
    account: string,
    user: string,
    at: number,
    { conversations, span }: { readonly conversations: NonNullable<Welcome["conversations"]>; readonly span: Span }
  ) => {
    const wrong = (what: string) => report(at, `${user} is welcomed and told ${what}`)
    const log = inboxOf(account)
    const end = newest(log, span)
    for (const { read, seq, unread, with: other } of conversations) {
      const place = placeOf(account, { with: other })
      const mark = markBounds(account, place, span)
      if (!isWithin(read, mark)) wrong(`that ${place.name} was read up to ${read}, not ${show(mark)}`)
      const counts = statesIn(log)
        .slice(end.least, end.most + 1)
        .map((state) => ({
          newest: Math.max(0, ...messagesWith(state, place.partner).map((message) => message.seq)),
          count: countUnread(state, { account, user, read, partner: place.partner }).unread
        }))
      if (!counts.some((one) => one.newest === seq && isWithin(unread, one.count))) {
        const shown = counts.map((one) => `${one.newest} and ${show(one.count)}`).join(" or ")
        wrong(`that ${place.name} ends at ${seq}, ${unread} unread behind ${read}, not ${shown}`)
      }
    }
    const seqs = conversations.map(({ seq }) => seq)
    if (seqs.some((seq, index) => seq >= (seqs[index - 1] ?? Infinity)))
      wrong(`of conversations in the order ${seqs.join(" ")}`)
    const told: ReadonlySet<string> = new Set(conversations.map(({ with: other }) => nameKey(other)))
    const known = statesIn(log)[end.least]
    const missing = [...(known?.values() ?? [])].find(({ is, partner = "" }) => is === "Message" && !told.has(partner))
    if (missing !== undefined) wrong(`nothing of its messages with ${missing.partner}`)
  }

  /** What one connection knows of its account's marks, from its Welcome on: no less than it was told, and all there is. */
  const checkKnown = (session: SessionFacts, account: string) => {
    const known = new Map<string, number>()
    const fromWelcome = new Set<string>()
    const hear = (at: number, { name }: Place, seq: number) => {
      if (seq < (known.get(name) ?? 0)) report(at, `${session.user} hears that ${name} was read up to ${seq} again`)
      known.set(name, Math.max(seq, known.get(name) ?? 0))
    }
    const compare = (quiet: number) => {
      if (session.welcomedAt > quiet || session.endSaid < quiet) return
      for (const { marked = 0, place, request } of markingsOf(account)) {
        const isHeard = fromWelcome.has(place) || request.saidAt > session.welcomedAt
        if (!isHeard || request.heardAt > quiet || marked <= (known.get(place) ?? 0)) continue
        report(quiet, `${session.user} knows that ${place} was read up to ${known.get(place) ?? 0}, and not ${marked}`)
      }
    }
    const quiets = [...trace.quiets]
    for (const { at, message } of session.heard) {
      while (quiets[0] !== undefined && quiets[0] < at) compare(quiets.shift() ?? 0)
      if (message._tag === "ReadMarked") hear(at, placeOf(account, message), message.seq)
      if (message._tag !== "Welcome") continue
      const { conversations = [], lobbyRead = 0, rooms = [] } = message
      for (const { read, ...whereabouts } of [{ read: lobbyRead }, ...rooms, ...conversations]) {
        const place = placeOf(account, whereabouts)
        fromWelcome.add(place.name)
        hear(at, place, read)
      }
    }
    for (const quiet of quiets) compare(quiet)
  }

  for (const account of accountKeys) for (const marking of markingsOf(account)) checkMarking(marking)
  for (const session of trace.sessions) {
    const account = keyOf(session)
    if (!session.isAccount || account === undefined || session.user === undefined) continue
    checkKnown(session, account)
    for (const request of session.requests.values()) {
      const { heardAt, reply } = request
      if (reply?._tag === "Welcome") checkWelcome(account, session.user, heardAt, reply, request)
    }
  }
}

/** A request to mark something, and where the mark stood then. */
interface Marking {
  readonly account: string
  readonly request: Request
  readonly place: string
  readonly whereabouts: Whereabouts
  readonly seq: number
  readonly marked: number | undefined
}

const readMarkings = (trace: Trace, account: string): ReadonlyArray<Marking> =>
  trace.requests.flatMap((request): ReadonlyArray<Marking> => {
    const { message, reply, session } = request
    if (message._tag !== "MarkRead" || !session.isAccount || keyOf(session) !== account) return []
    const marked = reply?._tag === "ReadMarked" ? reply.seq : undefined
    return [{ account, request, whereabouts: message, place: placeOf(account, message).name, seq: message.seq, marked }]
  })

interface Reader {
  readonly account: string
  readonly user: string
  readonly read: number
  readonly partner: string | undefined
}

const messagesWith = (state: State, partner: string | undefined) =>
  [...state.values()].filter((standing) => standing.is !== "Other" && standing.partner === partner)

/** Messages by others behind the mark that are not deleted, and those of them that name the reader. */
const countUnread = (state: State, { account, partner, read, user }: Reader) => {
  const behind = messagesWith(state, partner).filter(({ deletion, seq }) => deletion === undefined && seq > read)
  const most = behind.filter(({ authors }) => authors.some((author) => author !== account))
  const least = most.filter(({ authors }) => !authors.includes(account))
  const names = most.filter(({ content }) => content === undefined || isNamed(content, user))
  const surelyNames = least.filter(({ content }) => content !== undefined && isNamed(content, user))
  return {
    unread: { least: least.length, most: most.length },
    mentions: { least: surelyNames.length, most: names.length }
  }
}

/** In these programs a name stands alone behind its `@`, or has something behind it that makes it another. */
const isNamed = (content: string, user: string) =>
  content.split(" ").some((word) => word.startsWith("@") && nameKey(word.slice(1)) === nameKey(user))
