import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { gather, type PagedRequest } from "../../../src/client/link/Gather.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { ServerMessage } from "../../../src/common/wire/ServerMessage.ts"
import { ada, connect, idOf, make } from "../FakeServer.ts"

const bob = UserName.make("bob")
const dev = RoomName.make("dev")
const pad = (index: number) => `${index}`.padStart(6, "0")
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

/** Answers as a server with so many users and rooms, all of them in each, and so many messages. */
const answer =
  (count: number, { page, most }: { readonly page: number; readonly most: number }) =>
  (request: PagedRequest): ServerMessage => {
    const startOf = (after: string | undefined) => Number(after?.slice(1) ?? 0)
    const list = (after: string | undefined) => upTo(count).slice(startOf(after), startOf(after) + page)
    const rest = (after: string | undefined) =>
      startOf(after) + page < count ? { more: true as const, count } : { count }
    const messages = (seqs: ReadonlyArray<number>) =>
      seqs.map((seq) => ({ _tag: "GlobalMessage" as const, seq, at: 0, from: bob, content: `${seq}` }))
    const size = Math.min("limit" in request ? (request.limit ?? 50) : 50, most)
    switch (request._tag) {
      case "ListUsers":
        return {
          _tag: "UserList",
          users: list(request.after).map((n) => UserName.make(`u${pad(n)}`)),
          ...rest(request.after)
        }
      case "ListRoomUsers": {
        const users = list(request.after).map((n) => UserName.make(`u${pad(n)}`))
        return { _tag: "RoomUsers", room: request.room, users, ...rest(request.after) }
      }
      case "ListRooms": {
        const rooms = list(request.after).map((n) => ({ room: RoomName.make(`r${pad(n)}`), users: n }))
        return { _tag: "RoomList", rooms, ...rest(request.after) }
      }
      case "GetHistory": {
        const { after, before = count + 1 } = request
        const seqs = upTo(count).filter((seq) => seq > (after ?? 0) && seq < before)
        const found = after === undefined ? seqs.slice(-size) : seqs.slice(0, size)
        return { _tag: "History", messages: messages(found), more: found.length < seqs.length }
      }
      case "Search": {
        const seqs = upTo(count).filter((seq) => seq < (request.before ?? count + 1))
        const found = seqs.slice(-size).toReversed()
        const next = found.length < seqs.length ? { next: found.at(-1) ?? 0 } : {}
        return { _tag: "SearchResults", messages: messages(found), more: found.length < seqs.length, ...next }
      }
    }
  }

/** What is gathered from it, and in how many requests. */
const gatherFrom = (server: (request: PagedRequest) => ServerMessage) => {
  let asked = 0
  const ask = (request: PagedRequest) =>
    Effect.sync(() => {
      asked += 1
      return server(request)
    })
  return <R extends PagedRequest>(request: R) => Effect.map(gather(request, ask), (whole) => ({ whole, asked }))
}

