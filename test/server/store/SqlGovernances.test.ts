/** How rooms are governed, in a SQLite file: held to the same contract as every other, over restarts, and with damaged rows. */
import { DatabaseSync } from "node:sqlite"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Exit, FileSystem, Layer, Logger, Scope } from "effect"
import type { SharedConversation } from "../../../src/common/log/Conversation.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { Accounts } from "../../../src/server/accounts/Accounts.ts"
import { Memberships } from "../../../src/server/accounts/Memberships.ts"
import { type Governance, ungoverned } from "../../../src/server/governance/Governance.ts"
import { keyless } from "../../../src/server/governance/Sealing.ts"
import { Governances } from "../../../src/server/history/Governances.ts"
import { History } from "../../../src/server/history/History.ts"
import * as Database from "../../../src/server/store/Database.ts"
import { silently } from "../../support/FaultyServer.ts"
import { tries } from "../../support/generators.ts"
import { newAccount } from "../accounts/AccountsAsked.ts"
import { ownerOf } from "../accounts/DeviceListsContract.ts"
import { agree, governancesContract, someSteps } from "../history/GovernancesContract.ts"
import { holders } from "../history/NaiveGovernances.ts"
import { sealed } from "../history/SealedRoomsContract.ts"
import { entry, newFile } from "./OpenLog.ts"

const fresh = Layer.unwrap(Effect.map(newFile, (file) => Database.layerFile({ file, retention: "forever" }))).pipe(
  Layer.provide(NodeFileSystem.layer)
)

governancesContract("SqlGovernances", fresh, 10)

/** Opens the file for as long as the scope is open. */
const open = (file: string) => Layer.build(Database.layerFile({ file, retention: "forever" }))

const [ada, ben] = holders
const room = (name: string) => ({ _tag: "Room" as const, room: RoomName.make(name) })
const lobby: SharedConversation = { _tag: "Lobby" }
const governed: Governance = {
  ...ungoverned(7),
  owner: ada,
  topic: "tea",
  bans: [{ ...ben, by: ada.user, until: 2000, reason: "noise" }],
  mutes: [{ user: ben.user, network: "192.0.2.1", by: ada.user }]
}

/** A file in which these are governed so. */
const fileWith = Effect.fnUntraced(function* (...places: ReadonlyArray<SharedConversation>) {
  const file = yield* newFile
  yield* Effect.scoped(
    Effect.gen(function* () {
      const governances = Context.get(yield* open(file), Governances)
      for (const place of places) yield* governances.put(place, governed)
    })
  )
  return file
})

const spoilRows = (file: string, statement: string) =>
  Effect.sync(() => {
    const database = new DatabaseSync(file)
    database.exec(statement)
    database.close()
  })

/** Opens a file, and notes the errors that are logged meanwhile. */
const openNoting = Effect.fnUntraced(function* (file: string) {
  const errors: Array<string> = []
  const noting = Logger.make(({ logLevel, message }) => void (logLevel === "Error" && errors.push(String(message))))
  const services = yield* Effect.provide(open(file), Logger.layer([noting]))
  return { errors, governances: Context.get(services, Governances) }
})

