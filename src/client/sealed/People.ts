/** What is known of others by their lists of devices, and what people say of them. Owns nothing: see Lists.ts. */
import { Effect } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { RequestError } from "../core/ClientError.ts"
import type { Lists } from "./Lists.ts"
import * as Pin from "./Pin.ts"
import { safetyNumber } from "./SafetyNumber.ts"
import { NotCompared, OtherList } from "./SealedError.ts"
import type { StoreError } from "./SealedStore.ts"

export interface People {
  /** Whether an account has devices: as it was known, or the server says of one that was never met. */
  readonly hasDevices: (user: UserName) => Effect.Effect<boolean, RequestError | StoreError>
  /** What is known of somebody's list; undefined of an account that was never met. */
  readonly pinned: (user: UserName) => { readonly isVerified: boolean; readonly isHeld: boolean } | undefined
  /** The 60 digits to compare with somebody, which they are shown; undefined of an account without devices. */
  readonly safetyNumber: (user: UserName) => Effect.Effect<string | undefined, RequestError | StoreError>
  /** The numbers that were shown were compared: told again, and louder, when they change. */
  readonly verified: (user: UserName) => Effect.Effect<void, NotCompared | StoreError>
  /** Whether the number of this account is one that was compared. */
  readonly isVerified: (user: UserName) => boolean
  /** The new list of devices of somebody that was shown is theirs; and whoever of them took keys out of step may be let in again. */
  readonly trust: (user: UserName) => Effect.Effect<void, OtherList | StoreError>
}

interface Acquaintances {
  readonly lists: Lists
  readonly self: () => UserName | undefined
  readonly onTrusted: (user: UserName) => void
}

export const make = ({ lists, onTrusted, self }: Acquaintances): People => {
  const isSelf = (user: UserName): boolean => {
    const own = self()
    return own !== undefined && nameKey(user) === nameKey(own)
  }
  return {
    hasDevices: Effect.fnUntraced(function* (user) {
      if (isSelf(user)) return false
      if (lists.pinOf(user) !== undefined) return true
      // Asked each time: nobody tells when somebody who was never met gets a first device.
      const entries = yield* Effect.catchReason(lists.entries(user), "RequestRejected", "UserNotFound", () =>
        Effect.succeed([])
      )
      if (entries.length === 0) return false
      lists.changed(user)
      yield* lists.look(user)
      return true
    }),
    pinned: (user) => {
      const pin = lists.pinOf(user)
      return pin && { isVerified: Pin.isVerified(pin), isHeld: Pin.isHeld(pin) }
    },
    safetyNumber: Effect.fnUntraced(function* (user) {
      // The list of one's own account is believed only after this device has seen to its own place in it.
      const own = self()
      if (own === undefined || lists.pinOf(own) === undefined) return undefined
      const [mine, theirs] = [yield* lists.look(own), yield* lists.look(user)]
      if (mine === undefined || theirs === undefined) return undefined
      const account = (pin: Pin.Pin) => ({ user: pin.user, root: Pin.rootOf(pin) })
      yield* lists.change(user, (pin) => Effect.succeed(Pin.numberShown(pin, Pin.rootOf(theirs))))
      return safetyNumber(account(mine), account(theirs))
    }),
    // Whoever has compared the number of a new list has said more than that it is theirs.
    verified: (user) =>
      lists.pinOf(user) === undefined
        ? Effect.fail(new NotCompared({ user, seen: "none" }))
        : Effect.andThen(
            lists.change(user, (pin) => {
              const seen = Pin.seenOf(pin)
              const compared = Pin.trusted(Pin.verified(pin))
              return seen === "same" ? Effect.succeed(compared) : Effect.fail(new NotCompared({ user, seen }))
            }),
            Effect.sync(() => onTrusted(user))
          ),
    isVerified: (user) => Pin.isVerified(lists.pinOf(user)),
    trust: (user) =>
      Effect.andThen(
        lists.change(user, (pin) => {
          if (Pin.isShown(pin)) return Effect.succeed(Pin.trusted(pin))
          return Effect.fail(new OtherList({ user: pin.user, isOwn: isSelf(user) }))
        }),
        Effect.sync(() => onTrusted(user))
      )
  }
}
