/** What every keeper of encrypted rooms has to do: who may read what, and who is welcomed, is stored with the entry that makes it so. */
import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Context, Effect, Exit, Layer } from "effect"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { Accounts } from "../../../src/server/accounts/Accounts.ts"
import { ungoverned } from "../../../src/server/governance/Governance.ts"
import { keyless, type OwnedDevice } from "../../../src/server/governance/Sealing.ts"
import { Governances } from "../../../src/server/history/Governances.ts"
import { History, type NewEntry } from "../../../src/server/history/History.ts"
import { maxIntervals, maxWelcomes, SealedRooms } from "../../../src/server/history/SealedRooms.ts"
import { ownerOf } from "../accounts/DeviceListsContract.ts"
import { entry } from "./HistoryAsked.ts"

const vault = { _tag: "Room", room: RoomName.make("Vault") } as const
const cellar = { _tag: "Room", room: RoomName.make("cellar") } as const
const governance = { ...ungoverned(7), keys: keyless }

/** An entry by which these may read, and these no more. */
export const sealed = (
  what: { readonly begun?: ReadonlyArray<OwnedDevice>; readonly ended?: ReadonlyArray<OwnedDevice> },
  over: Partial<NewEntry> & { readonly from?: never; readonly welcome?: string; readonly here?: boolean } = {}
): NewEntry => {
  const { begun = [], ended = [] } = what
  const { here = false, welcome, ...rest } = over
  return entry("", {
    conversation: vault,
    body: { _tag: "Sealed", device: begun[0]?.device ?? ended[0]?.device ?? nobody, keyEpoch: 0, data: "AAAA" },
    governance,
    sealed: { begun, ended, from: here ? "here" : "behind", ...(welcome !== undefined && { welcome }) },
    ...rest
  })
}
const nobody = "0" as OwnedDevice["device"]

type Stores = Accounts | Governances | History | SealedRooms

