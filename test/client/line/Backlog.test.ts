import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Queue } from "effect"
import { TestClock } from "effect/testing"
import { chat } from "../../../src/client/line/Chat.ts"
import { Client } from "../../../src/client/link/Client.ts"
import { Screen } from "../../../src/client/screen/Screen.ts"
import { Epoch } from "../../../src/common/log/Cursor.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { ClientMessage } from "../../../src/common/wire/ClientMessage.ts"
import type { ChatMessage } from "../../../src/common/wire/EntryMessage.ts"
import type { Rejection } from "../../../src/common/wire/Rejection.ts"
import type { ServerMessage } from "../../../src/common/wire/ServerMessage.ts"
import * as TestServer from "../../support/TestServer.ts"
import * as BreakableClient from "../BreakableClient.ts"
import * as FakeScreen from "../FakeScreen.ts"
import { ada, epoch, type FakeServer, greet, idOf, make, type Peer, start } from "../FakeServer.ts"

const bob = UserName.make("bob")
const dev = RoomName.make("dev")
const { noon } = FakeScreen

const said = (seq: number) => ({ seq, at: noon, from: bob, content: `${seq}` })
const inLobby = (seq: number): ChatMessage => ({ _tag: "GlobalMessage", ...said(seq) })
const inRoom = (seq: number): ChatMessage => ({ _tag: "RoomMessage", room: dev, ...said(seq) })

const history = (request: ClientMessage, ...messages: ReadonlyArray<ChatMessage>): ServerMessage => ({
  _tag: "History",
  ...idOf(request),
  messages,
  more: false
})
const joined = (request: ClientMessage, seq: number, missed = 0): ServerMessage => ({
  _tag: "RoomJoined",
  ...idOf(request),
  room: dev,
  epoch,
  seq,
  missed,
  truncated: false,
  users: [ada],
  count: 1
})
const rejected = (request: ClientMessage, reason: Rejection): ServerMessage => ({
  _tag: "Rejected",
  ...idOf(request),
  reason,
  message: "no"
})
const sayToAll = (content: string, seq: number): ServerMessage => ({ ...inLobby(seq), content })

/** The server's end of a connection, with the lists that every sitting begins with answered. */
const attend = Effect.fnUntraced(function* ({ peer }: { readonly peer: Peer }) {
  const asked = yield* Queue.unbounded<ClientMessage>()
  const answer = Effect.flatMap(peer.take, (message) => {
    if (message._tag === "ListUsers") return peer.say({ _tag: "UserList", ...idOf(message), users: [ada], count: 1 })
    if (message._tag === "ListRooms") return peer.say({ _tag: "RoomList", ...idOf(message), rooms: [], count: 0 })
    return Queue.offer(asked, message)
  })
  yield* Effect.forkScoped(Effect.forever(answer))
  return { ...peer, take: Queue.take(asked) }
})

/** A person's sitting, or a script, that has been welcomed in a lobby with so many messages. */
const sit = Effect.fnUntraced(function* (server: FakeServer, { isInteractive = true, lobby = 0 } = {}) {
  const { screen, ...person } = yield* FakeScreen.make({ isInteractive })
  const starting = yield* start(server)
  const greeted = yield* greet(server, lobby)
  const client = yield* Fiber.join(starting)
  yield* chat.pipe(
    Effect.provideService(Client, client),
    Effect.provideService(Screen, screen),
    Effect.provide(NodeFileSystem.layer),
    Effect.forkScoped
  )
  return { ...person, peer: yield* attend(greeted) }
})

/** The same, with the room just joined in which so many messages were said. */
const sitInRoom = Effect.fnUntraced(function* (server: FakeServer, seq: number) {
  const sitting = yield* sit(server)
  yield* sitting.type(":jr dev")
  yield* sitting.peer.say(joined(yield* sitting.peer.take, seq))
  yield* sitting.until("[dev] → you joined; here: ada")
  return sitting
})

