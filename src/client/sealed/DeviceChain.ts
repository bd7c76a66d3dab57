/**
 * An account's list of devices as a chain: each entry names the one before by its hash and is signed (Ed25519, RFC 8032) by a
 * device that is in the list at that point. The server keeps and orders entries, and can neither make nor change one.
 *
 * What is signed is the account, the number, what is done to which device with which key, and by whom: a chain is nobody else's.
 * An entry with an empty `prev` begins a new chain and is signed by the device it adds: that proves nothing of the account, so it is
 * for people to compare (SafetyNumber.ts) and to trust (Pin.ts).
 *
 * Bounds: the server gives 1,000 entries at most.
 */
import { Effect, Layer } from "effect"
import { Digest, SecureRandom, Signature } from "effect/crypto"
import { Base64 } from "effect/encoding"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { DeviceEntry } from "../../common/wire/SealingRequest.ts"
import type { Device } from "../crypto/Device.ts"

/** A chain that holds together. */
export interface DeviceChain {
  readonly user: UserName
  /** Of the entry that began it: what two people compare. */
  readonly root: string
  /** Number and hash of the newest entry. */
  readonly n: number
  readonly hash: string
  /** The devices in it now, and their public keys, in base64. */
  readonly devices: ReadonlyMap<string, string>
  /** All that ever were in it: who catches up meets those of then. */
  readonly ever: ReadonlyMap<string, string>
}

const crypto = Layer.provideMerge(
  Layer.mergeAll(Signature.layerWebCrypto, Digest.layerWebCrypto),
  SecureRandom.layerWebCrypto
)

type Unsigned = Omit<DeviceEntry, "signature">

const utf8 = new TextEncoder()

const canonical = (user: UserName, { by, device, n, op, prev, publicKey }: Unsigned): string =>
  JSON.stringify(["parley device 1", nameKey(user), n, prev, op, device, publicKey, by])

/** By which the next entry names it. */
export const hashOf = Effect.fnUntraced(
  function* (user: UserName, entry: DeviceEntry) {
    const text = `${canonical(user, entry)}\n${entry.signature}`
    return Base64.encode(yield* Digest.Digest.use(({ digest }) => digest(Digest.sha256, utf8.encode(text))))
  },
  Effect.provide(crypto),
  Effect.orDie
)

/** Signed by this device. */
export const sign = Effect.fnUntraced(
  function* (signer: Device, unsigned: Omit<Unsigned, "by">) {
    const entry: Unsigned = { ...unsigned, by: signer.identity.device }
    const key = yield* Signature.privateKey(Signature.ed25519, signer.privateKey)
    const text = utf8.encode(canonical(signer.identity.user, entry))
    const signature = yield* Signature.Signature.use((signatures) => signatures.sign(key, text))
    return { ...entry, signature: Base64.encode(signature) } satisfies DeviceEntry
  },
  Effect.provide(crypto),
  Effect.orDie
)

/** The entry that begins a chain with this device, as number `n` of the account's list. */
export const beginning = (device: Device, n: number) =>
  sign(device, { n, prev: "", op: "add", device: device.identity.device, publicKey: Base64.encode(device.publicKey) })

/** Whether this signature is that of this key; a key that is none has signed nothing. */
const isSigned = (user: UserName, entry: DeviceEntry, publicKey: string) =>
  Effect.gen(function* () {
    const key = yield* Signature.publicKey(Signature.ed25519, bytesOf(publicKey))
    const text = utf8.encode(canonical(user, entry))
    return yield* Signature.Signature.use((signatures) => signatures.verify(key, bytesOf(entry.signature), text))
  }).pipe(
    Effect.provide(crypto),
    Effect.orElseSucceed(() => false)
  )

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"))

/** What is wrong with a chain, for the line that people see. */
export interface ChainIssue {
  readonly n: number
  readonly issue: string
}

/** Follows entries from where a chain stands, or from its beginning; gives the chain as it is then, or what is wrong. */
export const follow = Effect.fnUntraced(function* (
  user: UserName,
  before: DeviceChain | undefined,
  entries: ReadonlyArray<DeviceEntry>
): Effect.fn.Return<DeviceChain | ChainIssue | undefined> {
  let chain = before
  for (const entry of entries) {
    const issue = issueOf(chain, entry)
    const signer = chain === undefined ? entry.publicKey : (chain.devices.get(entry.by) ?? "")
    if (issue !== undefined) return { n: entry.n, issue }
    if (!(yield* isSigned(user, entry, signer))) {
      return { n: entry.n, issue: `entry ${entry.n} is not signed by the device ${entry.by}` }
    }
    chain = extended(user, chain, entry, yield* hashOf(user, entry))
  }
  return chain
})

export const isChain = (found: DeviceChain | ChainIssue): found is DeviceChain => !("issue" in found)

const issueOf = (chain: DeviceChain | undefined, { by, device, n, op, prev, publicKey }: DeviceEntry) => {
  if (op === "add" && bytesOf(publicKey).length !== 32) return `entry ${n} has no key of 32 bytes`
  if (chain === undefined) {
    return prev === "" && op === "add" && by === device ? undefined : `entry ${n} does not begin a list`
  }
  if (n !== chain.n + 1 || prev !== chain.hash) return `entry ${n} does not follow entry ${chain.n}`
  if (!chain.devices.has(by)) return `entry ${n} is by a device that is not in the list`
  if (op === "add" && chain.ever.has(device)) return `entry ${n} adds a device that was in the list before`
  if (op === "remove" && !chain.devices.has(device)) return `entry ${n} removes a device that is not in the list`
  return undefined
}

const extended = (
  user: UserName,
  chain: DeviceChain | undefined,
  { device, n, op, publicKey }: DeviceEntry,
  hash: string
): DeviceChain => {
  const devices = new Map(chain?.devices)
  const ever = new Map(chain?.ever)
  if (op === "remove") devices.delete(device)
  else {
    devices.set(device, publicKey)
    ever.set(device, publicKey)
  }
  return { user, root: chain?.root ?? hash, n, hash, devices, ever }
}
