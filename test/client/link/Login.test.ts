/** How a client proves its name, and keeps what proves it the next time. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Redacted, Stream } from "effect"
import { NotSigned } from "../../../src/client/core/ClientError.ts"
import { CannotKeep, type Login, type Token, type TokenStore, withToken } from "../../../src/client/core/Login.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import type { ClientMessage } from "../../../src/common/wire/ClientMessage.ts"
import type { ServerMessageOf } from "../../../src/common/wire/ServerMessage.ts"
import { brief, dev, listen, rejected } from "../ClientTalk.ts"
import { ada, epoch, type FakeServer, idOf, make, start, welcome } from "../FakeServer.ts"

const secret = Redacted.make("correct horse battery")
const byPassword: Login = { _tag: "Password", password: secret }

const welcomeBack = (token: string, rooms: ServerMessageOf<"Welcome">["rooms"] = []): ServerMessageOf<"Welcome"> => ({
  ...welcome(7),
  account: true,
  device: DeviceId.make("d1"),
  token,
  inbox: { epoch, seq: 0 },
  rooms
})

/** Keeps tokens in memory, where the test sees them. */
const makeStore = (...tokens: ReadonlyArray<string>) => {
  let kept: ReadonlyArray<Token> = tokens.map((token) => Redacted.make(token))
  const store: TokenStore = {
    read: Effect.sync(() => kept),
    keep: (token, used) =>
      Effect.sync(() => {
        kept = withToken(kept, token, used)
      }),
    forget: Effect.sync(() => {
      kept = []
    })
  }
  return { store, kept: () => kept.map((token) => Redacted.value(token)) }
}

const shown = (message: ClientMessage): unknown => {
  if (message._tag !== "Handshake") return message._tag
  const { credentials, device, register } = message
  if (register !== undefined) return { register: Redacted.value(register.password), device }
  switch (credentials?._tag) {
    case "Password":
      return { password: Redacted.value(credentials.password), device }
    case "Token":
      return { token: Redacted.value(credentials.token), device }
    default:
      return credentials
  }
}

/** The next connection, and what it shows. */
const accept = Effect.fnUntraced(function* (server: FakeServer) {
  const peer = yield* server.accept
  const handshake = yield* peer.take
  return { peer, handshake, proof: shown(handshake) }
})

