/**
 * Logging in: whether credentials are right, and what a right one gives.
 *
 * In come a claim and credentials, out comes the account, or the refusal as it is said. A password is not even looked at on a
 * connection that others could read, and who has guessed too often waits. Failures are counted when they are begun, so that
 * twenty at once are no twenty guesses. Whether the name may be claimed by one more connection is not decided here; a device
 * is made when that has been.
 */
import { Cause, Clock, Context, Effect, Layer, Option, Result } from "effect"
import { maxDevices } from "../../common/wire/AccountMessage.ts"
import type { DeviceName } from "../../common/wire/AccountRequest.ts"
import type { Credentials } from "../../common/wire/Credentials.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import { ServerConfig } from "../config/ServerConfig.ts"
import { StorageUnavailable } from "../history/History.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { Origin } from "../session/Origin.ts"
import type { Account } from "./Account.ts"
import { Accounts } from "./Accounts.ts"
import { Attempts } from "./Attempts.ts"
import * as KeyProof from "./KeyProof.ts"
import * as PasswordProof from "./PasswordProof.ts"
import type { PasswordsBusy } from "./Passwords.ts"
import type { Claim, Enrolled, Proven } from "./Proof.ts"
import { hashOf, Secrets } from "./Secrets.ts"
import * as TokenProof from "./TokenProof.ts"

/** A claim, and where it comes from. */
export interface Stranger extends Claim {
  readonly peer: Origin
}

/** What is said of a device without a name. */
const unnamed: DeviceName = "unnamed"

/** Too many passwords are being looked at: in so many milliseconds there will be room. */
const busyMillis = 1000

export class Login extends Context.Service<
  Login,
  {
    /** Whether it is who it claims to be. */
    readonly prove: (
      stranger: Stranger,
      credentials: Exclude<Credentials, { readonly _tag: "Key" }>
    ) => Effect.Effect<Result.Result<Proven, Rejection>>
    /** Whether this is the account's password, as somebody says who is logged in already. Counted in the same way. */
    readonly confirm: (
      account: Pick<Account, "id" | "user">,
      peer: Origin,
      password: (Credentials & { readonly _tag: "Password" })["password"]
    ) => Effect.Effect<Result.Result<void, Rejection>>
    /** A new device of an account, for who was proven by anything but a device's own token, and is so still. */
    readonly enrol: (proven: Proven, name: DeviceName | undefined) => Effect.Effect<Result.Result<Enrolled, Rejection>>
    /** Why an account is not let in any more that was a moment ago. */
    readonly whyNot: (account: AccountId) => Effect.Effect<Rejection>
    /** Why a password is not heard here, if it is not. */
    readonly plaintext: (peer: Origin, action: string) => Rejection | undefined
    /** What a key is to sign. */
    readonly challenge: Effect.Effect<string>
  }
