/** An account, its devices, keys and invites, as data: what `Accounts` keeps. */
import { Schema } from "effect"
import { Timestamp } from "../../common/log/Cursor.ts"
import { UserName } from "../../common/name/UserName.ts"
import { DeviceId, DeviceName, Fingerprint } from "../../common/wire/AccountRequest.ts"
import { Partner } from "../history/Partner.ts"
import { AccountId } from "../session/AccountId.ts"

/** A deleted account keeps its name until an admin frees it. */
export const AccountState = Schema.Literals(["Active", "Disabled", "Deleted"])
export type AccountState = typeof AccountState.Type

export const Account = Schema.Struct({
  id: AccountId,
  user: UserName,
  since: Timestamp,
  lastSeen: Timestamp,
  isAdmin: Schema.Boolean,
  state: AccountState,
  /** Why it is disabled, for whom it belongs to. */
  reason: Schema.UndefinedOr(Schema.String)
})
export type Account = typeof Account.Type

/** What is stored in place of a secret of 80 random bits or more: its SHA-256 (FIPS 180-4), in lower-case hex. */
export const SecretHash = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/)).pipe(Schema.brand("SecretHash"))
export type SecretHash = typeof SecretHash.Type

/** What is stored in place of a password (see `PhcString`). */
export const PasswordHash = Schema.String.check(Schema.isMaxLength(512)).pipe(Schema.brand("PasswordHash"))
export type PasswordHash = typeof PasswordHash.Type

export const Device = Schema.Struct({ id: DeviceId, name: DeviceName, since: Timestamp, lastSeen: Timestamp })
export type Device = typeof Device.Type

/** Somebody an account has blocked: an account for good, or else whoever is a guest of this name. */
export interface Blockable {
  readonly user: UserName
  readonly account?: AccountId | undefined
}

/** The same, as it is kept. `user`: as it was written then. */
export const Blocked = Schema.Struct({ partner: Partner, user: UserName })
export type Blocked = typeof Blocked.Type

export interface NewDevice {
  readonly name: DeviceName
  /** Of its first token. */
  readonly token: SecretHash
}

/** `publicKey`: type and base64 as in an authorized_keys file, without a comment. */
export const Key = Schema.Struct({
  fingerprint: Fingerprint,
  publicKey: Schema.String,
  name: Schema.UndefinedOr(DeviceName),
  since: Timestamp
})
export type Key = typeof Key.Type

/** Lets `uses` people make an account, until it runs out. */
export interface NewInvite {
  readonly code: SecretHash
  readonly uses: number
  readonly expires: Timestamp | undefined
}

/** A code that stands in for a password until one is set, or until it runs out. */
export interface ResetCode {
  readonly code: SecretHash
  readonly expires: Timestamp
}
