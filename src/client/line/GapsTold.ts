/**
 * How often it is told that messages of a conversation are missing: pure.
 *
 * A log has no gaps while a connection stands, so a server that leaves one before every message is broken or means harm, and
 * would fill the screen. The first gaps of a conversation are told one by one, then once that there are more, and nothing
 * further until one comes back, to everything or to the room.
 *
 * Bound: a number for each conversation with gaps, of which one is in.
 */
import { HashMap, Option } from "effect"
import { conversationKey } from "../../common/log/Conversation.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"

export type GapsTold = HashMap.HashMap<string, number>

export const empty: GapsTold = HashMap.empty()

/** How many gaps are told one by one. */
const maxTold = 3

/** After this event. */
export const follow = (before: GapsTold, event: ClientEvent): GapsTold => {
  switch (event._tag) {
    case "Reconnected":
      return empty
    case "Rejoined":
      return HashMap.remove(before, keyOfRoom(event.joined.room))
    case "Received":
      return event.message._tag === "RoomLeft" ? HashMap.remove(before, keyOfRoom(event.message.room)) : before
    case "Gap": {
      const key = conversationKey(event.conversation)
      return HashMap.set(before, key, Math.min(toldOf(before, key) + 1, maxTold + 2))
    }
    default:
      return before
  }
}

export type Telling = "Tell" | "TellOfMore" | "Nothing"

/** What there is to tell of this event, which is the last that was followed. */
export const tellingOf = (told: GapsTold, event: ClientEvent): Telling => {
  if (event._tag !== "Gap") return "Tell"
  const count = toldOf(told, conversationKey(event.conversation))
  if (count <= maxTold) return "Tell"
  return count === maxTold + 1 ? "TellOfMore" : "Nothing"
}

const toldOf = (told: GapsTold, key: string): number => Option.getOrElse(HashMap.get(told, key), () => 0)

const keyOfRoom = (room: RoomName): string => conversationKey({ _tag: "Room", room })
