/** What is kept of encrypted conversations: whole, sealed, for one process at a time. */
import { mkdirSync, readFileSync, statSync } from "node:fs"
import { readdir } from "node:fs/promises"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Kdf } from "effect/crypto"
import { makeDevice } from "../../../src/client/crypto/Device.ts"
import { create, encodeGroup } from "../../../src/client/crypto/Group.ts"
import { makeKeyPackage } from "../../../src/client/crypto/KeyPackage.ts"
import { inFiles } from "../../../src/client/sealed/Keeping.ts"
import { begin, type Kept, type OutboxRow, type Pending } from "../../../src/client/sealed/Kept.ts"
import { makeKeyFile } from "../../../src/client/sealed/Safe.ts"
import { make, refOf } from "../../../src/client/sealed/SealedStore.ts"
import { open } from "../../../src/client/sealed/StateFile.ts"
import { statePaths } from "../../../src/client/sealed/StatePath.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { identity } from "../crypto/Crowd.ts"
import { folder, openIn } from "./Folder.ts"

const marker = "swordfish is the password"
const room = RoomName.make("vault")
const ada = identity("ada")

const rowOf = (key: string, content = marker): OutboxRow => ({
  key: `${key} is its whole key`,
  incarnation: 1,
  keyEpoch: 0,
  content: {
    data: Uint8Array.of(1, 2, 3),
    payload: { v: 1, saying: { _tag: "Said", content }, chain: 1 }
  }
})

const pending: Pending = {
  key: "a key of the commit",
  incarnation: 1,
  keyEpoch: 0,
  change: { _tag: "Commit", data: Uint8Array.of(1), next: Uint8Array.of(2), adds: [ada], removes: [] }
}

const opened = (seq: number) => ({
  seq,
  line: {
    _tag: "Opened" as const,
    at: 1,
    from: ada.user,
    device: ada.device,
    saying: { _tag: "Said" as const, content: marker }
  }
})

const withGroup = Effect.gen(function* () {
  const device = yield* makeDevice(ada)
  const group = yield* create(device, "vault/1")
  return { device, kept: { ...begin(room, "log"), incarnation: 1, group } satisfies Kept }
})

/** All bytes of the folder's files, as they are now. */
const bytesIn = (path: string) =>
  Effect.map(
    Effect.promise(() => readdir(path)),
    (names) => names.map((name) => ({ name, bytes: readFileSync(`${path}/${name}`) }))
  )