>()("parley/server/accounts/Login") {
  static readonly layer = Layer.effect(
    Login,
    Effect.gen(function* () {
      const { allowPlaintextPasswords } = yield* ServerConfig
      const accounts = yield* Accounts
      const attempts = yield* Attempts
      const clock = yield* Clock.Clock
      const key = yield* KeyProof.make
      const password = yield* PasswordProof.make
      const token = yield* TokenProof.make
      const secrets = yield* Secrets

      const plaintext = (peer: Origin, action: string): Rejection | undefined =>
        peer.isPrivate || allowPlaintextPasswords ? undefined : { _tag: "NotAllowed", action }

      /** Runs it unless too much was tried; what it says is wrong is counted. */
      const counted = Effect.fnUntraced(function* <A>(
        user: Stranger["user"],
        peer: Origin,
        tryIt: Effect.Effect<Option.Option<A>, Problem>
      ) {
        const attempt = yield* attempts.begin(user, peer.address)
        if (attempt._tag === "TooManyAttempts") return Result.fail<Rejection>(attempt)
        // Who leaves before the answer has cost a hash all the same.
        const found = yield* tryIt.pipe(
          Effect.onError((cause) => (Cause.hasInterrupts(cause) ? Effect.void : attempt.takeBack))
        )
        if (Option.isNone(found)) return Result.fail<Rejection>({ _tag: "InvalidCredentials" })
        yield* attempt.takeBack
        return Result.succeed(found.value)
      })

      const refusalOf = ({ reason, state }: Account): Rejection | undefined => {
        if (state === "Active") return undefined
        return state === "Deleted"
          ? { _tag: "InvalidCredentials" }
          : { _tag: "Banned", ...(reason !== undefined && { reason }) }
      }

      const whyNot = (account: AccountId) =>
        Effect.map(
          accounts.get(account),
          (found): Rejection =>
            Option.match(found, { onNone: () => undefined, onSome: (known) => refusalOf(known.account) }) ?? {
              _tag: "InvalidCredentials"
            }
        )

      const tryOut = (stranger: Stranger, credentials: Exclude<Credentials, { readonly _tag: "Key" }>) => {
        switch (credentials._tag) {
          case "Password":
            return counted(stranger.user, stranger.peer, password.prove(stranger, credentials))
          case "KeyProof":
            return counted(stranger.user, stranger.peer, key.prove(stranger, credentials))
          case "Token":
            return Effect.map(
              token.prove(stranger, credentials),
              Result.fromOption<Rejection>(() => ({ _tag: "InvalidCredentials" }))
            )
        }
      }

      return Login.of({
        prove: (stranger, credentials) =>
          Effect.suspend(() => {
            const unheard = credentials._tag === "Password" ? plaintext(stranger.peer, "Handshake") : undefined
            if (unheard !== undefined) return Effect.succeed(Result.fail(unheard))
            return tryOut(stranger, credentials).pipe(
              Effect.map(
                Result.flatMap((proven) => {
                  const refusal = refusalOf(proven.account)
                  return refusal === undefined ? Result.succeed(proven) : Result.fail(refusal)
                })
              ),
              refusing
            )
          }),
        confirm: ({ id, user }, peer, typed) =>
          counted(
            user,
            peer,
            Effect.gen(function* () {
              const known = Option.getOrUndefined(yield* accounts.get(id))
              return (yield* password.fits(known, typed)) ? Option.some(undefined) : Option.none()
            })
          ).pipe(refusing),
        enrol: ({ account: { id }, stillHolds }, name) =>
          Effect.gen(function* () {
            const made = yield* secrets.token
            const added = yield* accounts.addDevice(
              id,
              { name: name ?? unnamed, token: hashOf(made) },
              clock.currentTimeMillisUnsafe()
            )
            if (Result.isFailure(added)) {
              return Result.fail(
                added.failure === "TooManyDevices"
                  ? { _tag: "TooManyDevices" as const, limit: maxDevices }
                  : yield* whyNot(id)
              )
            }
            const device = added.success
            if (yield* stillHolds) return Result.succeed({ device, token: made })
            yield* accounts.removeDevice(id, device)
            return Result.fail(yield* whyNot(id))
          }).pipe(refusing),
        whyNot: (account) => Effect.orElseSucceed(whyNot(account), (): Rejection => ({ _tag: "StorageUnavailable" })),
        plaintext,
        challenge: secrets.nonce
      })
    })
  )
}

type Problem = StorageUnavailable | PasswordsBusy

/** What cannot be done just now is refused as such. */
export const refusing = <A, R>(
  effect: Effect.Effect<Result.Result<A, Rejection>, Problem, R>
): Effect.Effect<Result.Result<A, Rejection>, never, R> =>
  Effect.catch(effect, ({ _tag }) =>
    Effect.succeed(
      Result.fail<Rejection>(
        _tag === "PasswordsBusy" ? { _tag: "TooManyAttempts", retryAfter: busyMillis } : { _tag: "StorageUnavailable" }
      )
    )
  )
