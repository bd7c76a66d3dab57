/** Search on the real server: what is found, what nobody may find, and whom a search does not hold up. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Latch, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Content } from "../../src/common/Content.ts"
import { UserName } from "../../src/common/UserName.ts"
import { History, StorageUnavailable } from "../../src/server/history/History.ts"
import * as MemoryHistory from "../../src/server/history/MemoryHistory.ts"
import { historyBehind, silently } from "../support/FaultyServer.ts"
import type { Line, RawClient } from "../support/RawClient.ts"
import { issueOf, reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const at = 1_750_000_000_000

/** What a page of results holds, in its order. */
const contentsOf = ({ _tag, messages }: Line): ReadonlyArray<string> => {
  assert.strictEqual(_tag, "SearchResults")
  assert(Array.isArray(messages))
  return messages.map(({ content }) => String(content))
}

const search = (client: RawClient, query: string, options: object = {}) =>
  Effect.map(client.ask({ _tag: "Search", query, ...options }), contentsOf)

const say = (client: RawClient, ...contents: ReadonlyArray<string>) =>
  Effect.forEach(contents, (content) => client.ask({ _tag: "GlobalMessage", content }), { discard: true })

const sayIn = (client: RawClient, room: string, ...contents: ReadonlyArray<string>) =>
  Effect.forEach(contents, (content) => client.ask({ _tag: "RoomMessage", room, content }), { discard: true })

const createAndJoin = Effect.fnUntraced(function* (client: RawClient, room: string) {
  yield* client.ask({ _tag: "CreateRoom", room })
  yield* client.ask({ _tag: "JoinRoom", room })
})

/** Ada is in Dev and ops, Ben is in Dev; tea is spoken of in the lobby and in both rooms. */
const teaTime = Effect.gen(function* () {
  const server = yield* TestServer.start()
  const ada = yield* server.join("Ada")
  const ben = yield* server.join("Ben")
  yield* createAndJoin(ada, "Dev")
  yield* createAndJoin(ada, "ops")
  yield* ben.ask({ _tag: "JoinRoom", room: "dev" })
  yield* say(ada, "tea in the lobby", "coffee in the lobby")
  yield* sayIn(ben, "dev", "tea in dev")
  yield* sayIn(ada, "ops", "tea in ops")
  yield* say(ben, "more tea in the lobby")
  return { server, ada, ben }
})

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

describe("The pages of a search", () => {
  /** All pages, each of so many messages at most, by the way of `next`. */
  const pages = Effect.fnUntraced(function* (client: RawClient, limit: number, options: object = {}) {
    const all: Array<ReadonlyArray<string>> = []
    let next: unknown = undefined
    do {
      const before = next === undefined ? {} : { before: next }
      const page = yield* client.ask({ _tag: "Search", query: "tea", limit, ...before, ...options })
      assert.strictEqual(page["more"], "next" in page)
      all.push(contentsOf(page))
      next = page["next"]
    } while (next !== undefined)
    return all
  })

  it.effect("give everything once, in order, however large they are", () =>
    Effect.gen(function* () {
      const { ada } = yield* teaTime
      const all = yield* search(ada, "tea")
      for (const limit of [1, 2, 3, 4, 500]) {
        const found = yield* pages(ada, limit)
        assert.deepStrictEqual(found.flat(), all)
        assert.lengthOf(found, Math.ceil(all.length / limit))
      }
    })
  )

  it.effect("do not shift when more is said between them", () =>
    Effect.gen(function* () {
      const { ada } = yield* teaTime
      const all = yield* search(ada, "tea")
      const first = yield* ada.ask({ _tag: "Search", query: "tea", limit: 2 })
      yield* say(ada, "late tea")
      const rest = yield* search(ada, "tea", { before: first["next"] })
      assert.deepStrictEqual([...contentsOf(first), ...rest], all)
    })
  )

  it.effect("of one room go by seq, so that any message's seq can be given as before", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* createAndJoin(ada, "dev")
      yield* say(ada, "tea elsewhere")
      yield* sayIn(ada, "dev", "tea 1", "no", "tea 3", "tea 4", "no", "tea 6")
      assert.deepStrictEqual(yield* pages(ada, 2, { room: "dev" }), [
        ["tea 6", "tea 4"],
        ["tea 3", "tea 1"]
      ])
      const page = yield* ada.ask({ _tag: "Search", query: "tea", room: "dev", limit: 2 })
      assert.strictEqual(page["next"], 4)
      assert.deepStrictEqual(yield* search(ada, "tea", { room: "dev", before: 4 }), ["tea 3", "tea 1"])
      assert.deepStrictEqual(yield* search(ada, "tea", { room: "dev", before: 1 }), [])
    })
  )

  it.effect("hold the newest 50 where no limit is given", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* ada.send(...Array.from({ length: 60 }, (_, n) => ({ _tag: "GlobalMessage", content: `tea ${n + 1}` })))
      yield* ada.findMany("Sent", 60)
      const page = yield* ada.ask({ _tag: "Search", query: "tea" })
      assert.deepStrictEqual(
        contentsOf(page),
        Array.from({ length: 50 }, (_, n) => `tea ${60 - n}`)
      )
      assert.isTrue(page["more"])
    })
  )
})