describe("a person who comes into a room", () => {
  it.effect("is shown what was said before, and then what was said meanwhile", () =>
    Effect.gen(function* () {
      const { peer, until } = yield* sitInRoom(yield* make, 7)
      const request = yield* peer.take
      yield* peer.say(inRoom(8), sayToAll("meanwhile", 1), history(request, inRoom(6), inRoom(7)), inRoom(9))
      assert.deepInclude(request, { _tag: "GetHistory", room: dev, before: 8, limit: 20 })
      assert.deepStrictEqual(yield* until("12:04 #9 [dev] bob: 9"), [
        "12:04 #6 [dev] bob: 6",
        "12:04 #7 [dev] bob: 7",
        "↑ 2 earlier messages",
        "12:04 #8 [dev] bob: 8",
        "12:04 #1 [lobby] bob: meanwhile",
        "12:04 #9 [dev] bob: 9"
      ])
    })
  )

  it.effect("is not shown twice what comes with the joining", () =>
    Effect.gen(function* () {
      const { peer, type, until } = yield* sit(yield* make)
      yield* type(":jr dev")
      yield* peer.say(joined(yield* peer.take, 7, 2), inRoom(6), inRoom(7))
      const request = yield* peer.take
      yield* peer.say(history(request, inRoom(5)))
      assert.deepInclude(request, { before: 6 })
      assert.deepStrictEqual((yield* until("12:04 #7 [dev] bob: 7")).slice(-4), [
        "12:04 #5 [dev] bob: 5",
        "↑ 1 earlier message",
        "12:04 #6 [dev] bob: 6",
        "12:04 #7 [dev] bob: 7"
      ])
    })
  )

  it.effect("asks for nothing where nothing was said", () =>
    Effect.gen(function* () {
      const { peer, type } = yield* sitInRoom(yield* make, 0)
      yield* type(":lru dev")
      assert.strictEqual((yield* peer.take)._tag, "ListRoomUsers")
    })
  )

  it.effect("waits two seconds for it, and is not shown it afterwards", () =>
    Effect.gen(function* () {
      const { peer, until } = yield* sitInRoom(yield* make, 7)
      const request = yield* peer.take
      yield* peer.say(inRoom(8))
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* until("12:04 #8 [dev] bob: 8"), [
        "— what was said before cannot be shown just now; :history dev tries again —",
        "12:04 #8 [dev] bob: 8"
      ])
      yield* peer.say(history(request, inRoom(7)), inRoom(9))
      assert.deepStrictEqual(yield* until("12:04 #9 [dev] bob: 9"), ["12:04 #9 [dev] bob: 9"])
    })
  )

  it.effect("goes on without it where the server refuses", () =>
    Effect.gen(function* () {
      const { peer, until } = yield* sitInRoom(yield* make, 7)
      yield* peer.say(rejected(yield* peer.take, { _tag: "StorageUnavailable" }), inRoom(8))
      assert.deepStrictEqual(yield* until("12:04 #8 [dev] bob: 8"), [
        "— what was said before cannot be shown just now; :history dev tries again —",
        "12:04 #8 [dev] bob: 8"
      ])
    })
  )

  it.live("asks again, in time, where that was too fast", () =>
    Effect.gen(function* () {
      const { peer, until } = yield* sitInRoom(yield* make, 7)
      yield* peer.say(rejected(yield* peer.take, { _tag: "RateLimited", retryAfter: 20 }), sayToAll("refused", 1))
      yield* peer.say(history(yield* peer.take, inRoom(7)))
      assert.deepStrictEqual(yield* until("12:04 #1 [lobby] bob: refused"), [
        "12:04 #7 [dev] bob: 7",
        "↑ 1 earlier message",
        "12:04 #1 [lobby] bob: refused"
      ])
    })
  )

  it.effect("is told nothing of it who has left again", () =>
    Effect.gen(function* () {
      const { peer, until } = yield* sitInRoom(yield* make, 7)
      yield* peer.say(rejected(yield* peer.take, { _tag: "NotInRoom", room: dev }), sayToAll("next", 1))
      assert.deepStrictEqual(yield* until("12:04 #1 [lobby] bob: next"), ["12:04 #1 [lobby] bob: next"])
    })
  )
})

