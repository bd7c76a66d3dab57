/** What becomes of messages that a malicious server alters, repeats, moves or makes up: see src/client/crypto/SECURITY.md. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import type { Line } from "../../support/LyingServer.ts"
import { sealedBytes } from "../../support/SealedBytes.ts"
import { enter, isIn, makeVault, say, until, vault } from "./Devices.ts"
import {
  aboutEntries,
  altered,
  converse,
  isSealed,
  lines,
  makeUp,
  newest,
  told,
  two,
  untilLine,
  untilNews
} from "./Lies.ts"

layer(NodeServices.layer, { excludeTestServices: true })("A message of a malicious server", (it) => {
  it.effect("that was altered by a bit is a line that says so, and the next one is read", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      const reasons = []
      // Behind the header of 2 + 2 + 1 + 7 + 8 + 1 bytes: the end of the epoch, the kind, who sealed it, the text, its tag.
      for (const at of [11, 19, 20, 30, 100, -1]) {
        const honestly = lying.told(
          aboutEntries("ben", (line) => (isSealed(line) ? [altered(line, "data", at)] : undefined))
        )
        yield* converse(ada, `altered at ${at}`, ada)
        yield* until(
          "ben has a line of it",
          Effect.map(lines(ben), (all) => all.at(-1)?.includes("(") === true && all.length > reasons.length + 1)
        )
        reasons.push((yield* lines(ben)).at(-1))
        honestly()
      }
      const damaged = "ada: (Damaged) This is damaged or forged:"
      assert.deepStrictEqual(reasons, [
        "ada: (NotForThisGroup) This was sealed for another conversation, or for this one before its keys were reset.",
        "ada: (StaleEpoch) This was sealed with keys that are gone (0, now 1).",
        `${damaged} it is no sealed message.`,
        `${damaged} who sealed it cannot be read.`,
        `${damaged} it does not open with its sender's key.`,
        `${damaged} it does not open with its sender's key.`
      ])
      yield* converse(ada, "as it was said", ben)
    }).pipe(Effect.scoped)
  )

  it.effect("that is said to be somebody else's is not shown", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      const wrong =
        "(WrongName) The server says that this is somebody else's than the one who sealed it: it is not shown."
      let lie: object = { from: "mallory" }
      lying.told(aboutEntries("ben", (line) => (isSealed(line) ? [{ ...line, ...lie }] : undefined)))
      yield* converse(ada, "one", ada)
      yield* untilLine(ben, `mallory: ${wrong}`)
      lie = { from: "ben", device: lying.talksOf("ben")[0]?.device }
      yield* converse(ada, "two", ada)
      yield* untilLine(ben, `ben: ${wrong}`)
      lie = { device: "another" }
      yield* converse(ada, "three", ada)
      yield* untilLine(ben, `ada: ${wrong}`)
      lie = {}
      yield* converse(ada, "four", ben)
      assert.deepStrictEqual(told(ben, "Cloned", "OutOfStep", "Stopped"), [])
    }).pipe(Effect.scoped)
  )

  it.effect("that comes again is a line that says so, and shows by what is said next", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      yield* converse(ada, "once", ada, ben)
      const once = newest(lying, "Sealed")
      lying.talksOf("ben")[0]?.tell({ ...once, seq: Number(once["seq"]) + 1 })
      yield* untilLine(
        ben,
        "ada: (AlreadyOpened) This message of ada was opened before, or came too late: its key is gone."
      )
      yield* converse(ben, "now", ada)
      assert.deepInclude(yield* untilNews(ada, "Withheld"), { user: ben.home.user, what: "messages" })
    }).pipe(Effect.scoped)
  )

  it.effect("that is one's own and comes again is a line that says so, and no sign of a copy of one's keys", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      yield* converse(ada, "once", ada)
      const { seq: _, at: __, ...once } = newest(lying, "Sealed")
      makeUp(lying, "ada", once)
      yield* untilLine(
        ada,
        "ada: (Repeated) The server has repeated something of this device, or kept what it had refused: it is not shown again."
      )
      yield* converse(ada, "and on", ada, ben)
      assert.deepStrictEqual(told(ada, "Cloned"), [])
    }).pipe(Effect.scoped)
  )

  it.effect("that it refused and kept all the same is not shown, and is no sign of a copy of one's keys", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      let refused: Line | undefined
      const honestly = lying.asked((line, talk) => {
        if (line._tag !== "SealedMessage") return undefined
        refused = line
        talk.tell({ _tag: "Rejected", id: line["id"], reason: { _tag: "DeviceRequired" }, message: "Not from here." })
        return []
      })
      yield* say(ada, "refused")
      const { message } = yield* untilNews(ada, "Refused")
      assert.strictEqual(message, "Not from here.")
      honestly()
      const device = lying.talksOf("ada")[0]?.device
      for (const user of ["ada", "ben"])
        makeUp(lying, user, {
          _tag: "Sealed",
          from: "ada",
          device,
          keyEpoch: refused?.["keyEpoch"],
          data: refused?.["data"]
        })
      yield* untilLine(ben, "ada: refused")
      yield* until(
        "ada has it too",
        Effect.map(lines(ada), (all) => all.at(-1)?.startsWith("ada: (Repeated)") === true)
      )
      yield* converse(ada, "and on", ada, ben)
      assert.deepStrictEqual(told(ada, "Cloned"), [])
    }).pipe(Effect.scoped)
  )

  it.effect("that is from another conversation is not opened", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      const other = RoomName.make("other")
      yield* makeVault(ada, other)
      yield* enter(ben, other)
      yield* until("ben is let in", isIn(ben, other, 2))
      yield* converse(ada, "in the vault", ben)
      lying.talksOf("ben")[0]?.tell({
        ...newest(lying, "Sealed"),
        room: other,
        seq: Number(newest(lying, "KeysCommitted", other)["seq"]) + 1
      })
      yield* untilLine(
        ben,
        "ada: (NotForThisGroup) This was sealed for another conversation, or for this one before its keys were reset.",
        other
      )
    }).pipe(Effect.scoped)
  )

  it.effect("that it made itself is no message", () =>
    Effect.gen(function* () {
      const { ben, lying } = yield* two
      const keyEpoch = Number((yield* ben.rooms.view(vault))?.keyEpoch)
      const seq = (yield* ben.rooms.view(vault))?.cursor ?? 0
      const data = sealedBytes({ room: vault, keyEpoch })
      const device = lying.talksOf("ada")[0]?.device
      const entry = { _tag: "Sealed", room: vault, seq: seq + 1, at: 1, from: "ada", device, keyEpoch, data }
      lying.talksOf("ben")[0]?.tell(entry)
      yield* untilLine(ben, "ada: (Damaged) This is damaged or forged: who sealed it cannot be read.")
      lying.talksOf("ben")[0]?.tell({ ...entry, seq: seq + 2, data: "bm8=" })
      yield* untilLine(ben, "ada: (Damaged) This is damaged or forged: it is no sealed message.")
      assert.deepStrictEqual(told(ben, "OutOfStep", "Cloned", "Stopped"), [])
    }).pipe(Effect.scoped)
  )

  it.effect("that is not sealed is nowhere in an encrypted room, whatever it is", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      yield* converse(ada, "one", ben)
      const before = yield* lines(ben)
      const seq = Number(newest(lying, "Sealed")["seq"])
      const head = { room: vault, at: 1, from: "ada" }
      const made = [
        { _tag: "RoomMessage", ...head, seq: seq + 1, content: "in the open" },
        { _tag: "Edited", ...head, seq: seq + 2, target: seq, content: "in the open" },
        { _tag: "Reacted", ...head, seq: seq + 3, target: seq, reaction: "👎" }
      ]
      const [talk] = lying.talksOf("ben")
      talk?.tell(...made)
      yield* until(
        "ben is past them",
        Effect.map(ben.rooms.view(vault), (view) => (view?.cursor ?? 0) >= seq + 3)
      )
      assert.deepStrictEqual(yield* lines(ben), before)
      lying.told(
        aboutEntries("ada", (line) =>
          line["seq"] === seq + 1 ? [made[0] ?? line, { ...line, seq: seq + 2 }] : undefined
        )
      )
      yield* converse(ben, "two", ada)
      assert.deepStrictEqual((yield* lines(ada)).slice(-2), ["ada: one", "ben: two"])
    }).pipe(Effect.scoped)
  )

  it.effect("is in the name of who sealed it, and about what they meant: edits and reactions too", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      yield* converse(ada, "one", ben)
      const target = Number(newest(lying, "Sealed")["seq"])
      // What stands beside the bytes is not looked at.
      lying.told(
        aboutEntries("ben", (line) =>
          isSealed(line) ? [{ ...line, target: 1, replyTo: 1, content: "no" }] : undefined
        )
      )
      yield* ada.rooms.say(vault, { _tag: "Edited", target, content: "won" })
      yield* untilLine(ben, `ada edits ${target}: won`)
      yield* ada.rooms.say(vault, { _tag: "Reacted", target, reaction: "👍" })
      yield* untilLine(ben, `ada 👍 ${target}`)
      lying.told(aboutEntries("ben", (line) => (isSealed(line) ? [{ ...line, from: "mallory" }] : undefined)))
      yield* ada.rooms.say(vault, { _tag: "Edited", target, content: "two" })
      yield* untilLine(
        ben,
        "mallory: (WrongName) The server says that this is somebody else's than the one who sealed it: it is not shown."
      )
    }).pipe(Effect.scoped)
  )

  it.effect("can be erased by it, in the name of anybody, which is seen; who was let in cannot", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      yield* converse(ada, "one", ben)
      const target = Number(newest(lying, "Sealed")["seq"])
      makeUp(lying, "ben", { _tag: "Deleted", from: "ada", target })
      yield* untilLine(ben, "erased by ada")
      assert.notInclude(yield* lines(ben), "ada: one")
      assert.include(yield* lines(ada), "ada: one")
      makeUp(lying, "ada", { _tag: "Deleted", from: "ben", target: target - 1 })
      yield* untilLine(ada, "ben: Deleted")
      assert.include(yield* lines(ada), "ada changed keys: +ben -")
    }).pipe(Effect.scoped)
  )
})
