/**
 * What stands for sealed messages in tests of the server, which reads the header alone: an MLSMessage with a PrivateMessage (RFC 9420,
 * section 6.3) whose ciphertext is whatever one likes.
 */
import { groupIdOf } from "../../src/common/log/Sealing.ts"

const contentTypes = { application: 1, proposal: 2, commit: 3 } as const

/** A vector with its length before it, in the shortest spelling (section 2.1.2). */
const vector = (bytes: Uint8Array): Uint8Array => {
  const { length } = bytes
  const head =
    length < 64
      ? [length]
      : length < 16_384
        ? [0x40 | (length >> 8), length & 0xff]
        : [0x80, length >> 16, (length >> 8) & 0xff, length & 0xff]
  return Buffer.concat([Buffer.from(head), bytes])
}

export interface SealedHead {
  readonly room: string
  readonly incarnation?: number
  readonly keyEpoch: number
  readonly contentType?: keyof typeof contentTypes
  /** How many bytes it says in the clear. */
  readonly authenticated?: number
}

/** As base64. `content`: what is said, for a test to find it again. */
export const sealedBytes = (
  { authenticated = 0, contentType = "application", incarnation = 1, keyEpoch, room }: SealedHead,
  content = "ciphertext that nobody can read"
): string => {
  const epoch = Buffer.alloc(8)
  epoch.writeBigUInt64BE(BigInt(keyEpoch))
  return Buffer.concat([
    Buffer.from([0, 1, 0, 2]),
    vector(Buffer.from(groupIdOf(room, incarnation))),
    epoch,
    Buffer.from([contentTypes[contentType]]),
    vector(new Uint8Array(authenticated)),
    vector(new Uint8Array(28)),
    vector(Buffer.from(`\n${content}${"#".repeat(17)}`))
  ]).toString("base64")
}
