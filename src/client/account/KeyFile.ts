/**
 * The files of OpenSSH keys, as far as a login needs them: which key it is, and whether a passphrase opens it. Pure.
 *
 * A public key is a line `type base64 comment` (sshd(8), AUTHORIZED_KEYS FILE FORMAT). A private one has its public key
 * and its cipher in the clear (PROTOCOL.key of OpenSSH); what is secret in it is left to ssh-keygen.
 */
import { Option, Result } from "effect"
import { Base64 } from "effect/encoding"

export interface PublicKey {
  /** Type and base64. */
  readonly publicKey: string
  /** What its owner wrote behind, often user@host. */
  readonly comment: string | undefined
}

export interface PrivateKey {
  readonly publicKey: string
  readonly isEncrypted: boolean
}

/** The longest are RSA keys; files of more are none. */
export const maxKeyBytes = 64 * 1024

const publicLine = /^((?:ssh|ecdsa|sk)-[\w@.-]+) ([A-Za-z0-9+/]+={0,2})(?:[ \t]+(.*))?$/

/** The first line that is a key. */
export const publicKeyIn = (text: string): Option.Option<PublicKey> => {
  for (const line of text.split("\n")) {
    const [, type, blob, comment = ""] = publicLine.exec(line.trim()) ?? []
    if (type === undefined || blob === undefined) continue
    return Option.some({ publicKey: `${type} ${blob}`, comment: comment.trim() === "" ? undefined : comment.trim() })
  }
  return Option.none()
}

const armour = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/
const magic = "openssh-key-v1\0"

export const privateKeyIn = (text: string): Option.Option<PrivateKey> => {
  const base64 = armour.exec(text)?.[1]?.replace(/\s/g, "")
  if (base64 === undefined) return Option.none()
  const bytes = Result.getOrUndefined(Base64.decode(base64))
  if (bytes === undefined || latin1(bytes.subarray(0, magic.length)) !== magic) return Option.none()
  const reader = new Reader(bytes.subarray(magic.length))
  const cipher = reader.string()
  reader.string()
  reader.string()
  const count = reader.number()
  const blob = reader.string()
  if (cipher === undefined || blob === undefined || count !== 1) return Option.none()
  const type = new Reader(blob).string()
  if (type === undefined) return Option.none()
  return Option.some({
    publicKey: `${latin1(type)} ${Base64.encode(blob)}`,
    isEncrypted: latin1(cipher) !== "none"
  })
}

/** Whether this is a private key of an older form, whose public key only the file beside it tells. */
export const isOlderPrivateKey = (text: string): boolean => /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/.test(text)

export const isOlderEncrypted = (text: string): boolean =>
  text.includes("-----BEGIN ENCRYPTED PRIVATE KEY-----") || /^Proc-Type: 4,ENCRYPTED/m.test(text)

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes)

/** Reads numbers and strings one after the other (RFC 4251, section 5); undefined beyond the end. */
class Reader {
  readonly #bytes: Uint8Array
  #at = 0
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  number(): number | undefined {
    if (this.#at + 4 > this.#bytes.length) return undefined
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, 4)
    this.#at += 4
    return view.getUint32(0)
  }

  string(): Uint8Array | undefined {
    const length = this.number()
    if (length === undefined || this.#at + length > this.#bytes.length) return undefined
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
}
