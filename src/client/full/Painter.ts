/**
 * Puts frames on a renderer of @opentui/core: one renderable, which draws the rows of the newest frame. The library is handed in,
 * since it is loaded only where there is a full screen.
 *
 * Which colours there are the theme says; with none there are only bold, dim and inverse. Links are hyperlinks (OSC 8) where the
 * library has found that the terminal knows them; see Hyperlinks.
 */
import type * as OpenTui from "@opentui/core"
import { plainEmoji } from "../text/PlainEmoji.ts"
import { safeLine } from "../text/SafeText.ts"
import type { Frame } from "./Frame.ts"
import * as Hyperlinks from "./Hyperlinks.ts"
import * as NameColours from "./NameColours.ts"
import { cellsOfSpan, type Look } from "./Row.ts"
import type { Colour, Theme } from "./Theme.ts"
import type { Pointer } from "./Wish.ts"

type Library = typeof OpenTui

/** Where a frame comes from when one is to be drawn, and who hears of the mouse. */
export interface Painted {
  readonly frame: () => Pick<Frame, "cursor" | "rows">
  readonly point: (pointer: Pointer) => void
  readonly theme: Theme
  /** Whether the terminal draws emoji that are put together as one; else they are drawn as PlainEmoji says. */
  readonly joinsEmoji?: () => boolean
}

/** Spaces are there already, but in what has a background of its own. */
const blank = /^ */
const filled: ReadonlySet<Look["tone"]> = new Set(["bar", "chosen", "code"])

const bits = { bold: 1, dim: 2, italic: 4, underline: 8, inverse: 32, strike: 128 } as const

const attributesOf = ({ bold = false, italic = false, link, strike = false, tone }: Look, { tones }: Theme): number =>
  (bold ? bits.bold : 0) |
  (italic ? bits.italic : 0) |
  (link === undefined ? 0 : bits.underline) |
  (strike ? bits.strike : 0) |
  (tone === "faint" && tones.faint === undefined ? bits.dim : 0) |
  (tone === "bar" || tone === "chosen" ? bits.inverse : 0)

export const paint = (library: Library, renderer: OpenTui.CliRenderer, painted: Painted): void => {
  const { Renderable, RGBA } = library
  const { joinsEmoji = () => true, theme } = painted
  const names = NameColours.make(theme)
  const made = (colour: Colour) => (typeof colour === "number" ? RGBA.fromIndex(colour) : RGBA.fromHex(colour))
  const foreground = theme.foreground === undefined ? RGBA.defaultForeground() : made(theme.foreground)
  const background = theme.background === undefined ? RGBA.defaultBackground() : made(theme.background)
  // Of the fixed 256 colours, which no theme of a terminal changes.
  const [black, white] = [RGBA.fromIndex(16), RGBA.fromIndex(231)]
  const colours = new Map<Colour, OpenTui.RGBA>()
  const colourAt = (colour: Colour | undefined): OpenTui.RGBA => {
    if (colour === undefined) return foreground
    const known = colours.get(colour)
    if (known !== undefined) return known
    const first = made(colour)
    colours.set(colour, first)
    return first
  }
  const colourOf = ({ isListed = false, tone, user }: Look): Colour | undefined => {
    if (user === undefined) return theme.tones[tone]
    return isListed ? names.known(user) : names.of(user)
  }

  const links = Hyperlinks.make(library, renderer, background)

  class Canvas extends Renderable {
    protected override destroySelf(): void {
      links.close()
      super.destroySelf()
    }

    protected override renderSelf(buffer: OpenTui.OptimizedBuffer): void {
      const { cursor, rows } = painted.frame()
      if (theme.background !== undefined) buffer.fillRect(0, 0, this.width, this.height, background)
      const isJoining = joinsEmoji()
      // First who speaks: theirs are the colours, also where they are listed above.
      for (const row of rows) for (const { look } of row) colourOf(look)
      for (const [y, row] of rows.entries()) {
        let x = 0
        for (const piece of row) {
          const { look, text } = piece
          const isSeen = filled.has(look.tone) || blank.exec(text)?.[0].length !== text.length
          if (!isSeen) {
            x += text.length
            continue
          }
          // Whatever it is, it is safe: this is the last place before the terminal.
          const safe = safeLine(text)
          const shown = isJoining ? safe : plainEmoji(safe)
          const colour = colourAt(colourOf(look))
          const attributes = attributesOf(look, theme)
          if (
            look.link === undefined ||
            !links.draw(buffer, { text: shown, x, y, target: look.link, colour, attributes })
          ) {
            const [ink, paper] = look.tone === "code" ? [black, white] : [colour, background]
            buffer.drawText(shown, x, y, ink, paper, attributes)
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