describe("a person whose connection breaks just after coming into a room", () => {
  it.live("is still shown what was said before in its place, and of the rest each message once", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { peer, until } = yield* sitInRoom(server, 7)
      yield* peer.take
      yield* peer.say(inRoom(8))
      yield* peer.cut
      const again = yield* attend(yield* greet(server, 0))
      const rejoin = yield* again.take
      assert.deepInclude(rejoin, { _tag: "JoinRoom", after: { epoch, seq: 8 } })
      yield* again.say(joined(rejoin, 9, 1), inRoom(9))
      const repeated = yield* again.take
      assert.deepInclude(repeated, { _tag: "GetHistory", before: 8 })
      yield* again.say(history(repeated, inRoom(7)))
      assert.deepStrictEqual(yield* until("12:04 #9 [dev] bob: 9"), [
        "12:04 #7 [dev] bob: 7",
        "↑ 1 earlier message",
        "12:04 #8 [dev] bob: 8",
        "— connection lost (the server closed it), reconnecting… —",
        "— back —",
        "— 1 new in dev —",
        "12:04 #9 [dev] bob: 9"
      ])
    })
  )

  it.live("is not shown messages of another log in place of those that are gone", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { peer, until } = yield* sitInRoom(server, 7)
      yield* peer.take
      yield* peer.cut
      const again = yield* attend(yield* greet(server, 0))
      const fresh = { ...joined(yield* again.take, 1), epoch: Epoch.make("second") }
      yield* again.say(fresh)
      yield* again.say(inRoom(2), history(yield* again.take, inRoom(1), inRoom(2)))
      assert.deepStrictEqual(yield* until("12:04 #2 [dev] bob: 2"), [
        "— connection lost (the server closed it), reconnecting… —",
        "— back —",
        "— in dev, history begins anew: messages may be missing —",
        "12:04 #2 [dev] bob: 2"
      ])
    })
  )

  it.live("is shown only what was missed if the room is where it was before", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { peer, type, until } = yield* sitInRoom(server, 7)
      yield* peer.say(history(yield* peer.take, inRoom(7)))
      yield* until("↑ 1 earlier message")
      yield* peer.cut
      const again = yield* attend(yield* greet(server, 0))
      yield* again.say(joined(yield* again.take, 10, 3), inRoom(8), inRoom(9), inRoom(10))
      assert.deepStrictEqual(yield* until("12:04 #10 [dev] bob: 10"), [
        "— connection lost (the server closed it), reconnecting… —",
        "— back —",
        "— 3 new in dev —",
        "12:04 #8 [dev] bob: 8",
        "12:04 #9 [dev] bob: 9",
        "12:04 #10 [dev] bob: 10"
      ])
      yield* type(":lru dev")
      assert.strictEqual((yield* again.take)._tag, "ListRoomUsers")
    })
  )
})

describe("a person who connects", () => {
  it.effect("is shown what was said in the lobby, before who is here", () =>
    Effect.gen(function* () {
      const { peer, until } = yield* sit(yield* make, { lobby: 7 })
      const request = yield* peer.take
      yield* peer.say(history(request, inLobby(7)))
      assert.deepInclude(request, { _tag: "GetHistory", before: 8, limit: 20 })
      assert.notProperty(request, "room")
      assert.deepStrictEqual(yield* until("no rooms yet; :cr <room> creates one"), [
        "— connected to fake 1 as ada; :help lists the commands —",
        "12:04 #7 bob: 7",
        "↑ 1 earlier message",
        "1 user: ada",
        "no rooms yet; :cr <room> creates one"
      ])
    })
  )
})

describe("a script that comes into a room", () => {
  it.effect("hears only what is said from then on", () =>
    Effect.gen(function* () {
      const { peer, type, until } = yield* sit(yield* make, { isInteractive: false, lobby: 7 })
      yield* type(":jr dev")
      yield* type(":lru dev")
      yield* peer.say(joined(yield* peer.take, 7), inRoom(8))
      assert.deepStrictEqual(yield* until("#8 [dev] bob: 8"), ["[dev] → you joined; here: ada", "#8 [dev] bob: 8"])
      assert.strictEqual((yield* peer.take)._tag, "ListRoomUsers")
    })
  )
})

/** A person's sitting on the real server. */
const sitAt = Effect.fnUntraced(function* (port: number, user: string) {
  const { screen, ...person } = yield* FakeScreen.make({ isInteractive: true })
  const { client, whileAway } = yield* BreakableClient.start(port, user)
  yield* chat.pipe(
    Effect.provideService(Client, client),
    Effect.provideService(Screen, screen),
    Effect.provide(NodeFileSystem.layer),
    Effect.forkScoped
  )
  return { ...person, whileAway }
})

