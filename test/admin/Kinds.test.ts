/** What `pnpm admin` makes of edits, deletions and reactions: verify, export, backup, rooms and rmroom. */
import { readFileSync } from "node:fs"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, FileSystem, Layer, Schema } from "effect"
import type { Body } from "../../src/common/log/Entry.ts"
import { RoomName } from "../../src/common/name/RoomName.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { StandingMessage } from "../../src/common/wire/EntryMessage.ts"
import { backup } from "../../src/server/admin/Backup.ts"
import * as NewFile from "../../src/server/admin/NewFile.ts"
import { Progress } from "../../src/server/admin/Progress.ts"
import { inspectUnused } from "../../src/server/admin/Verify.ts"
import type { NewEntry } from "../../src/server/history/History.ts"
import { folder, makeDatabase, runHere, said, sqlite } from "./AdminProcess.ts"

const garden = { _tag: "Room", room: RoomName.make("Garden") } as const
const ada = UserName.make("Ada")
const act = (body: Body, from = "Ada"): NewEntry => ({
  ...said(garden, UserName.make(from), ["x"])[0],
  conversation: garden,
  from: UserName.make(from),
  author: undefined,
  key: undefined,
  at: 1_790_000_001_000,
  body
})
const decodeLine = Schema.decodeEffect(Schema.fromJsonString(StandingMessage))
const users = Array.from({ length: 25 }, (_, index) => `user${index}`)

/** Five messages: the second edited and deleted, the third edited, the first reacted to by many, some of whom thought better of it. */
class Lively extends Context.Service<Lively, { readonly bytes: Uint8Array }>()("parley/test/admin/Kinds.test/Lively") {
  static readonly layer = Layer.effect(
    Lively,
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const file = `${(yield* folder).path}/chat.sqlite`
      yield* deeds(file)
      yield* sqlite(file, "INSERT INTO answered_keys SELECT conversation, 'bob a key', id FROM messages WHERE seq = 11")
      return { bytes: yield* files.readFile(file) }
    })
  )
}
/** Made once: this is a copy. */
const lively = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  yield* files.writeFile(file, (yield* Lively).bytes)
})
const deeds = (file: string) =>
  makeDatabase(
    file,
    said(garden, ada, ["one", "a terrible secret", "three", "four", "five"]),
    [
      act({ _tag: "Edited", target: 2, content: `a horrible secret ${"z".repeat(8000)}` }),
      act({ _tag: "Edited", target: 3, content: "drei" }),
      act({ _tag: "Deleted", target: 2 }),
      act({ _tag: "Edited", target: 3, content: "trois" }),
      act({ _tag: "Deleted", target: 5, reason: "no reason" })
    ],
    users.map((user) => act({ _tag: "Reacted", target: 1, reaction: "👍" }, user)),
    [
      act({ _tag: "Reacted", target: 1, reaction: '"' }, "bob"),
      act({ _tag: "Reacted", target: 1, reaction: "👍", removed: true }, "USER3"),
      act({ _tag: "Reacted", target: 2, reaction: "too late" }, "bob")
    ]
  )

const inspected = (file: string) => Effect.provideService(inspectUnused(file, file), Progress, Progress.silent)
const taken = (database: string, file: string) =>
  Effect.provideService(backup({ database, file, isForced: false }), Progress, Progress.silent)

const realTime = layer(Layer.provideMerge(Lively.layer, NodeServices.layer), { excludeTestServices: true })

