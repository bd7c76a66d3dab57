import { assert, describe, it } from "@effect/vitest"
import * as library from "@opentui/core"
import { createTestRenderer, setRendererCapabilities } from "@opentui/core/testing"
import { Effect } from "effect"
import { frameOf } from "../../../src/client/full/Frame.ts"
import * as Painter from "../../../src/client/full/Painter.ts"
import { keyOf } from "../../../src/client/full/Stage.ts"
import { type Theme, themes } from "../../../src/client/full/Theme.ts"
import type { Size } from "../../../src/client/full/View.ts"
import { after, begin, connected, noon, rowsIn, said } from "./Drawn.ts"

/** As it could come from a server that checks nothing. */
const hostile = {
  _tag: "Received",
  message: { _tag: "GlobalMessage", seq: 3, at: noon, from: "ben", content: "\u001b[2Jnothing is cleared\u202e" }
} as ReturnType<typeof said>

const shown = (size: Size) =>
  after(
    begin(size.columns, size.rows),
    connected,
    said(1, "ada", "Good morning!"),
    said(2, "carol", "日本語 and a 👩\u200d💻"),
    hostile
  )

const start = (width: number, height: number) =>
  Effect.acquireRelease(
    Effect.promise(() =>
      createTestRenderer({ width, height, exitOnCtrlC: false, exitSignals: [], useKittyKeyboard: null })
    ),
    (test) => Effect.promise(() => test.dispose())
  )

