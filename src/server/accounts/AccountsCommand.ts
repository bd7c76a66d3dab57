/** What the AccountProcessor is told, which knows who is connected as which account. */
import { Schema } from "effect"
import { AccountRequest } from "../../common/wire/AccountRequest.ts"
import { Asker } from "../session/Asker.ts"

export const AccountsCommand = Schema.TaggedUnion({
  /** Somebody asks about accounts: an account, or a guest who may become one. */
  Request: { from: Asker, request: AccountRequest }
})
export type AccountsCommand = typeof AccountsCommand.Type
export type AccountsCommandOf<Tag extends AccountsCommand["_tag"]> = Extract<AccountsCommand, { readonly _tag: Tag }>
