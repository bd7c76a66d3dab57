/** Rooms as a person and a script govern them, from the line to the wire and back. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Queue } from "effect"
import { chat } from "../../../src/client/line/Chat.ts"
import { Relogin } from "../../../src/client/line/Relogin.ts"
import { Client } from "../../../src/client/link/Client.ts"
import { Screen } from "../../../src/client/screen/Screen.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { ClientMessage } from "../../../src/common/wire/ClientMessage.ts"
import { dev, joined, rejected, sent } from "../ClientTalk.ts"
import * as FakeScreen from "../FakeScreen.ts"
import { ada, type FakeServer, greet, idOf, make, type Peer, start } from "../FakeServer.ts"

const bob = UserName.make("bob")
const at = FakeScreen.noon
const by = { room: dev, at, from: ada }

/** Ada's sitting; the lists it begins with are answered, and what is said before, whatever else it asks is taken. */
const sit = Effect.fnUntraced(function* (server: FakeServer, { isInteractive = true } = {}) {
  const { screen, ...person } = yield* FakeScreen.make({ isInteractive })
  const starting = yield* start(server)
  const { peer } = yield* greet(server, 0)
  const client = yield* Fiber.join(starting)
  const sitting = yield* chat.pipe(
    Effect.provideService(Client, client),
    Effect.provideService(Screen, screen),
    Effect.provideService(Relogin, () => Effect.never),
    Effect.provide(NodeFileSystem.layer),
    Effect.forkScoped
  )
  const asked = yield* Queue.unbounded<ClientMessage>()
  const answer = (peer: Peer) =>
    Effect.flatMap(peer.take, (message) => {
      if (message._tag === "ListUsers") return peer.say({ _tag: "UserList", ...idOf(message), users: [ada], count: 1 })
      if (message._tag === "ListRooms") return peer.say({ _tag: "RoomList", ...idOf(message), rooms: [], count: 0 })
      if (message._tag === "Ping") return peer.say({ _tag: "Pong", ...idOf(message), nonce: message.nonce })
      const isBacklog = message._tag === "GetHistory" && !("only" in message)
      if (isBacklog) return peer.say({ _tag: "History", ...idOf(message), messages: [], more: false })
      return Queue.offer(asked, message)
    })
  yield* Effect.forkScoped(Effect.forever(answer(peer)))
  const take = Queue.take(asked)
  /** Comes into the room dev, where nothing was said yet. */
  const join = Effect.gen(function* () {
    yield* person.type(":jr dev")
    yield* peer.say(joined(yield* take, 0, 0))
    yield* person.until("you joined; here: ada, bob")
  })
  return { ...person, join, peer, sitting, take }
})

describe("a person who governs a room", () => {
  it.live("types one line, and everybody is told one", () =>
    Effect.gen(function* () {
      const { join, peer, take, type, until } = yield* sit(yield* make)
      yield* join
      yield* type(":ban dev bob 2h spam")
      const ban = yield* take
      assert.deepInclude<object>(ban, { _tag: "Ban", room: dev, user: bob, seconds: 7200, reason: "spam" })
      assert.isTrue("key" in ban && typeof ban.key === "string")
      yield* peer.say({ _tag: "Banned", ...by, seq: 1, user: bob, until: at + 7_200_000, reason: "spam" }, sent(ban, 1))
      yield* until("12:04 [dev] ada banned bob for 2 h (until 14:04): spam")
    })
  )

  it.live("is asked before what cannot be undone, and nothing is done without a yes", () =>
    Effect.gen(function* () {
      const { answer, peer, take, type, until } = yield* sit(yield* make)
      yield* type(":owner dev bob")
      yield* until("asked: Type yes to hand the room dev over to bob")
      yield* answer("no")
      yield* until("Nothing was changed.")
      yield* type(":rmroom dev")
      yield* until("asked: Type yes to delete the room dev with all that was said in it, for everybody")
      yield* answer()
      yield* until("Nothing was changed.")
      yield* type(":rmroom dev")
      yield* until("for everybody")
      yield* answer(" Yes ")
      const request = yield* take
      assert.deepInclude<object>(request, { _tag: "DeleteRoom", room: dev })
      yield* peer.say({ _tag: "RoomDeleted", ...idOf(request), room: dev, by: ada })
      yield* until("you deleted the room dev, with all that was said in it")
    })
  )

  it.live("hears that it is done also where nobody tells: outside of the room, and of what is so already", () =>
    Effect.gen(function* () {
      const { join, peer, take, type, until } = yield* sit(yield* make)
      yield* type(":topic dev Release")
      yield* peer.say(sent(yield* take, 1))
      yield* until("done; you are not in dev, where it is told")
      yield* join
      yield* type(":invite dev bob")
      yield* peer.say(sentAgain(yield* take))
      yield* until("bob is in the room dev, or was invited already")
      yield* type(":op dev bob")
      yield* peer.say(sentAgain(yield* take))
      yield* until("that is so already")
    })
  )

  it.live("looks at what was done, a page at a time, and at nothing else", () =>
    Effect.gen(function* () {
      const { peer, take, type, until } = yield* sit(yield* make)
      yield* type(":audit dev 1")
      const first = yield* take
      assert.deepInclude<object>(first, { _tag: "GetHistory", room: dev, only: "moderation", limit: 1 })
      const muted = { _tag: "Muted" as const, ...by, seq: 8, user: bob, reason: "flood" }
      yield* peer.say({ _tag: "History", ...idOf(first), messages: [muted], more: true })
      const shown = yield* until(":more shows older ones")
      assert.deepStrictEqual(shown.slice(-2), [
        "12:04 [dev] ada muted bob for good: flood",
        "1 deed of moderation; :more shows older ones"
      ])
      yield* type(":more")
      const second = yield* take
      assert.deepInclude<object>(second, { _tag: "GetHistory", room: dev, only: "moderation", limit: 1, before: 8 })
      yield* peer.say({ _tag: "History", ...idOf(second), messages: [], more: false })
      yield* until("nothing was done by moderators")
    })
  )

  it.live("is told of a refusal until when it holds, in local time, and what to type", () =>
    Effect.gen(function* () {
      const { peer, take, type, until } = yield* sit(yield* make)
      yield* type(":jr dev")
      yield* peer.say(rejected(yield* take, { _tag: "Banned", room: dev, until: at + 60_000, reason: "spam" }))
      assert.strictEqual(
        inOneRow(yield* until("they are.")),
        "You are banned from the room dev until 12:05 (spam). Who moderates it can lift that; :room dev tells who they are."
      )
      // An hour is longer than anybody waits for a line.
      yield* type(":cr dev")
      yield* peer.say(rejected(yield* take, { _tag: "RateLimited", retryAfter: 3_600_000 }))
      yield* until("no: RateLimited")
    })
  )
})

