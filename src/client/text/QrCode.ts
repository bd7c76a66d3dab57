/**
 * Short texts as QR codes (ISO/IEC 18004) of half blocks, for a phone that looks at a terminal. Pure.
 *
 * A row of text holds two rows of modules; ink is dark, and blanks are light. Around it are the four light modules that the standard
 * asks for (9.1). Whether ink is darker than what it is on is the terminal's theme to say, and readers of inverted codes are rare: a
 * screen paints the rows, quiet zone too, black on white (`painted`, or its own colours).
 *
 * Digits alone take a third of a byte each and letters in capitals two thirds (7.4): 60 digits make a code of 33 columns and 17 rows.
 *
 * Bounds: 33 modules (version 4) and so 41 columns and 21 rows; up to 62 bytes, 90 capitals or 149 digits. At least 15% of a code
 * may be hidden (level M), and more where the version has room for it.
 */
import { Result } from "effect"
import { encode } from "uqr"

export interface Space {
  readonly columns: number
  readonly rows: number
}

const quietZone = 4
const maxVersion = 4

/** The rows, all of one length; undefined where there is no room for them, or the text is too long. Then the text has to do. */
export const qrCode = (text: string, space: Space): ReadonlyArray<string> | undefined => {
  const encoded = Result.try(() => encode(text, { border: quietZone, boostEcc: true, ecc: "M", maxVersion }))
  if (Result.isFailure(encoded)) return undefined
  const { data, size } = encoded.success
  const height = Math.ceil(size / 2)
  if (size > space.columns || height > space.rows) return undefined
  return Array.from({ length: height }, (_, row) =>
    Array.from({ length: size }, (_, column) =>
      blockOf(data[2 * row]?.[column] === true, data[2 * row + 1]?.[column] === true)
    ).join("")
  )
}

const blockOf = (isUpperDark: boolean, isLowerDark: boolean): string => {
  if (isUpperDark) return isLowerDark ? "█" : "▀"
  return isLowerDark ? "▄" : " "
}

/**
 * For a terminal that knows SGR (ECMA-48, 8.3.117; not TERM=dumb): black on white of the fixed 256 colours, which no theme changes.
 * It is not for show: also where colours are off.
 */
export const painted = (rows: ReadonlyArray<string>): ReadonlyArray<string> =>
  rows.map((row) => `\u001b[0;38;5;16;48;5;231m${row}\u001b[0m`)
