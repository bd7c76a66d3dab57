/**
 * What accounts ask about devices, key packages and welcomes (see DeviceLists and SealedRooms). Nothing of it is looked into: lists are
 * checked by those who read them.
 *
 * Bounds: what one account may do in an hour, below. Packages are handed out to whoever asks, since who joins a room may be let in by
 * anybody there; so that nobody can take all of a device's, one account gets a few of them in an hour, and then the last resort.
 */
import { Clock, Effect, Result } from "effect"
import { maxDevices } from "../../common/wire/AccountMessage.ts"
import type { DeviceId } from "../../common/wire/AccountRequest.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import { type DeviceRequest, maxDeviceEntries, maxEntriesAtOnce } from "../../common/wire/SealingRequest.ts"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import type { StorageUnavailable } from "../history/History.ts"
import type { SealedRooms, Welcome } from "../history/SealedRooms.ts"
import { makePerHour } from "../limits/PerHour.ts"
import { monotonicMillis } from "../processor/MonotonicTime.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { Asker } from "../session/Asker.ts"
import { rejected } from "../session/Rejected.ts"
import type { AccountNames } from "./AccountNames.ts"
import { type DeviceLists, listed } from "./DeviceLists.ts"
import type { PublishedDevices } from "./PublishedDevices.ts"

/** In an hour, of one account. */
const maxPublished = 40
const maxPackageRequests = 60
/** Devices of which it claims a package; and of one device, before it gets the last resort. */
const maxClaims = 500
const maxClaimsOfOne = 10

/** As many welcomes as have so many characters are in one reply, one at least: it fits into 64 KiB. */
const maxWelcomeCharacters = 60_000
const welcomesRead = 16

interface Owner extends Asker {
  readonly account: AccountId
}

interface Services {
  readonly clock: Clock.Clock
  readonly lists: DeviceLists["Service"]
  readonly names: Pick<AccountNames["Service"], "find" | "isThere">
  readonly published: PublishedDevices["Service"]
  readonly sealedRooms: SealedRooms["Service"]
  /** The list of an account has another entry. */
  readonly onPublished: (from: Owner, n: number) => void
}

type Answering = Effect.Effect<ServerMessage, StorageUnavailable>
type RequestOf<Tag extends DeviceRequest["_tag"]> = Extract<DeviceRequest, { readonly _tag: Tag }>

