/** What a phone sees that looks at a terminal: cells in colours as pixels. It knows nothing of QR codes. */

interface Photograph {
  /** RGBA, as a canvas has it. */
  readonly pixels: Uint8ClampedArray
  readonly width: number
  readonly height: number
}

/** Of a cell, twice as high as wide. */
const cellWidth = 4
const cellHeight = 8
/** Of other cells around what is looked at. */
const margin = 3

/** SGR alone (ECMA-48, 8.3.117). */
const sequence = new RegExp(`${String.fromCodePoint(27)}\\[([\\d;]*)m`)

const dark = 0
const light = 255

/** Which colours stand between here and the next sequence; undefined: the theme's. */
interface Ink {
  readonly ink: number | undefined
  readonly paper: number | undefined
}
const unpainted: Ink = { ink: undefined, paper: undefined }

const inkOf = (colours: string): Ink => {
  if (colours === "0") return unpainted
  if (colours === "0;38;5;16;48;5;231") return { ink: dark, paper: light }
  throw new Error(`This terminal does not know ${colours}`)
}

/** A terminal with such a theme that shows these rows in its middle. */
export const photograph = (rows: ReadonlyArray<string>, theme: "dark" | "light"): Photograph => {
  const [ink, paper] = theme === "dark" ? [light, dark] : [dark, light]
  const cells = rows.map((row) => {
    let now = unpainted
    return row.split(sequence).flatMap((piece, index) => {
      if (index % 2 === 1) {
        now = inkOf(piece)
        return []
      }
      const shown = { ink: now.ink ?? ink, paper: now.paper ?? paper }
      return Array.from(piece, (block) => ({ block, ...shown }))
    })
  })
  const columns = Math.max(...cells.map((row) => row.length)) + 2 * margin
  const [width, height] = [columns * cellWidth, (rows.length + 2 * margin) * cellHeight]
  const pixels = new Uint8ClampedArray(width * height * 4)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const cell = cells[Math.floor(y / cellHeight) - margin]?.[Math.floor(x / cellWidth) - margin]
      const isUpper = y % cellHeight < cellHeight / 2
      const isInk = cell !== undefined && (cell.block === "█" || cell.block === (isUpper ? "▀" : "▄"))
      const grey = cell === undefined ? paper : isInk ? cell.ink : cell.paper
      pixels.set([grey, grey, grey, 255], (y * width + x) * 4)
    }
  }
  return { pixels, width, height }
}
