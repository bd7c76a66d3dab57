/** What others and a server that lies may do while one types: nothing goes where it was not meant for. */
import { assert, describe, it } from "@effect/vitest"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import { nameOf } from "../../../src/client/full/Bars.ts"
import { talkOf } from "../../../src/client/full/View.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { after, begin, connected, noon, pressed, received, rowsIn, said } from "./Drawn.ts"

const inDev = (seq: number, from: string, content: string, at = noon) =>
  received({ _tag: "RoomMessage", room: "dev", seq, at, from, content })
const start = after(begin(80, 24), connected, said(2, "ben", "Hi"), inDev(10, "ada", "Well"), inDev(11, "ben", "Yes"))
const begunAnew = (conversation: "dev" | "lobby"): ClientEvent => ({
  _tag: "Gap",
  conversation: conversation === "lobby" ? { _tag: "Lobby" } : { _tag: "Room", room: RoomName.make("dev") }
})
const requests = (wishes: ReturnType<typeof pressed>["wishes"]) =>
  wishes.map((wish) => (wish._tag === "Send" ? wish.submission.request : wish))

describe("The question whether to delete a message", () => {
  const asked = pressed(start, "alt+2", "alt+up", "d").view

  it("is about a room that one is put out of meanwhile: nothing is deleted where one is then", () => {
    const out = after(asked, received({ _tag: "RoomLeft", room: "dev" }))
    assert.deepStrictEqual(pressed(out, "y").wishes, [])
    const elsewhere = after(asked, received({ _tag: "RoomLeft", room: "dev", id: "7" }))
    assert.strictEqual(elsewhere.chat.shown, "lobby")
    assert.deepStrictEqual(pressed(elsewhere, "y").wishes, [])
  })

  it("is about the message that was seen, not about another one of that number in a log that began anew", () => {
    const anew = after(asked, begunAnew("dev"), inDev(11, "ben", "Another one", noon + 1))
    assert.deepStrictEqual(pressed(anew, "y").wishes, [])
    assert.strictEqual(pressed(asked, "y").wishes.length, 1)
  })
})

describe("Where a log begins anew", () => {
  it("an edit under way replaces no other message of that number", () => {
    const editing = pressed(start, "up", "type:!").view
    const anew = after(editing, begunAnew("lobby"), said(2, "ben", "Another one"))
    assert.strictEqual(talkOf(anew).draft, "Hi!")
    assert.deepStrictEqual(requests(pressed(anew, "enter").wishes), [{ _tag: "GlobalMessage", content: "Hi!" }])
  })

  it("a reply under way answers no other message of that number", () => {
    const replying = pressed(start, "alt+up", "r", "type:no").view
    const anew = after(replying, begunAnew("lobby"), said(2, "ben", "Another one"))
    assert.deepStrictEqual(requests(pressed(anew, "enter").wishes), [{ _tag: "GlobalMessage", content: "no" }])
  })
})

describe("A room called lobby", () => {
  it("does not pass for the lobby", () => {
    const room = { where: { room: RoomName.make("lobby") }, partner: undefined }
    assert.notStrictEqual(nameOf(room), nameOf({ where: {}, partner: undefined }))
    const joined = {
      _tag: "RoomJoined",
      room: "Lobby",
      epoch: "f",
      seq: 0,
      missed: 0,
      truncated: false,
      users: [],
      count: 0
    }
    const inside = pressed(after(start, received(joined)), "alt+4").view
    assert.match(rowsIn(inside).at(-1) ?? "", /^room Lobby›/)
  })
})

describe(":url", () => {
  it("opens the address that is seen, whatever stands in it that is not", () => {
    const view = after(start, said(3, "ada", "https://t.co\u200bmpany.example/"))
    assert.isTrue(rowsIn(view).some((row) => row.includes("https://t.company.example/")))
    assert.deepStrictEqual(pressed(view, "type::url", "enter").wishes, [
      { _tag: "Open", target: "https://t.company.example/" }
    ])
    assert.deepStrictEqual(pressed(view, "alt+up", "o").wishes, [
      { _tag: "Open", target: "https://t.company.example/" }
    ])
  })
})