export const makeDevicesAsked = ({ clock, lists, names, onPublished, published, sealedRooms }: Services) => {
  const perHour = makePerHour()
  const tooOften = (what: string, from: Owner, max: number): ServerMessage | undefined => {
    const retryAfter = perHour.take(`${what} ${from.account}`, max, monotonicMillis(clock))
    return retryAfter > 0 ? rejected({ _tag: "RateLimited", retryAfter }) : undefined
  }
  const accountOf = (user: Owner["user"]): AccountId | undefined => {
    const found = names.find(user)
    return found !== undefined && names.isThere(found.id) ? found.id : undefined
  }

  const publish = Effect.fnUntraced(function* (
    from: Owner,
    { entry }: RequestOf<"PublishDevice">
  ): Effect.fn.Return<ServerMessage, StorageUnavailable> {
    const { n } = published.of(from.account)
    // What nobody in the list has signed ends it for its owner, who can sign nothing behind it: clients refuse all that follows.
    const isByOne = from.device === entry.by && published.entryOf(from.account, entry.by) !== undefined
    if (entry.prev !== "" && !isByOne) return rejected({ _tag: "DeviceRequired" })
    if (entry.n !== n + 1) return rejected({ _tag: "StaleDeviceList", n })
    const limited = tooOften("publish", from, maxPublished)
    if (limited !== undefined) return limited
    const done = yield* lists.publish(from.account, entry)
    if (Result.isFailure(done)) {
      switch (done.failure._tag) {
        case "Stale":
          return rejected({ _tag: "StaleDeviceList", n: done.failure.n })
        case "TooManyDevices":
          return rejected({ _tag: "TooManyDevices", limit: maxDevices })
        case "TooManyEntries":
          return rejected(tooLong)
      }
    }
    published.set(from.account, listed(published.of(from.account), entry))
    onPublished(from, entry.n)
    return { _tag: "DevicePublished", n: entry.n }
  })

  const get = Effect.fnUntraced(function* ({
    after = 0,
    user
  }: RequestOf<"GetDevices">): Effect.fn.Return<ServerMessage, StorageUnavailable> {
    const account = accountOf(user)
    if (account === undefined) return rejected({ _tag: "UserNotFound", user })
    const found = yield* lists.entries(account, after, maxEntriesAtOnce + 1)
    const entries = found.slice(0, maxEntriesAtOnce)
    return {
      _tag: "DeviceList",
      user: names.find(user)?.user ?? user,
      entries,
      more: entries.length < found.length
    }
  })

  const publishPackages = Effect.fnUntraced(function* (
    from: Owner,
    device: DeviceId,
    { lastResort, packages }: RequestOf<"PublishKeyPackages">
  ): Effect.fn.Return<ServerMessage, StorageUnavailable> {
    const limited = tooOften("packages", from, maxPackageRequests)
    if (limited !== undefined) return limited
    const left = yield* lists.addPackages({ account: from.account, device }, packages, lastResort)
    return { _tag: "KeyPackagesPublished", left }
  })

  const claim = Effect.fnUntraced(function* (
    from: Owner,
    { devices }: RequestOf<"ClaimKeyPackages">
  ): Effect.fn.Return<ServerMessage, StorageUnavailable> {
    const now = monotonicMillis(clock)
    const wanted = devices.flatMap(({ device, user }) => {
      const account = accountOf(user)
      const isPublished = published.entryOf(account, device) !== undefined
      return account === undefined || !isPublished ? [] : [{ account, device, user }]
    })
    for (const _ of wanted) {
      const limited = tooOften("claim", from, maxClaims)
      if (limited !== undefined) return limited
    }
    const claims = wanted.map(({ account, device }) => {
      // One's own devices are nobody else's to spare.
      const isLastResort =
        account !== from.account && perHour.take(`of ${from.account} ${account} ${device}`, maxClaimsOfOne, now) > 0
      return { account, device, isLastResort }
    })
    const found = claims.length === 0 ? [] : yield* lists.claim(claims)
    const packages = wanted.flatMap(({ device, user }, index) => {
      const data = found[index]
      return data === undefined ? [] : [{ user, device, data }]
    })
    return { _tag: "KeyPackages", packages }
  })

  const welcomes = Effect.fnUntraced(function* (
    from: Owner,
    device: DeviceId,
    { after = 0 }: RequestOf<"GetWelcomes">
  ): Effect.fn.Return<ServerMessage, StorageUnavailable> {
    const found = yield* sealedRooms.welcomes({ account: from.account, device }, after, welcomesRead + 1)
    let characters = 0
    const fitting: Array<Welcome> = []
    for (const one of found.slice(0, welcomesRead)) {
      characters += one.data.length + 512
      if (fitting.length > 0 && characters > maxWelcomeCharacters) break
      fitting.push(one)
    }
    const next = fitting.length < found.length ? fitting.at(-1)?.number : undefined
    return {
      _tag: "Welcomes",
      welcomes: fitting.map(({ data, room, seq }) => ({ room, seq, data })),
      ...(next !== undefined && { next })
    }
  })

  /** What takes a device that is in the account's list. */
  const asDevice = (from: Owner, answer: (device: DeviceId) => Answering): Answering => {
    const { account, device } = from
    return device === undefined || published.entryOf(account, device) === undefined
      ? Effect.succeed(rejected({ _tag: "DeviceRequired" }))
      : answer(device)
  }

  return (from: Owner, request: DeviceRequest): Answering => {
    switch (request._tag) {
      case "PublishDevice":
        return publish(from, request)
      case "GetDevices":
        return get(request)
      case "PublishKeyPackages":
        return asDevice(from, (device) => publishPackages(from, device, request))
      case "ClaimKeyPackages":
        return asDevice(from, () => claim(from, request))
      case "GetWelcomes":
        return asDevice(from, (device) => welcomes(from, device, request))
      case "AckWelcome":
        return asDevice(from, (device) =>
          Effect.as(sealedRooms.acknowledge({ account: from.account, device }, request.room, request.seq), {
            _tag: "WelcomeAcknowledged"
          })
        )
    }
  }
}

const tooLong: Rejection = {
  _tag: "NotAllowed",
  action: "PublishDevice",
  why: `A list of devices has ${maxDeviceEntries} entries at most. Begin a new one (an entry without prev).`
}
