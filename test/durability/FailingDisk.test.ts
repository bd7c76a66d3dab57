/**
 * A disk that is full, broken or slow while the server runs, as the system calls of its process show it: who sends is
 * told so, nobody else has to wait, and nothing has to be restarted.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { RawClient } from "../support/RawClient.ts"
import * as FileServer from "./FileServer.ts"
import * as StoredLog from "./StoredLog.ts"
import * as Strace from "./Strace.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const message = (content: string) => ({ _tag: "GlobalMessage", content, key: FileServer.keyOf(content) })
const inGarden = (content: string) => ({ ...message(content), _tag: "RoomMessage", room: "garden" })

const heardBy = (client: RawClient, tag: string) =>
  Effect.map(client.soFar, (lines) => FileServer.outline(lines.filter(({ _tag }) => _tag === tag)))

/** A server with somebody who talks, somebody who listens, and a room both are in. */
const begin = Effect.gen(function* () {
  const file = yield* FileServer.newFile
  const server = yield* FileServer.start(file)
  const ada = yield* FileServer.join(server.port, "ada")
  const ben = yield* FileServer.join(server.port, "ben")
  yield* ada.ask({ _tag: "CreateRoom", room: "garden" })
  for (const client of [ada, ben]) yield* client.ask({ _tag: "JoinRoom", room: "garden" })
  yield* ada.ask(message("before"))
  yield* ada.ask(inGarden("earlier"))
  yield* ben.soFar
  return { ada, ben, file, server }
})

const whatFails = [
  { what: "is full (ENOSPC on write)", calls: ["pwrite64"], inject: "error=ENOSPC" },
  { what: "cannot be written to (EIO on write)", calls: ["pwrite64"], inject: "error=EIO" },
  { what: "does not take what was written (EIO on sync)", calls: ["fsync", "fdatasync"], inject: "error=EIO" }
]

