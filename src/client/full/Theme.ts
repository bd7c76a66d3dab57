/**
 * The colours of the screen, as the person wants them. Pure.
 *
 * `terminal` has the terminal's own sixteen and follows whatever the person has made of them; nothing is certain there about what can be
 * read on what. `dark` and `light` bring their own background, so that it is: every colour of theirs has a contrast of 4.5 to 1 with
 * it at least (WCAG 2.2, 1.4.3). `none` has bold, dim and inverse alone.
 *
 * Colours of people: sixteen that differ from each other by 0.1 at least in OKLab (Ottosson, "A perceptual color space for image
 * processing", 2020), none of them like an error's. They are found by taking again and again what is furthest from all that was taken.
 */
import type { Look } from "./Row.ts"

/** One of the terminal's own, by its number, or `#rrggbb`. */
export type Colour = number | string

export interface Theme {
  /** Undefined: the terminal's. */
  readonly foreground: Colour | undefined
  readonly background: Colour | undefined
  /** Of those that are not there, the foreground's. */
  readonly tones: Readonly<Partial<Record<Look["tone"], Colour>>>
  /** Where faint has no colour of its own, the terminal dims the foreground. */
  readonly people: ReadonlyArray<Colour>
  /** Which of them look alike: those of one family. */
  readonly families: ReadonlyArray<number>
}

export const themeNames = ["dark", "light", "terminal", "none"] as const
export type ThemeName = (typeof themeNames)[number]

/** No red, which is for errors, and none that is the usual background. A bright one is like the other of its kind. */
const sixteen = [2, 3, 4, 5, 6, 10, 11, 12, 13, 14]

const families = (people: ReadonlyArray<Colour>): ReadonlyArray<number> => people.map((_, index) => index)

const darkPeople =
  "#07e5b6 #ebe61b #66a70c #cc60ce #fa9ff2 #7085ff #d7a10c #73d1fe #fec57e #10aa91 #a1ca08 #08ade5 #87fe88 #bf825e #a2c390 #b498f3".split(
    " "
  )
const lightPeople =
  "#774c73 #04299e #1c7f02 #4b66e2 #084b0f #662703 #5d0878 #be3588 #954bc7 #8f5d04 #044262 #94055e #5432b2 #0560a3 #512f4f #565524".split(
    " "
  )

const none: Theme = { foreground: undefined, background: undefined, tones: {}, people: [], families: [] }

export const themes: Readonly<Record<ThemeName, Theme>> = {
  none,
  terminal: {
    ...none,
    tones: { accent: 6, error: 1, mention: 11 },
    people: sixteen,
    families: sixteen.map((index) => index % 8)
  },
  dark: {
    foreground: "#dfe3ea",
    background: "#14161b",
    tones: { faint: "#9aa3b2", accent: "#6cb6ff", error: "#ff7b72", mention: "#ffd866" },
    people: darkPeople,
    families: families(darkPeople)
  },
  light: {
    foreground: "#1f2328",
    background: "#fbfbf9",
    tones: { faint: "#5b6470", accent: "#0b5cad", error: "#b3261e", mention: "#8a5a00" },
    people: lightPeople,
    families: families(lightPeople)
  }
}

/** What the config file may say of single tones. */
const overridable = ["text", "faint", "accent", "error", "mention"] as const
export type Overrides = Readonly<Partial<Record<(typeof overridable)[number], string>>>

export const themeOf = (name: ThemeName, { text, ...tones }: Overrides): Theme => {
  const theme = themes[name]
  // Without colours there are none.
  if (name === "none") return theme
  return { ...theme, foreground: text ?? theme.foreground, tones: { ...theme.tones, ...tones } }
}
