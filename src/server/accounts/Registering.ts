/**
 * Making accounts: whether somebody may have one under a name, and the account itself with its first device.
 *
 * In which order: whether this server makes accounts at all, whether the password may be heard here and is good enough, whether
 * the name is free and looks like nobody else's; then the password is hashed, and last, one after the other, so that two who
 * look alike cannot both be the first, the name is looked at again and the account is stored.
 */
import { Clock, Context, Effect, Exit, Layer, Option, type Redacted, Result, Semaphore } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { DeviceName } from "../../common/wire/AccountRequest.ts"
import type { Password } from "../../common/wire/Credentials.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import { ServerConfig } from "../config/ServerConfig.ts"
import { HourlyLimits } from "../limits/HourlyLimits.ts"
import type { Origin } from "../session/Origin.ts"
import { type Account, PasswordHash } from "./Account.ts"
import { noteAccount, warnOfLockdown } from "./AccountLog.ts"
import { AccountNames } from "./AccountNames.ts"
import { Accounts } from "./Accounts.ts"
import { Attempts } from "./Attempts.ts"
import { CommonPasswords } from "./CommonPasswords.ts"
import { Lockdown } from "./Lockdown.ts"
import { Login, refusing } from "./Login.ts"
import { Passwords } from "./Passwords.ts"
import { formatPhcString } from "./PhcString.ts"
import type { Enrolled } from "./Proof.ts"
import { hashOf, hashOfCode, Secrets } from "./Secrets.ts"

/** Who registers when so many wait is asked to try again in so many milliseconds. */
const maxWaiting = 8
const busyMillis = 1000

export interface Applicant {
  readonly user: UserName
  readonly password: Password
  readonly invite: Redacted.Redacted | undefined
  readonly device: DeviceName | undefined
  readonly peer: Origin
  /** By which request. */
  readonly action: "Handshake" | "Register"
}

export interface Registered {
  readonly account: Account
  readonly enrolled: Enrolled
}

export class Registering extends Context.Service<
  Registering,
  {
    /** Why nothing need be hashed, if it need not. */
    readonly refusalOf: (applicant: Applicant) => Rejection | undefined
    readonly register: (applicant: Applicant) => Effect.Effect<Result.Result<Registered, Rejection>>
    /** A password to be stored, or what is wrong with it. `field` is where it was said. */
    readonly newPassword: (password: Password, field: string) => Effect.Effect<Result.Result<PasswordHash, Rejection>>
    /** Why this name is not for somebody without an account, if it is not. */
    readonly refusalOfGuest: (user: UserName) => Rejection | undefined
  }
