/** Each thing that a device asks of the server, not answered: it is asked again after a while, what came meanwhile is read, and nothing is done twice. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import type { Lie, Line } from "../../support/LyingServer.ts"
import { enter, isIn, say, until, vault } from "./Devices.ts"
import { converse, type Lying, lines, told, twoWith, untilLine } from "./Lies.ts"

const lateness = 200

/** So often it is not answered. */
const times = 2

const refused = ({ id }: Line): Line => ({
  _tag: "Rejected",
  id,
  reason: { _tag: "StorageUnavailable" },
  message: "Later."
})

/** What comes of a request, and how it is made so. Gives how often it was. */
const ways = {
  "it is not given to anybody": (lying: Lying, is: (line: Line, user: string) => boolean) => {
    let held = 0
    lying.asked((line, { user }) => (is(line, user) && held++ < times ? [] : undefined))
    return () => held
  },
  "it is carried out, and its answer lost": (lying: Lying, is: (line: Line, user: string) => boolean) => {
    const ids = new Set<string>()
    lying.asked((line, { user }) => {
      if (is(line, user) && ids.size < times) ids.add(`${user} ${String(line["id"])}`)
      return undefined
    })
    lying.told((line, { user }) => (ids.has(`${user} ${String(line["id"])}`) ? [] : undefined))
    return () => ids.size
  },
  "it is refused as what cannot be done now": (lying: Lying, is: (line: Line, user: string) => boolean) => {
    let held = 0
    const lie: Lie = (line, talk) => {
      if (!is(line, talk.user) || held++ >= times) return undefined
      talk.tell(refused(line))
      return []
    }
    lying.asked(lie)
    return () => held
  }
}

/** By whom it is asked when cyd comes in, fresh keys are made, and all three say something. */
const requests: ReadonlyArray<readonly [tag: string, by: string]> = [
  ["SealedMessage", "ada"],
  ["GetHistory", "ben"],
  ["CommitKeys", "ada"],
  ["ResetKeys", "ada"],
  ["GetWelcomes", "cyd"],
  ["GetWelcomes", "ben"],
  ["AckWelcome", "cyd"],
  ["ListRoomUsers", "ada"],
  ["ListRoomUsers", "cyd"],
  ["GetDevices", "ada"],
  ["GetDevices", "ben"],
  ["ClaimKeyPackages", "ada"]
]
const cases = Object.entries(ways).flatMap(([way, make]) => requests.map(([tag, by]) => ({ way, make, tag, by })))

const inLog = ({ overheard }: Lying, tag: string) =>
  new Set(overheard.filter((line) => line._tag === tag && line["room"] === vault).map((line) => line["seq"])).size

