/** Commands that lead to another conversation, and what is typed without a connection. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Fiber, FileSystem } from "effect"
import { sitting } from "../../../src/client/full/FullScreen.ts"
import { talkOf } from "../../../src/client/full/View.ts"
import { Client } from "../../../src/client/link/Client.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import * as TestServer from "../../support/TestServer.ts"
import { start } from "../BreakableClient.ts"
import { after, begin, connected, pressed, received, rowsIn, said } from "./Drawn.ts"
import { fakeStage } from "./FakeStage.ts"

const there = after(begin(80, 24), connected, said(1, "ada", "Good morning!"))
const lost = after(there, { _tag: "Disconnected", cause: "gone" })

describe("Without a connection", () => {
  it.each([":topic x", ":search x", ":cr offlineroom", ":jr other", ":more", ":passwd", ":reply yes", ":rm dev hello"])(
    "%s stays where it was typed, with the reason",
    (line) => {
      const { view, wishes } = pressed(lost, "alt+2", `type:${line}`, "enter")
      assert.deepStrictEqual(wishes, [])
      assert.strictEqual(talkOf(view).draft, line)
      assert.include(rowsIn(view).join(" "), "Not done: there is no connection.")
    }
  )

  it("what is told somebody in private is shown there, on its way, and their draft stays", () => {
    const drafting = pressed(lost, "alt+3", "type:half", "alt+1").view
    const { view, wishes } = pressed(drafting, "type::pm ada hello", "enter")
    assert.strictEqual(view.chat.shown, "with ada")
    assert.deepStrictEqual(
      talkOf(view).outbox.map(({ content }) => content),
      ["hello"]
    )
    assert.strictEqual(talkOf(view).draft, "half")
    assert.deepStrictEqual(
      wishes.map((wish) => wish._tag === "Send" && wish.submission.request),
      [{ _tag: "PrivateMessage", to: UserName.make("ada"), content: "hello" }]
    )
    assert.strictEqual(pressed(view, "alt+1", "type::pm zed hi", "enter").view.chat.shown, "with zed")
  })

  it("what needs none is done: another conversation, help, and leaving", () => {
    assert.strictEqual(pressed(lost, "type::jr dev", "enter").view.chat.shown, "room dev")
    assert.lengthOf(pressed(lost, "type::help", "enter").wishes, 1)
    assert.deepStrictEqual(
      pressed(lost, "type::quit", "enter").wishes.map(({ _tag }) => _tag),
      ["Command"]
    )
  })
})

describe("A command of the screen's own", () => {
  it("says what is missing, and who is ignored", () => {
    assert.strictEqual(
      pressed(there, "type::ignore", "enter").view.notice?.text,
      "<user> is missing: :ignore ada, :unignore ada. Nobody is ignored."
    )
    const { view } = pressed(there, "type::ignore gus", "enter", "type:/ignore", "enter")
    assert.include(view.notice?.text, "Ignored: gus.")
  })

  it("is named with the sign with which it was typed", () => {
    const { notice } = pressed(there, "type:/zzz", "enter").view
    assert.include(notice?.text, 'There is no command "/zzz".')
    assert.include(notice?.text, 'begin it with "//"')
  })
})

describe("Taking a private conversation off the list", () => {
  it("holds when the client comes back, until more is said there", () => {
    const closed = pressed(there, "alt+3", "alt+w").view
    assert.isFalse(closed.chat.talks.has("with ada"))
    const welcome = connected._tag === "Connected" ? connected.welcome : undefined
    assert.isDefined(welcome)
    if (welcome === undefined) return
    const again = after(closed, { _tag: "Reconnected", welcome, missed: 0 })
    assert.isFalse(again.chat.talks.has("with ada"))
    const more = { ...welcome, conversations: [{ with: UserName.make("ada"), seq: 4, read: 1, unread: 3 }] }
    assert.isTrue(after(closed, { _tag: "Reconnected", welcome: more, missed: 0 }).chat.talks.has("with ada"))
    const message = { _tag: "PrivateMessage", seq: 4, at: 1, from: "ada", to: "ben", content: "psst" }
    assert.isTrue(after(closed, received(message)).chat.talks.has("with ada"))
  })
})

layer(NodeServices.layer, { excludeTestServices: true })("A command about a room", (it) => {
  it.effect(
    ":jr goes to a room one is in, also after :cr was told that there is one; :topic is about the one shown",
    () =>
      Effect.gen(function* () {
        const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
        const { port } = yield* TestServer.start()
        const ben = yield* start(port, "ben")
        const stage = yield* fakeStage()
        const chatting = yield* sitting({ memoryPath: `${folder}/ben.json`, hasMouse: true }, stage.open).pipe(
          Effect.provideService(Client, ben.client),
          Effect.forkChild
        )
        yield* stage.shows("lobby›")
        yield* stage.press(...":cr ops", "enter")
        yield* stage.shows("ops›")
        yield* stage.press(...":cr dev", "enter")
        yield* stage.shows("dev›")
        yield* stage.press(...":topic ops are asleep", "enter")
        yield* stage.shows("dev (yours) — ops are asleep")
        yield* stage.press(...":topic in:ops Elsewhere", "enter", ...":jr ops", "enter")
        yield* stage.shows("ops (yours) — Elsewhere")
        yield* stage.press(...":lobby", "enter")
        yield* stage.shows("lobby›")
        yield* stage.press(...":cr dev", "enter")
        yield* stage.shows(":jr dev")
        yield* stage.press(...":jr dev", "enter")
        yield* stage.shows("dev›")
        yield* stage.press(...":quit", "enter")
        yield* Fiber.join(chatting)
      })
  )
})
