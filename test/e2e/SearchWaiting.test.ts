/** Searches that take long or fail on the real server, and whom they do not hold up. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Latch, Layer } from "effect"
import { UserName } from "../../src/common/name/UserName.ts"
import { Content } from "../../src/common/text/Content.ts"
import { History, StorageUnavailable } from "../../src/server/history/History.ts"
import * as MemoryHistory from "../../src/server/store/MemoryHistory.ts"
import { historyBehind, silently } from "../support/FaultyServer.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"
import { contentsOf, createAndJoin, say, sayIn, search } from "./SearchTalk.ts"

const at = 1_750_000_000_000

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
            author: undefined,
            body: { _tag: "Said" as const, content },
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
