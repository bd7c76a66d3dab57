/**
 * What is said inside of a sealed message: what would stand in the open in another room, and two things by which its readers notice
 * what a server hides from them.
 *
 * `chain` is how long its author's list of devices is by the author's own word: a server that gives a shorter one holds entries back.
 * `seen` is what the author had read of this key epoch: see Seen.ts.
 */
import { Option, Schema } from "effect"
import { Seq } from "../../common/log/Cursor.ts"
import { Reaction } from "../../common/log/Entry.ts"
import { Content } from "../../common/text/Content.ts"

export const Saying = Schema.TaggedUnion({
  Said: { content: Content, replyTo: Schema.optionalKey(Seq) },
  Edited: { target: Seq, content: Content },
  Reacted: { target: Seq, reaction: Reaction, removed: Schema.optionalKey(Schema.Boolean) }
})
export type Saying = typeof Saying.Type

export const Seen = Schema.Struct({ keyEpoch: Schema.Natural, n: Schema.Natural, hash: Schema.String })
export type Seen = typeof Seen.Type

export const Payload = Schema.Struct({
  v: Schema.Literal(1),
  saying: Saying,
  chain: Schema.Natural,
  seen: Schema.optionalKey(Seen)
})
export type Payload = typeof Payload.Type

const text = Schema.fromJsonString(Payload)
const encodeText = Schema.encodeSync(text)
const decodeText = Schema.decodeUnknownOption(text)

export const encode = (payload: Payload): Uint8Array => new TextEncoder().encode(encodeText(payload))

/** Undefined of what no client of this version writes. */
export const decode = (bytes: Uint8Array): Payload | undefined =>
  Option.getOrUndefined(decodeText(Buffer.from(bytes).toString()))
