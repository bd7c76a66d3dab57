/** How accounts are made: by a stranger's Handshake, by a guest's Register, and for whom they are not. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { UserName } from "../../src/common/name/UserName.ts"
import * as Talk from "../support/AccountTalk.ts"
import { issueOf, reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const { password } = Talk

describe("a Handshake that registers", () => {
  it.live("is welcomed as an account, with a device, a token and an empty inbox", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const { device, token, welcome } = yield* Talk.register(server, "Ada", { device: "laptop" })
      assert.deepInclude(welcome, { user: "Ada", account: true, rooms: [], conversations: [], lobbyRead: 0 })
      assert.match(token, /^[\w-]{43}$/)
      assert.notProperty(welcome, "admin")
      assert.propertyVal(welcome["inbox"], "seq", 0)
      const { client } = yield* Talk.comeBack(server, "ada", token)
      const devices = Talk.listIn(yield* client.ask({ _tag: "ListDevices" }), "devices")
      assert.deepInclude(devices[0], { device, name: "laptop", connected: true, here: true })
      assert.lengthOf(devices, 1)
    })
  )

  it.live.each([
    { typed: "too short", issue: /^register\.password: must have 10 to 256 characters/ },
    { typed: "x".repeat(257), issue: /^register\.password: must have 10 to 256 characters/ },
    { typed: "password123", issue: /^register\.password: .*common/ },
    { typed: "1234567890", issue: /^register\.password: .*common/ }
  ])("with the password $typed is refused with what is wrong with it, and may be tried again", ({ issue, typed }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const { client, hasEnded, reply } = yield* Talk.attempt(server, { user: "ada", register: { password: typed } })
      assert.match(issueOf(reply), issue)
      assert.isFalse(hasEnded)
      const again = yield* client.ask({ _tag: "Handshake", user: "ada", register: { password } })
      assert.propertyVal(again, "account", true)
    })
  )

  it.live("with credentials beside is an InvalidMessage, and neither registers nor logs in", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const both = { user: "ada", register: { password }, credentials: Talk.byPassword(password) }
      const { reply } = yield* Talk.attempt(server, both)
      assert.match(issueOf(reply), /credentials, register/)
      const observer = yield* server.join("ben")
      assert.deepStrictEqual(reasonOf(yield* observer.ask({ _tag: "GetUser", user: "ada" })), {
        _tag: "UserNotFound",
        user: "ada"
      })
    })
  )

  it.live("of a name that a guest has is refused, and the guest keeps it", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const guest = yield* server.join("Ada")
      const { hasEnded, reply } = yield* Talk.attempt(server, { user: "ada", register: { password } })
      assert.deepStrictEqual(reasonOf(reply), { _tag: "UserNameTaken", user: "ada" })
      assert.isTrue(hasEnded)
      assert.propertyVal(yield* guest.ask({ _tag: "GetUser", user: "ada" }), "account", false)
    })
  )

  it.live("of a name that was registered is AccountExists, spelled as it was, and the same connection may log in", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const first = yield* Talk.register(server, "Ada")
      const here = yield* Talk.attempt(server, { user: "aDA", register: { password } })
      assert.deepStrictEqual(reasonOf(here.reply), { _tag: "AccountExists", user: "Ada" })
      assert.isFalse(here.hasEnded)
      yield* first.client.ask({ _tag: "Disconnect" })
      const { client, hasEnded, reply } = yield* Talk.attempt(server, { user: "aDA", register: { password } })
      assert.deepStrictEqual(reasonOf(reply), { _tag: "AccountExists", user: "Ada" })
      assert.isFalse(hasEnded)
      const welcome = yield* client.ask({
        _tag: "Handshake",
        user: "aDA",
        credentials: Talk.byPassword(password)
      })
      assert.deepInclude(welcome, { _tag: "Welcome", user: "Ada" })
    })
  )

  it.live("is for one only of many who ask for names that look alike at once", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      // The first letter is Latin, Cyrillic, Latin again in another width.
      const names = ["ada", "\u0430da", "ad\u0430", "\u0430d\u0430"]
      const tried = yield* Effect.forEach(names, (user) => Talk.attempt(server, { user, register: { password } }), {
        concurrency: "unbounded"
      })
      assert.lengthOf(
        tried.filter(({ reply }) => reply._tag === "Welcome"),
        1
      )
      for (const { reply } of tried)
        if (reply._tag !== "Welcome") assert.propertyVal(reasonOf(reply), "_tag", "NameTooSimilar")
    })
  )
})

describe("a registered name", () => {
  it.live("is nobody else's, here or away, and neither is one that looks like it", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const { client } = yield* Talk.register(server, "Ada")
      const look = "\u0410da"
      for (const isHere of [true, false]) {
        if (!isHere) yield* client.ask({ _tag: "Disconnect" })
        const same = yield* Talk.attempt(server, { user: "ada" })
        assert.deepStrictEqual(reasonOf(same.reply), { _tag: "PasswordRequired", user: "Ada" })
        assert.isTrue(same.hasEnded)
        const similar = yield* Talk.attempt(server, { user: look })
        assert.deepStrictEqual(reasonOf(similar.reply), { _tag: "NameTooSimilar", user: look, to: "Ada" })
        assert.isTrue(similar.hasEnded)
        const registered = yield* Talk.attempt(server, { user: look, register: { password } })
        assert.deepStrictEqual(reasonOf(registered.reply), { _tag: "NameTooSimilar", user: look, to: "Ada" })
      }
    })
  )

  it.live("of a deleted account stays taken until it is freed", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const { client } = yield* Talk.register(server, "Ada")
      yield* client.ask({ _tag: "DeleteAccount", password })
      yield* client.closed
      const guest = yield* Talk.attempt(server, { user: "ada" })
      assert.deepStrictEqual(reasonOf(guest.reply), { _tag: "UserNameTaken", user: "ada" })
      const owner = yield* Talk.attempt(server, { user: "ada", credentials: Talk.byPassword(password) })
      assert.deepStrictEqual(reasonOf(owner.reply), { _tag: "InvalidCredentials" })
      const other = yield* Talk.attempt(server, { user: "ada", register: { password } })
      assert.deepStrictEqual(reasonOf(other.reply), { _tag: "AccountExists", user: "Ada" })
      yield* server.users.free(UserName.make("ada"))
      const { welcome } = yield* Talk.register(server, "ada")
      assert.propertyVal(welcome, "user", "ada")
    })
  )

  it.live("that looks like a guest who is here already leaves the guest alone, who cannot register", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const look = "\u0430da"
      const guest = yield* server.join(look)
      yield* Talk.register(server, "ada")
      const refused = yield* guest.ask({ _tag: "Register", password })
      assert.deepStrictEqual(reasonOf(refused), { _tag: "NameTooSimilar", user: look, to: "ada" })
      assert.propertyVal(yield* guest.ask({ _tag: "Ping", nonce: 1 }), "nonce", 1)
    })
  )
})

describe("GUESTS=off", () => {
  it.live("lets accounts in and nobody else", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { GUESTS: "off" } })
      const { hasEnded, reply } = yield* Talk.attempt(server, { user: "ben" })
      assert.deepStrictEqual(reasonOf(reply), { _tag: "PasswordRequired", user: "ben" })
      assert.isTrue(hasEnded)
      const { token } = yield* Talk.register(server, "ada")
      yield* Talk.comeBack(server, "ada", token)
    })
  )
})

describe("REGISTRATION=off", () => {
  it.live("makes no accounts but those that are added, and lets guests in", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { REGISTRATION: "off" } })
      const { client, hasEnded, reply } = yield* Talk.attempt(server, { user: "ben", register: { password } })
      assert.deepStrictEqual(reasonOf(reply), { _tag: "RegistrationClosed" })
      assert.isFalse(hasEnded)
      yield* client.send({ _tag: "Handshake", user: "ben" })
      yield* client.find("Welcome")
      assert.deepStrictEqual(reasonOf(yield* client.ask({ _tag: "Register", password })), {
        _tag: "RegistrationClosed"
      })
      const { code } = yield* server.users.add(UserName.make("ada"), true)
      const typed = Redacted.value(code)
      const ada = yield* Talk.enter(server, { user: "ada", credentials: Talk.byPassword(typed) })
      assert.propertyVal(ada.welcome, "admin", true)
      const changed = yield* ada.client.ask({ _tag: "ChangePassword", current: typed, next: password })
      assert.propertyVal(changed, "_tag", "PasswordChanged")
      const again = yield* Talk.attempt(server, { user: "ada", credentials: Talk.byPassword(typed) })
      assert.deepStrictEqual(reasonOf(again.reply), { _tag: "InvalidCredentials" })
    })
  )
})

describe("REGISTRATION=invite", () => {
  const settings = { REGISTRATION: "invite" }

  it.live("takes an invite as often as it may be used, however it is typed", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const { code } = yield* server.users.invite(2, undefined)
      const invite = Redacted.value(code)
      const without = yield* Talk.attempt(server, { user: "ada", register: { password } })
      assert.deepStrictEqual(reasonOf(without.reply), { _tag: "InvalidInvite" })
      assert.isFalse(without.hasEnded)
      const weak = yield* Talk.attempt(server, { user: "ada", register: { password: "password123", invite } })
      assert.match(issueOf(weak.reply), /common/)

      yield* Talk.enter(server, {
        user: "ada",
        register: { password, invite: invite.toUpperCase().replaceAll("-", " ") }
      })
      const guest = yield* server.join("ben")
      assert.propertyVal(yield* guest.ask({ _tag: "Register", password, invite }), "_tag", "Registered")
      const third = yield* Talk.attempt(server, { user: "cyd", register: { password, invite } })
      assert.deepStrictEqual(reasonOf(third.reply), { _tag: "InvalidInvite" })
      const observer = yield* server.join("dee")
      assert.propertyVal(reasonOf(yield* observer.ask({ _tag: "GetUser", user: "cyd" })), "_tag", "UserNotFound")
    })
  )

  it.live("gives a single invite to one only of many who use it at once", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const invite = Redacted.value((yield* server.users.invite(1, undefined)).code)
      const tried = yield* Effect.forEach(
        ["ada", "ben", "cyd", "dee"],
        (user) => Talk.attempt(server, { user, register: { password, invite } }),
        { concurrency: "unbounded" }
      )
      const refused = tried.filter(({ reply }) => reply._tag !== "Welcome")
      assert.lengthOf(refused, 3)
      for (const { reply } of refused) assert.deepStrictEqual(reasonOf(reply), { _tag: "InvalidInvite" })
    })
  )

  it.effect("takes no invite that has run out", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings })
      const invite = Redacted.value((yield* server.users.invite(1, Duration.hours(1))).code)
      yield* TestClock.adjust(Duration.minutes(59))
      const early = yield* Talk.enter(server, { user: "ada", register: { password, invite } })
      assert.propertyVal(early.welcome, "account", true)
      const second = Redacted.value((yield* server.users.invite(1, Duration.hours(1))).code)
      yield* TestClock.adjust(Duration.hours(1))
      const late = yield* Talk.refusal(server, { user: "ben", register: { password, invite: second } })
      assert.deepStrictEqual(late, { _tag: "InvalidInvite" })
    })
  )
})
