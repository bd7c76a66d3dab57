/** Who asked: enough to answer one request, as data that could come from another machine. */
import { Schema } from "effect"
import { RequestId } from "../../common/ClientMessage.ts"
import { UserName } from "../../common/UserName.ts"

/** Names one connection for as long as the server runs. Never reused. */
export const SessionId = Schema.Natural.pipe(Schema.brand("SessionId"))
export type SessionId = typeof SessionId.Type

/** The user who asked, the connection to answer on, and the request's own `id`, if it had one. */
export const Asker = Schema.Struct({ session: SessionId, user: UserName, id: Schema.UndefinedOr(RequestId) })
export type Asker = typeof Asker.Type
