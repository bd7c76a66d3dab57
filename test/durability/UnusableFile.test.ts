/**
 * Files that the server cannot or must not use as its database: it does not start, says in one line which file, why and
 * what to do, and leaves everything as it was.
 */
import * as process from "node:process"
import { DatabaseSync } from "node:sqlite"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, FileSystem, Layer, type PlatformError } from "effect"
import { makings } from "../../src/server/store/Makings.ts"
import * as ServerProcess from "../support/ServerProcess.ts"
import * as FileServer from "./FileServer.ts"
import * as Logbook from "./Logbook.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

/** Long enough for several pages. */
const lines: ReadonlyArray<Logbook.Line> = Array.from({ length: 200 }, (_, index) => ({
  content: `line ${index} ${"x".repeat(100)}`
}))

/** Root may write to everything, unless it goes without that right. */
const withoutRights =
  process.getuid?.() === 0 ? { starter: ["setpriv", "--bounding-set=-dac_override"] as const } : undefined

/** Every file of a folder with what is in it. */
const look = Effect.fnUntraced(function* (folder: string) {
  const files = yield* FileSystem.FileSystem
  const names = (yield* files.readDirectory(folder)).toSorted()
  return yield* Effect.forEach(names, (name) =>
    Effect.map(
      Effect.orElseSucceed(files.readFile(`${folder}/${name}`), () => new Uint8Array()),
      (bytes) => [name, bytes] as const
    )
  )
})

interface Refused {
  readonly file: string
  /** What is to stay as it was. */
  readonly folder: string | undefined
  /** The cause and the remedy. */
  readonly words: ReadonlyArray<RegExp>
}

const refuses = Effect.fnUntraced(function* (
  { file, folder, words }: Refused,
  starting?: Pick<ServerProcess.ServerProcessOptions, "starter">
) {
  const before = folder === undefined ? [] : yield* look(folder)
  const { exitCode, stderr, stdout } = yield* ServerProcess.run({ env: FileServer.environment(file), ...starting })
  assert.deepStrictEqual({ exitCode, stdout }, { exitCode: 1, stdout: "" }, stderr)
  assert.lengthOf(stderr.trimEnd().split("\n"), 1, stderr)
  assert.include(stderr, file)
  for (const word of words) assert.match(stderr, word)
  assert.deepStrictEqual(folder === undefined ? [] : yield* look(folder), before)
})

const anotherFile = /[Ss]et DATABASE to (another file|a file elsewhere)/

interface Unusable {
  readonly what: string
  readonly make: (folder: string) => Effect.Effect<string, PlatformError.PlatformError, FileSystem.FileSystem | Sound>
  readonly cause: RegExp
}

const query = (file: string, ...statements: ReadonlyArray<string>) =>
  Effect.sync(() => {
    const database = new DatabaseSync(file)
    for (const statement of statements) database.exec(statement)
    database.close()
  })

/** The bytes of a database of ours, made once. */
class Sound extends Context.Service<Sound, { readonly bytes: Uint8Array }>()(
  "parley/test/durability/UnusableFile.test/Sound"
) {
  static readonly layer = Layer.effect(
    Sound,
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const file = yield* FileServer.newFile
      yield* Logbook.fill(file, lines)
      return { bytes: yield* files.readFile(file) }
    })
  )
}

const copySound = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  yield* files.writeFile(file, (yield* Sound).bytes)
})

/** A database of ours, changed by hand. */
const changed = (change: (bytes: Uint8Array) => Uint8Array) =>
  Effect.fnUntraced(function* (folder: string) {
    const files = yield* FileSystem.FileSystem
    const file = `${folder}/chat.sqlite`
    yield* copySound(file)
    yield* files.writeFile(file, change(yield* files.readFile(file)))
    return file
  })

const makeText = Effect.fnUntraced(function* (folder: string) {
  const files = yield* FileSystem.FileSystem
  yield* files.writeFileString(`${folder}/notes.txt`, "Buy bread.\n".repeat(1000))
  return `${folder}/notes.txt`
})

