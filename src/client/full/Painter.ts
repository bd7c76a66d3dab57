/**
 * Puts frames on a renderer of @opentui/core: one renderable, which draws the rows of the newest frame. The library is handed in,
 * since it is loaded only where there is a full screen.
 *
 * Colours are the terminal's own sixteen, so they follow its theme; with colours off there are only bold, dim and inverse. Links are
 * hyperlinks (OSC 8) where the library has found that the terminal knows them; see Hyperlinks.
 */
import type * as OpenTui from "@opentui/core"
import { Hash } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import { safeLine } from "../text/SafeText.ts"
import type { Frame } from "./Frame.ts"
import * as Hyperlinks from "./Hyperlinks.ts"
import { cellsOfSpan, type Look } from "./Row.ts"
import type { Pointer } from "./Wish.ts"

type Library = typeof OpenTui

/** Of the sixteen: no red, which is for errors, and none that is the usual background. */
const userColours = [2, 3, 4, 5, 6, 10, 11, 12, 13, 14]
const [red, cyan, yellow] = [1, 6, 11]

/** Where a frame comes from when one is to be drawn, and who hears of the mouse. */
export interface Painted {
  readonly frame: () => Pick<Frame, "cursor" | "rows">
  readonly point: (pointer: Pointer) => void
  readonly hasColours: boolean
}

/** Spaces are there already. */
const blank = /^ */

const bits = { bold: 1, dim: 2, italic: 4, underline: 8, inverse: 32, strike: 128 } as const

const attributesOf = ({ bold = false, italic = false, link, strike = false, tone }: Look): number =>
  (bold ? bits.bold : 0) |
  (italic ? bits.italic : 0) |
  (link === undefined ? 0 : bits.underline) |
  (strike ? bits.strike : 0) |
  (tone === "faint" ? bits.dim : 0) |
  (tone === "bar" || tone === "chosen" ? bits.inverse : 0)

const colourOf = ({ tone, user }: Look): number | undefined => {
  if (user !== undefined) return userColours[Math.abs(Hash.string(nameKey(user))) % userColours.length]
  if (tone === "error") return red
  if (tone === "accent") return cyan
  return tone === "mention" ? yellow : undefined
}

export const paint = (library: Library, renderer: OpenTui.CliRenderer, painted: Painted): void => {
  const { Renderable, RGBA } = library
  const foreground = RGBA.defaultForeground()
  const background = RGBA.defaultBackground()
  const colours = new Map<number, OpenTui.RGBA>()
  const colourAt = (index: number | undefined): OpenTui.RGBA => {
    if (index === undefined || !painted.hasColours) return foreground
    const known = colours.get(index)
    if (known !== undefined) return known
    const made = RGBA.fromIndex(index)
    colours.set(index, made)
    return made
  }

  const links = Hyperlinks.make(library, renderer, background)

  class Canvas extends Renderable {
    protected override destroySelf(): void {
      links.close()
      super.destroySelf()
    }

    protected override renderSelf(buffer: OpenTui.OptimizedBuffer): void {
      const { cursor, rows } = painted.frame()
      for (const [y, row] of rows.entries()) {
        let x = 0
        for (const piece of row) {
          const { look, text } = piece
          const isSeen = look.tone === "bar" || look.tone === "chosen" || blank.exec(text)?.[0].length !== text.length
          if (!isSeen) {
            x += text.length
            continue
          }
          // Whatever it is, it is safe: this is the last place before the terminal.
          const shown = safeLine(text)
          const colour = colourAt(colourOf(look))
          const attributes = attributesOf(look)
          if (
            look.link === undefined ||
            !links.draw(buffer, { text: shown, x, y, target: look.link, colour, attributes })
          ) {
            buffer.drawText(shown, x, y, colour, background, attributes)
          }
          x += cellsOfSpan(piece)
        }
      }
      links.drawn()
      // The library counts from one.
      renderer.setCursorPosition((cursor?.x ?? 0) + 1, (cursor?.y ?? 0) + 1, cursor !== undefined)
    }
  }

  renderer.root.add(
    new Canvas(renderer, {
      width: "100%",
      height: "100%",
      onMouseDown: ({ x, y }) => painted.point({ _tag: "Click", x, y }),
      onMouseScroll: ({ scroll, x, y }) => {
        if (scroll?.direction === "up" || scroll?.direction === "down") {
          painted.point({ _tag: "Wheel", isUp: scroll.direction === "up", x, y })
        }
      }
    })
  )
}
