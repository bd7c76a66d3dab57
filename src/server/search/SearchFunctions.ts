/** What the index calls in SQL (see SearchIndex): words and characters of a text, separated by spaces. */
import { charactersOf, termsOf } from "./SearchWords.ts"

export const searchTerms = (text: unknown): string => (typeof text === "string" ? termsOf(text).join(" ") : "")

export const searchCharacters = (text: unknown): string =>
  typeof text === "string" ? charactersOf(text).join(" ") : ""
