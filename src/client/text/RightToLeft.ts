/**
 * Keeps what is written from right to left from changing the order of what stands beside it on a row. Pure.
 *
 * A terminal that orders writing (UAX #9) orders a whole row at once: two names in Hebrew change their places, with whatever signs and
 * numbers stand between them, and so would a name and what is said. The controls made against that (isolates) do not get there: they
 * have no cell of their own, and @opentui/core 0.8.1 draws none of what has none. A letter does, one that is written from left to
 * right, and looks like the line that divides: nothing of others can close it, and where nothing is ordered it is a line as well.
 */

/** U+01C0, a letter (class L), as narrow as it looks. */
export const wall = "ǀ"

/** What is of class R or AL (UAX #9, table 4), by the blocks it stands in. */
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

export const isRightToLeft = (text: string): boolean => rightToLeft.test(text)

/** With this between them; with a wall, where it is needed. */
export const joined = (parts: ReadonlyArray<string>, separator: string): string =>
  parts.join(parts.some(isRightToLeft) ? ` ${wall} ` : separator)

/** Behind this piece stands another one's: as it is, or with a wall in place of its last space. */
export const walled = (text: string): string => (isRightToLeft(text) ? text.replace(/ $/, wall) : text)