describe("A renderer of @opentui/core", () => {
  it.live("shows the rows of the frame, at each size", () =>
    Effect.gen(function* () {
      const test = yield* start(80, 24)
      let size = { columns: 80, rows: 24 }
      const pointed: Array<object> = []
      Painter.paint(library, test.renderer, {
        frame: () => frameOf(shown(size)),
        point: (pointer) => pointed.push(pointer),
        theme: themes.terminal
      })
      for (const [columns, rows] of [
        [80, 24],
        [120, 40],
        [50, 20],
        [40, 10]
      ] as const) {
        size = { columns, rows }
        test.resize(columns, rows)
        test.renderer.requestRender()
        yield* Effect.promise(() => test.flush())
        const drawn = test.captureCharFrame().split("\n")
        for (const [index, row] of rowsIn(shown(size)).entries()) assert.strictEqual(drawn[index]?.trimEnd(), row)
      }
      yield* Effect.promise(() => test.mockMouse.click(3, 1))
      yield* Effect.promise(() => test.mockMouse.scroll(3, 1, "up"))
      assert.deepInclude(pointed, { _tag: "Click", x: 3, y: 1 })
      assert.deepInclude(pointed, { _tag: "Wheel", isUp: true, x: 3, y: 1 })
    })
  )

  it.live("makes each row of an address a link to the whole of it, where the terminal knows links", () =>
    Effect.gen(function* () {
      const test = yield* start(50, 20)
      const address = `https://example.org/${"0123456789".repeat(6)}`
      const view = after(begin(50, 20), connected, said(1, "ada", `See ${address} or https://аpple.com now`))
      Painter.paint(library, test.renderer, { frame: () => frameOf(view), point: () => {}, theme: themes.terminal })
      const linksOf = Effect.fnUntraced(function* () {
        test.renderer.requestRender()
        yield* Effect.promise(() => test.flush())
        const drawn = test.captureCharFrame().split("\n")
        for (const [index, row] of rowsIn(view).entries()) assert.strictEqual(drawn[index]?.trimEnd(), row)
        return drawn.flatMap((row, y) => {
          const x = Array.from(row).findIndex((_, column) => test.renderer.getLinkAt(column, y) !== null)
          return x === -1 ? [] : [`${x} ${test.renderer.getLinkAt(x, y)}`]
        })
      })
      setRendererCapabilities(test.renderer, { hyperlinks: false })
      assert.deepStrictEqual(yield* linksOf(), [])
      setRendererCapabilities(test.renderer, { hyperlinks: true })
      const all = [`19 ${address}`, `19 ${address}`, `19 ${address}`, "22 https://xn--pple-43d.com/"]
      assert.deepStrictEqual(yield* linksOf(), all)
      assert.deepStrictEqual(yield* linksOf(), all)
    })
  )

  it.live("gives the library no target that could end its sequence, wherever it came from", () =>
    Effect.gen(function* () {
      const test = yield* start(20, 3)
      setRendererCapabilities(test.renderer, { hyperlinks: true })
      const targets = [
        "https://a.org/\u001b\\",
        "https://a.org/\u009c",
        "https://a.org/ x",
        "file:///x",
        "https://a.org/x"
      ]
      const linked: Array<string | null> = []
      let target = ""
      const frame = () => ({
        ...frameOf(begin(20, 3)),
        rows: [[{ text: target.slice(0, 20), look: { tone: "accent" as const, link: target } }]]
      })
      Painter.paint(library, test.renderer, { frame, point: () => {}, theme: themes.terminal })
      for (target of targets) {
        test.renderer.requestRender()
        yield* Effect.promise(() => test.flush())
        linked.push(test.renderer.getLinkAt(0, 0))
      }
      assert.deepStrictEqual(linked, [null, null, null, null, "https://a.org/x"])
    })
  )

  it.live("has a theme's colours, the same one for a person wherever they speak, and none without colours", () =>
    Effect.gen(function* () {
      const view = after(
        begin(120, 12),
        connected,
        said(1, "ada", "One"),
        said(2, "carol", "Two"),
        said(3, "ada", "Three")
      )
      const coloursIn = Effect.fnUntraced(function* (theme: Theme) {
        const test = yield* start(120, 12)
        Painter.paint(library, test.renderer, { frame: () => frameOf(view), point: () => {}, theme })
        test.renderer.requestRender()
        yield* Effect.promise(() => test.flush())
        const spans = test.captureSpans().lines.flatMap((line) => line.spans)
        const of = (name: string) => spans.filter(({ text }) => text.trim() === name).map(({ fg }) => String(fg))
        return { ada: of("ada"), carol: of("carol"), back: new Set(spans.map(({ bg }) => String(bg))) }
      })
      const dark = yield* coloursIn(themes.dark)
      assert.isAtLeast(dark.ada.length, 2)
      assert.strictEqual(new Set(dark.ada).size, 1)
      assert.notStrictEqual(dark.ada[0], dark.carol[0])
      assert.strictEqual(dark.back.size, 1)
      const none = yield* coloursIn(themes.none)
      assert.strictEqual(none.ada[0], none.carol[0])
    })
  )

  it.live("gives keys their names, and what they type", () =>
    Effect.gen(function* () {
      const test = yield* start(20, 5)
      const keys: Array<string> = []
      test.renderer.keyInput.on("keypress", (event) => {
        const { name, text } = keyOf(event)
        keys.push(text === undefined ? name : `${name}=${text}`)
      })
      const letters = ["a", "É", " ", "\r", "\n", "\u000b", "\u001f"]
      const signs = ["\u001b:", "\u001b/", "\u001b!"]
      const sequences = [...signs, "\u001b\r", "\u001b1", "\u001bOP", "\u001b[5~", "\u001b[1;3A", "\u001b[Z"]
      for (const bytes of [...letters, ...sequences]) test.renderer.stdin.emit("data", Buffer.from(bytes))
      const named = ["a=a", "É=É", "space= ", "enter", "ctrl+j", "ctrl+k", "ctrl+_"]
      assert.deepStrictEqual(keys, [
        ...named,
        "alt+:",
        "alt+/",
        "alt+!",
        "alt+enter",
        "alt+1",
        "f1",
        "pageup",
        "alt+up",
        "shift+tab"
      ])
    })
  )
})