realTime("while the disk", (it) => {
  const traced = it.effect.skipIf(Strace.missing !== undefined)

  for (const { calls, inject, what } of whatFails) {
    traced(
      `${what}, senders are refused, nobody hears of it, all else goes on, and so does sending later${Strace.note}`,
      () =>
        Effect.gen(function* () {
          const { ada, ben, file, server } = yield* begin
          const refused = [message("one"), inGarden("two"), message("three")]
          const fault = { pid: server.pid, files: [file, `${file}-wal`], calls, inject }

          const isRefused = Effect.gen(function* () {
            for (const each of refused) {
              assert.nestedPropertyVal(yield* ada.ask(each), "reason._tag", "StorageUnavailable")
            }
          })
          const whileItFails = Effect.gen(function* () {
            yield* isRefused
            const cleo = yield* FileServer.join(server.port, "cleo")
            assert.propertyVal(yield* ben.ask({ _tag: "Ping", nonce: 7 }), "nonce", 7)
            assert.deepPropertyVal(yield* ben.ask({ _tag: "ListUsers" }), "users", ["ada", "ben", "cleo"])
            assert.propertyVal(yield* ben.ask({ _tag: "ListRooms" }), "_tag", "RoomList")
            assert.propertyVal(yield* cleo.ask({ _tag: "JoinRoom", room: "garden" }), "seq", 1)
            assert.propertyVal(yield* cleo.ask({ _tag: "CreateRoom", room: "shed" }), "_tag", "RoomCreated")
            assert.propertyVal(yield* cleo.ask({ _tag: "JoinRoom", room: "shed" }), "_tag", "RoomJoined")
            assert.propertyVal(yield* cleo.ask({ _tag: "PrivateMessage", to: "ben", content: "psst" }), "_tag", "Sent")
            assert.deepStrictEqual(FileServer.outline(yield* FileServer.readLog(cleo)), ["1 before"])
            const found = yield* cleo.ask({ _tag: "Search", query: "before" })
            assert.propertyVal(found, "_tag", "SearchResults")
            // Also right before the end: the disk is back before anything else was asked of the log.
            yield* isRefused
          })
          yield* Strace.during(fault, whileItFails)

          // Nothing was restarted, nothing waits: the disk is there again, and so is the service.
          for (const [index, seq] of [2, 2, 3].entries()) {
            const sent = yield* ada.ask(refused[index] ?? {})
            assert.deepStrictEqual([sent["seq"], sent["repeated"]], [seq, undefined])
          }
          assert.deepPropertyVal(yield* ada.ask(message("one")), "repeated", true)
          const lines = yield* ben.soFar
          const heard = lines.filter(({ _tag }) => _tag === "GlobalMessage" || _tag === "RoomMessage")
          assert.deepStrictEqual(FileServer.outline(heard), ["2 one", "2 two", "3 three"])
          const stored = [...StoredLog.read(file)].map(([place, entries]) => [place, FileServer.outline(entries)])
          assert.deepStrictEqual(stored, [
            ["garden", ["1 earlier", "2 two"]],
            ["the lobby", ["1 before", "2 one", "3 three"]]
          ])
        })
    )
  }

  traced(
    `does not take what was written and the server is killed, what was refused is stored once, if sent again${Strace.note}`,
    () =>
      Effect.gen(function* () {
        const { ada, file, server } = yield* begin
        const fault = { pid: server.pid, files: [`${file}-wal`], calls: ["fsync", "fdatasync"], inject: "error=EIO" }
        const refuseAndDie = Effect.gen(function* () {
          assert.nestedPropertyVal(yield* ada.ask(message("one")), "reason._tag", "StorageUnavailable")
          yield* server.kill("SIGKILL")
        })
        yield* Strace.during(fault, refuseAndDie)
        const next = yield* FileServer.startHere(file)
        const again = yield* FileServer.join(next.port, "ada")
        assert.propertyVal(yield* again.ask(message("one")), "seq", 2)
        assert.propertyVal(yield* again.ask(message("two")), "seq", 3)
        assert.deepStrictEqual(FileServer.outline(yield* FileServer.readLog(again)), ["1 before", "2 one", "3 two"])
      })
  )

  traced(`takes long over a commit, only chat messages wait${Strace.note}`, () =>
    Effect.gen(function* () {
      const { ada, ben, file, server } = yield* begin
      // Until it is let go: a minute is longer than a busy machine takes for what is asked meanwhile.
      const slow = { calls: ["fsync", "fdatasync"], inject: "delay_enter=60000000" }
      const whileItIsSlow = Effect.gen(function* () {
        yield* ada.send(inGarden("slow"))
        // Behind the message on its connection, and answered before it is stored.
        yield* ada.ask({ _tag: "Ping", nonce: 1 })
        for (const tag of ["ListUsers", "ListRooms"]) yield* ben.ask({ _tag: tag })
        yield* ben.ask({ _tag: "ListRoomUsers", room: "garden" })
        assert.lengthOf(yield* FileServer.readLog(ben), 1)
        yield* ben.ask({ _tag: "CreateRoom", room: "shed" })
        yield* ben.ask({ _tag: "JoinRoom", room: "shed" })
        yield* ben.ask({ _tag: "PrivateMessage", to: "ada", content: "psst" })
        const cleo = yield* FileServer.join(server.port, "cleo")
        assert.deepStrictEqual(yield* heardBy(ben, "RoomMessage"), [])

        // Nor does who joins the room itself: the message is behind them, and heard when it is stored.
        assert.propertyVal(yield* cleo.ask({ _tag: "JoinRoom", room: "garden" }), "seq", 1)
        return cleo
      })
      const cleo = yield* Strace.during({ ...slow, pid: server.pid, files: [`${file}-wal`] }, whileItIsSlow)
      yield* ada.find((line) => line._tag === "Sent" && line["seq"] === 2)
      assert.deepStrictEqual(yield* heardBy(ben, "RoomMessage"), ["2 slow"])
      assert.deepStrictEqual(yield* heardBy(cleo, "RoomMessage"), ["2 slow"])
    })
  )
})
