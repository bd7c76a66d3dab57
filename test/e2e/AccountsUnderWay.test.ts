/** What happens to a login, or a registration, while the account changes under it: each is stopped between two of its steps. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { UserName } from "../../src/common/name/UserName.ts"
import { Accounts } from "../../src/server/accounts/Accounts.ts"
import * as Talk from "../support/AccountTalk.ts"
import { loginText, makeKey } from "../support/Ed25519.ts"
import { reasonOf } from "../support/Rejections.ts"
import { stores } from "../support/Stores.ts"
import * as TestServer from "../support/TestServer.ts"

const { password } = Talk
const ada = UserName.make("ada")
const next = "seven green bicycles"

type Step = "addDevice" | "create" | "useToken"

/** A server whose accounts wait around a step, once the test says so: `reached` it, and go on with `release`. */
const startStopping = Effect.fnUntraced(function* (step: Step, when: "before" | "behind") {
  const reached = yield* Deferred.make<void>()
  const released = yield* Deferred.make<void>()
  let isArmed = false
  const stop = Effect.suspend(() => {
    if (!isArmed) return Effect.void
    isArmed = false
    return Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(released))
  })
  const around = <A, E>(its: Step, doing: Effect.Effect<A, E>) => {
    if (its !== step) return doing
    return when === "before" ? Effect.andThen(stop, doing) : Effect.tap(doing, stop)
  }
  const stopping = Layer.effect(
    Accounts,
    Effect.map(Accounts, (accounts) =>
      Accounts.of({
        ...accounts,
        addDevice: (account, device, at) => around("addDevice", accounts.addDevice(account, device, at)),
        create: (account) => around("create", accounts.create(account)),
        useToken: (user, token, following, at, name) =>
          around("useToken", accounts.useToken(user, token, following, at, name))
      })
    )
  )
  const server = yield* TestServer.start({ stores: Layer.provideMerge(stopping, stores) })
  return {
    server,
    arm: Effect.sync(() => {
      isArmed = true
    }),
    reached: Deferred.await(reached),
    release: Deferred.succeed(released, undefined)
  }
})

/** A Handshake that is stopped while something is done; what it is answered with. */
const meanwhile = Effect.fnUntraced(function* <E, R>(
  stopping: Effect.Success<ReturnType<typeof startStopping>>,
  credentials: object,
  done: Effect.Effect<unknown, E, R>
) {
  yield* stopping.arm
  const client = yield* stopping.server.connect()
  yield* client.send({ _tag: "Handshake", user: "ada", credentials })
  yield* stopping.reached
  yield* done
  yield* stopping.release
  return { client, reply: yield* client.next }
})

describe("while a login is under way", () => {
  const places = [
    { step: "useToken", when: "before" },
    { step: "useToken", when: "behind" },
    { step: "addDevice", when: "before" },
    { step: "addDevice", when: "behind" }
  ] as const

  for (const { step, when } of places) {
    const proof = step === "useToken" ? "token" : "password"
    const credentialsFor = (token: string) => (step === "useToken" ? Talk.byToken(token) : Talk.byPassword(password))

    it.live(`an account that is disabled is Banned (a ${proof}, stopped ${when} ${step})`, () =>
      Effect.gen(function* () {
        const stopping = yield* startStopping(step, when)
        const { token } = yield* Talk.register(stopping.server, "ada")
        const disable = stopping.server.users.disable(ada, "spam")
        const { client, reply } = yield* meanwhile(stopping, credentialsFor(token), disable)
        assert.deepStrictEqual(reasonOf(reply), { _tag: "Banned", reason: "spam" })
        yield* client.closed
      })
    )

    it.live(`an account that is deleted lets nobody in (a ${proof}, stopped ${when} ${step})`, () =>
      Effect.gen(function* () {
        const stopping = yield* startStopping(step, when)
        const { token } = yield* Talk.register(stopping.server, "ada")
        const { client, reply } = yield* meanwhile(stopping, credentialsFor(token), stopping.server.users.delete(ada))
        assert.deepStrictEqual(reasonOf(reply), { _tag: "InvalidCredentials" })
        yield* client.closed
      })
    )

    it.live(`a password that is changed ends it (a ${proof}, stopped ${when} ${step})`, () =>
      Effect.gen(function* () {
        const stopping = yield* startStopping(step, when)
        const owner = yield* Talk.register(stopping.server, "ada")
        const other = yield* Talk.register(stopping.server, "ben")
        yield* other.client.ask({ _tag: "Disconnect" })
        // A second device, with whose token somebody else comes; with the password nobody is there yet.
        const { device, token } = yield* Talk.logIn(stopping.server, "ada")
        const { client, reply } = yield* meanwhile(
          stopping,
          credentialsFor(token),
          Effect.map(owner.client.ask({ _tag: "ChangePassword", current: password, next }), (changed) =>
            assert.strictEqual(changed._tag, "PasswordChanged")
          )
        )
        assert.deepStrictEqual(reasonOf(reply), { _tag: "InvalidCredentials" })
        yield* client.closed
        const devices = Talk.listIn(yield* owner.client.ask({ _tag: "ListDevices" }), "devices")
        assert.lengthOf(devices, 1)
        assert.notStrictEqual(devices[0]?.["device"], device)
      })
    )
  }

  it.live("a device that is removed is let in no more", () =>
    Effect.gen(function* () {
      const stopping = yield* startStopping("useToken", "behind")
      const laptop = yield* Talk.register(stopping.server, "ada")
      const phone = yield* Talk.logIn(stopping.server, "ada")
      const remove = laptop.client.ask({ _tag: "RemoveDevice", device: phone.device })
      const { client, reply } = yield* meanwhile(stopping, Talk.byToken(phone.token), remove)
      assert.deepStrictEqual(reasonOf(reply), { _tag: "InvalidCredentials" })
      yield* client.closed
    })
  )

  it.live("a key that is removed lets nobody in any more", () =>
    Effect.gen(function* () {
      const stopping = yield* startStopping("addDevice", "before")
      const key = makeKey()
      const owner = yield* Talk.register(stopping.server, "ada")
      const { fingerprint } = yield* owner.client.ask({ _tag: "AddKey", publicKey: key.publicKey })
      yield* stopping.arm
      const client = yield* stopping.server.connect()
      const challenge = yield* client.ask({
        _tag: "Handshake",
        user: "ada",
        credentials: { _tag: "Key", publicKey: key.publicKey }
      })
      const signature = key.sign(loginText("chat.example", "ada", challenge["nonce"]))
      const credentials = { _tag: "KeyProof", publicKey: key.publicKey, host: "chat.example", signature }
      yield* client.send({ _tag: "Handshake", user: "ada", credentials })
      yield* stopping.reached
      yield* owner.client.ask({ _tag: "RemoveKey", fingerprint })
      yield* stopping.release
      assert.deepStrictEqual(reasonOf(yield* client.next), { _tag: "InvalidCredentials" })
      assert.lengthOf(Talk.listIn(yield* owner.client.ask({ _tag: "ListDevices" }), "devices"), 1)
    })
  )

  it.live("whoever is cut off leaves nothing behind: neither the name nor a connection", () =>
    Effect.gen(function* () {
      const stopping = yield* startStopping("addDevice", "before")
      const { client } = yield* Talk.register(stopping.server, "ada")
      yield* stopping.arm
      const cut = yield* stopping.server.connect()
      yield* cut.send({ _tag: "Handshake", user: "ada", credentials: Talk.byPassword(password) })
      yield* stopping.reached
      yield* cut.reset
      yield* stopping.release
      for (let count = 1; count < 16; count++) yield* Talk.logIn(stopping.server, "ada")
      assert.deepInclude(yield* client.ask({ _tag: "ListUsers" }), { users: ["ada"], count: 1 })
    })
  )
})