layer(NodeServices.layer, { excludeTestServices: true })("What is not answered", (it) => {
  it.effect.each(cases)("is asked again, and nothing is done twice: $tag of $by, where $way", ({ by, make, tag }) =>
    Effect.gen(function* () {
      const { ada, ben, lying, on } = yield* twoWith({ lateness })
      const cyd = yield* on("cyd", "desk", { lateness })
      yield* cyd.rooms.ready
      yield* converse(ada, "before", ben)
      // Ben takes no part in what is to be done by ada, so that it is she who does it.
      if (by !== "ben") {
        yield* ben.network.close
        yield* ben.cut
      }
      const held = make(lying, (line, user) => line._tag === tag && user === by)
      yield* enter(cyd)
      yield* until("cyd is let in", isIn(cyd, vault, 3))
      yield* converse(ada, "to all", cyd)
      yield* ada.rooms.rekey(vault)
      if (by !== "ben") yield* ben.network.open
      yield* until("all have fresh keys", isIn(ada, vault, 3))
      for (const one of [ben, cyd]) yield* until(`${one.home.name} has them`, isIn(one, vault, 3))
      if (tag === "GetHistory") yield* ben.rooms.hear({ _tag: "Gap", conversation: { _tag: "Room", room: vault } })
      for (const one of [ada, ben, cyd]) yield* converse(one, `at last, by ${one.home.user}`, ada, ben, cyd)
      assert.isAtLeast(held(), 1, "it was held up")
      for (const one of [ada, ben, cyd]) {
        assert.deepStrictEqual(told(one, "Stopped", "OutOfStep", "Cloned", "Withheld", "Refused"), [], one.home.name)
        const said = (yield* lines(one)).filter((line) => line.includes(": "))
        assert.deepStrictEqual(said, [...new Set(said)], one.home.name)
      }
      assert.strictEqual(inLog(lying, "KeysReset"), 2)
    }).pipe(Effect.scoped)
  )

  it.effect("holds up nothing but itself: what others say is read meanwhile", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* twoWith({ lateness })
      let held = 0
      const honestly = lying.asked((line, { user }) => {
        if (user !== "ada" || line._tag !== "SealedMessage") return undefined
        held += 1
        return []
      })
      yield* say(ada, "into silence")
      yield* converse(ben, "hello?", ben, ada)
      yield* until(
        "it was asked again",
        Effect.sync(() => held > 1)
      )
      assert.strictEqual((yield* ada.rooms.view(vault))?.underway, 1)
      honestly()
      yield* untilLine(ben, "ada: into silence")
      assert.strictEqual(inLog(lying, "Sealed"), 2)
    }).pipe(Effect.scoped)
  )

  it.effect("where it is said to be done and is in no log, is asked again", () =>
    Effect.gen(function* () {
      const { ada, ben, lying, on } = yield* twoWith({ lateness })
      const cyd = yield* on("cyd")
      yield* cyd.rooms.ready
      let held = 0
      lying.asked((line, talk) => {
        if (line._tag !== "CommitKeys" || held > 0) return undefined
        held += 1
        talk.tell({ _tag: "Sent", id: line["id"], seq: 3, at: 1 })
        return []
      })
      yield* ben.network.close
      yield* ben.cut
      yield* enter(cyd)
      yield* until("cyd is let in", isIn(cyd, vault, 3))
      yield* ben.network.open
      yield* converse(ada, "to all", ben, cyd)
    }).pipe(Effect.scoped)
  )

  it.effect("behind what was read of a page already leaves that read, once", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* twoWith({ lateness })
      yield* converse(ada, "before", ben)
      yield* ben.network.close
      yield* ben.cut
      yield* converse(ada, "one", ada)
      yield* ada.rooms.rekey(vault)
      yield* until("ben is let in again", isIn(ada, vault, 2))
      yield* converse(ada, "two", ada)
      const held = ways["it is refused as what cannot be done now"](
        lying,
        (line, user) => line._tag === "GetWelcomes" && user === "ben"
      )
      // All of it in one page.
      lying.told((line, { user }) => (user === "ben" && ["Sealed", "KeysReset"].includes(line._tag) ? [] : undefined))
      yield* ben.network.open
      yield* untilLine(ben, "ada: two")
      assert.isAtLeast(held(), times)
      assert.deepStrictEqual(yield* lines(ben), [
        "let in",
        "ada: before",
        "ada: one",
        "put out by ada",
        "let in",
        "ada: two"
      ])
      assert.deepStrictEqual(told(ben, "Stopped", "OutOfStep"), [])
    }).pipe(Effect.scoped)
  )

  it.effect(
    "of who asks for fresh keys, and is let in by others before the server does it, leaves nobody without keys",
    () =>
      Effect.gen(function* () {
        const { ada, ben, lying, on } = yield* twoWith({ lateness })
        const cyd = yield* on("cyd", "desk", { lateness, patience: 4 })
        yield* cyd.rooms.ready
        for (const one of [ada, ben]) yield* Effect.andThen(one.network.close, one.cut)
        let held = 0
        const honestly = lying.asked((line, { user }) => {
          if (user !== "cyd" || line._tag !== "ResetKeys") return undefined
          held += 1
          return []
        })
        yield* enter(cyd)
        yield* until(
          "cyd asks for fresh keys",
          Effect.sync(() => held > 0)
        )
        yield* ada.network.open
        yield* until("ada lets cyd in", isIn(ada, vault, 3))
        honestly()
        yield* until(
          "there are fresh keys",
          Effect.sync(() => inLog(lying, "KeysReset") === 2)
        )
        yield* ben.network.open
        for (const one of [ada, ben, cyd]) yield* until(`${one.home.name} has them`, isIn(one, vault, 3), 8000)
        yield* converse(cyd, "here", ada, ben)
        assert.strictEqual(inLog(lying, "KeysReset"), 2, "and were not made once more")
      }).pipe(Effect.scoped)
  )

  it.effect("when a device comes is asked again until it takes part", () =>
    Effect.gen(function* () {
      const { ada, ben, lying, on } = yield* twoWith({ lateness })
      const held = ways["it is not given to anybody"](
        lying,
        (line, user) => line._tag === "GetDevices" && user === "cyd"
      )
      const cyd = yield* on("cyd", "desk", { lateness })
      const { identity } = yield* cyd.rooms.ready
      assert.strictEqual(identity.device, DeviceId.make(lying.talksOf("cyd")[0]?.device ?? ""))
      assert.isAtLeast(held(), times)
      yield* enter(cyd)
      yield* until("cyd is let in", isIn(cyd, vault, 3))
      yield* converse(cyd, "here", ada, ben)
    }).pipe(Effect.scoped)
  )
})
