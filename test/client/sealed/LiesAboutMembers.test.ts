/** Whom a malicious server can let in and put out, and who sees it: see src/client/crypto/SECURITY.md. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { commit } from "../../../src/client/crypto/Commit.ts"
import { makeDevice } from "../../../src/client/crypto/Device.ts"
import { makeKeyPackage } from "../../../src/client/crypto/KeyPackage.ts"
import { conversationRoom } from "../../../src/common/name/RoomName.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import { MessageKey } from "../../../src/common/wire/RequestId.ts"
import { sealedBytes } from "../../support/SealedBytes.ts"
import { enter, homeOf, isIn, makeVault, say, switchOn, until, vault } from "./Devices.ts"
import {
  aboutEntries,
  converse,
  lines,
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

layer(NodeServices.layer, { excludeTestServices: true })("The members of a malicious server", (it) => {
  it.effect("are not let in by keys that it made itself, or that are another device's", () =>
    Effect.gen(function* () {
      const { lying, on } = yield* world
      const ada = yield* on("ada")
      const ben = yield* on("ben")
      yield* makeVault(ada)
      yield* ben.rooms.ready
      const device = DeviceId.make(lying.talksOf("ben")[0]?.device ?? "")
      const forged = yield* makeKeyPackage(yield* makeDevice({ user: ben.home.user, device }), "once")
      const given = [base64(forged.publicBytes), packagesOf(lying, "ada")[0]]
      let asked = 0
      const honestly = lying.told((line) => {
        if (line._tag !== "KeyPackages") return undefined
        asked += 1
        const data = given[asked % 2]
        return [{ ...line, packages: [{ user: "ben", device, data }] }]
      })
      yield* enter(ben)
      yield* until(
        "ada has asked for both",
        Effect.sync(() => asked >= 2)
      )
      assert.deepStrictEqual(yield* lines(ada), ["let in"])
      assert.isFalse(lying.overheard.some(({ _tag }) => _tag === "CommitKeys"))
      const refusal = yield* Effect.flip(say(ben, "is anybody there"))
      assert.strictEqual(
        refusal.message,
        "You wait to be let into vault by a member: one of them has to be online for that. Nothing was sent."
      )
      honestly()
      yield* until("ben is let in", isIn(ben, vault, 2))
    }).pipe(Effect.scoped)
  )

  it.effect("see that it lets in an account of its own, and cannot be kept from knowing it", () =>
    Effect.gen(function* () {
      const { ada, ben, on } = yield* two
      const mallory = yield* on("mallory")
      yield* mallory.rooms.ready
      // It need not ask anybody; that she joins is nothing but its word.
      yield* enter(mallory)
      yield* untilLine(ada, "ada changed keys: +mallory -").pipe(
        Effect.raceFirst(untilLine(ada, "ben changed keys: +mallory -"))
      )
      yield* until("it is let in", isIn(mallory, vault, 3))
      assert.deepInclude(told(ada, "FirstSeen"), { _tag: "FirstSeen", user: mallory.home.user })
      yield* until("ben sees her", isIn(ben, vault, 3))
      assert.deepStrictEqual(
        (yield* ben.rooms.view(vault))?.members
          .map(({ user }) => user)
          .toSorted()
          .map(String),
        ["ada", "ben", "mallory"]
      )
      assert.deepInclude(told(ben, "FirstSeen"), { _tag: "FirstSeen", user: mallory.home.user })
    }).pipe(Effect.scoped)
  )

  it.effect("of a conversation of two are those two, whatever it says who the other one is", () =>
    Effect.gen(function* () {
      const { lying, on } = yield* world
      const ada = yield* on("ada")
      const ben = yield* on("ben")
      const mallory = yield* on("mallory")
      for (const one of [ada, ben, mallory]) yield* one.rooms.ready
      const room = conversationRoom(ada.home.user, ben.home.user)
      yield* ada.client.request({ _tag: "OpenConversation", with: ben.home.user })
      yield* until("ben is let in", isIn(ben, room, 2))
      for (const other of ["mallory", undefined]) {
        const honestly = [
          lying.told((line, { user }) => {
            if (user !== "ada" || line._tag !== "RoomJoined") return undefined
            const { with: _, ...rest } = line
            return [{ ...rest, ...(other && { with: other }) }]
          }),
          lying.told((line, { user }) =>
            user === "ada" && line._tag === "RoomUsers" ? [{ ...line, users: ["ada", "ben", "mallory"] }] : undefined
          )
        ]
        yield* ada.cut
        yield* until("ada is back", isIn(ada, room))
        yield* say(ada, `for ben ${String(other)}`, room)
        yield* untilLine(ben, `ada: for ben ${String(other)}`, room)
        yield* until("the turn of everybody has come", Effect.as(Effect.sleep(100), true))
        assert.isTrue(yield* isIn(ada, room, 2))
        assert.isFalse(
          lying.overheard.some(
            ({ _tag, adds, removes }) => _tag === "CommitKeys" && /mallory/.test(JSON.stringify([adds, removes]))
          )
        )
        for (const end of honestly) end()
      }
      assert.deepStrictEqual(
        told(ada, "FirstSeen")
          .map(({ user }) => user)
          .filter((user) => user === "mallory"),
        []
      )
    }).pipe(Effect.scoped)
  )

  it.effect("of a room are not put out by saying that it is a conversation of two", () =>
    Effect.gen(function* () {
      const { ada, ben, lying, on } = yield* two
      const cyd = yield* on("cyd")
      yield* enter(cyd)
      yield* until("cyd is let in", isIn(ada, vault, 3))
      lying.told((line, { user }) =>
        user === "ada" && line._tag === "RoomJoined" ? [{ ...line, with: "ben" }] : undefined
      )
      const before = lying.overheard.length
      yield* ada.cut
      yield* until("ada is back", isIn(ada, vault, 3))
      yield* converse(ada, "one", ben, cyd)
      // Of a room it is asked who is in it, in one's turn; of a conversation of two it is not.
      yield* until(
        "ada has looked who is to go",
        Effect.sync(() => lying.overheard.slice(before).some(({ _tag }) => _tag === "ListRoomUsers"))
      )
      assert.isTrue(yield* isIn(ada, vault, 3))
      // And what is kept back is still noticed.
      const { seq } = newest(lying, "Sealed")
      lying.told(aboutEntries("ada", (line) => (line["seq"] === Number(seq) + 1 ? [] : undefined)))
      yield* converse(ben, "kept from ada", cyd, ben)
      yield* converse(ben, "and on", ada)
      yield* untilNews(ada, "Withheld")
    }).pipe(Effect.scoped)
  )

  it.effect("are put out by a kick that it made up, which is seen, and nothing is said before they are", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      makeUp(lying, "ben", { _tag: "Kicked", from: "ada", user: "ben" })
      yield* untilLine(ben, "put out by ada")
      const refusal = yield* Effect.flip(say(ben, "still there?"))
      assert.strictEqual(refusal._tag, "NotLetIn")
      makeUp(lying, "ada", { _tag: "Kicked", from: "ben", user: "ben" })
      yield* untilLine(ada, "ben: Kicked")
      const before = lying.overheard.length
      yield* Effect.forkScoped(say(ada, "not for ben"))
      const removal = Effect.sync(() =>
        lying.overheard.some(({ _tag, removes }) => _tag === "CommitKeys" && JSON.stringify(removes).includes("ben"))
      )
      yield* until("ada removes ben from the keys", removal)
      assert.isFalse(lying.overheard.slice(before).some(({ _tag }) => _tag === "SealedMessage"))
    }).pipe(Effect.scoped)
  )

  it.effect("are all put out by a reset that it made up, which is seen, and go on with fresh keys", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      const device = lying.talksOf("ben")[0]?.device
      for (const user of ["ada", "ben"]) makeUp(lying, user, { _tag: "KeysReset", from: "ben", device, incarnation: 1 })
      yield* untilLine(ada, "put out by ben")
      assert.deepStrictEqual(told(ben, "Cloned"), [])
      const refusal = yield* Effect.flip(say(ada, "to whom"))
      assert.strictEqual(refusal._tag, "NotLetIn")
      yield* ada.rooms.rekey(vault)
      yield* until("both are in again", isIn(ben, vault, 2))
      yield* converse(ben, "back", ada)
    }).pipe(Effect.scoped)
  )

  it.effect("are out of step with a change of keys that it made up, and go on with fresh keys", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      const keyEpoch = (yield* ben.rooms.view(vault))?.keyEpoch ?? 0
      const data = sealedBytes({ room: vault, keyEpoch, contentType: "commit" })
      const device = lying.talksOf("ada")[0]?.device
      makeUp(lying, "ben", { _tag: "KeysCommitted", from: "ada", device, keyEpoch, data, adds: [], removes: [] })
      const issue = "This is damaged or forged: who sealed it cannot be read."
      yield* untilLine(ben, `ada: (Damaged) ${issue}`)
      const { by, message } = yield* untilNews(ben, "OutOfStep")
      assert.strictEqual(
        message,
        `${issue} By the server's word it came from ada (device ${String(device)}), who is left out of fresh keys until you say :trust ada. A moderator can put them out of the room.`
      )
      assert.deepStrictEqual(by, { user: ada.home.user, device })
      const refusal = yield* Effect.flip(say(ben, "lost"))
      assert.strictEqual(
        refusal.message,
        "The keys of vault are out of step. Nothing was sent; :rekey vault makes new ones."
      )
      yield* ben.rooms.rekey(vault)
      yield* until("ben has fresh keys", isIn(ben, vault, 1))
      yield* ben.rooms.trust(ada.home.user)
      yield* until("ada is let in again", isIn(ben, vault, 2))
      yield* converse(ben, "back", ada)
    }).pipe(Effect.scoped)
  )

  it.effect(
    "see it when one of them puts another out by a change of keys that names nobody, and leave that one out",
    () =>
      Effect.gen(function* () {
        const { ada, ben, on } = yield* two
        const cyd = yield* on("cyd")
        yield* enter(cyd)
        for (const one of [ada, ben, cyd]) yield* until("all are in", isIn(one, vault, 3))
        const group = (yield* cyd.store.kept(vault))?.group
        const bens = yield* ben.store.device
        assert(group !== undefined && bens !== undefined)
        const { pending } = yield* commit(group, { removes: [bens.identity] })
        yield* cyd.client.request({
          _tag: "CommitKeys",
          room: vault,
          keyEpoch: group.keyEpoch,
          data: base64(pending.bytes),
          adds: [],
          removes: [],
          key: MessageKey.make("a key of tests, once alone")
        })
        const issue = "This is damaged or forged: this change of keys lets in or puts out others than it says."
        for (const one of [ada, ben]) {
          yield* untilLine(one, `cyd: (Damaged) ${issue}`)
          assert.include((yield* untilNews(one, "OutOfStep")).message, `${issue} By the server's word it came from cyd`)
        }
        yield* ben.rooms.rekey(vault)
        yield* until("ada is let in again, and cyd is not", isIn(ben, vault, 2))
        yield* converse(ben, "without cyd", ada)
      }).pipe(Effect.scoped)
  )

  it.effect("are asked for no more packages where the one that comes is of no use, and comes again", () =>
    Effect.gen(function* () {
      const { lying, path } = yield* world
      // So that there is one try.
      const ada = yield* switchOn(lying.port, homeOf(path, "ada", "desk"), { patience: 60_000 })
      const ben = yield* switchOn(lying.port, homeOf(path, "ben", "desk"))
      yield* makeVault(ada)
      yield* ben.rooms.ready
      const device = DeviceId.make(lying.talksOf("ben")[0]?.device ?? "")
      const forged = yield* makeKeyPackage(yield* makeDevice({ user: ben.home.user, device }), "lastResort")
      const data = base64(forged.publicBytes)
      lying.told((line) =>
        line._tag === "KeyPackages" ? [{ ...line, packages: [{ user: "ben", device, data }] }] : undefined
      )
      const claims = () => lying.overheard.filter(({ _tag }) => _tag === "ClaimKeyPackages").length
      yield* enter(ben)
      yield* until(
        "it is claimed",
        Effect.sync(() => claims() > 0)
      )
      for (let nonce = 0; nonce < 40; nonce++) yield* ada.client.request({ _tag: "Ping", nonce })
      assert.strictEqual(claims(), 2)
    }).pipe(Effect.scoped)
  )

  it.effect("from whom it keeps a change of keys cannot read on, and see why", () =>
    Effect.gen(function* () {
      const { ada, ben, lying, on } = yield* two
      const seq = Number(newest(lying, "KeysCommitted")["seq"])
      lying.told(
        aboutEntries("ben", (line) => (line._tag === "KeysCommitted" && Number(line["seq"]) > seq ? [] : undefined))
      )
      lying.asked((line, talk) => {
        if (talk.user !== "ben" || line._tag !== "CommitKeys") return undefined
        talk.tell({ _tag: "Rejected", id: line["id"], reason: { _tag: "StorageUnavailable" }, message: "Later." })
        return []
      })
      const cyd = yield* on("cyd")
      yield* enter(cyd)
      yield* until("cyd is let in", isIn(ada, vault, 3))
      yield* converse(ada, "to cyd", cyd)
      yield* untilLine(
        ben,
        "ada: (EpochAhead) A change of keys is missing here (2, now 1): this device is out of step."
      )
      const { message } = yield* untilNews(ben, "OutOfStep")
      assert.strictEqual(message, "A change of keys is missing here (2, now 1): this device is out of step.")
      assert.strictEqual((yield* Effect.flip(say(ben, "and this?")))._tag, "KeysOutOfStep")
    }).pipe(Effect.scoped)
  )
})
