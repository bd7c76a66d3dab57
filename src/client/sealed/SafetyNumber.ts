/**
 * 60 digits that two accounts have in common, and nobody else: people compare them by a way that the server does not carry.
 *
 * Each account has 30 of them, from its name and the entry that began its chain of devices, which every later device is signed by;
 * so they stay while devices come and go, and change when a new chain begins. As in Signal's numeric fingerprints: 5,200 rounds of
 * SHA-512, five bytes for five digits, both halves in their order.
 */
import { createHash } from "node:crypto"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"

interface Account {
  readonly user: UserName
  /** Of its chain of devices. */
  readonly root: string
}

const rounds = 5200
const groups = 6
const bytesOfGroup = 5

const halfOf = ({ root, user }: Account): string => {
  const identity = Buffer.from(JSON.stringify(["parley safety number 1", nameKey(user), root]))
  let hash: Buffer = identity
  for (let round = 0; round < rounds; round++) hash = createHash("sha512").update(hash).update(identity).digest()
  return Array.from({ length: groups }, (_, group) =>
    (hash.readUIntBE(group * bytesOfGroup, bytesOfGroup) % 100_000).toString().padStart(5, "0")
  ).join("")
}

/** The same whoever of the two asks; in groups of five. */
export const safetyNumber = (one: Account, other: Account): string =>
  [halfOf(one), halfOf(other)]
    .toSorted()
    .join("")
    .replace(/(\d{5})(?=\d)/g, "$1 ")
