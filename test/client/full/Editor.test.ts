import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Editor from "../../../src/client/full/Editor.ts"
import { graphemesOf } from "../../../src/client/text/Grapheme.ts"
import { safeText } from "../../../src/client/text/SafeText.ts"
import { tries } from "../../support/generators.ts"
import { NastyText } from "../NastyText.ts"

const deeds = Object.keys(Editor.deeds).filter((name): name is Editor.EditorDeed => name in Editor.deeds)
/** A key, or something that is typed or pasted. */
const Stroke = Schema.Union([Schema.Literals(deeds), Schema.Struct({ typed: NastyText })])
const Strokes = Schema.Array(Stroke).check(Schema.isMaxLength(40))

const after = (strokes: typeof Strokes.Type, from = Editor.empty): Editor.Editor =>
  strokes.reduce(
    (editor, stroke) =>
      typeof stroke === "string" ? Editor.apply(editor, stroke) : Editor.insert(editor, stroke.typed.join("")),
    from
  )

const placesIn = (text: string): ReadonlyArray<number> => {
  const places = [0]
  for (const { text: piece } of graphemesOf(text)) places.push((places.at(-1) ?? 0) + piece.length)
  return places
}

const typed = (text: string) => Editor.insert(Editor.empty, text)
const doing = (editor: Editor.Editor, ...all: ReadonlyArray<Editor.EditorDeed>) => all.reduce(Editor.apply, editor)
const marked = ({ at, text }: Editor.Editor) => `${text.slice(0, at)}|${text.slice(at)}`

describe("What is typed", () => {
  it.prop(
    "never holds what a terminal would obey, and the cursor stands between graphemes",
    { strokes: Strokes },
    ({ strokes }) => {
      const { at, text } = after(strokes)
      // eslint-disable-next-line no-control-regex -- what must not be there
      assert.notMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
      assert.include(placesIn(text), at)
    },
    tries(60)
  )

  it.prop(
    "comes back by undoing",
    { strokes: Strokes },
    ({ strokes }) => {
      const text = "as it was"
      const begun = Editor.withText(Editor.empty, text)
      const changed = after(strokes, begun)
      let editor = changed
      for (let step = 0; step <= changed.undo.length; step++) {
        if (editor.text === text) break
        editor = Editor.apply(editor, "undo")
      }
      // What was undone by a key is gone for good, and so may be the beginning.
      if (!strokes.includes("undo")) assert.strictEqual(editor.text, text)
    },
    tries(40)
  )

  it.prop(
    "is killed and yanked whole",
    { strokes: Strokes },
    ({ strokes }) => {
      const editor = { ...after(strokes), last: "other" as const }
      for (const deed of ["killToStart", "killToEnd", "killWordLeft", "killWordRight"] as const) {
        const killed = Editor.apply(editor, deed)
        // Marks beyond the fourth on one character are nobody's to keep: what is put in at once has none. A mark that stands alone at
        // the beginning of a line is one of the character before it as soon as the line's break is gone.
        const isAlone = /(?:^|\n)[\p{M}\p{Emoji_Modifier}\u200c\u200d]/u.test(editor.text)
        if (killed.text !== editor.text && !isAlone)
          assert.strictEqual(safeText(Editor.apply(killed, "yank").text), safeText(editor.text), deed)
      }
    },
    tries(40)
  )

  it.each([
    ["wordLeft", "one two|", "one |two"],
    ["wordRight", "|one two", "one| two"],
    ["killWordLeft", "one https://x.org/y|", "one |"],
    ["killSmallWordLeft", "one https://x.org/y|", "one https://x.org/|"],
    ["killWordRight", "one| two three", "one| three"],
    ["killToStart", "one\ntwo| three", "one\n| three"],
    ["killToEnd", "one|\ntwo", "one|two"],
    ["lineUp", "one\nfour|", "one|\nfour"],
    ["lineDown", "on|e\nfour", "one\nfo|ur"],
    ["swap", "ab|", "ba|"],
    ["swap", "a|bc", "ba|c"],
    ["eraseLeft", "a👩\u200d💻|", "a|"],
    ["eraseRight", "|e\u0301a", "|a"],
    ["left", "a🇩🇪|", "a|🇩🇪"]
  ] as const)("%s of %j is %j", (deed, before, expected) => {
    const at = before.indexOf("|")
    const editor = { ...Editor.withText(Editor.empty, before.replace("|", "")), at }
    assert.strictEqual(marked(Editor.apply(editor, deed)), expected)
  })

  it("is yanked as it was killed, word for word", () => {
    const killed = doing(typed("one two three"), "killWordLeft", "killWordLeft")
    assert.strictEqual(marked(Editor.apply(killed, "yank")), "one two three|")
  })

  it("is taken as far as there is room", () => {
    const full = typed("a".repeat(Editor.maxLength + 10))
    assert.strictEqual(full.text.length, Editor.maxLength)
    assert.strictEqual(Editor.insert(full, "b"), full)
  })
})
