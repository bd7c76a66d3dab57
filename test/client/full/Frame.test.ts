import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Intention from "../../../src/client/core/chat/Intention.ts"
import * as Talk from "../../../src/client/core/chat/Talk.ts"
import { frameOf } from "../../../src/client/full/Frame.ts"
import { cellsOfRow, textOf } from "../../../src/client/full/Row.ts"
import * as Scroll from "../../../src/client/full/Scroll.ts"
import { talkOf, type View } from "../../../src/client/full/View.ts"
import { cellsOf } from "../../../src/client/text/Grapheme.ts"
import { tries, wholeNumber } from "../../support/generators.ts"
import { NastyText } from "../NastyText.ts"
import { after, begin, connected, noon, pressed, received, rowsIn, said } from "./Drawn.ts"

const sizes = [
  [80, 24],
  [120, 40],
  [50, 20],
  [40, 10]
] as const

const morning = [
  connected,
  received({ _tag: "Presence", joined: ["ada", "ben", "carol"], left: [], all: true }),
  said(1, "ada", "Good morning!"),
  said(2, "ada", "Who waters the tomatoes?"),
  said(3, "ben", "I do"),
  said(4, "carol", "Thank you @ben", { replyTo: 3 }),
  received({ _tag: "Reacted", seq: 5, at: noon, from: "ada", target: 3, reaction: "👍" }),
  received({ _tag: "Edited", seq: 6, at: noon, from: "ada", target: 1, content: "Good morning, all!" }),
  said(7, "carol", "oops"),
  received({ _tag: "Deleted", seq: 8, at: noon, from: "carol", target: 7 }),
  received({ _tag: "Muted", seq: 9, at: noon + 600_000, from: "ada", user: "carol", reason: "flood" })
]

const unsafe = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/u

/** Every row fits, and there are as many as the screen has. */
const assertFits = (view: View) => {
  const { columns, rows: height } = view.size
  const { cursor, rows } = frameOf(view)
  assert.isAtMost(rows.length, height)
  for (const row of rows) {
    assert.isAtMost(cellsOfRow(row), columns, textOf(row))
    assert.strictEqual(cellsOfRow(row), cellsOf(textOf(row)))
    assert.notMatch(textOf(row), unsafe)
  }
  if (cursor === undefined) return
  assert.isBelow(cursor.x, columns)
  assert.isBelow(cursor.y, height)
}

describe.each(sizes)("a screen of %i columns and %i rows", (columns, rows) => {
  const view = after(begin(columns, rows), ...morning)
  const all = rowsIn(view)
  const shows = (text: string) => all.some((row) => row.includes(text))

  it("is filled, and names before what is typed where that goes", () => {
    assert.strictEqual(all.length, rows)
    assert.match(all.at(-1) ?? "", /^lobby›/)
    assertFits(view)
  })

  it("shows the newest messages, whose they are, and what was done to them", () => {
    assert.isTrue(shows("carol │ ↳ ben: I do"))
    assert.isTrue(shows("│ Thank you @ben"))
    assert.isTrue(shows("│ deleted"))
    assert.isTrue(shows("— │ ada muted carol for good:"))
    if (rows > 10) {
      assert.isTrue(shows("ada │ Good morning, all!"))
      assert.isTrue(shows("│ (edited)"))
      assert.isTrue(shows("│ 👍 ada"))
    }
  })

  it("marks what names its reader", () => {
    assert.isTrue(all.some((row) => /\* *carol │ ↳ ben/.test(row)))
  })

  it("has bars beside the messages where there is room, and what waits elsewhere on the status line in any case", () => {
    const hasLeft = columns >= 60
    assert.strictEqual(all[0]?.startsWith("1 lobby"), hasLeft)
    assert.strictEqual(all[1]?.startsWith("2 dev") && all[1].includes("@3"), hasLeft)
    assert.strictEqual(shows("3 here"), columns >= 100)
    assert.include(all.at(-2), "dev @3  @ada @2")
  })

  it("shows the page of keys, and goes back", () => {
    const { view: help } = pressed(view, "f1")
    assert.isTrue(rowsIn(help).some((row) => row.includes("Enter")))
    assertFits(help)
    assert.deepStrictEqual(rowsIn(pressed(help, "escape").view), all)
  })

  it("stays on the message at the top, whatever comes and however wide it gets, until one returns", () => {
    const many = Array.from({ length: 60 }, (_, index) => said(10 + index, "ada", `number ${index}`))
    const { view: back } = pressed(after(view, ...many), "pageup", "pageup")
    const top = frameOf(back).pane.top?.seq
    const more = after(back, ...Array.from({ length: 12 }, (_, index) => said(70 + index, "carol", `later ${index}`)))
    assert.strictEqual(frameOf(more).pane.top?.seq, top)
    assert.deepStrictEqual(frameOf(more).pane.rows, frameOf(back).pane.rows)
    assert.match(rowsIn(more).at(-2) ?? "", /↓ \d+ newer \(End\)/)
    const wider = { ...more, size: { columns: columns + 17, rows: rows + 3 } }
    assert.strictEqual(frameOf(wider).pane.top?.seq, top)
    const { view: returned } = pressed(more, "end")
    assert.isTrue(rowsIn(returned).some((row) => row.includes("later 11")))
  })

  it("goes up and down again to where it was", () => {
    const many = Array.from({ length: 60 }, (_, index) => said(10 + index, "ada", `number ${index}\nsecond line`))
    const start = after(view, ...many)
    const { view: up } = pressed(start, "pageup", "pageup", "pageup")
    const { view: down } = pressed(up, "pagedown", "pagedown", "pagedown")
    assert.deepStrictEqual(frameOf(down).pane.rows, frameOf(start).pane.rows)
  })
})

