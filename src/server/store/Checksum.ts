/**
 * What tells that a stored entry is not the one that was written: CRC-32 (ISO 3309, as in node:zlib) over everything that
 * makes it, each part ended by a NUL, which none of them can hold. Free of other imports, for SQLite's threads load it.
 *
 * What rows did not have at first, a kind beside Said, a target, an author, is covered where there is one of them: so what
 * was stored before keeps its checksum. So is what only entries of inboxes have.
 */
import { crc32 } from "node:zlib"

/** `body` is the content of a row. A whole number from 0 to 2^32 - 1. Called in SQL as well. */
export const checksum = (
  conversation: number,
  seq: number,
  at: number,
  sender: string,
  body: string,
  kind: string = "Said",
  target: number | null = null,
  author: string | null = null,
  receiver: string | null = null,
  partner: string | null = null,
  twin: number | null = null
): number => {
  const all = `${conversation}\0${seq}\0${at}\0${sender}\0${body}\0`
  const isPrivate = receiver !== null || partner !== null || twin !== null
  if (kind === "Said" && target === null && author === null && !isPrivate) return crc32(all)
  const later = `${all}${kind}\0${target ?? ""}\0${author ?? ""}\0`
  return crc32(isPrivate ? `${later}${receiver ?? ""}\0${partner ?? ""}\0${twin ?? ""}\0` : later)
}
