/**
 * What an entry is, as a row has it: its kind, its target, its content. Generic over the cases of `Body`, so that a new kind
 * of entry needs nothing here and nothing in SQL.
 *
 * The content of what holds a text is that text, for the search and for whoever looks into a database; of every other kind
 * it is JSON of all its fields but the target. A row says nothing of them that `Body` does not know: what it has beside, as a
 * Tombstone's `bytes`, is passed over.
 */
import { Option, Schema } from "effect"
import type { Seq } from "../../common/log/Cursor.ts"
import { type Body, targetOf } from "../../common/log/Entry.ts"

export interface StoredBody {
  readonly kind: Body["_tag"]
  /** What it is done to, or what it replies to. */
  readonly target: Seq | null
  readonly content: string
}

export const toStored = (body: Body): StoredBody => {
  if (body._tag === "Said") return { kind: "Said", target: body.replyTo ?? null, content: body.content }
  if (body._tag === "Edited") return { kind: "Edited", target: body.target, content: body.content }
  const { _tag: kind, target: _, ...fields } = { target: undefined, ...body }
  return { kind, target: targetOf(body) ?? null, content: JSON.stringify(fields) }
}

const decodeFields = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))

/** What should be a body, if the row is what it should be: to be decoded by the schema of `Body`. */
export const fromStored = ({
  content,
  kind,
  target
}: Readonly<Record<"content" | "kind" | "target", unknown>>): unknown => {
  if (kind === "Said") return target === null ? { _tag: kind, content } : { _tag: kind, content, replyTo: target }
  if (kind === "Edited") return { _tag: kind, target, content }
  return Option.match(decodeFields(content), {
    onNone: () => undefined,
    onSome: (fields) => ({ ...fields, _tag: kind, ...(target === null ? {} : { target }) })
  })
}

/** What counts of an entry where so many bytes are asked for: those of its content in UTF-8. A tombstone has none. */
export const bytesOf = (body: Body): number =>
  body._tag === "Tombstone" ? 0 : Buffer.byteLength(toStored(body).content)
