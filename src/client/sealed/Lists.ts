/**
 * The lists of devices of all accounts that this device has met: what is pinned of them, and how that is brought up to date.
 *
 * Owns the pins in memory; each is in the store before anybody acts on it. A list is asked for where it is new, and again after the
 * server said that it changed or a connection was lost meanwhile. Two never ask for the same at once, and what people say of a list
 * while it is asked for is not lost by the answer.
 */
import { Effect, Semaphore } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { type DeviceEntry, maxDeviceEntries } from "../../common/wire/SealingRequest.ts"
import type { RequestError } from "../core/ClientError.ts"
import type { Identity } from "../crypto/Identity.ts"
import type { IsTrusted } from "../crypto/Trust.ts"
import type { Ask } from "./Ask.ts"
import * as DeviceChain from "./DeviceChain.ts"
import type { Tell } from "./News.ts"
import * as Pin from "./Pin.ts"
import { isPassing } from "./Refusal.ts"
import type { SealedStore, StoreError } from "./SealedStore.ts"

export interface Lists {
  readonly pins: ReadonlyMap<string, Pin.Pin>
  readonly pinOf: (user: UserName) => Pin.Pin | undefined
  /** Up to date, as far as the server gives it; asks only where something may have changed. */
  readonly look: (user: UserName) => Effect.Effect<Pin.Pin | undefined, RequestError | StoreError>
  readonly changed: (user: UserName) => void
  /** Nothing is looked at while this goes on: the server tells of what is published before it answers. Nothing is to be looked at in it. */
  readonly alone: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
  readonly allMayHaveChanged: () => void
  readonly isTrusted: IsTrusted
  /** Changes what is known of somebody; of whom nothing is known, nothing. What fails changes nothing. */
  readonly change: <E = never>(
    user: UserName,
    to: (pin: Pin.Pin) => Effect.Effect<Pin.Pin, E>
  ) => Effect.Effect<void, E | StoreError>
  /** Whether the server gives less of a list than its owner says it has; once for each length that it gives. */
  readonly fallsShort: (by: Identity, n: number) => Effect.Effect<boolean, RequestError | StoreError>
  /** All entries of a list behind a place. */
  readonly entries: (user: UserName, after?: number) => Effect.Effect<ReadonlyArray<DeviceEntry>, RequestError>
}

/** A server can put one list in the place of another for ever, as long as nobody trusts any: so much is told of that. */
const mostWhileHeld = 4

