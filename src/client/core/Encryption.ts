/**
 * What a person may do about encryption, and what they are told of it; of keys and devices, as people speak of them. What carries it
 * out is in `sealed/`.
 */
import { Effect, Schema } from "effect"
import type { Device } from "../../common/log/Sealing.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import type { RequestError } from "./ClientError.ts"
import type { Whereabouts } from "./Heard.ts"

/** It was not done; `message` says why, and what to type. */
export class NotDone extends Schema.TaggedError<NotDone>()("NotDone", { message: Schema.String }) {}

type Doing<A = void> = Effect.Effect<A, NotDone | RequestError>

/** `waiting`: to be let in by a member. `outOfStep`: its keys cannot be followed. `away`: nothing of it comes at the moment. */
export type EncryptionState = "away" | "waiting" | "in" | "outOfStep"

interface SafetyNumber {
  /** 60 of them, in groups of five. */
  readonly digits: string
  /** Whether they were compared, and are still the same. */
  readonly isVerified: boolean
  /** All devices of the other are new, and nobody has said that they are theirs. */
  readonly isHeld: boolean
}

export interface Encryption {
  /**
   * Where what one says to somebody goes: to their encrypted conversation, which is made if both have devices; or else in the open.
   * Never in the open to whom an encrypted conversation was known.
   */
  readonly placeFor: (user: UserName) => Doing<Whereabouts>
  /** Where it has gone to so far; nothing is made. */
  readonly placeKnown: (user: UserName) => Effect.Effect<Whereabouts>
  /** To be shown: what people say then is about this one. Undefined of an account that has no devices. */
  readonly safetyNumber: (user: UserName) => Doing<SafetyNumber | undefined>
  /** The numbers that were shown are the same; refused if there is another one by now. */
  readonly verified: (user: UserName) => Doing
  /** The new devices of somebody that people were told of, or shown the number of, are theirs; refused if others have come since. */
  readonly trust: (user: UserName) => Doing
  /** Fresh keys, to which everybody is let in again. */
  readonly rekey: (room: RoomName) => Doing
  /** Whether this device takes part; fails with what to do if it does not. */
  readonly ready: Doing
  /** Signs another device of this account in: the code to type there. */
  readonly signIn: (device: Device) => Doing<string>
  readonly signOut: (device: Device) => Doing
  /** Makes this device one of the account's, by the code that another one shows. */
  readonly link: (code: string) => Doing
  /** Begins a new list of devices, which others have to trust first. */
  readonly beginAnew: Doing
  /** Seals what only this device is to read again, and opens it; undefined where there are no keys, or it is not of these. */
  readonly sealText: (text: string) => Effect.Effect<string | undefined>
  readonly openText: (sealed: string) => Effect.Effect<string | undefined>
  /** Whether what was said under this key is kept here, sealed, and goes out as soon as the server takes it, also after a restart. */
  readonly isKept: (key: MessageKey) => Effect.Effect<boolean>
  /** Removes keys and what was read from this machine: the account is gone. */
  readonly forget: Effect.Effect<void>
}

const none = Effect.fail(
  new NotDone({ message: "This program keeps no keys: encrypted conversations are not for it." })
)

/** Of a client without keys: everything is said in the open, or not at all. */
export const noKeys: Encryption = {
  placeFor: (user) => Effect.succeed({ with: user }),
  placeKnown: (user) => Effect.succeed({ with: user }),
  safetyNumber: () => none,
  verified: () => none,
  trust: () => none,
  rekey: () => none,
  ready: none,
  signIn: () => none,
  signOut: () => none,
  link: () => none,
  beginAnew: none,
  sealText: () => Effect.undefined,
  openText: () => Effect.undefined,
  isKept: () => Effect.succeed(false),
  forget: Effect.void
}
