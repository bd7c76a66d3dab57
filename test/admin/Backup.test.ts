import * as process from "node:process"
import { DatabaseSync } from "node:sqlite"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Exit, Fiber, FileSystem, Ref, Result, Schedule, Schema, Scope } from "effect"
import { UserName } from "../../src/common/name/UserName.ts"
import { backup } from "../../src/server/admin/Backup.ts"
import { Progress } from "../../src/server/admin/Progress.ts"
import { applicationId } from "../../src/server/store/Database.ts"
import { connect } from "../support/RawClient.ts"
import * as ServerHere from "../support/ServerHere.ts"
import { fill, folder, makeDatabase, run, runHere, runShell, said, sqlite, start } from "./AdminProcess.ts"

/** Processes take real time. */
const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const ada = Schema.decodeSync(UserName)("Ada")
const lobby = { _tag: "Lobby" } as const

const decodeWelcome = Schema.decodeUnknownEffect(
  Schema.Struct({ lobby: Schema.Struct({ epoch: Schema.String, seq: Schema.Int }) })
)

/** A server on this database for the scope, and Ada on it. */
const serve = Effect.fnUntraced(function* (database: string, after?: object) {
  const server = yield* ServerHere.start({ env: { PORT: "0", DATABASE: database, MESSAGE_RATE: "0" } })
  const client = yield* connect({ port: server.port })
  const welcome = yield* client.ask({ _tag: "Handshake", user: "Ada", ...(after === undefined ? {} : { after }) })
  return { client, welcome: yield* decodeWelcome(welcome) }
})

