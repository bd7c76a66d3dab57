/** What is asked of logs: a part of one, or what holds some words. */
import { Schema } from "effect"
import { Seq } from "../../common/log/Cursor.ts"
import { SearchQuery } from "../../common/wire/ClientMessage.ts"
import { Partner } from "./Partner.ts"

/** Which part of a log is asked for: between `after` and `before`, both exclusive, `limit` entries at most. */
export const Range = Schema.Struct({
  before: Schema.UndefinedOr(Seq),
  after: Schema.UndefinedOr(Seq),
  limit: Schema.Natural
})
export type Range = typeof Range.Type

/** Which of what stands in a log: messages alone, or what was done to the room and what others than its author deleted. */
const Only = Schema.Literals(["messages", "moderation"])

/** A part of what stands in the lobby's log or a room's. */
export const SharedRange = Schema.Struct({ ...Range.fields, only: Schema.optionalKey(Only) })
export type SharedRange = typeof SharedRange.Type

/** The same, of what stands in any log. `with`: of an inbox only what was exchanged with one partner. */
export interface StandingRange extends SharedRange {
  readonly with?: Partner
}

/** What is searched for, and which part of what is found: from `before` backwards, `limit` entries at most. */
export const Search = Schema.Struct({
  query: SearchQuery,
  before: Schema.UndefinedOr(Schema.Natural),
  limit: Schema.Natural,
  /** Of an inbox only what was exchanged with one partner. */
  with: Schema.optionalKey(Partner)
})
export type Search = typeof Search.Type