describe("while somebody registers", () => {
  it.live("by a Handshake, an account that is disabled is Banned", () =>
    Effect.gen(function* () {
      const stopping = yield* startStopping("create", "behind")
      yield* stopping.arm
      const client = yield* stopping.server.connect()
      yield* client.send({ _tag: "Handshake", user: "ada", register: { password } })
      yield* stopping.reached
      yield* stopping.server.users.disable(ada, "spam")
      yield* stopping.release
      assert.deepStrictEqual(reasonOf(yield* client.next), { _tag: "Banned", reason: "spam" })
      yield* client.closed
    })
  )

  it.live("as a guest, an account that is disabled is Banned", () =>
    Effect.gen(function* () {
      const stopping = yield* startStopping("create", "behind")
      const client = yield* stopping.server.join("ada")
      yield* stopping.arm
      yield* client.send({ _tag: "Register", password })
      yield* stopping.reached
      yield* stopping.server.users.disable(ada, "spam")
      yield* stopping.release
      assert.deepStrictEqual(reasonOf((yield* client.closed).at(-1)), { _tag: "Banned", reason: "spam" })
    })
  )
})

describe("while a Handshake is worked on", () => {
  it.effect("its time does not run, however long that takes", () =>
    Effect.gen(function* () {
      const stopping = yield* startStopping("create", "before")
      yield* stopping.arm
      const client = yield* stopping.server.connect()
      yield* client.send({ _tag: "Handshake", user: "ada", register: { password } })
      yield* stopping.reached
      yield* TestClock.adjust("1 minute")
      yield* stopping.release
      assert.deepInclude(yield* client.next, { _tag: "Welcome", user: "ada" })
    })
  )
})

describe("the time for a Handshake", () => {
  const open = Effect.fnUntraced(function* () {
    const server = yield* TestServer.start()
    const { client: ben } = yield* Talk.register(server, "ben")
    return { ben, client: yield* server.connect() }
  })
  type Opened = Effect.Success<ReturnType<typeof open>>
  const wait = Effect.fnUntraced(function* (
    { ben, client }: Opened,
    duration: "3 seconds" | "1900 millis" | "4900 millis"
  ) {
    yield* TestClock.adjust(duration)
    yield* ben.soFar
    assert.isFalse(client.isClosed())
  })
  const ended = Effect.fnUntraced(function* ({ client }: Opened) {
    yield* TestClock.adjust("100 millis")
    assert.deepStrictEqual(reasonOf((yield* client.closed).at(-1)), { _tag: "HandshakeTimeout" })
  })

  it.effect("begins anew at the first challenge, and goes on at every other", () =>
    Effect.gen(function* () {
      const opened = yield* open()
      const credentials = { _tag: "Key", publicKey: makeKey().publicKey }
      const challenged = Effect.map(opened.client.ask({ _tag: "Handshake", user: "ada", credentials }), ({ _tag }) =>
        assert.strictEqual(_tag, "Challenge")
      )
      yield* wait(opened, "3 seconds")
      yield* challenged
      yield* wait(opened, "3 seconds")
      yield* challenged
      yield* wait(opened, "1900 millis")
      yield* ended(opened)
    })
  )

  it.effect("begins anew at a refusal", () =>
    Effect.gen(function* () {
      const opened = yield* open()
      yield* wait(opened, "3 seconds")
      assert.propertyVal(
        yield* opened.client.ask({ _tag: "Handshake", user: "ben", register: { password } }),
        "_tag",
        "Rejected"
      )
      yield* wait(opened, "4900 millis")
      yield* ended(opened)
    })
  )
})
