/**
 * Where a client keeps what it seals with, and which rooms it has known to be encrypted: the latter in a small file of its own, so
 * that a program that does not have the keys, since another one uses them, does not say in the open what belongs into such a room.
 *
 * Rooms that this account has made, or read with its keys, are its own; others are only what the server says. Bounds: the newest
 * 10,000 of each; so whatever names a server makes up, they take the place of none of one's own.
 */
import { dirname } from "node:path"
import { Effect, FileSystem, Schema, type Scope } from "effect"
import { SecureRandom } from "effect/crypto"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import { NotDone } from "../core/Encryption.ts"
import type { KeySource } from "./Safe.ts"
import type { SealedStore } from "./SealedStore.ts"

export interface Keeping {
  readonly open: Effect.Effect<SealedStore, NotDone, Scope.Scope>
  readonly isKnown: (room: RoomName) => boolean
  /** Written once for all of them, if there is anything to write. */
  readonly remember: (rooms: ReadonlyArray<RoomName>, of: Origin) => Effect.Effect<void>
  /** Removes all of it from this machine. */
  readonly forget: Effect.Effect<void>
  /** Whether the keys are opened on arrival, as for a person; or when they are first needed. */
  readonly isEager: boolean
}

type Origin = "own" | "told"

interface Paths {
  readonly state: string
  readonly key: string
  /** Of the names of rooms. */
  readonly rooms: string
}

const maxKnown = 10_000
const Names = Schema.Array(Schema.String)
const Known = Schema.fromJsonString(Schema.Struct({ own: Names, told: Names }))
const decodeKnown = Schema.decodeUnknownEffect(Known)
const encodeKnown = Schema.encodeSync(Known)

/** `source` says where the key of the state comes from, and may ask for it. */
export const inFiles = Effect.fnUntraced(function* (
  paths: Paths,
  source: Effect.Effect<KeySource, NotDone>,
  isEager: boolean
) {
  const files = yield* FileSystem.FileSystem
  const { own, told } = yield* readKnown(paths.rooms)

  const add = (name: NameKey, of: Origin): boolean => {
    if (own.has(name) || (of === "told" && told.has(name))) return false
    ;(of === "own" ? own : told).add(name)
    if (of === "own") told.delete(name)
    return true
  }

  const write = Effect.gen(function* () {
    yield* files.makeDirectory(dirname(paths.rooms), { recursive: true, mode: 0o700 })
    // Whoever else writes it knows other rooms.
    const there = yield* readKnown(paths.rooms)
    for (const name of there.own) add(name, "own")
    for (const name of there.told) add(name, "told")
    for (const names of [own, told]) for (const name of [...names].slice(0, -maxKnown)) names.delete(name)
    const random = yield* SecureRandom.SecureRandom
    const next = `${paths.rooms}.${yield* random.uuidV7()}`
    yield* Effect.gen(function* () {
      const file = yield* files.open(next, { flag: "wx", mode: 0o600 })
      yield* file.writeAll(new TextEncoder().encode(encodeKnown({ own: [...own], told: [...told] })))
      yield* file.sync
      yield* files.rename(next, paths.rooms)
    }).pipe(Effect.onError(() => Effect.ignore(files.remove(next))))
  }).pipe(Effect.scoped, Effect.provide(SecureRandom.layerWebCrypto), Effect.ignore)

  const keeping: Keeping = {
    open: Effect.gen(function* () {
      const [{ open }, { make }] = yield* Effect.promise(() =>
        Promise.all([import("./StateFile.ts"), import("./SealedStore.ts")])
      )
      return make(yield* open(paths.state, yield* source))
    }).pipe(
      Effect.mapError(({ message }) => new NotDone({ message })),
      // That alone: with all that is there, the file would be kept open as long as the program is.
      Effect.provideService(FileSystem.FileSystem, files)
    ),
    isKnown: (room) => own.has(nameKey(room)) || told.has(nameKey(room)),
    remember: (rooms, of) =>
      Effect.suspend(() => {
        const added = rooms.map((room) => add(nameKey(room), of))
        return added.includes(true) ? Effect.provideService(write, FileSystem.FileSystem, files) : Effect.void
      }),
    forget: Effect.forEach(
      [paths.state, `${paths.state}-wal`, `${paths.state}-shm`, paths.key, paths.rooms],
      (path) => Effect.ignore(files.remove(path)),
      { discard: true }
    ),
    isEager
  }
  return keeping
})

/** None of what cannot be read. */
const readKnown = (path: string) =>
  FileSystem.FileSystem.use((files) => files.readFileString(path)).pipe(
    Effect.flatMap(decodeKnown),
    Effect.orElseSucceed(() => ({ own: [], told: [] })),
    Effect.map(({ own, told }) => ({ own: new Set(own.map(nameKey)), told: new Set(told.map(nameKey)) }))
  )
