/**
 * The accounts there are: the one contract between those who log people in and whatever keeps accounts.
 *
 * Everything that changes something answers only once it would survive a crash, as far as the layer can survive one. What
 * belongs together is one commit: a password and the devices that end with it, an account and the invite that it uses. Only
 * hashes of secrets come here. A deleted account is changed
 * by `free` alone. Names are compared by their keys (see `Name`); whether one looks like another is said before.
 */
import { Context, type Effect, type Option, type Result } from "effect"
import type { Timestamp } from "../../common/log/Cursor.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { DeviceId, DeviceName, Fingerprint } from "../../common/wire/AccountRequest.ts"
import type { StorageUnavailable } from "../history/History.ts"
import type { Partner } from "../history/Partner.ts"
import type { AccountId } from "../session/AccountId.ts"
import type {
  Account,
  AccountState,
  Blocked,
  Device,
  Key,
  NewDevice,
  NewInvite,
  PasswordHash,
  ResetCode,
  SecretHash
} from "./Account.ts"

/** An account, and what a password is compared with. */
export interface WithPassword {
  readonly account: Account
  /** Nothing until one is set. */
  readonly password: PasswordHash | undefined
  /** It may have run out. */
  readonly reset: ResetCode | undefined
}

export interface NewAccount {
  readonly user: UserName
  readonly password: PasswordHash | undefined
  readonly reset: ResetCode | undefined
  readonly isAdmin: boolean
  readonly at: Timestamp
  /** Uses it up by one; the account is not made if it is not there, is used up or has run out. */
  readonly invite: SecretHash | undefined
  readonly device: NewDevice | undefined
}

/** `device`: there if one was to be made. */
export interface Created {
  readonly account: Account
  readonly device: DeviceId | undefined
}

/** Somebody came back with a token. */
export interface Recognised {
  readonly account: Account
  readonly device: Device
}

/** A change, or nothing: whoever knew the account is told by its result. */
type Change<A> = Effect.Effect<A, StorageUnavailable>

export class Accounts extends Context.Service<
  Accounts,
  {
    /** Those with names behind `after`, in the order of their keys, deleted ones included; at most `limit`. */
    list(after: UserName | undefined, limit: number): Change<ReadonlyArray<Account>>
    find(user: UserName): Change<Option.Option<WithPassword>>
    get(account: AccountId): Change<Option.Option<WithPassword>>
    create(account: NewAccount): Change<Result.Result<Created, "AccountExists" | "InvalidInvite">>
    /**
     * Sets it, ends a reset code, and removes all devices but `except`; answers which. Nothing, if the account or its device
     * `except` is no more: who was logged out meanwhile changes no password.
     */
    setPassword(
      account: AccountId,
      password: PasswordHash,
      except: DeviceId | undefined
    ): Change<Option.Option<ReadonlyArray<DeviceId>>>
    /** The same password, hashed in another way; nothing if it is not `before` any more. */
    rehash(account: AccountId, before: PasswordHash, after: PasswordHash): Change<void>
    /** Ends the password, and removes all devices and keys; answers which devices. */
    reset(account: AccountId, code: ResetCode): Change<ReadonlyArray<DeviceId>>
    /** At most `maxDevices` of an active account; none of one that is not active or there any more. */
    addDevice(
      account: AccountId,
      device: NewDevice,
      at: Timestamp
    ): Change<Result.Result<DeviceId, "TooManyDevices" | "NotActive">>
    /**
     * The device of this account whose newest token, or the one before, is `token`. From then on `next` is its newest and
     * `token` the one before; no other is good. It takes the name `name`, if there is one. Answers who it is whatever the
     * account's state, but changes nothing unless it is active.
     */
    useToken(
      user: UserName,
      token: SecretHash,
      next: SecretHash,
      at: Timestamp,
      name: DeviceName | undefined
    ): Change<Option.Option<Recognised>>
    /** Oldest first. */
    devices(account: AccountId): Change<ReadonlyArray<Device>>
    /** Whether there was one. */
    removeDevice(account: AccountId, device: DeviceId): Change<boolean>
    /** The account and its device were here at that time. Need not survive a crash. */
    seen(account: AccountId, device: DeviceId | undefined, at: Timestamp): Change<void>
    /** Adding one that is there gives it the name, if there is one. At most `maxKeys`. */
    addKey(account: AccountId, key: Key): Change<Result.Result<void, "TooManyKeys">>
    /** Oldest first. */
    keys(account: AccountId): Change<ReadonlyArray<Key>>
    removeKey(account: AccountId, fingerprint: Fingerprint): Change<boolean>
    /**
     * Disabling keeps devices and keys; deleting is for good, and removes both, the password, whom it blocked, and the account's
     * memberships and read marks (see Memberships), all in one commit: whoever deletes an account has nothing else to remove. Answers which
     * devices there were.
     */
    setState(account: AccountId, state: AccountState, reason: string | undefined): Change<ReadonlyArray<DeviceId>>
    /** Adding one that is there changes nothing; nothing is added to an account that is no more. At most `maxBlocked`. */
    block(account: AccountId, blocked: Blocked): Change<Result.Result<void, "TooManyBlocked">>
    unblock(account: AccountId, partners: ReadonlyArray<Partner>): Change<void>
    /** Whom an account has blocked, in whatever order. */
    blocked(account: AccountId): Change<ReadonlyArray<Blocked>>
    /** The accounts behind `after` that have blocked anybody, by their numbers, each with all of them; at most `limit`. */
    blockers(
      after: AccountId | undefined,
      limit: number
    ): Change<ReadonlyArray<{ readonly account: AccountId; readonly blocked: ReadonlyArray<Blocked> }>>
    setAdmin(account: AccountId, isAdmin: boolean): Change<void>
    /** Makes the name of a deleted account anybody's. False if it is not deleted. What it wrote stays nobody's. */
    free(account: AccountId): Change<boolean>
    /** Those that have run out or are used up are removed. At most `maxInvites` at once. */
    addInvite(invite: NewInvite, now: Timestamp): Change<Result.Result<void, "TooManyInvites">>
    /** Whether nobody is let in but accounts that are there (see Lockdown). */
    readonly isLockedDown: Change<boolean>
    lockDown(isOn: boolean): Change<void>
  }
>()("parley/server/accounts/Accounts") {}

/** So many invites may be waiting to be used. */
export const maxInvites = 10_000
