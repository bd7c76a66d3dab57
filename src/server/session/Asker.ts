/** Who asked: enough to answer one request, as data that could come from another machine. */
import { Schema } from "effect"
import { Device } from "../../common/log/Sealing.ts"
import { UserName } from "../../common/name/UserName.ts"
import { AccountId } from "./AccountId.ts"

/** Names one connection for as long as the server runs, and says which node holds it. Never reused. */
export const SessionId = Schema.Natural.pipe(Schema.brand("SessionId"))
export type SessionId = typeof SessionId.Type

/** So many connections a node may have had. */
const connectionsOfNode = 2 ** 32

/** The `count`th connection of a node; nodes count from 0. */
export const sessionOf = (node: number, count: number): SessionId => SessionId.make(node * connectionsOfNode + count)

/** The node that holds a connection: what is to be said to it goes there. */
export const nodeOf = (session: SessionId): number => Math.floor(session / connectionsOfNode)

/** Names one request of a connection; they count from 1. What is known of it stays with the connection (see Requests). */
export const RequestNumber = Schema.Natural
export type RequestNumber = typeof RequestNumber.Type

/** The user who asked, as which account if it is no guest, the connection to answer on, and which of its requests it was. */
export const Asker = Schema.Struct({
  session: SessionId,
  user: UserName,
  account: Schema.optionalKey(AccountId),
  /** On which of its devices. */
  device: Schema.optionalKey(Device),
  request: RequestNumber
})
export type Asker = typeof Asker.Type
