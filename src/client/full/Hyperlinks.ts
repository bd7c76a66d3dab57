/**
 * Draws text as a hyperlink (OSC 8) on a buffer of @opentui/core, which has a way to that for texts of its own alone: of each piece
 * that is seen one is kept, as long as it is seen.
 *
 * The library writes a target to the terminal as it is given. What it is given here is printable ASCII without a space, so no
 * character of it ends the sequence, or begins another one.
 *
 * Bounds: `maxKept` pieces; targets of `maxTarget` bytes, as many as the library takes. A longer one is drawn as text.
 */
import type * as OpenTui from "@opentui/core"

type Library = typeof OpenTui

/** More than fit on a screen with a few on each row. */
const maxKept = 512
const maxTarget = 512

const isTarget = (target: string): boolean =>
  target.length <= maxTarget && /^(?:https?:\/\/|mailto:)[\x21-\x7e]+$/i.test(target)

interface Piece {
  readonly text: string
  readonly x: number
  readonly y: number
  readonly target: string
  readonly colour: OpenTui.RGBA
  readonly attributes: number
}

interface Kept {
  readonly text: OpenTui.TextBuffer
  readonly view: OpenTui.TextBufferView
}

export interface Hyperlinks {
  /** False if this is no link to the terminal: then it is to be drawn as text. */
  readonly draw: (buffer: OpenTui.OptimizedBuffer, piece: Piece) => boolean
  /** A frame is drawn: what is not on it is given up. */
  readonly drawn: () => void
  readonly close: () => void
}

export const make = (
  { StyledText, TextBuffer, TextBufferView }: Library,
  renderer: OpenTui.CliRenderer,
  background: OpenTui.RGBA
): Hyperlinks => {
  const kept = new Map<string, Kept>()
  const seen = new Set<string>()

  const forget = (key: string, { text, view }: Kept) => {
    view.destroy()
    text.destroy()
    kept.delete(key)
  }

  const keep = (key: string, { attributes, colour, target, text }: Omit<Piece, "x" | "y">): Kept => {
    const made = TextBuffer.create(renderer.widthMethod, renderer.nativeScene)
    const chunk = { __isChunk: true, text, fg: colour, bg: background, attributes, link: { url: target } } as const
    made.setStyledText(new StyledText([chunk]))
    const one = { text: made, view: TextBufferView.create(made) }
    kept.set(key, one)
    return one
  }

  return {
    draw: (buffer, { x, y, ...piece }) => {
      if (renderer.capabilities?.hyperlinks !== true || !isTarget(piece.target) || seen.size >= maxKept) return false
      const { attributes, colour, target, text } = piece
      const key = JSON.stringify([target, text, attributes, colour.toInts()])
      seen.add(key)
      buffer.drawTextBuffer((kept.get(key) ?? keep(key, piece)).view, x, y)
      return true
    },
    drawn: () => {
      for (const [key, one] of kept) if (!seen.has(key)) forget(key, one)
      seen.clear()
    },
    close: () => {
      for (const [key, one] of kept) forget(key, one)
    }
  }
}
