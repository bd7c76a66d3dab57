/**
 * The text of a chat message: 1 to 8192 Unicode code points, passed on exactly as written.
 *
 * C0 and C1 control characters (ECMA-48) are refused, newline and tab excepted, and so are lone surrogates: they have
 * no UTF-8 form, so nobody could be given "exactly these characters".
 */
import { Schema } from "effect"

export const maxContentCodePoints = 8192

// eslint-disable-next-line no-control-regex -- refusing control characters is the point
const controls = /[\u0000-\u0008\u000b-\u001f\u0080-\u009f]/

const isPrintable = Schema.makeFilter<string>((text) => !controls.test(text) && text.isWellFormed(), {
  message: "must not hold control characters other than newline and tab, or half a surrogate pair"
})

const isLengthAllowed = Schema.makeFilter<string>((text) => text.length > 0 && isShortEnough(text), {
  message: `must have 1 to ${maxContentCodePoints} characters`,
  arbitraryConstraint: { minLength: 1 }
})

export const Content = Schema.String.check(isLengthAllowed, isPrintable)
export type Content = typeof Content.Type

/** Counts code points only where the cheap bounds (one or two UTF-16 units each) leave a doubt. */
const isShortEnough = (text: string): boolean => {
  if (text.length <= maxContentCodePoints) return true
  if (text.length > 2 * maxContentCodePoints) return false
  let codePoints = 0
  for (const _ of text) codePoints++
  return codePoints <= maxContentCodePoints
}

/** One line of text, of 1 to `maxCodePoints` characters, or of none as well: like content, without newline and tab. */
export const line = (maxCodePoints: number, minCodePoints: 0 | 1 = 1) =>
  Schema.String.check(
    Schema.makeFilter<string>(
      (text) => text.length >= minCodePoints && text.length <= 2 * maxCodePoints && [...text].length <= maxCodePoints,
      {
        message: `must have ${minCodePoints} to ${maxCodePoints} characters`,
        arbitraryConstraint: { minLength: minCodePoints, maxLength: maxCodePoints }
      }
    ),
    Schema.makeFilter<string>((text) => !/[\n\t]/.test(text) && !controls.test(text) && text.isWellFormed(), {
      message: "must not hold control characters or half a surrogate pair"
    })
  )
