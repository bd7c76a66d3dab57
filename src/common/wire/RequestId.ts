/** How a request and its reply, and the same request sent twice, are known by. */
import { text } from "../text/Text.ts"

/** Chosen by the client, for matching a reply to its request on one connection. In UTF-16 units. */
export const RequestId = text(1, 64)
export type RequestId = typeof RequestId.Type

/** Makes a repeated send recognisable: unique for good, a UUID or ULID. In UTF-16 units. */
export const MessageKey = text(16, 64)
export type MessageKey = typeof MessageKey.Type
