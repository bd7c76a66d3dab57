/** Who leaves and comes back is where they were. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, FileSystem } from "effect"
import { sitting } from "../../../src/client/full/FullScreen.ts"
import { Client } from "../../../src/client/link/Client.ts"
import * as TestServer from "../../support/TestServer.ts"
import { start } from "../BreakableClient.ts"
import { fakeStage } from "./FakeStage.ts"

const said = Array.from({ length: 400 }, (_, index) => ({ _tag: "GlobalMessage", content: `number ${index}` }))

const talkative = Effect.fnUntraced(function* (messages: ReadonlyArray<object>) {
  const server = yield* TestServer.start()
  const ada = yield* server.join("ada")
  for (const message of messages) yield* ada.ask(message)
  return { ...server, ada }
})

/** ben's screen; `leave` ends it. */
const sit = Effect.fnUntraced(function* (port: number, memoryPath: string) {
  const { client } = yield* start(port, "ben")
  const stage = yield* fakeStage()
  const chatting = yield* sitting({ memoryPath, hasMouse: true }, stage.open).pipe(
    Effect.provideService(Client, client),
    Effect.forkChild
  )
  yield* stage.shows("lobby›")
  return { ...stage, leave: Effect.andThen(stage.press("ctrl+u", "ctrl+c", "y"), Fiber.join(chatting)) }
})

/** The messages on it. */
const messagesOn = (rows: ReadonlyArray<string>) => rows.flatMap((row) => /number \d+|other \d+/.exec(row)?.[0] ?? [])

layer(NodeServices.layer, { excludeTestServices: true })("After a restart", (it) => {
  it.effect("the screen stands on the message where it stood, however much was said, and types meanwhile", () =>
    Effect.gen(function* () {
      const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
      const path = `${folder}/ben.json`
      const { ada, port } = yield* talkative(said)
      const first = yield* sit(port, path)
      yield* first.shows("number 399")
      yield* Effect.andThen(first.press("pageup"), Effect.andThen(Effect.yieldNow, first.rows)).pipe(
        Effect.repeat({ until: (rows) => messagesOn(rows).some((one) => one < "number 200") })
      )
      yield* first.shows("newer (End)")
      const there = messagesOn(yield* first.rows)
      assert.isAbove(there.length, 10)
      yield* first.leave
      for (let more = 0; more < 150; more++) yield* ada.ask({ _tag: "GlobalMessage", content: `number ${400 + more}` })

      const second = yield* sit(port, path)
      yield* second.press(..."typed at once")
      yield* second.shows("lobby› typed at once")
      yield* second.shows(there[0] ?? "nothing")
      assert.deepStrictEqual(messagesOn(yield* second.rows), there)
      yield* second.press("end", "end")
      yield* second.shows("number 549")
      yield* second.leave

      const third = yield* sit(port, path)
      yield* third.shows("number 549")
      yield* third.leave
    })
  )

  it.effect("the newest is shown where the log is another one by now, or not as long", () =>
    Effect.gen(function* () {
      const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
      const path = `${folder}/ben.json`
      const back = Effect.fnUntraced(function* (messages: number) {
        const before = yield* talkative(said.slice(0, 120))
        const first = yield* sit(before.port, path)
        yield* first.shows("number 119")
        for (let page = 0; page < 3; page++) yield* first.press("pageup")
        yield* first.shows("newer (End)")
        yield* first.leave
        assert.include(yield* (yield* FileSystem.FileSystem).readFileString(path), '"places":{"lobby"')
        const other = Array.from({ length: messages }, (_, index) => ({
          _tag: "GlobalMessage",
          content: `other ${index}`
        }))
        const { port } = yield* talkative(other)
        const second = yield* sit(port, path)
        yield* second.shows(`other ${messages - 1}`)
        yield* second.leave
      })
      yield* back(130)
      yield* back(10)
    })
  )
})
