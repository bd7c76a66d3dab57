/**
 * A signature as `ssh-keygen -Y sign` writes it (OpenSSH's PROTOCOL.sshsig): in armour, over a hash of the text and the
 * namespace it was meant for, so that what was signed for one purpose is good for no other.
 *
 * Reads and puts together; whether a signature is right is for SshVerify to say.
 */
import { Result } from "effect"
import { Base64 } from "effect/encoding"
import { joined, SshReader, sshString } from "./SshWire.ts"

export interface SshSignature {
  /** The blob of the public key it claims to be made with. */
  readonly key: Uint8Array
  readonly namespace: string
  /** Signed along, and of no meaning yet. */
  readonly reserved: Uint8Array
  /** By which the text was hashed. */
  readonly hash: "sha256" | "sha512"
  /** `ssh-ed25519`, `rsa-sha2-512`, …: how the hash was signed. */
  readonly algorithm: string
  readonly value: Uint8Array
}

/** With a key of 8192 bits it takes 2,950 characters. */
const maxCharacters = 4096

const magic = new TextEncoder().encode("SSHSIG")
const version = 1
const armour = /^-----BEGIN SSH SIGNATURE-----\r?\n([A-Za-z0-9+/=\r\n]+)\r?\n-----END SSH SIGNATURE-----$/

/** The signature in an armour, which may have any space around it; undefined if there is none. */
export const parseSshSignature = (text: string): SshSignature | undefined => {
  if (text.length > maxCharacters) return undefined
  const [, lines = ""] = armour.exec(text.trim()) ?? []
  const base64 = lines.replaceAll(/[\r\n]/g, "")
  const blob = Result.getOrUndefined(Base64.decode(base64))
  if (blob === undefined || Base64.encode(blob) !== base64) return undefined

  const reader = new SshReader(blob)
  if (!isMagic(reader.take(magic.length)) || reader.uint32() !== version) return undefined
  const key = reader.string()
  const namespace = reader.name()
  const reserved = reader.string()
  const hash = reader.name()
  const signature = new SshReader(reader.string())
  const algorithm = signature.name()
  const value = signature.string()
  if (!reader.isDone() || !signature.isDone() || (hash !== "sha256" && hash !== "sha512")) return undefined
  return { key, namespace, reserved, hash, algorithm, value }
}

/** What was signed, given the hash of the text. */
export const signedBy = ({ hash, namespace, reserved }: SshSignature, digest: Uint8Array): Uint8Array =>
  joined(magic, sshString(namespace), sshString(reserved), sshString(hash), sshString(digest))

const isMagic = (bytes: Uint8Array): boolean =>
  bytes.length === magic.length && bytes.every((byte, index) => byte === magic[index])
