import type { UserName } from "../../common/name/UserName.ts"
/**
 * Who came into a room and who left, told to its members as `Presence` is told to everyone: gathered, in as few messages as
 * hold the names, and at a bounded cost (see PresenceChanges).
 */
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import { makePresenceChanges, paceMillis, presenceWindow } from "../presence/PresenceChanges.ts"
import type { SessionId } from "../session/Asker.ts"
import type { Delivery } from "../session/Delivery.ts"
import * as Room from "./Room.ts"

export interface RoomPresence {
  /** Whether this is the first change since the last announcement: whoever notes it sees to it that it is announced. */
  readonly note: (session: SessionId, user: UserName, change: "joined" | "left") => boolean
  /** How long to gather until the next announcement, in milliseconds. */
  readonly pause: () => number
  /** What is to be told of all that was noted. The lobby has no presence of its own. */
  readonly announce: (room: Room.Room, presenceMax: number) => ReadonlyArray<Delivery>
}

export const makeRoomPresence = (): RoomPresence => {
  const changes = makePresenceChanges()
  let pace = 0
  return {
    note: changes.note,
    pause: () => Math.max(presenceWindow, pace),
    announce: (room, presenceMax) => {
      const { conversation, roster } = room
      const summary = changes.take({ count: roster.length, max: presenceMax, everybody: () => roster })
      pace = 0
      if (summary === undefined || conversation._tag === "Lobby") return []
      const to = Room.everybody(room).filter(summary.isNewsTo)
      const messages = summary.changes.map((change): ServerMessage =>
        Object.assign({ _tag: "RoomPresence" as const, room: conversation.room }, change)
      )
      pace = paceMillis(to.length, messages)
      return [{ _tag: "Tell", to, messages }]
    }
  }
}
