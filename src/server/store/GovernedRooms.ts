/**
 * How each room and the lobby is governed, as it was stored last: in memory, told by whoever stores it, behind the commit. Whoever
 * must not wait looks here. Also the whole of what a server keeps of it that keeps nothing.
 *
 * One for all layers that are built together.
 *
 * Bounds: of each room that there is what `Governance` says; of plain rooms nothing.
 */
import { Context, Layer } from "effect"
import { conversationKey, type SharedConversation } from "../../common/log/Conversation.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import { type Governance, isPlain } from "../governance/Governance.ts"
import type { Governances, Invitation } from "../history/Governances.ts"
import type { AccountId } from "../session/AccountId.ts"

export class GovernedRooms extends Context.Service<
  GovernedRooms,
  Pick<Governances["Service"], "get" | "invitations" | "owned" | "rooms"> & {
    readonly set: (conversation: SharedConversation, governance: Governance) => void
    readonly remove: (conversation: SharedConversation) => void
    /** The same, by its key. */
    readonly removeNamed: (conversationKey: string) => void
  }
>()("parley/server/store/GovernedRooms") {
  static readonly layer = Layer.sync(GovernedRooms, () => {
    const byKey = new Map<string, { readonly conversation: SharedConversation; readonly governance: Governance }>()
    const invited = new Map<AccountId, Map<string, Invitation>>()
    const owned = new Map<AccountId, Map<string, RoomName>>()

    const forget = (key: string) => {
      const governance = byKey.get(key)?.governance
      for (const { account } of governance?.invited ?? []) removeFrom(invited, account, key)
      for (const account of governance === undefined ? [] : holdersOf(governance)) removeFrom(owned, account, key)
      byKey.delete(key)
    }

    return GovernedRooms.of({
      get: (conversation) => byKey.get(conversationKey(conversation))?.governance,
      rooms: () =>
        [...byKey.values()].flatMap(({ conversation }) => (conversation._tag === "Room" ? conversation.room : [])),
      invitations: (account) => [...(invited.get(account)?.values() ?? [])],
      owned: (account) => [...(owned.get(account)?.values() ?? [])],
      set: (conversation, governance) => {
        const key = conversationKey(conversation)
        const before = byKey.get(key)
        const known = before?.conversation ?? conversation
        if (isPlain(governance)) return forget(key)
        byKey.set(key, { conversation: known, governance })
        if (known._tag === "Lobby") return
        const { room } = known
        // An invitation that stays keeps its place among those to other rooms.
        const heard = governance.invited.filter(({ isUnheard }) => isUnheard !== true)
        const still = new Set(heard.map(({ account }) => account))
        for (const { account } of before?.governance.invited ?? []) {
          if (!still.has(account)) removeFrom(invited, account, key)
        }
        for (const { account, by } of heard) addTo(invited, account, key, { room, by })
        for (const account of before === undefined ? [] : holdersOf(before.governance)) removeFrom(owned, account, key)
        for (const account of holdersOf(governance)) addTo(owned, account, key, room)
      },
      remove: (conversation) => forget(conversationKey(conversation)),
      removeNamed: forget
    })
  })
}

/** The accounts that have a role there. */
const holdersOf = ({ moderators, owner }: Governance): ReadonlyArray<AccountId> =>
  [...(owner === undefined ? [] : [owner]), ...moderators].map(({ account }) => account)

const addTo = <A>(all: Map<AccountId, Map<string, A>>, account: AccountId, key: string, one: A) => {
  const those = all.get(account) ?? new Map<string, A>()
  all.set(account, those.set(key, one))
}

const removeFrom = (all: Map<AccountId, Map<string, unknown>>, account: AccountId, key: string) => {
  const those = all.get(account)
  those?.delete(key)
  if (those?.size === 0) all.delete(account)
}
