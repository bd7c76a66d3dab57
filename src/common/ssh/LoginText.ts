/**
 * What a key signs to log its owner in: four lines that say what it is for, where, who, and just now. A signature that one
 * server was given is so of no use at another, for another user, or again.
 */
import type { UserName } from "../name/UserName.ts"

/** The namespace of such a signature, as in `ssh-keygen -Y sign -n parley`. */
export const loginNamespace = "parley"

const maxHostCharacters = 255

export interface Login {
  /** As the client dialled it, without the port. */
  readonly host: string
  readonly user: UserName
  readonly nonce: string
}

/** The lines, each ended by a newline; undefined if the host or the nonce is none and could be taken for two. */
export const loginText = ({ host, nonce, user }: Login): Uint8Array | undefined =>
  isWord(host) && isWord(nonce) ? new TextEncoder().encode(`parley-login\n${host}\n${user}\n${nonce}\n`) : undefined

/** Also of a host that is written in other letters than these; but nothing that ends a line or cannot be seen. */
const isWord = (text: string): boolean =>
  text.length > 0 && text.length <= maxHostCharacters && !/[\s\p{Cc}\p{Cf}\p{Cs}]/u.test(text)
