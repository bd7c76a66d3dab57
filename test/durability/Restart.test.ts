/** What is there again after the server was stopped and started, and what can be made again from it. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Exit, FileSystem, Scope } from "effect"
import * as Eventually from "./Eventually.ts"
import * as FileServer from "./FileServer.ts"
import * as Logbook from "./Logbook.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

/** More than are sent again after a return. */
const said = 1200
const sentAgain = 1000

realTime("after a restart", (it) => {
  it.effect("rooms that were written to are there with their history, the others are gone", () =>
    Effect.gen(function* () {
      const file = yield* FileServer.newFileInMemory
      const stopping = yield* Scope.make()
      const first = yield* Scope.provide(FileServer.startHere(file), stopping)
      const ada = yield* FileServer.join(first.port, "ada")
      for (const room of ["Garden", "empty"]) {
        yield* ada.ask({ _tag: "CreateRoom", room })
        yield* ada.ask({ _tag: "JoinRoom", room })
      }
      for (const content of ["one", "two"]) yield* ada.ask({ _tag: "RoomMessage", room: "Garden", content })
      const { epoch } = yield* ada
        .ask({ _tag: "GetHistory" })
        .pipe(
          Effect.andThen(ada.ask({ _tag: "LeaveRoom", room: "Garden" })),
          Effect.andThen(ada.ask({ _tag: "JoinRoom", room: "Garden" }))
        )
      yield* Scope.close(stopping, Exit.void)

      const second = yield* FileServer.startHere(file)
      const again = yield* FileServer.join(second.port, "ada")
      assert.deepPropertyVal(yield* again.ask({ _tag: "ListRooms" }), "rooms", [{ room: "Garden", users: 0 }])
      assert.deepInclude(yield* again.ask({ _tag: "JoinRoom", room: "garden" }), { room: "Garden", epoch, seq: 2 })
      assert.deepStrictEqual(FileServer.outline(yield* FileServer.readLog(again, { room: "Garden" })), [
        "1 one",
        "2 two"
      ])
      assert.propertyVal(yield* again.ask({ _tag: "RoomMessage", room: "Garden", content: "three" }), "seq", 3)
    })
  )

  it.effect("who comes back is sent the newest thousand of what they missed", () =>
    Effect.gen(function* () {
      const file = yield* FileServer.newFileInMemory
      const garden = Logbook.room("garden")
      yield* Logbook.fill(file, [
        ...Array.from({ length: said }, (_, index) => ({ content: `${index + 1}` })),
        ...Array.from({ length: said }, (_, index) => ({ content: `leaf ${index + 1}`, conversation: garden }))
      ])
      const server = yield* FileServer.startHere(file)
      const stranger = yield* FileServer.join(server.port, "stranger")
      const there = yield* stranger.ask({ _tag: "JoinRoom", room: "garden" })
      const { epoch } = there

      const ada = yield* FileServer.join(server.port, "ada", { epoch: FileServer.lobbyEpoch(there), seq: 10 })
      const newest = Array.from({ length: sentAgain }, (_, index) => said - sentAgain + index + 1)
      assert.deepStrictEqual(
        FileServer.outline(yield* ada.findMany("GlobalMessage", sentAgain)),
        newest.map((seq) => `${seq} ${seq}`)
      )
      const joined = yield* ada.ask({ _tag: "JoinRoom", room: "garden", after: { epoch, seq: 10 } })
      assert.deepInclude(joined, { seq: said, missed: sentAgain, truncated: true })
      assert.deepStrictEqual(
        FileServer.outline(yield* ada.findMany("RoomMessage", sentAgain)),
        newest.map((seq) => `${seq} leaf ${seq}`)
      )
      // Who came and went is told whenever its window ends: before this or after.
      const others = (yield* ada.soFar).filter(({ _tag }) => _tag !== "Presence" && _tag !== "RoomPresence")
      assert.deepStrictEqual(others, [])
    })
  )
})

realTime("the search index", (it) => {
  const damages = [
    { how: "missing", damage: () => undefined },
    { how: "no index at all", damage: (bytes: Uint8Array) => bytes.map(() => 0x20) },
    { how: "cut in half", damage: (bytes: Uint8Array) => bytes.slice(0, bytes.length / 2) },
    { how: "damaged from its second page on", damage: (bytes: Uint8Array) => bytes.fill(0xff, 4096) },
    { how: "damaged in its last pages", damage: (bytes: Uint8Array) => bytes.fill(0xff, bytes.length - 8192) }
  ]

  it.effect.each(damages)("is made again when it is $how, and search works", ({ damage }) =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const file = yield* FileServer.newFileInMemory
      const lines = Array.from({ length: 1000 }, (_, index) => ({ content: `word${index} needle in the hay` }))
      yield* Effect.gen(function* () {
        const history = yield* Logbook.open(file)
        for (let start = 0; start < lines.length; start += 100) {
          yield* Logbook.write(history, lines.slice(start, start + 100))
        }
        // A search makes up for what is not indexed yet.
        yield* history.search([Logbook.lobby], { query: "needle", limit: 1, before: undefined })
      }).pipe(Effect.scoped)
      const index = `${file}-search`
      const damaged = damage(yield* files.readFile(index))
      if (damaged === undefined) yield* files.remove(index)
      else yield* files.writeFile(index, damaged)

      const history = yield* Logbook.open(file)
      const search = (query: string) =>
        Effect.orElseSucceed(history.search([Logbook.lobby], { query, limit: 2000, before: undefined }), () => ({
          found: []
        }))
      yield* Eventually.ask("all was found", search("needle"), ({ found }) => found.length === lines.length)
      assert.lengthOf((yield* search("word7")).found, 1)
      yield* Logbook.write(history, [{ content: "one more needle" }])
      assert.lengthOf((yield* search("needle")).found, lines.length + 1)
      assert.lengthOf(yield* Logbook.contents(history), lines.length + 1)
    })
  )
})
