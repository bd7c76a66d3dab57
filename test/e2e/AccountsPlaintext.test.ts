/** Where passwords are heard: over TLS or from the machine itself, and nowhere else unless the operator says so. */
import { readFileSync } from "node:fs"
import { networkInterfaces } from "node:os"
import { resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { UserName } from "../../src/common/name/UserName.ts"
import * as Talk from "../support/AccountTalk.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const { password } = Talk

/** An address of this machine by which a connection seems to come over a network; none on a machine without one. */
const host = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses)
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address

const far = { host: host ?? "" }
const settings = { HOST: "0.0.0.0" }

const files = resolve(import.meta.dirname, "../support/tls")
const TLS_CERT = resolve(files, "localhost.cert.pem")
const tls = { TLS_CERT, TLS_KEY: resolve(files, "localhost.key.pem") }
const certificate = readFileSync(TLS_CERT, "utf8")

describe.skipIf(host === undefined)("over a plain connection that is not from this machine", () => {
  it.live("a password is refused with NotAllowed, right or wrong, and a token lets in", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const { token } = yield* Talk.register(server, "ada")
      for (const typed of [password, "wrong horse battery"]) {
        const credentials = Talk.byPassword(typed)
        const { client, hasEnded, reply } = yield* Talk.attempt(server, { user: "ada", credentials }, far)
        assert.deepStrictEqual(reasonOf(reply), { _tag: "NotAllowed", action: "Handshake" })
        assert.isFalse(hasEnded)
        yield* client.reset
      }
      const { client } = yield* Talk.enter(server, { user: "ada", credentials: Talk.byToken(token) }, far)
      const change = yield* client.ask({ _tag: "ChangePassword", current: password, next: "seven green bicycles" })
      assert.deepStrictEqual(reasonOf(change), { _tag: "NotAllowed", action: "ChangePassword" })
      const end = yield* client.ask({ _tag: "DeleteAccount", password })
      assert.deepStrictEqual(reasonOf(end), { _tag: "NotAllowed", action: "DeleteAccount" })
      yield* Talk.logIn(server, "ada")
    })
  )

  it.live("nobody registers, and guests are let in", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const { hasEnded, reply } = yield* Talk.attempt(server, { user: "ada", register: { password } }, far)
      assert.deepStrictEqual(reasonOf(reply), { _tag: "NotAllowed", action: "Handshake" })
      assert.isFalse(hasEnded)
      const guest = yield* server.join("ben", far)
      assert.deepStrictEqual(reasonOf(yield* guest.ask({ _tag: "Register", password })), {
        _tag: "NotAllowed",
        action: "Register"
      })
      assert.propertyVal(yield* guest.ask({ _tag: "GetUser", user: "ben" }), "account", false)
    })
  )

  it.live("a code that stands in for a password is one", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const { code } = yield* server.users.add(UserName.make("ada"), false)
      const credentials = Talk.byPassword(Redacted.value(code))
      const refusal = yield* Talk.refusal(server, { user: "ada", credentials }, far)
      assert.deepStrictEqual(refusal, { _tag: "NotAllowed", action: "Handshake" })
    })
  )

  it.live("a password is heard with ALLOW_PLAINTEXT_PASSWORDS=true", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { ...settings, ALLOW_PLAINTEXT_PASSWORDS: "true" } })
      yield* Talk.enter(server, { user: "ada", register: { password } }, far)
      yield* Talk.logIn(server, "ada", {}, far)
    })
  )

  it.live("a password is heard over TLS", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { ...settings, ...tls } })
      const { client } = yield* Talk.enter(server, { user: "ada", register: { password } }, { ...far, certificate })
      const changed = yield* client.ask({ _tag: "ChangePassword", current: password, next: "seven green bicycles" })
      assert.strictEqual(changed._tag, "PasswordChanged")
    })
  )
})
