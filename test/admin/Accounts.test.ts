/** What verify, backup and rmroom make of accounts and what belongs to them. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, FileSystem, Layer } from "effect"
import { RoomName } from "../../src/common/name/RoomName.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { Accounts } from "../../src/server/accounts/Accounts.ts"
import { Memberships } from "../../src/server/accounts/Memberships.ts"
import { backup } from "../../src/server/admin/Backup.ts"
import { Progress } from "../../src/server/admin/Progress.ts"
import { removeRoom } from "../../src/server/admin/RemoveRoom.ts"
import { toText } from "../../src/server/admin/Report.ts"
import { inspectUnused } from "../../src/server/admin/Verify.ts"
import { AccountId } from "../../src/server/session/AccountId.ts"
import * as Database from "../../src/server/store/Database.ts"
import { hash, key, newAccount } from "../server/accounts/AccountsAsked.ts"
import { folder, makeDatabase, said, sqlite } from "./AdminProcess.ts"

const ada = { account: AccountId.make(1), user: UserName.make("Ada") }
const garden = RoomName.make("Garden")
const quiet = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideService(effect, Progress, Progress.silent)
const inspected = (file: string) => quiet(inspectUnused(file, file))

/** Ada with a device and a key, and Bob, both in the garden, in which three things were said. */
const populated = Effect.gen(function* () {
  const { path } = yield* folder
  const file = `${path}/chat.sqlite`
  yield* makeDatabase(file, said({ _tag: "Room", room: garden }, UserName.make("Ada"), ["a", "b", "c"]))
  yield* Effect.gen(function* () {
    const services = yield* Layer.build(Database.layerFile({ file, retention: "forever" }))
    const accounts = Context.get(services, Accounts)
    const memberships = Context.get(services, Memberships)
    yield* accounts.create(newAccount("Ada", { device: { name: "laptop", token: hash("token") } }))
    yield* accounts.create(newAccount("Bob"))
    yield* accounts.addKey(ada.account, key("1"))
    yield* accounts.addInvite({ code: hash("invite"), uses: 1, expires: undefined }, 1)
    yield* memberships.join(ada, garden, 3)
    yield* memberships.join({ account: AccountId.make(2), user: UserName.make("Bob") }, garden, 2)
  }).pipe(Effect.scoped)
  return { path, file }
})

layer(NodeServices.layer, { excludeTestServices: true })("pnpm admin, of accounts,", (it) => {
  it.effect("verifies them, and says how many there are", () =>
    Effect.gen(function* () {
      const { file } = yield* populated
      const report = yield* inspected(file)
      assert.deepStrictEqual([report.problems, report.remarks, report.accounts], [[], [], 2])
      assert.include(toText(report), "  accounts  2\n")
    })
  )

  it.effect("finds with verify what is otherwise, and tells nothing that is secret", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { file, path } = yield* populated
      const broken = `${path}/broken.sqlite`
      const finds = Effect.fnUntraced(function* (statement: string, ...expected: ReadonlyArray<string>) {
        yield* files.copyFile(file, broken)
        yield* sqlite(broken, "PRAGMA foreign_keys = OFF", statement)
        const { problems } = yield* inspected(broken)
        assert.deepStrictEqual(
          problems,
          expected.map((problem) => problem),
          statement
        )
        assert.notMatch(problems.join(), /secret/)
      })
      yield* finds(
        "INSERT INTO devices (account, name, since, last_seen, newest) VALUES (7, 'x', 1, 1, 'secret')",
        "row 2 of devices belongs to none of accounts",
        "1 device with something else than the hash of a token. Restore a backup."
      )
      yield* finds(
        "INSERT INTO memberships VALUES (7, 'hut', 'Hut')",
        "a row of memberships belongs to none of accounts"
      )
      yield* finds("INSERT INTO marks VALUES (7, 'lobby', NULL, 0)", "a row of marks belongs to none of accounts")
      yield* finds(
        "UPDATE accounts SET name_key = 'eve' WHERE id = 1",
        'account 1 (Ada) has the key "eve" instead of "ada". Restore a backup.'
      )
      yield* finds(
        "UPDATE accounts SET state = 'Asleep' WHERE id = 2",
        "account 2 (Bob) is not valid. Restore a backup."
      )
      yield* finds(
        "UPDATE accounts SET reset_code = 'secret'",
        ...["Ada", "Bob"].map((name, index) => `account ${index + 1} (${name}) is not valid. Restore a backup.`)
      )
      yield* finds(
        "UPDATE invites SET code = 'secret'",
        "1 invite with something else than the hash of a code. Restore a backup."
      )
      yield* finds(
        "UPDATE accounts SET state = 'Deleted' WHERE id = 1",
        "1 deleted account with devices that are left. Restore a backup.",
        "1 deleted account with keys that are left. Restore a backup.",
        "1 deleted account with memberships that are left. Restore a backup.",
        "1 deleted account with marks that are left. Restore a backup.",
        "1 deleted account with a password that is left. Restore a backup."
      )
      yield* finds(
        "UPDATE memberships SET room_key = 'hut' WHERE account = 1",
        'members of room Garden stand under the key "hut". Restore a backup.'
      )
      yield* finds(
        "UPDATE marks SET seq = 4 WHERE account = 1",
        "1 read mark beyond the newest message. Restore a backup."
      )
      yield* files.copyFile(file, broken)
      yield* sqlite(broken, "DELETE FROM marks WHERE account = 1")
      assert.deepStrictEqual((yield* inspected(broken)).remarks, [
        "1 membership without a read mark: all there is counts as unread"
      ])
    })
  )

  it.effect("has all of them in a backup, with the numbers that were given", () =>
    Effect.gen(function* () {
      const { file, path } = yield* populated
      yield* sqlite(file, "DELETE FROM accounts WHERE id = 2")
      yield* quiet(backup({ file: `${path}/copy`, database: file, isForced: false }))
      const all = (database: string) =>
        Effect.forEach(["accounts", "devices", "keys", "invites", "memberships", "marks"], (table) =>
          sqlite(database, `SELECT * FROM ${table}`)
        )
      assert.deepStrictEqual(yield* all(`${path}/copy`), yield* all(file))
      assert.deepStrictEqual(
        yield* sqlite(
          `${path}/copy`,
          "INSERT INTO accounts (name_key, name, since, last_seen) VALUES ('x', 'X', 1, 1) RETURNING id"
        ),
        [Object.assign(Object.create(null), { id: 3 })]
      )
    })
  )

  it.effect("leaves nobody in a room that is removed", () =>
    Effect.gen(function* () {
      const { file } = yield* populated
      yield* quiet(removeRoom({ database: file, room: "garden" }))
      assert.deepStrictEqual(yield* sqlite(file, "SELECT * FROM memberships"), [])
      assert.deepStrictEqual(yield* sqlite(file, "SELECT * FROM marks"), [])
    })
  )
})
