/**
 * The names of all accounts, for those who must not wait: a directory in memory that is told facts. The AccountProcessor
 * fills it at the start and tells it of each change, after the change is stored.
 *
 * Bounds: as many entries as there are accounts, about 300 bytes each.
 */
import { Context, Effect, Layer } from "effect"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { Account } from "./Account.ts"
import type { Accounts } from "./Accounts.ts"
import { makeReservedNames } from "./ReservedNames.ts"

/** Of a `Deleted` one the name is still nobody else's, but nobody answers to it. */
export interface NamedAccount extends Pick<Account, "id" | "state" | "user"> {
  readonly isAdmin?: boolean
}

export class AccountNames extends Context.Service<
  AccountNames,
  {
    readonly find: (user: UserName) => NamedAccount | undefined
    /** The same name, or one that looks the same. */
    readonly similar: (user: UserName) => NamedAccount | undefined
    /** Whether there is such an account that may be used. */
    readonly isActive: (account: AccountId) => boolean
    /** Whether there is such an account, disabled or not. */
    readonly isThere: (account: AccountId) => boolean
    /** Whether it may do everywhere what the owner of a room may. */
    readonly isAdmin: (account: AccountId | undefined) => boolean
    readonly set: (account: NamedAccount) => void
    readonly remove: (user: UserName) => void
  }
>()("parley/server/accounts/AccountNames") {
  static readonly layer = Layer.sync(AccountNames, () => {
    const byKey = new Map<NameKey, NamedAccount>()
    const byId = new Map<AccountId, NamedAccount>()
    const reserved = makeReservedNames()
    const find = (user: UserName) => byKey.get(nameKey(user))
    return AccountNames.of({
      find,
      similar: (user) => {
        const like = reserved.similarTo(user)
        return like === undefined ? undefined : find(like)
      },
      isActive: (account) => byId.get(account)?.state === "Active",
      isThere: (account) => {
        const state = byId.get(account)?.state
        return state !== undefined && state !== "Deleted"
      },
      isAdmin: (account) => {
        const known = account === undefined ? undefined : byId.get(account)
        return known?.isAdmin === true && known.state === "Active"
      },
      set: (account) => {
        byKey.set(nameKey(account.user), account)
        byId.set(account.id, account)
        reserved.add(account.user)
      },
      remove: (user) => {
        const known = byKey.get(nameKey(user))
        byKey.delete(nameKey(user))
        if (known === undefined) return
        byId.delete(known.id)
        reserved.free(known.user)
      }
    })
  })
}

/** So many are read at once. */
const namesAtOnce = 5000

/** All there are, before anybody is let in. */
export const fillNames = Effect.fnUntraced(function* (accounts: Accounts["Service"], names: AccountNames["Service"]) {
  let after: UserName | undefined
  for (;;) {
    const some = yield* Effect.orDie(accounts.list(after, namesAtOnce))
    for (const account of some) names.set(account)
    if (some.length < namesAtOnce) return
    after = some.at(-1)?.user
  }
})
