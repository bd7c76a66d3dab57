/**
 * When one name looks like another: pure. Names go in, `Look`s come out; two names look alike if they share one.
 *
 * A look is a name whose case is folded, whose characters are replaced by what they look like (UTS #39, section 4), and
 * whose case is folded again, and so on until nothing changes: "rn" for "m" also where the m comes of such a replacement.
 *
 * A name has two looks where its capitals look like others than its small letters do: the small i is like no l, the
 * capital is, and the Greek ΝΝ is like NN while νν is like vv. One is that of the folded name, which all its spellings
 * share; the other that of the name as it is shown.
 *
 * Not looked at: what right-to-left letters do to the order in which a line is shown (UTS #39's bidiSkeleton).
 */
import { Schema } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { groups } from "./Confusables.ts"

/** What names that look alike share. Only for comparing and indexing, never shown. */
export const Look = Schema.String.pipe(Schema.brand("Look"))
export type Look = typeof Look.Type

const codePointsOf = (text: string, separator: string) =>
  text.split(separator).map((digits) => Number.parseInt(digits, 36))

/** What each character looks like, of those that are not their own prototype. */
const prototypes: ReadonlyMap<string, string> = new Map(
  groups
    .trim()
    .split(/\s/)
    .flatMap((group) => {
      const [prototype = "", distances = ""] = group.split("=")
      const text = String.fromCodePoint(...codePointsOf(prototype, "+"))
      let codePoint = 0
      return codePointsOf(distances, ",").map((distance): [string, string] => {
        codePoint += distance
        return [String.fromCodePoint(codePoint), text]
      })
    })
)

const ignorable = /\p{Default_Ignorable_Code_Point}/gu

/** The internal skeleton of UTS #39: two texts that have the same one are easily taken for each other. */
export const skeleton = (text: string): string => {
  let replaced = ""
  for (const character of text.normalize("NFD").replaceAll(ignorable, "")) {
    replaced += prototypes.get(character) ?? character
  }
  return replaced.normalize("NFD")
}

/** A second round changes 35 of the 150,000 letters, a third none. */
const maxRounds = 4

/** The look of a text whose case is folded. */
const lookOf = (folded: string): Look => {
  let look = folded
  for (let round = 0; round < maxRounds; round++) {
    const next = skeleton(look)
    if (next === look) break
    look = nameKey(next)
  }
  return Look.make(look)
}

/** The looks of a name: of its folded form, which all spellings share, and of this spelling if that is another. */
export const looksOf = (name: UserName): ReadonlyArray<Look> => {
  const key: string = nameKey(name)
  const folded = lookOf(key)
  if (key === name) return [folded]
  const shown = lookOf(nameKey(skeleton(name)))
  return shown === folded ? [folded] : [folded, shown]
}
