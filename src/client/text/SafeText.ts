/**
 * Makes text from others harmless for a terminal or a log, keeping what a person would want to read.
 *
 * Out go: control characters (C0 and C1, ECMA-48), so that no escape sequence survives; bidirectional controls, which
 * can show a line in another order than it has (UAX #9); every other character that is not to be seen, but for the
 * joiners and variation selectors that emoji and some scripts are made of; halves of surrogate pairs; and of the marks
 * on one letter all beyond the fourth, which would climb over the lines above.
 */

const wanted = new Set(["\n", "\t", "\u200c", "\u200d", "\ufe0e", "\ufe0f"])
const unwanted = /[\p{Cc}\p{Cf}\p{Cs}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]/u
const mark = /\p{M}/u
const joiner = /[\u200c\u200d]/
const suspicious = /[^\x20-\x7e]/
const maxMarks = 4

/** Line breaks of all kinds become "\n"; tabs stay. */
export const safeText = (text: string): string => {
  if (!suspicious.test(text)) return text
  let safe = ""
  let marks = 0
  for (const character of text.replace(/\r\n?|[\u2028\u2029]/g, "\n")) {
    if (!isWanted(character)) continue
    if (mark.test(character)) marks += 1
    else if (!joiner.test(character)) marks = 0
    if (marks <= maxMarks) safe += character
  }
  return safe
}

const isWanted = (character: string): boolean => !unwanted.test(character) || wanted.has(character)

/** The same on one line, each line break shown as "⏎". */
export const safeLine = (text: string): string => safeText(text).replaceAll("\n", " ⏎ ").replaceAll("\t", " ")
