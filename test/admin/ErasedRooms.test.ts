/** What `pnpm admin` makes of rooms that were deleted and of how rooms are governed: verify, backup, export, rooms and rmroom. */
import { readFileSync } from "node:fs"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { RoomName } from "../../src/common/name/RoomName.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { backup } from "../../src/server/admin/Backup.ts"
import { Progress } from "../../src/server/admin/Progress.ts"
import { removeRoom } from "../../src/server/admin/RemoveRoom.ts"
import { inspectUnused } from "../../src/server/admin/Verify.ts"
import { ungoverned } from "../../src/server/governance/Governance.ts"
import { Governances } from "../../src/server/history/Governances.ts"
import { History } from "../../src/server/history/History.ts"
import { AccountId } from "../../src/server/session/AccountId.ts"
import * as Database from "../../src/server/store/Database.ts"
import { folder, runHere, said, sqlite } from "./AdminProcess.ts"

const ada = UserName.make("Ada")
const shed = { _tag: "Room", room: RoomName.make("Shed") } as const
const garden = { _tag: "Room", room: RoomName.make("Garden") } as const
const owned = { ...ungoverned(1_790_000_000_000), owner: { user: ada, account: AccountId.make(1) } }

const silently = Effect.provideService(Progress, Progress.silent)
const inspected = (file: string) => silently(inspectUnused(file, file))

/** Two rooms that are governed, of which one was deleted a moment ago: nothing else has been done about it yet. */
const make = (file: string) =>
  Effect.gen(function* () {
    const history = yield* History
    const governances = yield* Governances
    yield* history.append([
      ...said(shed, ada, ["zanzibar ".repeat(1000).slice(0, 8192), "unforgettable"]),
      ...said(garden, ada, ["tomatoes"])
    ])
    yield* history.append([
      ...said(shed, UserName.make("Quaggamire"), ["Zanzibar"]).map((one) =>
        Object.assign({}, one, { key: "Quaggamire-Quaggamire" })
      ),
      {
        ...said(shed, ada, [""])[0],
        conversation: shed,
        from: ada,
        author: undefined,
        key: undefined,
        at: 1_790_000_000_001,
        body: { _tag: "Edited", target: 1, content: "zanzibars" }
      }
    ])
    for (const conversation of [shed, garden])
      yield* governances.put(conversation, { ...owned, topic: "unforgettable" })
    yield* governances.put(garden, owned)
    yield* history.erase(shed)
  }).pipe(Effect.provide(Layer.fresh(Database.layerFile({ file, retention: "forever" }))), Effect.scoped)

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

realTime("pnpm admin, of rooms that were deleted,", (it) => {
  it.effect("verifies them, tells that there is something to erase, and gives nothing of them", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      yield* make(file)
      const { problems, remarks, rooms } = yield* inspected(file)
      assert.deepStrictEqual([problems, rooms], [[], 1])
      assert.include(remarks.join(), "1 deleted room of which a server still has something to erase")
      assert.include(readFileSync(file, "latin1") + readFileSync(`${file}-wal`, "latin1"), "zanzibar")

      const copy = `${path}/copy.sqlite`
      yield* silently(backup({ database: file, file: copy, isForced: false }))
      const bytes = readFileSync(copy, "latin1").toLowerCase()
      for (const word of ["zanzibar", "unforgettable", "shed", "quaggamire", "erased:"]) assert.notInclude(bytes, word)
      assert.include(bytes, "tomatoes")
      const { problems: found, remarks: told } = yield* inspected(copy)
      assert.deepStrictEqual([found, told], [[], []])

      const env = { DATABASE: file }
      const listed = yield* runHere(["rooms", "--json"], env)
      assert.deepStrictEqual(
        JSON.parse(listed.stdout).map(({ name }: { readonly name: string }) => name),
        ["Garden"]
      )
      const exported = yield* runHere(["export", "Shed"], env)
      assert.deepStrictEqual([exported.stdout, exported.exitCode], ["", 1])
      const removed = yield* Effect.flip(silently(removeRoom({ database: file, room: "shed" })))
      assert.include(removed.message, "there is no such room")
    })
  )

  it.effect("finds what is left where nothing should be, and what cannot be read of how rooms are governed", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      yield* make(file)
      yield* sqlite(file, "UPDATE conversations SET kind = 'Gone' WHERE kind = 'Erased'")
      const { problems } = yield* inspected(file)
      assert.match(problems.join(), /4 rows of deleted rooms are no empty tombstone/)
      yield* sqlite(file, "UPDATE governance SET state = '{}'")
      assert.match((yield* inspected(file)).problems.join(), /how room Garden is governed cannot be read/)
      yield* sqlite(file, "UPDATE governance SET conversation_key = 'room:other'")
      assert.match(
        (yield* inspected(file)).problems.join(),
        /how room Garden is governed stands under the key "room:other"/
      )
    })
  )

  it.effect("removes how a room is governed with the room", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      yield* make(file)
      yield* silently(removeRoom({ database: file, room: "garden" }))
      assert.deepStrictEqual(yield* sqlite(file, "SELECT * FROM governance"), [])
      assert.deepStrictEqual((yield* inspected(file)).problems, [])
    })
  )
})
