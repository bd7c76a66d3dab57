/**
 * The parameters of a command, and which words of a typed line are whose.
 *
 * A parameter takes the next word of the line, unless its kind says otherwise. It decides nothing about what a word may
 * be: that is its schema's, in `Command`.
 */

import { looksLikeTime } from "./Term.ts"

export type Kind =
  | "word"
  /** A word of which the tab key knows what there is. */
  | "user"
  /** The same, first of all of those in the room that stands before it; or of those who are banned or muted there. */
  | "member"
  | "bound"
  | "room"
  /** A room that may be left out at a terminal, where it is the one before the person: see `Here`. */
  | "here"
  | "command"
  /** How many. A number that stands alone is meant so, whatever could stand before it. */
  | "count"
  /** All that is left of the line, exactly as typed; white space alone is nothing. */
  | "text"
  /** The same, without the white space around it. */
  | "words"
  /** A word that begins like the parameter's name up to its colon, wherever it stands. */
  | "marked"
  /** The same, but only at the beginning: what follows is text, in which nothing is a mark. */
  | "leading"
  /** The word that is the parameter's name, wherever it stands. */
  | "flag"
  /** A word that looks like a time. */
  | "time"
  /** `#12`, and only at the beginning. */
  | "number"

export interface Parameter {
  readonly name: string
  readonly kind: Kind
  readonly isOptional: boolean
}

/** The word of each parameter that has one, and what is left over. */
export interface Assigned {
  readonly words: Readonly<Record<string, string>>
  readonly surplus: string
}

export const assign = (parameters: ReadonlyArray<Parameter>, text: string): Assigned => {
  const words: Record<string, string> = {}
  let rest = assignLeading(parameters, text, words)
  for (const { kind, name } of parameters) {
    if (isLeading(kind)) continue
    if (kind === "flag") {
      const without = withoutFlag(rest, name)
      if (without !== undefined) words[name] = name
      rest = without ?? rest
      continue
    }
    if (kind === "marked") {
      const [word, others] = cutMarked(rest, markOf(name))
      if (word !== undefined) words[name] = word
      rest = others
      continue
    }
    if (kind === "text" || kind === "words") {
      const all = kind === "words" ? rest.trim() : rest
      return { words: all.trim() === "" ? words : { ...words, [name]: all }, surplus: "" }
    }
    const [word, after] = cut(rest.trimStart())
    if (word === "") break
    if (kind === "time" && !looksLikeTime(word)) continue
    words[name] = word
    rest = after
  }
  return { words: countAlone(parameters, words), surplus: rest.trim() }
}

/** The first word, and what comes after the one white space behind it. */
export const cut = (text: string): readonly [first: string, rest: string] => {
  const end = text.search(/\s/)
  return end === -1 ? [text, ""] : [text.slice(0, end), text.slice(end + 1)]
}

/** `in:` of `in:room`. */
export const markOf = (name: string): string => name.slice(0, name.indexOf(":") + 1)

const isLeading = (kind: Kind): boolean => kind === "leading" || kind === "number"

/** Takes the words at the beginning that show whose they are, in their order, each once; gives the rest. */
const assignLeading = (parameters: ReadonlyArray<Parameter>, text: string, words: Record<string, string>): string => {
  const [word, after] = cut(text.trimStart())
  for (const [index, { kind, name }] of parameters.entries()) {
    const value = leadingValue(kind, name, word)
    if (value === undefined) continue
    words[name] = value
    return assignLeading(parameters.slice(index + 1), after, words)
  }
  return text
}

const leadingValue = (kind: Kind, name: string, word: string): string | undefined => {
  if (kind === "number") return /^#\d{1,15}$/.test(word) ? word.slice(1) : undefined
  const mark = markOf(name)
  return kind === "leading" && word.length > mark.length && word.toLowerCase().startsWith(mark)
    ? word.slice(mark.length)
    : undefined
}

/** A number alone is how many, for of a room named by a number one can say both. */
const countAlone = (
  parameters: ReadonlyArray<Parameter>,
  words: Readonly<Record<string, string>>
): Readonly<Record<string, string>> => {
  const count = parameters.find(({ kind }) => kind === "count")?.name
  const given = Object.values(words)
  const [first = ""] = given
  return count !== undefined && given.length === 1 && /^\d+$/.test(first) ? { [count]: first } : words
}

/** The text without the flag; undefined if it is not there. */
const withoutFlag = (text: string, flag: string): string | undefined => {
  const pieces = text.split(/(\s+)/)
  const others = pieces.filter((piece) => piece.toLowerCase() !== flag)
  return others.length === pieces.length ? undefined : others.join("")
}

/** What stands behind the mark, and the text without it. In quotes nothing is a mark; two marked words fit no room. */
const cutMarked = (text: string, mark: string): readonly [word: string | undefined, rest: string] => {
  const pieces = text.match(/"[^"]*"?|[^\s"]+/g) ?? []
  const isMarked = (piece: string) => piece !== mark && piece.toLowerCase().startsWith(mark)
  const marked = pieces.filter(isMarked)
  if (marked.length === 0) return [undefined, text]
  const word = marked.map((piece) => piece.slice(mark.length)).join(" ")
  return [word, pieces.filter((piece) => !isMarked(piece)).join(" ")]
}
