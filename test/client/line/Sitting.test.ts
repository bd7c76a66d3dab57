/** Edits, deletions, reactions and replies as a person and a script type them, from the line to the wire and back. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Queue } from "effect"
import { chat } from "../../../src/client/line/Chat.ts"
import { Client } from "../../../src/client/link/Client.ts"
import { Screen } from "../../../src/client/screen/Screen.ts"
import { Epoch } from "../../../src/common/log/Cursor.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { ClientMessage } from "../../../src/common/wire/ClientMessage.ts"
import type { ServerMessage } from "../../../src/common/wire/ServerMessage.ts"
import { rejected, sent } from "../ClientTalk.ts"
import * as FakeScreen from "../FakeScreen.ts"
import { ada, type FakeServer, greet, idOf, make, start } from "../FakeServer.ts"

const bob = UserName.make("bob")
const at = FakeScreen.noon
const said = (seq: number, content: string, from = bob): ServerMessage => ({
  _tag: "GlobalMessage",
  seq,
  at,
  from,
  content
})

/** Ada's sitting, in a lobby of no messages; the lists it begins with are answered, whatever else it asks is taken. */
const sit = Effect.fnUntraced(function* (server: FakeServer, { isInteractive = true } = {}) {
  const { screen, ...person } = yield* FakeScreen.make({ isInteractive })
  const starting = yield* start(server)
  const { peer } = yield* greet(server, 0)
  const client = yield* Fiber.join(starting)
  const sitting = yield* chat.pipe(
    Effect.provideService(Client, client),
    Effect.provideService(Screen, screen),
    Effect.provide(NodeFileSystem.layer),
    Effect.forkScoped
  )
  const asked = yield* Queue.unbounded<ClientMessage>()
  const answer = Effect.flatMap(peer.take, (message) => {
    if (message._tag === "ListUsers") return peer.say({ _tag: "UserList", ...idOf(message), users: [ada], count: 1 })
    if (message._tag === "ListRooms") return peer.say({ _tag: "RoomList", ...idOf(message), rooms: [], count: 0 })
    if (message._tag === "Ping") return peer.say({ _tag: "Pong", ...idOf(message), nonce: message.nonce })
    return Queue.offer(asked, message)
  })
  yield* Effect.forkScoped(Effect.forever(answer))
  /** What is asked next, without what makes it repeatable. */
  const take = Effect.map(Queue.take(asked), (message) => {
    const { id: _id, ...request } = message
    return { message, request: "key" in request ? { ...request, key: typeof request.key } : request }
  })
  /** Types a line, takes what it asks for, and stores it as the entry of that number. */
  const say = Effect.fnUntraced(function* (line: string, seq: number, content = line) {
    yield* person.type(line)
    const { message } = yield* take
    yield* peer.say(said(seq, content, ada), sent(message, seq))
    yield* person.until(`#${seq} ada: ${content}`)
  })
  return { ...person, peer, sitting, take, say }
})

