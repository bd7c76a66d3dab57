/** What a terminal that orders writing makes of the rows: after UAX #9, as far as it goes without controls, which are left out before. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { View } from "../../../src/client/full/View.ts"
import { tries } from "../../support/generators.ts"
import { after, begin, connected, noon, pressed, received, rowsIn, said } from "./Drawn.ts"

type Class = "EN" | "L" | "N" | "R"

const classOf = (character: string): Class => {
  if (/[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/u.test(character)) return "R"
  if (/[0-9]/.test(character)) return "EN"
  return /\p{L}/u.test(character) ? "L" : "N"
}

/** As it is seen from left to right: rules W7, N1, N2, I1 and L2, in a row from left to right. */
const seen = (row: string): string => {
  const characters = Array.from(row)
  const classes = characters.map(classOf)
  let strong: Class = "L"
  for (const [at, one] of classes.entries()) {
    if (one === "L" || one === "R") strong = one
    else if (one === "EN" && strong === "L") classes[at] = "L"
  }
  const side = (one: Class | undefined) => (one === undefined || one === "L" ? "L" : "R")
  const levels = classes.map((one, at) => {
    if (one !== "N") return one === "L" ? 0 : one === "R" ? 1 : 2
    const before = side(classes.slice(0, at).findLast((other) => other !== "N"))
    const behind = side(classes.slice(at).find((other) => other !== "N"))
    return before === "R" && behind === "R" ? 1 : 0
  })
  const order = characters.map((_, at) => at)
  for (const level of [2, 1]) {
    for (let at = 0; at < order.length; at++) {
      let end = at
      while (end < order.length && (levels[order[end] ?? 0] ?? 0) >= level) end += 1
      order.splice(at, end - at, ...order.slice(at, end).toReversed())
      at = Math.max(at, end)
    }
  }
  return order.map((at) => characters[at]).join("")
}

const piecesOf = (row: string) => row.split(/[│ǀ]/u).map((piece) => Array.from(piece).toSorted().join(""))

/** Each piece between the lines stays between them, whatever is done within it. */
const assertKept = (view: View) => {
  for (const row of rowsIn(view)) assert.deepStrictEqual(piecesOf(seen(row)), piecesOf(row), row)
}

const [shira, dan] = ["שירה", "דן 7".replace(" ", "")]
const evening = [
  connected,
  received({ _tag: "Presence", joined: ["ada", "ben", shira, dan], left: [], all: true }),
  received({
    _tag: "RoomJoined",
    room: "שיחה",
    epoch: "e",
    seq: 0,
    missed: 0,
    truncated: false,
    users: [shira],
    count: 1
  }),
  received({ _tag: "RoomMessage", room: "שיחה", seq: 1, at: noon, from: dan, content: "12 שלום 3" }),
  said(1, shira, "12 שלום 3"),
  said(2, dan, "בוקר טוב", { replyTo: 1 }),
  said(3, "ada", "good (morning) שלום", { replyTo: 2 }),
  received({ _tag: "Reacted", seq: 4, at: noon, from: shira, target: 3, reaction: "👍" }),
  received({ _tag: "Reacted", seq: 5, at: noon, from: dan, target: 3, reaction: "🎉" })
]

describe("Writing from right to left", () => {
  it("is put in order as it is by a terminal", () => {
    assert.strictEqual(seen("a אב גד 12 b"), "a 12 דג בא b")
    assert.strictEqual(seen("שירה │ דן"), "ןד │ הריש")
  })

  it("stays where it stands, beside names, times and numbers, at each size", () => {
    for (const [columns, rows] of [
      [120, 40],
      [80, 24],
      [50, 20],
      [18, 20]
    ] as const) {
      const view = after(begin(columns, rows), ...evening)
      assertKept(view)
      assertKept(pressed(view, "alt+up").view)
      const { view: typing } = pressed(after(view), "alt+4", "type:12 ש")
      assertKept(typing)
    }
    const row = rowsIn(after(begin(80, 24), ...evening)).find((one) => one.includes("12 שלום 3"))
    assert.include(row, `${shira} ǀ 12 שלום 3`)
    // What waits in a conversation stands behind its name.
    assert.isTrue(rowsIn(after(begin(80, 24), ...evening)).some((one) => /^\d שיחה +ǀ 1 ǀ/.test(one)))
  })

  it("leaves the lines of other rows as they are", () => {
    assert.isTrue(rowsIn(after(begin(80, 24), connected, said(1, "ada", "hi"))).every((row) => !row.includes("ǀ")))
  })

  const Words = Schema.Array(Schema.Literals(["שלום", "مرحبا", " ", "1", ", ", "(", ")", "a"])).check(
    Schema.isBetweenLength(1, 20)
  )
  it.prop(
    "keeps names beside what is said, whatever that is",
    { from: Schema.Literals(["ada", shira, dan, "مريم"]), words: Words },
    ({ from, words }) => {
      if (words.join("").trim() === "") return
      assertKept(
        after(begin(80, 24), connected, said(1, from, "א"), said(2, from, words.join("")), said(3, shira, "3"))
      )
    },
    tries(60)
  )
})
