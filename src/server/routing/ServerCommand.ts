/** What the ServerProcessor is told, through which everything goes that one connection says. */
import { Schema } from "effect"
import { UserName } from "../../common/name/UserName.ts"
import { HandedOn } from "../../common/wire/ClientMessage.ts"
import { Asker, SessionId } from "../session/Asker.ts"

export const ServerCommand = Schema.TaggedUnion({
  /** Claims a name for a connection. */
  Claim: { session: SessionId, user: UserName },
  /** The connection has been welcomed: from now on others see its user. */
  Arrive: { session: SessionId },
  /** The connection is gone: frees its name. */
  Gone: { session: SessionId },
  Request: { from: Asker, message: HandedOn }
})
export type ServerCommand = typeof ServerCommand.Type
export type ServerCommandOf<Tag extends ServerCommand["_tag"]> = Extract<ServerCommand, { readonly _tag: Tag }>
