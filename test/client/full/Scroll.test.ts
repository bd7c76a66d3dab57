/** Going back in what was said, and staying there. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Intention from "../../../src/client/core/chat/Intention.ts"
import type { Page } from "../../../src/client/core/chat/Window.ts"
import { frameOf } from "../../../src/client/full/Frame.ts"
import * as Scroll from "../../../src/client/full/Scroll.ts"
import type { View } from "../../../src/client/full/View.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { tries } from "../../support/generators.ts"
import { after, begin, connected, noon, pressed, received, rowsIn, said } from "./Drawn.ts"

const sizes = [
  [80, 24],
  [120, 40],
  [50, 20],
  [40, 10]
] as const

const whole = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const resized = (view: View, size: View["size"]): View => ({ ...view, size })

const turned = (view: View, page: Page): View => ({
  ...view,
  chat: Intention.turned(view.chat, "lobby", page, "older")
})

const paneOf = (view: View) => frameOf(view).pane

describe.each(sizes)("on a screen of %i columns and %i rows", (columns, rows) => {
  const Happening = Schema.Union([
    Schema.Struct({ columns: whole(24, 140), rows: whole(8, 50) }),
    Schema.Literals(["f2", "f3", "alt+enter", "a", "says", "says long", "edits", "deletes", "reacts", "older page"])
  ])
  const Story = {
    lengths: Schema.Array(whole(1, 400)).check(Schema.isMinLength(40), Schema.isMaxLength(60)),
    up: whole(1, 150),
    happenings: Schema.Array(Happening).check(Schema.isMaxLength(25))
  }

  it.prop(
    "the view stays on its message, whatever arrives and however the window changes, and is the same when it is as it was",
    Story,
    ({ happenings, lengths, up }) => {
      const messages = lengths.map((length, index) =>
        said(100 + index, index % 3 === 0 ? "ada" : "carol", "word ".repeat(length / 5 + 1))
      )
      const start = Scroll.up(after(begin(columns, rows), connected, ...messages), up)
      const top = paneOf(start).top
      const { anchor } = start.chat.talks.get("lobby") ?? {}
      assert.strictEqual(top?.seq, anchor)
      let view = start
      let seq = 1000
      for (const one of happenings) {
        seq += 1
        const at = noon + seq
        if (typeof one !== "string") view = resized(view, one)
        else if (one === "says") view = after(view, said(seq, "ben", "well"))
        else if (one === "says long") view = after(view, said(seq, "carol", "words ".repeat(100)))
        else if (one === "edits")
          view = after(view, received({ _tag: "Edited", seq, at, from: "ada", target: 100, content: "x" }))
        else if (one === "deletes")
          view = after(view, received({ _tag: "Deleted", seq, at, from: "carol", target: 101 }))
        else if (one === "reacts")
          view = after(view, received({ _tag: "Reacted", seq, at, from: "ada", target: 139, reaction: "👍" }))
        else if (one === "older page") {
          const page = {
            messages: [{ _tag: "GlobalMessage" as const, seq: 50, at, from: start.chat.user, content: "old" }],
            more: false
          }
          view = turned(view, page)
        } else view = pressed(view, one).view
        const pane = paneOf(view)
        // Where all from there on has room, the newest stands at the bottom.
        if (pane.newer > 0) assert.strictEqual(pane.top?.seq, anchor)
        assert.include(pane.seqs, anchor)
      }
      const { hasLeftBar, hasRightBar, size } = start
      const restored = { ...view, hasLeftBar, hasRightBar, size, chat: Intention.type(view.chat, "lobby", "") }
      // These may change how many rows it has.
      const changing = new Set(["edits", "deletes", "reacts", "older page"])
      const isChanged = happenings.some((one) => typeof one === "string" && changing.has(one))
      assert.strictEqual(paneOf(restored).top?.seq, top?.seq)
      if (!isChanged) assert.deepStrictEqual(paneOf(restored).top, top)
    },
    tries(20, 20)
  )

  it("a message longer than the screen is gone through page by page, up and down again", () => {
    const long = Array.from({ length: 200 }, (_, index) => `line ${index}`).join("\n")
    const start = after(
      begin(columns, rows),
      connected,
      said(1, "ada", "before"),
      said(2, "ada", long),
      said(3, "ada", "last")
    )
    let view = start
    const seen = new Set<string>()
    const look = () => {
      for (const row of rowsIn(view)) for (const [line] of row.matchAll(/line \d+|before/g)) seen.add(line)
    }
    for (let page = 0; page < 60 && !seen.has("before"); page++) {
      look()
      view = pressed(view, "pageup").view
    }
    look()
    assert.strictEqual(seen.size, 201)
    for (let page = 0; page < 60 && view.chat.talks.get("lobby")?.anchor !== undefined; page++) {
      view = pressed(view, "pagedown").view
    }
    assert.deepStrictEqual(paneOf(view).rows, paneOf(start).rows)
  })

  it("a row up and a row down is where one was, also beside what one types", () => {
    const many = Array.from({ length: 60 }, (_, index) => said(10 + index, "ada", `number ${index}\nsecond line`))
    const typing = pressed(after(begin(columns, rows), connected, ...many), `type:${"words ".repeat(12)}`).view
    const back = Scroll.up(typing, 20)
    assert.deepStrictEqual(paneOf(Scroll.down(Scroll.up(back, 1), 1)).rows, paneOf(back).rows)
    assert.strictEqual(paneOf(Scroll.up(back, 1)).rows.length, paneOf(back).rows.length)
    const one = paneOf(Scroll.up(typing, 1))
    assert.deepStrictEqual(one.rows.slice(2), paneOf(typing).rows.slice(1, -1))
  })
})

describe("At the first message that is at hand", () => {
  const numbered = (from: number) =>
    Array.from({ length: 100 }, (_, index) => said(from + index, "ada", `number ${from + index}`))
  const older: Page = {
    messages: Array.from({ length: 100 }, (_, index) => {
      const seq = 101 + index
      return { _tag: "GlobalMessage", seq, at: noon + seq, from: UserName.make("ada"), content: `number ${seq}` }
    }),
    more: true
  }
  /** Pressed so often that nothing older is at hand. */
  const atFirst = () => {
    let view = after(begin(80, 24), connected, ...numbered(201))
    for (let presses = 0; presses < 20; presses++) view = pressed(view, "pageup").view
    assert.strictEqual(paneOf(view).top?.seq, 201)
    return view
  }
  const come = (view: View): View => Scroll.goOn(turned(view, older))

  it("PageUp goes on by itself once the older page is there, by one page however often it was pressed", () => {
    const view = come(atFirst())
    assert.isFalse(paneOf(view).seqs.includes(201 + 1))
    assert.strictEqual(
      paneOf(view).top?.seq,
      paneOf(Scroll.up(turned({ ...atFirst(), owed: undefined }, older), Scroll.pageOf(view))).top?.seq
    )
    assert.strictEqual(paneOf(come(view)).top?.seq, paneOf(view).top?.seq)
  })

  it.each(["pagedown", "end", "alt+2"])("%s takes that back", (key) => {
    const view = pressed(atFirst(), key).view
    assert.strictEqual(paneOf(come(view)).top?.seq, paneOf(turned(view, older)).top?.seq)
    assert.isUndefined(pressed(atFirst(), key).view.owed)
  })
})

describe("In a message of many rows", () => {
  it("the view stays on the words at its top, however wide the window gets", () => {
    const words = Array.from({ length: 1400 }, (_, index) => `w${index}`).join(" ")
    const start = after(begin(80, 24), connected, said(1, "ada", "before"), said(2, "ada", words))
    const back = pressed(start, "pageup", "pageup", "pageup").view
    const first = (view: typeof back) => Number(/w(\d+)/.exec(rowsIn(view)[1] ?? "")?.[1])
    const word = first(back)
    assert.isAbove(word, 100)
    for (const columns of [50, 120, 200, 40]) {
      const next = Scroll.resized(back, { columns, rows: 24 })
      assert.isAtMost(first(next), word)
      // It stands on the first row.
      assert.match(rowsIn(next)[1] ?? "", new RegExp(`w${word}\\b`))
    }
  })
})
