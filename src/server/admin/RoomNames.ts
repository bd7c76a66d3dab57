/** The rooms of a database by name: finding one in whatever case, and which were perhaps meant. */
import { Effect, Result, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { nameKey } from "../../common/name/Name.ts"
import { printable } from "./Report.ts"

/** How many rooms an error lists. */
const maxListed = 20

/** Nearer ones are slips of the fingers. */
const maxSlips = 3

const byName = new Intl.Collator("en", { numeric: true }).compare

const decodeStanding = Schema.decodeUnknownResult(Schema.Struct({ id: Schema.Int, name: Schema.String }))

/** The number and the name of a room, or of the lobby, which is no room: a room may be called so. */
export const find = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  wanted: { readonly room: string } | "lobby"
) {
  const key = wanted === "lobby" ? "lobby" : `room:${nameKey(wanted.room.normalize("NFKC"))}`
  const [row] = yield* sql`SELECT id, name FROM conversations WHERE conversation_key = ${key}`
  return Result.getOrUndefined(decodeStanding(row))
})

/** Which rooms there are, or of many those that are spelt nearly so: a sentence. */
export const suggest = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, wanted: string) {
  const rows = yield* sql`SELECT name FROM conversations WHERE kind = 'Room'`.values
  const rooms = rows.map(([name]) => printable(name)).toSorted(byName)
  if (rooms.length === 0) return "It has none."
  const near = rooms
    .map((name) => ({ name, slips: slipsBetween(nameKey(wanted), nameKey(name)) }))
    .filter(({ name, slips }) => slips <= Math.min(maxSlips, Math.ceil(name.length / 3)))
    .toSorted((one, other) => one.slips - other.slips)
  if (near.length > 0) return `Did you mean ${list(near.map(({ name }) => name))}?`
  return `It has these: ${list(rooms)}.`
})

const list = (names: ReadonlyArray<string>): string => {
  const others = names.length > maxListed ? `, and ${names.length - maxListed} more` : ""
  return `${names.slice(0, maxListed).join(", ")}${others}`
}

/**
 * How many letters must be put in, left out, replaced, or swapped with the next to make one word of the other ("optimal
 * string alignment", Damerau 1964 and Levenshtein 1966).
 */
const slipsBetween = (one: string, other: string): number => {
  const from = Array.from(one)
  const to = Array.from(other)
  let older: ReadonlyArray<number> = []
  let previous: ReadonlyArray<number> = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [i, letter] of from.entries()) {
    const row = [i + 1]
    for (const [j, wanted] of to.entries()) {
      const replaced = (previous[j] ?? 0) + (letter === wanted ? 0 : 1)
      const isSwap = i > 0 && j > 0 && letter === to[j - 1] && from[i - 1] === wanted
      const swapped = isSwap ? (older[j - 1] ?? 0) + 1 : Infinity
      row.push(Math.min((previous[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1, replaced, swapped))
    }
    older = previous
    previous = row
  }
  return previous[to.length] ?? 0
}
