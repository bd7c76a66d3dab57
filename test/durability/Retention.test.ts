/** What is left once messages are older than RETENTION: the newer ones, the count of their places, and no trace else. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Clock, Duration, Effect, Exit, FileSystem, Queue, Scope } from "effect"
import * as Eventually from "./Eventually.ts"
import * as FileServer from "./FileServer.ts"
import * as Logbook from "./Logbook.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const old = 20_000
const oldInGarden = 300

realTime("retention", (it) => {
  it.effect("deletes what is older, and only that; places go on counting, and the file shrinks", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const file = yield* FileServer.newFileInMemory
      const now = yield* Clock.currentTimeMillis
      const longAgo = now - Duration.toMillis("2 hours")
      const garden = Logbook.room("garden")
      yield* Logbook.fill(file, [
        ...Array.from({ length: oldInGarden }, () => ({ content: "stale leaf", at: longAgo, conversation: garden })),
        ...Array.from({ length: old }, (_, index) => ({ content: `stale ${index} ${"x".repeat(200)}`, at: longAgo })),
        ...["fresh 1", "fresh 2"].map((content) => ({ content, at: now })),
        { content: "fresh leaf", at: now, conversation: garden }
      ])
      const { size } = yield* files.stat(file)

      const stopping = yield* Scope.make()
      const server = yield* Scope.provide(FileServer.startHere(file, { RETENTION: "1 hour" }), stopping)
      const ada = yield* FileServer.join(server.port, "ada")
      const first = { _tag: "GetHistory", after: 0, limit: 1 }
      yield* Eventually.ask("the old messages were gone", ada.ask(first), ({ messages }) =>
        JSON.stringify(messages).includes("fresh")
      )
      const left = ["20001 fresh 1", "20002 fresh 2"]
      assert.deepStrictEqual(FileServer.outline(yield* FileServer.readLog(ada)), left)

      const joined = yield* ada.ask({ _tag: "JoinRoom", room: "garden" })
      assert.deepInclude(joined, { seq: oldInGarden + 1, missed: 0, truncated: false })
      const cursor = { epoch: joined["epoch"], seq: 5 }
      const lobby = { epoch: FileServer.lobbyEpoch(joined), seq: 5 }
      const ben = yield* FileServer.join(server.port, "ben", lobby)
      assert.deepStrictEqual(FileServer.outline(yield* ben.findMany("GlobalMessage", 2)), left)
      const late = yield* ben.ask({ _tag: "JoinRoom", room: "garden", after: cursor })
      assert.deepInclude(late, { seq: oldInGarden + 1, missed: 1, truncated: true })
      assert.deepStrictEqual(FileServer.outline(yield* ben.findMany("RoomMessage", 1)), ["301 fresh leaf"])

      const search = (query: string) => Effect.map(ada.ask({ _tag: "Search", query }), ({ messages }) => messages)
      yield* Eventually.ask(
        "search forgot what was deleted",
        search("stale"),
        (found) => Array.isArray(found) && found.length === 0
      )
      yield* Eventually.ask(
        "search found the rest",
        search("fresh"),
        (found) => Array.isArray(found) && found.length === 3
      )
      assert.propertyVal(yield* ada.ask({ _tag: "GlobalMessage", content: "new" }), "seq", old + 3)
      // Its last free pages go when SQLite next takes the log into the file: at some time, or at the end.
      yield* Eventually.ask("the file shrank to a half", files.stat(file), (now) => now.size * 2n < size)
      yield* Scope.close(stopping, Exit.void)
      assert.isBelow(Number((yield* files.stat(file)).size), Number(size) / 20)
    })
  )

  it.effect("tells of the rooms it leaves nothing of, once each, and of no others", () =>
    Effect.gen(function* () {
      const file = yield* FileServer.newFileInMemory
      const history = yield* Logbook.open(file, { retention: Duration.millis(200) })
      const say = (room: string, at: number) =>
        Logbook.write(history, [{ content: "leaf", at, conversation: Logbook.room(room) }])
      const later = (yield* Clock.currentTimeMillis) + Duration.toMillis("1 hour")
      const isEmpty = (room: string) =>
        Effect.map(Logbook.contents(history, Logbook.room(room)), ({ length }) => length)
      for (const round of [1, 2]) {
        for (const room of ["garden", "shed"]) yield* say(room, round)
        for (const room of ["garden", "shed"]) {
          yield* Eventually.ask("a room was empty", isEmpty(room), (count) => count === 0)
        }
      }
      yield* say("attic", 1)
      yield* say("cellar", later)
      yield* Eventually.ask("it was told", Queue.size(history.emptied), (count) => count === 3)
      assert.sameMembers<string>(yield* Queue.clear(history.emptied), ["garden", "shed", "attic"])
    })
  )

  it.effect("may delete everything: after a restart, too, no place of an epoch is given twice", () =>
    Effect.gen(function* () {
      const file = yield* FileServer.newFileInMemory
      const settings = { RETENTION: "1 second" }
      const stopping = yield* Scope.make()
      const first = yield* Scope.provide(FileServer.startHere(file, settings), stopping)
      const ada = yield* FileServer.join(first.port, "ada")
      yield* ada.ask({ _tag: "CreateRoom", room: "garden" })
      const { epoch } = yield* ada.ask({ _tag: "JoinRoom", room: "garden" })
      for (const content of ["one", "two", "three"]) {
        yield* ada.ask({ _tag: "GlobalMessage", content })
        yield* ada.ask({ _tag: "RoomMessage", room: "garden", content })
      }
      for (const where of [{}, { room: "garden" }]) {
        yield* Eventually.ask("nothing was left", FileServer.readLog(ada, where), ({ length }) => length === 0)
      }
      assert.propertyVal(yield* ada.ask({ _tag: "GlobalMessage", content: "four" }), "seq", 4)
      yield* Eventually.ask("nothing was left again", FileServer.readLog(ada), ({ length }) => length === 0)
      yield* Scope.close(stopping, Exit.void)

      const second = yield* FileServer.startHere(file, settings)
      const again = yield* FileServer.join(second.port, "ada")
      // Nothing is left of the room: made again, it is another one.
      yield* again.ask({ _tag: "CreateRoom", room: "garden" })
      const joined = yield* again.ask({ _tag: "JoinRoom", room: "garden", after: { epoch, seq: 1 } })
      assert.deepInclude(joined, { seq: 0, missed: 0, truncated: true })
      assert.notStrictEqual(joined["epoch"], epoch)
      assert.propertyVal(yield* again.ask({ _tag: "GlobalMessage", content: "five" }), "seq", 5)
      assert.propertyVal(yield* again.ask({ _tag: "RoomMessage", room: "garden", content: "four" }), "seq", 1)
    })
  )

  it.effect("is not taken for another program's doing: what is said meanwhile goes on being stored", () =>
    Effect.gen(function* () {
      const file = yield* FileServer.newFileInMemory
      yield* Logbook.fill(
        file,
        Array.from({ length: 2000 }, (_, index) => ({ content: `stale ${index} ${"x".repeat(2000)}`, at: 1 }))
      )
      const history = yield* Logbook.open(file, { retention: Duration.millis(500) })
      const say = Effect.andThen(
        Logbook.write(history, [{ content: `fresh ${"x".repeat(2000)}` }]),
        Clock.currentTimeMillis
      )
      // Whoever watches the file looks at it once a second.
      const sayForAWhile = Effect.flatMap(Clock.currentTimeMillis, (begin) =>
        Effect.repeat(say, { until: (now) => now > begin + 2500 })
      )
      yield* Eventually.ask(
        "nothing old was left",
        Effect.andThen(sayForAWhile, Logbook.contents(history)),
        ([oldest = ""]) => oldest.includes("fresh")
      )
    })
  )
})
