import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as TestServer from "../../support/TestServer.ts"
import { Field, opened } from "./Field.ts"

const fieldOn = (port: number) =>
  Effect.acquireRelease(
    Effect.sync(() => new Field({ attack: "", part: "attack", port, k: 2, count: 0 }, Effect.void)),
    (field) => Effect.sync(() => field.close())
  )

const long = "x".repeat(8000)

describe("Those who attack", () => {
  it.live("get their answers, and are counted with all that came", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const field = yield* fieldOn(port)
      const [foe] = yield* field.gather("hostile", 2)
      assert(foe !== undefined)
      assert.include(yield* foe.ask({ _tag: "GlobalMessage", content: long }), '"_tag":"Sent"')
      const page = yield* foe.ask({ _tag: "GetHistory", limit: 1 })
      assert.include(page, long)
      assert.include(yield* foe.ask({ _tag: "JoinRoom", room: "nowhere" }), "RoomNotFound")
      const { bytesIn, bytesOut, cut, hostile, hostileOpen, refusals } = field.tally()
      assert.deepStrictEqual(
        { hostile, hostileOpen, refusals, cut },
        { hostile: 2, hostileOpen: 2, refusals: 1, cut: {} }
      )
      assert.isAbove(bytesIn, 3 * long.length)
      assert.isAbove(bytesOut, long.length)
    })
  )

  it.live("read nothing if they are told to, and everything at their pace", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const field = yield* fieldOn(server.port)
      const speaker = yield* field.recruit("crowd")
      for (let said = 0; said < 20; said++) yield* speaker.ask({ _tag: "GlobalMessage", content: long })
      const page = { _tag: "GetHistory", limit: 20, id: "page" }
      const [deaf, slow] = [field.dial("hostile", { pace: 0 }), field.dial("hostile", { pace: 1_000_000 })]
      for (const foe of [deaf, slow]) {
        yield* opened(foe)
        foe.send({ _tag: "Handshake", user: foe.name })
      }
      deaf.send(page)
      const startedAt = performance.now()
      yield* slow.line('"id":"page"', () => slow.send(page))
      assert.isAbove(performance.now() - startedAt, 50)
      assert.isAbove(slow.bytesIn, 20 * long.length)
      assert.strictEqual(deaf.bytesIn, 0)
    })
  )

  it.live("know why the server closed, and forget nothing of those who are gone", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const field = yield* fieldOn(port)
      const [one] = yield* field.gather("crowd", 1)
      assert(one !== undefined)
      const other = field.dial("hostile")
      const refused = yield* Effect.exit(other.line("never", () => other.send({ _tag: "Handshake", user: one.name })))
      assert.isTrue(refused._tag === "Failure")
      field.retire(other)
      one.reset()
      const { cut, hostile, hostileOpen } = field.tally()
      assert.deepStrictEqual({ cut, hostile, hostileOpen }, { cut: { UserNameTaken: 1 }, hostile: 1, hostileOpen: 0 })
    })
  )
})
