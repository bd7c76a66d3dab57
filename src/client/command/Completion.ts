/** What the tab key offers: commands, and for their parameters the users and rooms seen so far. */
import { commands, findCommand, isSign } from "./Command.ts"
import { markOf, type Parameter } from "./Parameter.ts"

export interface KnownNames {
  readonly users: ReadonlyArray<string>
  readonly rooms: ReadonlyArray<string>
  /** Of that room: who is in, and who is banned or muted there. */
  readonly membersOf: (room: string) => ReadonlyArray<string>
  readonly boundIn: (room: string) => ReadonlyArray<string>
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
  const sign = first.slice(0, 1)
  if (!isSign(sign) || first[1] === sign) return words.at(-1) === "" ? [] : known.users
  if (parameters.length === 0) return commands.map(({ name }) => `${sign}${name}`)
  const defined = findCommand(first.slice(1))?.parameters ?? []
  const flags = defined.filter(({ kind }) => kind === "flag").map(({ name }) => name)
  const word = parameters.at(-1) ?? ""
  if (word.startsWith("--")) return flags.filter((flag) => !parameters.slice(0, -1).includes(flag))
  const all = defined.filter(({ kind }) => kind !== "flag")
  const plain = parameters.filter((parameter) => !flags.includes(parameter))
  const isMarked = (parameter: Parameter) => parameter.kind === "marked"
  const isAt = (parameter: Parameter) => parameter.kind === "leading" || parameter.kind === "number"
  // What has a mark may stand anywhere; what leads, only behind what leads.
  const before = parameters.slice(0, -1)
  const marks = all.filter((parameter) => isMarked(parameter) || (isAt(parameter) && before.every(isLeadingWord)))
  const marked = marks.filter(({ name }) => name.includes(":")).map(({ name }) => markOf(name))
  if (marked.length > 0) return marked.flatMap((mark) => known.rooms.map((room) => `${mark}${room}`))
  const [room = ""] = plain
  switch (all[plain.length - 1]?.kind) {
    case "user":
      return known.users
    case "member":
      return orAll(known.membersOf(room), known)
    case "bound":
      return orAll(known.boundIn(room), known)
    case "here":
    case "room":
      return known.rooms
    case "command":
      return commands.map(({ name }) => name)
    default:
      return []
  }
}

/** Where nobody is known, it may be anybody. */
const orAll = (some: ReadonlyArray<string>, { users }: KnownNames): ReadonlyArray<string> =>
  some.length === 0 ? users : some

const isLeadingWord = (word: string): boolean => /^(?:in:|#\d)/i.test(word)