export const sealedRoomsContract = <E>(name: string, fresh: Layer.Layer<Stores, E>) => {
  const withStores = <A, F>(use: (services: Context.Context<Stores>) => Effect.Effect<A, F>) =>
    Effect.scoped(Effect.flatMap(Layer.build(fresh), use))

  describe(`${name}, as SealedRooms,`, () => {
    it.live("knows from where to where each device may read, as often as it was let in", () =>
      withStores(
        Effect.fnUntraced(function* (services) {
          const [history, rooms] = [Context.get(services, History), Context.get(services, SealedRooms)]
          const [one, other] = yield* ownerOf(services, 2)
          assert(one !== undefined && other !== undefined)
          yield* history.append([sealed({ begun: [one] }, { here: true }), sealed({ begun: [other] })])
          yield* history.append([sealed({ ended: [one, other] }), sealed({ begun: [other] })])
          yield* history.append([sealed({ ended: [one] })])
          assert.deepStrictEqual(yield* rooms.intervals(vault, one), [{ since: 1, until: 3 }])
          assert.deepStrictEqual(yield* rooms.intervals(vault, other), [
            { since: 3, until: 3 },
            { since: 5, until: undefined }
          ])
          assert.deepStrictEqual(yield* rooms.intervals(cellar, one), [])
          assert.deepStrictEqual(
            yield* rooms.intervals(vault, { ...one, device: other.device }),
            yield* rooms.intervals(vault, other)
          )
        })
      )
    )

    it.live("keeps so many parts of each device and no more, the newest", () =>
      withStores(
        Effect.fnUntraced(function* (services) {
          const [history, rooms] = [Context.get(services, History), Context.get(services, SealedRooms)]
          const [one, other] = yield* ownerOf(services, 2)
          assert(one !== undefined && other !== undefined)
          yield* history.append([sealed({ begun: [other] })])
          const turns = Arr.makeBy(maxIntervals + 3, () => [sealed({ begun: [one] }), sealed({ ended: [one] })])
          yield* history.append(turns.flat())
          const kept = yield* rooms.intervals(vault, one)
          assert.lengthOf(kept, maxIntervals)
          assert.deepStrictEqual(kept[0], { since: 9, until: 9 })
          assert.lengthOf(yield* rooms.intervals(vault, other), 1)
        })
      )
    )

    it.live("stores it with the entry: all of it or nothing, and once for each key", () =>
      withStores(
        Effect.fnUntraced(function* (services) {
          const [history, rooms] = [Context.get(services, History), Context.get(services, SealedRooms)]
          const [one] = yield* ownerOf(services, 1)
          assert(one !== undefined)
          const bad = entry("half \ud83d a pair", { conversation: vault })
          const failed = yield* Effect.exit(history.append([sealed({ begun: [one] }, { welcome: "AAAA" }), bad]))
          assert.isTrue(Exit.isFailure(failed))
          assert.deepStrictEqual(yield* rooms.intervals(vault, one), [])
          assert.deepStrictEqual(yield* rooms.welcomes(one, 0, 9), [])
          const once = sealed({ begun: [one] }, { welcome: "AAAA", key: "the only one ...." })
          for (const repeated of [false, true]) {
            const [stored] = yield* history.append([once])
            assert.deepInclude(stored, { seq: 1, repeated })
          }
          assert.deepStrictEqual(yield* rooms.intervals(vault, one), [{ since: 2, until: undefined }])
          assert.lengthOf(yield* rooms.welcomes(one, 0, 9), 1)
        })
      )
    )

    it.live("keeps welcomes until each device has taken its own, the newest of a room, in pages", () =>
      withStores(
        Effect.fnUntraced(function* (services) {
          const [history, rooms] = [Context.get(services, History), Context.get(services, SealedRooms)]
          const [one, other] = yield* ownerOf(services, 2)
          assert(one !== undefined && other !== undefined)
          yield* history.append([sealed({ begun: [one, other] }, { welcome: "AAAA" })])
          yield* history.append([sealed({ begun: [one] }, { conversation: cellar, welcome: "BBBB" })])
          for (let more = 0; more < maxWelcomes; more++)
            yield* history.append([sealed({ begun: [one] }, { welcome: "CCCC" })])
          const all = yield* rooms.welcomes(one, 0, 99)
          assert.deepStrictEqual(
            all.map(({ data, room, seq }) => [room, seq, data]),
            [["cellar", 1, "BBBB"], ...Arr.makeBy(maxWelcomes, (index) => ["Vault", index + 2, "CCCC"])]
          )
          assert.deepStrictEqual(yield* rooms.welcomes(one, all[1]?.number ?? 0, 2), all.slice(2, 4))
          yield* rooms.acknowledge(one, RoomName.make("VAULT"), 3)
          assert.deepStrictEqual(
            yield* rooms.welcomes(one, 0, 99),
            all.filter(({ seq }) => seq !== 3)
          )
          assert.deepStrictEqual(
            (yield* rooms.welcomes(other, 0, 99)).map(({ seq }) => seq),
            [1]
          )
          yield* rooms.acknowledge(other, RoomName.make("vault"), 1)
          yield* rooms.acknowledge(other, RoomName.make("vault"), 1)
          assert.deepStrictEqual(yield* rooms.welcomes(other, 0, 99), [])
        })
      )
    )

    it.live("forgets all of it with its room", () =>
      withStores(
        Effect.fnUntraced(function* (services) {
          const [history, rooms] = [Context.get(services, History), Context.get(services, SealedRooms)]
          const [one] = yield* ownerOf(services, 1)
          assert(one !== undefined)
          yield* history.append([sealed({ begun: [one] }, { welcome: "AAAA" })])
          yield* history.append([sealed({ begun: [one] }, { conversation: cellar, welcome: "BBBB" })])
          yield* history.erase(vault)
          assert.deepStrictEqual(yield* rooms.intervals(vault, one), [])
          assert.deepStrictEqual(
            (yield* rooms.welcomes(one, 0, 9)).map(({ room }) => room),
            ["cellar"]
          )
          assert.isUndefined(Context.get(services, Governances).get(vault))
        })
      )
    )
  })
}