layer(NodeFileSystem.layer, { excludeTestServices: true })("SqlGovernances", (it) => {
  it.effect.prop(
    "tell the same after a stop and a start",
    [someSteps],
    ([steps]) =>
      Effect.gen(function* () {
        const file = yield* newFile
        const first = yield* Scope.make()
        const begun = yield* Scope.provide(open(file), first)
        const restart = Effect.andThen(Scope.close(first, Exit.void), open(file))
        yield* Effect.ensuring(agree(steps, begun, restart), Scope.close(first, Exit.void))
      }).pipe(Effect.scoped),
    tries(6, 30)
  )

  it.effect("end a membership in the commit of the entry that puts somebody out", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const dev = room("dev")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const services = yield* open(file)
          yield* Context.get(services, Accounts).create(newAccount("ada"))
          yield* Context.get(services, Accounts).create(newAccount("ben"))
          const memberships = Context.get(services, Memberships)
          for (const member of [ada, ben]) yield* memberships.join(member, dev.room, 0)
          const kicked = { _tag: "Kicked", user: ben.user } as const
          yield* Context.get(services, History).append([
            entry("", { conversation: dev, body: kicked, governance: governed, dismissed: ben.account })
          ])
        })
      )
      const services = yield* open(file)
      const members = yield* Context.get(services, Memberships).members(dev.room)
      assert.deepStrictEqual(
        members.map(({ account }) => account),
        [ada.account]
      )
      assert.deepStrictEqual(Context.get(services, Governances).get(dev), governed)
    }).pipe(Effect.scoped)
  )

  it.effect("write no more than an act changes, however many are banned and muted there", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const dev = room("dev")
      const { size } = yield* FileSystem.FileSystem.pipe(Effect.map((files) => ({ size: files.stat(`${file}-wal`) })))
      const history = Context.get(yield* open(file), History)
      const act = (governance: Governance) =>
        history.append([entry("", { conversation: dev, body: { _tag: "TopicSet", topic: "tea" }, governance })])
      const many = Array.from({ length: 200 }, (_, number) => ({
        user: UserName.make(`guest${number}`),
        by: ada.user,
        reason: "x".repeat(300)
      }))
      const before = { ...governed, bans: many, mutes: many }
      yield* act(before)
      const written = Number((yield* size).size)
      yield* act({ ...before, topic: "coffee" })
      yield* act({ ...before, mutes: many.slice(1) })
      yield* act({ ...before, mutes: [...many.slice(1), { ...governed.bans[0], user: ben.user, by: ada.user }] })
      assert.isAbove(written, 120_000)
      assert.isBelow(Number((yield* size).size) - written, 120_000)
    }).pipe(Effect.scoped)
  )

  it.effect(
    "keep a room encrypted of which nothing else can be read, so that nobody says anything there in the open",
    () =>
      Effect.gen(function* () {
        const file = yield* newFile
        const vault = { _tag: "Room", room: RoomName.make("Vault") } as const
        yield* Effect.scoped(
          Effect.gen(function* () {
            const services = yield* open(file)
            const [one] = yield* ownerOf(services, 1)
            assert(one !== undefined)
            yield* Context.get(services, History).append([
              sealed({ begun: [one] }, { here: true, body: { _tag: "KeysReset", device: one.device, incarnation: 3 } })
            ])
          })
        )
        yield* spoilRows(file, "UPDATE governance SET state = '{' WHERE conversation_key = 'room:vault'")
        const { errors, governances } = yield* openNoting(file)
        assert.deepStrictEqual(governances.get(vault), {
          ...ungoverned(0),
          isPrivate: true,
          keys: { ...keyless, incarnation: 3 }
        })
        assert.lengthOf(errors, 1)
      }).pipe(Effect.scoped)
  )

  it.effect("forget whom a room bound with the room, and bind nobody by rows of another", () =>
    Effect.gen(function* () {
      const file = yield* fileWith(room("dev"), room("ops"))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const services = yield* open(file)
          yield* Context.get(services, Governances).forget(room("dev").room)
        })
      )
      const database = new DatabaseSync(file)
      const left = database.prepare("SELECT conversation_key FROM bounds").all()
      database.close()
      assert.deepStrictEqual(
        left.map(({ conversation_key: key }) => key),
        ["room:ops", "room:ops"]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("read what was stored in one piece by an older parley", () =>
    Effect.gen(function* () {
      const file = yield* fileWith(room("dev"), lobby)
      const whole = JSON.stringify(governed)
      yield* spoilRows(
        file,
        `DROP TABLE bounds; DROP TABLE welcomed; DROP TABLE welcomes; DROP TABLE intervals; DROP TABLE key_packages;
         DROP TABLE device_entries; DROP INDEX messages_sealed; UPDATE governance SET state = '${whole}';
         DELETE FROM effect_sql_migrations WHERE migration_id >= 11`
      )
      const { errors, governances } = yield* openNoting(file)
      assert.deepStrictEqual([governances.get(room("dev")), governances.get(lobby)], [governed, governed])
      assert.deepStrictEqual(errors, [])
    }).pipe(Effect.scoped)
  )

  it.effect.each([
    ["no JSON", "'{'"],
    ["another thing", `'{"isPrivate":false}'`],
    ["nothing", "''"],
    ["bytes", "x'ff00'"]
  ])("take a room of which %s is stored for private and nobody's, say so once, and lose no other", ([, state]) =>
    Effect.gen(function* () {
      const file = yield* fileWith(room("dev"), room("ops"), lobby)
      yield* spoilRows(file, `UPDATE governance SET state = ${state} WHERE conversation_key = 'room:dev'`)
      const { errors, governances } = yield* openNoting(file)
      assert.deepStrictEqual(governances.get(room("DEV")), { ...ungoverned(0), isPrivate: true })
      assert.deepStrictEqual(governances.get(room("ops")), governed)
      assert.deepStrictEqual(governances.get(lobby), governed)
      assert.deepStrictEqual(governances.owned(ada.account), [room("ops").room])
      assert.lengthOf(errors, 1)
      assert.match(errors[0] ?? "", /the room dev .*cannot be read.*admin verify/)
    }).pipe(Effect.scoped)
  )

  it.effect("lose the mutes of the lobby, and nothing else, where its row is damaged", () =>
    Effect.gen(function* () {
      const file = yield* fileWith(room("dev"), lobby)
      yield* spoilRows(file, "UPDATE governance SET state = 'x' WHERE conversation_key = 'lobby'")
      const { errors, governances } = yield* openNoting(file)
      assert.isUndefined(governances.get(lobby))
      assert.deepStrictEqual(governances.get(room("dev")), governed)
      assert.lengthOf(errors, 1)
      assert.match(errors[0] ?? "", /the lobby/)
    }).pipe(Effect.scoped)
  )

  it.effect.each(["'{'", "x'ff00'", `'{"user":"ben"}'`])(
    "take a room for private and nobody's, too, if one of its bans is %s",
    (state) =>
      Effect.gen(function* () {
        const file = yield* fileWith(room("dev"), room("ops"))
        yield* spoilRows(
          file,
          `UPDATE bounds SET state = ${state} WHERE conversation_key = 'room:dev' AND kind = 'bans'`
        )
        const { errors, governances } = yield* openNoting(file)
        assert.deepStrictEqual(governances.get(room("dev")), { ...ungoverned(0), isPrivate: true })
        assert.deepStrictEqual(governances.get(room("ops")), governed)
        assert.match(errors.join(), /the room dev .*cannot be read.*admin verify/)
      }).pipe(Effect.scoped)
  )

  it.effect("govern a damaged room again once an admin has named an owner, also after another start", () =>
    Effect.gen(function* () {
      const file = yield* fileWith(room("dev"))
      yield* spoilRows(file, "UPDATE governance SET state = 'x'")
      const owned = { ...ungoverned(0), isPrivate: true, owner: ben }
      yield* Effect.scoped(
        Effect.gen(function* () {
          const services = yield* open(file)
          yield* Context.get(services, History).append([
            entry("", {
              conversation: room("dev"),
              body: { _tag: "RoleSet", user: ben.user, role: "owner" },
              governance: owned
            })
          ])
        })
      )
      const { errors, governances } = yield* openNoting(file)
      assert.deepStrictEqual(governances.get(room("dev")), owned)
      assert.deepStrictEqual(errors, [])
    }).pipe(Effect.scoped, silently)
  )
})
