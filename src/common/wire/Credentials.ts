/**
 * How a user proves that an account is theirs. What is secret is Redacted from here on: it is in no log, error or dump.
 *
 * The longest are RSA keys and their signatures: 4 KiB are plenty.
 */
import { Schema } from "effect"
import { text } from "../text/Text.ts"

/** Anything typed as a password: whether it may become one is said by whoever makes it one. In UTF-16 units. */
export const Password = Schema.RedactedFromValue(text(0, 1024))
export type Password = typeof Password.Type

export const Credentials = Schema.TaggedUnion({
  Password: { password: Password },
  Token: { token: Schema.RedactedFromValue(text(0, 1024)) },
  /** Answered by a Challenge, which the key is then to sign. */
  Key: { publicKey: text(0, 4096) },
  /** `host` as the client dialled it, without a port. `signature` is armoured (SSHSIG). */
  KeyProof: { publicKey: text(0, 4096), host: text(0, 255), signature: text(0, 4096) }
})
export type Credentials = typeof Credentials.Type
