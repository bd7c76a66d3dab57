/**
 * The names seen so far, for completing them. At most 1000 of each: beyond that, completing helps nobody.
 *
 * What names everybody, a list of users or a Presence with `all`, replaces the users known before. Of a room's users that
 * can be said only of the room, and there are others.
 */
import { HashMap } from "effect"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import type { KnownNames } from "../command/Completion.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"

const maxNames = 1000

type Names = HashMap.HashMap<NameKey, string>

export interface Roster {
  readonly users: Names
  readonly rooms: Names
}

export const empty: Roster = { users: HashMap.empty(), rooms: HashMap.empty() }

export const knownNames = ({ users, rooms }: Roster): KnownNames => ({
  users: [...HashMap.values(users)].toSorted(),
  rooms: [...HashMap.values(rooms)].toSorted()
})

export const follow = (roster: Roster, event: ClientEvent): Roster => {
  switch (event._tag) {
    case "Received":
      return learn(roster, event.message)
    case "Rejoined":
      return learn(roster, event.joined)
    default:
      return roster
  }
}

const learn = (roster: Roster, message: ServerMessage): Roster => {
  switch (message._tag) {
    case "GlobalMessage":
    case "PrivateMessage":
    case "RoomMessage":
      return add(roster, [message.from])
    case "Presence":
      return remove(add(message.all ? { ...roster, users: HashMap.empty() } : roster, message.joined), message.left)
    case "RoomPresence":
      return add(roster, message.joined, [message.room])
    case "UserList":
      return add({ ...roster, users: HashMap.empty() }, message.users)
    case "RoomUsers":
    case "RoomJoined":
      return add(roster, message.users, [message.room])
    case "RoomCreated":
      return add(roster, [message.by], [message.room])
    case "RoomList":
      return add(
        roster,
        [],
        message.rooms.map(({ room }) => room)
      )
    default:
      return roster
  }
}

const add = (
  { users, rooms }: Roster,
  newUsers: ReadonlyArray<string>,
  newRooms: ReadonlyArray<string> = []
): Roster => ({
  users: newUsers.reduce(addName, users),
  rooms: newRooms.reduce(addName, rooms)
})

const addName = (names: Names, name: string): Names =>
  HashMap.size(names) >= maxNames || HashMap.has(names, nameKey(name)) ? names : HashMap.set(names, nameKey(name), name)

const remove = ({ users, rooms }: Roster, gone: ReadonlyArray<string>): Roster => ({
  users: gone.reduce((names, name) => HashMap.remove(names, nameKey(name)), users),
  rooms
})
