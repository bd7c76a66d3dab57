/** Starts the manager of a room, and has the directory told of what it says. Managers are numbered, whatever their rooms. */
import { Context, Effect, Scope } from "effect"
import type { Governing } from "../../common/log/Governing.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { AccountNames } from "../accounts/AccountNames.ts"
import type { AccountsCommand } from "../accounts/AccountsCommand.ts"
import type { Blocks } from "../accounts/Blocks.ts"
import type { ServerConfig } from "../config/ServerConfig.ts"
import { Governances } from "../history/Governances.ts"
import type { History } from "../history/History.ts"
import { SealedRooms } from "../history/SealedRooms.ts"
import type { Turns } from "../processor/Turns.ts"
import type { Sessions } from "../session/Sessions.ts"
import * as Deciding from "./Deciding.ts"
import type { Devices, GuestOwner } from "./Governing.ts"
import type { LogReader } from "./LogReader.ts"
import type { OpenRoom, Running } from "./OpenRoom.ts"
import * as RoomManager from "./RoomManager.ts"
import type { makeRoomMembers } from "./RoomMembers.ts"
import type { RoomsCommand } from "./RoomsCommand.ts"

export type ManagerServices = Governances | History | LogReader | SealedRooms | Sessions | ServerConfig | Turns

interface Services {
  readonly blocks: Pick<Blocks["Service"], "by">
  readonly devices: Devices
  readonly members: ReturnType<typeof makeRoomMembers>
  readonly names: AccountNames["Service"]
  readonly scope: Scope.Scope
  readonly services: Context.Context<ManagerServices>
  readonly sessions: Sessions["Service"]
  /** What a list of rooms says has changed. */
  readonly onGoverned: () => void
  readonly tell: (command: RoomsCommand) => void
  readonly tellAccounts: (command: AccountsCommand) => void
}

export const makeStarting = (all: Services) => {
  const { blocks, devices, members, names, onGoverned, scope, services, sessions, tell, tellAccounts } = all
  /** How many managers there were so far. */
  let started = 0

  const authorOf = (owner: GuestOwner | undefined) =>
    owner && sessions.authorsOf({ session: owner.from.session, user: owner.user, request: 0 }).author

  /** Who made the room as a guest, unless it was given to an account. */
  const guestOwnerOf = ({ conversation, guestOwner }: OpenRoom): GuestOwner | undefined =>
    Context.get(services, Governances).get(conversation)?.owner === undefined ? guestOwner : undefined

  /** Waits for nothing; what comes meanwhile stands behind. */
  return Effect.fnUntraced(function* (room: OpenRoom) {
    const { conversation, key } = room
    const number = ++started
    const own = yield* Scope.fork(scope)
    const guestOwner = () => guestOwnerOf(room)
    /** For good: also if a ban is lifted, the guest registers, or whoever was given the room owns it no more. */
    const endsGuestOwnership = (act: Governing): boolean => {
      if (act._tag === "RoleSet" && act.role === "owner") return true
      const owner = room.guestOwner?.user
      const isAboutRole = act._tag === "Banned" || act._tag === "RoleSet"
      return isAboutRole && owner !== undefined && nameKey(owner) === nameKey(act.user)
    }
    const making = Effect.gen(function* () {
      const sealedRooms = yield* SealedRooms
      const deciding = yield* Deciding.make({ conversation, guestOwner: () => authorOf(guestOwner()) })
      return yield* RoomManager.make({
        conversation,
        deciding,
        guestOwner,
        people: names,
        devices,
        intervals: (device) => sealedRooms.intervals(conversation, device),
        blockedBy: blocks.by,
        onGoverned: (act) => {
          if (endsGuestOwnership(act)) room.guestOwner = undefined
          onGoverned()
        },
        onInvited: (account, invitedTo, by) => tellAccounts({ _tag: "Invited", account, room: invitedTo, by }),
        kept: members.of(room),
        onDeleted: () => tell({ _tag: "Deleted", room: key, manager: number }),
        onMembers: (changed) => tell({ _tag: "MembersChanged", room: key, ...changed }),
        onVacated: (handled) => tell({ _tag: "Vacated", room: key, manager: number, handled })
      })
    })
    const manager = yield* making.pipe(Scope.provide(own), Effect.provideContext(services))
    const running: Running = { number, manager, scope: own, sent: 0, isLeft: false }
    room.running = running
    return running
  })
}
