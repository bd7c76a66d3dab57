import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Intention from "../../../src/client/core/chat/Intention.ts"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import { frameOf } from "../../../src/client/full/Frame.ts"
import { talkOf } from "../../../src/client/full/View.ts"
import { ServerMessage } from "../../../src/common/wire/ServerMessage.ts"
import { after, begin, noon, pressed, received, rowsIn } from "./Drawn.ts"

const welcome = Schema.decodeSync(ServerMessage.cases.Welcome)({
  _tag: "Welcome",
  user: "ben",
  protocol: 1,
  server: { name: "parley", version: "1.0.0" },
  account: false,
  lobby: { epoch: "e", seq: 0 }
})
const connected: ClientEvent = { _tag: "Connected", welcome }
const back: ClientEvent = { _tag: "Reconnected", missed: 0, welcome }

const told = (seq: number, content: string) =>
  received({ _tag: "PrivateMessage", seq, at: noon + seq * 1000, from: "ada", to: "ben", content })

const many = Array.from({ length: 60 }, (_, index) => told(index + 1, `number ${index + 1}.`))
const before = after(begin(80, 24), connected, ...many)
const start = pressed(before, "alt+2", "alt+1", "alt+2").view
const anew = "the server's history begins anew here"
const has = (view: typeof start, text: string) => rowsIn(view).some((row) => row.includes(text))

describe("Of a guest, whose private messages the server forgets with the connection", () => {
  it("what was said stays to be read, a page after the other, also with more behind it", () => {
    const returned = after(start, back)
    assert.isTrue(has(returned, "number 60."))
    assert.isTrue(has(returned, anew))
    let view = after(returned, told(1, "once more"), back, told(1, "and again"))
    for (const text of ["and again", "once more"]) assert.isTrue(has(view, text))
    const seen = new Set<string>()
    for (let page = 0; page < 5; page++) {
      for (const row of rowsIn(view)) seen.add(/number \d+\./.exec(row)?.[0] ?? "")
      const [, first = ""] = rowsIn(view)
      // Whatever stands at the top says whose it is, and when.
      if (first.includes("number")) assert.match(first, /\d\d:\d\d +ada │ number/)
      view = pressed(view, "pageup").view
    }
    assert.strictEqual([...seen].filter((one) => one !== "").length, 60)
    assert.isTrue(has(view, "number 1."))
    for (let page = 0; page < 5; page++) view = pressed(view, "pagedown").view
    assert.isTrue(has(view, "and again"))
    assert.strictEqual(talkOf(view).anchor, undefined)
  })

  it("the view stays where it was when the connection was lost and came back", () => {
    const { view } = pressed(start, "pageup", "pageup")
    const returned = after(view, back)
    assert.deepStrictEqual(frameOf(returned).pane.rows, frameOf(view).pane.rows)
    const again = after(returned, told(1, "new"), back, told(1, "newer"))
    assert.deepStrictEqual(frameOf(again).pane.rows, frameOf(view).pane.rows)
    assert.match(rowsIn(again).at(-2) ?? "", /↓ \d+ newer/)
    assert.isTrue(has(pressed(again, "end").view, "newer"))
  })

  it("nothing of it is taken for a message of the log there is", () => {
    const view = after(start, back, told(2, "fresh"))
    const { pane } = frameOf(view)
    const seqs = pane.seqs.filter((seq) => seq !== undefined)
    assert.deepStrictEqual([...new Set(seqs)], [2])
    assert.strictEqual(pressed(view, "alt+up", "up", "up").view.chosen, 2)
    const left = after({ ...start, chat: Intention.lookAt(start.chat, false) }, back, told(2, "fresh"))
    const lines = rowsIn({ ...left, chat: Intention.lookAt(left.chat, true) }).filter((row) => / new ─/.test(row))
    assert.lengthOf(lines, 1)
  })
})