describe("a person", () => {
  it.live("edits the last message sent, and sees one line", () =>
    Effect.gen(function* () {
      const { peer, say, take, type, until } = yield* sit(yield* make)
      yield* say("Twelv", 1)
      yield* peer.say(said(2, "what?"))
      yield* type(":edit Twelve")
      const { message, request } = yield* take
      assert.deepStrictEqual<unknown>(request, { _tag: "EditMessage", target: 1, content: "Twelve", key: "string" })
      yield* peer.say(
        { _tag: "Edited", seq: 3, at, from: ada, target: 1, content: "Twelve" },
        sent(message, 3),
        said(4, "ah")
      )
      assert.deepStrictEqual((yield* until("bob: ah")).slice(-2), ["12:04 ada edited #1: Twelve", "12:04 #4 bob: ah"])
    })
  )

  it.live("edits no earlier message when the last one was not stored", () =>
    Effect.gen(function* () {
      const { peer, say, take, type, until } = yield* sit(yield* make)
      yield* say("first", 1)
      yield* type("second")
      yield* peer.say(rejected((yield* take).message, { _tag: "StorageUnavailable" }))
      yield* until("Not sent: second: no: StorageUnavailable")
      yield* type(":edit third")
      yield* until(":edit #12.")
    })
  )

  it.live("gets the old text to change where no new one is typed", () =>
    Effect.gen(function* () {
      const { say, type, until } = yield* sit(yield* make)
      yield* say("Twelv", 1)
      yield* type(":edit")
      assert.deepStrictEqual((yield* until("Twelv")).slice(-1), ["proposed: :edit in:* #1 Twelv"])
    })
  )

  it.live("answers and reacts to what was shown last, and is told what it was about", () =>
    Effect.gen(function* () {
      const { peer, take, type, until } = yield* sit(yield* make)
      yield* peer.say(said(1, "Who waters them?"))
      yield* until("#1 bob: Who waters them?")
      yield* type(":reply I do")
      const reply = yield* take
      assert.deepInclude<object>(reply.request, { _tag: "GlobalMessage", content: "I do", replyTo: 1 })
      const entry = { _tag: "GlobalMessage", seq: 2, at, from: ada, content: "I do", replyTo: 1 } as const
      yield* peer.say(entry, sent(reply.message, 2))
      assert.deepStrictEqual((yield* until("I do")).slice(-1), ["↳ #1 bob: Who waters them?\n12:04 #2 ada: I do"])
      yield* type(":react #1 👍")
      const react = yield* take
      assert.deepInclude<object>(react.request, { _tag: "React", target: 1, reaction: "👍" })
      yield* peer.say({ _tag: "Reacted", seq: 3, at, from: ada, target: 1, reaction: "👍" }, sent(react.message, 3))
      yield* until("ada reacted 👍 to #1 “Who waters them?”")
      yield* type(":react #1 👍")
      yield* peer.say({ _tag: "Sent", ...idOf((yield* take).message), seq: 3, at, repeated: true })
      yield* until("#1 has that reaction of yours already")
    })
  )

  it.live("answers nobody who said something while the answer was typed, and has it back with the number", () =>
    Effect.gen(function* () {
      const { begin, peer, take, type, until } = yield* sit(yield* make)
      yield* peer.say({ _tag: "PrivateMessage", seq: 1, at, from: bob, to: ada, content: "psst" })
      yield* until("psst")
      yield* begin
      yield* peer.say(said(1, "hello, all"))
      yield* until("hello, all")
      yield* type(":reply between us")
      yield* until("proposed: :reply in:@bob #1 between us")
      yield* type(":reply in:@bob #1 between us")
      assert.deepInclude<object>((yield* take).request, { _tag: "PrivateMessage", to: "bob", replyTo: 1 })
    })
  )

  it.live("goes back past entries that only a later client knows, and hears of refusals in the server's words", () =>
    Effect.gen(function* () {
      const { peer, take, type, until } = yield* sit(yield* make)
      const later = (seq: number) => ({ _tag: "PollOpened", seq, at, from: bob, topic: "tomatoes" })
      const answer = (request: ClientMessage, more: boolean, messages: ReadonlyArray<object>) =>
        peer.sayText(`${JSON.stringify({ _tag: "History", ...idOf(request), messages, more })}\n`)
      yield* type(":history 2")
      yield* answer((yield* take).message, true, [later(8), later(9)])
      yield* until("nothing here that this client could show; :more shows older ones")
      yield* type(":more")
      const more = yield* take
      assert.deepInclude<object>(more.request, { before: 8 })
      yield* answer(more.message, false, [said(6, "six"), later(7)])
      yield* until("1 message of history")
      yield* type(":delete in:* #6")
      const reason = { _tag: "Hibernating" }
      const refusal = { _tag: "Rejected", ...idOf((yield* take).message), reason, message: "Come back in spring." }
      yield* peer.sayText(`${JSON.stringify(refusal)}\n`)
      yield* until("Not sent: :delete in:* #6: Come back in spring.")
    })
  )

  it.live("is told of a refusal which command to type", () =>
    Effect.gen(function* () {
      const { peer, take, type, until } = yield* sit(yield* make)
      yield* type(":delete in:* #7")
      yield* peer.say(rejected((yield* take).message, { _tag: "MessageNotFound", seq: 7 }))
      assert.include((yield* until("numbers.")).at(-1), "There is no message #7, or not any more. Type :history")
    })
  )
})

