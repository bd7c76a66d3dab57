/**
 * To whom rooms belong, as far as no entry says so: who makes one owns it, a guest who registers keeps what it made, and an
 * account that is gone owns and moderates nothing. Who decides in a room that has a manager is its deciding half; of others it is
 * changed here.
 */
import { type Clock, Effect, Schedule } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import { forgetAccount, type Governance, isPlain, owned, ungoverned } from "../governance/Governance.ts"
import { keyless } from "../governance/Sealing.ts"
import type { Governances } from "../history/Governances.ts"
import type { StorageUnavailable } from "../history/History.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { Deciding } from "./Deciding.ts"
import type { GuestOwner } from "./Governing.ts"
import { retryInterval } from "./Newcomers.ts"
import type { RoomsCommandOf } from "./RoomsCommand.ts"

interface Room {
  readonly conversation: SharedConversation
  readonly guestOwner: GuestOwner | undefined
  readonly running: { readonly manager: Pick<Deciding, "govern"> } | undefined
}

interface Services {
  readonly clock: Clock.Clock
  readonly governances: Pick<Governances["Service"], "get" | "owned" | "put">
}

export const makeRoomOwners = ({ clock, governances }: Services) => {
  const now = () => clock.currentTimeMillisUnsafe()

  const changed = (room: Room, change: (before: Governance) => Governance) =>
    Effect.suspend(() => {
      if (room.running !== undefined) return room.running.manager.govern(change)
      const before = governances.get(room.conversation) ?? ungoverned(now())
      const after = change(before)
      return after === before ? Effect.void : governances.put(room.conversation, after)
    })

  /** Tried until it is stored. */
  const govern = (rooms: ReadonlyArray<Room>, change: (before: Governance) => Governance) =>
    Effect.forEach(
      rooms,
      (room) => changed(room, change).pipe(Effect.retry(Schedule.spaced(retryInterval)), Effect.orDie),
      { discard: true }
    )

  return {
    /** How many rooms an account owns, whichever connection made them. */
    count: (account: AccountId | undefined): number =>
      account === undefined
        ? 0
        : governances
            .owned(account)
            .filter((room) => governances.get({ _tag: "Room", room })?.owner?.account === account).length,

    /** What is to be stored of a new room, before anybody is told of it; nothing if there is nothing to say. */
    found: (
      conversation: SharedConversation,
      { from, isEncrypted, isPrivate, topic = "" }: Omit<RoomsCommandOf<"Create">, "_tag" | "room">
    ): Effect.Effect<void, StorageUnavailable> | undefined => {
      const { account, user } = from
      const governance = {
        ...ungoverned(now()),
        isPrivate,
        ...(isEncrypted && { keys: keyless }),
        ...(topic !== "" && { topic }),
        ...(account !== undefined && { owner: { user, account } })
      }
      return isPlain(governance) ? undefined : governances.put(conversation, governance)
    },

    /** The guest of this connection has become an account, which owns those of these rooms that were the guest's. */
    own: (rooms: ReadonlyArray<Room>, { account, session, user }: RoomsCommandOf<"Own">) =>
      govern(
        rooms.filter(({ guestOwner }) => guestOwner?.from.session === session),
        (before) => owned(before, { account, user })
      ),

    /** At the start: those who hold roles or invitations and are there no more have none. */
    forgetMissing: (rooms: ReadonlyArray<Room>, isThere: (account: AccountId) => boolean) =>
      Effect.forEach(
        rooms.filter(({ conversation }) => missingIn(governances.get(conversation), isThere).length > 0),
        (room) =>
          govern([room], (before) =>
            missingIn(before, isThere).reduce((kept, holder) => forgetAccount(kept, holder), before)
          ),
        { discard: true }
      ),

    /** An account is gone: it has no role in any of these rooms, and is invited to none. */
    forget: (rooms: ReadonlyArray<Room>, { account, user }: RoomsCommandOf<"Dismiss">) => {
      const forgotten = (before: Governance) => forgetAccount(before, { account, user })
      return govern(
        rooms.filter(({ conversation }) => {
          const governance = governances.get(conversation)
          return governance !== undefined && forgotten(governance) !== governance
        }),
        forgotten
      )
    }
  }
}

/** Who has a role or an invitation, and is no account any more. */
const missingIn = (governance: Governance | undefined, isThere: (account: AccountId) => boolean) =>
  governance === undefined
    ? []
    : [
        ...(governance.owner === undefined ? [] : [governance.owner]),
        ...governance.moderators,
        ...governance.invited
      ].filter(({ account }) => !isThere(account))
