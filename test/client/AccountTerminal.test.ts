/** A person and their account at a real terminal: what is typed unseen is nowhere, and the next time nothing is asked. */
import { spawnSync } from "node:child_process"
import { chmodSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, FileSystem, Queue, Redacted } from "effect"
import { DeviceId } from "../../src/common/wire/AccountRequest.ts"
import type { ClientMessage } from "../../src/common/wire/ClientMessage.ts"
import type { ServerMessageOf } from "../../src/common/wire/ServerMessage.ts"
import { dev, joined, rejected } from "./ClientTalk.ts"
import { ada, epoch, idOf, make, type Peer, welcome } from "./FakeServer.ts"
import { runClient } from "./Processes.ts"
import { startInTerminal } from "./Tmux.ts"

const hasNoTmux = spawnSync("tmux", ["-V"]).status !== 0

const secret = "correct horse battery"
const other = "battery horse correct"

const welcomeBack = (token: string, more: Partial<ServerMessageOf<"Welcome">> = {}): ServerMessageOf<"Welcome"> => ({
  ...welcome(0),
  account: true,
  device: DeviceId.make("d1"),
  token,
  inbox: { epoch, seq: 0 },
  rooms: [],
  ...more
})

/** Answers what every sitting asks; gives what else is asked. */
const attend = Effect.fnUntraced(function* (peer: Peer) {
  const asked = yield* Queue.unbounded<ClientMessage>()
  const answer = Effect.flatMap(peer.take, (message) => {
    switch (message._tag) {
      case "ListUsers":
        return peer.say({ _tag: "UserList", ...idOf(message), users: [ada], count: 1 })
      case "ListRooms":
        return peer.say({ _tag: "RoomList", ...idOf(message), rooms: [], count: 0 })
      case "ListBlocked":
        return peer.say({ _tag: "Blocked", ...idOf(message), users: [] })
      case "JoinRoom":
        return peer.say(joined(message, 7, 0))
      case "GetHistory":
        return peer.say({ _tag: "History", ...idOf(message), messages: [], more: false })
      // A server that knows of no devices.
      case "GetDevices":
      case "PublishDevice":
        return peer.say(rejected(message, { _tag: "AccountRequired", action: message._tag }))
      case "Ping":
        return peer.say({ _tag: "Pong", ...idOf(message), nonce: message.nonce })
      default:
        return Queue.offer(asked, message)
    }
  })
  yield* Effect.forkScoped(Effect.forever(answer))
  return { take: Queue.take(asked) }
})

const makeFolder = FileSystem.FileSystem.use((files) => files.makeTempDirectoryScoped({ prefix: "parley-" }))

const credentialsOf = (message: ClientMessage): unknown => {
  const credentials = message._tag === "Handshake" ? message.credentials : undefined
  if (credentials?._tag === "Password") return Redacted.value(credentials.password)
  return credentials?._tag === "Token" ? { token: Redacted.value(credentials.token) } : credentials
}