describe("a script", () => {
  it.live("edits what it sent last, names messages by the numbers of a history, and fails with what is refused", () =>
    Effect.gen(function* () {
      const { endInput, peer, sitting, take, type, until } = yield* sit(yield* make, { isInteractive: false })
      for (const line of ["Twelv", ":edit Twelve", ":history", ":reply #2 yes", ":delete #9"]) yield* type(line)
      yield* endInput
      yield* peer.say(sent((yield* take).message, 1), said(1, "Twelv", ada))
      const edit = yield* take
      assert.deepInclude<object>(edit.request, { _tag: "EditMessage", target: 1 })
      yield* peer.say(sent(edit.message, 3), said(2, "what?"))
      yield* peer.say({ _tag: "Edited", seq: 3, at, from: ada, target: 1, content: "Twelve" })
      const messages = [{ _tag: "GlobalMessage", seq: 2, at, from: bob, content: "what?" } as const]
      yield* peer.say({ _tag: "History", ...idOf((yield* take).message), messages, more: false })
      const reply = yield* take
      assert.deepInclude<object>(reply.request, { content: "yes", replyTo: 2 })
      yield* peer.say(sent(reply.message, 4), said(4, "yes", ada))
      yield* until("#9 in the lobby.")
      assert.strictEqual(
        (yield* Effect.flip(Fiber.join(sitting))).message,
        "1 lines of the input could not be carried out."
      )
    })
  )

  it.live("goes on only when what it sent is shown, so that the next line is about that", () =>
    Effect.gen(function* () {
      const { peer, take, type } = yield* sit(yield* make, { isInteractive: false })
      yield* peer.say(said(1, "Who waters them?"))
      for (const line of [":pm bob psst", ":reply to my psst"]) yield* type(line)
      const { message } = yield* take
      yield* peer.say(sent(message, 1), said(2, "Nobody?"))
      yield* peer.say({ _tag: "PrivateMessage", seq: 1, at, from: ada, to: bob, content: "psst" })
      const reply = yield* take
      assert.deepInclude<object>(reply.request, { _tag: "PrivateMessage", to: "bob", replyTo: 1 })
    })
  )

  it.live("goes on where what it sent will not be shown any more, for its log has begun anew", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { peer, take, type } = yield* sit(server, { isInteractive: false })
      for (const line of ["hello", "hello?"]) yield* type(line)
      yield* peer.say(sent((yield* take).message, 1))
      yield* peer.cut
      const { peer: next } = yield* greet(server, 0, Epoch.make("second"))
      assert.deepInclude<object>(yield* next.take, { _tag: "GlobalMessage", content: "hello?" })
    })
  )
})

describe("a server that leaves out a place before every message", () => {
  it.live("is told of four times, and hides no message by it", () =>
    Effect.gen(function* () {
      const { peer, until } = yield* sit(yield* make)
      const places = Array.from({ length: 50 }, (_, index) => 2 * index + 2)
      yield* peer.say(...places.map((seq) => said(seq, `message ${seq}`)))
      const rows = yield* until("message 100")
      assert.lengthOf(
        rows.filter((row) => row.includes("left out")),
        4
      )
      assert.lengthOf(
        rows.filter((row) => row.includes("bob: message")),
        places.length
      )
    })
  )
})
