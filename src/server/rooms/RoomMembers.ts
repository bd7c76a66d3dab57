/**
 * Where the members of each room are kept, as its manager needs it; what that stores, the directory of rooms is told.
 *
 * A room that is gone takes with it what was kept of its members, those of earlier times included. Until that is done, nobody
 * becomes a member of another room of the same name. Waiting for it are as many rooms as had members, each once.
 */
import { Deferred, Effect, Schedule } from "effect"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { Member, Memberships } from "../accounts/Memberships.ts"
import type { Governances } from "../history/Governances.ts"
import type { StorageUnavailable } from "../history/History.ts"
import type { KeptMembers } from "./Enrolment.ts"
import { retryInterval } from "./Newcomers.ts"
import type { RoomsCommand } from "./RoomsCommand.ts"

/** What the directory knows of the members of a room. */
export interface Inhabited {
  readonly name: RoomName
  /** Whether accounts are members, in or away. */
  isInhabited: boolean
  /** Something may be kept of those who are or were members. */
  isKept: boolean
}

export const makeRoomMembers = (
  memberships: Memberships["Service"],
  governances: Pick<Governances["Service"], "forget">,
  tell: (command: RoomsCommand) => void
) => {
  const forgetting = new Map<NameKey, Deferred.Deferred<void>>()
  /** Tried until it is done. */
  const forgetBy = (name: RoomName, act: Effect.Effect<void, StorageUnavailable>): Effect.Effect<void> => {
    const key = nameKey(name)
    const done = Deferred.makeUnsafe<void>()
    forgetting.set(key, done)
    return act.pipe(
      Effect.retry(Schedule.spaced(retryInterval)),
      Effect.orDie,
      Effect.ensuring(
        Effect.sync(() => {
          if (forgetting.get(key) === done) forgetting.delete(key)
          Deferred.doneUnsafe(done, Effect.void)
        })
      )
    )
  }
  return {
    of: (room: Inhabited): KeptMembers => {
      const { name } = room
      const key = nameKey(name)
      const read = Effect.tap(memberships.members(name), ({ length }) =>
        Effect.sync(() => tell({ _tag: "MembersRead", room: key, members: length }))
      )
      return {
        all: room.isInhabited ? read : Effect.succeed([]),
        join: Effect.fnUntraced(function* (member, newest) {
          const before = forgetting.get(key)
          if (before !== undefined) yield* Deferred.await(before)
          room.isKept = true
          yield* memberships.join(member, name, newest)
        }),
        leave: (account) => memberships.leave(account, name),
        onChanged: (changed) => tell({ _tag: "MembershipChanged", room: key, ...changed })
      }
    },

    /** These accounts become members for good, whether they are here or not. */
    enrol: (room: Inhabited, parties: ReadonlyArray<Member>): Effect.Effect<void, StorageUnavailable> =>
      Effect.suspend(() => {
        room.isKept = true
        room.isInhabited = true
        return Effect.forEach(parties, (member) => memberships.join(member, room.name, 0), { discard: true })
      }),

    /** Of an earlier room of this name nothing is left to be forgotten. */
    settled: (name: RoomName): Effect.Effect<void> =>
      Effect.suspend(() => {
        const before = forgetting.get(nameKey(name))
        return before === undefined ? Effect.void : Deferred.await(before)
      }),

    /** A room is gone. */
    forget: ({ name }: Inhabited): Effect.Effect<void> =>
      forgetBy(name, Effect.andThen(memberships.forget(name), governances.forget(name))),

    /** It was erased: somebody may have become a member while that was stored. */
    forgetErased: ({ name }: Inhabited): Effect.Effect<void> => forgetBy(name, memberships.forget(name))
  }
}
