/**
 * How each room and the lobby is governed, as it was stored last: in memory, told by whoever stores it, behind the commit. Whoever
 * must not wait looks here. Also the whole of what a server keeps of it that keeps nothing.
 *
 * Bounds: of each room that there is what `Governance` says; of plain rooms nothing.
 */
import { Context, Layer } from "effect"
import { conversationKey, type SharedConversation } from "../../common/log/Conversation.ts"
import { type Governance, isPlain } from "../governance/Governance.ts"
import type { Governances, Invitation } from "../history/Governances.ts"
import type { AccountId } from "../session/AccountId.ts"

export class GovernedRooms extends Context.Service<
  GovernedRooms,
  Pick<Governances["Service"], "get" | "invitations" | "rooms"> & {
    readonly set: (conversation: SharedConversation, governance: Governance) => void
    readonly remove: (conversation: SharedConversation) => void
  }
>()("parley/server/store/GovernedRooms") {
  static readonly layer = Layer.sync(GovernedRooms, () => {
    const byKey = new Map<string, { readonly conversation: SharedConversation; readonly governance: Governance }>()
    const invited = new Map<AccountId, Map<string, Invitation>>()

    const forgetInvited = (key: string) => {
      for (const { account } of byKey.get(key)?.governance.invited ?? []) {
        const rooms = invited.get(account)
        rooms?.delete(key)
        if (rooms?.size === 0) invited.delete(account)
      }
    }

    return GovernedRooms.of({
      get: (conversation) => byKey.get(conversationKey(conversation))?.governance,
      rooms: () => [...byKey.values()].flatMap(({ conversation }) => (conversation._tag === "Room" ? conversation.room : [])),
      invitations: (account) => [...(invited.get(account)?.values() ?? [])],
      set: (conversation, governance) => {
        const key = conversationKey(conversation)
        const before = byKey.get(key)
        if (before?.governance.invited !== governance.invited && conversation._tag === "Room") {
          forgetInvited(key)
          const { room } = before?.conversation._tag === "Room" ? before.conversation : conversation
          for (const { account, by } of governance.invited) {
            const rooms = invited.get(account) ?? new Map<string, Invitation>()
            invited.set(account, rooms.set(key, { room, by }))
          }
        }
        if (isPlain(governance)) byKey.delete(key)
        else byKey.set(key, { conversation: before?.conversation ?? conversation, governance })
      },
      remove: (conversation) => {
        const key = conversationKey(conversation)
        forgetInvited(key)
        byKey.delete(key)
      }
    })
  })
}
