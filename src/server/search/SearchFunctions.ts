/**
 * What the index calls in SQL (see SearchIndex), in the thread that has its connection: words and characters of a text,
 * separated by spaces; whether a text holds what is searched for; how long a statement has taken; how much room is left.
 */
import { statfsSync } from "node:fs"
import { dirname } from "node:path"
import { charactersOf, holds, type Phrase, phrasesOf, termsOf } from "./SearchWords.ts"

export const searchTerms = (text: unknown): string => (typeof text === "string" ? termsOf(text).join(" ") : "")

export const searchCharacters = (text: unknown): string =>
  typeof text === "string" ? charactersOf(text).join(" ") : ""

/** The last query: a statement asks about every text with the same one. */
let asked: { readonly query: string; readonly phrases: ReadonlyArray<Phrase> } = { query: "", phrases: [] }

export const searchHolds = (text: unknown, query: unknown): number => {
  if (typeof text !== "string" || typeof query !== "string") return 0
  if (asked.query !== query) asked = { query, phrases: phrasesOf(query) }
  return holds(termsOf(text), asked.phrases) ? 1 : 0
}

let begunAt = 0

/** Gives back what it is given, before the first row is looked at. */
export const searchBegun = <A>(value: A): A => {
  begunAt = performance.now()
  return value
}

/**
 * How many milliseconds ago that was. Measured here, since on the other side of the thread the time that a busy event
 * loop takes to hear of an answer would count as well. The argument makes SQLite call it after the last row.
 */
export const searchMillis = (_rows: unknown): number => performance.now() - begunAt

/** How many bytes the file system of this file has left; as many as there are if it will not say. */
export const searchFree = (file: unknown): number => {
  try {
    const { bavail, bsize } = statfsSync(dirname(String(file)))
    return Math.min(bavail * bsize, Number.MAX_SAFE_INTEGER)
  } catch {
    return Number.MAX_SAFE_INTEGER
  }
}
