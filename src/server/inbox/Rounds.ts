/**
 * What is to be stored in inboxes and has no place there yet, cut into rounds. Pure.
 *
 * All of a round is stored at once. What depends on what stands is decided when all earlier ones of its pair are stored: so it
 * is the first of its pair in a round, or waits for the next, and whatever concerns one of the two waits behind it. So the
 * order of every inbox, and of every sender's requests, is that in which they came.
 *
 * Whoever waits for a place is answered nothing else in private before (replies keep the order of the requests): other commands
 * of such a connection wait behind. Who goes waits, too, until nothing under way is from or for it. Bounded by the requests
 * under way, for it holds nothing else (see Requests).
 */
import type { SessionId } from "../session/Asker.ts"
import { type Exchange, isDependent, receiverOf, senderOf } from "./Exchange.ts"
import type { Holder } from "./PrivatePlaces.ts"
import type { UsersCommand } from "./UsersCommand.ts"

/** As a room's runs (see rooms/Runs). */
const maxExchanges = 1000
const maxCharacters = 64 * 1024
const maxDependent = 100

export interface Rounds {
  readonly add: (exchange: Exchange) => void
  /** The next round; empty if nothing waits. */
  readonly next: () => ReadonlyArray<Exchange>
  /** Whether a command must wait. If so, it does. */
  readonly postpone: (command: UsersCommand) => boolean
  /** A round has been answered: gives the connections of which something waited for that. */
  readonly answered: (round: ReadonlyArray<Exchange>) => ReadonlyArray<SessionId>
  /** The next command of a connection that waited, if it need not wait any longer. */
  readonly nextPostponed: (session: SessionId) => UsersCommand | undefined
  readonly isIdle: () => boolean
}

export const makeRounds = (): Rounds => {
  let waiting: ReadonlyArray<Exchange> = []
  let fresh: Array<Exchange> = []
  /** How many exchanges under way are from a connection, and from or for it. */
  const placeless = new Map<SessionId, number>()
  const involved = new Map<SessionId, number>()
  const postponed = new Map<SessionId, Array<UsersCommand>>()

  const change = (counts: Map<SessionId, number>, session: SessionId, by: number) => {
    const count = (counts.get(session) ?? 0) + by
    if (count > 0) counts.set(session, count)
    else counts.delete(session)
  }
  const count = ({ from, guests }: Exchange, by: number) => {
    change(placeless, from.session, by)
    for (const session of [from.session, ...guests]) change(involved, session, by)
  }

  const mustWait = (session: SessionId, command: UsersCommand): boolean => {
    if (command._tag === "Gone") return involved.has(session)
    return (command._tag === "ReadInbox" || command._tag === "SearchInbox") && placeless.has(session)
  }

  return {
    add: (exchange) => {
      fresh.push(exchange)
      count(exchange, 1)
    },
    next: () => {
      const all = waiting.concat(fresh)
      fresh = []
      const round: Array<Exchange> = []
      const left: Array<Exchange> = []
      const held = new Set<Holder>()
      const pairs = new Set<string>()
      let characters = 0
      let dependent = 0
      let looked = 0
      for (const exchange of all) {
        if (round.length === maxExchanges || dependent === maxDependent || characters > maxCharacters) break
        looked++
        const [sender, receiver] = [senderOf(exchange), receiverOf(exchange)]
        const isBehind = held.has(sender) || held.has(receiver)
        const pair = [sender, receiver].toSorted().join(" ")
        if (isBehind || (isDependent(exchange) && pairs.has(pair))) {
          held.add(sender).add(receiver)
          left.push(exchange)
          continue
        }
        pairs.add(pair)
        characters += charactersIn(exchange)
        if (isDependent(exchange)) dependent++
        round.push(exchange)
      }
      waiting = left.concat(all.slice(looked))
      return round
    },
    postpone: (command) => {
      const session = command._tag === "Gone" ? command.session : command.from.session
      const behind = postponed.get(session)
      if (behind === undefined && !mustWait(session, command)) return false
      if (behind === undefined) postponed.set(session, [command])
      else behind.push(command)
      return true
    },
    answered: (round) => {
      for (const exchange of round) count(exchange, -1)
      const sessions = new Set(round.flatMap(({ from, guests }) => [from.session, ...guests]))
      return [...sessions].filter((session) => postponed.has(session))
    },
    nextPostponed: (session) => {
      const behind = postponed.get(session)
      const next = behind?.[0]
      if (next === undefined || mustWait(session, next)) return undefined
      behind?.shift()
      if (behind?.length === 0) postponed.delete(session)
      return next
    },
    isIdle: () => waiting.length === 0 && fresh.length === 0 && involved.size === 0 && postponed.size === 0
  }
}

/**
 * The exchanges of a round apart, as far as no inbox is in two of the parts; in their order. What a database refuses of one
 * inbox, because of what it meets there, is no other's loss.
 */
export const apart = (round: ReadonlyArray<Exchange>): ReadonlyArray<ReadonlyArray<Exchange>> => {
  const parents = new Map<Holder, Holder>()
  const rootOf = (holder: Holder): Holder => {
    let root = holder
    for (let parent = parents.get(root); parent !== undefined && parent !== root; parent = parents.get(root))
      root = parent
    parents.set(holder, root)
    return root
  }
  for (const exchange of round) parents.set(rootOf(senderOf(exchange)), rootOf(receiverOf(exchange)))
  return [...Map.groupBy(round, (exchange) => rootOf(senderOf(exchange))).values()]
}

/** Of what is told, in UTF-16 units: of what is no text, all of it. */
const charactersIn = ({ body }: Exchange): number =>
  "content" in body ? body.content.length : JSON.stringify(body).length
