/**
 * Conversations that others have begun while this device is connected, as the server says: they are followed without being asked for.
 *
 * 1. Only what is named as a conversation of this account with somebody is one.
 * 2. At most 200 of them are followed, as many as a Welcome has of private ones; those that a later Welcome lists count no more. Of
 *    the others nothing is asked; that there are any is told once. They are followed from the next Welcome on, or when something is
 *    said to them.
 */
import { Effect } from "effect"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import { conversationRoom, type RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { maxConversations } from "../../common/wire/AccountMessage.ts"
import type { RequestError } from "../core/ClientError.ts"
import type { Tell } from "./News.ts"

interface Following {
  readonly tell: Tell
  readonly join: (room: RoomName) => Effect.Effect<unknown, RequestError>
  readonly isIn: (room: RoomName) => boolean
  /** In milliseconds; the server may not hold up more of them than are followed. */
  readonly lateness: number
}

export const make = ({ isIn, join, lateness, tell }: Following) => {
  const followed = new Set<NameKey>()
  let isTold = false

  const follow = (room: RoomName) =>
    Effect.timeoutOption(join(room), lateness).pipe(
      Effect.map(({ _tag }) => _tag === "Some"),
      Effect.orElseSucceed(() => false),
      Effect.map((isDone) => {
        if (!isDone) followed.delete(nameKey(room))
      })
    )

  return {
    /** What is yet to be done about it; it counts from now on. */
    opened: (self: UserName, room: RoomName, partner: UserName): Effect.Effect<void> => {
      const key = nameKey(room)
      const isOne = key === nameKey(conversationRoom(self, partner)) && nameKey(self) !== nameKey(partner)
      if (!isOne || isIn(room) || followed.has(key)) return Effect.void
      if (followed.size < maxConversations) {
        followed.add(key)
        return follow(room)
      }
      if (!isTold) tell({ _tag: "NotFollowed", what: "conversations", most: maxConversations })
      isTold = true
      return Effect.void
    },
    /** It is another one, if it is opened again. */
    left: (room: RoomName): void => {
      followed.delete(nameKey(room))
    },
    listed: (rooms: ReadonlyArray<RoomName>): void => {
      for (const room of rooms) followed.delete(nameKey(room))
    }
  }
}
