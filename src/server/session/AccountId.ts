/** Names one account for good: a name that is freed and taken again is another account. Never shown. */
import { Schema } from "effect"
import { AuthorId } from "../../common/log/Entry.ts"

export const AccountId = Schema.Natural.pipe(Schema.brand("AccountId"))
export type AccountId = typeof AccountId.Type

/** The same, read back; nothing of a guest. */
export const accountOfAuthor = (author: AuthorId): AccountId | undefined => {
  const [, number] = /^account\.(\d{1,15})$/.exec(author) ?? []
  return number === undefined ? undefined : AccountId.make(Number(number))
}

/** Whose what an account writes is, on whatever connection and after any restart. */
export const authorOfAccount = (account: AccountId): AuthorId => AuthorId.make(`account.${account}`)
