import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as Server from "../../src/server/Server.ts"
import { Sessions } from "../../src/server/session/Sessions.ts"
import * as TestServer from "../support/TestServer.ts"

const mailboxBytes = 64 * 1024
const emoji = "😀".repeat(8192)

/** All that may have a large reply or text, and what has a small one. */
const requests: ReadonlyArray<object> = [
  { _tag: "GetHistory", limit: 500 },
  { _tag: "GetHistory", limit: 500, after: 0 },
  { _tag: "GetHistory", limit: 500, room: "big" },
  { _tag: "JoinRoom", room: "big", after: "of the room" },
  { _tag: "LeaveRoom", room: "big" },
  { _tag: "Search", query: "needle", limit: 500 },
  { _tag: "ListRooms" },
  { _tag: "ListUsers" },
  { _tag: "ListRoomUsers", room: "big" },
  { _tag: "RoomMessage", room: "big", content: emoji },
  { _tag: "GlobalMessage", content: emoji },
  { _tag: "Ping", nonce: 1 },
  { _tag: "no such message" }
]

/** Each of them behind each other one. */
const sequence = requests.flatMap((_, step) => requests.map((_, index) => requests[(index * (step + 1)) % 13] ?? {}))

describe("One connection that asks for much and reads nothing", () => {
  it.live(
    "makes the server hold two mailboxes and a MiB at most, whatever it asks for, and gets all of it when it reads",
    () =>
      Effect.gen(function* () {
        let sessions: Sessions["Service"] | undefined
        const watched = Server.layerWith(
          Layer.effect(
            Sessions,
            Effect.map(Sessions, (made) => {
              sessions = made
              return made
            })
          ).pipe(Layer.provide(Sessions.layer))
        )
        const settings = { MAILBOX_BYTES: `${mailboxBytes}`, MAX_ROOMS_PER_USER: "2000" }
        const server = yield* TestServer.start({ settings, server: watched })
        const maker = yield* server.join("Maker")
        yield* maker.ask({ _tag: "CreateRoom", room: "big" })
        const joined = yield* maker.ask({ _tag: "JoinRoom", room: "big" })
        for (let index = 0; index < 600; index++) {
          yield* maker.send({ _tag: "CreateRoom", room: `${"漢".repeat(60)}${index}` })
        }
        for (let index = 0; index < 40; index++) {
          yield* maker.ask({ _tag: "RoomMessage", room: "big", content: `needle ${"😀".repeat(8000)}` })
          yield* maker.ask({ _tag: "GlobalMessage", content: `needle ${"😀".repeat(8000)}` })
        }
        const heldBytes = () => Math.max(...Array.from(sessions?.all() ?? [], ({ outbox }) => outbox.waitingBytes()))

        const greedy = yield* server.join("Greedy")
        yield* greedy.pause
        let asked = 0
        let most = 0
        for (const request of sequence) {
          const after = { epoch: joined["epoch"], seq: 0 }
          const whole = "after" in request && request.after === "of the room" ? { ...request, after } : request
          yield* greedy.send({ ...whole, id: `greedy-${asked++}` })
          yield* maker.ask({ _tag: "Ping", nonce: 1 })
          most = Math.max(most, heldBytes())
        }
        for (let index = 0; index < 100; index++) {
          yield* maker.ask({ _tag: "Ping", nonce: 1 })
          most = Math.max(most, heldBytes())
        }
        assert.isAtMost(most, 2 * mailboxBytes + 1024 * 1024)
        assert.isAbove(most, 0)

        yield* greedy.resume
        for (let id = 0; id < asked; id++) yield* greedy.find((line) => line["id"] === `greedy-${id}`)
      })
  )
})
