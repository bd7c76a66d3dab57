import { readFileSync, writeFileSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
/** Memberships in a SQLite file, held to the same contract as every other, and over restarts. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Array as Arr, Context, Effect, Exit, Layer, Scope } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { Accounts } from "../../../src/server/accounts/Accounts.ts"
import { Memberships } from "../../../src/server/accounts/Memberships.ts"
import { History, type NewEntry } from "../../../src/server/history/History.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import * as SqliteClient from "../../../src/server/sql/SqliteClient.ts"
import * as Database from "../../../src/server/store/Database.ts"
import { migrate } from "../../../src/server/store/Migrations.ts"
import * as UnreadTables from "../../../src/server/store/UnreadTables.ts"
import { tries } from "../../support/generators.ts"
import { newAccount } from "../accounts/AccountsAsked.ts"
import { membershipsContract } from "../accounts/MembershipsContract.ts"
import { agree } from "../accounts/MembershipsProperties.ts"
import { someSteps } from "../accounts/NaiveMemberships.ts"
import { entry, newFile, room, spoil } from "./OpenLog.ts"

const fresh = Layer.unwrap(Effect.map(newFile, (file) => Database.layerFile({ file, retention: "forever" }))).pipe(
  Layer.provide(NodeFileSystem.layer)
)

membershipsContract("SqlMemberships", fresh, 15)

/** Opens the file for as long as the scope is open. */
const open = (file: string, scope: Scope.Scope) =>
  Scope.provide(Layer.build(Database.layerFile({ file, retention: "forever" })), scope)

layer(NodeFileSystem.layer, { excludeTestServices: true })("SqlMemberships", (it) => {
  it.effect.prop(
    "count the same after a stop and a start",
    [someSteps],
    ([steps]) =>
      Effect.gen(function* () {
        const file = yield* newFile
        let scope = yield* Scope.make()
        const restart = Effect.gen(function* () {
          yield* Scope.close(scope, Exit.void)
          scope = yield* Scope.make()
          return yield* open(file, scope)
        })
        yield* Effect.ensuring(
          agree(steps, yield* open(file, scope), restart),
          Effect.suspend(() => Scope.close(scope, Exit.void))
        )
      }).pipe(Effect.scoped),
    tries(6, 40)
  )

  const ada = { account: AccountId.make(1), user: UserName.make("ada") }
  const dev = RoomName.make("dev")
  const spoken = Effect.fnUntraced(function* (file: string, count: number, content = "hi") {
    const services = yield* Layer.build(Database.layerFile({ file, retention: "forever" }))
    yield* Context.get(services, Accounts).create(newAccount("ada"))
    const entries = Arr.makeBy(count, () => entry(content, { conversation: room("dev"), from: UserName.make("bob") }))
    if (Arr.isReadonlyArrayNonEmpty(entries)) yield* Context.get(services, History).append(entries)
    yield* Context.get(services, History).append([entry("a"), entry("b"), entry("c")])
    return Context.get(services, Memberships)
  })

  it.effect("do not take the mark of a log that is gone for one of a log that is new", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const before = Effect.flatMap(spoken(file, 5), (memberships) =>
        Effect.all([
          memberships.join(ada, dev, 5),
          memberships.mark(ada.account, { _tag: "Room", room: dev }, 5),
          memberships.mark(ada.account, { _tag: "Lobby" }, 3)
        ])
      )
      assert.deepStrictEqual(yield* Effect.scoped(before), [5, 5, 3])
      // As after a crash between the end of the log and that of what belongs to it.
      const database = new DatabaseSync(file)
      database.exec("DELETE FROM messages; DELETE FROM conversations")
      database.close()
      const memberships = yield* spoken(file, 7)
      const { lobbyRead, rooms } = yield* memberships.standing(ada)
      assert.strictEqual(lobbyRead, 0)
      assert.deepInclude(rooms[0], { seq: 7, read: 0, unread: 7 })
      assert.strictEqual(yield* memberships.mark(ada.account, { _tag: "Room", room: dev }, 2), 2)
      assert.deepInclude((yield* memberships.standing(ada)).rooms[0], { read: 2, unread: 5 })
    }).pipe(Effect.scoped)
  )

  it.effect("look for mentions in so much text of a room and no more, the newest first", () =>
    Effect.gen(function* () {
      const memberships = yield* spoken(yield* newFile, 100, `@ada ${"x".repeat(8000)}`)
      yield* memberships.join(ada, dev, 0)
      const { rooms } = yield* memberships.standing(ada)
      assert.deepInclude(rooms[0], { unread: 100, mentions: Math.ceil(131_072 / 8005) })
    }).pipe(Effect.scoped)
  )

  it.effect("read no text beyond that: where it is damaged, all is counted", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const text = (middle: string) => `@ada ${"語".repeat(4000)}${middle}${"語".repeat(4000)}`
      yield* Effect.scoped(
        Effect.gen(function* () {
          const services = yield* open(file, yield* Effect.scope)
          yield* Context.get(services, Accounts).create(newAccount("ada"))
          const said = { conversation: room("dev"), from: UserName.make("bob") }
          const history = Context.get(services, History)
          yield* history.append([entry(text("the oldest"), said), entry("no mention", said)])
          const edit = { _tag: "Edited", target: 2, content: text("as edited") } as const
          yield* history.append([entry("", { ...said, body: edit })])
          yield* history.append(Arr.makeBy(20, () => entry(text("newer"), said)) as [NewEntry])
          yield* Context.get(services, Memberships).join(ada, dev, 0)
        })
      )
      const database = new DatabaseSync(file)
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)")
      database.close()
      for (const marker of ["the oldest", "as edited"]) spoil(file, marker)
      const services = yield* Layer.build(Database.layerFile({ file, retention: "forever" }))
      const { rooms } = yield* Context.get(services, Memberships).standing(ada)
      assert.deepInclude(rooms[0], { unread: 22, mentions: Math.ceil(131_072 / Buffer.byteLength(text("newer"))) })
    }).pipe(Effect.scoped)
  )

  it.effect("are told all the same where the log is damaged, if not what is unread there", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      yield* Effect.scoped(
        Effect.gen(function* () {
          const memberships = yield* spoken(file, 3000)
          for (const name of ["a", "dev", "z"]) yield* memberships.join(ada, RoomName.make(name), 0)
          yield* memberships.mark(ada.account, { _tag: "Lobby" }, 0)
        })
      )
      const database = new DatabaseSync(file)
      const page = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'messages_standing'").get()
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)")
      database.close()
      const bytes = readFileSync(file)
      const start = (Number(page?.["rootpage"]) - 1) * bytes.readUInt16BE(16)
      bytes.fill(0xff, start, start + 8)
      writeFileSync(file, bytes)
      const services = yield* Layer.build(Database.layerFile({ file, retention: "forever" }))
      const { rooms } = yield* Context.get(services, Memberships).standing(ada)
      assert.deepStrictEqual(
        rooms.map(({ room, unread }) => [room, unread]),
        [
          ["a", 0],
          ["dev", 0],
          ["z", 0]
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("count what is unread in the index alone", () =>
    Effect.gen(function* () {
      const sql = yield* SqliteClient.make({
        filename: yield* newFile,
        functions: new URL("../../../src/common/name/FoldName.ts", import.meta.url)
      })
      yield* Effect.provideService(migrate(), SqlClient.SqlClient, sql)
      const [statement, parameters] = UnreadTables.make(sql).statementOfRooms(ada, "", 20).compile()
      const plan = yield* sql.unsafe(`EXPLAIN QUERY PLAN ${statement}`, parameters).values
      const details = plan.map(([, , , detail]) => String(detail)).filter((detail) => detail.includes("messages"))
      assert.deepStrictEqual(details, [
        "SEARCH messages USING COVERING INDEX messages_by_place (conversation=?)",
        "SEARCH messages USING COVERING INDEX messages_standing (conversation=? AND seq>?)",
        // Which are heard is a column of that index, for which SQLite does not call it covering: no row is read all the same.
        "SEARCH messages USING INDEX messages_sealed (conversation=? AND seq>?)"
      ])
    }).pipe(Effect.scoped)
  )
})
