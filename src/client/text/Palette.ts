/**
 * The few colours of the client, as SGR sequences (ECMA-48, 8.3.117); with colours off, text stays as it is.
 *
 * They are the terminal's own sixteen, so they follow its theme. Red is for errors alone; every user has one of the
 * others, always the same one.
 */
import { Hash } from "effect"
import { nameKey } from "../../common/name/Name.ts"

export interface Palette {
  readonly dim: (text: string) => string
  readonly error: (text: string) => string
  readonly mention: (text: string) => string
  readonly place: (text: string) => string
  readonly user: (name: string) => string
}

const green = 32
const userColours = [green, 33, 34, 35, 36, 92, 93, 94, 95, 96]

const paint = (code: number, text: string) => `\u001b[${code}m${text}\u001b[0m`

const colourOf = (name: string): number => {
  const index = Math.abs(Hash.string(nameKey(name))) % userColours.length
  return userColours[index] ?? green
}

export const colourful: Palette = {
  dim: (text) => paint(2, text),
  error: (text) => paint(31, text),
  mention: (text) => paint(7, text),
  place: (text) => paint(1, text),
  user: (name) => paint(colourOf(name), name)
}

export const colourless: Palette = {
  dim: (text) => text,
  error: (text) => text,
  mention: (text) => text,
  place: (text) => text,
  user: (name) => name
}