describe("a client of an account", () => {
  it.live("logs in with a password, and from then on with the newest token", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { kept, store } = makeStore()
      yield* start(server, {
        login: byPassword,
        tokens: store,
        deviceByDefault: "laptop",
        settledAfter: 0
      })
      const first = yield* accept(server)
      assert.deepStrictEqual(first.proof, { password: "correct horse battery", device: "laptop" })
      yield* first.peer.say(welcomeBack("t1"))
      yield* first.peer.cut
      const second = yield* accept(server)
      assert.deepStrictEqual(second.proof, { token: "t1", device: undefined })
      assert.deepStrictEqual(kept(), ["t1"])
      yield* second.peer.say(welcomeBack("t2"))
      yield* second.peer.cut
      assert.deepInclude((yield* accept(server)).proof, { token: "t2" })
      assert.deepStrictEqual(kept(), ["t2", "t1"])
    })
  )

  it.effect("keeps a token before it does anything else with what the server says", () =>
    Effect.gen(function* () {
      const server = yield* make
      const isKept = yield* Deferred.make<void>()
      const asked = yield* Deferred.make<void>()
      const { store } = makeStore("t1")
      const slow: TokenStore = {
        ...store,
        keep: () => Effect.andThen(Deferred.succeed(asked, undefined), Deferred.await(isKept))
      }
      const starting = yield* start(server, { tokens: slow })
      const { peer } = yield* accept(server)
      yield* peer.say(welcomeBack("t2", [{ room: dev, seq: 3, read: 3, unread: 0, mentions: 0, role: "member" }]))
      yield* Deferred.await(asked)
      const joining = yield* Effect.forkChild(peer.take)
      assert.isUndefined(joining.pollUnsafe())
      assert.isUndefined(starting.pollUnsafe())
      yield* Deferred.succeed(isKept, undefined)
      assert.deepInclude(yield* Fiber.join(joining), { _tag: "JoinRoom", room: dev })
    })
  )

  it.effect("shows nobody the token that it was given", () =>
    Effect.gen(function* () {
      const server = yield* make
      const starting = yield* start(server, { login: byPassword })
      const { peer } = yield* accept(server)
      yield* peer.say(welcomeBack("secret-token"))
      const client = yield* Fiber.join(starting)
      const asking = yield* Effect.forkChild(client.request({ _tag: "Register", password: secret }))
      const asked = yield* peer.take
      yield* peer.say({ _tag: "Registered", ...idOf(asked), token: "secret-token", device: DeviceId.make("d1") })
      const reply = yield* Fiber.join(asking)
      const events = yield* client.events.pipe(Stream.take(2), Stream.runCollect)
      assert.deepStrictEqual(events.map(brief), ["Connected", "Registered"])
      assert.notInclude(JSON.stringify([reply, events]), "secret-token")
    })
  )

  it.live("shows the token before if the newest is not good, and then what its user logs in with", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { store } = makeStore("t4", "t3")
      const starting = yield* start(server, { login: byPassword, tokens: store })
      for (const token of ["t4", "t3"]) {
        const { handshake, peer, proof } = yield* accept(server)
        assert.deepInclude(proof, { token })
        yield* peer.say(rejected(handshake, { _tag: "InvalidCredentials" }))
      }
      const { handshake, peer, proof } = yield* accept(server)
      assert.deepInclude(proof, { password: "correct horse battery" })
      yield* peer.say(rejected(handshake, { _tag: "InvalidCredentials" }))
      const error = yield* Effect.flip(Fiber.join(starting))
      assert.deepInclude(error.reason, { _tag: "Refused", reason: { _tag: "InvalidCredentials" } })
    })
  )

  it.live("takes the token that another process was given meanwhile", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { store } = makeStore("t1")
      const starting = yield* start(server, { tokens: store, settledAfter: 0 })
      const { peer } = yield* accept(server)
      yield* peer.say(welcomeBack("t2"))
      yield* Fiber.join(starting)
      yield* store.keep(Redacted.make("t3"), Redacted.make("t2"))
      yield* peer.cut
      assert.deepInclude((yield* accept(server)).proof, { token: "t3" })
    })
  )

  it.live("does not come back with its password when its device was removed", () =>
    Effect.gen(function* () {
      const server = yield* make
      const starting = yield* start(server, { login: byPassword, settledAfter: 0 })
      const { peer } = yield* accept(server)
      yield* peer.say(welcomeBack("t1"))
      const client = yield* Fiber.join(starting)
      yield* peer.cut
      const again = yield* accept(server)
      assert.deepInclude(again.proof, { token: "t1" })
      yield* again.peer.say(rejected(again.handshake, { _tag: "InvalidCredentials" }))
      const error = yield* Effect.flip(Stream.runDrain(client.events))
      assert.deepInclude(error.reason, { _tag: "Refused", reason: { _tag: "InvalidCredentials" } })
    })
  )

  it.live("goes on with the token that is kept when the next one cannot be", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { store } = makeStore("t1")
      const full: TokenStore = { ...store, keep: () => new CannotKeep({ issue: "the disk is full" }) }
      const starting = yield* start(server, { tokens: full, settledAfter: 0 })
      const { peer } = yield* accept(server)
      yield* peer.say(welcomeBack("t2"))
      const next = yield* listen(yield* Fiber.join(starting))
      assert.deepStrictEqual(yield* next(2), ["NotKept", "Connected"])
      yield* peer.cut
      assert.deepInclude((yield* accept(server)).proof, { token: "t1" })
    })
  )

  it.effect("answers a Challenge with what its key signs", () =>
    Effect.gen(function* () {
      const server = yield* make
      const sign = (text: string) => Effect.succeed(`signed: ${text}`)
      const key = { publicKey: "ssh-ed25519 AAAA", sign }
      const starting = yield* start(server, { login: { _tag: "Key", key }, device: "laptop" })
      const { handshake, peer, proof } = yield* accept(server)
      assert.deepStrictEqual(proof, { _tag: "Key", publicKey: "ssh-ed25519 AAAA" })
      yield* peer.say({ _tag: "Challenge", ...idOf(handshake), nonce: "n0nce" })
      const second = yield* peer.take
      assert.deepInclude(second, { _tag: "Handshake", user: ada, device: "laptop" })
      assert.deepStrictEqual(shown(second), {
        _tag: "KeyProof",
        publicKey: "ssh-ed25519 AAAA",
        host: "127.0.0.1",
        signature: "signed: parley-login\n127.0.0.1\nada\nn0nce\n"
      })
      yield* peer.say(welcomeBack("t1"))
      yield* Fiber.join(starting)
    })
  )

  it.effect("ends when its key cannot sign, and is challenged by nobody who has not been shown one", () =>
    Effect.gen(function* () {
      const server = yield* make
      const key = { publicKey: "k", sign: () => new NotSigned({ issue: "it is not there any more" }) }
      const signing = yield* start(server, { login: { _tag: "Key", key } })
      const first = yield* accept(server)
      yield* first.peer.say({ _tag: "Challenge", ...idOf(first.handshake), nonce: "n" })
      const error = yield* Effect.flip(Fiber.join(signing))
      assert.strictEqual(error.message, "The key cannot sign: it is not there any more.")

      const guest = yield* start(server)
      const second = yield* accept(server)
      yield* second.peer.say({ _tag: "Challenge", ...idOf(second.handshake), nonce: "n" })
      assert.strictEqual((yield* Effect.flip(Fiber.join(guest))).reason._tag, "NotParley")
    })
  )

  it.live("comes back with the token of the account that its guest has become", () =>
    Effect.gen(function* () {
      const server = yield* make
      const { kept, store } = makeStore()
      const starting = yield* start(server, { tokens: store, settledAfter: 0 })
      const { peer } = yield* accept(server)
      yield* peer.say(welcome(7))
      const client = yield* Fiber.join(starting)
      const asking = yield* Effect.forkChild(client.request({ _tag: "Register", password: secret }))
      const asked = yield* peer.take
      yield* peer.say({ _tag: "Registered", ...idOf(asked), token: "t1", device: DeviceId.make("d1") })
      yield* Fiber.join(asking)
      assert.deepStrictEqual(kept(), ["t1"])
      yield* peer.cut
      assert.deepInclude((yield* accept(server)).proof, { token: "t1" })
    })
  )

  it.live("goes on behind the private messages it has seen, and shows each once", () =>
    Effect.gen(function* () {
      const server = yield* make
      const starting = yield* start(server, { login: byPassword, settledAfter: 0 })
      const { peer } = yield* accept(server)
      yield* peer.say(welcomeBack("t1"))
      const next = yield* listen(yield* Fiber.join(starting))
      const told = (seq: number) => ({ _tag: "PrivateMessage", seq, at: 0, from: ada, to: ada, content: "x" }) as const
      yield* peer.say(told(1), told(2))
      assert.deepStrictEqual(yield* next(3), ["Connected", "PrivateMessage 1", "PrivateMessage 2"])
      yield* peer.cut
      const again = yield* accept(server)
      assert.deepInclude(again.handshake, { after: { lobby: { epoch, seq: 7 }, inbox: { epoch, seq: 2 } } })
      yield* again.peer.say({ ...welcomeBack("t2"), inbox: { epoch, seq: 4, missed: 2 } }, told(2), told(3), told(4))
      assert.deepStrictEqual(yield* next(4), ["Disconnected", "Reconnected 0", "PrivateMessage 3", "PrivateMessage 4"])
    })
  )
})