/** Bob, who owns the room and is in it. */
const host = Effect.fnUntraced(function* (port: number) {
  const { client } = yield* BreakableClient.start(port, "bob")
  yield* client.request({ _tag: "CreateRoom", room: dev })
  yield* client.request({ _tag: "JoinRoom", room: dev })
  const say = (content: number) => client.send({ _tag: "GlobalMessage", content: `${content}` })
  const sayInRoom = (content: number) => client.send({ _tag: "RoomMessage", room: dev, content: `${content}` })
  return { say, sayInRoom }
})

/** The numbers that bob said, in the lobby, or in the room. */
const numbersIn = (rows: ReadonlyArray<string>, where: "lobby" | "room"): ReadonlyArray<number> =>
  rows.flatMap((row) => {
    const [, room, number] = / (?:\[lobby\] )?(\[dev\] )?bob: (\d+)$/.exec(row) ?? []
    return number !== undefined && (room === undefined) === (where === "lobby") ? [Number(number)] : []
  })

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)

describe("a person on the real server", () => {
  it.live("is shown the last twenty messages of lobby and room, and with :more the older ones, each once", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const bob = yield* host(port)
      for (const number of upTo(45)) yield* Effect.andThen(bob.say(number), bob.sayInRoom(number))
      const { type, until } = yield* sitAt(port, "ada")

      const older = "↑ 20 earlier messages; :more shows older ones"
      assert.deepStrictEqual(numbersIn(yield* until(older), "lobby"), upTo(45).slice(25))
      yield* until("1 room: dev (1)")
      yield* type(":jr dev")
      assert.deepStrictEqual(numbersIn(yield* until(older), "room"), upTo(45).slice(25))
      yield* type(":more")
      const page = yield* until("20 messages of history; :more shows older ones")
      assert.deepStrictEqual(numbersIn(page, "room"), upTo(25).slice(5))
      yield* type(":more")
      assert.deepStrictEqual(numbersIn(yield* until("5 messages of history"), "room"), upTo(5))
      yield* type(":more")
      yield* until("There is nothing older to show. What :history or :search showed last, if anything, was all.")
    })
  )

  it.live("is shown every message of a busy room once and in order, however it falls to coming there", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const bob = yield* host(port)
      const { type, until } = yield* sitAt(port, "ada")
      yield* until("1 room: dev (1)")
      for (const number of upTo(10)) yield* bob.sayInRoom(number)
      const talking = yield* Effect.forkChild(Effect.forEach(upTo(210).slice(10), bob.sayInRoom))
      yield* type(":jr dev")
      yield* Fiber.join(talking)
      const said = numbersIn(yield* until("[dev] bob: 210"), "room")
      assert.deepStrictEqual(said, upTo(210).slice((said[0] ?? 0) - 1))
    })
  )

  it.live("is shown after a break what is new, and where", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const bob = yield* host(port)
      yield* bob.say(1)
      const { type, until, whileAway } = yield* sitAt(port, "ada")
      yield* until("1 room: dev (1)")
      yield* type(":jr dev")
      yield* until("[dev] → you joined; here: ada, bob")
      const away = Effect.all([bob.say(2), bob.sayInRoom(1), bob.say(3), bob.sayInRoom(2), bob.sayInRoom(3)])
      yield* whileAway(Effect.andThen(until("— connection lost (the connection was cut), reconnecting… —"), away))
      // The lobby comes first; about different conversations the protocol promises no order.
      assert.deepStrictEqual(yield* until("— 2 new —"), ["— 2 new —"])
      yield* bob.sayInRoom(4)
      const rows = yield* until("[dev] bob: 4")
      assert.deepStrictEqual(numbersIn(rows, "lobby"), [2, 3])
      assert.deepStrictEqual(numbersIn(rows, "room"), [1, 2, 3, 4])
      const mark = rows.indexOf("— 3 new in dev —")
      assert.isAbove(mark, -1)
      assert.deepStrictEqual(numbersIn(rows.slice(0, mark), "room"), [])
    })
  )
})
