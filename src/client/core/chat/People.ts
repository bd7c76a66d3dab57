/**
 * Who is where, as far as the server has told: everybody who is connected, and of the rooms one is in who is here and away. Pure.
 *
 * Lists come in pages; what names everybody (`all`, the first page of a list) replaces what was known before. Bounds: `maxNames` of
 * each list; beyond, only the numbers are right.
 */
import { type NameKey, nameKey } from "../../../common/name/Name.ts"
import type { RoomName } from "../../../common/name/RoomName.ts"
import type { UserName } from "../../../common/name/UserName.ts"
import type { ServerMessage, ServerMessageOf } from "../../../common/wire/ServerMessage.ts"
import type { HeardEntry } from "../Heard.ts"

const maxNames = 10_000

export type Names = ReadonlyMap<NameKey, UserName>

export interface RoomPeople {
  readonly here: Names
  /** Members who are not connected. */
  readonly away: Names
}

export interface People {
  readonly everybody: Names
  /** By the keys of their names; those alone that one is in. */
  readonly rooms: ReadonlyMap<NameKey, RoomPeople>
}

export const empty: People = { everybody: new Map(), rooms: new Map() }
const noPeople: RoomPeople = { here: new Map(), away: new Map() }

const named = (users: ReadonlyArray<UserName>): Names =>
  new Map(users.slice(0, maxNames).map((user) => [nameKey(user), user]))

const changed = (before: Names, joined: ReadonlyArray<UserName>, left: ReadonlyArray<UserName>): Names => {
  const after = new Map(before)
  for (const user of left) after.delete(nameKey(user))
  for (const user of joined) if (after.size < maxNames) after.set(nameKey(user), user)
  return after
}

export const inRoom = ({ rooms }: People, room: RoomName): RoomPeople => rooms.get(nameKey(room)) ?? noPeople

const withRoom = (people: People, room: RoomName, after: RoomPeople): People => ({
  ...people,
  rooms: new Map(people.rooms).set(nameKey(room), after)
})

/** One is in this room: its members as the server names them first. */
export const joined = (people: People, { room, users }: ServerMessageOf<"RoomJoined">): People =>
  withRoom(people, room, { here: named(users), away: inRoom(people, room).away })

export const leftRoom = (people: People, room: RoomName): People => {
  const rooms = new Map(people.rooms)
  rooms.delete(nameKey(room))
  return { ...people, rooms }
}

export const follow = (people: People, message: ServerMessage | HeardEntry): People => {
  switch (message._tag) {
    case "Presence": {
      const before = message.all === true ? empty.everybody : people.everybody
      return { ...people, everybody: changed(before, message.joined, message.left) }
    }
    case "UserList":
      return { ...people, everybody: named(message.users) }
    case "RoomPresence": {
      const { all, joined, left, room } = message
      if (!people.rooms.has(nameKey(room))) return people
      const { away, here } = inRoom(people, room)
      return withRoom(people, room, {
        here: changed(all === true ? empty.everybody : here, joined, left),
        // Whether who goes stays a member, the next list tells.
        away: changed(away, [], joined)
      })
    }
    case "RoomUsers": {
      const { away = [], room, users } = message
      if (!people.rooms.has(nameKey(room))) return people
      return withRoom(people, room, { here: named(users), away: named(away) })
    }
    default:
      return people
  }
}
