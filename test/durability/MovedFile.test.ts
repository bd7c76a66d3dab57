/**
 * The database's file and what may happen to it outside: others that lead to the same file, or take it away while it is in
 * use. What was answered as stored is there again when the file is.
 */
import * as process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Cause, Effect, FileSystem, Logger, type PlatformError } from "effect"
import * as Eventually from "./Eventually.ts"
import * as FileServer from "./FileServer.ts"
import * as Logbook from "./Logbook.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const message = (content: string): Logbook.Line => ({ content, key: content })

interface Another {
  readonly how: string
  /** Answers the name under which the second one is to open it. */
  readonly lead: (folder: string, files: FileSystem.FileSystem) => Effect.Effect<string, PlatformError.PlatformError>
  readonly cause?: RegExp
}

const everyLockRemoved: Another = {
  how: "its own name, when all its locks were removed",
  lead: (folder, files) =>
    Effect.as(
      Effect.forEach(["-search", "-lock"], (ending) => files.remove(`${folder}/data/chat.sqlite${ending}`)),
      `${folder}/data/chat.sqlite`
    )
}

const others: ReadonlyArray<Another> = [
  {
    how: "a symbolic link in another folder",
    lead: (folder, files) =>
      Effect.gen(function* () {
        yield* files.makeDirectory(`${folder}/elsewhere`)
        yield* files.symlink(`${folder}/data/chat.sqlite`, `${folder}/elsewhere/other.sqlite`)
        return `${folder}/elsewhere/other.sqlite`
      })
  },
  {
    how: "a symbolic link to its folder",
    lead: (folder, files) => Effect.as(files.symlink(`${folder}/data`, `${folder}/link`), `${folder}/link/chat.sqlite`)
  },
  { how: "another spelling", lead: (folder) => Effect.succeed(`${folder}/data/../data//./chat.sqlite`) },
  {
    how: "a hard link in another folder",
    lead: (folder, files) =>
      Effect.gen(function* () {
        yield* files.makeDirectory(`${folder}/elsewhere`)
        yield* files.link(`${folder}/data/chat.sqlite`, `${folder}/elsewhere/chat.sqlite`)
        return `${folder}/elsewhere/chat.sqlite`
      }),
    cause: /2 names \(hard links\).* Leave it one name, or set DATABASE/
  },
  {
    how: "a new name, with the old one gone",
    lead: (folder, files) => Effect.as(files.rename(`${folder}/data`, `${folder}/moved`), `${folder}/moved/chat.sqlite`)
  },
  {
    how: "its own name, when -search was removed",
    lead: (folder, files) => Effect.as(files.remove(`${folder}/data/chat.sqlite-search`), `${folder}/data/chat.sqlite`)
  },
  // The lock on what the file is takes no file; only Linux has it.
  ...(process.platform === "linux" ? [everyLockRemoved] : [])
]

realTime("a database that is in use", (it) => {
  it.effect.each(others)("is refused to a second server through $how, and the first goes on", ({ cause, lead }) =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* FileServer.newFolder
      const first = yield* Logbook.open(`${folder}/data/chat.sqlite`)
      yield* Logbook.write(first, [message("one")])
      const file = yield* lead(folder, files)
      const { message: problem } = yield* Effect.flip(Effect.scoped(Logbook.open(file)))
      assert.include(problem, file)
      assert.match(problem, cause ?? /another server or command is using it\. Stop that one, or set DATABASE/)
      assert.notInclude(problem, "\n")
      assert.deepStrictEqual(yield* Logbook.contents(first), ["1 one"])
    })
  )

  it.effect("can be used again once the first was killed, whatever it left behind", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* FileServer.newFolder
      const server = yield* FileServer.start(`${folder}/data/chat.sqlite`)
      yield* files.symlink(`${folder}/data`, `${folder}/link`)
      const refused = yield* Effect.flip(Effect.scoped(Logbook.open(`${folder}/link/chat.sqlite`)))
      assert.match(refused.message, /another server or command is using it/)
      yield* server.kill("SIGKILL")
      yield* Effect.scoped(
        Effect.andThen(Logbook.open(`${folder}/link/chat.sqlite`), (history) =>
          Logbook.write(history, [message("one")])
        )
      )
      assert.isFalse(yield* files.exists(`${folder}/data/chat.sqlite-lock`))
    })
  )
})

interface Taking {
  readonly what: string
  readonly take: (folder: string, files: FileSystem.FileSystem) => Effect.Effect<unknown, PlatformError.PlatformError>
  /** Brings the same file back, where that can be done. */
  readonly bringBack?: (
    folder: string,
    files: FileSystem.FileSystem
  ) => Effect.Effect<unknown, PlatformError.PlatformError>
}

const rename = (from: string, to: string) => (folder: string, files: FileSystem.FileSystem) =>
  files.rename(`${folder}/${from}`, `${folder}/${to}`)

const takings: ReadonlyArray<Taking> = [
  { what: "was deleted", take: (folder, files) => files.remove(`${folder}/data/chat.sqlite`) },
  {
    what: "was renamed",
    take: rename("data/chat.sqlite", "data/kept"),
    bringBack: rename("data/kept", "data/chat.sqlite")
  },
  {
    what: "was replaced by a copy",
    take: (folder, files) =>
      Effect.gen(function* () {
        yield* files.copyFile(`${folder}/data/chat.sqlite`, `${folder}/copy`)
        yield* files.rename(`${folder}/copy`, `${folder}/data/chat.sqlite`)
      })
  },
  { what: "has lost its log", take: (folder, files) => files.remove(`${folder}/data/chat.sqlite-wal`) },
  { what: "was renamed with its folder", take: rename("data", "moved"), bringBack: rename("moved", "data") }
]

