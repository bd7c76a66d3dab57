/** How somebody makes a room: what there is no place for is refused, and what is to be kept of it is stored before anybody is told. */
import { Effect, PubSub } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { HourlyLimits, Limited } from "../limits/HourlyLimits.ts"
import type { Announcements } from "../presence/Announcements.ts"
import type { Handled } from "../processor/Mailbox.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import type { Sessions } from "../session/Sessions.ts"
import type { GuestOwner } from "./Governing.ts"
import type { makeInvolvements, makeOpenRooms, OpenRoom } from "./OpenRoom.ts"
import type { makeRoomMembers } from "./RoomMembers.ts"
import type { makeRoomOwners } from "./RoomOwners.ts"
import type { RoomsCommandOf } from "./RoomsCommand.ts"

interface Services {
  readonly announcements: Announcements["Service"]
  readonly forgetLists: () => void
  readonly involvements: ReturnType<typeof makeInvolvements>
  /** Whether it is a device that takes part in encrypted rooms. */
  readonly isPublished: (from: Asker) => boolean
  readonly later: (act: Effect.Effect<unknown>) => Effect.Effect<void>
  readonly limits: HourlyLimits["Service"]
  readonly maxRooms: number
  readonly maxRoomsPerUser: number
  readonly members: ReturnType<typeof makeRoomMembers>
  readonly owners: ReturnType<typeof makeRoomOwners>
  readonly register: (name: RoomName, madeBy?: SessionId, guestOwner?: GuestOwner) => OpenRoom
  readonly rooms: ReturnType<typeof makeOpenRooms>
  readonly sessions: Sessions["Service"]
  /** It could not be made. */
  readonly undo: (room: OpenRoom) => Effect.Effect<void>
}

export const makeCreating = (services: Services) => {
  const { announcements, forgetLists, involvements, isPublished, later, limits, maxRooms, maxRoomsPerUser } = services
  const { members, owners, register, rooms, sessions, undo } = services

  /** Whether there were too many in this hour; then that was the answer. */
  const isTooOften = (what: Limited, from: Asker): boolean => {
    const { address } = sessions.peerOf(from.session)
    const retryAfter = limits.take(what, { account: from.account, address })
    if (retryAfter !== undefined) sessions.refuse(from, { _tag: "RateLimited", retryAfter })
    return retryAfter !== undefined
  }

  return {
    isTooOften,

    create: ({ from, isEncrypted, isPrivate, room, topic }: RoomsCommandOf<"Create">): Handled => {
      if (isEncrypted && !isPublished(from)) return sessions.refuse(from, { _tag: "DeviceRequired" })
      const key = nameKey(room)
      const { made } = involvements.of(from.session)
      const existing = rooms.get(key)
      if (existing !== undefined) return sessions.refuse(from, { _tag: "RoomExists", room: existing.name })
      if (Math.max(made.size, owners.count(from.account)) >= maxRoomsPerUser) {
        return sessions.refuse(from, { _tag: "TooManyRooms", limit: maxRoomsPerUser })
      }
      if (rooms.count() >= maxRooms) return sessions.refuse(from, { _tag: "TooManyRooms", limit: maxRooms })
      if (isTooOften("Room", from)) return

      const { account, user } = from
      const opened = register(room, from.session, account === undefined ? { user, from } : undefined)
      made.add(key)
      const tell = Effect.sync(() => {
        opened.isBeingMade = false
        forgetLists()
        sessions.reply(from, { _tag: "RoomCreated", room, by: user })
        if (!isPrivate) PubSub.publishUnsafe(announcements, { _tag: "RoomCreated", room, by: from })
      })
      const kept = owners.found(opened.conversation, { from, isEncrypted, isPrivate, topic })
      if (kept === undefined) return tell
      opened.isBeingMade = true
      forgetLists()
      const keptAlone = Effect.andThen(members.settled(room), kept)
      const undone = Effect.tapCause(keptAlone, () => undo(opened))
      return later(sessions.orRefuse(from, Effect.andThen(undone, tell)))
    }
  }
}
