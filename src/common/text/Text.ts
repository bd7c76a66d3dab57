/**
 * What every string of the protocol has in common: no half of a surrogate pair, which has no UTF-8 form, and no NUL, at
 * which SQLite and C end a text. A database would give such a string back as another one.
 */
import { Schema } from "effect"

const isWhole = Schema.makeFilter<string>((text) => text.isWellFormed() && !text.includes("\u0000"), {
  message: "must not hold half a surrogate pair or a NUL character"
})

/** A string of so many UTF-16 units. */
export const text = (minimum: number, maximum: number) =>
  Schema.String.check(
    Schema.isBetweenLength(minimum, maximum, {
      message:
        minimum === 0 ? `must have at most ${maximum} characters` : `must have ${minimum} to ${maximum} characters`
    }),
    isWhole
  )

/** What one end says to a person at the other: a sentence or a few. */
export const Sentence = text(0, 2000)
