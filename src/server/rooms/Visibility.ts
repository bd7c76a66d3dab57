/**
 * Which rooms there are for whom: a private one is not there for outsiders, nor for who is banned from it. Answers at once, and
 * takes the same way as for a room that is not there at all, so that no time tells them apart.
 */
import type { Clock } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import { boundBy, isInvited, roleOf } from "../governance/Governance.ts"
import type { Governances } from "../history/Governances.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import type { GuestOwner } from "./Governing.ts"
import type { Involvement } from "./OpenRoom.ts"

interface Room {
  readonly key: NameKey
  readonly conversation: SharedConversation
  readonly guestOwner: GuestOwner | undefined
  readonly isBeingMade: boolean
}

interface Services<One extends Room> {
  readonly clock: Clock.Clock
  readonly governances: Pick<Governances["Service"], "get" | "invitations" | "owned">
  readonly isAdmin: (account: AccountId | undefined) => boolean
  /** All private rooms, in the order of their names. */
  readonly hidden: () => ReadonlyArray<One>
  /** Of which rooms an account is a member. */
  readonly roomsOf: (account: AccountId | undefined) => ReadonlySet<NameKey>
  /** The rooms that a connection is in, and those it made. */
  readonly involvementOf: (session: SessionId) => Pick<Involvement, "isIn" | "made"> | undefined
  /** Where somebody comes from. */
  readonly networkOf: (from: Asker) => string | undefined
  readonly find: (key: NameKey) => One | undefined
}

export const makeVisibility = <One extends Room>(services: Services<One>) => {
  const { clock, find, governances, hidden, involvementOf, isAdmin, networkOf, roomsOf } = services

  const isPrivate = ({ conversation }: Room) => governances.get(conversation)?.isPrivate === true

  /** Whether there is such a room for who asks. */
  const isVisible = (open: One, from: Asker): boolean => {
    if (open.isBeingMade) return false
    const governance = governances.get(open.conversation)
    if (governance?.isPrivate !== true) return true
    if (involvementOf(from.session)?.isIn.has(open.key) === true) return true
    if (isAdmin(from.account) || roomsOf(from.account).has(open.key)) return true
    const isOwner = open.guestOwner?.from.session === from.session
    const isLetIn = isOwner || roleOf(governance, from) !== "member" || isInvited(governance, from)
    if (!isLetIn || governance.bans.length === 0) return isLetIn
    const network = networkOf(from)
    const person = { ...from, ...(network !== undefined && { network }) }
    return boundBy(governance.bans, person, clock.currentTimeMillisUnsafe()) === undefined
  }

  return {
    isVisible,

    /** Whether it may hear who is in: everybody in an open room, in a private one who is in or a member. */
    mayListUsers: (open: One, from: Asker): boolean => {
      if (!isPrivate(open) || isAdmin(from.account)) return true
      return involvementOf(from.session)?.isIn.has(open.key) === true || roomsOf(from.account).has(open.key)
    },

    /** The private rooms that there are for who asks, in the order of their names. */
    hiddenFrom: (from: Asker): ReadonlyArray<One> => {
      const { account } = from
      if (isAdmin(account)) return hidden()
      const invited = account === undefined ? [] : governances.invitations(account).map(({ room }) => room)
      const owned = account === undefined ? [] : governances.owned(account)
      const { isIn, made } = involvementOf(from.session) ?? nothing
      const keys = new Set([...roomsOf(account), ...isIn, ...made, ...[...invited, ...owned].map(nameKey)])
      return (
        [...keys]
          .toSorted()
          .flatMap((key) => find(key) ?? [])
          // Conversations are in no list.
          .filter((open) => isPrivate(open) && isVisible(open, from) && !open.key.startsWith("~"))
      )
    }
  }
}

const nothing: Pick<Involvement, "isIn" | "made"> = { isIn: new Set(), made: new Set() }
