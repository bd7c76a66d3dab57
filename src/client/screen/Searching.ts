/** Looking back for a line that one typed, as Ctrl-R does in a shell. Pure. What is found is put where lines are typed, and not sent. */
import type { Key } from "node:readline"
import { graphemesOf } from "../text/Grapheme.ts"

/** `at`: which of the lines was found; the newest is the first. */
export interface Search {
  readonly query: string
  readonly at: number
  readonly found: string | undefined
}

export const begun: Search = { query: "", at: -1, found: undefined }

export type Searching =
  | { readonly _tag: "Searching"; readonly search: Search }
  /** Undefined where nothing was found: the line stays as it was. */
  | { readonly _tag: "Done"; readonly line: string | undefined }

/** What one more key makes of it. */
export const press = (
  search: Search,
  lines: ReadonlyArray<string>,
  character: string | undefined,
  key: Key
): Searching => {
  const isControl = (name: string) => key.ctrl === true && key.name === name
  if (isControl("r")) return { _tag: "Searching", search: look(search, lines, search.at + 1) }
  if (isControl("c") || isControl("g") || key.name === "escape") return { _tag: "Done", line: undefined }
  if (key.name === "backspace" || isControl("h")) {
    const query = withoutLast(search.query)
    return { _tag: "Searching", search: look({ ...begun, query }, lines, 0) }
  }
  const isText = character !== undefined && key.ctrl !== true && key.meta !== true && !/\p{Cc}/u.test(character)
  if (!isText) return { _tag: "Done", line: search.found }
  return {
    _tag: "Searching",
    search: look({ ...search, query: search.query + character }, lines, Math.max(search.at, 0))
  }
}

/** From there on back; where nothing older holds the words, what was found stays. */
const look = (search: Search, lines: ReadonlyArray<string>, from: number): Search => {
  const { query } = search
  if (query === "") return search
  const at = lines.findIndex((line, index) => index >= from && line.toLowerCase().includes(query.toLowerCase()))
  if (at !== -1) return { query, at, found: lines[at] }
  return search.found?.toLowerCase().includes(query.toLowerCase()) === true
    ? search
    : { query, at: -1, found: undefined }
}

export const withoutLast = (text: string): string => {
  const last = [...graphemesOf(text)].at(-1)?.text ?? ""
  return text.slice(0, text.length - last.length)
}

export const questionOf = ({ found, query }: Search): string =>
  `search “${query}”: ${found ?? (query === "" ? "" : "nothing")}`
