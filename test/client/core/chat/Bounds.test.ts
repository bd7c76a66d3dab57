/** However much happens, so much is kept of it and no more; and what is kept is the newest. */
import { assert, describe, it } from "@effect/vitest"
import * as People from "../../../../src/client/core/chat/People.ts"
import * as Unread from "../../../../src/client/core/chat/Unread.ts"
import * as Window from "../../../../src/client/core/chat/Window.ts"
import { UserName } from "../../../../src/common/name/UserName.ts"
import type { EntryMessage } from "../../../../src/common/wire/EntryMessage.ts"
import { bob, dev } from "../ModelServer.ts"

const edited = (seq: number, target: number): EntryMessage => ({
  _tag: "Edited",
  room: dev,
  seq,
  at: seq,
  from: bob,
  target,
  content: "edited"
})
const said = (seq: number) => ({ _tag: "RoomMessage", room: dev, seq, at: seq, from: bob, content: "x" }) as const
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

describe("Of one conversation", () => {
  it("200 changes of messages that are not at hand wait for those, the newest", () => {
    const many = numbers(1000).reduce(
      (window, seq) => Window.follow(window, edited(2000 + seq, seq), "newest"),
      Window.make({ room: dev })
    )
    assert.lengthOf(many.late, 200)
    const page = Window.olderPage(many, { messages: [said(800), said(801)], more: false })
    assert.deepStrictEqual(
      page.entries.map((message) => "content" in message && message.content),
      ["x", "edited"]
    )
  })

  it("200 messages of a log that is no more stay to be read, however often it begins anew", () => {
    const once = (window: Window.Window) =>
      Window.ended(numbers(150).reduce((next, seq) => Window.follow(next, said(seq), "newest"), window))
    const many = once(once(once(Window.make({ room: dev }))))
    assert.lengthOf(many.past, 200)
    assert.strictEqual(many.past.at(-1)?.seq, 150)
  })

  it("1,000 unread messages are known one by one, and all are counted", () => {
    const many = numbers(3000).reduce(
      (unread, seq) => Unread.hear(unread, seq, seq % 3 === 0 ? "mention" : "message"),
      Unread.upTo(0)
    )
    assert.lengthOf(many.heard, 1000)
    assert.deepStrictEqual([Unread.unread(many), Unread.mentions(many)], [3000, 1000])
    assert.strictEqual(Unread.unread(Unread.mark(many, 2500)), 500)
  })
})

describe("Of the people", () => {
  const users = numbers(10_500).map((number) => UserName.make(`user${number}`))
  const [first, ...rest] = users

  it("10,000 are known, whether they are listed or come one after the other", () => {
    const listed = People.follow(People.empty, { _tag: "UserList", users, count: users.length })
    assert.strictEqual(listed.everybody.size, 10_000)
    const come = People.follow(People.empty, { _tag: "Presence", joined: users, left: [] })
    assert.strictEqual(come.everybody.size, 10_000)
    const gone = People.follow(come, {
      _tag: "Presence",
      joined: rest.slice(-1),
      left: first === undefined ? [] : [first]
    })
    assert.strictEqual(gone.everybody.size, 10_000)
  })
})
