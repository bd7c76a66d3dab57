/** Accounts and what belongs to them, as a test asks for them. */
import { createHash } from "node:crypto"
import { UserName } from "../../../src/common/name/UserName.ts"
import { type Key, PasswordHash, SecretHash } from "../../../src/server/accounts/Account.ts"
import type { NewAccount } from "../../../src/server/accounts/Accounts.ts"

export const hash = (secret: string): SecretHash => SecretHash.make(createHash("sha256").update(secret).digest("hex"))
export const password = (word: string): PasswordHash => PasswordHash.make(`$hash$${word}`)

export const newAccount = (name: string, over: Partial<NewAccount> = {}): NewAccount => ({
  user: UserName.make(name),
  password: password("first"),
  reset: undefined,
  isAdmin: false,
  at: 100,
  invite: undefined,
  device: undefined,
  ...over
})

export const key = (label: string, over: Partial<Key> = {}): Key => ({
  fingerprint: `SHA256:${label}`,
  publicKey: `ssh-ed25519 ${label}`,
  name: undefined,
  since: 100,
  ...over
})
