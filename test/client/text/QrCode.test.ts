/** Codes as another implementation reads them, off a picture of the terminal. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import jsqr from "jsqr"
import * as LinkCode from "../../../src/client/sealed/LinkCode.ts"
import { digitsIn, numberRows, safetyNumber } from "../../../src/client/sealed/SafetyNumber.ts"
import { painted, qrCode } from "../../../src/client/text/QrCode.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import { photograph } from "./Photograph.ts"

const screen = { columns: 80, rows: 24 }

/** As the least of readers does, which knows no inverted codes. */
const readOff = (rows: ReadonlyArray<string>, theme: "dark" | "light") => {
  const { height, pixels, width } = photograph(rows, theme)
  return jsqr.default(pixels, width, height, { inversionAttempts: "dontInvert" })?.data
}

const drawn = (text: string, space = screen) => qrCode(text, space) ?? []

const numberOf = (root: string) =>
  safetyNumber({ user: UserName.make("ada"), root }, { user: UserName.make("ben"), root: `of ben ${root}` })

describe("A code on a terminal", () => {
  it("of a safety number is read as its 60 digits, whatever the terminal's theme", () => {
    for (const root of ["one", "another"]) {
      const number = numberOf(root)
      const digits = digitsIn(number) ?? ""
      assert.strictEqual(digits, number.replaceAll(" ", ""))
      const rows = drawn(digits)
      assert.deepStrictEqual([rows.length, new Set(rows.map((row) => row.length))], [17, new Set([33])])
      for (const theme of ["dark", "light"] as const) assert.strictEqual(readOff(painted(rows), theme), digits)
    }
  })

  it("has to be painted: a dark theme's ink is light", () => {
    const rows = drawn("0".repeat(60))
    assert.isUndefined(readOff(rows, "dark"))
    assert.isDefined(readOff(rows, "light"))
  })

  it.effect("of a link code is read as what is typed", () =>
    Effect.gen(function* () {
      const code = yield* LinkCode.make
      const rows = drawn(LinkCode.symbolsOf(code))
      assert.isAtMost(rows.length, 17)
      const read = readOff(painted(rows), "dark") ?? ""
      assert.strictEqual(read, LinkCode.symbolsOf(code))
      const laptop = { user: UserName.make("ada"), device: DeviceId.make("laptop") }
      assert.deepStrictEqual(yield* LinkCode.deviceOf(laptop, read, "r"), yield* LinkCode.deviceOf(laptop, code, "r"))
    })
  )

  it.prop(
    "is read as what it was made of, digits, capitals or anything",
    {
      text: Schema.Union([
        Schema.String.check(Schema.isPattern(/^\d{1,149}$/)),
        Schema.String.check(Schema.isPattern(/^[A-Z0-9 $%*+./:-]{1,90}$/)),
        Schema.String.check(Schema.isPattern(/^[ -~]{1,62}$/))
      ])
    },
    ({ text }) => {
      const rows = qrCode(text, screen)
      assert.isDefined(rows, text)
      assert.strictEqual(readOff(painted(rows ?? []), "dark"), text)
    }
  )

  it("has four light modules on each side, and no row longer than another", () => {
    const rows = drawn("1".repeat(60))
    assert.deepStrictEqual(
      [...rows.slice(0, 2), ...rows.slice(-2)].map((row) => row.trim()),
      ["", "", "", ""]
    )
    // The finder patterns begin on the fifth module.
    assert.isTrue(rows.every((row) => row.startsWith("    ") && row.endsWith("    ")))
    assert.isTrue(rows[2]?.startsWith("    █▀▀▀▀▀█ "))
  })

  it("is not drawn where there is no room for it, or too much in it", () => {
    const digits = "1".repeat(60)
    assert.isDefined(qrCode(digits, { columns: 33, rows: 17 }))
    assert.isUndefined(qrCode(digits, { columns: 32, rows: 17 }))
    assert.isUndefined(qrCode(digits, { columns: 33, rows: 16 }))
    assert.isDefined(qrCode("1".repeat(149), { columns: 41, rows: 21 }))
    assert.isUndefined(qrCode("1".repeat(150), screen))
  })
})

describe("A safety number as text", () => {
  it("has its groups in rows of equal length, as many as fit", () => {
    const number = numberOf("one")
    const groups = number.split(" ")
    const layouts = [200, 71, 70, 35, 34, 30, 23, 22, 17, 16, 11, 10, 5].map((columns) => {
      const rows = numberRows(number, columns)
      assert.deepStrictEqual(rows.join(" ").split(" "), groups)
      assert.isTrue(rows.every((row) => row.length <= columns))
      return rows.length
    })
    assert.deepStrictEqual(layouts, [1, 1, 2, 2, 3, 3, 3, 4, 4, 6, 6, 12, 12])
  })

  it("is known however it is spaced, and by all of its digits", () => {
    const number = numberOf("one")
    const digits = number.replaceAll(" ", "")
    assert.strictEqual(digitsIn(numberRows(number, 30).join("\n")), digits)
    assert.strictEqual(digitsIn(` ${number.replaceAll(" ", "-")} `), digits)
    for (const other of [digits.slice(1), `${digits}0`, `${digits.slice(1)}x`, "", `${digits.slice(1)}٣`]) {
      assert.isUndefined(digitsIn(other), other)
    }
  })
})
