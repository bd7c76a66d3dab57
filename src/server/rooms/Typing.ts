/**
 * Who is typing in a conversation that has members: told to the others, as far as it costs nothing, and never stored.
 *
 * Where more than PRESENCE_MAX are in nobody is told; nor is whoever has something waiting (see Outbox), or is still catching up; nor
 * anybody while so many are told of others already (see HintPace).
 */
import { Clock, Effect, Option } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { Blockable } from "../accounts/Account.ts"
import { boundBy, type Governance } from "../governance/Governance.ts"
import { makeTypingTimes } from "../presence/TypingTimes.ts"
import { monotonicMillis } from "../processor/MonotonicTime.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import type { Delivery } from "../session/Delivery.ts"
import type { Sessions } from "../session/Sessions.ts"
import type { People } from "./Governing.ts"
import * as Room from "./Room.ts"
import { mutedIn } from "./RoomDecider.ts"

interface Services {
  readonly conversation: SharedConversation
  /** The accounts that do not want to hear of somebody. */
  readonly blockedBy: (who: Blockable) => ReadonlySet<AccountId>
  readonly people: Pick<People, "find">
  readonly governance: () => Governance
  readonly presenceMax: number
  readonly room: () => Room.Room
  readonly sessions: Sessions["Service"]
}

export const makeTyping = Effect.fnUntraced(function* (services: Services) {
  const { blockedBy, conversation, governance, people, presenceMax, room, sessions } = services
  const clock = yield* Clock.Clock
  const times = makeTypingTimes()

  /** Who is in, but for those who do not want to hear of this one. */
  const hearers = (from: Asker): ReadonlyArray<SessionId> => {
    const others = Room.othersThan(room(), from.user)
    const blockers = blockedBy(from)
    if (blockers.size === 0) return others
    return others.filter((session) => {
      const account = Option.flatMapNullishOr(Room.nameOf(room(), session), (user) => people.find(user)?.id)
      return Option.isNone(account) || !blockers.has(account.value)
    })
  }

  const hint = (from: Asker): ReadonlyArray<Delivery> => {
    const { user } = from
    const { roster } = room()
    if (roster.length > presenceMax || !times.take(nameKey(user), monotonicMillis(clock))) return []
    const to = hearers(from)
    const where = conversation._tag === "Room" ? { room: conversation.room } : {}
    return to.length === 0 ? [] : [{ _tag: "Hint", to, message: { _tag: "Typing", ...where, user } }]
  }

  /** Of somebody who is in. */
  return (from: Asker): void => {
    const { network } = sessions.authorsOf(from)
    const person = { ...from, ...(network !== undefined && { network }) }
    const mute = boundBy(governance().mutes, person, clock.currentTimeMillisUnsafe())
    if (mute !== undefined) return sessions.refuse(from, mutedIn(conversation, mute))
    sessions.deliver([...hint(from), { _tag: "Given", to: from }])
  }
})
