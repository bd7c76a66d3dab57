import { existsSync } from "node:fs"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Schema } from "effect"
import { RoomName } from "../../src/common/name/RoomName.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { openAlone } from "../../src/server/admin/InUse.ts"
import { Progress } from "../../src/server/admin/Progress.ts"
import { removeRoom } from "../../src/server/admin/RemoveRoom.ts"
import { connect } from "../support/RawClient.ts"
import * as ServerHere from "../support/ServerHere.ts"
import { folder, makeDatabase, run, runHere, said, sqlite } from "./AdminProcess.ts"

/** Processes take real time. */
const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const room = (name: string) => ({ _tag: "Room", room: Schema.decodeSync(RoomName)(name) }) as const
const ada = Schema.decodeSync(UserName)("Ada")
const lobby = { _tag: "Lobby" } as const

realTime("pnpm admin rooms and rmroom", (it) => {
  it.effect("list the rooms of a running server, and remove none of them before it is stopped", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const database = `${path}/chat.sqlite`
      yield* makeDatabase(
        database,
        said(lobby, ada, ["in the lobby"]),
        said(room("Shed"), ada, ["spade", "Säge"]),
        said(room("attic"), ada, ["x".repeat(3000)])
      )
      const env = { DATABASE: database }
      const server = yield* ServerHere.start({ env: { PORT: "0", ...env } })
      const client = yield* connect({ port: server.port })
      yield* client.ask({ _tag: "Handshake", user: "Ada" })
      const [text, json, refused] = yield* Effect.all(
        [run(["rooms"], { env }), runHere(["rooms", "--json"], env), runHere(["rmroom", "shed", "--yes"], env)],
        { concurrency: 2 }
      )
      assert.deepStrictEqual(
        { ...text, stdout: text.stdout.split("\n") },
        {
          stdout: [
            " 1 message  2.9 KiB  2026-09-21T14:13:20.000Z  attic",
            "2 messages     10 B  2026-09-21T14:13:20.001Z  Shed",
            "2 rooms in all.",
            ""
          ],
          stderr: "",
          exitCode: 0
        }
      )
      assert.deepStrictEqual(JSON.parse(json.stdout), [
        { name: "attic", messages: 1, newest: 1_790_000_000_000, bytes: 3000 },
        { name: "Shed", messages: 2, newest: 1_790_000_000_001, bytes: 10 }
      ])
      assert.deepStrictEqual(refused, {
        stdout: "",
        stderr: `Cannot remove the room "shed": the server is running on ${database}, or a command reads it. Stop it, and try again.\n`,
        exitCode: 1
      })
      assert.strictEqual((yield* client.ask({ _tag: "GlobalMessage", content: "hi" }))["seq"], 2)
    })
  )

  it.effect("take every trace of a room away, keep the others, and let no server start meanwhile", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { names, path } = yield* folder
      const database = `${path}/chat.sqlite`
      // Among each other, so that SQLite has moved them from page to page.
      yield* makeDatabase(
        database,
        ...Array.from({ length: 30 }, (_, round) => [
          ...said(room("Shed"), ada, ["zanzibar ".repeat(20), `unforgettable ${round}`]),
          ...said(room("Garden"), ada, ["tomatoes ".repeat(20), `melons ${round}`])
        ])
      )
      const ofRoom = "conversation IN (SELECT id FROM conversations WHERE name = 'Shed')"
      const [{ id } = { id: 0 }] = yield* sqlite(database, "SELECT id FROM conversations WHERE name = 'Shed'")
      assert.lengthOf(yield* sqlite(database, `SELECT * FROM messages WHERE ${ofRoom}`), 60)

      const silently = Effect.provideService(Progress, Progress.silent)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* openAlone(database)
          const started = yield* Effect.flip(ServerHere.start({ env: { PORT: "0", DATABASE: database } }))
          assert.include(started.message, "another server or command is using it")
          const { message } = yield* Effect.flip(silently(removeRoom({ database, room: "shed" })))
          assert.include(message, "the server is running")
        })
      )

      const removed = yield* run(["rmroom", "SHED", "--yes", "--database", "chat.sqlite"], { cwd: path })
      assert.deepStrictEqual(removed, {
        stdout: "The room Shed and its 60 messages are removed from chat.sqlite.\n",
        stderr: "",
        exitCode: 0
      })
      assert.deepStrictEqual(yield* names, ["chat.sqlite"])
      const bytes = yield* files.readFileString(database, "latin1")
      assert.notInclude(bytes, "zanzibar")
      assert.notInclude(bytes, "unforgettable")
      assert.include(bytes, "tomatoes")
      const server = yield* ServerHere.start({ env: { PORT: "0", DATABASE: database } })
      const client = yield* connect({ port: server.port })
      yield* client.ask({ _tag: "Handshake", user: "Ada" })
      yield* client.ask({ _tag: "JoinRoom", room: "garden" })
      const found = yield* client.ask({ _tag: "Search", query: "melons 7" })
      assert.nestedPropertyVal(found, "messages[0].content", "melons 7")
      // Made again under its name, it is another room.
      yield* client.ask({ _tag: "CreateRoom", room: "Shed" })
      yield* client.ask({ _tag: "JoinRoom", room: "Shed" })
      assert.strictEqual((yield* client.ask({ _tag: "RoomMessage", room: "Shed", content: "new" }))["seq"], 1)
      const [{ id: next } = { id: 0 }] = yield* sqlite(database, "SELECT id FROM conversations WHERE name = 'Shed'")
      assert.isAbove(Number(next), Number(id))
    })
  )

  it.effect("say in one line what is wrong, and ask nobody who is not there", () =>
    Effect.gen(function* () {
      const { names, path } = yield* folder
      yield* makeDatabase(`${path}/chat.sqlite`, said(room("Garden"), ada, ["hi"]), said(room("attic"), ada, ["hi"]))
      const silently = Effect.provideService(Progress, Progress.silent)
      const refused = Effect.fnUntraced(function* (name: string, complaint: string) {
        const failing = silently(removeRoom({ database: `${path}/chat.sqlite`, room: name }))
        assert.include((yield* Effect.flip(failing)).message, complaint)
      })
      yield* refused("gadren", "Did you mean Garden?")
      yield* refused("atic", "Did you mean attic?")
      yield* refused("kitchen", "It has these: attic, Garden.")
      const env = { DATABASE: `${path}/chat.sqlite` }
      const unasked = yield* runHere(["rmroom", "garden"], env)
      const none = yield* runHere(["rooms", "--database", "/proc/nope/x"], env)
      assert.deepStrictEqual(unasked, {
        stdout: "",
        stderr: 'Cannot remove the room "garden": nobody can be asked whether that is meant. Say so with --yes.\n',
        exitCode: 1
      })
      assert.deepStrictEqual(none, {
        stdout: "",
        stderr:
          "Cannot read /proc/nope/x: there is no such file. Check the name; --database or DATABASE names the server's database.\n",
        exitCode: 1
      })
      assert.lengthOf(yield* sqlite(`${path}/chat.sqlite`, "SELECT * FROM messages"), 2)
      assert.isTrue(existsSync(`${path}/chat.sqlite-search`))
      assert.include(yield* names, "chat.sqlite")
    })
  )
})
