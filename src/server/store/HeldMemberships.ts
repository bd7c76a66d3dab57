/**
 * The memberships and read marks of a server that keeps everything in memory: beside its accounts, so that an account and what
 * it was in end together, as they do in one commit of a database.
 *
 * Bounds: see MemoryMemberships.
 */
import { Context, Layer } from "effect"
import type { Seq } from "../../common/log/Cursor.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { Member } from "../accounts/Memberships.ts"
import type { AccountId } from "../session/AccountId.ts"

/** What is held of one account. */
export interface Held {
  /** By their keys. */
  readonly rooms: Map<string, RoomName>
  /** By the key of a shared conversation, or `with:` and a partner. */
  readonly marks: Map<string, Seq>
}

export class HeldMemberships extends Context.Service<
  HeldMemberships,
  {
    readonly byAccount: Map<AccountId, Held>
    /** By the keys of rooms; none is empty. */
    readonly byRoom: Map<string, Map<AccountId, Member>>
    readonly removeMember: (account: AccountId, room: string) => void
    /** An account is gone. */
    readonly forgetAccount: (account: AccountId) => void
  }
>()("parley/server/store/HeldMemberships") {
  static readonly layer = Layer.sync(HeldMemberships, () => {
    const byAccount = new Map<AccountId, Held>()
    const byRoom = new Map<string, Map<AccountId, Member>>()
    const removeMember = (account: AccountId, room: string) => {
      const members = byRoom.get(room)
      members?.delete(account)
      if (members?.size === 0) byRoom.delete(room)
    }
    return HeldMemberships.of({
      byAccount,
      byRoom,
      removeMember,
      forgetAccount: (account) => {
        for (const room of byAccount.get(account)?.rooms.keys() ?? []) removeMember(account, room)
        byAccount.delete(account)
      }
    })
  })
}
