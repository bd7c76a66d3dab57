/** Where plain text goes, from the line and the prompt before it to the wire: never to another conversation than was seen. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Queue, Schema } from "effect"
import { chat } from "../../../src/client/line/Chat.ts"
import { Client } from "../../../src/client/link/Client.ts"
import { Screen } from "../../../src/client/screen/Screen.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { ClientMessage } from "../../../src/common/wire/ClientMessage.ts"
import type { ServerMessage } from "../../../src/common/wire/ServerMessage.ts"
import { dev, joined, rejected, sent } from "../ClientTalk.ts"
import * as FakeScreen from "../FakeScreen.ts"
import { ada, epoch, greet, idOf, make, start } from "../FakeServer.ts"

const bob = UserName.make("bob")
const at = FakeScreen.noon
const inRoom = (seq: number, content: string, room = dev): ServerMessage => ({
  _tag: "RoomMessage",
  room,
  seq,
  at,
  from: bob,
  content
})
const inLobby = (seq: number, content: string): ServerMessage => ({
  _tag: "GlobalMessage",
  seq,
  at,
  from: bob,
  content
})

/** Ada's sitting in an empty lobby; what she asks is taken, but for the lists and histories that come by themselves. */
const sit = Effect.fnUntraced(function* ({ isInteractive = true } = {}) {
  const server = yield* make
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
  const take = Queue.take(asked)
  const join = Effect.gen(function* () {
    yield* person.type(":jr dev")
    yield* peer.say(joined(yield* take, 0, 0))
    yield* person.until("you joined; here: ada, bob")
  })
  /** Stores what is asked next, which is a message. */
  const store = Effect.fnUntraced(function* (seq: number) {
    const message = yield* take
    yield* peer.say(sent(message, seq))
    return message
  })
  return { ...person, join, peer, sitting, store, take }
})

const joinedAt = (message: ClientMessage, room: RoomName): ServerMessage => ({
  _tag: "RoomJoined",
  ...idOf(message),
  room,
  epoch,
  seq: 0,
  missed: 0,
  truncated: false,
  users: [ada],
  count: 1
})