realTime("pnpm admin backup", (it) => {
  it.effect("takes a whole copy while messages flow; a server restored from it is another incarnation", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { names, path } = yield* folder
      const database = `${path}/chat.sqlite`
      const serving = yield* Scope.make()
      const { client, welcome } = yield* Scope.provide(serve(database), serving)
      yield* client.ask({ _tag: "CreateRoom", room: "Garden" })
      yield* client.ask({ _tag: "JoinRoom", room: "Garden" })
      yield* client.ask({ _tag: "RoomMessage", room: "Garden", content: "tomatoes" })

      const answered = yield* Ref.make(0)
      const say = Effect.gen(function* () {
        const next = (yield* Ref.get(answered)) + 1
        const key = `key-of-message-${next}`
        const sent = yield* client.ask({ _tag: "GlobalMessage", content: `message ${next}`, key })
        assert.strictEqual(sent["seq"], next)
        yield* Ref.set(answered, next)
      })
      yield* Effect.repeat(say, { times: 99 })
      const talking = yield* Effect.forkScoped(Effect.forever(say))
      const before = yield* Ref.get(answered)
      const copied = yield* run(["backup", "copy.sqlite"], { cwd: path, env: { DATABASE: "chat.sqlite" } })
      const after = yield* Ref.get(answered)
      yield* Fiber.interrupt(talking)

      assert.deepStrictEqual({ ...copied, stdout: "" }, { stdout: "", stderr: "", exitCode: 0 })
      assert.match(copied.stdout, /^copy\.sqlite is a copy of chat\.sqlite: [\d,]+ messages, 1 room, [\d.]+ KiB\.\n$/)
      const copy = `${path}/copy.sqlite`
      const contents = yield* sqlite(
        copy,
        "SELECT seq, content FROM messages JOIN conversations ON conversation = conversations.id WHERE conversations.kind = 'Lobby' ORDER BY seq"
      )
      assert.isAtLeast(contents.length, before)
      assert.isAtMost(contents.length, after + 1)
      assert.deepStrictEqual(
        contents.map(({ content, seq }) => ({ content, seq })),
        contents.map((_, index) => ({ content: `message ${index + 1}`, seq: index + 1 }))
      )
      const pragmas = ["application_id", "auto_vacuum", "journal_mode"].map((name) => `pragma_${name}`).join(", ")
      assert.deepInclude((yield* sqlite(copy, `SELECT * FROM ${pragmas}`))[0], {
        application_id: applicationId,
        auto_vacuum: 2,
        journal_mode: "delete"
      })
      assert.deepStrictEqual(
        (yield* names).filter((name) => name.startsWith("copy")),
        ["copy.sqlite"]
      )

      // Restored as the README says.
      yield* Scope.close(serving, Exit.void)
      yield* files.copyFile(copy, database)
      for (const suffix of ["-wal", "-shm", "-search"]) yield* files.remove(database + suffix, { force: true })
      const restored = yield* serve(database, { lobby: { epoch: welcome.lobby.epoch, seq: after } })
      assert.notStrictEqual(restored.welcome.lobby.epoch, welcome.lobby.epoch)
      assert.strictEqual(restored.welcome.lobby.seq, contents.length)
      const next = yield* restored.client.ask({ _tag: "GlobalMessage", content: "after", key: "key-of-message-new" })
      assert.strictEqual(next["seq"], contents.length + 1)
      const repeated = yield* restored.client.ask({
        _tag: "GlobalMessage",
        content: "message 7",
        key: "key-of-message-7"
      })
      assert.deepInclude(repeated, { seq: 7, repeated: true })
      yield* restored.client.ask({ _tag: "JoinRoom", room: "garden" })
      const found = yield* restored.client.ask({ _tag: "Search", query: "tomatoes" })
      assert.nestedPropertyVal(found, "messages[0].content", "tomatoes")
    })
  )

  it.effect("replaces a file only with --force, and what a killed backup left always", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { names, path } = yield* folder
      yield* makeDatabase(`${path}/chat.sqlite`, said(lobby, ada, ["hi"]))
      yield* files.chmod(`${path}/chat.sqlite`, 0o644)
      yield* files.writeFileString(`${path}/copy`, "precious")
      yield* files.writeFileString(`${path}/copy.partial`, "half of something")
      const refused = yield* runHere(["backup", `${path}/copy`], { DATABASE: `${path}/chat.sqlite` })
      assert.deepStrictEqual(refused, {
        stdout: "",
        stderr: `Cannot write ${path}/copy: it exists already. Name another file, or replace it with --force.\n`,
        exitCode: 1
      })
      assert.strictEqual(yield* files.readFileString(`${path}/copy`), "precious")
      // Under a umask that leaves nobody anything, not even the owner.
      const taken = yield* runShell("umask 0777; exec $ADMIN backup copy --force --database chat.sqlite", path)
      assert.strictEqual(taken.exitCode, 0, taken.stderr)
      assert.lengthOf(yield* sqlite(`${path}/copy`, "SELECT * FROM messages"), 1)
      // Whoever else may read the database: a copy is its owner's.
      assert.strictEqual((yield* files.stat(`${path}/copy`)).mode & 0o777, 0o600)
      assert.deepStrictEqual(yield* names, ["chat.sqlite", "chat.sqlite-search", "copy"])
    })
  )

  it.effect("says in one line why it takes no copy, and leaves everything as it was", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { names, path } = yield* folder
      yield* makeDatabase(`${path}/chat.sqlite`, said(lobby, ada, ["hi"]))
      yield* files.symlink(`${path}/chat.sqlite`, `${path}/link`)
      yield* files.makeDirectory(`${path}/folder`)
      yield* files.writeFileString(`${path}/used-wal`, "")
      yield* files.writeFileString(`${path}/text`, "This is no database, but long enough to look like one. ".repeat(40))
      const all = yield* names
      const refused = Effect.fnUntraced(function* (file: string, complaint: string, database = "chat.sqlite") {
        const target = { file: `${path}/${file}`, database: `${path}/${database}`, isForced: true }
        const { message } = yield* Effect.flip(Effect.provideService(backup(target), Progress, Progress.silent))
        assert.include(message, complaint)
        assert.notInclude(message, "\n")
      })
      yield* refused("copy", "none.sqlite: there is no such file.", "none.sqlite")
      yield* refused("copy", "it is no SQLite database", "text")
      yield* refused("copy", "it is no file", "folder")
      yield* refused("chat.sqlite", "the server's own database")
      yield* refused("link", "the server's own database")
      yield* refused("chat.sqlite-wal", "the server's own database")
      yield* refused("folder", "a folder")
      yield* refused("folder/", 'ends in "/"')
      yield* refused("chat-", 'ends in "-"')
      yield* refused("missing/copy", "its folder does not exist")
      yield* refused("used", "used-wal lies beside it")
      const long = `${"long/".repeat(120)}copy`
      yield* refused(long, "bytes, of which there may be")
      yield* refused("x".repeat(250), "its name is too long")
      yield* refused("copy", "bytes, and SQLite takes 504 at most", long)
      yield* refused("copy", "none.sqlite: there is no such file", "../../proc/nope/none.sqlite")
      const ended = yield* runHere(["backup", `${path}/copy`, "--database", `${path}/none.sqlite`], {})
      assert.deepStrictEqual(ended, {
        stdout: "",
        stderr: `Cannot read ${path}/none.sqlite: there is no such file. Check the name; --database or DATABASE names the server's database.\n`,
        exitCode: 1
      })
      assert.deepStrictEqual(yield* names, all)
    })
  )

  it.effect("tells of a database that is not sound in its report, and keeps the copy of it all the same", () =>
    Effect.gen(function* () {
      const { names, path } = yield* folder
      yield* makeDatabase(`${path}/chat.sqlite`, said(lobby, ada, ["one", "two", "three"]))
      yield* sqlite(`${path}/chat.sqlite`, "DELETE FROM messages WHERE seq = 2")
      const { exitCode, stdout } = yield* runHere(["backup", `${path}/copy`], { DATABASE: `${path}/chat.sqlite` })
      assert.strictEqual(exitCode, 1)
      assert.include(stdout, "copy is not sound: 1 problem.\n  ✘ the lobby: 1 message missing: 2\n")
      assert.include(yield* names, "copy")
    })
  )

  it.effect("may be paused for as long as somebody likes: the WAL does not grow, and nobody else writes the copy", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { names, path } = yield* folder
      const database = `${path}/chat.sqlite`
      yield* makeDatabase(database, said(lobby, ada, ["message 1"]))
      yield* fill(database, 150_000)
      const options = { cwd: path, env: { DATABASE: "chat.sqlite" } }
      const sizeOf = (name: string) => Effect.map(files.stat(`${path}/${name}`), ({ size }) => Number(size))
      const { outcome, pid } = yield* start(["backup", "copy"], options)
      yield* Effect.repeat(
        Effect.orElseSucceed(sizeOf("copy.partial"), () => 0),
        {
          schedule: Schedule.spaced("1 milli"),
          until: (size) => size > 2 ** 19
        }
      )
      process.kill(pid, "SIGSTOP")

      // What a server does meanwhile: it stores, and RETENTION deletes.
      const writer = new DatabaseSync(database)
      writer.exec("PRAGMA synchronous = OFF")
      // The statement that was under way goes on to its end; then nobody has a snapshot any more.
      const checkpoint = Effect.sync(() => writer.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get())
      const isReset = yield* checkpoint.pipe(
        Effect.map((row) => row?.["busy"] === 0),
        Effect.repeat({
          schedule: Schedule.spaced("10 millis").pipe(Schedule.upTo({ duration: "60 seconds" })),
          until: (isReset) => isReset
        })
      )
      assert.isTrue(isReset)
      const insert = writer.prepare(
        "INSERT INTO messages (conversation, seq, at, sender, content) VALUES (1, ?, 1790000000000, 'Ada', ?)"
      )
      const largest = { wal: 0 }
      for (let commit = 0; commit < 300; commit++) {
        writer.exec("BEGIN")
        for (let index = 1; index <= 50; index++) insert.run(150_000 + commit * 50 + index, "later ".repeat(50))
        writer.exec("COMMIT")
        largest.wal = Math.max(largest.wal, yield* sizeOf("chat.sqlite-wal"))
      }
      writer.exec(
        "BEGIN; UPDATE conversations SET deleted_through = 100000; DELETE FROM messages WHERE seq <= 100000; COMMIT"
      )
      writer.close()
      assert.isBelow(largest.wal, 8 * 2 ** 20)

      const second = yield* runHere(["backup", `${path}/copy`], { DATABASE: database })
      assert.deepStrictEqual(second, {
        stdout: "",
        stderr: `Cannot write ${path}/copy: another command is writing it. Wait until that is done, or name another file.\n`,
        exitCode: 1
      })
      process.kill(pid, "SIGCONT")
      const { exitCode, stdout } = yield* outcome
      assert.strictEqual(exitCode, 0, stdout)
      assert.match(stdout, /^copy is a copy of chat\.sqlite: 50,000 messages, /)
      const [contents] = yield* sqlite(
        `${path}/copy`,
        "SELECT MIN(seq) AS first, MAX(seq) AS last, COUNT(*) AS count, deleted_through FROM messages, conversations"
      )
      assert.deepInclude(contents, { first: 100_001, last: 150_000, count: 50_000, deleted_through: 100_000 })
      assert.deepStrictEqual(yield* names, ["chat.sqlite", "chat.sqlite-search", "copy"])
    })
  )

  it.effect("lets one of two that write one file at once do so, and the next one after one that was killed", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { names, path } = yield* folder
      const database = `${path}/chat.sqlite`
      yield* makeDatabase(database, said(lobby, ada, ["message 1"]))
      yield* fill(database, 20_000)
      const { outcome, pid } = yield* start(["backup", "copy", "--database", "chat.sqlite"], { cwd: path })
      yield* Effect.repeat(files.exists(`${path}/copy.partial`), {
        schedule: Schedule.spaced("1 milli"),
        until: (isThere) => isThere
      })
      process.kill(pid, "SIGKILL")
      yield* Effect.ignore(outcome)
      assert.includeMembers(Array.from(yield* names), ["copy.partial", "copy.partial.lock"])
      const taking = Effect.provideService(
        Effect.result(backup({ file: `${path}/copy`, database, isForced: false })),
        Progress,
        Progress.silent
      )
      const results = yield* Effect.all([taking, taking], { concurrency: 2 })
      const [failed, ...others] = results.filter(Result.isFailure)
      assert.lengthOf(others, 0)
      assert.match(failed?.failure.message ?? "", /another command is writing it|exists already/)
      assert.isTrue(results.find(Result.isSuccess)?.success.isSound)
      assert.deepStrictEqual(yield* names, ["chat.sqlite", "chat.sqlite-search", "copy"])
    })
  )
})
