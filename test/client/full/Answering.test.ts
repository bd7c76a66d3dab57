/** A question that takes one key: whoever types on was not answering it, and nothing of theirs is lost or published. */
import { assert, describe, it } from "@effect/vitest"
import { paste } from "../../../src/client/full/Press.ts"
import { talkOf } from "../../../src/client/full/View.ts"
import { after, begin, connected, pressed, said } from "./Drawn.ts"

const start = after(begin(80, 24), connected, said(1, "ada", "Good morning!"), said(2, "ben", "Hi"))
const asked = pressed(start, "ctrl+c").view
const tagsAfter = (...keys: ReadonlyArray<string>) => pressed(asked, ...keys).wishes.map(({ _tag }) => _tag)
const draftAfter = (...keys: ReadonlyArray<string>) => talkOf(pressed(asked, ...keys).view).draft

describe("A question for y or n", () => {
  it("is answered by those keys alone", () => {
    for (const key of ["y", "Y", "ctrl+c", "ctrl+d"]) assert.deepStrictEqual(tagsAfter(key), ["Quit"], key)
    for (const key of ["n", "N", "escape", "enter"]) {
      const { view, wishes } = pressed(asked, key)
      assert.deepStrictEqual(wishes, [], key)
      assert.isUndefined(view.popup, key)
      assert.strictEqual(talkOf(view).draft, "", key)
    }
  })

  it("loses nothing of what is typed instead: the command stays one", () => {
    const step = pressed(asked, "type::pm bob my secret", "enter")
    assert.deepStrictEqual(
      step.wishes.map(({ _tag }) => _tag),
      ["Command"]
    )
    assert.strictEqual(draftAfter("type:/pm bob my"), "/pm bob my")
    assert.strictEqual(draftAfter("type:hello"), "hello")
    assert.strictEqual(draftAfter("type:éa"), "éa")
  })

  it("is no end of a text that begins with its letter, and a word that answers it is not sent", () => {
    assert.strictEqual(draftAfter("type:nobody saw it"), "nobody saw it")
    for (const word of ["n", "no", "NO"]) {
      assert.deepStrictEqual(tagsAfter(`type:${word}`, "enter"), [])
      assert.strictEqual(draftAfter(`type:${word}`, "enter"), "")
    }
    const slow = pressed(asked, "n").view
    assert.strictEqual(talkOf(pressed({ ...slow, now: slow.now + 300 }, "type:said").view).draft, "said")
    assert.deepStrictEqual(pressed({ ...slow, now: slow.now + 300 }, "type:o", "enter").wishes, [])
    const later = pressed(asked, "n").view
    const { wishes } = pressed({ ...later, now: later.now + 1000 }, "type:hi", "enter")
    assert.deepStrictEqual(
      wishes.flatMap((wish) => (wish._tag === "Send" ? [wish.submission.request] : [])),
      [{ _tag: "GlobalMessage", content: "hi" }]
    )
  })

  it("deletes nothing by what is typed on, which is no key about the message either", () => {
    const { view, wishes } = pressed(start, "alt+up", "d", "type:resent", "enter")
    assert.deepStrictEqual(
      wishes.map((wish) => wish._tag === "Send" && wish.submission.request),
      [{ _tag: "GlobalMessage", content: "resent" }]
    )
    assert.isUndefined(talkOf(view).replyTo)
  })

  it("about a paste takes yes and Enter without sending it, and what is typed on stands without the paste", () => {
    const long = `${"line\n".repeat(20)}end`
    const pasting = paste(pressed(start, "type:see ").view, long)
    for (const word of ["y", "yes"]) {
      const { view, wishes } = pressed(pasting, `type:${word}`, "enter")
      assert.deepStrictEqual(wishes, [])
      assert.strictEqual(talkOf(view).draft, `see ${long}`)
      assert.lengthOf(pressed(view, "enter").wishes, 1)
    }
    for (const word of ["n", "no"]) {
      const { view, wishes } = pressed(pasting, `type:${word}`, "enter")
      assert.deepStrictEqual(wishes, [])
      assert.strictEqual(talkOf(view).draft, "see ")
    }
    assert.strictEqual(talkOf(pressed(pasting, "type:well").view).draft, "see well")
  })

  it("gives way to a paste, which is typed", () => {
    assert.strictEqual(talkOf(paste(asked, ":pm bob x")).draft, ":pm bob x")
  })
})

describe("The page of keys", () => {
  it("gives way to what is typed, without losing a letter of it", () => {
    assert.strictEqual(talkOf(pressed(start, "f1", "type::pm bob my secret").view).draft, ":pm bob my secret")
  })
})