describe("The line behind which all is new", () => {
  it("stands before what came while nobody looked, and goes with the next look elsewhere", () => {
    const away = { ...after(begin(80, 24), connected, said(1, "ada", "old")) }
    const left = { ...away, chat: Intention.lookAt(away.chat, false) }
    const came = after(left, said(2, "ada", "fresh"))
    const back = { ...came, chat: Intention.lookAt(came.chat, true) }
    const rows = rowsIn(back)
    const line = rows.findIndex((row) => / new ─/.test(row))
    assert.include(rows[line - 1], "old")
    assert.include(rows[line + 1], "fresh")
    const { view: returned } = pressed(back, "alt+2", "alt+1")
    assert.isFalse(rowsIn(returned).some((row) => / new ─/.test(row)))
  })
})

describe("Who came and went", () => {
  const moved = (joined: ReadonlyArray<string>, left: ReadonlyArray<string>) =>
    received({ _tag: "Presence", joined, left })
  const speakers = ["ada", "bob", "carol", "dan", "eve"]
  const spoken = [connected, ...speakers.map((from, index) => said(index + 1, from, `this is ${from}`))]
  const view = () => ({ ...after(begin(80, 24), ...spoken), now: noon + 6 * 60_000 })

  it("is told in few words behind the message they followed, and is unread nowhere", () => {
    const before = view()
    const gone = after(
      before,
      moved([], speakers),
      moved([], ["stranger"]),
      said(6, "eve", "again"),
      moved(["ada"], [])
    )
    const rows = rowsIn(gone)
    const at = rows.findIndex((row) => row.includes("— │ ada, bob and 3 more left"))
    assert.include(rows[at - 1], "this is eve")
    assert.match(rows[at + 1] ?? "", /eve │ again/)
    assert.include(rows[at + 2], "— │ ada joined")
    assert.isFalse(rows.some((row) => row.includes("stranger")))
    assert.strictEqual(Talk.unread(talkOf(gone)), Talk.unread(talkOf(after(before, said(6, "eve", "again")))))
    const both = after(before, moved(["ada", "bob"], []), moved([], ["eve"]))
    assert.isTrue(rowsIn(both).some((row) => row.includes("ada and bob joined; eve left")))
  })

  it("moves with the messages between which it was", () => {
    const gone = after(view(), moved([], ["ada"]))
    const many = after(gone, ...Array.from({ length: 80 }, (_, index) => said(10 + index, "bob", `number ${index}`)))
    assert.isFalse(rowsIn(many).some((row) => row.includes("ada left")))
    let back = many
    for (let page = 0; page < 6; page++) back = pressed(back, "pageup").view
    const rows = rowsIn(back)
    const at = rows.findIndex((row) => row.includes("ada left"))
    assert.include(rows[at - 1], "this is eve")
    assert.include(rows[at + 1], "number 0")
  })

  it("tells nothing of whom one does not want to hear", () => {
    const ignoring = pressed(view(), "type::ignore ada", "enter").view
    assert.isFalse(rowsIn(after(ignoring, moved([], ["ada"]))).some((row) => row.includes("ada left")))
  })
})

describe("Whatever others say", () => {
  const Hostile = Schema.Array(Schema.Tuple([Schema.Literals(["ada", "bob", "Σας"]), NastyText])).check(
    Schema.isMaxLength(12)
  )

  it.prop(
    "fits on the screen, and nothing of it is obeyed by a terminal",
    { hostile: Hostile, columns: wholeNumber(1, 130), rows: wholeNumber(1, 45) },
    ({ columns, hostile, rows }) => {
      const events = hostile.flatMap(([from, text], index) => {
        const content = text.join("")
        if (content === "") return []
        // As it could come from a server that checks nothing.
        const entry = { seq: index + 1, at: noon + index * 7_000_000, from, content }
        return [{ _tag: "Received", message: { _tag: "GlobalMessage", ...entry } } as ReturnType<typeof said>]
      })
      const view = after(begin(columns, rows), connected, ...events)
      assertFits(view)
      assertFits(Scroll.up(view, 5))
      assertFits(pressed(view, "f2", "f3", "f1").view)
      assertFits(pressed(view, "f1", "escape", "ctrl+k", "type:a").view)
      assertFits(pressed(view, "type:日本語のテキスト that goes on for longer than a row has cells", "alt+enter").view)
    },
    tries(40)
  )

  it.prop(
    "never looks as if another one said it: behind the line that divides names from text stands text alone",
    { text: NastyText },
    ({ text }) => {
      const content = text.join("").replaceAll("\u0000", "")
      if (content.trim() === "") return
      const event = said(1, "bob", "before")
      const hostile = { _tag: "Received", message: { _tag: "GlobalMessage", seq: 2, at: noon, from: "bob", content } }
      const rows = rowsIn(after(begin(50, 20), connected, event, hostile as typeof event))
      const names = rows.slice(1, -2).flatMap((row) => (row.includes(" │ ") ? [row.slice(6, 16).trim()] : []))
      assert.isTrue(names.every((name) => name === "bob" || name === ""))
    },
    tries(60)
  )
})
