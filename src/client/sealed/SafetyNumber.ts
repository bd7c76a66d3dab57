/**
 * 60 digits that two accounts have in common, and nobody else: people compare them by a way that the server does not carry.
 *
 * Each account has 30 of them, from its name and the entry that began its chain of devices, which every later device is signed by;
 * so they stay while devices come and go, and change when a new chain begins. As in Signal's numeric fingerprints: 5,200 rounds of
 * SHA-512, five bytes for five digits, both halves in their order.
 *
 * As a QR code it is the 60 digits and nothing else: the least there is, the same on both screens, and what a phone shows of it can be
 * compared by eye or given to a parley again (`digitsIn`). Names and rooms are not in it: it says nothing to who sees it by chance.
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

const digits = 60
const perGroup = 5
const allGroups = digits / perGroup

/** What a QR code has, and what was read from one or typed, however it is spaced; undefined if it is no safety number. */
export const digitsIn = (text: string): string | undefined => {
  const found = text.replace(/[\s-]/g, "")
  return new RegExp(`^[0-9]{${digits}}$`).test(found) ? found : undefined
}

/** In rows that are no wider than this and have equally many of the 12 groups: three rows of four from 23 columns on. */
export const numberRows = (number: string, columns: number): ReadonlyArray<string> => {
  const fitting = Math.floor((columns + 1) / (perGroup + 1))
  const inRow = [12, 6, 4, 3, 2].find((count) => count <= fitting) ?? 1
  const groups = number.split(" ")
  return Array.from({ length: allGroups / inRow }, (_, row) => groups.slice(row * inRow, (row + 1) * inRow).join(" "))
}
