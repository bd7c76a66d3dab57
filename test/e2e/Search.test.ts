/** Search on the real server: what is found, what nobody may find, and what is no query. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { issueOf, reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"
import { say, search, teaTime } from "./SearchTalk.ts"

const at = 1_750_000_000_000

describe("Search", () => {
  it.effect("finds in the lobby and in every room one is in, newest first, as it was heard", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at)
      const { ada } = yield* teaTime
      const results = yield* ada.ask({ _tag: "Search", query: "tea" })
      const { id: _, ...rest } = results
      assert.deepStrictEqual(rest, {
        _tag: "SearchResults",
        messages: [
          { _tag: "GlobalMessage", seq: 3, at, from: "Ben", content: "more tea in the lobby" },
          { _tag: "RoomMessage", room: "ops", seq: 1, at, from: "Ada", content: "tea in ops" },
          { _tag: "RoomMessage", room: "Dev", seq: 1, at, from: "Ben", content: "tea in dev" },
          { _tag: "GlobalMessage", seq: 1, at, from: "Ada", content: "tea in the lobby" }
        ],
        more: false
      })
    })
  )

  it.effect("of a room finds in that room alone, whatever the spelling of its name", () =>
    Effect.gen(function* () {
      const { ada } = yield* teaTime
      assert.deepStrictEqual(yield* search(ada, "TEA", { room: "DEV" }), ["tea in dev"])
    })
  )

  it.effect("finds messages in which all words occur, wherever they stand", () =>
    Effect.gen(function* () {
      const { ada } = yield* teaTime
      assert.deepStrictEqual(yield* search(ada, "lobby tea"), ["more tea in the lobby", "tea in the lobby"])
      assert.deepStrictEqual(yield* search(ada, "lobby cocoa"), [])
    })
  )

  it.effect("knows at once what was said on the same connection", () =>
    Effect.gen(function* () {
      const { ada } = yield* teaTime
      yield* say(ada, "cocoa")
      assert.deepStrictEqual(yield* search(ada, "cocoa"), ["cocoa"])
    })
  )
})

describe("Search finds for nobody", () => {
  it.effect("what was said in a room they are not in", () =>
    Effect.gen(function* () {
      const { ben, server } = yield* teaTime
      assert.deepStrictEqual(yield* search(ben, "ops"), [])
      const cyd = yield* server.join("Cyd")
      assert.deepStrictEqual(yield* search(cyd, "tea"), ["more tea in the lobby", "tea in the lobby"])
    })
  )

  it.effect("what was said in a room they have left, also while they were in", () =>
    Effect.gen(function* () {
      const { ben } = yield* teaTime
      assert.include(yield* search(ben, "tea"), "tea in dev")
      yield* ben.ask({ _tag: "LeaveRoom", room: "dev" })
      assert.notInclude(yield* search(ben, "tea"), "tea in dev")
      const refused = yield* ben.ask({ _tag: "Search", query: "tea", room: "dev" })
      assert.deepStrictEqual(reasonOf(refused), { _tag: "NotInRoom", room: "Dev" })
    })
  )

  it.effect("what was said in a room they were in on an earlier connection", () =>
    Effect.gen(function* () {
      const { ada, ben, server } = yield* teaTime
      yield* ben.reset
      yield* TestServer.whenGone(ada, "Ben")
      const again = yield* server.join("Ben")
      assert.notInclude(yield* search(again, "tea"), "tea in dev")
    })
  )

  it.effect("what was said in a room whose Join was refused", () =>
    Effect.gen(function* () {
      const { server } = yield* teaTime
      const cyd = yield* server.join("Cyd")
      assert.strictEqual((yield* cyd.ask({ _tag: "JoinRoom", room: "nowhere" }))["_tag"], "Rejected")
      const refused = yield* cyd.ask({ _tag: "Search", query: "tea", room: "ops" })
      assert.deepStrictEqual(reasonOf(refused), { _tag: "NotInRoom", room: "ops" })
    })
  )

  it.effect("private messages of guests, which are not stored, not even their own", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* teaTime
      yield* ada.ask({ _tag: "PrivateMessage", to: "Ben", content: "secret tea" })
      for (const [client, partner] of [
        [ada, "Ben"],
        [ben, "Ada"],
        [ada, "nobody"]
      ] as const) {
        assert.deepStrictEqual(yield* search(client, "secret", { with: partner }), [])
        assert.deepStrictEqual(yield* search(client, "secret"), [])
      }
    })
  )
})

describe("Search is refused", () => {
  it.effect("in a room that does not exist, with RoomNotFound", () =>
    Effect.gen(function* () {
      const { ada } = yield* teaTime
      const refused = yield* ada.ask({ _tag: "Search", query: "tea", room: "nowhere" })
      assert.deepStrictEqual(reasonOf(refused), { _tag: "RoomNotFound", room: "nowhere" })
    })
  )

  it.effect("in a room and with a user at once, with InvalidMessage", () =>
    Effect.gen(function* () {
      const { ada } = yield* teaTime
      const refused = yield* ada.ask({ _tag: "Search", query: "tea", room: "dev", with: "Ben" })
      assert.strictEqual(issueOf(refused), "room, with: only one of the two may be given")
    })
  )

  it.effect.each(["", " ", "?!…", '"" ()', "🍅", "x".repeat(257)])("for the query %j, with InvalidMessage", (query) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      assert.match(issueOf(yield* ada.ask({ _tag: "Search", query })), /^query: /)
      assert.deepStrictEqual(yield* search(ada, "x".repeat(256)), [])
    })
  )

  it.effect.each([{ limit: 0 }, { limit: 501 }, { limit: 1.5 }, { before: -1 }])(
    "with %j, with InvalidMessage that names the field",
    (options) =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const ada = yield* server.join("Ada")
        const refused = yield* ada.ask({ _tag: "Search", query: "tea", ...options })
        assert.match(issueOf(refused), new RegExp(`^${Object.keys(options).join("")}: `))
      })
  )
})

describe("A query", () => {
  it.effect.each([
    'tea" OR "coffee',
    "tea OR coffee",
    "tea NOT lobby",
    "NEAR(tea lobby)",
    "content:tea lobby",
    "tea* AND (lobby",
    "'; DROP TABLE entries; --",
    "%tea_",
    "lobby ^tea -coffee"
  ])("that looks like an operator finds words and breaks nothing: %s", (query) =>
    Effect.gen(function* () {
      const { ada } = yield* teaTime
      const words = query.toLowerCase().match(/[a-z]+/g) ?? []
      for (const content of yield* search(ada, query)) {
        for (const word of words) assert.include(content, word)
      }
      assert.lengthOf(yield* search(ada, "tea"), 4)
    })
  )

  it.effect("in quotes finds words that stand next to each other", () =>
    Effect.gen(function* () {
      const { ada } = yield* teaTime
      assert.deepStrictEqual(yield* search(ada, '"more tea"'), ["more tea in the lobby"])
      assert.deepStrictEqual(yield* search(ada, '"tea more"'), [])
    })
  )
})
