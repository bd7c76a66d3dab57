import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Schema } from "effect"
import { RoomName } from "../../src/common/RoomName.ts"
import { UserName } from "../../src/common/UserName.ts"
import { backup } from "../../src/server/admin/Backup.ts"
import { Progress } from "../../src/server/admin/Progress.ts"
import { inspect } from "../../src/server/admin/Verify.ts"
import { connect } from "../support/RawClient.ts"
import * as ServerProcess from "../support/ServerProcess.ts"
import { folder, makeDatabase, run, said, sqlite } from "./AdminProcess.ts"

/** Processes take real time. */
const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const room = (name: string) => ({ _tag: "Room", room: Schema.decodeSync(RoomName)(name) }) as const
const ada = Schema.decodeSync(UserName)("Ada")
const lobby = { _tag: "Lobby" } as const
const texts = (count: number) => Array.from({ length: count }, (_, index) => `message ${index + 1}`)

const Report = Schema.fromJsonString(
  Schema.Struct({
    isSound: Schema.Boolean,
    problems: Schema.Array(Schema.String),
    moreProblems: Schema.Int,
    remarks: Schema.Array(Schema.String),
    messages: Schema.Int,
    rooms: Schema.Int
  })
)

/** What is found, for scripts; the exit code must say the same. */
const verify = Effect.fnUntraced(function* (file: string) {
  const { exitCode, stderr, stdout } = yield* run(["verify", file, "--json"])
  assert.strictEqual(stderr, "")
  const report = yield* Schema.decodeEffect(Report)(stdout)
  assert.strictEqual(exitCode, report.isSound ? 0 : 1)
  return report
})

