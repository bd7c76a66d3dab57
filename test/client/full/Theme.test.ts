import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as NameColours from "../../../src/client/full/NameColours.ts"
import { type Colour, themeOf, themes } from "../../../src/client/full/Theme.ts"

type Triple = readonly [number, number, number]

/** Red, green and blue of sRGB as light (IEC 61966-2-1). */
const light = (colour: Colour): Triple => {
  const channel = (at: number) => {
    const value = Number.parseInt(String(colour).slice(at, at + 2), 16) / 255
    return value <= 0.040_45 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }
  return [channel(1), channel(3), channel(5)]
}

/** WCAG 2.2, relative luminance and contrast ratio. */
const luminance = ([red, green, blue]: Triple): number => 0.2126 * red + 0.7152 * green + 0.0722 * blue
const contrast = (one: Colour, other: Colour): number => {
  const [darker = 0, brighter = 0] = [luminance(light(one)), luminance(light(other))].toSorted((a, b) => a - b)
  return (brighter + 0.05) / (darker + 0.05)
}

/** Ottosson, "A perceptual color space for image processing", 2020. */
const oklab = (colour: Colour): Triple => {
  const [r, g, b] = light(colour)
  const l = Math.cbrt(0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b)
  const m = Math.cbrt(0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b)
  const s = Math.cbrt(0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b)
  return [
    0.210_454_255_3 * l + 0.793_617_785 * m - 0.004_072_046_8 * s,
    1.977_998_495_1 * l - 2.428_592_205 * m + 0.450_593_709_9 * s,
    0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766 * s
  ]
}
const distance = (one: Colour, other: Colour): number => {
  const [a, b] = [oklab(one), oklab(other)]
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
}

describe.each(["dark", "light"] as const)("The %s theme", (name) => {
  const { background = "", foreground = "", people, tones } = themes[name]

  it("can be read on its background: 4.5 to 1 at least", () => {
    assert.strictEqual(people.length, 16)
    for (const colour of [foreground, ...Object.values(tones), ...people]) {
      assert.isAtLeast(contrast(colour, background), 4.5, `${colour} on ${background}`)
    }
  })

  it("gives no two people colours that are alike, nor that of errors", () => {
    for (const [index, one] of people.entries()) {
      for (const other of people.slice(index + 1)) assert.isAtLeast(distance(one, other), 0.1, `${one} and ${other}`)
      assert.isAtLeast(distance(one, tones.error ?? ""), 0.1, one.toString())
    }
  })
})

describe("A theme", () => {
  it("takes single tones from the config file, but no colours where there are to be none", () => {
    const mine = themeOf("dark", { text: "#ffffff", accent: "#00ff00" })
    assert.strictEqual(mine.foreground, "#ffffff")
    assert.strictEqual(mine.tones.accent, "#00ff00")
    assert.strictEqual(mine.tones.error, themes.dark.tones.error)
    assert.deepStrictEqual(themeOf("none", { text: "#ffffff" }), themes.none)
  })
})

const Names = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 })))

describe("The colour of a person", () => {
  it.prop("never changes, however many others come", { order: Names }, ({ order }) => {
    const colours = NameColours.make(themes.dark)
    const first = new Map<string, Colour | undefined>()
    for (const name of order.map((number) => `user${number}`)) {
      assert.isUndefined(first.has(name) ? undefined : colours.known(name))
      const colour = colours.of(name)
      assert.strictEqual(colour, first.get(name) ?? colour)
      first.set(name, colour)
      assert.strictEqual(colours.known(name.toUpperCase()), colour)
    }
  })

  it("is another one than that of everybody else, for as many as there are colours", () => {
    for (const theme of [themes.dark, themes.light, themes.terminal]) {
      for (let round = 0; round < 50; round++) {
        const colours = NameColours.make(theme)
        const all = theme.people.map((_, index) => colours.of(`user${round}x${index}`))
        assert.strictEqual(new Set(all).size, theme.people.length)
      }
    }
  })

  it("is of another family than its neighbours', while there is one", () => {
    for (let round = 0; round < 50; round++) {
      const colours = NameColours.make(themes.terminal)
      const all = Array.from({ length: 5 }, (_, index) => Number(colours.of(`user${round}x${index}`)) % 8)
      assert.strictEqual(new Set(all).size, 5)
    }
  })

  it("is not that of any of those who came just before, however many came", () => {
    const colours = NameColours.make(themes.dark)
    const all = Array.from({ length: 500 }, (_, index) => colours.of(`user${index}`))
    for (const [index, colour] of all.entries()) assert.notInclude(all.slice(Math.max(0, index - 7), index), colour)
  })

  it("is remembered of so many people at most", () => {
    const colours = NameColours.make(themes.dark)
    for (let index = 0; index <= NameColours.maxNames; index++) assert.isDefined(colours.of(`user${index}`))
    assert.isDefined(colours.known(`user${NameColours.maxNames - 1}`))
    assert.isUndefined(colours.known(`user${NameColours.maxNames}`))
  })

  it("is mostly the one it had the time before, whoever comes first", () => {
    const names = Array.from({ length: 8 }, (_, index) => `user${index}`)
    const coloursIn = (order: ReadonlyArray<string>) => {
      const colours = NameColours.make(themes.dark)
      for (const name of order) colours.of(name)
      return names.map((name) => colours.known(name))
    }
    const before = coloursIn(names)
    const again = coloursIn(names.toReversed())
    assert.isAtLeast(before.filter((colour, index) => colour === again[index]).length, 5)
  })
})