>()("parley/server/accounts/Registering") {
  static readonly layer = Layer.effect(
    Registering,
    Effect.gen(function* () {
      const { guests, registration } = yield* ServerConfig
      const accounts = yield* Accounts
      const clock = yield* Clock.Clock
      const common = yield* CommonPasswords
      const login = yield* Login
      const secrets = yield* Secrets
      const names = yield* AccountNames
      const passwords = yield* Passwords
      const attempts = yield* Attempts
      const oneAtATime = yield* Semaphore.make(1)
      const places = yield* Semaphore.make(maxWaiting)
      const hashing = yield* Semaphore.make(1)
      const limits = yield* HourlyLimits
      const lockdown = yield* Lockdown
      if (lockdown.isOn()) yield* warnOfLockdown

      const refusalOfName = (user: UserName): Rejection | undefined => {
        const like = names.similar(user)
        if (like === undefined) return undefined
        return nameKey(like.user) === nameKey(user)
          ? { _tag: "AccountExists", user: like.user }
          : { _tag: "NameTooSimilar", user, to: like.user }
      }

      const refusalOf = ({ action, invite, peer, user }: Applicant): Rejection | undefined => {
        if (registration === "off" || lockdown.isOn()) return { _tag: "RegistrationClosed" }
        if (registration === "invite" && invite === undefined) return { _tag: "InvalidInvite" }
        return login.plaintext(peer, action) ?? refusalOfName(user)
      }

      const newPassword = (password: Password, field: string) =>
        Effect.gen(function* () {
          const issue = yield* common.issueOf(password)
          if (issue !== undefined) {
            return Result.fail<Rejection>({ _tag: "InvalidMessage", issue: `${field}: ${issue}` })
          }
          return Result.succeed(PasswordHash.make(formatPhcString(yield* passwords.hash(password))))
        }).pipe(refusing)

      /** One at a time, and so many wait: whoever registers in floods holds up others who register, and nobody who logs in. */
      const hashInTurn = (password: Password, field: string) =>
        Effect.map(
          places.withPermitsIfAvailable(1)(hashing.withPermits(1)(newPassword(password, field))),
          Option.getOrElse(() => Result.fail<Rejection>({ _tag: "TooManyAttempts", retryAfter: busyMillis }))
        )

      const create = Effect.fnUntraced(function* ({ device, invite, user }: Applicant, password: PasswordHash) {
        const refusal = refusalOfName(user)
        if (refusal !== undefined) return Result.fail(refusal)
        const token = yield* secrets.token
        const created = yield* accounts.create({
          user,
          password,
          reset: undefined,
          isAdmin: false,
          at: clock.currentTimeMillisUnsafe(),
          invite: registration === "invite" && invite !== undefined ? hashOfCode(invite) : undefined,
          device: { name: device ?? "unnamed", token: hashOf(token) }
        })
        if (Result.isFailure(created)) {
          return Result.fail<Rejection>(
            created.failure === "AccountExists" ? { _tag: "AccountExists", user } : { _tag: "InvalidInvite" }
          )
        }
        const { account, device: made } = created.success
        // Whoever has changed it since has said so already.
        if (names.find(user)?.id !== account.id) {
          names.set({ id: account.id, user: account.user, state: account.state, isAdmin: account.isAdmin })
        }
        yield* noteAccount("made", account.user, "owner")
        return made === undefined
          ? Result.fail<Rejection>({ _tag: "StorageUnavailable" })
          : Result.succeed<Registered>({ account, enrolled: { device: made, token } })
      })

      const makeAccount = Effect.fnUntraced(function* (
        applicant: Applicant
      ): Effect.fn.Return<Result.Result<Registered, Rejection>> {
        const { action, password, peer, user } = applicant
        // Invites are not guessed either, nor are hashes had for wrong ones.
        const attempt = registration === "invite" ? yield* attempts.begin(user, peer.address) : undefined
        if (attempt?._tag === "TooManyAttempts") return Result.fail<Rejection>(attempt)
        const hash = yield* hashInTurn(password, action === "Register" ? "password" : "register.password")
        if (Result.isFailure(hash)) return Result.fail(hash.failure)
        // Once begun it is stored, whoever waits for it: then its name is known, too.
        const registered = yield* create(applicant, hash.success).pipe(
          refusing,
          Effect.uninterruptible,
          oneAtATime.withPermits(1)
        )
        if (attempt !== undefined && Result.isSuccess(registered)) yield* attempt.takeBack
        return registered
      })

      return Registering.of({
        refusalOf,
        register: Effect.fnUntraced(function* (applicant) {
          const refusal = refusalOf(applicant)
          if (refusal !== undefined) return Result.fail(refusal)
          const { address } = applicant.peer
          // Counted when it is begun, and not if nothing comes of it.
          const retryAfter = limits.take("Account", { address })
          if (retryAfter !== undefined) return Result.fail<Rejection>({ _tag: "RateLimited", retryAfter })
          return yield* Effect.onExit(makeAccount(applicant), (exit) =>
            Effect.sync(() => {
              if (Exit.isFailure(exit) || Result.isFailure(exit.value)) limits.giveBack("Account", { address })
            })
          )
        }),
        newPassword,
        refusalOfGuest: (user) => {
          if (!guests || lockdown.isOn()) return { _tag: "PasswordRequired", user }
          const like = names.similar(user)
          if (like === undefined) return undefined
          if (nameKey(like.user) !== nameKey(user)) return { _tag: "NameTooSimilar", user, to: like.user }
          return like.state === "Deleted"
            ? { _tag: "UserNameTaken", user }
            : { _tag: "PasswordRequired", user: like.user }
        }
      })
    })
  ).pipe(Layer.provide([HourlyLimits.layer, Lockdown.layer]))
}
