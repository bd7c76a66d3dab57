/**
 * One way to prove that an account is one's own. Each is a file of its own that gives a `Proof`; `Login` knows which is for
 * which credentials, and what comes before and behind.
 */
import type { Effect, Option, Redacted } from "effect"
import type { UserName } from "../../common/name/UserName.ts"
import type { DeviceId, DeviceName } from "../../common/wire/AccountRequest.ts"
import type { StorageUnavailable } from "../history/History.ts"
import type { Account } from "./Account.ts"
import type { PasswordsBusy } from "./Passwords.ts"

/** Who says so, and what is known beside what is said. */
export interface Claim {
  readonly user: UserName
  /** What its device is to be called, if it says so. */
  readonly device: DeviceName | undefined
  /** What a key was to sign, on this connection and once. */
  readonly challenge: string | undefined
}

/** A device, and the token with which it comes back. */
export interface Enrolled {
  readonly device: DeviceId
  readonly token: Redacted.Redacted
}

export interface Proven {
  readonly account: Account
  /**
   * Whether it proves it still: asked behind a new device is stored. What ends all devices knew nothing of that one, if it
   * came between.
   */
  readonly stillHolds: Effect.Effect<boolean, StorageUnavailable | PasswordsBusy>
  /** The device that it was on, if the proof is a device's own. */
  readonly enrolled: Enrolled | undefined
}

export interface Proof<Credentials> {
  /** Nothing if it proves nothing. Takes as long for a name that nobody has, as far as somebody could learn from it. */
  readonly prove: (
    claim: Claim,
    credentials: Credentials
  ) => Effect.Effect<Option.Option<Proven>, StorageUnavailable | PasswordsBusy>
}
