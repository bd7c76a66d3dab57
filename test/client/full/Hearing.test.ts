import { assert, describe, it } from "@effect/vitest"
import { calls } from "../../../src/client/full/Calling.ts"
import { callOf } from "../../../src/client/full/Hearing.ts"
import type { View } from "../../../src/client/full/View.ts"
import { after, begin, connected, noon, pressed, received, rowsIn, said } from "./Drawn.ts"

const start = after(begin(80, 24), connected)
const inDev = (content: string, from = "ada") =>
  received({ _tag: "RoomMessage", room: "dev", seq: 10, at: noon, from, content })
const inPrivate = received({ _tag: "PrivateMessage", to: "ben", seq: 4, at: noon, from: "ada", content: "Psst" })

const isCalled = (view: View, event: ReturnType<typeof said>): boolean => callOf(view, event) !== undefined
const chose = (view: View, level: string) => pressed(view, "alt+2", `type::notify ${level}`, "enter", "alt+1").view

describe("Somebody is called", () => {
  it("by mentions and in private, unless they say otherwise", () => {
    assert.isFalse(isCalled(start, inDev("It compiles")))
    assert.isTrue(isCalled(start, inDev("@ben it compiles")))
    assert.isTrue(isCalled(start, inPrivate))
  })

  it("by every message of a conversation of which they want that, unless they look at it", () => {
    const all = chose(start, "all")
    assert.isTrue(isCalled(all, inDev("It compiles")))
    assert.isFalse(isCalled(all, said(3, "ada", "It compiles")))
    assert.isFalse(isCalled(pressed(all, "alt+2").view, inDev("It compiles")))
    assert.isTrue(isCalled(pressed(all, "alt+2").view, inDev("@ben it compiles")))
    assert.include(rowsIn(all)[1], "2 dev !")
  })

  it("by nothing of one that is muted, and again when it is heard again", () => {
    const none = chose(start, "none")
    assert.isFalse(isCalled(none, inDev("@ben it compiles")))
    assert.isTrue(isCalled(chose(none, "mentions"), inDev("@ben it compiles")))
    assert.isFalse(isCalled(pressed(start, "alt+3", "alt+m", "alt+1").view, inPrivate))
  })

  it("never by whom they ignore or have blocked, whatever they want to be called for", () => {
    const all = chose(start, "all")
    const ignoring = pressed(all, "type::ignore ada", "enter").view
    const blocking = after(all, received({ _tag: "Blocked", users: ["ada"] }))
    for (const view of [ignoring, blocking]) {
      for (const event of [inDev("It compiles"), inDev("@ben!"), inPrivate]) assert.isFalse(isCalled(view, event))
      assert.isTrue(isCalled(view, inDev("@ben!", "carol")))
    }
  })

  it("as often as the title says", () => {
    const view = after(start, inDev("It compiles", "carol"))
    assert.strictEqual(calls(view), 3)
    assert.strictEqual(calls({ ...view, levels: new Map([["room dev", "all"]]) }), 6)
    assert.strictEqual(calls({ ...view, levels: new Map([["room dev", "none"]]) }), 2)
  })

  it("is told what they have chosen, and how to choose", () => {
    const { view } = pressed(start, "type::notify", "enter")
    assert.include(rowsIn(view).at(-3), "lobby calls you when you are mentioned. :notify all, :notify mentions")
    assert.deepStrictEqual(rowsIn(pressed(start, "type::notify some", "enter").view), rowsIn(view))
  })
})
