import { assert, describe, it } from "@effect/vitest"
import { frameOf } from "../../../src/client/full/Frame.ts"
import type { View } from "../../../src/client/full/View.ts"
import { after, begin, connected, pressed, received, rowsIn, said } from "./Drawn.ts"

const room = "a-room-with-a-name-of-32-letters"
const joined = received({
  _tag: "RoomJoined",
  room,
  role: "member",
  users: ["ben"],
  count: 1,
  epoch: "e",
  seq: 0,
  missed: 0,
  truncated: false
})

describe("The name of where it goes", () => {
  it.each([
    [80, 24],
    [40, 10],
    [30, 8]
  ])("stands before what is typed at %i columns and %i rows, however long that is", (columns, rows) => {
    const start = after(begin(columns, rows), connected)
    const lines = Array.from({ length: 30 }, (_, index) => ["alt+enter", `type:line ${index}`]).flat()
    const { view } = pressed(start, ...lines)
    const { cursor, plan } = frameOf(view)
    assert.match(rowsIn(view).at(-plan.input) ?? "", /^lobby› line \d+/)
    assert.strictEqual(cursor?.y, rows - 1)
    assert.match(rowsIn(view).at(-1) ?? "", / line 29$/)
    const { view: up } = pressed(view, ...Array.from({ length: 12 }, () => "up"))
    assert.match(rowsIn(up).at(-plan.input) ?? "", /^lobby› line 1\d/)
  })

  it("is shortened where there is no room for it, and what divides it from the text stays", () => {
    const start = pressed(after(begin(40, 10), connected, joined, said(1, "ada", "x")), "alt+4").view
    assert.match(rowsIn(pressed(start, "type:hello").view).at(-1) ?? "", /^a-room-\S+…› hello$/)
    const long = after(begin(80, 24), connected, joined)
    assert.include(rowsIn(pressed(long, "alt+4").view).at(-1), `${room}›`)
  })

  it("has the server's with it where there are several", () => {
    const start = { ...after(begin(80, 24), connected), server: "home" }
    assert.match(rowsIn(start).at(-1) ?? "", /^home\/lobby›/)
    const quiet = after(begin(80, 24))
    const other = { name: "work", unread: 3, mentions: 1, isThere: true }
    const told = (view: View) => pressed(view, "alt+a").view.notice?.text
    assert.strictEqual(told({ ...quiet, others: [other] }), "Nothing is unread here; work has @1: Alt-O goes there.")
    assert.strictEqual(told({ ...quiet, others: [{ ...other, unread: 0, mentions: 0 }] }), "Nothing is unread.")
    const both = [other, { ...other, name: "home", unread: 2, mentions: 0 }]
    assert.strictEqual(
      told({ ...quiet, others: both }),
      "Nothing is unread here; work has @1, home has 2: Alt-O goes there."
    )
  })
})

describe("The keys of the bars", () => {
  it.each(["f2", "f3"])("%s says where there is no room for one, and changes nothing", (key) => {
    const start = after(begin(50, 20), connected)
    const { view } = pressed(start, key)
    assert.include(view.notice?.text, "There is no room for bars: they need 60 columns. Ctrl-K lists the conversations")
    assert.deepStrictEqual({ ...view, notice: undefined }, start)
    const wide = after(begin(60, 20), connected)
    assert.notStrictEqual(rowsIn(pressed(wide, key).view).join("\n"), rowsIn(wide).join("\n"))
  })
})

describe("Beside the messages", () => {
  it("the conversations leave room for the times, as soon as they are there", () => {
    for (const columns of [44, 50, 59, 60, 61, 80]) {
      const rows = rowsIn(after(begin(columns, 20), connected, said(1, "ada", "x")))
      assert.isTrue(
        rows.some((row) => /12:05 +ada │ x/.test(row)),
        `${columns}`
      )
      assert.strictEqual(rows[0]?.startsWith("1 lobby"), columns >= 60)
    }
  })

  it("nobody is away who may never have been there", () => {
    const rows = rowsIn(pressed(after(begin(120, 20), connected), "type::pm nobodyhere", "enter").view)
    assert.isFalse(rows.some((row) => row.includes("away")))
    assert.isTrue(rows.some((row) => row.includes("not here")))
  })

  it("one goes to no conversation with oneself, and who would mute one for themselves is told how", () => {
    const people = received({ _tag: "Presence", joined: ["ada", "ben", "carol"], left: [], all: true })
    const start = after(begin(80, 24), connected, people)
    const rows = rowsIn(pressed(start, "ctrl+k").view)
    assert.isTrue(rows.some((row) => row.includes("@carol")))
    assert.isFalse(rows.some((row) => row.includes("@ben")))
    const told = pressed(start, "type::mute", "enter").view.notice?.text ?? ""
    assert.match(told, /To be called for nothing in lobby yourself: Alt-M or :notify none\.$/)
  })
})
