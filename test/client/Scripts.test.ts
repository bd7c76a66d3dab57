/** The commands for scripts, against a real server in this process: what they do, print, and end with. */
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Exit, Fiber, Scope } from "effect"
import * as FileLock from "../../src/client/account/FileLock.ts"
import { fileNameOf } from "../../src/client/script/CursorFile.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { password as secret, register } from "../support/AccountTalk.ts"
import * as TestServer from "../support/TestServer.ts"
import { dev, joined, rejected, sent } from "./ClientTalk.ts"
import * as FakeServer from "./FakeServer.ts"
import { makeHome } from "./ScriptTalk.ts"

/** A server, and a guest's scripts. */
const arrange = Effect.gen(function* () {
  const server = yield* TestServer.start()
  return { server, ...(yield* makeHome(server.port, { USER_NAME: "bot" })) }
})

const contentsOf = (stdout: string) =>
  stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line).content)
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`)

describe("send", () => {
  it.live("ends when its message is stored, and prints nothing unless it is asked to", () =>
    Effect.gen(function* () {
      const { run } = yield* arrange
      assert.deepStrictEqual(yield* run(["send", "hello", "world"]), { stdout: "", stderr: "", exitCode: 0 })
      const { stdout } = yield* run(["send", "--json", "again"])
      assert.deepInclude(JSON.parse(stdout), { _tag: "Sent", seq: 2 })
      assert.match((yield* run(["history"])).stdout, /^\S+Z #1 bot: hello world\n\S+Z #2 bot: again\n$/)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("sends all of its input as one message, and nothing of what is too long for one", () =>
    Effect.gen(function* () {
      const { run } = yield* arrange
      assert.strictEqual((yield* run(["send", "--stdin"], "one\r\ntwo\n")).exitCode, 0)
      const { exitCode, stderr } = yield* run(["send", "--stdin"], "x".repeat(8193))
      assert.strictEqual(exitCode, 2)
      assert.include(stderr, "8192 at most; nothing was sent")
      assert.strictEqual((yield* run(["send", "--stdin"], "x".repeat(100_000))).exitCode, 2)
      assert.deepStrictEqual(contentsOf((yield* run(["history", "--json"])).stdout), ["one\ntwo"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("leaves a room that its account was not in, and stays in the others, also in a private one", () =>
    Effect.gen(function* () {
      const { server } = yield* arrange
      const { client } = yield* register(server, "ada")
      for (const room of ["open", "mine", "secret"]) {
        yield* client.ask({ _tag: "CreateRoom", room, private: room === "secret" })
      }
      yield* client.ask({ _tag: "JoinRoom", room: "mine" })
      const { run } = yield* makeHome(server.port, { USER_NAME: "ada", PARLEY_PASSWORD: secret })
      for (const room of ["open", "mine", "secret"]) {
        assert.deepStrictEqual(yield* run(["send", "--room", room, "hi"]), { stdout: "", stderr: "", exitCode: 0 })
      }
      const { rooms } = yield* client.ask({ _tag: "ListRooms" })
      assert.sameMembers(
        (rooms as ReadonlyArray<{ room: string; member?: true }>)
          .filter(({ member }) => member)
          .map(({ room }) => room),
        ["mine", "secret"]
      )
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("does not collide with other runs of its account, nor do their logins", () =>
    Effect.gen(function* () {
      const { server } = yield* arrange
      const { client } = yield* register(server, "ada")
      yield* client.ask({ _tag: "CreateRoom", room: "dev" })
      const { folder, run } = yield* makeHome(server.port, { USER_NAME: "ada", PARLEY_PASSWORD: secret })
      assert.strictEqual((yield* run(["send", "first"])).exitCode, 0)
      // From now on with the login that was kept.
      const same = { XDG_STATE_HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder }
      const later = yield* makeHome(server.port, { USER_NAME: "ada", ...same })
      const runs = Array.from({ length: 12 }, (_, index) =>
        later.run(["send", ...(index < 10 ? ["--room", "dev"] : []), `${index}`])
      )
      const outcomes = yield* Effect.all(runs, { concurrency: "unbounded" })
      assert.deepStrictEqual(
        outcomes.map(({ exitCode, stderr }) => `${exitCode}${stderr}`),
        outcomes.map(() => "0")
      )
      assert.strictEqual((yield* later.run(["users"])).exitCode, 0)
      assert.sameMembers(contentsOf((yield* later.run(["history", "--room", "dev", "--json"])).stdout), numbers(0, 9))
      const { rooms } = yield* client.ask({ _tag: "ListRooms" })
      assert.deepStrictEqual(rooms, [{ room: "dev", users: 0 }])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("sends again under the same key what had no answer when the connection broke", () =>
    Effect.gen(function* () {
      const server = yield* FakeServer.make
      const { run } = yield* makeHome(server.port, { USER_NAME: "ada" })
      const running = yield* Effect.forkChild(run(["send", "--json", "hi"]))
      const { peer } = yield* FakeServer.greet(server, 7)
      const message = yield* peer.take
      yield* peer.cut
      const again = yield* FakeServer.greet(server, 7)
      const repeated = yield* again.peer.take
      assert.deepStrictEqual(repeated, message)
      yield* again.peer.say(sent(repeated, 8))
      assert.deepStrictEqual(yield* Fiber.join(running), {
        stdout: '{"_tag":"Sent","seq":8,"at":0}\n',
        stderr: "",
        exitCode: 0
      })
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("waits until another run of its account is out of the room again", () =>
    Effect.gen(function* () {
      const { folder, run, server } = yield* arrange
      const ada = yield* server.join("ada")
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      yield* ada.ask({ _tag: "JoinRoom", room: "dev" })
      const reader = { host: "127.0.0.1", port: server.port, user: UserName.make("bot"), where: { room: dev } }
      const other = yield* Scope.make()
      yield* Scope.provide(FileLock.hold(join(folder, "parley", fileNameOf(reader, ".visit"))), other)
      const waiting = yield* Effect.forkChild(run(["send", "--room", "dev", "hi"]))
      // In this time it would have come.
      for (const user of ["b", "c", "d"]) assert.strictEqual((yield* run(["users", "--user", user])).exitCode, 0)
      const said = Effect.map(ada.ask({ _tag: "GetHistory", room: "dev" }), ({ messages }) => messages)
      assert.deepStrictEqual(yield* said, [])
      yield* Scope.close(other, Exit.void)
      assert.strictEqual((yield* Fiber.join(waiting)).exitCode, 0)
      assert.lengthOf((yield* said) as ReadonlyArray<unknown>, 1)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("comes back into a room that another run of its account has left for all of them", () =>
    Effect.gen(function* () {
      const server = yield* FakeServer.make
      const { run } = yield* makeHome(server.port, { USER_NAME: "ada" })
      const running = yield* Effect.forkChild(run(["send", "--room", "dev", "hi"]))
      const { peer } = yield* FakeServer.greet(server, 7)
      yield* peer.say(joined(yield* peer.take, 3, 0))
      const message = yield* peer.take
      yield* peer.say(rejected(message, { _tag: "NotInRoom", room: dev }))
      const rejoin = yield* peer.take
      assert.strictEqual(rejoin._tag, "JoinRoom")
      yield* peer.say(joined(rejoin, 3, 0))
      const again = yield* peer.take
      assert.deepInclude(again, { _tag: "RoomMessage", key: "key" in message ? message.key : "none" })
      yield* peer.say(sent(again, 4))
      const leave = yield* peer.take
      assert.strictEqual(leave._tag, "LeaveRoom")
      yield* peer.say({ _tag: "RoomLeft", ...FakeServer.idOf(leave), room: dev })
      assert.deepStrictEqual(yield* Fiber.join(running), { stdout: "", stderr: "", exitCode: 0 })
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("is refused as too fast, or waits until it is not, if it is told to wait", () =>
    Effect.gen(function* () {
      const server = yield* FakeServer.make
      const { run } = yield* makeHome(server.port, { USER_NAME: "ada" })
      const refusing = Effect.gen(function* () {
        const { peer } = yield* FakeServer.greet(server, 7)
        const message = yield* peer.take
        yield* peer.say(rejected(message, { _tag: "RateLimited", retryAfter: 1 }))
        return { peer, message }
      })
      const impatient = yield* Effect.forkChild(run(["send", "hi"]))
      yield* refusing
      const { exitCode, stderr } = yield* Fiber.join(impatient)
      assert.strictEqual(exitCode, 1)
      assert.include(stderr, "--wait waits until it is allowed")
      const patient = yield* Effect.forkChild(run(["send", "--wait", "hi"]))
      const { message, peer } = yield* refusing
      const again = yield* peer.take
      assert.deepInclude(again, { _tag: "GlobalMessage", key: "key" in message ? message.key : "none" })
      yield* peer.say(sent(again, 8))
      assert.strictEqual((yield* Fiber.join(patient)).exitCode, 0)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("gives up after its time, and says that it does not know", () =>
    Effect.gen(function* () {
      const server = yield* FakeServer.make
      const { run } = yield* makeHome(server.port, { USER_NAME: "ada" })
      const running = yield* Effect.forkChild(run(["send", "--timeout", "1s", "hi"]))
      yield* FakeServer.greet(server, 7)
      const { exitCode, stderr } = yield* Fiber.join(running)
      assert.strictEqual(exitCode, 3)
      assert.include(stderr, "may have been stored or not")
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

describe("history", () => {
  it.live("prints any number of messages, oldest first: the newest, those since a time, those before one", () =>
    Effect.gen(function* () {
      const { run, server } = yield* arrange
      const ada = yield* server.join("ada")
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      yield* ada.ask({ _tag: "JoinRoom", room: "dev" })
      const messages = numbers(1, 1200).map((content) => ({ _tag: "RoomMessage", room: "dev", content }))
      for (let at = 0; at < messages.length; at += 100) yield* ada.send(...messages.slice(at, at + 100))
      yield* ada.ask({ _tag: "Ping", nonce: 1 })
      yield* ada.ask({ _tag: "GetHistory", room: "dev", limit: 1 })
      const contents = (...args: ReadonlyArray<string>) =>
        Effect.map(run(["history", "--room", "dev", "--json", ...args]), ({ stdout }) => contentsOf(stdout))
      assert.deepStrictEqual(yield* contents(), numbers(1151, 1200))
      assert.deepStrictEqual(yield* contents("--limit", "1100"), numbers(101, 1200))
      assert.deepStrictEqual(yield* contents("--limit", "3", "--before", "10"), numbers(7, 9))
      assert.deepStrictEqual(yield* contents("--since", "1h"), numbers(1, 1200))
      const first = yield* ada.ask({ _tag: "GetHistory", room: "dev", after: 599, limit: 1 })
      const [{ at }] = first["messages"] as [{ at: number }]
      const since = yield* contents("--since", DateTime.formatIso(DateTime.makeUnsafe(at)))
      assert.isAtMost(Number(since[0]), 600)
      assert.isAbove(Number(since[0]), 1)
      assert.strictEqual(since.at(-1), "1200")
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

describe("users and rooms", () => {
  it.live("print whole lists, one line each, however many replies those take", () =>
    Effect.gen(function* () {
      const server = yield* FakeServer.make
      const { run } = yield* makeHome(server.port, { USER_NAME: "ada" })
      const running = yield* Effect.forkChild(run(["users"]))
      const { peer } = yield* FakeServer.greet(server, 7)
      const first = yield* peer.take
      yield* peer.sayText(`{"_tag":"UserList","id":"${first.id}","users":["ada","bob"],"count":3,"more":true}\n`)
      const second = yield* peer.take
      assert.deepInclude(second, { _tag: "ListUsers", after: UserName.make("bob") })
      yield* peer.sayText(`{"_tag":"UserList","id":"${second.id}","users":["eve"],"count":3}\n`)
      assert.deepStrictEqual(yield* Fiber.join(running), { stdout: "ada\nbob\neve\n", stderr: "", exitCode: 0 })
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("print rooms with how many are in and what they are about, or as the server lists them", () =>
    Effect.gen(function* () {
      const { run, server } = yield* arrange
      const ada = yield* server.join("ada")
      yield* ada.ask({ _tag: "CreateRoom", room: "dev", topic: "builds" })
      yield* ada.ask({ _tag: "JoinRoom", room: "dev" })
      assert.strictEqual((yield* run(["rooms"])).stdout, "dev\t1\tbuilds\n")
      assert.deepStrictEqual(JSON.parse((yield* run(["rooms", "--json"])).stdout), {
        room: "dev",
        users: 1,
        topic: "builds"
      })
      assert.strictEqual((yield* run(["users", "--json"])).stdout, '{"user":"ada"}\n{"user":"bot"}\n')
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

describe("What a script ends with", () => {
  it.live("is 1 where the server refuses, 2 where nothing was meant, 3 without a server, 4 at the door", () =>
    Effect.gen(function* () {
      const { run, server } = yield* arrange
      const ada = yield* register(server, "ada")
      yield* server.join("popular")
      yield* ada.client.ask({ _tag: "ListUsers" })
      const cases: ReadonlyArray<readonly [args: ReadonlyArray<string>, code: number, words: string]> = [
        [["send", "--room", "nowhere", "hi"], 1, "There is no room called nowhere that you could see"],
        [["send", "--to", "nobody", "hi"], 1, "Nobody called nobody is here"],
        [["send"], 2, 'pnpm -s client send "text"; or --stdin'],
        [["send", "--stdin", "text"], 2, "not both"],
        [["send", "--room", "a", "--to", "b", "x"], 2, "two conversations"],
        [["send", "--to", "bot", "x"], 2, "bot is you"],
        [["send", "--rom", "a", "x"], 2, "--rom"],
        [["history", "--limit", "0"], 2, "whole number from 1"],
        [["tail", "--since", "soon"], 2, "must be a time ago"],
        [["sned"], 2, "Did you mean send?"],
        [["users", "--port", "1"], 3, "nothing listens there"],
        [["users", "--user", "popular"], 4, "--user <another name>"],
        [["users", "--user", "ada"], 4, "PARLEY_PASSWORD"]
      ]
      for (const [args, code, words] of cases) {
        const { exitCode, stderr, stdout } = yield* run(args)
        assert.deepStrictEqual([args, exitCode, stdout], [args, code, ""])
        assert.include(stderr, words)
        assert.strictEqual(stderr.trimEnd().split("\n").length, 1, stderr)
      }
      const wrong = yield* makeHome(server.port, { USER_NAME: "ada", PARLEY_PASSWORD: "not the right one" })
      assert.strictEqual((yield* wrong.run(["users"])).exitCode, 4)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("is 0 with a help on the standard output that was asked for, for each command", () =>
    Effect.gen(function* () {
      const { run } = yield* makeHome(1)
      for (const command of ["send", "tail", "history", "users", "rooms"]) {
        const { exitCode, stderr, stdout } = yield* run([command, "--help"])
        assert.deepStrictEqual([exitCode, stderr], [0, ""])
        for (const word of ["Exit codes: 0 done", "--user", `pnpm -s client ${command}`]) assert.include(stdout, word)
      }
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
