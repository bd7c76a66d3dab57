/** The rooms a client is in, and those its account is in. Pure. */
import { HashMap, Option } from "effect"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { RoomStanding } from "../../common/wire/AccountMessage.ts"
import type { Place } from "./LogPlace.ts"

export type Rooms = HashMap.HashMap<NameKey, Membership>

export interface Membership {
  readonly room: RoomName
  readonly place: Place
  /** The server could not take one back just now; see `rejoin`. */
  readonly isAway?: boolean
  /** One was put out by such an entry, and is about to be told so. */
  readonly putOutBy?: "Kicked" | "Banned"
}

/**
 * The rooms of the account: where this client was already it goes on, and what it has not seen of the others is news, if it
 * is to join them all.
 */
export const roomsOf = (before: Rooms, rooms: ReadonlyArray<RoomStanding>, joinsAll: boolean): Rooms =>
  HashMap.fromIterable(
    rooms.flatMap(({ room, seq }): ReadonlyArray<readonly [NameKey, Membership]> => {
      const known = Option.getOrUndefined(HashMap.get(before, nameKey(room)))
      if (known === undefined && !joinsAll) return []
      return [[nameKey(room), known ?? { room, place: { epoch: undefined, seq } }]]
    })
  )
