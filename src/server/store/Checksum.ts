/**
 * What tells that a stored message is not the one that was written: CRC-32 (ISO 3309, as in node:zlib) over everything that
 * makes it, each part ended by a NUL, which none of them can hold. Free of other imports, for SQLite's threads load it.
 */
import { crc32 } from "node:zlib"

/** `body` is the content of a message. A whole number from 0 to 2^32 - 1. */
export const checksum = (conversation: number, seq: number, at: number, sender: string, body: string): number =>
  crc32(`${conversation}\0${seq}\0${at}\0${sender}\0${body}\0`)
