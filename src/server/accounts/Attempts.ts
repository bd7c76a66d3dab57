/**
 * Who may try to log in just now: whoever was wrong too often waits.
 *
 * 1. Counted is an account as tried from one network (see Peer), and all that this network tries: many may share it, of whom
 *    one is not to wait for another's typing errors. Of the first five failures are free, of the second ten; the try after those
 *    waits 5 s, and each further one twice as long as the one before, up to 15 minutes. For each minute of quiet one is forgotten.
 * 2. A try counts when it begins, and is taken back if it was right: a hundred at once are not a hundred guesses. One that is
 *    refused does not count, or nobody could ever log in beside somebody who goes on trying.
 * 3. From many networks an account cannot be locked: tries for it only begin later, by 2 s at most.
 * 4. An account is counted by its name, whether there is such an account or not.
 * 5. The log has no line for each failure, or whoever guesses could fill it: one an hour for each account and each network that
 *    is slowed (see LogSeldom). A name that is no account's is not told: it may be a password, typed in the wrong place.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { LogSeldom } from "../notices/LogSeldom.ts"
import { monotonicMillis } from "../processor/MonotonicTime.ts"
import { networkOf } from "../session/Peer.ts"
import { AccountNames } from "./AccountNames.ts"
import { counted, countLeft, remainingWait, type Rule, waitAfter } from "./Failures.ts"
import { type FailureTable, makeFailureTable } from "./FailureTable.ts"

const minute = 60_000
const ofPair: Rule = { free: 5, firstWait: 5000, maxWait: 15 * minute, forgivenAfter: minute }
const ofNetwork: Rule = { ...ofPair, free: 10 }
/** These waits are not refusals: the try is under way, and takes so much longer. */
const ofAccount: Rule = { free: 10, firstWait: 125, maxWait: 2000, forgivenAfter: minute }

/** For each of the three tables. */
const maxKeys = 50_000

/** `takeBack`: it was right, or was not looked at. `retryAfter`: what is left of the wait, in milliseconds. */
export type Attempt =
  | { readonly _tag: "Begun"; readonly takeBack: Effect.Effect<void> }
  | { readonly _tag: "TooManyAttempts"; readonly retryAfter: number }

export class Attempts extends Context.Service<
  Attempts,
  {
    /** Begins a try for this account from this address, and slows it down; or says that it is too early for another. */
    readonly begin: (user: UserName, address: string | undefined) => Effect.Effect<Attempt>
  }
>()("parley/server/accounts/Attempts") {
  static readonly layer: Layer.Layer<Attempts, never, AccountNames> = Layer.effect(
    Attempts,
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const pairs = makeFailureTable(ofPair, maxKeys)
      const networks = makeFailureTable(ofNetwork, maxKeys)
      const accounts = makeFailureTable(ofAccount, maxKeys)
      const names = yield* AccountNames
      const slowedAccounts = new LogSeldom(
        "Wrong logins slow more accounts: of these, nothing more is told for an hour"
      )
      const slowedNetworks = new LogSeldom(
        "Wrong logins slow more networks: of these, nothing more is told for an hour"
      )

      const tellOfSlowed = Effect.fnUntraced(function* (
        user: UserName,
        network: string,
        slowed: { readonly pair: boolean; readonly network: boolean; readonly account: boolean }
      ) {
        if (slowed.network) {
          yield* slowedNetworks.warning(network, "Logins from a network wait: too many were wrong", { network })
        }
        const account = names.find(user)?.user
        if (account === undefined) return
        if (slowed.pair) {
          const message = "Logins to an account from one network wait: too many were wrong"
          yield* slowedAccounts.warning(`at ${account}`, message, { user: account, network })
        }
        if (slowed.account) {
          const message = "Logins to an account are slowed, from wherever they come: too many were wrong"
          yield* slowedAccounts.warning(account, message, { user: account })
        }
      })

      return Attempts.of({
        begin: Effect.fn("Attempts.begin")(function* (user, address) {
          const now = monotonicMillis(clock)
          const account = nameKey(user)
          const network = networkOf(address)
          // No name holds a space.
          const pair = `${network} ${account}`
          const retryAfter = Math.max(
            remainingWait(ofPair, pairs.of(pair), now),
            remainingWait(ofNetwork, networks.of(network), now)
          )
          const delay = waitAfter(ofAccount, countLeft(ofAccount, accounts.of(account), now))
          const told = tellOfSlowed(user, network, {
            pair: hasWait(pairs, ofPair, pair, now),
            network: hasWait(networks, ofNetwork, network, now),
            account: delay > 0
          })
          if (retryAfter > 0) return yield* Effect.as(told, { _tag: "TooManyAttempts", retryAfter } as const)

          const takeBacks = [
            count(pairs, ofPair, pair, now),
            count(networks, ofNetwork, network, now),
            count(accounts, ofAccount, account, now)
          ]
          yield* told
          if (delay > 0) yield* Effect.sleep(delay)
          const takeBack = Effect.sync(() => {
            for (const undo of takeBacks.splice(0)) undo(monotonicMillis(clock))
          })
          return { _tag: "Begun", takeBack } as const
        })
      })
    })
  )
}

/** Whether its failures make it wait, or have made it wait for this try. */
const hasWait = (table: FailureTable, rule: Rule, key: string, now: number): boolean =>
  waitAfter(rule, countLeft(rule, table.of(key), now)) > 0

/** Counts one more, and gives back how to undo it. */
const count = (table: FailureTable, rule: Rule, key: string, now: number) => {
  const before = table.of(key)
  const after = counted(rule, before, now)
  table.set(key, after, now)
  return (later: number) => {
    const { at, count } = table.of(key)
    const isLast = count === after.count && at === after.at
    table.set(key, isLast ? before : { count: Math.max(0, count - 1), at }, later)
  }
}
