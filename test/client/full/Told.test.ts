import { assert, describe, it } from "@effect/vitest"
import { answeredFromTop, answeredWith } from "../../../src/client/full/Answers.ts"
import * as Editor from "../../../src/client/full/Editor.ts"
import { frameOf } from "../../../src/client/full/Frame.ts"
import { cellsOfRow } from "../../../src/client/full/Row.ts"
import * as View from "../../../src/client/full/View.ts"
import { after, begin, connected, pressed, rowsIn, said } from "./Drawn.ts"

const sizes = [
  [80, 24],
  [60, 20],
  [50, 20],
  [40, 10]
] as const

const words = (text: string): string => text.replaceAll(/[\s│─]+/g, " ").trim()

/** Every word of the sentence, one after the other, wherever on the screen its rows are. */
const reads = (view: View.View, sentence: string): boolean => {
  const plan = frameOf(view).plan
  const all = rowsIn(view)
  const middle = all.map((row, index) =>
    index < plan.header + plan.pane && plan.left > 0 ? row.slice(plan.left + 1) : row
  )
  return words(middle.join(" ")).includes(words(sentence))
}

describe.each(sizes)("On a screen of %i columns and %i rows", (columns, rows) => {
  const many = Array.from({ length: 40 }, (_, index) => said(index + 1, "ada", `number ${index}`))
  const start = after(begin(columns, rows), connected, ...many)

  it("a sentence is told to its end, and as soon as the next key is pressed, its rows are the messages' again", () => {
    for (const [line, sentence] of [
      [":foo", 'There is no command ":foo". Type :help for a list.'],
      [":notify", "lobby calls you when you are mentioned. :notify all, :notify mentions or :notify none changes it."],
      [":close", "lobby stays on the list: the lobby stays."]
    ] as const) {
      const { view } = pressed(start, `type:${line}`, "enter")
      assert.isTrue(reads(view, view.notice?.text ?? ""), sentence)
      assert.include(view.notice?.text.slice(0, 20), sentence.slice(0, 20))
      assert.strictEqual(rowsIn(view).length, rows)
      assert.strictEqual(rowsIn(pressed(view, "ctrl+u").view).join("\n"), rowsIn(start).join("\n"))
    }
    const lost = {
      ...start,
      chat: { ...start.chat, connection: { is: "lost", cause: "word ".repeat(12).trim() } }
    } as const
    const told = View.notify(lost, `${"sentence ".repeat(14)}:command`, true)
    assert.isTrue(reads(told, `offline (${lost.chat.connection.cause}) ${told.notice?.text}`))
    assert.isTrue(frameOf(told).rows.every((row) => cellsOfRow(row) <= columns))
  })

  it("an alarm about keys stands until it is closed, whatever is typed, sent or asked meanwhile", () => {
    const alarm = "ada has all new devices. Nothing is sent to them until you have typed :trust ada."
    const other = "The server gives a list of ben's devices that cannot be theirs."
    const told = View.tell(start, { message: alarm, isAlarm: true })
    assert.isTrue(reads(told, alarm))
    assert.isTrue(reads(told, told.notice?.text ?? ""))
    let { view } = pressed(told, "type:hello", "enter")
    assert.isTrue(reads(view, alarm))
    view = pressed(View.tell(view, { message: other, isAlarm: true }), "type::close", "enter", "type:x").view
    assert.isTrue(reads(pressed(view, ...(rows < 20 ? ["pageup"] : [])).view, alarm))
    assert.isTrue(reads(view, other))
    view = pressed(view, "escape").view
    assert.isFalse(reads(view, alarm))
    assert.isFalse(reads(pressed(view, "enter").view, other))
    const news = View.tell(start, { message: "ada has another device.", isAlarm: false })
    assert.isTrue(reads(news, "ada has another device."))
    assert.isFalse(reads(pressed(news, "type:x").view, "ada has another device."))
  })

  it("nothing of a sentence gives way to what is told of newer messages", () => {
    const { view } = pressed(start, "pageup", "pageup")
    const told = View.notify(view, "x".repeat(columns - 6))
    assert.isTrue(reads(told, told.notice?.text ?? ""))
    assert.isTrue(reads(View.notify(view, "short"), "short"))
    assert.match(rowsIn(View.notify(view, "short")).join("\n"), /short.*↓ \d+ newer/)
  })

  it("a question is read to its end, whether or not its answer is seen", () => {
    const question =
      "New password (the server takes none of 10 characters or fewer, nor one that many people have) for the account ben"
    const ask: View.View = { ...start, popup: { _tag: "Ask", question, editor: Editor.empty } }
    assert.isTrue(reads(ask, question))
    const short: View.View = { ...start, popup: { _tag: "Ask", question: "New password", editor: Editor.empty } }
    assert.match(rowsIn(short).at(-1) ?? "", /^New password:/)
    assert.isTrue(reads({ ...start, popup: { _tag: "Confirm", question, what: { _tag: "Quit" } } }, question))
  })

  it("what stands over the messages says to the end which keys there are", () => {
    for (const [keys, sentence] of [
      [["f1"], "keys and commands: PageDown for more, Escape closes it"],
      [["ctrl+k"], "Up, Down and Enter pick one; Escape closes it"],
      [["ctrl+f"], "Enter finds messages with all these words; Ctrl-F again: everywhere"]
    ] as const) {
      assert.isTrue(reads(pressed(start, ...keys).view, sentence), sentence)
    }
    const long = Array.from({ length: 60 }, (_, index) => `line ${index}`)
    assert.isTrue(reads(answeredWith(start, long), "answer: PageUp and PageDown for more, Escape closes it"))
    const keys = "r reply + react e edit d delete c copy o link"
    assert.isTrue(reads(pressed(start, "alt+up").view, keys))
  })

  it("the page of keys has their whole names", () => {
    let { view } = pressed(start, "f1")
    const seen: Array<string> = []
    for (let page = 0; page < 300; page++) {
      seen.push(...rowsIn(view))
      view = pressed(view, "down").view
    }
    const { plan } = frameOf(view)
    assert.deepStrictEqual(
      seen.filter((row) => row.slice(plan.left).endsWith("…")),
      []
    )
    assert.isTrue(seen.some((row) => row.includes("Shift-Enter")))
    assert.isTrue(reads(view, ":close take a private conversation, or a room you left, off the list"))
  })

  it("help is open at its beginning, the newest answer at its end, and one page back is one page", () => {
    const long = Array.from({ length: 60 }, (_, index) => `line ${index}.`)
    const help = answeredFromTop(start, long)
    assert.isTrue(reads(help, "line 0."))
    assert.isFalse(reads(pressed(help, "pagedown").view, "line 0."))
    const answer = answeredWith(start, long)
    assert.isTrue(reads(answer, "line 59."))
    const { view: top } = pressed(answer, ...Array.from({ length: 12 }, () => "pageup"))
    assert.isTrue(reads(top, "line 0."))
    assert.isFalse(reads(pressed(top, "pagedown").view, "line 0."))
  })
})
