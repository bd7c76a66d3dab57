/** Lines of governed rooms as they are compared: what was said, and what should have been. */
import type { Line } from "../support/RawClient.ts"
import * as Facts from "./GovernedFacts.ts"
import { rooms } from "./GovernedPeople.ts"

/** As it is compared: without what is free. */
export const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value ?? null, (key, field: unknown) => (free.has(key) ? undefined : field)))
const free = new Set(["id", "epoch", "message", "why"])

/** Of a room that a guest made it is not always known when that was. */
export const comparable = (reply: Line, expected: object): object => {
  if (reply._tag !== "RoomInfo" || Reflect.get(expected, "createdAt") !== undefined) return reply
  const { createdAt: _, ...rest } = reply
  return rest
}

const told = new Set(["RoomMessage", "RoomLeft", "RoomDeleted", "Invitation"])
export const isTold = ({ _tag, from }: Line): boolean => told.has(_tag) || from !== undefined

const roomOf = (line: object): string => String(Reflect.get(line, "room"))
const byRoom = (one: object, other: object) => (roomOf(one) < roomOf(other) ? -1 : 1)
const listIn = (value: unknown): ReadonlyArray<object> => (Array.isArray(value) ? value : [])

/** What a Welcome says of rooms. */
export const welcomed = ({ admin, invitations, rooms }: Line) => ({
  isAdmin: admin === true,
  invitations: listIn(invitations).toSorted(byRoom),
  rooms: listIn(rooms).map((line) =>
    Object.fromEntries(Object.entries(line).filter(([field]) => !uncounted.has(field)))
  )
})

/** What others of the server's tests are about. */
const uncounted = new Set(["mentions", "read", "unread"])

export const welcomeFor = (all: Facts.Facts, who: Facts.Who) => ({
  isAdmin: Facts.isAdmin(who),
  invitations: rooms.flatMap((room) => {
    const facts = Facts.since(all, room)
    const by = facts && Facts.invitedBy(facts, room, who.user)
    return by === undefined ? [] : [{ room, by }]
  }),
  rooms: rooms.flatMap((room) => {
    const facts = Facts.since(all, room)
    if (facts === undefined || !Facts.membersOf(facts, room).includes(who.user)) return []
    const topic = Facts.topicOf(facts, room)
    return [
      {
        room,
        seq: Facts.entriesOf(facts, room).length,
        role: Facts.roleOf(facts, room, who),
        ...(topic !== "" && { topic }),
        ...(Facts.isPrivate(facts, room) && { private: true })
      }
    ]
  })
})