layer(NodeServices.layer, { excludeTestServices: true })("a person with an account", (it) => {
  it.effect.skipIf(hasNoTmux)("is asked for the password once, unseen, and changes it", () =>
    Effect.gen(function* () {
      const folder = yield* makeFolder
      const server = yield* make
      const environment = {
        PORT: `${server.port}`,
        HOST: "127.0.0.1",
        NO_COLOR: "1",
        XDG_CONFIG_HOME: folder,
        XDG_DATA_HOME: `${folder}/data`
      }
      const terminal = yield* startInTerminal(["--user", "ada"], environment)
      const guest = yield* server.accept
      yield* guest.say(rejected(yield* guest.take, { _tag: "PasswordRequired", user: ada }))
      yield* guest.cut
      yield* terminal.showsIn("Password of ada, or nothing for another name:")
      yield* terminal.type(secret)
      yield* terminal.press("Enter")
      const first = yield* server.accept
      assert.strictEqual(credentialsOf(yield* first.take), secret)
      yield* first.say(
        welcomeBack("t1", { rooms: [{ room: dev, seq: 7, read: 5, unread: 2, mentions: 1, role: "member" }] })
      )
      const { take } = yield* attend(first)
      yield* terminal.shows("      in dev again", "      unread: 2 in dev (1 name you); :history dev shows them")
      yield* terminal.shows("      1 user: ada", "lobby (2)>")
      const [file = ""] = readdirSync(join(folder, "parley"))
      assert.strictEqual(statSync(join(folder, "parley", file)).mode & 0o777, 0o600)

      yield* terminal.type(":passwd")
      yield* terminal.press("Enter")
      yield* terminal.shows("Password up to now:")
      yield* terminal.type(secret)
      yield* first.say({ _tag: "Presence", joined: [ada], left: [] })
      yield* terminal.showsTogether("      → ada joined", "Password up to now:")
      yield* terminal.press("Enter")
      yield* terminal.shows("New password:")
      yield* terminal.type(`${other}!`)
      yield* terminal.press("BSpace", "Enter")
      yield* terminal.shows("The same again:")
      yield* terminal.type(other)
      yield* terminal.press("Enter")
      const change = yield* take
      assert.strictEqual(change._tag === "ChangePassword" && Redacted.value(change.current), secret)
      assert.strictEqual(change._tag === "ChangePassword" && Redacted.value(change.next), other)
      yield* first.say({ _tag: "PasswordChanged", ...idOf(change) })
      yield* terminal.showsIn("password changed")
      yield* terminal.press("Up")
      yield* terminal.shows("lobby (2)> :passwd")
      yield* terminal.press("C-u")
      assert.notInclude(yield* terminal.withColours, "horse")
      yield* terminal.press("C-d")
      yield* terminal.shows("exit 0")

      const again = yield* startInTerminal([], environment)
      const second = yield* server.accept
      assert.deepStrictEqual(credentialsOf(yield* second.take), { token: "t1" })
      yield* second.say(welcomeBack("t2"))
      yield* attend(second)
      yield* again.shows("      1 user: ada", "lobby>")
      assert.strictEqual(readFileSync(join(folder, "parley", file), "utf8"), "t2\nt1\n")
      yield* again.press("C-d")
      yield* again.shows("exit 0")
    }).pipe(Effect.scoped)
  )

  it.effect.skipIf(hasNoTmux)("makes the guest's name an account, leaves it, and is asked for another name", () =>
    Effect.gen(function* () {
      const folder = yield* makeFolder
      const server = yield* make
      const environment = {
        PORT: `${server.port}`,
        HOST: "127.0.0.1",
        NO_COLOR: "1",
        XDG_CONFIG_HOME: folder,
        XDG_DATA_HOME: `${folder}/data`
      }
      const terminal = yield* startInTerminal(["--user", "Ada"], environment)
      const taken = yield* server.accept
      yield* taken.say(rejected(yield* taken.take, { _tag: "UserNameTaken", user: ada }))
      yield* taken.cut
      yield* terminal.showsIn("no: UserNameTaken")
      yield* terminal.showsIn("Your name:")
      yield* terminal.type("ada")
      yield* terminal.press("Enter")
      const peer = yield* server.accept
      assert.isUndefined(credentialsOf(yield* peer.take))
      yield* peer.say(welcome(0))
      const { take } = yield* attend(peer)
      yield* terminal.shows("      1 user: ada", "lobby>")
      assert.deepStrictEqual(readdirSync(folder), [])

      yield* terminal.type(":register")
      yield* terminal.press("Enter")
      yield* terminal.shows("New password:")
      yield* terminal.press("C-c")
      yield* terminal.shows(":register: nothing was changed.", "lobby>")
      yield* terminal.type(":register")
      yield* terminal.press("Enter")
      for (const question of ["New password:", "The same again:"]) {
        yield* terminal.shows(question)
        yield* terminal.type(secret)
        yield* terminal.press("Enter")
      }
      const register = yield* take
      assert.strictEqual(register._tag === "Register" && Redacted.value(register.password), secret)
      yield* peer.say({ _tag: "Registered", ...idOf(register), token: "t1", device: DeviceId.make("d1") })
      yield* terminal.showsIn("your name is yours now")
      assert.lengthOf(readdirSync(join(folder, "parley")), 1)

      yield* terminal.type(":logout")
      yield* terminal.press("Enter")
      const list = yield* take
      const devices = [
        { device: DeviceId.make("d1"), name: "laptop", since: 0, lastSeen: 0, connected: true, here: true }
      ] as const
      yield* peer.say({ _tag: "Devices", ...idOf(list), devices })
      assert.deepInclude(yield* take, { _tag: "RemoveDevice", device: DeviceId.make("d1") })
      yield* peer.say({ _tag: "Goodbye", reason: "This device was removed." })
      yield* peer.cut
      yield* terminal.showsIn("logged out; this device is forgotten")
      yield* terminal.shows("exit 0")
      assert.deepStrictEqual(readdirSync(join(folder, "parley")), [])
    }).pipe(Effect.scoped)
  )

  it.effect("is a script that ends with what it is to be started with", () =>
    Effect.gen(function* () {
      const folder = yield* makeFolder
      const server = yield* make
      const env = {
        PORT: `${server.port}`,
        HOST: "127.0.0.1",
        XDG_CONFIG_HOME: folder,
        XDG_DATA_HOME: `${folder}/data`
      }
      const running = yield* Effect.forkChild(runClient({ args: ["--user", "ada"], env }, ["hi"]))
      const peer = yield* server.accept
      yield* peer.say(rejected(yield* peer.take, { _tag: "PasswordRequired", user: ada }))
      const { exitCode, stderr } = yield* Fiber.join(running)
      assert.strictEqual(exitCode, 4)
      assert.include(stderr.join("\n"), "Set PARLEY_PASSWORD")
    }).pipe(Effect.scoped)
  )

  it.effect("is a script that logs in with a password once, and then with the token in its file", () =>
    Effect.gen(function* () {
      const folder = yield* makeFolder
      const server = yield* make
      const file = join(folder, "bot.token")
      const env = {
        PORT: `${server.port}`,
        HOST: "127.0.0.1",
        XDG_CONFIG_HOME: folder,
        XDG_DATA_HOME: `${folder}/data`,
        PARLEY_PASSWORD: secret
      }
      const args = ["--user", "ada", "--token-file", file]
      for (const [shown, token] of [
        [secret, "t1"],
        [{ token: "t1" }, "t2"]
      ] as const) {
        const running = yield* Effect.forkChild(runClient({ args, env }, [":ping"]))
        const peer = yield* server.accept
        assert.deepStrictEqual(credentialsOf(yield* peer.take), shown)
        yield* peer.say(welcomeBack(token))
        yield* attend(peer)
        assert.strictEqual((yield* Fiber.join(running)).exitCode, 0)
      }
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
      assert.deepStrictEqual(readdirSync(folder), ["bot.token", "bot.token.lock", "data"])
      chmodSync(file, 0o644)
      const { exitCode, stderr } = yield* runClient({ args, env }, [])
      assert.strictEqual(exitCode, 4)
      assert.include(stderr.join("\n"), `chmod 600 ${file}`)
    }).pipe(Effect.scoped)
  )
})