realTime("while it is in use, the database", (it) => {
  it.effect.each(takings)("$what: what is sent is refused from then on, and the log says so once", (taking) =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* FileServer.newFolder
      const said: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        said.push(`${logLevel} ${String(message)}`)
      })
      const told = () => said.filter((line) => line.includes("was deleted, renamed or replaced"))
      const program = Effect.gen(function* () {
        const history = yield* Logbook.open(`${folder}/data/chat.sqlite`)
        yield* Logbook.write(history, [message("one")])

        yield* taking.take(folder, files)
        // At once, and not only when somebody has noticed.
        for (const content of ["two", "three"]) {
          assert.strictEqual(
            (yield* Effect.flip(Logbook.write(history, [message(content)])))._tag,
            "StorageUnavailable"
          )
        }
        assert.deepStrictEqual(yield* Logbook.contents(history), ["1 one"])
        yield* Eventually.isSo("the log told of it", () => told().length > 0)
        assert.match(told()[0] ?? "", /^Error .*chat\.sqlite.* Put it back, or restart the server/)
        if (taking.bringBack === undefined) return
        yield* taking.bringBack(folder, files)
        const [again] = yield* Logbook.write(history, [message("two")])
        assert.propertyVal(again, "seq", 2)
        yield* Eventually.isSo("the log told that it is back", () =>
          said.some((line) => /^Info .*files are back/.test(line))
        )
        assert.lengthOf(told(), 1)
        assert.deepStrictEqual(yield* Logbook.contents(history), ["1 one", "2 two"])
      })
      yield* Effect.scoped(program).pipe(Effect.provide(Logger.layer([logger])))
      if (taking.bringBack === undefined) return
      const after = yield* Logbook.open(`${folder}/data/chat.sqlite`)
      assert.deepStrictEqual(yield* Logbook.contents(after), ["1 one", "2 two"])
    })
  )
})

interface Overwriting extends Pick<Taking, "take" | "what"> {
  /** Nothing more is promised: the next commit sees it. */
  readonly isSeenAtOnce?: true
}

const overwritings: ReadonlyArray<Overwriting> = [
  {
    what: "gets an older copy of itself copied onto it",
    take: (folder, files) =>
      Effect.gen(function* () {
        yield* files.copyFile(`${folder}/older`, `${folder}/copied`)
        yield* files.writeFile(`${folder}/data/chat.sqlite`, yield* files.readFile(`${folder}/copied`))
      })
  },
  {
    what: "gets its log emptied",
    isSeenAtOnce: true,
    take: (folder, files) => files.truncate(`${folder}/data/chat.sqlite-wal`)
  },
  {
    what: "gets the end of its log cut off",
    isSeenAtOnce: true,
    take: (folder, files) => files.truncate(`${folder}/data/chat.sqlite-wal`, 4096)
  },
  {
    what: "gets an older copy of its log back",
    isSeenAtOnce: true,
    take: (folder, files) =>
      Effect.flatMap(files.readFile(`${folder}/older-wal`), (bytes) =>
        files.writeFile(`${folder}/data/chat.sqlite-wal`, bytes)
      )
  },
  {
    what: "gets another log written over its own",
    take: (folder, files) =>
      Effect.flatMap(files.readFile(`${folder}/data/chat.sqlite-wal`), (bytes) =>
        files.writeFile(`${folder}/data/chat.sqlite-wal`, bytes.fill(0x2a, 16, 24), { flag: "r+" })
      )
  }
]

realTime("while it is in use, a database that", (it) => {
  it.effect.each(overwritings)(
    "$what stores nothing any more within two seconds, and the log says why",
    (overwriting) =>
      Effect.gen(function* () {
        const { isSeenAtOnce, take } = overwriting
        const files = yield* FileSystem.FileSystem
        const folder = yield* FileServer.newFolder
        const said: Array<string> = []
        const logger = Logger.make(({ cause, logLevel, message }) => {
          said.push(`${logLevel} ${String(message)} ${Cause.pretty(cause)}`)
        })
        const program = Effect.gen(function* () {
          const history = yield* Logbook.open(`${folder}/data/chat.sqlite`)
          yield* Logbook.write(history, [message("zero")])
          for (const ending of ["", "-wal"]) {
            yield* files.copyFile(`${folder}/data/chat.sqlite${ending}`, `${folder}/older${ending}`)
          }
          yield* Logbook.write(history, [message("one")])
          yield* take(folder, files)
          if (isSeenAtOnce === true) {
            assert.strictEqual(
              (yield* Effect.flip(Logbook.write(history, [message("two")])))._tag,
              "StorageUnavailable"
            )
          }
          yield* Eventually.isSo("the log told of it", () =>
            said.some((line) => /^Error [^]*chat\.sqlite\S* was written to by another[^]*pnpm admin verify/.test(line))
          )
          assert.strictEqual((yield* Effect.flip(Logbook.write(history, [message("two")])))._tag, "StorageUnavailable")
        })
        yield* Effect.scoped(program).pipe(Effect.provide(Logger.layer([logger])))
      })
  )
})
