/**
 * A password, or the code that stands in for one until it is set (see `users reset`).
 *
 * Something is hashed whatever the name, so that how long it takes does not tell whether there is such an account. A hash that
 * is worth less than one made today is made anew, from the password that has just been right.
 */
import { Clock, Effect, Option, type Redacted } from "effect"
import { PasswordHash } from "./Account.ts"
import { Accounts, type WithPassword } from "./Accounts.ts"
import { Passwords } from "./Passwords.ts"
import { formatPhcString, parsePhcString } from "./PhcString.ts"
import type { Proof } from "./Proof.ts"
import { areEqual, hashOfCode } from "./Secrets.ts"

export const make = Effect.gen(function* () {
  const accounts = yield* Accounts
  const passwords = yield* Passwords
  const clock = yield* Clock.Clock

  /** Whether this is the password of the account, or its code. Of nobody, it is not. */
  const fits = Effect.fnUntraced(function* (known: WithPassword | undefined, password: Redacted.Redacted) {
    const hash = known?.password === undefined ? undefined : parsePhcString(known.password)
    const { matches, needsRehash } = yield* passwords.verify(hash, password)
    if (known === undefined) return false
    if (matches && needsRehash && known.password !== undefined) {
      const better = yield* passwords.hash(password)
      yield* accounts.rehash(known.account.id, known.password, PasswordHash.make(formatPhcString(better)))
    }
    return matches || isCode(known, password)
  })

  const isCode = ({ reset }: WithPassword, code: Redacted.Redacted): boolean =>
    reset !== undefined &&
    clock.currentTimeMillisUnsafe() < reset.expires &&
    areEqual(Buffer.from(hashOfCode(code)), Buffer.from(reset.code))

  const proof: Proof<{ readonly password: Redacted.Redacted }> = {
    prove: Effect.fnUntraced(function* ({ user }, { password }) {
      const known = Option.getOrUndefined(yield* accounts.find(user))
      const isRight = yield* fits(known, password)
      if (known === undefined || !isRight) return Option.none()
      const { account } = known
      const stillHolds = Effect.flatMap(accounts.get(account.id), (found) => {
        const now = Option.getOrUndefined(found)
        // Nothing is hashed twice unless something changed, if only how it is hashed.
        const isSame = now?.password === known.password && now?.reset?.code === known.reset?.code
        return isSame ? Effect.succeed(true) : fits(now, password)
      })
      return Option.some({ account, enrolled: undefined, stillHolds })
    })
  }

  return { ...proof, fits }
})
