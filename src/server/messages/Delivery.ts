/** What a pure part wants said, and to whom. `Sessions` turns it into bytes. */
import { Schema } from "effect"
import { ChatMessage, ServerMessage } from "../../common/ServerMessage.ts"
import { Asker, SessionId } from "./Asker.ts"

export const Delivery = Schema.TaggedUnion({
  /** To each of these connections, in the same bytes. */
  Tell: { to: Schema.Array(SessionId), messages: Schema.Array(ServerMessage) },
  /** The one reply to a request, with its `id`. */
  Reply: { to: Asker, message: ServerMessage },
  /** Old messages that a request asked to be sent again, behind its reply. */
  Replay: { to: SessionId, messages: Schema.Array(ChatMessage) }
})
export type Delivery = typeof Delivery.Type
