/** Places in a conversation's log: which incarnation of the log, and how far into it. */
import { Schema } from "effect"
import { text } from "../text/Text.ts"

/** Names one incarnation of a log: when it changes, sequence numbers remembered from before mean nothing. */
export const Epoch = text(1, 64).pipe(Schema.brand("Epoch"))
export type Epoch = typeof Epoch.Type

/** The place of an entry in its log: 1, 2, 3… without gaps; 0 is the place before the first. */
export const Seq = Schema.Natural
export type Seq = typeof Seq.Type

/** The server's time, in milliseconds since the Unix epoch. */
export const Timestamp = Schema.Natural
export type Timestamp = typeof Timestamp.Type

/** The last entry a client has seen of a conversation. */
export const Cursor = Schema.Struct({ epoch: Epoch, seq: Seq })
export type Cursor = typeof Cursor.Type
