/**
 * Hostile text and names, at any size and under any keys, through the real drawing: what stands in the cells of the renderer, and in the
 * links of them, is text alone, and whose name stands beside what is said is theirs.
 *
 * A failure prints its replay token (see support/generators).
 */
import { assert, describe, it } from "@effect/vitest"
import * as library from "@opentui/core"
import { createTestRenderer, setRendererCapabilities } from "@opentui/core/testing"
import { Arbitrary, Effect, Schema } from "effect"
import { type Frame, frameOf } from "../../../src/client/full/Frame.ts"
import { bindings } from "../../../src/client/full/Keys.ts"
import * as Painter from "../../../src/client/full/Painter.ts"
import { paste } from "../../../src/client/full/Press.ts"
import { cellsOfRow, textOf } from "../../../src/client/full/Row.ts"
import { themes } from "../../../src/client/full/Theme.ts"
import type { View } from "../../../src/client/full/View.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { oneOf, tries, wholeNumber } from "../../support/generators.ts"
import { NastyText } from "../NastyText.ts"
import { after, begin, connected, noon, pressed, received, type said } from "./Drawn.ts"

const isName = Schema.is(UserName)

/** As strange as the protocol lets them be. */
const names = [
  "ada",
  "bob",
  "Σας",
  "שירה",
  "مريم",
  "日本",
  "ada\u0301\u0301",
  "é",
  "ﷺ",
  "a-b_c",
  "1204",
  "\u0915\u094d\u0937"
]
  .map((name) => name.normalize("NFC"))
  .filter(isName)

const signs = [
  "**",
  "_",
  "`",
  "```\n",
  "~~",
  "> ",
  "https://a.org/",
  "mailto:a@b.c",
  "](",
  "│",
  " │ ",
  "ada │ ",
  "ǀ",
  "▎",
  "שלום",
  "مرحبا 12",
  "\ufdfd",
  "\u{12031}",
  "꧅",
  "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
  "👨\u200d👩\u200d👧\u200d👦",
  "🏳️\u200d🌈",
  "🇩🇪",
  "🇩",
  "👍🏽",
  "1️⃣",
  "\u{e0020}",
  "\u{e01ef}",
  "\u{1f3f4}\u{e0067}\u{e007f}",
  "\ufe0e",
  "\u3164",
  "\u2800",
  "ก็็็็็็",
  "가",
  "ᄀ",
  "ᅡ",
  "\udc00",
  "\ud83d",
  "\u001b[31m",
  "\u001b]8;;http://evil.org\u001b\\",
  "\u001b]52;c;eA==\u0007",
  "\u001b_x\u001b\\",
  "\u0090q\u009c",
  "\u202d",
  "\u2068",
  "\u2069",
  "\u200f",
  "\u001bc",
  "\u009b2J"
] as const

const text: Arbitrary.Arbitrary<string> = Arbitrary.all([
  Arbitrary.schema(NastyText),
  Arbitrary.schema(Schema.Array(Schema.Literals(signs)).check(Schema.isMaxLength(12))),
  oneOf(1, 1, 1, 1, 40, 1500)
]).pipe(Arbitrary.map(([nasty, own, times]) => [...own, ...nasty].join("").repeat(times).slice(0, 65_536)))

const keys = [
  ...bindings.flatMap((one) => one.keys),
  "alt+1",
  "alt+2",
  "alt+3",
  "type:o",
  "type:e",
  "type:d",
  "type:y",
  "type::url",
  "type:日本 https://a.org"
]

interface Act {
  readonly key: number
  readonly text: string
  readonly isPaste: boolean
}

const act = Arbitrary.all({
  key: wholeNumber(0, keys.length - 1),
  text,
  isPaste: Arbitrary.map(wholeNumber(0, 5), (number) => number === 0)
}) satisfies Arbitrary.Arbitrary<Act>

const speech = Arbitrary.all({ from: wholeNumber(0, names.length - 1), text, is: wholeNumber(0, 7) })

const some = <A>(one: Arbitrary.Arbitrary<A>, maximum: number): Arbitrary.Arbitrary<ReadonlyArray<A>> =>
  Arbitrary.array(one, { maxLength: maximum })

/** As it could come from a server that checks nothing. */
const unchecked = (message: object) => ({ _tag: "Received", message }) as ReturnType<typeof said>

