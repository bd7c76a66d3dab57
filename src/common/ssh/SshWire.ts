/**
 * The data types of SSH (RFC 4251, section 5), as public keys and signatures are made of: numbers, strings of bytes with
 * their length before them, and large whole numbers.
 *
 * A reader never reads past its end, however long a string claims to be, and copies nothing. Once it has met something that
 * is not what was asked for, it has failed for good and gives nothing more: so one may read on and ask at the end.
 */
const nothing = new Uint8Array(0)
const ascii = new TextDecoder("ascii")
const lengthBytes = 4

export class SshReader {
  readonly #bytes: Uint8Array
  #at = 0
  #hasFailed = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** So many bytes as they stand. */
  take(count: number): Uint8Array {
    if (this.#hasFailed || count > this.#bytes.length - this.#at) return this.#fail()
    const taken = this.#bytes.subarray(this.#at, this.#at + count)
    this.#at += count
    return taken
  }

  uint32(): number {
    const bytes = this.take(lengthBytes)
    return bytes.length === 0 ? 0 : new DataView(bytes.buffer, bytes.byteOffset, lengthBytes).getUint32(0)
  }

  string(): Uint8Array {
    return this.take(this.uint32())
  }

  /** A string that is the name of something: printable ASCII. */
  name(): string {
    const bytes = this.string()
    return ascii.decode(bytes.every((byte) => byte > 0x20 && byte < 0x7f) ? bytes : this.#fail())
  }

  /** A whole number above 0, in its one spelling: its bytes from the highest that is not 0. */
  positive(): Uint8Array {
    const bytes = this.string()
    const [first = 0, second = 0] = bytes
    if (first > 0 && first < 0x80) return bytes
    return first === 0 && second >= 0x80 ? bytes.subarray(1) : this.#fail()
  }

  /** Whether all was read, and all was as asked. */
  isDone(): boolean {
    return !this.#hasFailed && this.#at === this.#bytes.length
  }

  #fail(): Uint8Array {
    this.#hasFailed = true
    return nothing
  }
}

/** A string of bytes, or of a text's UTF-8. */
export const sshString = (value: Uint8Array | string): Uint8Array => {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value
  const written = new Uint8Array(lengthBytes + bytes.length)
  new DataView(written.buffer).setUint32(0, bytes.length)
  written.set(bytes, lengthBytes)
  return written
}

export const joined = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
