import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import type { ClientEvent } from "../../src/client/core/ClientEvent.ts"
import { RoomName } from "../../src/common/name/RoomName.ts"
import * as TestServer from "../support/TestServer.ts"
import { start } from "./BreakableClient.ts"

const dev = RoomName.make("dev")

/** How often the connection breaks. */
const rounds = 9

const isLast = (event: ClientEvent) =>
  event._tag === "Received" && event.message._tag === "RoomMessage" && event.message.content === "the end"

/** What was said in the lobby or the room, as the events tell it. */
const heard = (events: ReadonlyArray<ClientEvent>, tag: "GlobalMessage" | "RoomMessage") =>
  events.flatMap((event) => (event._tag === "Received" && event.message._tag === tag ? [event.message] : []))

describe("a client of the real server", () => {
  it.live("misses nothing and hears nothing twice, however often its connection breaks", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const ada = yield* start(port, "ada")
      const bob = yield* start(port, "bob")
      yield* bob.client.request({ _tag: "CreateRoom", room: dev })
      yield* bob.client.request({ _tag: "JoinRoom", room: dev })
      yield* ada.client.request({ _tag: "JoinRoom", room: dev })
      const listening = yield* ada.client.events.pipe(Stream.takeUntil(isLast), Stream.runCollect, Effect.forkChild)

      const talk = Effect.fnUntraced(function* ({ client }: typeof bob, what: string, times: number) {
        for (let time = 1; time <= times; time++) {
          const content = `${what} ${time}`
          yield* client.send({ _tag: "GlobalMessage", content })
          yield* client.send({ _tag: "RoomMessage", room: dev, content })
        }
      })
      // In all less than the server sends again at most, so that nothing may be missing.
      for (let round = 1; round <= rounds; round++) {
        const comeBack = Effect.andThen(ada.cut, ada.client.request({ _tag: "Ping", nonce: round }))
        yield* Effect.all([talk(bob, `bob ${round}`, 90), talk(ada, `ada ${round}`, 10), comeBack], {
          concurrency: "unbounded"
        })
      }
      yield* bob.client.send({ _tag: "RoomMessage", room: dev, content: "the end" })

      const events = yield* Fiber.join(listening)
      for (const tag of ["GlobalMessage", "RoomMessage"] as const) {
        const messages = heard(events, tag).filter(({ content }) => content !== "the end")
        assert.deepStrictEqual(
          messages.map(({ seq }) => seq),
          messages.map((_, index) => index + 1)
        )
        const said = new Set(messages.map(({ content }) => content))
        assert.strictEqual(messages.length, rounds * 100)
        assert.strictEqual(said.size, rounds * 100)
      }
      assert.strictEqual(events.filter(({ _tag }) => _tag === "Reconnected").length, rounds)
      assert.isFalse(events.some(({ _tag }) => _tag === "Gap" || _tag === "Skipped"))
    })
  )
})
