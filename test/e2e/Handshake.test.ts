import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import manifest from "../../package.json" with { type: "json" }
import * as TestServer from "../support/TestServer.ts"

describe("Handshake", () => {
  it.effect("is answered with Welcome, which repeats the id and says who is talking to whom", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.connect()
      yield* ada.send({ _tag: "Handshake", user: "Ada", id: "first" })
      const welcome = yield* ada.next
      assert.deepStrictEqual(welcome, {
        _tag: "Welcome",
        user: "Ada",
        protocol: 1,
        server: { name: manifest.name, version: manifest.version },
        account: false,
        lobby: { epoch: epochOf(welcome["lobby"]), seq: 0 },
        id: "first"
      })
    })
  )

  it.effect("without an id is answered without one", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.connect()
      yield* ada.send({ _tag: "Handshake", user: "Ada" })
      assert.notProperty(yield* ada.next, "id")
    })
  )

  it.effect("tells the newest seq of the lobby, and its epoch stays the same for as long as the server runs", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.connect()
      yield* ada.send({ _tag: "Handshake", user: "Ada" }, { _tag: "GlobalMessage", content: "one" })
      const { lobby } = yield* ada.find("Welcome")
      yield* ada.find("Sent")

      const ben = yield* server.connect()
      yield* ben.send({ _tag: "Handshake", user: "Ben" })
      const welcome = yield* ben.next
      assert.deepStrictEqual(welcome["lobby"], { epoch: epochOf(lobby), seq: 1 })
    })
  )

  it.effect("ignores fields it does not know", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.connect()
      yield* ada.send({ _tag: "Handshake", user: "Ada", colour: "green", id: "1", nested: { deep: [1, 2] } })
      const welcome = yield* ada.next
      assert.strictEqual(welcome._tag, "Welcome")
      assert.notProperty(welcome, "colour")
    })
  )

  it.effect("has to come first: anything else is refused with HandshakeRequired, and the connection ends", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const stranger = yield* server.connect()
      yield* stranger.send({ _tag: "Ping", nonce: 1, id: "p" })
      const [rejected, ...rest] = yield* stranger.closed
      assert.deepStrictEqual(rejected, {
        _tag: "Rejected",
        reason: { _tag: "HandshakeRequired" },
        message: "The first message must be a Handshake. Connect again and start with one.",
        id: "p"
      })
      assert.deepStrictEqual(rest, [])
    })
  )

  it.effect("may come only once: another one is refused with AlreadyIdentified, and the connection stays", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const { reason } = yield* ada.ask({ _tag: "Handshake", user: "Ben" })
      assert.deepStrictEqual(reason, { _tag: "AlreadyIdentified" })
      assert.deepStrictEqual((yield* ada.ask({ _tag: "ListUsers" }))["users"], ["Ada"])
    })
  )

  it.effect.each([
    { taken: "Ada", tried: "Ada" },
    { taken: "Ada", tried: "aDA" },
    { taken: "Ada", tried: "Ａｄａ" },
    { taken: "straße", tried: "STRASSE" },
    { taken: "Σίσυφος", tried: "ΣΊΣΥΦΟΣ" }
  ])("refuses $tried while $taken is here, and ends the connection", ({ taken, tried }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const first = yield* server.join(taken)
      const second = yield* server.connect()
      yield* second.send({ _tag: "Handshake", user: tried, id: "h" })
      const [rejected, ...rest] = yield* second.closed
      assert.deepStrictEqual(rejected?.["reason"], { _tag: "UserNameTaken", user: tried.normalize("NFKC") })
      assert.strictEqual(rejected?.["id"], "h")
      assert.deepStrictEqual(rest, [])
      assert.deepStrictEqual((yield* first.ask({ _tag: "ListUsers" }))["users"], [taken])
    })
  )

  it.effect("gives a name to one only of many who ask for it at once", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const all = yield* Effect.replicateEffect(server.connect(), 20)
      yield* Effect.forEach(all, (client) => client.send({ _tag: "Handshake", user: "Ada" }), {
        concurrency: "unbounded"
      })
      const replies = yield* Effect.forEach(all, (client) => client.next)
      assert.lengthOf(
        replies.filter(({ _tag }) => _tag === "Welcome"),
        1
      )
      assert.lengthOf(
        replies.filter(({ _tag }) => _tag === "Rejected"),
        19
      )
    })
  )

  it.effect.each([
    { _tag: "Password", password: "secret" },
    { _tag: "Token", token: "secret" }
  ])("with credentials ($_tag) is refused with InvalidCredentials, since nobody has an account", (credentials) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.connect()
      yield* ada.send({ _tag: "Handshake", user: "Ada", credentials, id: "h" })
      const [rejected, ...rest] = yield* ada.closed
      assert.deepStrictEqual(rejected?.["reason"], { _tag: "InvalidCredentials" })
      assert.strictEqual(rejected?.["id"], "h")
      assert.deepStrictEqual(rest, [])
      yield* server.join("Ada")
    })
  )

  it.effect("that is not valid is refused with the field that is wrong, and may be tried again", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.connect()
      yield* ada.send({ _tag: "Handshake", user: "a b", id: "1" }, { _tag: "Handshake", user: "ab", id: "2" })
      const [rejected, welcome] = yield* ada.nextLines(2)
      assert.deepStrictEqual(rejected?.["reason"], {
        _tag: "InvalidMessage",
        issue:
          "user: must start with a letter or digit and hold only letters with up to three marks, digits, '_', '.' and '-'"
      })
      assert.strictEqual(rejected?.["id"], "1")
      assert.strictEqual(welcome?._tag, "Welcome")
    })
  )
})

const epochOf = (cursor: unknown): string => {
  assert(typeof cursor === "object" && cursor !== null && "epoch" in cursor && typeof cursor.epoch === "string")
  assert.isNotEmpty(cursor.epoch)
  return cursor.epoch
}
