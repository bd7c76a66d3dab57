/**
 * Where a client keeps what it seals with, and which rooms it has known to be encrypted: the latter in a small file of its own, so
 * that a program that does not have the keys, since another one uses them, does not say in the open what belongs into such a room.
 *
 * Bound: the newest 10,000 rooms.
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
  readonly known: ReadonlySet<NameKey>
  readonly remember: (room: RoomName) => Effect.Effect<void>
  /** Removes all of it from this machine. */
  readonly forget: Effect.Effect<void>
  /** Whether the keys are opened on arrival, as for a person; or when they are first needed. */
  readonly isEager: boolean
}

interface Paths {
  readonly state: string
  readonly key: string
  /** Of the names of rooms. */
  readonly rooms: string
}

const maxKnown = 10_000
const Names = Schema.fromJsonString(Schema.Array(Schema.String))
const decodeNames = Schema.decodeUnknownEffect(Names)

/** `source` says where the key of the state comes from, and may ask for it. */
export const inFiles = Effect.fnUntraced(function* (
  paths: Paths,
  source: Effect.Effect<KeySource, NotDone>,
  isEager: boolean
) {
  const files = yield* FileSystem.FileSystem
  const known = new Set<NameKey>(yield* readNames(paths.rooms))

  const write = Effect.gen(function* () {
    yield* files.makeDirectory(dirname(paths.rooms), { recursive: true, mode: 0o700 })
    const random = yield* SecureRandom.SecureRandom
    const next = `${paths.rooms}.${yield* random.uuidV7()}`
    const file = yield* files.open(next, { flag: "wx", mode: 0o600 })
    // Whoever else writes it knows other rooms.
    for (const key of yield* readNames(paths.rooms)) known.add(key)
    yield* file.writeAll(new TextEncoder().encode(JSON.stringify([...known].slice(-maxKnown))))
    yield* file.sync
    yield* files.rename(next, paths.rooms)
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
    known,
    remember: (room) =>
      Effect.suspend(() => {
        if (known.has(nameKey(room))) return Effect.void
        known.add(nameKey(room))
        return Effect.provideService(write, FileSystem.FileSystem, files)
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
const readNames = (path: string) =>
  FileSystem.FileSystem.use((files) => files.readFileString(path)).pipe(
    Effect.flatMap(decodeNames),
    Effect.map((names) => names.slice(-maxKnown).map(nameKey)),
    Effect.orElseSucceed((): ReadonlyArray<NameKey> => [])
  )
