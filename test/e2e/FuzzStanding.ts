/** What a running server says of the state when it is asked, held against the model: rooms, who is in, who is here, what was read. */
import { Effect } from "effect"
import { nameKey } from "../../src/common/name/Name.ts"
import { isObject, type Json } from "./FuzzContract.ts"
import { type Account, type Model, Room, sameName, type Session } from "./FuzzModel.ts"
import { byName } from "./FuzzReplies.ts"
import { say, type Speaker } from "./FuzzWorld.ts"

const listOf = (value: unknown): ReadonlyArray<Json> => (Array.isArray(value) ? value.filter(isObject) : [])
const byRoom = (one: Json, other: Json) => byName(String(one["room"]), String(other["room"]))
const isIn = ({ rooms }: Session, { name }: Room): boolean => rooms.has(nameKey(name))

/** All rooms, as an admin is told of them. A room in which nobody wrote and nobody is may be gone. */
export const rooms = Effect.fnUntraced(function* (model: Model, admin: Speaker) {
  const told = listOf((yield* say(model, admin, { _tag: "ListRooms" }))["rooms"]).map(({ room }) => String(room))
  const found: Array<Json> = []
  for (const room of told) {
    const { id: _, _tag: __, createdAt: ___, ...info } = yield* say(model, admin, { _tag: "GetRoom", room })
    const { _tag, away, users } = yield* say(model, admin, { _tag: "ListRoomUsers", room })
    if (_tag === "RoomUsers") found.push({ ...info, users, away })
  }
  const isTold = ({ name }: Room) => found.some((info) => info["room"] === name)
  const there = [...model.rooms.values()].filter(isTold)
  const lost = [...model.rooms.values()].filter((room) => !isTold(room) && !model.isVacant(room))
  return {
    found,
    expected: [...there, ...lost]
      .toSorted((one, other) => byName(one.name, other.name))
      .map((room) => infoOf(model, room))
  }
})

const infoOf = (model: Model, room: Room): Json => {
  const here = [...model.sessions].filter((session) => isIn(session, room))
  const users = [...new Set(here.flatMap(({ account, user }) => account?.name ?? user ?? []))].toSorted(byName)
  const away = [...room.accounts]
    .map(({ name }) => name)
    .filter((name) => !users.includes(name))
    .toSorted(byName)
  const owner =
    typeof room.owner === "number" ? [...model.sessions].find(({ id }) => id === room.owner)?.user : room.owner?.name
  return {
    room: room.name,
    ...(room.topic !== undefined && { topic: room.topic }),
    private: room.isPrivate,
    ...(owner !== undefined && { owner }),
    moderators: [...room.moderators].map(({ name }) => name).toSorted(byName),
    members: room.accounts.size + room.guests.size,
    bans: [...room.bans.values()],
    mutes: [...room.mutes.values()],
    users,
    away: away.length === 0 ? undefined : away
  }
}

/** Of a Welcome, what it says of rooms, conversations with accounts that were there from the beginning, and what was read. */
export const welcome = (model: Model, account: Account, told: Json, partners: ReadonlyArray<string>) => {
  const own = [...model.rooms.values()].filter((room) => room.accounts.has(account))
  const unreadIn = (log: Room["log"], read: number, partner?: string) =>
    [...log.entries.values()].filter(
      ({ from, kind, seq, to }) =>
        kind === "Said" &&
        seq > read &&
        !sameName(from, account.name) &&
        (partner === undefined || sameName(from, partner) || sameName(to, partner))
    ).length
  const placesWith = (partner: string) =>
    [...account.inbox.entries.values()].filter(
      ({ from, kind, to }) =>
        (kind === "Said" || kind === "Tombstone") && (sameName(from, partner) || sameName(to, partner))
    )
  const { conversations, invitations, lobby, lobbyRead, rooms: toldRooms } = told
  return {
    found: {
      lobby: isObject(lobby) ? lobby["seq"] : lobby,
      lobbyRead,
      rooms: listOf(toldRooms).map((room) => Object.assign(room, { mentions: undefined })),
      conversations: listOf(conversations)
        .filter((one) => partners.some((partner) => sameName(partner, one["with"])))
        .toSorted((one, other) => byName(String(one["with"]), String(other["with"]))),
      invitations: listOf(invitations).toSorted(byRoom)
    },
    expected: {
      lobby: model.lobby.newest,
      lobbyRead: account.lobbyRead,
      rooms: own
        .toSorted((one, other) => byName(one.name, other.name))
        .map((room) => {
          const read = account.roomRead.get(nameKey(room.name)) ?? 0
          const role = room.owner === account ? "owner" : room.moderators.has(account) ? "moderator" : "member"
          return {
            room: room.name,
            seq: room.log.newest,
            read,
            unread: unreadIn(room.log, read),
            role,
            topic: room.topic,
            private: room.isPrivate ? true : undefined
          }
        }),
      conversations: partners
        .filter((partner) => placesWith(partner).length > 0 && !sameName(partner, account.name))
        .toSorted(byName)
        .map((partner) => {
          const read = account.partnerRead.get(nameKey(partner)) ?? 0
          return {
            with: partner,
            seq: Math.max(...placesWith(partner).map(({ seq }) => seq)),
            read,
            unread: unreadIn(account.inbox, read, partner)
          }
        }),
      invitations: [...model.rooms.values()]
        .flatMap((room) => {
          const by = room.invited.get(account)
          // Of whom it has blocked it is told nothing.
          return by === undefined || account.blocked.has(nameKey(by)) ? [] : [{ room: room.name, by }]
        })
        .toSorted(byRoom)
    }
  }
}
