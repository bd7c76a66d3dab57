import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, FileSystem, Random, Stream } from "effect"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import { sitting } from "../../../src/client/full/FullScreen.ts"
import { Client } from "../../../src/client/link/Client.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import * as TestServer from "../../support/TestServer.ts"
import { start } from "../BreakableClient.ts"
import { fakeStage } from "./FakeStage.ts"

const rooms = ["r1", "r2", "r3"].map((name) => RoomName.make(name))
const places = ["lobby", ...rooms]
const messages = 200

const heardFrom = (event: ClientEvent): readonly [place: string, content: string] | undefined => {
  if (event._tag !== "Received") return undefined
  const { message } = event
  if (message._tag === "RoomMessage") return [message.room, message.content]
  return message._tag === "GlobalMessage" ? ["lobby", message.content] : undefined
}

layer(NodeServices.layer, { excludeTestServices: true })("A sitting", (it) => {
  it.effect(
    "sends each of 200 messages to the conversation that was shown, in order, over a connection that breaks",
    () =>
      Effect.gen(function* () {
        const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
        const { port } = yield* TestServer.start({ settings: { MESSAGE_RATE: "0" } })
        const ada = yield* start(port, "ada")
        const ben = yield* start(port, "ben")
        for (const room of rooms) {
          yield* ada.client.request({ _tag: "CreateRoom", room })
          yield* ada.client.request({ _tag: "JoinRoom", room })
          yield* ben.client.request({ _tag: "JoinRoom", room })
        }
        const listening = yield* ada.client.events.pipe(
          Stream.flatMap((event) => Stream.fromIterable([heardFrom(event)].filter((one) => one !== undefined))),
          Stream.take(messages),
          Stream.runCollect,
          Effect.forkChild
        )
        const stage = yield* fakeStage()
        const chatting = yield* sitting({ memoryPath: `${folder}/ben.json`, hasMouse: true }, stage.open).pipe(
          Effect.provideService(Client, ben.client),
          Effect.forkChild
        )
        yield* stage.shows("4 r3")

        for (let number = 0; number < messages; number++) {
          const at = yield* Random.nextIntBetween(0, places.length - 1)
          yield* stage.press(`alt+${at + 1}`, ...`${places[at]} ${number}`, "enter")
          if (number % 50 === 25) yield* ben.cut
        }
        const heard = yield* Fiber.join(listening)
        for (const [place, content] of heard) assert.strictEqual(content.split(" ")[0], place)
        for (const place of places) {
          const numbers = heard.filter(([where]) => where === place).map(([, content]) => Number(content.split(" ")[1]))
          assert.deepStrictEqual(
            numbers,
            numbers.toSorted((one, other) => one - other)
          )
        }
        yield* stage.press("ctrl+c", "y")
        assert.deepStrictEqual(yield* Fiber.join(chatting), { _tag: "Quit" })
      })
  )

  it.effect("tells the others who is typing, once in a while, and nobody of commands", () =>
    Effect.gen(function* () {
      const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
      const server = yield* TestServer.start()
      const ben = yield* start(server.port, "ben")
      const ada = yield* server.join("ada")
      const stage = yield* fakeStage()
      yield* sitting({ memoryPath: `${folder}/ben.json`, hasMouse: true }, stage.open).pipe(
        Effect.provideService(Client, ben.client),
        Effect.forkChild
      )
      yield* stage.shows("lobby›")
      yield* stage.press(...":users", "enter")
      yield* stage.shows("2 users")
      yield* stage.press(..."What I say", "enter")
      const lines = yield* ada.upTo("GlobalMessage")
      const typing = lines.filter(({ _tag }) => _tag === "Typing")
      assert.deepStrictEqual(typing, [{ _tag: "Typing", user: "ben" }])
    })
  )

  it.effect("tells nobody that somebody types who only looks at what they could edit", () =>
    Effect.gen(function* () {
      const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
      const server = yield* TestServer.start()
      const ben = yield* start(server.port, "ben")
      yield* ben.client.request({ _tag: "GlobalMessage", content: "first" })
      const ada = yield* server.join("ada")
      const stage = yield* fakeStage()
      yield* sitting({ memoryPath: `${folder}/ben.json`, hasMouse: true }, stage.open).pipe(
        Effect.provideService(Client, ben.client),
        Effect.forkChild
      )
      yield* stage.shows("ben │ first")
      yield* stage.press("up")
      yield* stage.shows("lobby ✎ edit›")
      yield* stage.press("escape")
      yield* stage.shows("lobby›")
      yield* ben.client.request({ _tag: "GlobalMessage", content: "last" })
      const lines = yield* ada.upTo("GlobalMessage")
      assert.isFalse(lines.some(({ _tag }) => _tag === "Typing"))
    })
  )

  it.effect("leaves nothing above where one types of a command that was refused, and names the one that helps", () =>
    Effect.gen(function* () {
      const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
      const { port } = yield* TestServer.start()
      const ben = yield* start(port, "ben")
      const stage = yield* fakeStage()
      yield* sitting({ memoryPath: `${folder}/ben.json`, hasMouse: true }, stage.open).pipe(
        Effect.provideService(Client, ben.client),
        Effect.forkChild
      )
      yield* stage.shows("lobby›")
      yield* stage.press(...":room nowhere", "enter")
      yield* stage.shows("no room called nowhere")
      yield* stage.press("x")
      yield* stage.shows("lobby› x")
      assert.isFalse((yield* stage.rows).some((row) => row.includes("answer") || row.includes(":room")))
      yield* stage.press("ctrl+u", ...":pm nobodyhere", "enter", ..."Psst", "enter")
      yield* stage.shows(":users")
    })
  )

  it.effect("carries out commands, shows what they give, and what is refused can be sent again", () =>
    Effect.gen(function* () {
      const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
      const { port } = yield* TestServer.start()
      const ben = yield* start(port, "ben")
      const stage = yield* fakeStage()
      const chatting = yield* sitting({ memoryPath: `${folder}/ben.json`, hasMouse: true }, stage.open).pipe(
        Effect.provideService(Client, ben.client),
        Effect.forkChild
      )
      yield* stage.shows("lobby›")
      yield* stage.press(...":users", "enter")
      yield* stage.shows("1 user: ben")
      yield* stage.press(...":cr dev", "enter")
      yield* stage.shows("dev›")
      yield* stage.press(..."hello", "enter")
      yield* stage.shows("ben │ hello")
      yield* stage.press(...":topic dev Release", "enter")
      yield* stage.shows("dev (yours) — Release")
      yield* stage.press(...":react 👍".split(""), "enter")
      yield* stage.press("ctrl+u", ...":pm nobody Psst", "enter")
      yield* stage.shows("nobody")
      yield* stage.press("ctrl+u", ...":lobby", "enter", ...":rmroom dev", "enter")
      yield* stage.shows("Type yes to delete the room dev")
      yield* stage.press(..."yes", "enter")
      yield* stage.shows("1 lobby")
      yield* stage.press(...":quit", "enter")
      assert.deepStrictEqual(yield* Fiber.join(chatting), { _tag: "Quit" })
    })
  )

  it.effect("PageUp pressed more often than there are messages at hand goes on when the older ones are there", () =>
    Effect.gen(function* () {
      const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
      const server = yield* TestServer.start({ settings: { MESSAGE_RATE: "0" } })
      const ada = yield* server.join("ada")
      for (let number = 0; number < 300; number++) {
        yield* ada.ask({ _tag: "GlobalMessage", content: `number ${number}` })
      }
      const ben = yield* start(server.port, "ben")
      const stage = yield* fakeStage()
      yield* sitting({ memoryPath: `${folder}/ben.json`, hasMouse: true }, stage.open).pipe(
        Effect.provideService(Client, ben.client),
        Effect.forkChild
      )
      yield* stage.shows("number 299")
      // What is older can only come on the next connection.
      yield* ben.cut
      yield* stage.press(...Array.from({ length: 8 }, () => "pageup"))
      yield* stage.shows("number 199")
    })
  )
})
