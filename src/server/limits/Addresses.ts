/**
 * How many connections one address may have, how many of those may still be without a name, and how fast it may make new ones.
 *
 * An address is what `networkOf` says: of IPv6 a /64. This machine's own are without limit, unless the setting says a number.
 * Nothing here waits or speaks: a flood is to cost as little as can be.
 *
 * Bound (invariant 3): one entry for each network that has a connection, and the buckets of `maxResting` that had (see SharedBuckets).
 */
import { Clock, Effect } from "effect"
import { ServerConfig } from "../config/ServerConfig.ts"
import { monotonicMillis } from "../processor/MonotonicTime.ts"
import { isLoopback, networkOf } from "../session/Peer.ts"
import { makeSharedBuckets, type SharedBucket } from "./SharedBuckets.ts"
import * as TokenBucket from "./TokenBucket.ts"

const defaults = { maxConnectionsPerAddress: 100, maxHandshakesPerAddress: 20 }
const defaultAllowance = { rate: 10, burst: 50 }

/** Of 200 bytes each. */
const maxResting = 50_000

interface Network {
  readonly shared: SharedBucket
  connections: number
  /** Those of them that have no name yet. */
  strangers: number
}

/** One connection, counted for its address. */
export interface Admission {
  /** It has a name. May be said again, and then does nothing, as `releaseUnsafe`. */
  readonly welcomeUnsafe: () => void
  readonly releaseUnsafe: () => void
}

export interface Addresses {
  /** Counts one more connection; undefined if there are too many from there, or they come too fast. */
  readonly admitUnsafe: (address: string | undefined) => Admission | undefined
  /** How many networks are remembered. */
  readonly size: () => number
}

export const make: Effect.Effect<Addresses, never, ServerConfig> = Effect.gen(function* () {
  const config = yield* ServerConfig
  const clock = yield* Clock.Clock
  const limitOf = (name: keyof typeof defaults, isLocal: boolean) =>
    config[name] ?? (isLocal ? Infinity : defaults[name])
  const limitsOf = (isLocal: boolean) => ({
    connections: limitOf("maxConnectionsPerAddress", isLocal),
    strangers: limitOf("maxHandshakesPerAddress", isLocal)
  })
  const [local, others] = [limitsOf(true), limitsOf(false)]
  const isLocalUnhurried = config.connectionRate === undefined && config.connectionBurst === undefined
  const allowance = {
    rate: config.connectionRate ?? defaultAllowance.rate,
    burst: config.connectionBurst ?? defaultAllowance.burst
  }
  const buckets = makeSharedBuckets(allowance, maxResting)
  const networks = new Map<string, Network>()

  const admission = (network: Network): Admission => {
    network.connections++
    network.strangers++
    let isStranger = true
    let isHere = true
    const welcomeUnsafe = () => {
      if (isStranger) network.strangers--
      isStranger = false
    }
    return {
      welcomeUnsafe,
      releaseUnsafe: () => {
        if (!isHere) return
        isHere = false
        welcomeUnsafe()
        if (--network.connections > 0) return
        networks.delete(network.shared.key)
        buckets.letGo(network.shared, monotonicMillis(clock))
      }
    }
  }

  return {
    admitUnsafe: (address) => {
      const now = monotonicMillis(clock)
      const key = networkOf(address)
      const isLocal = isLoopback(address)
      const limits = isLocal ? local : others
      const known = networks.get(key)
      const shared = known?.shared ?? buckets.hold(key, now)
      const taken = isLocal && isLocalUnhurried ? shared.bucket : TokenBucket.take(shared.bucket, allowance, now)
      const isTooFast = typeof taken === "number"
      if (!isTooFast) shared.bucket = taken
      const isFull =
        known !== undefined && (known.connections >= limits.connections || known.strangers >= limits.strangers)
      if (isTooFast || isFull) {
        if (known === undefined) buckets.letGo(shared, now)
        return undefined
      }
      const network = known ?? { shared, connections: 0, strangers: 0 }
      networks.set(key, network)
      return admission(network)
    },
    size: buckets.size
  }
})
