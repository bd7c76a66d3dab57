/** Who is let in: by a password, a token or a key, and what those who are not are told. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { UserName } from "../../src/common/name/UserName.ts"
import * as Talk from "../support/AccountTalk.ts"
import { loginText, makeKey, type TestKey } from "../support/Ed25519.ts"
import type { RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const { password } = Talk
const ada = UserName.make("ada")
const invalid = { _tag: "InvalidCredentials" }

describe("a password", () => {
  it.live("lets its account in, on another device each time, in whatever case the name is typed", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const first = yield* Talk.register(server, "Ada")
      const second = yield* Talk.logIn(server, "aDA", { device: "phone" })
      assert.deepInclude(second.welcome, { user: "Ada", account: true })
      assert.notStrictEqual(second.device, first.device)
      assert.notStrictEqual(second.token, first.token)
    })
  )

  it.live(
    "that is wrong, or of nobody, or of an account that has none, is refused in the same words, and ends the connection",
    () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        yield* Talk.register(server, "ada")
        yield* server.users.add(UserName.make("ben"), false)
        const said: Array<unknown> = []
        for (const user of ["ada", "ben", "nobody"]) {
          const { hasEnded, reply } = yield* Talk.attempt(server, { user, credentials: Talk.byPassword("wrong horse") })
          assert.deepStrictEqual(reasonOf(reply), invalid)
          assert.isTrue(hasEnded)
          said.push(reply["message"])
        }
        assert.strictEqual(new Set(said).size, 1)
      })
  )

  it.live("of a disabled account is answered with Banned and the reason, a wrong one with InvalidCredentials", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const { client, token } = yield* Talk.register(server, "ada")
      yield* server.users.disable(ada, "spam")
      const banned = { _tag: "Banned", reason: "spam" }
      assert.deepStrictEqual(reasonOf((yield* client.closed).at(-1)), banned)
      for (const credentials of [Talk.byPassword(password), Talk.byToken(token)]) {
        const { hasEnded, reply } = yield* Talk.attempt(server, { user: "ada", credentials })
        assert.deepStrictEqual(reasonOf(reply), banned)
        assert.isTrue(hasEnded)
      }
      const wrong = yield* Talk.attempt(server, { user: "ada", credentials: Talk.byPassword("wrong horse") })
      assert.deepStrictEqual(reasonOf(wrong.reply), invalid)
      yield* server.users.enable(ada)
      yield* Talk.comeBack(server, "ada", token)
    })
  )

  it.live("that was reset ends devices and keys, and its code stands in for it until another is set", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const { client, token } = yield* Talk.register(server, "ada")
      const code = Redacted.value((yield* server.users.reset(ada)).code)
      assert.propertyVal((yield* client.closed).at(-1), "_tag", "Goodbye")
      for (const credentials of [Talk.byPassword(password), Talk.byToken(token)]) {
        assert.deepStrictEqual(yield* Talk.refusal(server, { user: "ada", credentials }), invalid)
      }
      const again = yield* Talk.enter(server, { user: "ada", credentials: Talk.byPassword(code.toUpperCase()) })
      const next = "seven green bicycles"
      assert.propertyVal(
        yield* again.client.ask({ _tag: "ChangePassword", current: code, next }),
        "_tag",
        "PasswordChanged"
      )
      assert.deepStrictEqual(yield* Talk.refusal(server, { user: "ada", credentials: Talk.byPassword(code) }), invalid)
      yield* Talk.enter(server, { user: "ada", credentials: Talk.byPassword(next) })
    })
  )
})

describe("a token", () => {
  it.live("gives the next one; the one used is good until that is used, and no other is", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const { token: first } = yield* Talk.register(server, "ada")
      const { token: second } = yield* Talk.comeBack(server, "ada", first)
      // Whoever was cut off before it wrote down the second comes back with the first.
      const { token: third } = yield* Talk.comeBack(server, "ada", first)
      assert.strictEqual(new Set([first, second, third]).size, 3)
      assert.deepStrictEqual(yield* Talk.refusal(server, { user: "ada", credentials: Talk.byToken(second) }), invalid)
      const { token: fourth } = yield* Talk.comeBack(server, "ada", third)
      for (const old of [first, second]) {
        assert.deepStrictEqual(yield* Talk.refusal(server, { user: "ada", credentials: Talk.byToken(old) }), invalid)
      }
      yield* Talk.comeBack(server, "ada", third)
      assert.deepStrictEqual(yield* Talk.refusal(server, { user: "ada", credentials: Talk.byToken(fourth) }), invalid)
    })
  )

  it.live("is one account's alone, and of one device, which it may rename", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const { device, token } = yield* Talk.register(server, "ada", { device: "laptop" })
      yield* Talk.register(server, "ben")
      for (const user of ["ben", "nobody"]) {
        assert.deepStrictEqual(yield* Talk.refusal(server, { user, credentials: Talk.byToken(token) }), invalid)
      }
      const back = yield* Talk.comeBack(server, "ada", token, { device: "old laptop" })
      assert.strictEqual(back.device, device)
      const devices = Talk.listIn(yield* back.client.ask({ _tag: "ListDevices" }), "devices")
      assert.deepStrictEqual(
        devices.map(({ name }) => name),
        ["old laptop"]
      )
      const later = yield* Talk.comeBack(server, "ada", back.token)
      assert.propertyVal(
        Talk.listIn(yield* later.client.ask({ _tag: "ListDevices" }), "devices")[0],
        "name",
        "old laptop"
      )
    })
  )

  it.live("of a client that is cut off before its Welcome stays good, however often that happens", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const { token } = yield* Talk.register(server, "ada")
      for (let time = 0; time < 10; time++) {
        const client = yield* server.connect()
        yield* client.send({ _tag: "Handshake", user: "ada", credentials: Talk.byToken(token) })
        yield* client.reset
      }
      const { client } = yield* Talk.comeBack(server, "ada", token)
      assert.lengthOf(Talk.listIn(yield* client.ask({ _tag: "ListDevices" }), "devices"), 1)
    })
  )
})

/** Answers a Challenge, for whatever the test says is signed. */
const prove = Effect.fnUntraced(function* (
  client: RawClient,
  key: TestKey,
  signed: {
    readonly user?: string
    readonly host?: string
    readonly nonce?: unknown
    readonly namespace?: string
  } = {},
  sent: { readonly user?: string; readonly host?: string } = {}
) {
  const user = sent.user ?? "ada"
  const host = sent.host ?? "chat.example"
  const challenge = yield* client.ask({
    _tag: "Handshake",
    user,
    credentials: { _tag: "Key", publicKey: key.publicKey }
  })
  assert.strictEqual(challenge._tag, "Challenge")
  const text = loginText(signed.host ?? host, signed.user ?? user, signed.nonce ?? challenge["nonce"])
  const signature = key.sign(text, signed.namespace)
  const proof = { _tag: "KeyProof", publicKey: key.publicKey, host, signature }
  return { proof, reply: yield* client.ask({ _tag: "Handshake", user, credentials: proof }) }
})