describe("The state file", () => {
  layer(NodeServices.layer, { excludeTestServices: true })((it) => {
    it.effect("gives back what was kept, after it was closed", () =>
      Effect.gen(function* () {
        const path = yield* folder
        const { device, kept } = yield* withGroup
        const own = yield* makeKeyPackage(device, "once")
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { store } = yield* openIn(path)
            yield* store.keepDevice(device)
            yield* store.keepPackages([own])
            yield* store.sealed(kept, rowOf("one"))
            yield* store.sealed(kept, rowOf("two"))
            yield* store.committing(kept, pending)
            yield* store.received({
              kept: { ...kept, cursor: 7 },
              rows: [opened(7)],
              echoes: [rowOf("one").key],
              dropsPending: false,
              erased: []
            })
          })
        )
        const { store } = yield* openIn(path)
        assert.deepStrictEqual(yield* store.device, device)
        assert.deepStrictEqual(yield* store.packages, [{ ref: refOf(own.ref), privateBytes: own.privateBytes }])
        assert.deepStrictEqual(yield* store.outbox(room), [rowOf("two")])
        assert.deepStrictEqual(yield* store.pending(room), pending)
        assert.deepStrictEqual(yield* store.plain(kept), [opened(7)])
        const back = yield* store.kept(room)
        assert.strictEqual(back?.cursor, 7)
        assert.deepStrictEqual(back?.group && encodeGroup(back.group), encodeGroup(kept.group))
        assert.deepStrictEqual(yield* store.rooms, [room])
      }).pipe(Effect.scoped)
    )

    it.effect("carries out a transaction as a whole: who reads a row twice keeps nothing of that page", () =>
      Effect.gen(function* () {
        const { store } = yield* openIn(yield* folder)
        const { kept } = yield* withGroup
        yield* store.sealed(kept, rowOf("one"))
        yield* store.received({
          kept: { ...kept, cursor: 1 },
          rows: [opened(1)],
          echoes: [],
          dropsPending: false,
          erased: []
        })
        const again = {
          kept: { ...kept, cursor: 2 },
          rows: [opened(2), opened(1)],
          echoes: [rowOf("one").key],
          dropsPending: false,
          erased: []
        }
        const failed = yield* Effect.flip(store.received(again))
        assert.match(failed.message, /UNIQUE/)
        assert.strictEqual((yield* store.kept(room))?.cursor, 1)
        assert.lengthOf(yield* store.outbox(room), 1)
        assert.lengthOf(yield* store.plain(kept), 1)
        // Nor is one commit made beside another, or one key used for two messages.
        yield* store.committing({ ...kept, cursor: 1 }, pending)
        assert.match((yield* Effect.flip(store.committing(kept, pending))).message, /UNIQUE/)
        assert.match((yield* Effect.flip(store.sealed({ ...kept, cursor: 9 }, rowOf("one")))).message, /UNIQUE/)
        assert.strictEqual((yield* store.kept(room))?.cursor, 1)
      }).pipe(Effect.scoped)
    )

    it.effect("says nothing of what was said, nor any key, and is for its owner alone", () =>
      Effect.gen(function* () {
        const path = yield* folder
        const { file, store } = yield* openIn(path)
        const { device, kept } = yield* withGroup
        yield* store.keepDevice(device)
        yield* store.sealed(kept, rowOf("one"))
        yield* store.received({ kept, rows: [opened(1)], echoes: [], dropsPending: false, erased: [] })
        for (const { bytes, name } of yield* bytesIn(`${path}/server`)) {
          assert.notInclude(bytes.toString("latin1"), "swordfish", name)
          for (const secret of [device.privateKey, kept.group.state.keySchedule.initSecret]) {
            assert.isFalse(bytes.includes(Buffer.from(secret)), name)
            assert.isFalse(bytes.includes(Buffer.from(secret).toString("base64")), name)
          }
          assert.strictEqual(statSync(`${path}/server/${name}`).mode & 0o777, 0o600, name)
        }
        assert.strictEqual(statSync(`${path}/server`).mode & 0o777, 0o700)
        const pragmas = ["synchronous", "secure_delete", "locking_mode"]
        const values = yield* Effect.forEach(pragmas, (pragma) => file.read(`PRAGMA ${pragma}`))
        assert.deepStrictEqual(
          values.flat().flatMap((row) => Object.values(row)),
          [2, 1, "exclusive"]
        )
      }).pipe(Effect.scoped)
    )

    it.effect("is for one at a time, who is told how to go on", () =>
      Effect.gen(function* () {
        const path = yield* folder
        const refused = yield* Effect.scoped(Effect.andThen(openIn(path), Effect.flip(openIn(path))))
        assert.strictEqual(refused._tag, "StateInUse")
        assert.match(
          refused.message,
          /Another parley uses the keys .*: end the other one, go on there, or .* --token-file\.$/
        )
        yield* openIn(path)
      }).pipe(Effect.scoped)
    )

    it.effect("is closed when who needed it is done, whatever else of the program goes on, and opens again", () =>
      Effect.gen(function* () {
        const paths = statePaths(yield* folder, "chat.example:6667", ada.user)
        const keeping = yield* inFiles(paths, Effect.succeed({ _tag: "File", path: paths.key }), true)
        for (let sitting = 0; sitting < 2; sitting++) yield* Effect.scoped(keeping.open)
      }).pipe(Effect.scoped)
    )

    it.effect("has its key before there is anything to open, and keeps the one that another program made first", () =>
      Effect.gen(function* () {
        const path = yield* folder
        const [state, key] = [`${path}/ada.sqlite`, `${path}/ada.key`]
        // Where no state can be made, there is a key without one; never a state whose key is missing.
        mkdirSync(`${path}/in the way`)
        yield* Effect.flip(open(`${path}/in the way`, { _tag: "File", path: key }))
        const made = readFileSync(key)
        yield* Effect.all(
          Array.from({ length: 8 }, () => makeKeyFile(`${path}/ben.key`)),
          { concurrency: 8 }
        )
        const first = readFileSync(`${path}/ben.key`)
        yield* makeKeyFile(`${path}/ben.key`)
        assert.deepStrictEqual(readFileSync(`${path}/ben.key`), first)
        yield* Effect.scoped(open(state, { _tag: "File", path: key }))
        assert.deepStrictEqual(readFileSync(key), made)
        assert.deepStrictEqual((yield* Effect.promise(() => readdir(path))).toSorted(), [
          "ada.key",
          "ada.sqlite",
          "ben.key",
          "in the way"
        ])
      }).pipe(Effect.scoped)
    )

    it.effect("has a place for every name that a server takes, each its own", () =>
      Effect.gen(function* () {
        const path = yield* folder
        const names = ["가".repeat(31), `${"가".repeat(30)}나`, "ada"].map((name) => UserName.make(name))
        const states = names.map((user) => statePaths(path, `${"a".repeat(250)}:6667`, user))
        for (const { key, state } of states) yield* Effect.scoped(open(state, { _tag: "File", path: key }))
        assert.strictEqual(new Set(states.flatMap(({ key, rooms, state }) => [key, rooms, state])).size, 9)
      }).pipe(Effect.scoped)
    )

    it.effect("knows one's own encrypted rooms whatever names a server makes up", () =>
      Effect.gen(function* () {
        const paths = statePaths(yield* folder, "chat.example:6667", ada.user)
        const source = Effect.succeed({ _tag: "File" as const, path: paths.key })
        const made = Array.from({ length: 20_000 }, (_, n) => RoomName.make(`room${n}`))
        const known = yield* inFiles(paths, source, true)
        yield* known.remember([room], "own")
        yield* known.remember(made, "told")
        const again = yield* inFiles(paths, source, true)
        assert.isTrue(again.isKnown(room))
        assert.deepStrictEqual(
          made.filter((one) => again.isKnown(one)),
          made.slice(10_000)
        )
        yield* again.remember(made.slice(0, 1), "own")
        assert.isTrue((yield* inFiles(paths, source, true)).isKnown(RoomName.make("room0")))
      }).pipe(Effect.scoped)
    )

    it.effect("does not open with another key, nor with cells in each other's place", () =>
      Effect.gen(function* () {
        const path = `${yield* folder}/ada.sqlite`
        const cost = Kdf.argon2id({ memory: 8, passes: 1, parallelism: 1 })
        const withPassphrase = (passphrase: string) => {
          const source = { _tag: "Passphrase" as const, passphrase: Redacted.make(passphrase), cost }
          return open(path, source)
        }
        const { kept } = yield* withGroup
        yield* Effect.scoped(
          Effect.gen(function* () {
            const file = yield* withPassphrase("one")
            yield* make(file).received({
              kept,
              rows: [opened(1), opened(2)],
              echoes: [],
              dropsPending: false,
              erased: []
            })
          })
        )
        const refused = yield* Effect.flip(Effect.scoped(withPassphrase("another")))
        assert.strictEqual(refused._tag, "WrongKey")
        const file = yield* withPassphrase("one")
        yield* file.write([
          { sql: "UPDATE plain SET sealed = (SELECT sealed FROM plain WHERE seq = 1) WHERE seq = 2", values: [] }
        ])
        assert.strictEqual((yield* Effect.flip(make(file).plain(kept)))._tag, "WrongKey")
      }).pipe(Effect.scoped)
    )
  })
})
