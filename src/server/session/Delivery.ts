/** What a pure part wants said, and to whom. `Sessions` turns it into bytes. */
import { Schema } from "effect"
import { ServerMessage } from "../../common/wire/ServerMessage.ts"
import { Asker, SessionId } from "./Asker.ts"

export const Delivery = Schema.TaggedUnion({
  /** To each of these connections, in the same bytes. */
  Tell: { to: Schema.Array(SessionId), messages: Schema.Array(ServerMessage) },
  /** The same, to those alone for whom nothing else waits. */
  Hint: { to: Schema.Array(SessionId), message: ServerMessage },
  /** The one reply to a request, with its `id`. */
  Reply: { to: Asker, message: ServerMessage },
  /** The same, but more belongs to it and follows: the request is under way until `Given`. */
  Begin: { to: Asker, message: ServerMessage },
  /** Nothing more is said to it; to one that has no reply, nothing at all. */
  Given: { to: Asker }
})
export type Delivery = typeof Delivery.Type
