import { Buffer } from "node:buffer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Random, Schema } from "effect"
import { RoomName } from "../../src/common/name/RoomName.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { backup } from "../../src/server/admin/Backup.ts"
import { Progress } from "../../src/server/admin/Progress.ts"
import { inspect, inspectUnused } from "../../src/server/admin/Verify.ts"
import { migrations } from "../../src/server/store/Migrations.ts"
import { connect } from "../support/RawClient.ts"
import * as ServerHere from "../support/ServerHere.ts"
import { addChecksums, folder, makeDatabase, run, runHere, said, sqlite } from "./AdminProcess.ts"

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
  const { exitCode, stderr, stdout } = yield* runHere(["verify", file, "--json"], {})
  assert.strictEqual(stderr, "")
  const report = yield* Schema.decodeEffect(Report)(stdout)
  assert.strictEqual(exitCode, report.isSound ? 0 : 1)
  return report
})

const inspected = (file: string) => Effect.provideService(inspectUnused(file, file), Progress, Progress.silent)

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
      assert.deepStrictEqual(stdout.replace(/[\d.]+ KiB/, "… KiB").split("\n"), [
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
        const server = yield* ServerHere.start({ env })
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
        `UPDATE messages SET seq = seq - 100 WHERE ${inRoom("Garden")} AND seq > 8`,
        `UPDATE messages SET sender = 'no name' WHERE ${inRoom("Porch")} AND seq = 2`,
        `UPDATE messages SET content = 'a' || char(7) WHERE ${inRoom("Quay")} AND seq = 3`,
        `UPDATE messages SET at = 4 WHERE ${inRoom("Roof")} AND seq = 4`,
        "UPDATE conversations SET conversation_key = 'room:hut' WHERE name = 'Shed'",
        "INSERT INTO incarnation (epoch) VALUES ('second')",
        "INSERT INTO messages (conversation, seq, at, sender, content) VALUES (77, 1, 1790000000000, 'Ada', 'hi')",
        "INSERT INTO conversations (conversation_key, kind, name) VALUES ('room:' || char(27), 'Room', char(27) || '[2J')"
      )
      yield* addChecksums(file)
      const { messages, moreProblems, problems, remarks, rooms } = yield* verify(file)
      const expected = [
        /^row \d+ of messages belongs to none of conversations$/,
        /^there are 2 epochs instead of one\. A copy of it/,
        /^room Shed has the key "room:hut" instead of "room:shed"$/,
        /^conversation \d+ is not valid: /,
        /^the lobby: 3 messages missing: 3001 to 3003$/,
        /^room Attic: 1 message missing: 1$/,
        /^room Garden: message -91 is not in its place, which is behind 8$/,
        /^room Garden: message -91 is not valid: /,
        /^room Porch: message 2 is not valid: must start with a letter or digit and hold only/,
        /^room Quay: message 3 is not valid: must not hold control characters/
      ]
      assert.lengthOf(problems, expected.length)
      for (const [index, pattern] of expected.entries()) assert.match(problems[index] ?? "", pattern)
      assert.deepStrictEqual({ messages, moreProblems, rooms }, { messages: 5051, moreProblems: 0, rooms: 7 })
      assert.match(remarks.at(-1) ?? "", /^1 message with a time .* message 4 of room Roof, 1970-01-01/)
    })
  )

  it.effect("finds bytes that were flipped", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      yield* makeDatabase(file, said(lobby, ada, texts(5000)))
      const bytes = yield* files.readFile(file)
      const [page] = yield* sqlite(
        file,
        "SELECT pageno FROM dbstat WHERE name = 'messages' AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET 9"
      )
      const { pageno } = yield* Schema.decodeUnknownEffect(Schema.Struct({ pageno: Schema.Int }))(page)
      const flipped = bytes.map((byte, index) => (Math.floor(index / 4096) === pageno - 1 ? byte ^ 0x5a : byte))
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

  it.effect("finds every bit that was flipped in what somebody said, or in who said it, as does a backup", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      const flips = 200
      const count = 3000
      const contents = Array.from(
        { length: count },
        (_, index) => `what was said, ${String(index).padStart(4, "0")} ❤️`
      )
      yield* makeDatabase(file, said(lobby, ada, contents))
      yield* addChecksums(file)
      // When SQLite moves rows it leaves copies behind: here only in the pages that come first.
      yield* sqlite(file, "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)")
      assert.deepStrictEqual((yield* inspected(file)).problems, [])
      const bytes = Buffer.from(yield* files.readFile(file))
      let inSender = 0
      yield* Effect.forEach(
        Array.from({ length: flips }, (_, index) => index),
        (index) =>
          Effect.gen(function* () {
            const content = contents[index * 15] ?? ""
            // The sender stands before the content.
            const row = bytes.lastIndexOf(content) - ada.length
            const at = row + (yield* Random.nextIntBetween(0, Buffer.byteLength(ada + content) - 1))
            if (at < row + ada.length) inSender++
            bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (yield* Random.nextIntBetween(0, 7))), at)
          })
      )
      yield* files.writeFile(file, bytes)
      const { moreProblems, problems } = yield* verify(file)
      // Who said it stands in an index, too, which then tells of another one.
      assert.strictEqual(problems.length + moreProblems, flips + inSender)
      // The rows are copied as they are, and their checksums, too: the copy is not sound either.
      const target = { file: `${path}/copy`, database: file, isForced: false }
      const report = yield* Effect.provideService(backup(target), Progress, Progress.silent)
      assert.strictEqual(report.problems.length + report.moreProblems, flips)
      for (const [index, problem] of report.problems.entries()) {
        assert.match(problem, new RegExp(`^the lobby: message ${index * 15 + 1} is not (?:valid|as it was stored): `))
      }
      const [copied] = yield* sqlite(
        `${path}/copy`,
        `ATTACH '${file}' AS original`,
        "SELECT COUNT(*) AS count FROM main.messages JOIN original.messages USING (id, seq, at, sender, content)"
      )
      assert.deepInclude(copied, { count })
    })
  )

  it.effect("tells of messages that have no checksum", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      yield* makeDatabase(file, said(lobby, ada, texts(3)))
      yield* addChecksums(file)
      yield* sqlite(file, "UPDATE messages SET checksum = NULL WHERE seq > 1")
      const { isSound, remarks } = yield* inspected(file)
      assert.isTrue(isSound)
      assert.include(remarks, "2 messages without a checksum")
    })
  )

  it.effect("says what a database lacks, and what to do; a copy has it again", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { path } = yield* folder
      const sound = `${path}/chat.sqlite`
      yield* makeDatabase(sound, said(lobby, ada, texts(3)))
      const mended = 'A copy of it ("pnpm admin backup") is right again: restore that.'
      const finds = Effect.fnUntraced(function* (statements: string, problem: string, isMended = true) {
        const file = `${path}/broken.sqlite`
        yield* files.copyFile(sound, file)
        yield* sqlite(file, "PRAGMA foreign_keys = OFF", ...statements.split("; "))
        const { isSound, problems } = yield* inspected(file)
        assert.isFalse(isSound)
        assert.include(problems, `${problem} ${isMended ? mended : "Restore a backup."}`, statements)
      })
      yield* finds("DROP INDEX messages_by_place", "the index messages_by_place is missing.")
      yield* finds("DELETE FROM incarnation", "the epoch is missing.")
      yield* finds("INSERT INTO incarnation (epoch) VALUES ('x')", "there are 2 epochs instead of one.")
      yield* finds("PRAGMA application_id = 7", "the file is marked as 7 instead of 1885434476, so no server takes it.")
      yield* finds("DROP TABLE effect_sql_migrations", "the table effect_sql_migrations is missing.")
      yield* finds("DROP TABLE incarnation", "the table incarnation is missing.", false)
      yield* finds("DROP TABLE messages", "the table messages is missing.", false)
      yield* finds(
        "DROP INDEX messages_mentions; DROP INDEX messages_moderation; DROP INDEX messages_sealed; ALTER TABLE messages DROP COLUMN content",
        "the table messages lacks content.",
        false
      )
      const names = Object.keys(migrations)
      yield* finds(
        "DELETE FROM effect_sql_migrations",
        `${names.length === 1 ? "1 migration" : `${names.length} migrations`} not recorded (${names.join(", ")}), so no server takes it.`
      )

      const file = `${path}/broken.sqlite`
      yield* files.copyFile(sound, file)
      yield* sqlite(
        file,
        "DROP INDEX messages_by_place",
        "DELETE FROM incarnation",
        "PRAGMA application_id = 7",
        "DROP TABLE effect_sql_migrations"
      )
      const target = { file: `${path}/copy`, database: file, isForced: false }
      const copied = yield* Effect.provideService(backup(target), Progress, Progress.silent)
      assert.deepStrictEqual([copied.problems, copied.messages], [[], 3])
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
      yield* sqlite(
        `${path}/older.sqlite`,
        "DELETE FROM effect_sql_migrations WHERE migration_id > 1",
        "UPDATE effect_sql_migrations SET migration_id = 0"
      )
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
      const ended = yield* runHere(["verify", `${path}/other`], {})
      assert.deepStrictEqual(ended, {
        stdout: "",
        stderr: `Cannot read ${path}/other: it does not belong to parley. Was another file meant?\n`,
        exitCode: 1
      })
      assert.deepStrictEqual(yield* names, all)
    })
  )
})