realTime("pnpm admin, of what is done to messages,", (it) => {
  it.effect("verifies that they stand as the log says", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      yield* lively(file)
      const { messages, problems, remarks } = yield* inspected(file)
      assert.deepStrictEqual({ messages, problems }, { messages: 3, problems: [] })
      assert.deepStrictEqual(remarks, ["2 deleted messages of which a server still has something to erase"])
    })
  )

  it.effect.each([
    {
      fault: "UPDATE standing SET content = 'drei' WHERE content = 'trois'",
      says: /message 3 does not stand as it was edited/
    },
    { fault: "DELETE FROM standing WHERE content = 'trois'", says: /message 3 does not stand as it was edited/ },
    {
      fault: "INSERT INTO standing (id, content, edited) VALUES (4, 'vier', 5)",
      says: /message 4 does not stand as it was/
    },
    { fault: `UPDATE standing SET reactions = '[]' WHERE id = 1`, says: /message 1 does not stand with the reactions/ },
    { fault: "DELETE FROM reactors WHERE user = 'user7'", says: /message 1 does not stand with the reactions/ },
    {
      fault: "INSERT INTO reactors VALUES (1, '👍', 'user3', 'user3', NULL, 14, 5)",
      says: /a reaction that entry 37 takes back still stands/
    },
    { fault: "DELETE FROM reactors WHERE user = 'user7'", says: /the reaction of entry 18 does not stand/ },
    { fault: "DELETE FROM erasures", says: /message 2 was deleted, but an edit of it still holds its text/ },
    { fault: "UPDATE messages SET author = 'somebody' WHERE seq = 4", says: /message 4 is not as it was stored/ },
    { fault: "UPDATE messages SET kind = 'Said' WHERE seq = 2", says: /message 2 is not as it was stored/ },
    { fault: "UPDATE messages SET kind = 'Shouted' WHERE seq = 4", says: /message 4 is not valid/ },
    {
      fault: "INSERT INTO answered_keys VALUES (9, 'a', 1)",
      says: /1 key answered with entries of other conversations/
    },
    { fault: "UPDATE incarnation SET epoch = ''", says: /the epoch is not valid/ }
  ])("finds with verify what is otherwise: $fault", ({ fault, says }) =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      yield* lively(file)
      yield* sqlite(file, fault)
      const { isSound, problems } = yield* inspected(file)
      assert.isFalse(isSound)
      assert.isTrue(
        problems.some((problem) => says.test(problem)),
        problems.join("\n")
      )
    })
  )

  it.effect("exports messages as they stand and read on the wire, deleted ones as tombstones", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      yield* lively(file)
      const { exitCode, stderr, stdout } = yield* runHere(["export", "garden"], { DATABASE: file })
      assert.deepStrictEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" })
      const lines = yield* Effect.forEach(stdout.trim().split("\n"), (line) => decodeLine(line))
      assert.deepStrictEqual(
        lines.map((line) => [
          line.seq,
          line._tag,
          line._tag === "Tombstone" ? line.deletedBy : "content" in line ? line.content : undefined
        ]),
        [
          [1, "RoomMessage", "one"],
          [2, "Tombstone", "Ada"],
          [3, "RoomMessage", "trois"],
          [4, "RoomMessage", "four"],
          [5, "Tombstone", "Ada"]
        ]
      )
      assert.deepNestedPropertyVal(lines[0], "reactions", [
        { reaction: "👍", count: 24, users: users.filter((user) => user !== "user3").slice(0, 20) },
        { reaction: '"', count: 1, users: ["bob"] }
      ])
      assert.notInclude(stdout, "secret")
    })
  )

  it.effect("takes a backup in which nothing is left of what was deleted, and everything else is", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      yield* lively(file)
      // The server has not erased the edit yet.
      assert.include(readFileSync(file, "latin1"), "horrible secret")
      const { messages, problems, remarks } = yield* taken(file, `${path}/copy`)
      assert.deepStrictEqual({ messages, problems, remarks }, { messages: 3, problems: [], remarks: [] })
      const bytes = readFileSync(`${path}/copy`, "latin1")
      for (const word of ["secret", "zzzz", "terrible"]) assert.notInclude(bytes, word)
      const exported = (database: string) =>
        Effect.map(runHere(["export", "garden"], { DATABASE: database }), ({ stdout }) => stdout)
      assert.strictEqual(yield* exported(`${path}/copy`), yield* exported(file))
      for (const table of ["reactors", "answered_keys"]) {
        const rows = (database: string) => sqlite(database, `SELECT * FROM ${table}`)
        assert.deepStrictEqual(yield* rows(`${path}/copy`), yield* rows(file))
      }
    })
  )

  it.effect("counts what was said, and leaves nothing beside when a room is removed", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      yield* lively(file)
      const environment = { DATABASE: file }
      assert.include((yield* runHere(["rooms", "--json"], environment)).stdout, '"name":"Garden","messages":3')
      const removed = yield* runHere(["rmroom", "garden", "--yes"], environment)
      assert.strictEqual(removed.exitCode, 0, removed.stderr)
      for (const table of ["messages", "standing", "reactors", "erasures", "answered_keys"]) {
        assert.deepStrictEqual(yield* sqlite(file, `SELECT * FROM ${table}`), [])
      }
      assert.notInclude(readFileSync(file, "latin1"), "secret")
    })
  )

  it.effect("tells with export how many messages RETENTION took before they could be read", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      yield* lively(file)
      // As if they went after the first and the last place were read.
      yield* sqlite(file, "DELETE FROM messages WHERE seq BETWEEN 3 AND 4")
      const { exitCode, stderr } = yield* runHere(["export", "garden"], { DATABASE: file })
      assert.strictEqual(stderr, "2 messages in between were deleted (RETENTION) before they could be read.\n")
      assert.strictEqual(exitCode, 0)
    })
  )

  it.effect("has a new file on the disk before it gets its name", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const files = yield* FileSystem.FileSystem
      const done: Array<string> = []
      const short = (name: string) => name.slice(path.length)
      const noting = FileSystem.make({
        ...files,
        open: (name, options) =>
          Effect.map(files.open(name, options), (file) => {
            if (options?.flag !== "r") return file
            return new Proxy(file, {
              get: (target, field) =>
                field === "sync"
                  ? Effect.tap(target.sync, () => Effect.sync(() => done.push(`sync ${short(name)}`)))
                  : Reflect.get(target, field, target)
            })
          }),
        rename: (from, to) =>
          Effect.tap(files.rename(from, to), () => Effect.sync(() => done.push(`rename ${short(from)} ${short(to)}`)))
      })
      yield* NewFile.write({ file: `${path}/new`, database: `${path}/chat.sqlite`, isForced: false }, (partial) =>
        files.writeFileString(partial, "whole")
      ).pipe(Effect.provideService(FileSystem.FileSystem, noting))
      assert.deepStrictEqual(done, ["sync /new.partial", "rename /new.partial /new", "sync "])
    })
  )
})
