/**
 * A text of several lines that was pasted, as messages: one, or as few as it takes, cut between lines where that can be. Pure.
 */
import { maxContentCodePoints } from "../../common/text/Content.ts"

/** In UTF-16 units: this many are never more characters than a message may have. */
const maxPiece = maxContentCodePoints

export const piecesOf = (text: string): ReadonlyArray<string> => {
  const pieces: Array<string> = []
  let rest = text
  while (rest.length > maxPiece) {
    const lineEnd = rest.lastIndexOf("\n", maxPiece)
    const isCutInLine = lineEnd <= 0
    const end = isCutInLine ? wholeUpTo(rest, maxPiece) : lineEnd
    pieces.push(rest.slice(0, end))
    rest = rest.slice(isCutInLine ? end : end + 1)
  }
  return [...pieces, rest].filter((piece) => piece.trim() !== "")
}

/** No character is cut in two. */
const wholeUpTo = (text: string, end: number): number => (/[\ud800-\udbff]/.test(text.charAt(end - 1)) ? end - 1 : end)
