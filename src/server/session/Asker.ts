/** Who asked: enough to answer one request, as data that could come from another machine. */
import { Schema } from "effect"
import { UserName } from "../../common/name/UserName.ts"
import { RequestId } from "../../common/wire/ClientMessage.ts"

/** Names one connection for as long as the server runs. Never reused. */
export const SessionId = Schema.Natural.pipe(Schema.brand("SessionId"))
export type SessionId = typeof SessionId.Type

/**
 * The user who asked, the connection to answer on, and the request's own `id`, if it had one. `isLarge`: what is asked for
 * may be large, and the connection is read no further until all of it has been given.
 */
export const Asker = Schema.Struct({
  session: SessionId,
  user: UserName,
  id: Schema.UndefinedOr(RequestId),
  isLarge: Schema.Boolean
})
export type Asker = typeof Asker.Type
