/**
 * Who is typing in a conversation that has members: told to the others, as far as it costs nothing, and never stored.
 *
 * Where more than PRESENCE_MAX are in nobody is told; nor is whoever has something waiting (see Outbox), or is still catching up.
 */
import { Clock, Effect } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import { nameKey } from "../../common/name/Name.ts"
import { boundBy, type Governance } from "../governance/Governance.ts"
import { makeTypingTimes } from "../presence/TypingTimes.ts"
import { monotonicMillis } from "../processor/MonotonicTime.ts"
import type { Asker } from "../session/Asker.ts"
import type { Delivery } from "../session/Delivery.ts"
import type { Sessions } from "../session/Sessions.ts"
import * as Room from "./Room.ts"
import { mutedIn } from "./RoomDecider.ts"

interface Services {
  readonly conversation: SharedConversation
  readonly governance: () => Governance
  readonly presenceMax: number
  readonly room: () => Room.Room
  readonly sessions: Sessions["Service"]
}

export const makeTyping = Effect.fnUntraced(function* (services: Services) {
  const { conversation, governance, presenceMax, room, sessions } = services
  const clock = yield* Clock.Clock
  const times = makeTypingTimes()

  const hint = ({ user }: Asker): ReadonlyArray<Delivery> => {
    const { roster } = room()
    if (roster.length > presenceMax || !times.take(nameKey(user), monotonicMillis(clock))) return []
    const to = Room.othersThan(room(), user)
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
