/**
 * The token of a device, which is that device again. Each use gives the next one, and the one that was used stays good until
 * that is used: whoever is cut off before it has written down the next comes back with the one before.
 *
 * A token has 256 random bits: nobody guesses one, and so tries are neither counted nor slowed.
 */
import { Clock, Effect, Option, type Redacted } from "effect"
import { Accounts } from "./Accounts.ts"
import type { Proof, Proven } from "./Proof.ts"
import { hashOf, Secrets } from "./Secrets.ts"

export const make = Effect.gen(function* () {
  const accounts = yield* Accounts
  const clock = yield* Clock.Clock
  const secrets = yield* Secrets

  const proof: Proof<{ readonly token: Redacted.Redacted }> = {
    prove: Effect.fnUntraced(function* ({ device: name, user }, { token }) {
      const next = yield* secrets.token
      const now = clock.currentTimeMillisUnsafe()
      const used = yield* accounts.useToken(user, hashOf(token), hashOf(next), now, name)
      return Option.map(used, ({ account, device }): Proven => ({
        account,
        stillHolds: Effect.succeed(true),
        enrolled: { device: device.id, token: next }
      }))
    })
  }
  return proof
})
