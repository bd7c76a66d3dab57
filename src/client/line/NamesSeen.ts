/**
 * The names seen so far, for completing them. At most 1000 of each, and of 100 rooms at most 1000 members each: beyond that,
 * completing helps nobody.
 *
 * What names everybody, a list of users or a Presence with `all`, replaces the users known before. Who is banned or muted in a
 * room is known as far as that was shown.
 */
import { HashMap, Option } from "effect"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { ServerMessage, ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import type { KnownNames } from "../command/Completion.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"

const maxNames = 1000
const maxRooms = 100

type Names = HashMap.HashMap<NameKey, string>

/** Who is in a room, and who is banned or muted there. */
interface People {
  readonly members: Names
  readonly bound: Names
}

export interface NamesSeen {
  readonly users: Names
  readonly rooms: Names
  readonly people: HashMap.HashMap<NameKey, People>
}

export const empty: NamesSeen = { users: HashMap.empty(), rooms: HashMap.empty(), people: HashMap.empty() }

const nobody: People = { members: HashMap.empty(), bound: HashMap.empty() }

export const knownNames = (seen: NamesSeen): KnownNames => ({
  users: sorted(seen.users),
  rooms: sorted(seen.rooms),
  membersOf: (room) => sorted(peopleIn(seen, room).members),
  boundIn: (room) => sorted(peopleIn(seen, room).bound)
})

const sorted = (names: Names) => [...HashMap.values(names)].toSorted()

const peopleIn = ({ people }: NamesSeen, room: string): People =>
  Option.getOrElse(HashMap.get(people, nameKey(room)), () => nobody)

export const follow = (seen: NamesSeen, event: ClientEvent): NamesSeen => {
  switch (event._tag) {
    case "Received":
      return learn(seen, event.message)
    case "Rejoined":
      return learn(seen, event.joined)
    case "RejoinRefused":
      return forgetPeople(seen, event.room)
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
      return inRoom(add(seen, message.joined, [message.room]), message.room, ({ bound, members }) => ({
        bound,
        members: without(message.joined.reduce(addName, message.all ? HashMap.empty() : members), message.left)
      }))
    case "UserList":
      return add({ ...seen, users: HashMap.empty() }, message.users)
    case "RoomUsers":
      return inRoom(add(seen, message.users, [message.room]), message.room, ({ bound }) => ({
        bound,
        members: [...message.users, ...(message.away ?? [])].reduce(addName, HashMap.empty<NameKey, string>())
      }))
    case "RoomJoined":
      return inRoom(add(seen, message.users, [message.room]), message.room, ({ bound, members }) => ({
        bound,
        members: message.users.reduce(addName, members)
      }))
    case "RoomCreated":
      return add(seen, [message.by], [message.room])
    case "RoomList":
      return add(
        seen,
        [],
        message.rooms.map(({ room }) => room)
      )
    case "RoomInfo":
      return inRoom(add(seen, [], [message.room]), message.room, (people) => withBound(people, message))
    case "Invitation":
      return add(seen, [message.by], [message.room])
    case "Kicked":
    case "Banned":
    case "Muted":
    case "Unbanned":
    case "Unmuted":
      return message.room === undefined ? seen : inRoom(seen, message.room, (people) => after(people, message))
    case "RoomLeft":
      return forgetPeople(seen, message.room)
    case "RoomDeleted": {
      const rest = forgetPeople(seen, message.room)
      return { ...rest, rooms: without(rest.rooms, [message.room]) }
    }
    default:
      return seen
  }
}

const inRoom = (seen: NamesSeen, room: string, change: (people: People) => People): NamesSeen => {
  const key = nameKey(room)
  if (!HashMap.has(seen.people, key) && HashMap.size(seen.people) >= maxRooms) return seen
  return { ...seen, people: HashMap.set(seen.people, key, change(peopleIn(seen, room))) }
}

const forgetPeople = (seen: NamesSeen, room: string): NamesSeen => ({
  ...seen,
  people: HashMap.remove(seen.people, nameKey(room))
})

/** Told to moderators, it is all there are. */
const withBound = (people: People, { bans, mutes }: ServerMessageOf<"RoomInfo">): People => {
  if (bans === undefined && mutes === undefined) return people
  const users = [...(bans ?? []), ...(mutes ?? [])].map(({ user }) => user)
  return { ...people, bound: users.reduce(addName, HashMap.empty<NameKey, string>()) }
}

type Deed = ServerMessageOf<"Kicked" | "Banned" | "Muted" | "Unbanned" | "Unmuted">

const after = ({ bound, members }: People, { _tag, user }: Deed): People => {
  const isOut = _tag === "Kicked" || _tag === "Banned"
  const isLifted = _tag === "Unbanned" || _tag === "Unmuted"
  return {
    members: isOut ? without(members, [user]) : members,
    bound: isLifted ? without(bound, [user]) : _tag === "Kicked" ? bound : addName(bound, user)
  }
}

const add = (seen: NamesSeen, newUsers: ReadonlyArray<string>, newRooms: ReadonlyArray<string> = []): NamesSeen => ({
  ...seen,
  users: newUsers.reduce(addName, seen.users),
  rooms: newRooms.reduce(addName, seen.rooms)
})

const addName = (names: Names, name: string): Names =>
  HashMap.size(names) >= maxNames || HashMap.has(names, nameKey(name)) ? names : HashMap.set(names, nameKey(name), name)

const without = (names: Names, gone: ReadonlyArray<string>): Names =>
  gone.reduce((rest, name) => HashMap.remove(rest, nameKey(name)), names)

const remove = (seen: NamesSeen, gone: ReadonlyArray<string>): NamesSeen => ({
  ...seen,
  users: without(seen.users, gone)
})
