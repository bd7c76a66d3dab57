/** Who asked: enough to answer one request, as data that could come from another machine. */
import { Schema } from "effect"
import { UserName } from "../../common/name/UserName.ts"
<<<<<<< HEAD
import { RequestId } from "../../common/wire/RequestId.ts"
import { AccountId } from "./AccountId.ts"
=======
>>>>>>> c0b3a33

/** Names one connection for as long as the server runs, and says which node holds it. Never reused. */
export const SessionId = Schema.Natural.pipe(Schema.brand("SessionId"))
export type SessionId = typeof SessionId.Type

/** So many connections a node may have had. */
const connectionsOfNode = 2 ** 32

/** The `count`th connection of a node; nodes count from 0. */
export const sessionOf = (node: number, count: number): SessionId => SessionId.make(node * connectionsOfNode + count)

/** The node that holds a connection: what is to be said to it goes there. */
export const nodeOf = (session: SessionId): number => Math.floor(session / connectionsOfNode)

<<<<<<< HEAD
/**
 * The user who asked, as which account if it is no guest, the connection to answer on, and the request's own `id`, if it had one. `isLarge`: what is asked for
 * may be large, and the connection is read no further until all of it has been given.
 */
export const Asker = Schema.Struct({
  session: SessionId,
  user: UserName,
  account: Schema.optionalKey(AccountId),
  id: Schema.UndefinedOr(RequestId),
  isLarge: Schema.Boolean
=======
/** Names one request of a connection; they count from 1. What is known of it stays with the connection (see Requests). */
export const RequestNumber = Schema.Natural
export type RequestNumber = typeof RequestNumber.Type

/** The user who asked, the connection to answer on, and which of its requests it was. */
export const Asker = Schema.Struct({
  session: SessionId,
  user: UserName,
  request: RequestNumber
>>>>>>> c0b3a33
})
export type Asker = typeof Asker.Type
