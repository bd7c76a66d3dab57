/**
 * What user names and room names have in common: their alphabet, and when two of them are the same name.
 *
 * A name keeps the spelling it was first written with (after NFKC, Unicode Standard Annex #15); two names are the same
 * when their `NameKey`s are equal, so that `Ada`, `ADA` and the full-width `Ａｄａ` cannot be three people.
 */
import { Schema, SchemaTransformation } from "effect"
import { foldName } from "./FoldName.ts"

/** Many scripts write vowels and other parts of a letter as marks behind it: हिन्दी. Three are enough for all of them. */
const wordOf = (marks: number) => String.raw`(?:\p{L}\p{M}{0,${marks}}|\p{Nd})(?:\p{L}\p{M}{0,${marks}}|[\p{Nd}_.-])*`
const word = wordOf(3)
const alphabet = new RegExp(`^${word}$`, "u")
/** Two names as they are compared, each behind a tilde, which is in none. Case folding may give a letter another mark. */
const folded = wordOf(4)
const paired = new RegExp(`^(?:${word}|~${folded}~${folded})$`, "u")
/** Case folding makes three characters of one at most, of two names with 32 each. */
const maxPaired = 2 * (1 + 3 * 32)

/** What generated names are made of: a few letters of several scripts, cases and planes, for `\p{L}` is not constructive. */
const samples = "^(?:[0-9A-Za-zßÉéΣσςЖж漢字𠀀]|हि|न्|שָׁ)(?:[0-9A-Za-zßÉéΣσςЖж漢字𠀀_.-]|हि|दी|שָׁ)*$"

/** The Hangul fillers are letters that nobody can see: with one of them, two names would look the same. */
const isVisible = Schema.makeFilter<string>((name) => !/\p{Default_Ignorable_Code_Point}/u.test(name), {
  message: "must not hold letters that cannot be seen"
})

/** Letters may be typed as their parts: UTF-16 units for each character that is left. */
const unitsPerCharacter = 8

/** Normalising takes a time that grows with the square of a run of marks, 1.1 s for 32,000: nothing longer is normalised. */
const isShort = (maxCodePoints: number) => (name: string) => name.length <= maxCodePoints * unitsPerCharacter

const isNormalized = (maxCodePoints: number) =>
  Schema.makeFilter<string>((name) => !isShort(maxCodePoints)(name) || name.normalize("NFKC") === name, {
    message: "must be in Unicode normalization form NFKC"
  })

/**
 * A string that is a valid name already: NFKC, 1 to `maxCodePoints` characters (Unicode code points). `isPaired`: or one that is
 * made of two.
 */
export const normalizedName = (maxCodePoints: number, { isPaired = false } = {}) =>
  Schema.String.check(
    Schema.isPattern(isPaired ? paired : alphabet, {
      message:
        "must start with a letter or digit and hold only letters with up to three marks, digits, '_', '.' and '-'",
      arbitraryConstraint: { patterns: [{ source: samples, flags: "u" }] }
    }),
    isPaired
      ? Schema.makeFilter<string>(
          (name) => [...name].length <= (name.startsWith("~") ? maxPaired : maxCodePoints) && name !== "",
          {
            message: `must have 1 to ${maxCodePoints} characters`,
            arbitraryConstraint: { minLength: 1, maxLength: maxCodePoints }
          }
        )
      : Schema.isBetweenCodePoints(1, maxCodePoints, { message: `must have 1 to ${maxCodePoints} characters` }),
    isNormalized(maxCodePoints),
    isVisible
  )

/**
 * A letter with its three marks may be typed as its parts, and some of the marks too. Normalising a thousand bytes of marks
 * without a letter between them takes 1 to 3 ms.
 */
const hasFewMarks = (name: string): boolean => !/\p{M}{9}/u.test(name)

/** What may be typed for a name of so many characters. */
export const typedName = (maxCodePoints: number) =>
  Schema.String.check(
    Schema.makeFilter<string>(hasFewMarks, { message: "must hold only letters with up to three marks" }),
    Schema.makeFilter<string>(isShort(maxCodePoints), { message: `must have 1 to ${maxCodePoints} characters` })
  )

/** Brings what was typed into the one form names are kept in. */
export const normalizing = SchemaTransformation.transform<string, string>({
  decode: (typed) => typed.normalize("NFKC"),
  encode: (name) => name
})

/** What two spellings of one name share. Only for comparing and indexing, never shown. */
export const NameKey = Schema.String.pipe(Schema.brand("NameKey"))
export type NameKey = typeof NameKey.Type

/** The key of a name. */
export const nameKey = (name: string): NameKey => NameKey.make(foldName(name))