describe("a key", () => {
  const withKey = Effect.fnUntraced(function* (settings: Readonly<Record<string, string>> = {}) {
    const server = yield* TestServer.start({ settings })
    const key = makeKey()
    const { client } = yield* Talk.register(server, "ada")
    const added = yield* client.ask({ _tag: "AddKey", publicKey: key.publicKey, name: "laptop" })
    assert.strictEqual(added._tag, "KeyAdded")
    return { client, fingerprint: added["fingerprint"], key, server }
  })

  it.live("lets its account in, until it is removed; who came in by it stays", () =>
    Effect.gen(function* () {
      const { client, fingerprint, key, server } = yield* withKey()
      const other = yield* server.connect()
      const { reply } = yield* prove(other, key)
      assert.deepInclude(reply, { _tag: "Welcome", user: "ada", account: true })
      assert.deepInclude(Talk.listIn(yield* client.ask({ _tag: "ListKeys" }), "keys")[0], {
        fingerprint,
        name: "laptop"
      })
      yield* client.ask({ _tag: "RemoveKey", fingerprint })
      assert.propertyVal(yield* other.ask({ _tag: "Ping", nonce: 1 }), "nonce", 1)
      const again = yield* prove(yield* server.connect(), key)
      assert.deepStrictEqual(reasonOf(again.reply), invalid)
      assert.deepStrictEqual(reasonOf(yield* client.ask({ _tag: "RemoveKey", fingerprint })), {
        _tag: "KeyNotFound",
        fingerprint
      })
    })
  )

  it.live("of nobody is challenged like any other, and refused in the same words", () =>
    Effect.gen(function* () {
      const { key, server } = yield* withKey()
      const stranger = makeKey()
      const replies = [
        yield* prove(yield* server.connect(), stranger),
        yield* prove(yield* server.connect(), key, {}, { user: "nobody" }),
        yield* prove(yield* server.connect(), stranger, {}, { user: "nobody" })
      ].map(({ reply }) => reply)
      for (const reply of replies) assert.deepStrictEqual(reasonOf(reply), invalid)
    })
  )

  it.live.each([
    { what: "another user", signed: { user: "ben" } },
    { what: "another host", signed: { host: "evil.example" } },
    { what: "another nonce", signed: { nonce: "pM0V1Q7kX2n8tB4w" } },
    { what: "another purpose", signed: { namespace: "git" } }
  ])("that signs for $what proves nothing, and ends the connection", ({ signed }) =>
    Effect.gen(function* () {
      const { key, server } = yield* withKey()
      const client = yield* server.connect()
      const { reply } = yield* prove(client, key, signed)
      assert.deepStrictEqual(reasonOf(reply), invalid)
      yield* client.closed
    })
  )

  it.live("signs each challenge once: neither again nor on another connection, nor without one", () =>
    Effect.gen(function* () {
      const { key, server } = yield* withKey()
      const first = yield* server.connect()
      const { nonce } = yield* first.ask({
        _tag: "Handshake",
        user: "ada",
        credentials: { _tag: "Key", publicKey: key.publicKey }
      })
      const credentials = {
        _tag: "KeyProof",
        publicKey: key.publicKey,
        host: "chat.example",
        signature: key.sign(loginText("chat.example", "ada", nonce))
      }
      assert.deepStrictEqual(yield* Talk.refusal(server, { user: "ada", credentials }), invalid)
      // A Handshake in between takes the challenge with it.
      yield* first.ask({ _tag: "Handshake", user: "ada", register: { password } })
      assert.deepStrictEqual(reasonOf(yield* first.ask({ _tag: "Handshake", user: "ada", credentials })), invalid)
    })
  )

  it.live("is for one of the names of SERVER_NAME, where that is set", () =>
    Effect.gen(function* () {
      const { key, server } = yield* withKey({ SERVER_NAME: "chat.example, Talk.Example" })
      const other = yield* prove(yield* server.connect(), key, {}, { host: "evil.example" })
      assert.deepStrictEqual(reasonOf(other.reply), invalid)
      for (const host of ["chat.example", "talk.example", "CHAT.example"]) {
        const { reply } = yield* prove(yield* server.connect(), key, {}, { host })
        assert.propertyVal(reply, "_tag", "Welcome", host)
      }
    })
  )

  it.live("that is no key is refused, and 33 are too many", () =>
    Effect.gen(function* () {
      const { client, key } = yield* withKey()
      for (const publicKey of ["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-dss AAAAB3NzaC1kc3M="]) {
        assert.propertyVal(reasonOf(yield* client.ask({ _tag: "AddKey", publicKey })), "_tag", "InvalidMessage")
      }
      for (let count = 1; count < 32; count++) {
        const added = yield* client.ask({ _tag: "AddKey", publicKey: makeKey().publicKey })
        assert.strictEqual(added._tag, "KeyAdded")
      }
      const refused = yield* client.ask({ _tag: "AddKey", publicKey: makeKey().publicKey })
      assert.deepStrictEqual(reasonOf(refused), { _tag: "NotAllowed", action: "AddKey" })
      // One that is there already is none more.
      const again = yield* client.ask({ _tag: "AddKey", publicKey: key.publicKey, name: "desk" })
      assert.strictEqual(again._tag, "KeyAdded")
      assert.lengthOf(Talk.listIn(yield* client.ask({ _tag: "ListKeys" }), "keys"), 32)
    })
  )
})