const unusable: ReadonlyArray<Unusable> = [
  {
    what: "that is no SQLite file",
    make: makeText,
    cause: /is no SQLite database/
  },
  {
    what: "of another program",
    make: Effect.fnUntraced(function* (folder: string) {
      yield* query(`${folder}/shop.sqlite`, "CREATE TABLE messages (id INTEGER)", "INSERT INTO messages VALUES (1)")
      return `${folder}/shop.sqlite`
    }),
    cause: /belongs to another program/
  },
  {
    what: "of a newer parley",
    make: Effect.fnUntraced(function* (folder: string) {
      const file = `${folder}/chat.sqlite`
      yield* copySound(file)
      yield* query(file, "INSERT INTO effect_sql_migrations (migration_id, name) VALUES (99, 'tomorrow')")
      return file
    }),
    cause: /newer version of parley/
  },
  ...[...makings, { kind: "table", name: "effect_sql_migrations" }].map(({ kind, name }): Unusable => ({
    what: `without the ${kind} ${name}`,
    make: Effect.fnUntraced(function* (folder: string) {
      const file = `${folder}/chat.sqlite`
      yield* copySound(file)
      yield* query(file, "PRAGMA foreign_keys = OFF", `DROP ${kind} ${name}`)
      return file
    }),
    cause: new RegExp(`: its ${kind} ${name} is missing\\. .*pnpm admin verify`)
  })),
  {
    what: "without the index that keeps a message from being stored twice",
    make: Effect.fnUntraced(function* (folder: string) {
      const file = `${folder}/chat.sqlite`
      yield* copySound(file)
      yield* query(file, "DROP INDEX messages_by_key")
      return file
    }),
    cause: /its index messages_by_key is missing or not unique.*pnpm admin verify/
  },
  {
    what: "whose index lets a message be stored twice",
    make: Effect.fnUntraced(function* (folder: string) {
      const file = `${folder}/chat.sqlite`
      yield* copySound(file)
      yield* query(
        file,
        "DROP INDEX messages_by_key",
        "CREATE INDEX messages_by_key ON messages (conversation, idempotency_key)"
      )
      return file
    }),
    cause: /its index messages_by_key is missing or not unique/
  },
  {
    what: "with a trigger under a name of parley's",
    make: Effect.fnUntraced(function* (folder: string) {
      const file = `${folder}/chat.sqlite`
      yield* copySound(file)
      yield* query(
        file,
        "DROP TRIGGER conversation_removed",
        "CREATE TRIGGER conversation_removed AFTER INSERT ON messages BEGIN DELETE FROM messages WHERE id = NEW.id; END"
      )
      return file
    }),
    cause: /a trigger that is not parley's/
  },
  {
    what: "with a trigger of somebody else",
    make: Effect.fnUntraced(function* (folder: string) {
      const file = `${folder}/chat.sqlite`
      yield* copySound(file)
      yield* query(file, "CREATE TRIGGER lost BEFORE INSERT ON messages BEGIN SELECT RAISE(IGNORE); END")
      return file
    }),
    cause: /a trigger that is not parley's/
  },
  { what: "whose pages are damaged", make: changed((bytes) => bytes.fill(0xff, 4096)), cause: /is damaged/ },
  { what: "of which the end is missing", make: changed((bytes) => bytes.slice(0, 8192)), cause: /is damaged/ },
  {
    what: "that is a folder",
    make: Effect.fnUntraced(function* (folder: string) {
      const files = yield* FileSystem.FileSystem
      yield* files.makeDirectory(`${folder}/data`)
      return `${folder}/data`
    }),
    cause: /cannot be opened/
  },
  {
    what: "in a folder that cannot be made",
    make: Effect.fnUntraced(function* (folder: string) {
      const files = yield* FileSystem.FileSystem
      yield* files.writeFileString(`${folder}/file`, "")
      return `${folder}/file/data/chat.sqlite`
    }),
    cause: /folder cannot be made/
  }
]

const realTimeWithOne = layer(Layer.provideMerge(Sound.layer, NodeServices.layer), { excludeTestServices: true })

realTime("the server does not start, says why in one line and changes nothing", (it) => {
  it.effect("on a file that is no database, as on all of the following", () =>
    Effect.gen(function* () {
      const folder = yield* FileServer.newFolder
      yield* refuses({ file: yield* makeText(folder), folder, words: [/is no SQLite database/, anotherFile] })
    })
  )

  it.effect("on a file that may only be read, in a folder of the same kind", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* FileServer.newFolder
      const file = `${folder}/chat.sqlite`
      yield* Logbook.fill(file, lines)
      yield* files.chmod(file, 0o444)
      yield* Effect.acquireRelease(files.chmod(folder, 0o555), () => Effect.ignore(files.chmod(folder, 0o755)))
      yield* refuses({ file, folder, words: [/may not be written to/, anotherFile] }, withoutRights)
    })
  )

  it.effect("on a file that may only be read, though what is beside it might be written", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const file = yield* FileServer.newFile
      yield* Logbook.fill(file, lines)
      yield* files.chmod(file, 0o444)
      const before = yield* files.readFile(file)
      yield* refuses({ file, folder: undefined, words: [/may not be written to/, anotherFile] }, withoutRights)
      assert.deepStrictEqual(yield* files.readFile(file), before)
    })
  )

  it.effect("on a file that another server is using, which goes on undisturbed", () =>
    Effect.gen(function* () {
      const file = yield* FileServer.newFile
      const first = yield* FileServer.startHere(file)
      const ada = yield* FileServer.join(first.port, "ada")
      yield* ada.ask({ _tag: "GlobalMessage", content: "one" })
      yield* refuses({ file, folder: undefined, words: [/another server or command is using it/, anotherFile] })
      yield* ada.ask({ _tag: "GlobalMessage", content: "two" })
      assert.deepStrictEqual(FileServer.outline(yield* FileServer.readLog(ada)), ["1 one", "2 two"])
    })
  )
})

/** What the server says before it ends, without the second that a process takes to say it. */
realTimeWithOne("the database cannot be opened, says why in one line and changes nothing", (it) => {
  it.effect.each(unusable)("on a file $what", ({ cause, make }) =>
    Effect.gen(function* () {
      const folder = yield* FileServer.newFolder
      const file = yield* make(folder)
      const before = yield* look(folder)
      const { message } = yield* Effect.flip(Effect.scoped(Logbook.open(file)))
      assert.notInclude(message, "\n")
      for (const word of [cause, anotherFile]) assert.match(message, word)
      assert.include(message, file)
      assert.deepStrictEqual(yield* look(folder), before)
    })
  )
})