describe("plain text at a terminal", () => {
  it.live("goes to the lobby first, then to the room that was joined, and to the lobby again behind it", () =>
    Effect.gen(function* () {
      const { join, peer, prompted, store, take, type, until } = yield* sit()
      yield* type("one")
      assert.deepInclude<object>(yield* store(1), { _tag: "GlobalMessage", content: "one" })
      yield* prompted("lobby> ")
      yield* join
      yield* prompted("dev> ")
      yield* type("two")
      assert.deepInclude<object>(yield* store(1), { _tag: "RoomMessage", room: dev, content: "two" })
      yield* type(":lobby")
      yield* prompted("lobby> ")
      yield* type("three")
      assert.deepInclude<object>(yield* store(2), { _tag: "GlobalMessage", content: "three" })
      yield* type(":pm bob")
      yield* type("/jr DEV")
      yield* prompted("dev> ")
      yield* type(":lr dev")
      yield* peer.say({ _tag: "RoomLeft", ...idOf(yield* take), room: dev })
      yield* until("[dev] ← you left")
      yield* prompted("lobby> ")
      yield* type("four")
      assert.deepInclude<object>(yield* store(3), { _tag: "GlobalMessage", content: "four" })
    })
  )

  it.live("goes to whom one talks to in private, and to nobody by that name whom one is", () =>
    Effect.gen(function* () {
      const { prompted, store, type, until } = yield* sit()
      yield* type(":pm Bob")
      yield* until("> :pm Bob")
      yield* prompted("@Bob> ")
      yield* type("psst")
      assert.deepInclude<object>(yield* store(1), { _tag: "PrivateMessage", to: "Bob", content: "psst" })
      yield* type("/pm ADA")
      yield* until(":pm: this is you. :users lists who else is here.")
      yield* prompted("@Bob> ")
    })
  )

  it.live("goes to whom one has told something in private, and back if there is nobody of that name", () =>
    Effect.gen(function* () {
      const { join, peer, prompted, store, take, type } = yield* sit()
      yield* join
      yield* prompted("dev> ")
      yield* type(":pm bob hi")
      yield* prompted("@bob> ")
      assert.deepInclude<object>(yield* store(1), { _tag: "PrivateMessage", to: "bob", content: "hi" })
      yield* type("more")
      assert.deepInclude<object>(yield* store(2), { _tag: "PrivateMessage", to: "bob", content: "more" })
      yield* type("/jr dev")
      yield* prompted("dev> ")
      yield* type(":pm zed hi")
      yield* prompted("@zed> ")
      yield* peer.say(rejected(yield* take, { _tag: "UserNotFound", user: UserName.make("zed") }))
      yield* prompted("dev> ")
    })
  )

  it.live("goes to a room that one makes, behind the joining, and nowhere if that comes to nothing", () =>
    Effect.gen(function* () {
      const { peer, prompted, take, type, until } = yield* sit()
      yield* type(":cr dev")
      yield* prompted("dev> ")
      yield* type("typed in time")
      const create = yield* take
      assert.deepInclude<object>(create, { _tag: "CreateRoom", room: dev })
      yield* peer.say({ _tag: "RoomCreated", ...idOf(create), room: dev, by: ada })
      const join = yield* take
      assert.deepInclude<object>(join, { _tag: "JoinRoom", room: dev })
      yield* peer.say(joined(join, 0, 0))
      assert.deepInclude<object>(yield* take, { _tag: "RoomMessage", room: dev, content: "typed in time" })
      yield* type(":jr ops")
      yield* until("> :jr ops")
      yield* prompted("ops> ")
    })
  )

  it.live("goes nowhere when the room it was typed for lets nobody in", () =>
    Effect.gen(function* () {
      const { begin, peer, prompted, take, type, until } = yield* sit()
      yield* type(":jr dev")
      yield* until("> :jr dev")
      yield* begin
      const join = yield* take
      yield* peer.say(rejected(join, { _tag: "RoomNotFound", room: dev }))
      yield* until(":cr dev creates this one.")
      yield* prompted("lobby> ")
      yield* type("our secret")
      yield* until("proposed: our secret")
      yield* type(":whois bob")
      assert.strictEqual((yield* take)._tag, "GetUser")
    })
  )

  it.live("is put back where it was begun in a room that one was put out of meanwhile", () =>
    Effect.gen(function* () {
      const { begin, join, peer, take, type, until } = yield* sit()
      yield* join
      yield* begin
      yield* peer.say({ _tag: "RoomLeft", room: dev, reason: "spam" })
      yield* until(":jr dev joins again")
      yield* type("about the release")
      const rows = yield* until("Ctrl-C drops it.")
      assert.include(rows, "proposed: about the release")
      assert.include(rows.at(-1), "Not sent: the prompt changed while this was typed, and is lobby now. Enter sends it")
      yield* type("about the release")
      assert.deepInclude<object>(yield* take, { _tag: "GlobalMessage", content: "about the release" })
    })
  )

  it.live("that was pasted is sent as it stands, in one message, whatever its lines look like", () =>
    Effect.gen(function* () {
      const { join, paste, store, take, type, until } = yield* sit()
      yield* join
      yield* type(":unread")
      yield* until("nothing is unread")
      yield* paste(":quit\n/quit\n:rm ops x")
      assert.deepInclude<object>(yield* store(1), {
        _tag: "RoomMessage",
        room: dev,
        content: ":quit\n/quit\n:rm ops x"
      })
      yield* paste(`${"x".repeat(8000)}\n${"y".repeat(8000)}`)
      assert.deepInclude<object>(yield* store(2), { content: "x".repeat(8000) })
      assert.deepInclude<object>(yield* take, { _tag: "RoomMessage", content: "y".repeat(8000) })
    })
  )
})

describe("the prompt", () => {
  it.live("counts what waits elsewhere, which is tagged, until one goes there or has seen it in a history", () =>
    Effect.gen(function* () {
      const { join, peer, prompted, take, type, until } = yield* sit()
      yield* join
      yield* peer.say(inLobby(1, "one"), inRoom(1, "two"), inLobby(2, "three"))
      yield* peer.say({ _tag: "PrivateMessage", seq: 1, at, from: bob, to: ada, content: "four" })
      const rows = yield* until("four")
      assert.deepStrictEqual(rows.slice(-4), [
        "12:04 #1 [lobby] bob: one",
        "12:04 #1 [dev] bob: two",
        "12:04 #2 [lobby] bob: three",
        "12:04 #1 (private) bob → ada: four"
      ])
      yield* type(":unread")
      yield* until("unread: 2 in the lobby, 1 from bob; :history shows them")
      yield* prompted("dev (3)> ")
      yield* type(":history @bob")
      const messages = [{ _tag: "PrivateMessage", seq: 1, at, from: bob, to: ada, content: "four" } as const]
      yield* peer.say({ _tag: "History", ...idOf(yield* take), messages, more: false })
      yield* until("1 message of history")
      yield* type(":unread")
      yield* until("unread: 2 in the lobby; :history shows them")
      yield* prompted("dev (2)> ")
      yield* type(":lobby")
      yield* type(":unread")
      yield* until("nothing is unread")
      yield* prompted("lobby> ")
    })
  )

  it.live("takes no room for the lobby", () =>
    Effect.gen(function* () {
      const { peer, prompted, take, type, until } = yield* sit()
      yield* type(":jr Lobby")
      const join = yield* take
      const room = RoomName.make("Lobby")
      yield* peer.say(joinedAt(join, room))
      yield* until("you joined; here: ada")
      yield* prompted("room Lobby> ")
    })
  )
})

