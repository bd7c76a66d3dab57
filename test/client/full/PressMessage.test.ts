/** What is done to messages, and how one gets out of it. */
import { assert, describe, it } from "@effect/vitest"
import { nameOf } from "../../../src/client/full/Bars.ts"
import { talkOf, type View } from "../../../src/client/full/View.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { after, begin, connected, noon, pressed, received, rowsIn, said } from "./Drawn.ts"

const inDev = (seq: number, from: string, content: string) =>
  received({ _tag: "RoomMessage", room: "dev", seq, at: noon, from, content })
const start = after(
  begin(80, 24),
  connected,
  said(1, "ada", "See https://example.org/tomatoes"),
  said(2, "ben", "Hi"),
  inDev(10, "ada", "Well"),
  inDev(11, "ben", "Yes")
)
const draft = (view: View) => talkOf(view).draft

describe("A command about a message", () => {
  it("means one of the conversation that is shown when Enter is pressed, whatever is shown when it is its turn", () => {
    const { wishes } = pressed(start, "type::delete", "enter", "alt+2", "type::react 👍", "enter")
    assert.deepStrictEqual(
      wishes.map((wish) => wish._tag === "Command" && wish.action._tag === "About" && wish.action.mention),
      [
        { where: {}, number: 2 },
        { where: { room: RoomName.make("dev") }, number: 11 }
      ]
    )
  })

  it("of an edit without words puts the message where one types", () => {
    const { view, wishes } = pressed(start, "type::edit", "enter")
    assert.deepStrictEqual(wishes, [])
    assert.match(rowsIn(view).at(-1) ?? "", /^lobby ✎ edit› Hi/)
  })

  it("is the chosen one, and then none is chosen any more", () => {
    const { view, wishes } = pressed(start, "alt+up", "up", "type::react 👍", "enter")
    assert.deepInclude(wishes[0], { _tag: "Command" })
    assert.isUndefined(view.chosen)
  })
})

describe("Ctrl-C", () => {
  it("ends an edit with its words, so that what is typed next is a message of its own", () => {
    const { view, wishes } = pressed(start, "up", "ctrl+c", "type:new", "enter")
    assert.deepStrictEqual(
      wishes.map((wish) => wish._tag === "Send" && wish.submission.request),
      [{ _tag: "GlobalMessage", content: "new" }]
    )
    assert.isUndefined(view.popup)
  })

  it("takes the words away, then what they answer, and then asks whether to leave", () => {
    const answering = pressed(start, "alt+up", "up", "r", "type:yes").view
    const once = pressed(answering, "ctrl+c").view
    assert.strictEqual(draft(once), "")
    assert.strictEqual(talkOf(once).replyTo, 1)
    const twice = pressed(once, "ctrl+c").view
    assert.isUndefined(talkOf(twice).replyTo)
    assert.isUndefined(twice.popup)
    assert.strictEqual(pressed(twice, "ctrl+c").view.popup?._tag, "Confirm")
  })
})

describe("A chosen message", () => {
  it("is edited if it is one's own, copied, and its link is opened", () => {
    assert.strictEqual(draft(pressed(start, "alt+up", "e").view), "Hi")
    assert.include(rowsIn(pressed(start, "alt+up", "up", "e").view).at(-2), "Only your own messages can be edited")
    assert.deepStrictEqual(pressed(start, "alt+up", "c").wishes, [{ _tag: "Copy", text: "Hi" }])
    assert.deepStrictEqual(pressed(start, "alt+up", "up", "o").wishes, [
      { _tag: "Open", target: "https://example.org/tomatoes" }
    ])
  })

  it("is copied without what would be hidden in it, or turn the order of the writing", () => {
    const view = after(start, said(3, "ada", "rm \u202ea\u202c\u2066-rf\u2069\u{e0041}\u200b x"))
    assert.deepStrictEqual(pressed(view, "alt+up", "c").wishes, [{ _tag: "Copy", text: "rm a-rf x" }])
  })
})

describe("Alt-A", () => {
  it("goes to a mention, then to what is said in private, then to anything unread, and to what is muted last", () => {
    const joined = (room: string) =>
      received({ _tag: "RoomJoined", room, epoch: "f", seq: 0, missed: 0, truncated: false, users: [], count: 0 })
    const loud = (seq: number, room: string, content: string) =>
      received({ _tag: "RoomMessage", room, seq, at: noon, from: "ada", content })
    const rooms = after(start, joined("a"), joined("b"), joined("c"))
    const view = pressed(after(rooms, loud(1, "a", "plain"), loud(1, "c", "@ben too")), "alt+1").view
    const ways = ["alt+a", "alt+a", "alt+a", "alt+a"].map((_, index, all) =>
      nameOf(talkOf(pressed(view, ...all.slice(0, index + 1)).view))
    )
    assert.deepStrictEqual(ways, ["dev", "c", "@ada", "a"])
    const muted = { ...view, levels: new Map(["room dev", "room c", "room a"].map((key) => [key, "none" as const])) }
    assert.strictEqual(nameOf(talkOf(pressed(muted, "alt+a").view)), "@ada")
    assert.strictEqual(nameOf(talkOf(pressed(muted, "alt+a", "alt+a").view)), "dev")
    assert.include(rowsIn(pressed(start, "alt+a", "alt+a", "alt+a").view).at(-2), "Nothing is unread.")
  })
})

describe("The list of emoji", () => {
  const picking = (...keys: ReadonlyArray<string>) => pressed(start, "alt+up", "+", ...keys)
  const reactions = (...keys: ReadonlyArray<string>) =>
    picking(...keys).wishes.flatMap((wish) =>
      wish._tag === "Do" && wish.request._tag === "React" ? [wish.request.reaction] : []
    )

  it("finds a name with its colons and without, and takes an emoji itself", () => {
    for (const name of ["tad", ":tad", ":tada:", "TADA"]) {
      assert.deepStrictEqual(reactions(`type:${name}`, "enter"), ["🎉"], name)
    }
    assert.deepStrictEqual(reactions("type:🦖", "enter"), ["🦖"])
  })

  it("puts no name there that is typed by half, and says how a word is put there", () => {
    assert.deepStrictEqual(reactions("type::tx", "enter"), [])
    assert.include(picking("type::tx", "enter").view.notice?.text, ":react :tx puts the word there")
  })
})
