/**
 * What is said when a part of a round has been stored: to the connections of both accounts, to a guest as a message of their own
 * inbox, and to who asked, behind that. Everything in the order of the logs.
 */
import { conversationKey, type Inbox } from "../../common/log/Conversation.ts"
import type { Seq } from "../../common/log/Cursor.ts"
import type { Entry } from "../../common/log/Entry.ts"
import type { ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import { twinBody } from "../history/History.ts"
import type { SessionId } from "../session/Asker.ts"
import type { Delivery } from "../session/Delivery.ts"
import { rejected } from "../session/Rejected.ts"
import { receiverOf, senderOf } from "./Exchange.ts"
import { type Answer, inboxesOf, type Placed } from "./Exchanging.ts"
import type { GuestInboxes } from "./GuestInboxes.ts"

/** What is new in one inbox: entries in the order of its log, and places that senders are to be told of behind them. */
export interface Heard {
  readonly inbox: Inbox
  readonly entries: Array<Entry>
  readonly answered: Array<Seq>
}

export interface Answered {
  readonly placed: Placed
  readonly answer: Answer
}

/** By the key of the inbox. */
export const heardOf = (part: ReadonlyArray<Answered>): ReadonlyMap<string, Heard> => {
  const heard = new Map<string, Heard>()
  for (const { answer, placed } of part) {
    if (answer._tag === "Refused") continue
    for (const [inbox, entry] of placesOf(placed, answer)) {
      const key = conversationKey(inbox)
      const one = heard.get(key) ?? { inbox, entries: [], answered: [] }
      heard.set(key, one)
      one.answered.push(entry.seq)
      if (!answer.repeated) one.entries.push(entry)
    }
  }
  return heard
}

/** The entry in each inbox that it stands in; of one that was stored before, where the sender has it. */
const placesOf = (
  { conversation, exchange, isMuffled, twin }: Placed,
  { at, seq, twin: there }: Extract<Answer, { readonly _tag: "Stored" }>
): ReadonlyArray<readonly [Inbox, Entry]> => {
  const { body, from, to } = exchange
  const head = { at, from: from.user, to }
  const here = [conversation, { seq, ...head, body }] as const
  if (twin === undefined || there === undefined) return [here]
  const copy = twinBody({ body, ...(isMuffled && { muffled: true as const }) }, there.target)
  return copy === undefined ? [here] : [here, [twin, { seq: there.seq, ...head, body: copy }]]
}

/** What those who are at an inbox are told, place by place. */
export type Told = ReadonlyMap<
  string,
  ReadonlyArray<{ readonly seq: Seq; readonly deliveries: ReadonlyArray<Delivery> }>
>

export const deliveriesOf = (
  part: ReadonlyArray<Answered>,
  told: Told,
  guests: GuestInboxes
): ReadonlyArray<Delivery> => {
  /** How many places of each inbox are told already. */
  const done = new Map<string, number>()
  const outgoing: Array<Delivery> = []
  const tellUpTo = (key: string, seq: Seq) => {
    const places = told.get(key) ?? []
    let next = done.get(key) ?? 0
    for (let place = places[next]; place !== undefined && place.seq <= seq; place = places[++next]) {
      outgoing.push(...place.deliveries)
    }
    done.set(key, next)
  }
  for (const { answer, placed } of part) {
    const { exchange } = placed
    if (answer._tag === "Refused") {
      outgoing.push({ _tag: "Reply", to: exchange.from, message: rejected(answer.reason) })
      continue
    }
    for (const [inbox, { seq }] of placesOf(placed, answer)) tellUpTo(conversationKey(inbox), seq)
    const message = answer.repeated ? repeatedTo(placed, answer, guests) : sentTo(placed, answer, guests, outgoing)
    outgoing.push({ _tag: "Reply", to: exchange.from, message })
  }
  for (const key of told.keys()) tellUpTo(key, Infinity)
  return outgoing
}

type Stored = Extract<Answer, { readonly _tag: "Stored" }>
type Sent = ServerMessageOf<"Sent">

/** A guest's place is that of an inbox that may be gone: then it is 0. */
const repeatedTo = ({ exchange }: Placed, { at, seq }: Stored, guests: GuestInboxes): Sent => {
  const { from, key, to } = exchange
  if (from.account !== undefined) return { _tag: "Sent", seq, at, repeated: true }
  return guests.answered.find(from, to, key) ?? { _tag: "Sent", seq: 0, at, repeated: true }
}

/** The reply; what a guest hears before it goes out as well. */
const sentTo = (placed: Placed, { at, seq }: Stored, guests: GuestInboxes, outgoing: Array<Delivery>): Sent => {
  const { asked, exchange } = placed
  const { from, key, to } = exchange
  if (exchange.body._tag !== "Said") return { _tag: "Sent", seq, at }
  const { content } = exchange.body
  const [sender, receiver] = [senderOf(exchange), receiverOf(exchange)]
  const said = { from: from.user, to, content }
  if (from.account === undefined) {
    const place = guests.next(from.session, at)
    guests.remember({ holder: from.session, seq: place.seq, user: from.user }, { holder: receiver, seq, user: to })
    outgoing.push(privateMessage(from.session, said, place, asked))
    const sent: Sent = { _tag: "Sent", ...place }
    guests.answered.remember(from, to, key, sent)
    return sent
  }
  for (const session of exchange.guests) {
    const place = guests.next(session, at)
    const replyTo = guests.repliedTo(sender, exchange.body.replyTo, session, to)
    guests.remember({ holder: sender, seq, user: from.user }, { holder: session, seq: place.seq, user: to })
    outgoing.push(privateMessage(session, said, place, replyTo))
  }
  return { _tag: "Sent", seq, at }
}

/** A message in a guest's inbox; each side is told what is replied to by its place in their own. */
export const privateMessage = (
  session: SessionId,
  said: Pick<ServerMessageOf<"PrivateMessage">, "content" | "from" | "to">,
  { at, seq }: Pick<Entry, "at" | "seq">,
  replyTo: Seq | undefined
): Delivery => {
  const { content, from, to } = said
  const reply = replyTo === undefined ? {} : { replyTo }
  return { _tag: "Tell", to: [session], messages: [{ _tag: "PrivateMessage", seq, at, from, to, content, ...reply }] }
}

/** The inboxes of accounts in which something may have been stored by these. */
export const touchedBy = (part: ReadonlyArray<Placed>): ReadonlyArray<Inbox> => part.flatMap(inboxesOf)
