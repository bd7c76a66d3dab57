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

export interface NamesSeen {
  readonly users: Names
  readonly rooms: Names
}

export const empty: NamesSeen = { users: HashMap.empty(), rooms: HashMap.empty() }

export const knownNames = ({ users, rooms }: NamesSeen): KnownNames => ({
  users: [...HashMap.values(users)].toSorted(),
  rooms: [...HashMap.values(rooms)].toSorted()
})

export const follow = (seen: NamesSeen, event: ClientEvent): NamesSeen => {
  switch (event._tag) {
    case "Received":
      return learn(seen, event.message)
    case "Rejoined":
      return learn(seen, event.joined)
    default:
      return seen
  }
}

const learn = (seen: NamesSeen, message: ServerMessage): NamesSeen => {
  switch (message._tag) {
    case "GlobalMessage":
    case "PrivateMessage":
    case "RoomMessage":
      return add(seen, [message.from])
    case "Presence":
      return remove(add(message.all ? { ...seen, users: HashMap.empty() } : seen, message.joined), message.left)
    case "RoomPresence":
      return add(seen, message.joined, [message.room])
    case "UserList":
      return add({ ...seen, users: HashMap.empty() }, message.users)
    case "RoomUsers":
    case "RoomJoined":
      return add(seen, message.users, [message.room])
    case "RoomCreated":
      return add(seen, [message.by], [message.room])
    case "RoomList":
      return add(
        seen,
        [],
        message.rooms.map(({ room }) => room)
      )
    default:
      return seen
  }
}

const add = (
  { users, rooms }: NamesSeen,
  newUsers: ReadonlyArray<string>,
  newRooms: ReadonlyArray<string> = []
): NamesSeen => ({
  users: newUsers.reduce(addName, users),
  rooms: newRooms.reduce(addName, rooms)
})

const addName = (names: Names, name: string): Names =>
  HashMap.size(names) >= maxNames || HashMap.has(names, nameKey(name)) ? names : HashMap.set(names, nameKey(name), name)

const remove = ({ users, rooms }: NamesSeen, gone: ReadonlyArray<string>): NamesSeen => ({
  users: gone.reduce((names, name) => HashMap.remove(names, nameKey(name)), users),
  rooms
})
