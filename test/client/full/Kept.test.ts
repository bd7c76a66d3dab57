/** However a sitting ends, the next one has what was typed in it, and what was not sent. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Exit, Fiber, FileSystem, Scope } from "effect"
import { sitting } from "../../../src/client/full/FullScreen.ts"
import { Client } from "../../../src/client/link/Client.ts"
import * as TestServer from "../../support/TestServer.ts"
import { start } from "../BreakableClient.ts"
import { fakeStage } from "./FakeStage.ts"

/** ben's screen, with a connection of its own that ends with `close`, as by a signal. */
const sit = Effect.fnUntraced(function* (port: number, memoryPath: string) {
  const scope = yield* Scope.make()
  const { client, whileAway } = yield* Scope.provide(start(port, "ben"), scope)
  const stage = yield* fakeStage()
  const chatting = yield* sitting({ memoryPath, hasMouse: true }, stage.open).pipe(
    Effect.provideService(Client, client),
    Effect.forkChild
  )
  yield* stage.shows("lobby›")
  yield* stage.shows("ben")
  const close = Effect.andThen(Fiber.interrupt(chatting), Scope.close(scope, Exit.void))
  const end = Effect.andThen(Fiber.join(chatting), Scope.close(scope, Exit.void))
  return { ...stage, close, end, whileAway }
})

const arrange = Effect.fnUntraced(function* () {
  const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
  const server = yield* TestServer.start()
  return { server, begin: sit(server.port, `${folder}/ben.json`) }
})

layer(NodeServices.layer, { excludeTestServices: true })("The next sitting", (it) => {
  it.effect("has the draft that was typed just before a signal ended the last one", () =>
    Effect.gen(function* () {
      const { begin } = yield* arrange()
      const first = yield* begin
      yield* first.press(..."half a thought")
      yield* first.shows("lobby› half a thought")
      yield* first.close
      const second = yield* begin
      yield* second.shows("lobby› half a thought")
      yield* second.close
    })
  )

  it.effect("shows what could not be sent as not sent, sends it only when told to, and then once", () =>
    Effect.gen(function* () {
      const { begin, server } = yield* arrange()
      const ada = yield* server.join("ada")
      const first = yield* begin
      yield* first.whileAway(
        Effect.gen(function* () {
          yield* first.shows("offline")
          yield* first.press(..."one", "enter", ..."two", "enter", ...":quit", "enter")
          yield* first.shows("2 messages are not sent")
          yield* first.press("n", "ctrl+d")
          yield* first.shows("2 messages are not sent")
          yield* first.press("y")
          yield* first.end
        })
      )
      const second = yield* begin
      yield* second.shows("Not sent before you left.")
      yield* second.shows("two")
      // By a signal they are kept just as well.
      yield* second.close
      const third = yield* begin
      yield* third.shows("Not sent before you left.")
      yield* third.press("alt+r")
      const heard = yield* ada.upTo("GlobalMessage")
      assert.deepStrictEqual(
        heard.flatMap((line) => (line._tag === "GlobalMessage" ? [line["content"]] : [])),
        ["one"]
      )
      yield* third.press("ctrl+c", "y")
      yield* third.end
      const fourth = yield* begin
      yield* fourth.shows("Not sent before you left.")
      const rows = yield* fourth.rows
      assert.lengthOf(
        rows.filter((row) => row.includes("Not sent before")),
        1
      )
      yield* fourth.close
    })
  )

  it.effect("has nothing to send of what was sent just before one left, which asks nothing", () =>
    Effect.gen(function* () {
      const { begin } = yield* arrange()
      const first = yield* begin
      yield* first.press(..."goodbye", "enter", ...":quit", "enter")
      yield* first.end
      const second = yield* begin
      yield* second.shows("goodbye")
      assert.isFalse((yield* second.rows).some((row) => row.includes("Not sent")))
      yield* second.close
    })
  )

  it.effect(
    "of a guest is in the same rooms, in their order, with what was typed there; of one that is gone nothing is said",
    () =>
      Effect.gen(function* () {
        const { begin, server } = yield* arrange()
        const ada = yield* server.join("ada")
        for (const room of ["zoo", "gone", "art"]) {
          yield* ada.ask({ _tag: "CreateRoom", room })
          yield* ada.ask({ _tag: "JoinRoom", room })
        }
        const first = yield* begin
        for (const room of ["zoo", "gone", "art"]) {
          yield* first.press(...`:jr ${room}`, "enter")
          yield* first.shows(`${room}›`)
        }
        yield* first.press("alt+2", ..."for the zoo")
        yield* first.shows("zoo› for the zoo")
        yield* first.close
        yield* ada.ask({ _tag: "DeleteRoom", room: "gone" })
        const second = yield* begin
        yield* second.shows("zoo› for the zoo")
        yield* second.shows("2 zoo")
        yield* second.shows("3 art")
        const all = (yield* second.rows).join("\n")
        assert.notInclude(all, "gone")
        yield* second.close
      })
  )
})
