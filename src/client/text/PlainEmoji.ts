/**
 * Emoji as every terminal draws them in the same number of cells: for those that count characters one by one (wcwidth), as tmux and
 * xterm do. Pure.
 *
 * There "❤️" is one cell and "👍🏽" four, where others draw two of each: what stood in the second cell before stays in it, or the next
 * letter stands on what is too much. So the first character is drawn alone, and blank what is left of its cells.
 */
import { cellsOf, graphemesOf } from "./Grapheme.ts"

const composed = /\ufe0f|\p{Emoji_Modifier}|\u20e3/u
const first = /^[^](?:\ufe0f?\u20e3)?/u

/** In as many cells. */
export const plainEmoji = (text: string): string => {
  if (!composed.test(text)) return text
  let plain = ""
  for (const piece of graphemesOf(text))
    plain += composed.test(piece.text) ? alone(piece.text, piece.cells) : piece.text
  return plain
}

const alone = (piece: string, cells: number): string => {
  const shown = (first.exec(piece)?.[0] ?? piece).replace("\ufe0f", "")
  return `${shown}${" ".repeat(Math.max(0, cells - cellsOf(shown)))}`
}