describe("plain text from a pipe", () => {
  it.live("goes to the lobby, whatever is joined or made", () =>
    Effect.gen(function* () {
      const { peer, store, take, type, until } = yield* sit({ isInteractive: false })
      yield* type("/jr dev")
      yield* peer.say(joined(yield* take, 0, 0))
      for (const line of [":lobby", ":pm bob", "hello", ":cr ops"]) yield* type(line)
      yield* until("<message>")
      assert.deepInclude<object>(yield* store(1), { _tag: "GlobalMessage", content: "hello" })
      yield* peer.say(inLobby(1, "hello"))
      const create = yield* take
      yield* peer.say({ _tag: "RoomCreated", ...idOf(create), room: RoomName.make("ops"), by: ada })
      yield* type(":whois bob")
      assert.strictEqual((yield* take)._tag, "GetUser")
    })
  )
})

/** The conversation to which a message is sent, as prompts have it. */
const keyOf = (message: ClientMessage): string => {
  if (message._tag === "RoomMessage") return `room ${message.room}`
  return message._tag === "PrivateMessage" ? `with ${message.to}` : "lobby"
}

const Step = Schema.Literals([
  "say",
  "begin",
  "paste",
  "lobby",
  "pm",
  "jr dev",
  "jr ops",
  "cr ops",
  "lr dev",
  "lr ops",
  "kick",
  "answer"
])

describe("whatever is typed while one comes and goes", () => {
  it.effect.prop(
    "no text goes to another conversation than the prompt named when it was begun, and when Enter was pressed",
    { steps: Schema.Array(Step).check(Schema.isMinLength(20), Schema.isMaxLength(60)) },
    ({ steps }) =>
      Effect.gen(function* () {
        const { begin, lineOf, paste, peer, sitting, take, type } = yield* sit()
        yield* type(":lobby")
        const kept: Array<ClientMessage> = []
        let seq = 0
        /** Answers what was asked longest ago: half of those who want in are refused. */
        const answerOne = Effect.gen(function* () {
          const message = kept.shift()
          if (message === undefined) return
          switch (message._tag) {
            case "GlobalMessage":
            case "PrivateMessage":
            case "RoomMessage": {
              const key = keyOf(message)
              const line = lineOf(message.content)
              assert.deepStrictEqual([line?.begunFor, line?.typedFor], [key, key], message.content)
              return yield* peer.say(sent(message, ++seq))
            }
            case "JoinRoom": {
              const { room } = message
              if (seq++ % 2 === 0) return yield* peer.say(rejected(message, { _tag: "RoomNotFound", room }))
              return yield* peer.say(joinedAt(message, room))
            }
            case "CreateRoom":
              return yield* peer.say({ _tag: "RoomCreated", ...idOf(message), room: message.room, by: ada })
            case "LeaveRoom":
              return yield* peer.say({ _tag: "RoomLeft", ...idOf(message), room: message.room })
          }
        })
        const taking = yield* Effect.forkChild(Effect.forever(Effect.map(take, (message) => kept.push(message))))
        for (const [index, step] of steps.entries()) {
          if (step === "say") yield* type(`text ${index}`)
          else if (step === "paste") yield* paste(`:text ${index}\n/quit`)
          else if (step === "begin") yield* begin
          else if (step === "kick") yield* peer.say({ _tag: "RoomLeft", room: dev })
          else if (step === "answer") yield* answerOne
          else yield* type(step === "pm" ? ":pm bob" : `:${step}`)
          if (index % 3 === 0) yield* Effect.yieldNow
        }
        for (let rounds = 0; rounds < steps.length; rounds++) yield* Effect.andThen(Effect.yieldNow, answerOne)
        yield* Fiber.interrupt(taking)
        yield* Fiber.interrupt(sitting)
      }).pipe(Effect.scoped),
    { arbitrary: { runs: 40 } }
  )
})

describe(":url", () => {
  it.live("shows where the links go that were shown last, the whole of each, and says how many there are", () =>
    Effect.gen(function* () {
      const { peer, type, until } = yield* sit()
      const long = `https://example.org/${"0123456789".repeat(20)}`
      yield* peer.say(inLobby(1, "**https://example.net/a_b**, mailto:ada@example.org"), inLobby(2, `see ${long}.`))
      yield* until(`${long}.`)
      yield* type(":url")
      yield* until(long)
      yield* type(":url 2")
      yield* until("https://example.net/a_b")
      yield* type(":url 4")
      yield* until(":url: 3 links were shown lately. :history shows what was said before.")
      yield* type(":url 0")
      yield* until("Type :url [n], for example :url 2")
    })
  )
})