describe("while a search takes its time", () => {
  /** A server whose searches wait for the latch, and Ada and Ben in its room. */
  const waiting = Effect.gen(function* () {
    const latch = yield* Latch.make(false)
    const started: Array<string> = []
    const history = historyBehind((operation, conversation) => {
      if (operation !== "search") return Effect.void
      started.push(conversation._tag === "Room" ? conversation.room : conversation._tag)
      return latch.await
    })
    const server = yield* TestServer.start({ history })
    // A server that stops waits for its requests, and this clock would have it wait for ever.
    yield* Effect.addFinalizer(() => latch.open)
    const ada = yield* server.join("Ada")
    const ben = yield* server.join("Ben")
    yield* createAndJoin(ada, "dev")
    yield* ben.ask({ _tag: "JoinRoom", room: "dev" })
    yield* sayIn(ada, "dev", "tea")
    return { ada, ben, latch, started }
  })

  it.effect("everything else is answered, also in the room that is searched, and to who searches", () =>
    Effect.gen(function* () {
      const { ada, ben, latch } = yield* waiting
      yield* ada.send({ _tag: "Search", query: "tea", room: "dev", id: "search" })
      for (const client of [ada, ben]) {
        const replies = yield* Effect.forEach(
          [
            { _tag: "Ping", nonce: 1 },
            { _tag: "ListUsers" },
            { _tag: "ListRooms" },
            { _tag: "ListRoomUsers", room: "dev" },
            { _tag: "RoomMessage", room: "dev", content: "more tea" },
            { _tag: "GlobalMessage", content: "hi" },
            { _tag: "GetHistory", room: "dev" }
          ],
          (request) => client.ask(request)
        )
        assert.deepStrictEqual(
          replies.map(({ _tag }) => _tag),
          ["Pong", "UserList", "RoomList", "RoomUsers", "Sent", "Sent", "History"]
        )
      }
      assert.notInclude(ada.receivedText(), "SearchResults")
      yield* latch.open
      assert.include(contentsOf(yield* ada.find(({ id }) => id === "search")), "tea")
    })
  )

  it.effect("connections take turns, so that who asks a hundred times at once holds up nobody else", () =>
    Effect.gen(function* () {
      const { ada, ben, latch, started } = yield* waiting
      yield* ada.send(...Array.from({ length: 100 }, (_, n) => ({ _tag: "Search", query: "tea", id: `${n}` })))
      yield* ada.soFar
      yield* ben.send({ _tag: "Search", query: "tea", room: "dev", id: "ben" })
      yield* ben.soFar
      // A list comes by the way of the searches: all of them are waiting now.
      yield* ben.ask({ _tag: "ListRooms" })
      yield* latch.open
      yield* ada.findMany("SearchResults", 100)
      yield* ben.find(({ id }) => id === "ben")
      // Ada's begin with the lobby. One was under way, and one was next before Ben's came.
      assert.isAtMost(started.indexOf("dev"), 2)
      assert.lengthOf(started, 101)
    })
  )

  it.effect("who leaves is waited for by nobody, and its searches are not carried out", () =>
    Effect.gen(function* () {
      const { ada, ben, latch, started } = yield* waiting
      yield* ben.send(...Array.from({ length: 20 }, () => ({ _tag: "Search", query: "tea" })))
      yield* ben.ask({ _tag: "ListRooms" })
      yield* ben.reset
      yield* TestServer.whenGone(ada, "Ben")
      yield* latch.open
      assert.include(yield* search(ada, "tea", { room: "dev" }), "tea")
      assert.isAtMost(started.length, 2)
    })
  )
})

