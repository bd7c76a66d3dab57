/** What the ServerProcessor is told, through which everything goes that one connection says. */
import { Schema } from "effect"
import { UserName } from "../../common/name/UserName.ts"
import { HandedOn } from "../../common/wire/ClientMessage.ts"
import { AccountId } from "../session/AccountId.ts"
import { Asker, SessionId } from "../session/Asker.ts"

export const ServerCommand = Schema.TaggedUnion({
  /** Claims a name for a connection, of a guest or an account. */
  Claim: { session: SessionId, user: UserName, account: Schema.optionalKey(AccountId) },
  /** The connection has been welcomed: from now on others see its user. */
  Arrive: { session: SessionId },
  /** A guest has registered: its name, and what this connection has, is the account's from now on. */
  Own: { session: SessionId, account: AccountId, user: UserName },
  /** The connection is gone: frees its name, if it was the last. */
  Gone: { session: SessionId },
  Request: { from: Asker, message: HandedOn }
})
export type ServerCommand = typeof ServerCommand.Type
export type ServerCommandOf<Tag extends ServerCommand["_tag"]> = Extract<ServerCommand, { readonly _tag: Tag }>
