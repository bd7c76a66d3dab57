/** What `pnpm admin` makes of encrypted rooms: rooms, export, verify, backup and rmroom. None of them reads what was sealed. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { RoomName } from "../../src/common/name/RoomName.ts"
import { DeviceLists } from "../../src/server/accounts/DeviceLists.ts"
import { backup } from "../../src/server/admin/Backup.ts"
import { Progress } from "../../src/server/admin/Progress.ts"
import { inspectUnused } from "../../src/server/admin/Verify.ts"
import { History } from "../../src/server/history/History.ts"
import { SealedRooms } from "../../src/server/history/SealedRooms.ts"
import * as Database from "../../src/server/store/Database.ts"
import { entryOf, ownerOf } from "../server/accounts/DeviceListsContract.ts"
import { sealed } from "../server/history/SealedRoomsContract.ts"
import { folder, runHere, sqlite } from "./AdminProcess.ts"

const inspected = (file: string) => Effect.provideService(inspectUnused(file, file), Progress, Progress.silent)
const at = 1_790_000_001_000

/** The room Vault and the conversation of two in which things were sealed; with lists, packages and welcomes. */
const fill = Effect.fnUntraced(function* (file: string) {
  const scope = yield* Scope.make()
  const services = yield* Scope.provide(Layer.build(Database.layerFile({ file, retention: "forever" })), scope)
  const [history, lists] = [Context.get(services, History), Context.get(services, DeviceLists)]
  const [one, other] = yield* ownerOf(services, 2)
  assert(one !== undefined && other !== undefined)
  yield* lists.publish(one.account, entryOf(1, one.device))
  yield* lists.publish(one.account, entryOf(2, other.device))
  yield* lists.addPackages(one, ["AAAA", "BBBB"], "CCCC")
  yield* history.append([
    sealed({ begun: [one] }, { here: true, at }),
    sealed({ begun: [other] }, { welcome: "AAAA", at }),
    sealed({ ended: [other] }, { at })
  ])
  const two = { _tag: "Room", room: RoomName.make("~ada~ben") } as const
  yield* history.append([sealed({ begun: [one] }, { conversation: two, welcome: "BBBB", at })])
  yield* Scope.close(scope, Exit.void)
  return { one, other }
})

layer(NodeServices.layer, { excludeTestServices: true })("pnpm admin, of encrypted rooms,", (it) => {
  it.effect("lists them, marked, and writes out what was sealed, as it stands", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      yield* fill(file)
      const { stdout } = yield* runHere(["rooms", "--json", "--database", file], {})
      const [vault, two] = [
        { name: "Vault", messages: 3, encrypted: true },
        { name: "~ada~ben", messages: 1, encrypted: true }
      ]
      const listed: unknown = JSON.parse(stdout)
      assert(Array.isArray(listed))
      assert.sameDeepMembers(
        listed.map(({ encrypted, messages, name }) => ({ name, messages, encrypted })),
        [two, vault]
      )
      assert.match((yield* runHere(["rooms", "--database", file], {})).stdout, /Vault \(encrypted\)/)
      const exported = yield* runHere(["export", "~ada~ben", "--database", file], {})
      assert.deepInclude(JSON.parse(exported.stdout), { _tag: "Sealed", room: "~ada~ben", seq: 1, data: "AAAA" })
    })
  )

  it.effect("verifies what there is of them, and finds what is not as it should be", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      yield* fill(file)
      const sound = yield* inspected(file)
      assert.deepStrictEqual(sound.problems, [])
      assert.strictEqual(sound.messages, 4)
      yield* sqlite(
        file,
        "PRAGMA foreign_keys = OFF",
        "DELETE FROM device_entries WHERE n = 1",
        "UPDATE intervals SET until = 1 WHERE since = 3",
        "INSERT INTO intervals VALUES ('room:garden', 1, '1', 1, NULL)"
      )
      const { problems } = yield* inspected(file)
      for (const said of [
        /what stands before entry 2 of the devices of account 1 is missing/,
        /1 interval of no encrypted room/,
        /1 interval with an end before the beginning/,
        /belongs to none of governance/
      ]) {
        assert.isTrue(
          problems.some((problem) => said.test(problem)),
          `${String(said)} in ${problems.join("\n")}`
        )
      }
    })
  )

  it.effect(
    "backs them up without packages that may be handed out meanwhile, and removes one with all that is beside",
    () =>
      Effect.gen(function* () {
        const { path } = yield* folder
        const [database, file] = [`${path}/chat.sqlite`, `${path}/copy.sqlite`]
        const { one, other } = yield* fill(database)
        yield* Effect.provideService(backup({ database, file, isForced: false }), Progress, Progress.silent)
        assert.deepStrictEqual((yield* inspected(file)).problems, [])
        yield* Effect.scoped(
          Effect.gen(function* () {
            const services = yield* Layer.build(Database.layerFile({ file, retention: "forever" }))
            const [rooms, lists] = [Context.get(services, SealedRooms), Context.get(services, DeviceLists)]
            const vault = { _tag: "Room", room: RoomName.make("vault") } as const
            assert.deepStrictEqual(yield* rooms.intervals(vault, other), [{ since: 3, until: 3 }])
            assert.lengthOf(yield* rooms.welcomes(one, 0, 9), 1)
            assert.deepStrictEqual(yield* lists.claim([{ ...one, isLastResort: false }]), ["CCCC"])
            assert.lengthOf(yield* lists.entries(one.account, 0, 9), 2)
          })
        )
        const removed = yield* runHere(["rmroom", "vault", "--yes", "--database", database], {})
        assert.strictEqual(removed.exitCode, 0, removed.stderr)
        const left = yield* sqlite(
          database,
          "SELECT (SELECT COUNT(*) FROM intervals) AS intervals, (SELECT COUNT(*) FROM welcomes) AS welcomes, (SELECT COUNT(*) FROM welcomed) AS welcomed"
        )
        assert.deepStrictEqual({ ...left[0] }, { intervals: 1, welcomes: 1, welcomed: 1 })
      })
  )
})
