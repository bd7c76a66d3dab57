/** What rooms there are when the server starts: of each a log, or members, or how it is governed, is left. */
import { Effect, Schedule } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { AccountNames } from "../accounts/AccountNames.ts"
import type { Memberships } from "../accounts/Memberships.ts"
import type { Governances } from "../history/Governances.ts"
import type { History } from "../history/History.ts"
import { retryInterval } from "./Newcomers.ts"
import type { makeOpenRooms, OpenRoom } from "./OpenRoom.ts"
import type { makeRoomMembers } from "./RoomMembers.ts"
import type { makeRoomOwners } from "./RoomOwners.ts"

/** What is forgotten at the start, in commits of several. */
const atOnce = 64

interface Services {
  readonly governances: Pick<Governances["Service"], "rooms">
  readonly history: Pick<History["Service"], "rooms">
  readonly members: ReturnType<typeof makeRoomMembers>
  readonly memberships: Pick<Memberships["Service"], "inhabited">
  readonly names: Pick<AccountNames["Service"], "isThere">
  readonly owners: ReturnType<typeof makeRoomOwners>
  readonly register: (name: RoomName) => OpenRoom
  readonly rooms: ReturnType<typeof makeOpenRooms>
}

export const begin = Effect.fnUntraced(function* (services: Services) {
  const { governances, history, members, memberships, names, owners, register, rooms } = services
  for (const name of history.rooms) register(name)
  const inhabited = yield* memberships.inhabited.pipe(Effect.retry(Schedule.spaced(retryInterval)), Effect.orDie)
  for (const name of inhabited) (rooms.get(nameKey(name)) ?? register(name)).isInhabited = true
  // Of a room that was made and never used nothing else is left.
  const unused = [...governances.rooms()].filter((name) => !rooms.has(nameKey(name)))
  // Before anybody is let in, for who makes one again is to keep it.
  yield* Effect.forEach(unused, (name) => members.forget({ name, isInhabited: false, isKept: true }), {
    concurrency: atOnce,
    discard: true
  })
  // A server that ended just then may not have taken the roles from an account that was deleted.
  yield* owners.forgetMissing([...rooms.all()], (account) => names.isThere(account))
})
