import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Line, RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

const placeOf = ({ content, from, seq }: Line) => `${String(seq)} ${String(from)} ${String(content)}`

describe("a reader that does not read", () => {
  const big = "x".repeat(8000)

  /** Ben stops reading while Ada talks, until the server cuts him; Cyd reads all of it. */
  const cutOff = Effect.gen(function* () {
    const server = yield* TestServer.start({ settings: { MAILBOX_BYTES: "128 KiB" } })
    const ada = yield* server.join("Ada")
    const ben = yield* server.join("Ben")
    const cyd = yield* server.join("Cyd")
    yield* ada.ask({ _tag: "CreateRoom", room: "dev" })
    yield* Effect.forEach([ada, ben, cyd], (client) => client.ask({ _tag: "JoinRoom", room: "dev" }))
    yield* ben.pause
    let said = 0
    const sayMore = Effect.gen(function* () {
      const messages = Array.from(range(1, 50), () => ({ _tag: "RoomMessage", room: "dev", content: big }))
      yield* ada.send(...messages)
      yield* ada.findMany("Sent", messages.length)
      said += messages.length
      return (yield* ada.ask({ _tag: "ListUsers" }))["users"]
    })
    yield* Effect.repeat(sayMore, { until: (users) => Array.isArray(users) && !users.includes("Ben") })
    return { server, ada, ben, cyd, said }
  })

  it.live("is cut with SlowConsumer, the last line it finds when it reads again", () =>
    Effect.gen(function* () {
      const { ben } = yield* cutOff
      yield* ben.resume
      const lines = yield* ben.closed
      assert.deepStrictEqual(reasonOf(lines.at(-1)), { _tag: "SlowConsumer" })
      // What it had been sent until then is whole and in order.
      const messages = lines.filter(({ _tag }) => _tag === "RoomMessage")
      assert.isNotEmpty(messages)
      assert.deepStrictEqual(
        messages.map(({ seq }) => seq),
        range(1, messages.length)
      )
      assert.isTrue(messages.every(({ content }) => content === big))
    })
  )

  it.live("delays nobody: the others get every message, and hear that it has left", () =>
    Effect.gen(function* () {
      const { ada, cyd, said, server } = yield* cutOff
      const messages = yield* cyd.findMany("RoomMessage", said)
      assert.deepStrictEqual(
        messages.map(({ seq }) => seq),
        range(1, said)
      )
      yield* cyd.find(({ _tag, left }) => _tag === "RoomPresence" && String(left) === "Ben")
      assert.deepStrictEqual((yield* ada.ask({ _tag: "ListRoomUsers", room: "dev" }))["users"], ["Ada", "Cyd"])
      // The name is free although the old connection has not read its last words.
      yield* server.join("Ben")
    })
  )

  it.live("that asks for much is not taken for slow while it reads, and no page is larger than its mailbox", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAILBOX_BYTES: "64 KiB" } })
      const ada = yield* server.join("Ada")
      yield* ada.send(...Array.from(range(1, 100), () => ({ _tag: "GlobalMessage", content: big })))
      yield* ada.findMany("Sent", 100)
      const heard = ada.receivedText().length
      yield* ada.send(...Array.from(range(1, 30), (id) => ({ _tag: "GetHistory", limit: 100, id: `${id}` })))
      const pages = yield* ada.findMany("History", 30)
      for (const { messages, more } of pages) {
        assert.isTrue(more)
        assert.isAtLeast(JSON.stringify(messages).length, 48 * 1024)
      }
      assert.isAtMost(ada.receivedText().length - heard, 30 * 64 * 1024)
    })
  )
})

describe("a flood", () => {
  const members = 10
  const each = 2000
  const all = members * each

  it.live("by ten members of a room does not deadlock it: nothing is lost, and there is one order for all", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const clients = yield* Effect.forEach(range(1, members), (number) => server.join(`member-${number}`))
      const [first] = clients
      assert(first !== undefined)
      yield* first.ask({ _tag: "CreateRoom", room: "dev" })
      yield* Effect.forEach(clients, (client) => client.ask({ _tag: "JoinRoom", room: "dev" }))

      const flood = (client: RawClient) =>
        client.send(
          ...Array.from(range(1, each), (number) => ({ _tag: "RoomMessage", room: "dev", content: `${number}` }))
        )
      yield* Effect.forEach(clients, flood, { concurrency: "unbounded" })

      const heard = yield* Effect.forEach(clients, (client) => client.findMany("RoomMessage", all), {
        concurrency: "unbounded"
      })
      const order = heard[0]?.map(placeOf) ?? []
      assert.deepStrictEqual(
        heard[0]?.map(({ seq }) => seq),
        range(1, all)
      )
      // Everybody's messages are there, each sender's in the order they were sent.
      for (const number of range(1, members)) {
        const own = heard[0]?.filter(({ from }) => from === `member-${number}`)
        assert.deepStrictEqual(
          own?.map(({ content }) => Number(content)),
          range(1, each)
        )
      }
      for (const lines of heard) assert.isTrue(lines.every((line, index) => placeOf(line) === order[index]))
      yield* Effect.forEach(clients, (client) => client.findMany("Sent", each))
    })
  )

  it.live("of one room leaves everything else answering", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const flooder = yield* server.join("Flooder")
      yield* flooder.ask({ _tag: "CreateRoom", room: "dev" })
      yield* flooder.ask({ _tag: "JoinRoom", room: "dev" })
      const ada = yield* server.join("Ada")
      const ben = yield* server.join("Ben")
      yield* flooder.send(
        ...Array.from(range(1, 20_000), (number) => ({ _tag: "RoomMessage", room: "dev", content: `${number}` }))
      )
      yield* flooder.find("Sent")
      yield* ada.ask({ _tag: "PrivateMessage", to: "Ben", content: "psst" })
      yield* ben.find("PrivateMessage")
      for (const _tag of ["ListUsers", "ListRooms", "GetHistory"]) yield* ada.ask({ _tag })
      yield* ada.ask({ _tag: "GlobalMessage", content: "hi" })
      yield* ben.find("GlobalMessage")
      const last = yield* flooder.findMany("RoomMessage", 20_000)
      assert.strictEqual(last.at(-1)?.["seq"], 20_000)
    })
  )
})
