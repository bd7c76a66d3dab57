import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Line, RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const joinRoom = (client: RawClient, room: string) => client.ask({ _tag: "JoinRoom", room })

const placeOf = ({ content, from, seq }: Line) => `${String(seq)} ${String(from)} ${String(content)}`

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

describe("a conversation", () => {
  it.live("has one order for all: every member, the history and the senders' Sents agree", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const senders = yield* Effect.forEach(["Ada", "Ben", "Cyd"], (name) => server.join(name))
      const listener = yield* server.join("Dan")
      const everyone = [...senders, listener]
      const each = 100
      const all = senders.length * each
      yield* listener.ask({ _tag: "CreateRoom", room: "dev" })
      yield* Effect.forEach(everyone, (client) => joinRoom(client, "dev"))

      yield* Effect.forEach(
        senders,
        (client) =>
          Effect.forEach(range(1, each), (number) =>
            client.send({ _tag: "RoomMessage", room: "dev", content: `m${number}`, id: `${number}` })
          ),
        { concurrency: "unbounded" }
      )
      const heard = yield* Effect.forEach(everyone, (client) => client.findMany("RoomMessage", all))
      const [first = []] = heard
      assert.deepStrictEqual(
        first.map(({ seq }) => seq),
        range(1, all)
      )
      for (const lines of heard) assert.deepStrictEqual(lines.map(placeOf), first.map(placeOf))

      for (const [index, client] of senders.entries()) {
        const sents = yield* client.findMany("Sent", each)
        const own = first.filter(({ from }) => from === ["Ada", "Ben", "Cyd"][index])
        // Each sender's messages keep its order, and each Sent names the place its message got.
        assert.deepStrictEqual(
          own.map(({ content, seq }) => [content, seq]),
          sents.map(({ id, seq }) => [`m${String(id)}`, seq])
        )
      }
      const { messages } = yield* listener.ask({ _tag: "GetHistory", room: "dev", limit: 500 })
      assert.deepStrictEqual(messages, first)
    })
  )

  it.live("gives the sender each message before its Sent", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      yield* joinRoom(ada, "dev")
      yield* joinRoom(ben, "dev")
      const conversations = [
        { _tag: "GlobalMessage" },
        { _tag: "RoomMessage", room: "dev" },
        { _tag: "PrivateMessage", to: "Ben" }
      ]
      const said = conversations.flatMap((conversation) =>
        range(1, 20).map((number) => `${conversation._tag} ${number}`)
      )
      for (const conversation of conversations) {
        const own = said.filter((content) => content.startsWith(conversation._tag))
        yield* ada.send(...Array.from(own, (content) => ({ ...conversation, content, id: content })))
      }
      const lines = yield* ada.findMany(
        ({ _tag, content }) => _tag === "Sent" || content !== undefined,
        2 * said.length
      )
      const heard = new Map<unknown, unknown>()
      for (const { _tag, content, id, seq } of lines) {
        if (_tag === "Sent") assert.strictEqual(heard.get(id), seq, String(id))
        else heard.set(content, seq)
      }
      assert.sameMembers([...heard.keys()], said)
    })
  )

  it.live("keeps requests about it in order, whatever their kind", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
      yield* ada.send(
        { _tag: "RoomMessage", room: "dev", content: "too early", id: "1" },
        { _tag: "JoinRoom", room: "dev", id: "2" },
        { _tag: "RoomMessage", room: "dev", content: "one", id: "3" },
        { _tag: "ListRoomUsers", room: "dev", id: "4" },
        { _tag: "GetHistory", room: "dev", id: "5" },
        { _tag: "RoomMessage", room: "dev", content: "two", id: "6" },
        { _tag: "LeaveRoom", room: "dev", id: "7" },
        { _tag: "RoomMessage", room: "dev", content: "too late", id: "8" },
        { _tag: "ListRoomUsers", room: "dev", id: "9" },
        { _tag: "JoinRoom", room: "dev", id: "10" }
      )
      const replies = yield* ada.findMany(({ id }) => id !== undefined, 10)
      assert.deepStrictEqual(
        replies.map(({ _tag, id }) => `${String(id)} ${_tag}`),
        [
          "1 Rejected",
          "2 RoomJoined",
          "3 Sent",
          "4 RoomUsers",
          "5 History",
          "6 Sent",
          "7 RoomLeft",
          "8 Rejected",
          "9 RoomUsers",
          "10 RoomJoined"
        ]
      )
      assert.deepStrictEqual(reasonOf(replies[0]), { _tag: "NotInRoom", room: "dev" })
      assert.deepStrictEqual(replies[3]?.["users"], ["Ada"])
      assert.nestedPropertyVal(replies[4], "messages.length", 1)
      assert.deepStrictEqual(reasonOf(replies[7]), { _tag: "NotInRoom", room: "dev" })
      assert.deepStrictEqual(replies[8]?.["users"], [])
      assert.strictEqual(replies[9]?.["seq"], 2)
    })
  )
})

describe("requests sent without waiting", () => {
  it.live("get one reply each, with their own id", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* server.join("Ben")
      const kinds = [
        { _tag: "Ping", nonce: 1 },
        { _tag: "ListUsers" },
        { _tag: "ListRooms" },
        { _tag: "GlobalMessage", content: "hi" },
        { _tag: "PrivateMessage", to: "Ben", content: "hi" },
        { _tag: "PrivateMessage", to: "Nobody", content: "hi" },
        { _tag: "RoomMessage", room: "nowhere", content: "hi" },
        { _tag: "GetHistory", limit: 1 },
        { _tag: "Handshake", user: "Cyd" },
        { _tag: "Shout" }
      ]
      const expected = [
        "Pong",
        "UserList",
        "RoomList",
        "Sent",
        "Sent",
        "Rejected",
        "Rejected",
        "History",
        "Rejected",
        "Rejected"
      ]
      const count = 1000
      const requests = Array.from(range(0, count - 1), (number) => ({
        ...kinds[number % kinds.length],
        id: `${number}`
      }))
      // The server stops reading a connection that has too many requests under way: this may take several reads.
      yield* ada.send(...requests)
      const replies = yield* ada.findMany(({ id }) => id !== undefined, count)
      assert.deepStrictEqual(
        new Map(replies.map(({ _tag, id }) => [String(id), _tag])),
        new Map(range(0, count - 1).map((number) => [`${number}`, expected[number % kinds.length] ?? ""]))
      )
      assert.deepStrictEqual(
        (yield* ada.soFar).filter(({ id }) => id !== undefined),
        []
      )
    })
  )
})
