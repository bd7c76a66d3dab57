/**
 * What the members of a conversation are told beside its entries: who came and who left, and in the lobby, where everybody is,
 * which rooms were made. Gathered, told in as few messages as hold it, and at a bounded cost (see PresenceChanges).
 *
 * Rooms to be told of are `maxRooms` at most; others go unsaid. Whoever made a room has had its reply.
 */
import type { SharedConversation } from "../../common/log/Conversation.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import { makePresenceChanges, paceMillis, presenceWindow } from "../presence/PresenceChanges.ts"
import type { SessionId } from "../session/Asker.ts"
import type { Delivery } from "../session/Delivery.ts"
import * as Room from "./Room.ts"
import type { RoomCommandOf } from "./RoomCommand.ts"

/** Rooms that wait to be told of, and how many one window tells of: 8 to 30 KiB. */
const maxRooms = 1000
const maxRoomsAtOnce = 100

type RoomMade = RoomCommandOf<"RoomMade">

export interface Announcing {
  /** Each of the three: whether nothing waited yet. Whoever notes the first sees to it that it is announced. */
  readonly note: (session: SessionId, user: UserName, change: "joined" | "left") => boolean
  /** Who was `before` is gone, and the name stays, spelled as by who is still in: whatever was told of both before. */
  readonly respell: (session: SessionId, before: UserName, still: UserName) => boolean
  readonly noteRoom: (made: RoomMade) => boolean
  /** Whether something is left for another announcement. */
  readonly isDue: () => boolean
  /** How long to gather until the next announcement, in milliseconds. */
  readonly pause: () => number
  /** What is to be told of all that was noted, to those who hear already. */
  readonly announce: (
    room: Room.Room,
    presenceMax: number,
    hears: (session: SessionId) => boolean
  ) => ReadonlyArray<Delivery>
}

export const makeAnnouncing = (conversation: SharedConversation): Announcing => {
  const changes = makePresenceChanges()
  let rooms: Array<RoomMade> = []
  /** Something is noted that will be announced. */
  let isWaiting = false
  let pace = 0

  const firstOfAll = (): boolean => {
    if (isWaiting) return false
    isWaiting = true
    return true
  }

  const tell = (to: ReadonlyArray<SessionId>, messages: ReadonlyArray<ServerMessage>): ReadonlyArray<Delivery> => {
    if (to.length === 0 || messages.length === 0) return []
    pace += paceMillis(to.length, messages)
    return [{ _tag: "Tell", to, messages }]
  }

  const presence = (room: Room.Room, max: number, everybody: ReadonlyArray<SessionId>) => {
    const { roster } = room
    const summary = changes.take({ count: roster.length, max, everybody: () => roster })
    if (summary === undefined) return []
    const messages = summary.changes.map((change): ServerMessage =>
      conversation._tag === "Lobby"
        ? Object.assign({ _tag: "Presence" as const }, change)
        : Object.assign({ _tag: "RoomPresence" as const, room: conversation.room }, change)
    )
    return tell(everybody.filter(summary.isNewsTo), messages)
  }

  const roomsMade = (everybody: ReadonlyArray<SessionId>, isTooMany: boolean) => {
    if (isTooMany) rooms = []
    const made = rooms.slice(0, maxRoomsAtOnce)
    rooms = rooms.slice(maxRoomsAtOnce)
    if (made.length === 0) return []
    const makers = new Set(made.map(({ by }) => by.session))
    const messagesFor = (session: SessionId | undefined) =>
      made.flatMap(({ by, room }): ReadonlyArray<ServerMessage> =>
        by.session === session ? [] : [{ _tag: "RoomCreated", room, by: by.user }]
      )
    return [
      ...tell(
        everybody.filter((session) => !makers.has(session)),
        messagesFor(undefined)
      ),
      ...everybody.filter((session) => makers.has(session)).flatMap((maker) => tell([maker], messagesFor(maker)))
    ]
  }

  return {
    note: (session, user, change) => {
      changes.note(session, user, change)
      return firstOfAll()
    },
    respell: (session, before, still) => {
      changes.note(session, before, "left")
      changes.note(session, still, "joined")
      return firstOfAll()
    },
    noteRoom: (made) => {
      if (rooms.length < maxRooms) rooms.push(made)
      return firstOfAll()
    },
    isDue: () => {
      isWaiting = rooms.length > 0
      return isWaiting
    },
    pause: () => Math.max(presenceWindow, pace),
    announce: (room, presenceMax, hears) => {
      pace = 0
      const everybody = Room.everybody(room).filter(hears)
      return [...presence(room, presenceMax, everybody), ...roomsMade(everybody, room.roster.length > presenceMax)]
    }
  }
}
