/** Of the lobby the server tells an account how far it was read; what that is, the page of it says. */
import { assert, describe, it } from "@effect/vitest"
import * as ChatState from "../../../../src/client/core/chat/ChatState.ts"
import * as Intention from "../../../../src/client/core/chat/Intention.ts"
import * as Talk from "../../../../src/client/core/chat/Talk.ts"
import type { ClientEvent } from "../../../../src/client/core/ClientEvent.ts"
import { UserName } from "../../../../src/common/name/UserName.ts"
import { after, begin, connected, noon, said } from "../../full/Drawn.ts"

const arrivedWith = (lobbyRead: number | undefined, seq = 50): ChatState.ChatState => {
  if (connected._tag !== "Connected") throw new Error("not connected")
  const { lobbyRead: _, ...welcome } = connected.welcome
  const event: ClientEvent = {
    _tag: "Connected",
    welcome: { ...welcome, lobby: { ...welcome.lobby, seq }, ...(lobbyRead !== undefined && { lobbyRead }) }
  }
  return Intention.show(after(begin(80, 24), event).chat, "room dev")
}

const message = (seq: number, content: string, from = "tina") =>
  ({ _tag: "GlobalMessage", seq, at: noon, from: UserName.make(from), content }) as const

const counts = (state: ChatState.ChatState) => {
  const talk = state.talks.get("lobby")
  return talk === undefined ? undefined : [Talk.unread(talk), Talk.mentionsIn(talk)]
}

describe("What is unread in the lobby after a restart", () => {
  it("is as much at most as stands behind what was read, and nothing where it never was", () => {
    assert.deepStrictEqual(counts(arrivedWith(44)), [6, 0])
    for (const read of [undefined, 0, 50, 60]) assert.deepStrictEqual(counts(arrivedWith(read)), [0, 0])
  })

  it("is what the page of it says: messages of others, and which of them mention one", () => {
    const page = [
      message(44, "@ben old"),
      message(46, "@ben come here"),
      message(47, "mine", "ben"),
      message(49, "well")
    ]
    const state = Intention.turned(arrivedWith(44), "lobby", { messages: page, more: true }, "older")
    assert.deepStrictEqual(counts(state), [2, 1])
    assert.strictEqual(Intention.nextWaiting(state), "lobby")
    const heard = ChatState.hear(state, said(51, "tina", "@ben hurry"), noon)
    assert.deepStrictEqual(counts(heard), [3, 2])
    assert.deepStrictEqual(counts(Intention.show(heard, "lobby")), [0, 0])
  })

  it("is known also where something is said before the page comes, and page by page where it is long", () => {
    const early = ChatState.hear(arrivedWith(2), said(51, "tina", "early"), noon)
    const first = Intention.turned(
      early,
      "lobby",
      { messages: [message(40, "@ben"), message(50, "x")], more: true },
      "older"
    )
    assert.deepStrictEqual(counts(first), [37 + 3, 1])
    const whole = Intention.turned(
      first,
      "lobby",
      { messages: [message(1, "@ben"), message(3, "@ben")], more: true },
      "older"
    )
    assert.deepStrictEqual(counts(whole), [4, 2])
  })
})
