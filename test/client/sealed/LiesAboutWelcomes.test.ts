/** What a malicious server can do with key packages and welcomes, its own and others': see src/client/crypto/SECURITY.md. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { commit } from "../../../src/client/crypto/Commit.ts"
import { makeDevice } from "../../../src/client/crypto/Device.ts"
import { create } from "../../../src/client/crypto/Group.ts"
import { makeKeyPackage, readKeyPackage } from "../../../src/client/crypto/KeyPackage.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import { enter, isIn, makeVault, say, until, vault } from "./Devices.ts"
import {
  converse,
  lastResortOf,
  lines,
  type Lying,
  makeUp,
  newest,
  packagesOf,
  told,
  two,
  untilLine,
  untilNews,
  world
} from "./Lies.ts"

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64")
const bytesOf = (text: unknown) => new Uint8Array(Buffer.from(String(text), "base64"))
const deviceOf = (lying: Lying, user: string) => DeviceId.make(lying.talksOf(user)[0]?.device ?? "")

/** A year and a half ago. */
const longAgo = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Clock.Clock, (clock) =>
    Effect.provideService(effect, Clock.Clock, {
      ...clock,
      currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now - 550 * 86_400_000)
    })
  )

layer(NodeServices.layer, { excludeTestServices: true })("A welcome of a malicious server", (it) => {
  it.effect("that it made itself lets nobody in, in whosever name", () =>
    Effect.gen(function* () {
      const { lying, on } = yield* world
      const ada = yield* on("ada")
      const ben = yield* on("ben")
      yield* makeVault(ada)
      yield* ben.rooms.ready
      const pretender = yield* makeDevice({ user: ada.home.user, device: deviceOf(lying, "ada") })
      const [first] = packagesOf(lying, "ben")
      const keyPackage = yield* readKeyPackage(bytesOf(first), () => true)
      const made = yield* commit(yield* create(pretender, "vault/1"), { adds: [keyPackage] })
      assert(made.pending.welcome !== undefined)
      const data = base64(made.pending.welcome)
      lying.told((line, { user }) =>
        user === "ben" && line._tag === "Welcomes"
          ? [{ ...line, welcomes: [{ room: vault, seq: 2, data }] }]
          : undefined
      )
      lying.asked((line, { user }) => (user === "ada" && line._tag === "ClaimKeyPackages" ? [] : undefined))
      yield* enter(ben)
      const { message } = yield* untilNews(ben, "OutOfStep")
      assert.strictEqual(message, `The device ${pretender.identity.device} is not known to be one of ada's.`)
      assert.strictEqual((yield* ben.rooms.view(vault))?.state, "waiting")
      assert.deepStrictEqual(yield* lines(ben), [])
    }).pipe(Effect.scoped)
  )

  it.effect("is not made of keys that are out of date, or that were used already: then it lets nobody in", () =>
    Effect.gen(function* () {
      const { lying, on } = yield* world
      const ada = yield* on("ada")
      const ben = yield* on("ben")
      yield* makeVault(ada)
      yield* ben.rooms.ready
      const bens = yield* ben.store.device
      assert(bens !== undefined)
      const old = yield* longAgo(makeKeyPackage(bens, "lastResort"))
      let given: string | undefined = base64(old.publicBytes)
      let asked = 0
      lying.told((line) => {
        if (line._tag !== "KeyPackages") return undefined
        asked += 1
        return given === undefined
          ? undefined
          : [{ ...line, packages: [{ user: "ben", device: bens.identity.device, data: given }] }]
      })
      yield* enter(ben)
      yield* until(
        "ada has asked for them",
        Effect.sync(() => asked > 0)
      )
      yield* ada.client.request({ _tag: "Ping", nonce: 1 })
      assert.isFalse(lying.overheard.some(({ _tag }) => _tag === "CommitKeys"))
      given = packagesOf(lying, "ben")[0]
      yield* until("ben is let in", isIn(ben, vault, 2))
      const other = RoomName.make("other")
      yield* makeVault(ada, other)
      yield* enter(ben, other)
      yield* until("ada has let him in", isIn(ada, other, 2))
      yield* ben.client.request({ _tag: "Ping", nonce: 1 })
      assert.strictEqual((yield* ben.rooms.view(other))?.state, "waiting")
      assert.deepStrictEqual(told(ben, "OutOfStep", "Stopped"), [])
    }).pipe(Effect.scoped)
  )

  it.effect("that comes again leads nobody back to keys that they had before, the one of last resort too", () =>
    Effect.gen(function* () {
      const { lying, on } = yield* world
      const ada = yield* on("ada")
      const ben = yield* on("ben")
      yield* makeVault(ada)
      yield* ben.rooms.ready
      // The server says that no other package is left.
      const data = lastResortOf(lying, "ben")
      lying.told((line) =>
        line._tag === "KeyPackages"
          ? [{ ...line, packages: [{ user: "ben", device: deviceOf(lying, "ben"), data }] }]
          : undefined
      )
      yield* enter(ben)
      yield* until("ben is let in", isIn(ben, vault, 2))
      yield* converse(ben, "with keys that are used once", ada)
      const welcome = lying.overheard.findLast(({ _tag }) => _tag === "CommitKeys")?.["welcome"]
      const seq = Number(newest(lying, "Sealed")["seq"]) + 2
      lying.told((line, { user }) =>
        user === "ben" && line._tag === "Welcomes"
          ? [{ ...line, welcomes: [{ room: vault, seq, data: welcome }] }]
          : undefined
      )
      makeUp(lying, "ben", { _tag: "Kicked", from: "ada", user: "ben" })
      yield* untilLine(ben, "put out by ada")
      const { message } = yield* untilNews(ben, "OutOfStep")
      assert.strictEqual(message, "The server has repeated a welcome to keys that this device had before.")
      assert.strictEqual((yield* ben.rooms.view(vault))?.state, "waiting")
      assert.strictEqual((yield* Effect.flip(say(ben, "again with the same keys")))._tag, "NotLetIn")
    }).pipe(Effect.scoped)
  )

  it.effect("that comes twice is used once", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      const welcome = lying.overheard.findLast(({ _tag }) => _tag === "CommitKeys")?.["welcome"]
      const { seq } = newest(lying, "KeysCommitted")
      const again = [Number(seq), Number(seq) + 5].map((at) => ({ room: vault, seq: at, data: welcome }))
      lying.told((line, { user }) =>
        user === "ben" && line._tag === "Welcomes" ? [{ ...line, welcomes: again }] : undefined
      )
      yield* ben.cut
      yield* until("ben is back", isIn(ben, vault, 2))
      yield* converse(ada, "hello", ben)
      assert.deepStrictEqual(yield* lines(ben), ["let in", "ada: hello"])
    }).pipe(Effect.scoped)
  )
})