const happened = (
  seq: number,
  { from, is, text: content }: { readonly from: number; readonly is: number; readonly text: string }
) => {
  const user = names[from] ?? "ada"
  const entry = { seq, at: noon + seq * 7_000_000, from: user }
  const room = { room: "dev", ...entry }
  switch (is) {
    case 0:
      return unchecked({ _tag: "Edited", ...entry, target: seq - 1, content })
    case 1:
      return unchecked({ _tag: "Reacted", ...entry, target: seq - 1, reaction: content.slice(0, 32) })
    case 2:
      return unchecked({ _tag: "TopicSet", ...room, topic: content })
    case 3:
      return unchecked({ _tag: "Presence", joined: [user], left: [names[seq % names.length]] })
    case 4:
      return unchecked({ _tag: "PrivateMessage", ...entry, to: "ben", content })
    default:
      return unchecked({ _tag: "GlobalMessage", ...entry, content, ...(is === 5 && { replyTo: seq - 1 }) })
  }
}

const unsafe = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029\u{e0000}-\u{e007f}]/u

/** Whose name stands where names stand is somebody's who is there, or nobody's. */
const assertNames = ({ pane, plan }: Frame) => {
  if (plan.middle < 20) return
  const [time, cells] = plan.middle < 44 ? [1, 8] : [6, plan.middle < 64 ? 10 : 14]
  const known = [...names, "ben", "—", "not sent"]
  for (const row of pane.rows) {
    const [, first, second, bar] = row
    if (bar === undefined || !/^ [│ǀ▶][ ǀ]?/.test(bar.text) || row[0]?.text.length !== time - 1) continue
    assert.strictEqual((first?.text ?? "").length, 1)
    const name = (second?.text ?? "").trim().replace(/…$/, "")
    assert.isTrue(
      known.some((one) => one.startsWith(name)),
      `${name}: ${textOf(row)}`
    )
    assert.isAtMost(cellsOfRow([second ?? bar]), cells)
  }
}

describe("Whatever others say, and whatever is pressed", () => {
  it.effect.prop(
    "is drawn as text in the cells of the screen, and forges nobody's name",
    {
      columns: wholeNumber(1, 200),
      rows: wholeNumber(1, 60),
      speeches: some(speech, 10),
      acts: some(act, 8),
      hasLinks: Arbitrary.map(wholeNumber(0, 1), (one) => one === 1)
    },
    ({ acts, columns, hasLinks, rows, speeches }) =>
      Effect.gen(function* () {
        let view: View = after(
          begin(columns, rows),
          connected,
          received({ _tag: "Presence", joined: ["ben", ...names], left: [], all: true }),
          ...speeches.map((one, index) => happened(index + 1, one))
        )
        const test = yield* Effect.acquireRelease(
          Effect.promise(() =>
            createTestRenderer({
              width: columns,
              height: rows,
              exitOnCtrlC: false,
              exitSignals: [],
              useKittyKeyboard: null
            })
          ),
          ({ dispose }) => Effect.promise(() => dispose())
        )
        setRendererCapabilities(test.renderer, { hyperlinks: hasLinks })
        Painter.paint(library, test.renderer, { frame: () => frameOf(view), point: () => {}, theme: themes.terminal })
        const look = Effect.gen(function* () {
          const frame = frameOf(view)
          assert.isAtMost(frame.rows.length, rows)
          for (const row of frame.rows) assert.isAtMost(cellsOfRow(row), columns, textOf(row))
          assertNames(frame)
          test.renderer.requestRender()
          yield* Effect.promise(() => test.flush())
          const drawn = test.captureCharFrame().replace(/\n$/, "").split("\n")
          assert.isAtMost(drawn.length, rows)
          for (const row of drawn) assert.notMatch(row, unsafe)
          for (const { spans } of test.captureSpans().lines) {
            assert.isAtMost(
              spans.reduce((sum, { width }) => sum + width, 0),
              columns
            )
          }
          for (let y = 0; y < rows; y++) {
            for (let x = 0; x < columns; x += 3) {
              const target = test.renderer.getLinkAt(x, y)
              if (target !== null) assert.match(target, /^(?:https?:\/\/|mailto:)[\x21-\x7e]+$/i)
              if (!hasLinks) assert.isNull(target)
            }
          }
        })
        yield* look
        for (const { isPaste, key, text } of acts) {
          view = isPaste ? paste(view, text) : pressed(view, keys[key] ?? "enter").view
          yield* look
        }
      }),
    { ...tries(30), timeout: 120_000 }
  )
})