/** The last that was shown, without the rows it takes on a screen. */
const inOneRow = (shown: ReadonlyArray<string>) => shown.at(-1)?.replaceAll(/\n +/g, " ")

const sentAgain = (message: ClientMessage) => ({ ...sentOf(message), repeated: true as const })
const sentOf = (message: ClientMessage) => ({ _tag: "Sent" as const, ...idOf(message), seq: 0, at })

describe("a member who is put out", () => {
  it.live("is told why and how to come back, and does not come back by itself after a lost connection", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { join, peer, type, until } = yield* sit(server)
      yield* join
      const kicked = { _tag: "Kicked" as const, ...by, from: bob, seq: 1, user: ada, reason: "wrong room" }
      yield* peer.say(kicked, { _tag: "RoomLeft", room: dev, reason: "wrong room" })
      yield* until("12:04 [dev] bob kicked ada: wrong room")
      assert.strictEqual(
        inOneRow(yield* until("invitation")),
        "[dev] ← you were kicked out: wrong room; :jr dev joins again, a private room with a new invitation"
      )
      yield* peer.cut
      const again = yield* greet(server, 0)
      yield* until("— back —")
      yield* type(":whois bob")
      assert.strictEqual((yield* again.peer.take)._tag, "GetUser")
    })
  )

  it.live("is told once that the way back is closed, and it is not tried again", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { join, peer, type, until } = yield* sit(server)
      yield* join
      yield* peer.cut
      const second = yield* greet(server, 0)
      const rejoin = yield* second.peer.take
      assert.deepInclude<object>(rejoin, { _tag: "JoinRoom", room: dev })
      yield* second.peer.say(rejected(rejoin, { _tag: "Banned", room: dev }))
      yield* until("Not back in dev: no: Banned :jr dev tries again.")
      yield* second.peer.cut
      const third = yield* greet(server, 0)
      yield* until("— back —")
      yield* type(":whois bob")
      assert.strictEqual((yield* third.peer.take)._tag, "GetUser")
    })
  )
})

describe("a script that governs a room", () => {
  it.live("is asked nothing, and goes on when what it did was told", () =>
    Effect.gen(function* () {
      const { endInput, join, peer, sitting, take, type, until } = yield* sit(yield* make, { isInteractive: false })
      yield* join
      for (const line of [":kick dev bob spam", ":owner dev bob", ":rmroom dev", ":mute dev bob 3 strikes"])
        yield* type(line)
      yield* endInput
      const kick = yield* take
      assert.deepInclude<object>(kick, { _tag: "Kick", room: dev, user: bob, reason: "spam" })
      yield* peer.say(sent(kick, 1), { _tag: "Kicked", ...by, seq: 1, user: bob, reason: "spam" })
      const owner = yield* take
      assert.deepInclude<object>(owner, { _tag: "SetRole", room: dev, user: bob, role: "owner" })
      yield* peer.say(sent(owner, 2), { _tag: "RoleSet", ...by, seq: 2, user: bob, role: "owner" })
      const deletion = yield* take
      assert.deepInclude<object>(deletion, { _tag: "DeleteRoom", room: dev })
      yield* peer.say({ _tag: "RoomDeleted", ...idOf(deletion), room: dev, by: ada })
      const shown = yield* until("for example :mute dev bob 30m flood")
      assert.deepStrictEqual(shown.slice(0, 3), [
        "[dev] ada kicked bob: spam",
        "[dev] ada made bob the owner",
        "you deleted the room dev, with all that was said in it"
      ])
      assert.include(shown.at(-1), "<time> must be a time from 1 second to 1 year")
      assert.strictEqual((yield* Fiber.await(sitting))._tag, "Failure")
    })
  )
})
