import { assert, describe, it } from "@effect/vitest"
import { paste } from "../../../src/client/full/Press.ts"
import { talkOf, type View } from "../../../src/client/full/View.ts"
import { after, begin, connected, pressed, received, rowsIn, said } from "./Drawn.ts"

/** adam spoke last, then ada; adele is here and was silent. */
const start = after(
  begin(80, 24),
  connected,
  received({ _tag: "Presence", joined: ["ada", "adam", "adele", "ben", "zoe"], left: [], all: true }),
  said(1, "ada", "Good morning!"),
  said(2, "adam", "Hi")
)
const draft = (view: View) => talkOf(view).draft
const typed = (...keys: ReadonlyArray<string>) => draft(pressed(start, ...keys).view)

describe("Tab", () => {
  it("goes from one offer to the next, whoever spoke last first, and begins again behind the last", () => {
    assert.strictEqual(typed("type:ad", "tab"), "adam: ")
    assert.strictEqual(typed("type:ad", "tab", "tab"), "ada: ")
    assert.strictEqual(typed("type:ad", "tab", "tab", "tab"), "adele: ")
    assert.strictEqual(typed("type:ad", "tab", "tab", "tab", "tab"), "adam: ")
  })

  it("goes back with Shift", () => {
    assert.strictEqual(typed("type:ad", "tab", "tab", "shift+tab"), "adam: ")
    assert.strictEqual(typed("type:ad", "shift+tab"), "adele: ")
  })

  it("shows what is offered, and which of it is taken", () => {
    const { view } = pressed(start, "type:ad", "tab", "tab")
    assert.include(rowsIn(view).at(-2), "adam:  [ada:]  adele:")
  })

  it("leaves what is offered as it is at any other key, and begins a new word behind it", () => {
    const { view } = pressed(start, "type:ad", "tab", "tab", "type:well")
    assert.strictEqual(draft(view), "ada: well")
    assert.isUndefined(view.offers)
    assert.notInclude(rowsIn(view).at(-2), "[ada:]")
    assert.strictEqual(draft(pressed(view, "tab").view), "ada: well")
    assert.strictEqual(typed("type:hi @ad", "tab", "type:and ad", "tab", "tab"), "hi @adam and ada ")
  })

  it("completes the name of an emoji at the beginning of a line, where no command begins so", () => {
    assert.strictEqual(typed("type::smi", "tab"), "😄 ")
    assert.strictEqual(typed("type::unre", "tab"), ":unreact ")
    assert.strictEqual(typed("type:/smi", "tab"), "/smi")
  })

  it("is undone at once, however many offers were looked at", () => {
    assert.strictEqual(typed("type:ad", "tab", "tab", "tab", "ctrl+_"), "ad")
  })

  it("takes nothing away that was pasted, and puts nothing into another conversation", () => {
    const { view } = pressed(start, "type:ad", "tab")
    assert.strictEqual(draft(pressed(paste(view, "pasted"), "tab").view), "adam: pasted")
    const elsewhere = pressed(view, "alt+2").view
    assert.strictEqual(draft(pressed({ ...elsewhere, offers: view.offers }, "tab").view), "")
  })

  it("completes the rooms of a command and the names of emoji one after the other, too", () => {
    const more = after(
      start,
      received({
        _tag: "RoomJoined",
        room: "dev2",
        epoch: "f",
        seq: 0,
        missed: 0,
        truncated: false,
        users: [],
        count: 0
      })
    )
    assert.strictEqual(draft(pressed(more, "type:/jr d", "tab").view), "/jr dev ")
    assert.strictEqual(draft(pressed(more, "type:/jr d", "tab", "tab").view), "/jr dev2 ")
    const { view } = pressed(start, "type:so :heart", "tab", "tab")
    assert.match(draft(view), /^so \p{Emoji}/u)
  })
})

describe("What was undone", () => {
  it("is done again, until something else is typed", () => {
    const undone = ["type:one", "type: ", "type:two", "ctrl+_", "ctrl+_"]
    assert.strictEqual(typed(...undone), "one")
    assert.strictEqual(typed(...undone, "alt+z"), "one ")
    assert.strictEqual(typed(...undone, "alt+z", "alt+z"), "one two")
    assert.strictEqual(typed(...undone, "alt+z", "alt+z", "alt+z", "ctrl+_"), "one ")
    assert.strictEqual(typed(...undone, "type:!", "alt+z"), "one!")
  })
})
