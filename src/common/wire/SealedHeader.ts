/**
 * What a server may read of a sealed message: the frame of an MLSMessage that holds a PrivateMessage (RFC 9420, sections 6
 * and 6.3), without knowing MLS.
 *
 * Strict: version mls10, wire format mls_private_message, lengths in their shortest spelling (section 2.1.2), fields that fill
 * the bytes exactly, a group id of well-formed UTF-8. Anything else is no header. It copies nothing and takes the same time
 * however long the message is.
 */

export interface SealedHeader {
  /** `room/incarnation`. */
  readonly groupId: string
  readonly keyEpoch: number
  readonly contentType: "application" | "proposal" | "commit"
}

/** Its base64 and the JSON around it fit a frame of 64 KiB. */
export const maxSealedBytes = 47 * 1024

/** The longest name of a room, of 64 characters of four bytes, and of an incarnation fit. */
const maxGroupIdBytes = 512

/** In the clear, and so only for what may be known by everybody. */
export const maxAuthenticatedBytes = 1024

/** Leaf, generation and reuse guard (section 6.3.2), with the AEAD's tag. */
const senderDataBytes = 12 + 16
const tagBytes = 16

const mls10 = 1
const privateMessage = 2
const contentTypes = [undefined, "application", "proposal", "commit"] as const

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The header of a sealed message; undefined if these bytes are none. */
export const parseSealedHeader = (bytes: Uint8Array): SealedHeader | undefined => {
  if (bytes.length > maxSealedBytes) return undefined
  const reader = new Reader(bytes)
  if (reader.uint16() !== mls10 || reader.uint16() !== privateMessage) return undefined
  const groupIdBytes = reader.vector(1, maxGroupIdBytes)
  const keyEpoch = reader.uint64()
  const contentType = contentTypes[reader.uint8()]
  reader.vector(0, maxAuthenticatedBytes)
  reader.vector(senderDataBytes, senderDataBytes)
  reader.vector(tagBytes + 1, maxSealedBytes)
  if (!reader.isDone() || contentType === undefined || keyEpoch === undefined) return undefined
  const groupId = textOf(groupIdBytes)
  return groupId === undefined ? undefined : { groupId, keyEpoch, contentType }
}

const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

const nothing = new Uint8Array(0)

/** Reads on after a failure, and gives nothing more: one may ask at the end. */
class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0
  #hasFailed = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  uint8(): number {
    const at = this.#take(1)
    return at === undefined ? 0 : this.#view.getUint8(at)
  }

  uint16(): number {
    const at = this.#take(2)
    return at === undefined ? 0 : this.#view.getUint16(at)
  }

  /** A number that JSON carries exactly. */
  uint64(): number | undefined {
    const at = this.#take(8)
    const number = at === undefined ? 0n : this.#view.getBigUint64(at)
    return number <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : undefined
  }

  /** A variable-size vector: 6, 14 or 30 bits of length behind two that say which (section 2.1.2). */
  vector(minimum: number, maximum: number): Uint8Array {
    const first = this.uint8()
    const size = 1 << (first >> 6)
    let length = first & 0x3f
    for (let index = 1; index < size; index++) length = length * 256 + this.uint8()
    const isShortest = size === 1 || (size === 2 && length >= 1 << 6) || (size === 4 && length >= 1 << 14)
    if (!isShortest || length < minimum || length > maximum) this.#hasFailed = true
    const at = this.#take(length)
    return at === undefined ? nothing : this.#bytes.subarray(at, at + length)
  }

  isDone(): boolean {
    return !this.#hasFailed && this.#at === this.#bytes.length
  }

  #take(count: number): number | undefined {
    if (this.#hasFailed || count > this.#bytes.length - this.#at) {
      this.#hasFailed = true
      return undefined
    }
    const at = this.#at
    this.#at += count
    return at
  }
}