export const make = Effect.fnUntraced(function* (
  store: SealedStore,
  ask: Ask,
  tell: Tell,
  own: () => Identity | undefined
) {
  const pins = new Map((yield* store.pins).map((pin) => [nameKey(pin.user), pin]))
  const fresh = new Set<string>()
  const turn = yield* Semaphore.make(1)
  const writing = yield* Semaphore.make(1)

  const keep = (pin: Pin.Pin) =>
    Effect.tap(store.keepPin(pin), () => Effect.sync(() => pins.set(nameKey(pin.user), pin)))

  const change: Lists["change"] = (user, to) =>
    Effect.suspend(() => {
      const pin = pins.get(nameKey(user))
      return pin === undefined ? Effect.void : Effect.flatMap(to(pin), keep)
    }).pipe(writing.withPermit)

  const entries: Lists["entries"] = Effect.fnUntraced(function* (user, after = 0) {
    const found: Array<DeviceEntry> = []
    // An endless list is a server's lie, and is refused for what is missing in it.
    for (let isMore = true; isMore && found.length < maxDeviceEntries;) {
      const last = found.at(-1)?.n ?? after
      const page = yield* ask({ _tag: "GetDevices", user, ...(last > 0 && { after: last }) })
      found.push(...page.entries)
      isMore = page.more && page.entries.length > 0
    }
    return found
  })

  const lengthOf = (user: UserName): number => {
    const pin = pins.get(nameKey(user))
    return (pin?.held ?? pin?.chain)?.n ?? 0
  }
  /** How long the list was that was known when people were told what is wrong with it. */
  const refusedAt = new Map<string, number>()
  const shortAt = new Map<string, number>()
  const isNewTo = (told: Map<string, number>, user: UserName): boolean => {
    const [key, n] = [nameKey(user), lengthOf(user)]
    const isNew = told.get(key) !== n
    told.set(key, n)
    return isNew
  }

  /** How much was told of lists that nobody has trusted yet. */
  const toldWhileHeld = new Map<string, number>()
  const tellOf = (news: Pin.PinNews, wasHeld: boolean) => {
    const key = nameKey(news.user)
    const before = wasHeld ? (toldWhileHeld.get(key) ?? 0) : 0
    if (before > mostWhileHeld) return
    toldWhileHeld.set(key, before + 1)
    tell(news)
  }
  const isOwn = (pin: Pin.Pin): boolean => {
    const self = own()
    return self !== undefined && nameKey(self.user) === nameKey(pin.user) && Pin.chainOf(pin).ever.has(self.device)
  }
  const isHeld = (user: UserName): boolean => pins.get(nameKey(user))?.held !== undefined

  /** Told once, and again only when the list has gone on in between, however often it is given so. */
  const refused = (user: UserName, issue: string) => {
    if (isNewTo(refusedAt, user)) tellOf({ _tag: "ChainRefused", user, issue }, isHeld(user))
    return undefined
  }

  /**
   * A list that does not go on from the one that is known: a new one, if it has a root of its own, however long it is, for a name can be
   * somebody else's by now. One that was met before is to have what it had.
   */
  const begunAnew = Effect.fnUntraced(function* (user: UserName, pin: Pin.Pin, found: ReadonlyArray<DeviceEntry>) {
    const { n, root } = Pin.chainOf(pin)
    const whole = found[0]?.prev === "" ? found : yield* entries(user)
    const chain = yield* DeviceChain.follow(user, undefined, whole)
    if (chain === undefined) return refused(user, `entry ${n} of the list is gone`)
    if (!DeviceChain.isChain(chain)) return refused(user, chain.issue)
    const met = Pin.metAt(pin, chain.root)
    if (met !== undefined) {
      const there = whole.find((entry) => entry.n === met.n)
      if (there === undefined) return refused(user, `entry ${met.n} of the list is gone`)
      const isThere = (yield* DeviceChain.hashOf(user, there)) === met.hash
      if (!isThere) return refused(user, `entry ${met.n} of the list is not what it was`)
    }
    // One's own account is nobody else's as long as this device is one of it.
    if (isOwn(pin) && (whole[0]?.n ?? 0) <= n) return refused(user, `entry ${n} of the list is not what it was`)
    // Two replies, the second of which has what was missing in the first: it is asked again with the next change.
    return chain.root === root ? undefined : (now = pin) => Pin.replaced(now, chain)
  })

  /** What the server gives now, if it follows from what is known, as a change of that; undefined if nothing is to be changed. */
  const next = Effect.fnUntraced(function* (user: UserName, pin: Pin.Pin | undefined) {
    const before = pin && Pin.chainOf(pin)
    const found = yield* entries(user, before === undefined ? 0 : before.n - 1)
    const [head, ...rest] = found
    if (before === undefined || pin === undefined) {
      const chain = yield* DeviceChain.follow(user, undefined, found)
      if (chain === undefined) return undefined
      return DeviceChain.isChain(chain) ? () => Pin.first(chain) : refused(user, chain.issue)
    }
    if (head === undefined || (yield* DeviceChain.hashOf(user, head)) !== before.hash) {
      return yield* begunAnew(user, pin, found)
    }
    const chain = yield* DeviceChain.follow(user, before, rest)
    if (chain === undefined) return undefined
    if (!DeviceChain.isChain(chain)) return refused(user, chain.issue)
    return chain.n === before.n ? undefined : (now = pin) => Pin.advanced(now, chain)
  })

  const look: Lists["look"] = (user) =>
    turn.withPermit(
      Effect.gen(function* () {
        const key = nameKey(user)
        if (fresh.has(key)) return pins.get(key)
        // Before it is asked: what is said to change meanwhile is asked for again.
        fresh.add(key)
        const change = yield* Effect.onError(
          Effect.catchTag(next(user, pins.get(key)), "RequestRejected", (refusal) =>
            isPassing(refusal) ? Effect.fail(refusal) : Effect.undefined
          ),
          () => Effect.sync(() => fresh.delete(key))
        )
        if (change === undefined) return pins.get(key)
        const wasHeld = isHeld(user)
        const { news, pin } = yield* writing.withPermit(
          Effect.suspend(() => {
            const changed = change(pins.get(key))
            return Effect.as(keep(changed.pin), changed)
          })
        )
        for (const one of news) tellOf(one, wasHeld)
        return pin
      })
    )

  const fallsShort: Lists["fallsShort"] = Effect.fnUntraced(function* ({ device, user }, n) {
    const key = nameKey(user)
    // Whoever had the name before counted another list.
    const isIt = () => n > (Pin.lengthFor(pins.get(key), device) ?? n)
    if (!isIt() || shortAt.get(key) === lengthOf(user)) return false
    fresh.delete(key)
    yield* look(user)
    return isIt() && isNewTo(shortAt, user)
  })

  return {
    pins,
    fallsShort,
    pinOf: (user) => pins.get(nameKey(user)),
    look,
    entries,
    change,
    changed: (user) => fresh.delete(nameKey(user)),
    alone: turn.withPermit,
    allMayHaveChanged: () => fresh.clear(),
    isTrusted: ({ device, user }, publicKey) => {
      const pin = pins.get(nameKey(user))
      return pin !== undefined && Pin.isKnown(pin, device, Buffer.from(publicKey).toString("base64"))
    }
  } satisfies Lists
})
