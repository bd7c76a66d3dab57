/**
 * Who has blocked whom, for those who must not wait: a directory in memory that is told facts. The AccountProcessor fills it at the
 * start and tells it of each change, after the change is stored.
 *
 * Bounds: `maxBlocked` of each account, about 300 bytes each.
 */
import { Context, Effect, Layer } from "effect"
import { type Partner, partnerOf } from "../history/Partner.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { Blockable, Blocked } from "./Account.ts"
import type { Accounts } from "./Accounts.ts"

export const partnerIs = ({ account, user }: Blockable): Partner =>
  partnerOf(account === undefined ? { user } : { user, account })

export class Blocks extends Context.Service<
  Blocks,
  {
    /** Whether this account has blocked them; a guest, nobody. */
    readonly has: (account: AccountId | undefined, who: Blockable) => boolean
    readonly of: (account: AccountId) => ReadonlyArray<Blocked>
    /** The accounts that have blocked them. */
    readonly by: (who: Blockable) => ReadonlySet<AccountId>
    /** From now on these, and nobody else. */
    readonly set: (account: AccountId, blocked: ReadonlyArray<Blocked>) => void
  }
>()("parley/server/accounts/Blocks") {
  static readonly layer = Layer.sync(Blocks, () => {
    const byAccount = new Map<AccountId, ReadonlyArray<Blocked>>()
    const byPartner = new Map<Partner, Set<AccountId>>()
    /** Whoever blocked a guest does not want to hear the account either that has taken its name since. */
    const by = (who: Blockable): ReadonlySet<AccountId> => {
      const blockers = byPartner.get(partnerIs(who))
      const ofGuest = who.account === undefined ? undefined : byPartner.get(partnerIs({ user: who.user }))
      if (blockers === undefined || ofGuest === undefined) return blockers ?? ofGuest ?? nobody
      return new Set([...blockers, ...ofGuest])
    }

    return Blocks.of({
      by,
      has: (account, who) => account !== undefined && byPartner.size > 0 && by(who).has(account),
      of: (account) => byAccount.get(account) ?? [],
      set: (account, blocked) => {
        for (const { partner } of byAccount.get(account) ?? []) {
          const blockers = byPartner.get(partner)
          blockers?.delete(account)
          if (blockers?.size === 0) byPartner.delete(partner)
        }
        if (blocked.length === 0) byAccount.delete(account)
        else byAccount.set(account, blocked)
        for (const { partner } of blocked) {
          const blockers = byPartner.get(partner) ?? new Set<AccountId>()
          byPartner.set(partner, blockers.add(account))
        }
      }
    })
  })
}

const nobody: ReadonlySet<AccountId> = new Set()

/** Accounts whose blocked users are read at once. */
const accountsAtOnce = 100

/** All there are, before anybody is let in. */
export const fillBlocks = Effect.fnUntraced(function* (accounts: Accounts["Service"], blocks: Blocks["Service"]) {
  let after: AccountId | undefined
  for (;;) {
    const some = yield* Effect.orDie(accounts.blockers(after, accountsAtOnce))
    for (const { account, blocked } of some) blocks.set(account, blocked)
    if (some.length < accountsAtOnce) return
    after = some.at(-1)?.account
  }
})
