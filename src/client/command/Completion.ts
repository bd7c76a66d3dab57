/** What the tab key offers: commands, and for their parameters the users and rooms seen so far. */
import { commands, findCommand } from "./Command.ts"
import { markOf, type Parameter } from "./Parameter.ts"

export interface KnownNames {
  readonly users: ReadonlyArray<string>
  readonly rooms: ReadonlyArray<string>
}

/** The ways in which the last word of `typed` may go on, and that word. */
export const complete = (typed: string, known: KnownNames): readonly [offers: ReadonlyArray<string>, word: string] => {
  const words = typed.trimStart().split(/\s+/)
  const word = words.at(-1) ?? ""
  const offers = offersFor(words, known)
  const matching = offers.filter((offer) => comparable(offer).startsWith(comparable(word)))
  return [matching.map((offer) => `${offer} `), word]
}

/** Marks can be typed as characters of their own, or as part of their letter. */
const comparable = (text: string): string => text.normalize("NFKC").toLowerCase()

const offersFor = (words: ReadonlyArray<string>, known: KnownNames): ReadonlyArray<string> => {
  const [first = "", ...parameters] = words
  if (!first.startsWith(":") || first.startsWith("::")) return words.at(-1) === "" ? [] : known.users
  if (parameters.length === 0) return commands.map(({ name }) => `:${name}`)
  const all = findCommand(first.slice(1))?.parameters ?? []
  const isMarked = (parameter: Parameter) => parameter.kind === "marked"
  const isAt = (parameter: Parameter) => parameter.kind === "leading" || parameter.kind === "number"
  // What has a mark may stand anywhere; what leads, only behind what leads.
  const before = parameters.slice(0, -1)
  const marks = all.filter((parameter) => isMarked(parameter) || (isAt(parameter) && before.every(isLeadingWord)))
  const marked = marks.filter(({ name }) => name.includes(":")).map(({ name }) => markOf(name))
  if (marked.length > 0) return marked.flatMap((mark) => known.rooms.map((room) => `${mark}${room}`))
  switch (all[parameters.length - 1]?.kind) {
    case "user":
      return known.users
    case "room":
      return known.rooms
    case "command":
      return commands.map(({ name }) => name)
    default:
      return []
  }
}

const isLeadingWord = (word: string): boolean => /^(?:in:|#\d)/i.test(word)
