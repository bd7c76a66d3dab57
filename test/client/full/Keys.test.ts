import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as KeyName from "../../../src/client/full/KeyName.ts"
import { bindings, type Deed, keyFor, remapped, shown, usual } from "../../../src/client/full/Keys.ts"
import type { View } from "../../../src/client/full/View.ts"
import { after, begin, connected, pressed, received, rowsIn, said } from "./Drawn.ts"

describe("The names of keys", () => {
  it("hold for every key of the table, also as the page of keys writes them", () => {
    for (const key of bindings.flatMap(({ keys }) => keys)) {
      assert.deepStrictEqual(KeyName.read(key), Result.succeed(key))
      assert.deepStrictEqual(KeyName.read(shown(key)), Result.succeed(key))
    }
  })
})

describe("A key that the config file gives away", () => {
  const changes = new Map<Deed, ReadonlyArray<string>>([
    ["jump", ["ctrl+g", "ctrl+w"]],
    ["search", ["f5"]],
    ["end", ["f6"]],
    ["escape", ["f7"]],
    ["olderPage", ["f8"]],
    ["newerPage", ["f9"]],
    ["retry", ["f10"]],
    ["close", ["f11"]],
    ["mute", []]
  ])
  const keymap = remapped(changes)
  const start: View = { ...after(begin(140, 24), connected, said(1, "ada", "Good morning!")), keymap }
  const shows = (view: View, text: string) => assert.include(rowsIn(view).join("\n"), text)

  it("is taken from what had it, and what has new keys loses its own", () => {
    assert.strictEqual(keymap.deeds.get("ctrl+w"), "jump")
    assert.strictEqual(usual.deeds.get("ctrl+w"), "killWordLeft")
    assert.strictEqual(keyFor(keymap, "killWordLeft"), "(no key)")
    assert.isUndefined(keymap.deeds.get("ctrl+k"))
    assert.isUndefined(keymap.deeds.get("alt+m"))
    shows(pressed(start, "type:two words", "ctrl+w").view, "go to:")
    shows(pressed(start, "ctrl+g", "f7").view, "lobby›")
  })

  it("is the one that every text names", () => {
    const help = pressed(start, "f1").view
    shows(help, "keys and commands: F9 for more, F7 closes it")
    const page = Array.from({ length: 8 }, (_, at) => pressed(help, ...Array.from({ length: at }, () => "f9")).view)
    const whole = page.flatMap(rowsIn).join("\n")
    for (const text of ["Ctrl-G, Ctrl-W", "F5", "F10", "(no key)"]) assert.include(whole, text)
    for (const text of ["Ctrl-K", "Ctrl-F ", "Alt-R ", "Alt-W ", "Alt-M ", "PageUp", "PageDown"])
      assert.notInclude(whole, text)

    const finding = pressed(start, "f5").view
    shows(finding, "F5 again: everywhere")
    shows(pressed(finding, "f5").view, "find everywhere:")
    shows(
      { ...start, answer: { lines: Array.from({ length: 50 }, String), scroll: 0 } },
      "F8 and F9 for more, F7 closes it"
    )
    const typed = pressed(start, "alt+2", "type:half a line").view
    shows(after(typed, received({ _tag: "RoomLeft", room: "dev" })), "F11 takes it off the list")
  })
})