describe("what comes in parts", () => {
  it.effect("of a list becomes one list of all", () =>
    Effect.gen(function* () {
      const ask = gatherFrom(answer(2500, { page: 1000, most: 50 }))
      const users = yield* ask({ _tag: "ListUsers" })
      const inRoom = yield* ask({ _tag: "ListRoomUsers", room: dev })
      const rooms = yield* ask({ _tag: "ListRooms" })
      assert.deepStrictEqual(
        users.whole.users.map((name) => Number(name.slice(1))),
        upTo(2500)
      )
      assert.deepStrictEqual(inRoom.whole.users, users.whole.users)
      assert.deepStrictEqual(
        rooms.whole.rooms.map(({ users }) => users),
        upTo(2500)
      )
      assert.notProperty(users.whole, "more")
      assert.deepStrictEqual([users.asked, inRoom.asked, rooms.asked], [3, 6, 9])
    })
  )

  it.effect("of a list that is too long ends at 10,000 names, with how many there are", () =>
    Effect.gen(function* () {
      const { asked, whole } = yield* gatherFrom(answer(50_000, { page: 1000, most: 50 }))({ _tag: "ListUsers" })
      assert.deepInclude(whole, { more: true, count: 50_000 })
      assert.deepStrictEqual([whole.users.length, asked], [10_000, 10])
    })
  )

  it.effect("of a history becomes as many messages as were asked for, the oldest first", () =>
    Effect.gen(function* () {
      const ask = gatherFrom(answer(900, { page: 1000, most: 120 }))
      const newest = yield* ask({ _tag: "GetHistory", limit: 500 })
      const all = yield* ask({ _tag: "GetHistory", limit: 500, before: 300 })
      const following = yield* ask({ _tag: "GetHistory", limit: 500, after: 100 })
      const seqs = ({ whole }: { readonly whole: { readonly messages: ReadonlyArray<{ readonly seq: number }> } }) =>
        whole.messages.map(({ seq }) => seq)
      assert.deepStrictEqual(seqs(newest), upTo(900).slice(400))
      assert.deepStrictEqual([newest.whole.more, newest.asked], [true, 5])
      assert.deepStrictEqual(seqs(all), upTo(299))
      assert.isFalse(all.whole.more)
      assert.deepStrictEqual(seqs(following), upTo(600).slice(100))
    })
  )

  it.effect("of what was found goes on where the last part ended", () =>
    Effect.gen(function* () {
      const { whole } = yield* gatherFrom(answer(900, { page: 1000, most: 20 }))({ _tag: "Search", query: "x" })
      assert.deepStrictEqual(
        whole.messages.map(({ seq }) => seq),
        upTo(900).slice(850).toReversed()
      )
      assert.strictEqual(whole.next, 851)
    })
  )

  it.effect("is at its end with a part that brings nothing", () =>
    Effect.gen(function* () {
      const lies: ReadonlyArray<readonly [PagedRequest, ServerMessage, ServerMessage]> = [
        [
          { _tag: "ListUsers" },
          { _tag: "UserList", users: [bob], more: true, count: 9 },
          { _tag: "UserList", users: [], more: true, count: 9 }
        ],
        [
          { _tag: "ListUsers" },
          { _tag: "UserList", users: [bob], more: true, count: 9 },
          { _tag: "UserList", users: [bob], more: true, count: 9 }
        ],
        [{ _tag: "ListRooms" }, { _tag: "RoomList", rooms: [], more: true, count: 9 }, { _tag: "Pong", nonce: 1 }],
        [{ _tag: "GetHistory" }, { _tag: "History", messages: [], more: true }, { _tag: "Pong", nonce: 1 }]
      ]
      for (const [request, first, next] of lies) {
        let asked = 0
        const { asked: count } = yield* gatherFrom(() => (asked++ === 0 ? first : next))(request)
        assert.isAtMost(count, 2)
      }
    })
  )

  it.effect("is one event for whoever reads the events", () =>
    Effect.gen(function* () {
      const { client, peer } = yield* connect(yield* make)
      const gathering = yield* Effect.forkChild(client.gather({ _tag: "ListUsers" }))
      yield* peer.say({ _tag: "UserList", ...idOf(yield* peer.take), users: [ada], more: true, count: 2 })
      const rest = yield* peer.take
      yield* peer.say({ _tag: "UserList", ...idOf(rest), users: [bob], count: 2 })
      yield* Fiber.join(gathering)
      assert.deepInclude(rest, { _tag: "ListUsers", after: ada })
      yield* Effect.forkChild(client.leave)
      const lists = yield* client.events.pipe(
        Stream.filter((event) => event._tag === "Received" && event.message._tag === "UserList"),
        Stream.runCollect
      )
      assert.strictEqual(lists.length, 1)
      assert.deepInclude(lists[0]?._tag === "Received" ? lists[0].message : {}, { users: [ada, bob], count: 2 })
    })
  )
})
