/**
 * The deciding half of all accounts' inboxes: the only one who appends to them. In comes a part of a round, with what each is
 * done to named by its place in the inbox that it is stored in; out goes what became of each. It knows no connection.
 *
 * Of a pair at most one depends on what stands, and is its first (see Rounds): so what was looked up is still true when it is
 * decided (invariant 9). What is accepted is one append, in both inboxes (invariant 12).
 */
import { Clock, Duration, Effect } from "effect"
import { conversationKey, type Inbox } from "../../common/log/Conversation.ts"
import type { Seq } from "../../common/log/Cursor.ts"
import { conversationRoom } from "../../common/name/RoomName.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import { ServerConfig } from "../config/ServerConfig.ts"
import { isFor } from "../governance/Sealing.ts"
import { Governances } from "../history/Governances.ts"
import {
  type AnsweredKey,
  type Facts,
  History,
  type NewEntry,
  type StorageUnavailable,
  type Stored
} from "../history/History.ts"
import type { Act } from "../rooms/Act.ts"
import { decide, type Decision, questionOf, stateOf } from "../rooms/Decider.ts"
import { type Exchange, type Home, isDependent } from "./Exchange.ts"

/** An exchange, and where it is to be stored. */
export interface Placed extends Home {
  readonly exchange: Exchange
  /** What it replies to as its sender names it: a guest by a place of their own inbox. */
  readonly asked: Seq | undefined
  /** Whoever it is for has blocked its sender. */
  readonly isMuffled: boolean
}

/** What became of one. */
export type Answer = { readonly _tag: "Refused"; readonly reason: Rejection } | ({ readonly _tag: "Stored" } & Stored)

export const make = Effect.gen(function* () {
  const history = yield* History
  const governances = yield* Governances
  const config = yield* ServerConfig
  const clock = yield* Clock.Clock
  const editWindow = Duration.toMillis(config.editWindow)

  /** Whether these two have an encrypted conversation: from then on nothing is said between them in the open. */
  const isSealed = ({ account, from, to }: Exchange): boolean => {
    if (account === undefined || from.account === undefined) return false
    const keys = governances.get({ _tag: "Room", room: conversationRoom(from.user, to) })?.keys
    return keys?.between !== undefined && isFor(keys, account) && isFor(keys, from.account)
  }

  const factsOf = Effect.fnUntraced(function* (part: ReadonlyArray<Placed>, sealed: ReadonlySet<Placed>) {
    const facts = new Map<string, Facts>()
    const dependent = part.filter((placed) => isDependent(placed.exchange) || sealed.has(placed))
    for (const [name, some] of Map.groupBy(dependent, ({ conversation }) => conversationKey(conversation))) {
      const [{ conversation } = { conversation: undefined }] = some
      if (conversation !== undefined) facts.set(name, yield* history.facts(conversation, questionOf(some.map(actOf))))
    }
    return facts
  })

  const decisionOn = (
    placed: Placed,
    facts: ReadonlyMap<string, Facts>,
    isEncrypted: boolean,
    now: number
  ): Decision => {
    const { conversation, exchange } = placed
    if (!isDependent(exchange) && !isEncrypted) return { _tag: "Accepted" }
    const state = stateOf(facts.get(conversationKey(conversation)) ?? nothing)
    const decision = decide(state, actOf(placed), { now, editWindow })
    const isAllowed = exchange.isThere || exchange.body._tag === "Deleted"
    if (decision._tag === "Accepted" && isEncrypted && exchange.body._tag !== "Deleted") {
      return { _tag: "Refused", reason: { _tag: "EncryptionRequired" } }
    }
    return decision._tag === "Accepted" && !isAllowed
      ? { _tag: "Refused", reason: { _tag: "UserNotFound", user: exchange.to } }
      : decision
  }

  /** One answer for each, in their order. */
  return Effect.fnUntraced(function* (
    part: ReadonlyArray<Placed>
  ): Effect.fn.Return<ReadonlyArray<Answer>, StorageUnavailable> {
    const sealed = new Set(part.filter(({ exchange }) => isSealed(exchange)))
    const facts = yield* factsOf(part, sealed)
    const now = clock.currentTimeMillisUnsafe()
    const decisions = part.map((placed) => decisionOn(placed, facts, sealed.has(placed), now))
    const accepted = part.filter((_, index) => decisions[index]?._tag === "Accepted")
    const entries = accepted.map((placed) => entryOf(placed, now))
    const answered = part.flatMap(
      ({ conversation, exchange: { from }, partner }, index): ReadonlyArray<AnsweredKey> => {
        const decision = decisions[index]
        if (decision?._tag !== "Repeated" || decision.key === undefined) return []
        return [{ conversation, from: from.user, with: partner, key: decision.key, seq: decision.seq }]
      }
    )
    const isNews = entries.length > 0 || answered.length > 0
    const stored = isNews ? yield* history.append(entries, answered) : []
    let next = 0
    return decisions.map((decision): Answer => {
      if (decision._tag === "Refused") return decision
      if (decision._tag === "Repeated") return { _tag: "Stored", seq: decision.seq, at: decision.at, repeated: true }
      const place = stored[next++]
      return place === undefined ? lost : answerOf(place)
    })
  })
})

const answerOf = (stored: Stored): Answer => ({ _tag: "Stored", ...stored })

const nothing: Facts = { answered: new Map(), targets: new Map() }

/** History answers each entry; whoever did not would be asked again. */
const lost: Answer = { _tag: "Refused", reason: { _tag: "StorageUnavailable" } }

const actOf = ({ exchange: { author, body, from, key }, partner }: Placed): Act => ({
  from: from.user,
  author,
  body,
  key,
  with: partner
})

const entryOf = ({ conversation, exchange, isMuffled, twin }: Placed, at: number): NewEntry => {
  const { author, body, from, key, to } = exchange
  const others = { ...(twin !== undefined && { twin }), ...(isMuffled && { muffled: true as const }) }
  return { conversation, from: from.user, to, author, body, at, key, ...others }
}

/** The inboxes in which something may now be new. */
export const inboxesOf = ({ conversation, twin }: Home): ReadonlyArray<Inbox> =>
  twin === undefined ? [conversation] : [conversation, twin]