realTime("pnpm admin verify", (it) => {
  it.effect("tells what is in a sound file without changing it, also where old messages were deleted", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      yield* makeDatabase(file, said(lobby, ada, texts(2500)), said(room("Garden"), ada, texts(3)))
      yield* sqlite(
        file,
        "DELETE FROM messages WHERE id <= 10",
        "UPDATE conversations SET deleted_through = 10 WHERE kind = 'Lobby'",
        "UPDATE incarnation SET epoch = 'abc'"
      )
      const before = yield* files.readFile(file)
      const { exitCode, stderr, stdout } = yield* run(["verify", "chat.sqlite"], { cwd: path })
      assert.deepStrictEqual(yield* files.readFile(file), before)
      assert.deepStrictEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" })
      assert.deepStrictEqual(stdout.replace(/\d+ KiB/, "… KiB").split("\n"), [
        "chat.sqlite is sound.",
        "  messages  2,493, 2026-09-21T14:13:20.000Z to 2026-09-21T14:13:22.499Z",
        "  rooms     1",
        "  size      … KiB",
        "  epoch     abc",
        ""
      ])
    })
  )

  it.effect(
    "checks the database of a running server, which DATABASE names, and is not told of gaps that are none",
    () =>
      Effect.gen(function* () {
        const { path } = yield* folder
        const database = `${path}/chat.sqlite`
        const env = { PORT: "0", DATABASE: database, MESSAGE_RATE: "0", RETENTION: "1 second" }
        const server = yield* ServerProcess.start({ env })
        const client = yield* connect({ port: server.port })
        yield* client.ask({ _tag: "Handshake", user: "Ada" })
        const talking = Effect.forever(client.ask({ _tag: "GlobalMessage", content: "hi" }))
        const { exitCode, stdout } = yield* Effect.raceFirst(run(["verify"], { env }), talking)
        assert.strictEqual(exitCode, 0, stdout)
        assert.include(stdout, "chat.sqlite is sound.")
      })
  )

  it.effect("says what is wrong and where: gaps, order, names, texts, times, epochs", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      const names = ["Attic", "Garden", "Porch", "Quay", "Roof", "Shed"]
      yield* makeDatabase(file, said(lobby, ada, texts(5000)), ...names.map((name) => said(room(name), ada, texts(9))))
      const inRoom = (name: string) => `conversation = (SELECT id FROM conversations WHERE name = '${name}')`
      yield* sqlite(
        file,
        "PRAGMA foreign_keys = OFF",
        "DELETE FROM messages WHERE conversation = 1 AND seq BETWEEN 3001 AND 3003",
        `DELETE FROM messages WHERE ${inRoom("Attic")} AND seq = 1`,
        `UPDATE messages SET seq = seq - 100 WHERE ${inRoom("Garden")} AND seq > 7`,
        `UPDATE messages SET sender = 'no name' WHERE ${inRoom("Porch")} AND seq = 2`,
        `UPDATE messages SET content = 'a' || char(7) WHERE ${inRoom("Quay")} AND seq = 3`,
        `UPDATE messages SET at = 4 WHERE ${inRoom("Roof")} AND seq = 4`,
        "UPDATE conversations SET conversation_key = 'room:hut' WHERE name = 'Shed'",
        "INSERT INTO incarnation VALUES ('second')",
        "INSERT INTO messages (conversation, seq, at, sender, content) VALUES (77, 1, 1790000000000, 'Ada', 'hi')"
      )
      const { messages, moreProblems, problems, remarks, rooms } = yield* verify(file)
      const expected = [
        /^row \d+ of messages belongs to none of conversations$/,
        /^there are 2 epochs instead of one\. A copy of it/,
        /^room Shed has the key "room:hut" instead of "room:shed"$/,
        /^the lobby: 3 messages missing: 3001 to 3003$/,
        /^room Attic: 1 message missing: 1$/,
        /^room Garden: message -92 is not in its place, which is behind 7$/,
        /^room Garden: message -91 is not in its place, which is behind 8$/,
        /^room Garden: message -92 is not valid: /,
        /^room Garden: message -91 is not valid: /,
        /^room Porch: message 2 is not valid: must start with a letter or digit and hold only/
      ]
      assert.lengthOf(problems, expected.length)
      for (const [index, pattern] of expected.entries()) assert.match(problems[index] ?? "", pattern)
      assert.deepStrictEqual({ messages, moreProblems, rooms }, { messages: 5051, moreProblems: 1, rooms: 6 })
      assert.lengthOf(remarks, 1)
      assert.match(remarks[0] ?? "", /^1 message with a time .* message 4 of room Roof, 1970-01-01/)
    })
  )

  it.effect("finds bytes that were flipped", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      yield* makeDatabase(file, said(lobby, ada, texts(5000)))
      const bytes = yield* files.readFile(file)
      const flipped = bytes.map((byte, index) => (index >= 40_960 && index < 49_152 ? byte ^ 0x5a : byte))
      yield* files.writeFile(file, flipped)
      const { problems } = yield* verify(file)
      assert.include(problems[0], "the file is damaged")
      const target = { file: `${path}/copy`, database: file, isForced: false }
      const { message } = yield* Effect.flip(Effect.provideService(backup(target), Progress, Progress.silent))
      assert.include(message, "the file is damaged. Restore a backup.")
      assert.isFalse(yield* files.exists(`${path}/copy`))
      assert.isFalse(yield* files.exists(`${path}/copy.partial`))
    })
  )

  it.effect("says in one line why a file is not for it, and makes none", () =>
    Effect.gen(function* () {
      const { names, path } = yield* folder
      for (const name of ["newer", "older"]) yield* makeDatabase(`${path}/${name}.sqlite`, said(lobby, ada, ["hi"]))
      yield* sqlite(
        `${path}/newer.sqlite`,
        "INSERT INTO effect_sql_migrations (migration_id, name) VALUES (99, 'later')"
      )
      yield* sqlite(`${path}/older.sqlite`, "UPDATE effect_sql_migrations SET migration_id = 0")
      yield* sqlite(`${path}/other`, "CREATE TABLE recipes (name TEXT)")
      const all = yield* names
      const refused = Effect.fnUntraced(function* (file: string, complaint: string) {
        const check = Effect.provideService(inspect(`${path}/${file}`, file), Progress, Progress.silent)
        assert.strictEqual((yield* Effect.flip(check)).message, `Cannot read ${file}: ${complaint}`)
      })
      yield* refused("newer.sqlite", "it was made by a newer version of parley. Use that version.")
      yield* refused(
        "older.sqlite",
        "it was made by an older version of parley. Start a server on it once, which brings it up to date."
      )
      yield* refused("other", "it does not belong to parley. Was another file meant?")
      yield* refused(
        "none",
        "there is no such file. Check the name; --database or DATABASE names the server's database."
      )
      const ended = yield* run(["verify", "other"], { cwd: path })
      assert.deepStrictEqual(ended, {
        stdout: "",
        stderr: "Cannot read other: it does not belong to parley. Was another file meant?\n",
        exitCode: 1
      })
      assert.deepStrictEqual(yield* names, all)
    })
  )
})