describe("a search that fails", () => {
  it.effect.each([
    { how: "an error", failure: new StorageUnavailable({ cause: new Error("made by the test") }) },
    { how: "a defect", failure: Effect.die("made by the test") }
  ])("with $how is answered with StorageUnavailable, and the next one is carried out", ({ failure }) =>
    Effect.gen(function* () {
      let failing = true
      const history = historyBehind((operation) => (operation === "search" && failing ? failure : Effect.void))
      const server = yield* TestServer.start({ history })
      const ada = yield* server.join("Ada")
      yield* say(ada, "tea")
      assert.deepStrictEqual(reasonOf(yield* ada.ask({ _tag: "Search", query: "tea" })), { _tag: "StorageUnavailable" })
      failing = false
      assert.deepStrictEqual(yield* search(ada, "tea"), ["tea"])
    }).pipe(silently)
  )
})

describe("The size of a page of results", () => {
  const bytesOf = ({ _tag, ...line }: Line) => Buffer.byteLength(JSON.stringify({ _tag, ...line }))

  it.effect("is bounded by MAILBOX_BYTES, however long the texts are as JSON, and the pages give everything once", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAILBOX_BYTES: "64 KiB" } })
      const ada = yield* server.join("Ada")
      for (let n = 0; n < 40; n++) yield* say(ada, `tea ${n} ${(n % 2 === 0 ? "x" : '"').repeat(4000)}`)
      const sizes: Array<number> = []
      const found: Array<string> = []
      let next: unknown
      do {
        const before = next === undefined ? {} : { before: next }
        const page = yield* ada.ask({ _tag: "Search", query: "tea", limit: 500, ...before })
        sizes.push(bytesOf(page))
        found.push(...contentsOf(page).map((content) => content.split(" ", 2).join(" ")))
        next = page["next"]
      } while (next !== undefined)
      // Half of it: another large reply may be waiting beside this one.
      assert.isAtMost(Math.max(...sizes), 32_768)
      assert.isAtMost(sizes.length, 16)
      assert.deepStrictEqual(
        found,
        Array.from({ length: 40 }, (_, n) => `tea ${39 - n}`)
      )
    })
  )

  it.effect("is one message where not even that would fit", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAILBOX_BYTES: "1024" } })
      const ada = yield* server.join("Ada")
      yield* say(ada, `tea ${"x".repeat(3000)}`, `tea ${"y".repeat(3000)}`)
      const page = yield* ada.ask({ _tag: "Search", query: "tea" })
      assert.lengthOf(contentsOf(page), 1)
      assert.strictEqual(page["next"], 2)
    })
  )
})

describe("a search that takes too long", () => {
  it.live("is ended with SearchTooSlow, others being answered meanwhile", () =>
    Effect.gen(function* () {
      const memory = Layer.effect(
        History,
        Effect.gen(function* () {
          const history = yield* History
          const content = Content.make("中国".repeat(4096))
          const entry = {
            conversation: { _tag: "Lobby" as const },
            from: UserName.make("bob"),
            content,
            at,
            key: undefined
          }
          yield* Effect.forEach(Array.from({ length: 7000 }), () => Effect.orDie(history.append([entry])), {
            discard: true
          })
          return history
        })
      ).pipe(Layer.provide(MemoryHistory.layer))
      const server = yield* TestServer.start({ history: memory })
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.send({ _tag: "Search", query: "中国国", id: "slow" })
      yield* ada.soFar
      yield* say(ben, "tea", "tea")
      assert.deepStrictEqual(yield* search(ben, "tea", { limit: 1 }), ["tea"])
      for (let nonce = 0; nonce < 20; nonce++) yield* ben.ask({ _tag: "Ping", nonce })
      assert.notInclude(ada.receivedText(), "slow")
      const refused = yield* ada.find(({ id }) => id === "slow")
      assert.deepStrictEqual(reasonOf(refused), { _tag: "SearchTooSlow", limit: 1000 })
    })
  )
})
