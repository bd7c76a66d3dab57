/** What a server, or a person, can make a device do: no loop without a pause, one notice for one lie, and so much that waits. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { isPending } from "../../../src/client/crypto/Apply.ts"
import { create, membersOf } from "../../../src/client/crypto/Group.ts"
import { fitting } from "../../../src/client/sealed/Tender.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import type { Line } from "../../support/LyingServer.ts"
import { deviceOf, groupId, packageOf } from "../crypto/Crowd.ts"
import { enter, makeVault, say, texts, until, vault } from "./Devices.ts"
import { converse, told, two, world } from "./Lies.ts"

interface Refusal {
  readonly what: string
  readonly request: string
  readonly reason: Line
}

/** What is answered to each request of a kind, for ever. */
const refusals: ReadonlyArray<Refusal> = [
  {
    what: "a message is of old keys, by a place that is not there",
    request: "SealedMessage",
    reason: { _tag: "StaleKeyEpoch", keyEpoch: 70, seq: 1_000_000 }
  },
  {
    what: "somebody has to go first, who is not there",
    request: "SealedMessage",
    reason: { _tag: "StaleKeyEpoch", keyEpoch: 0, seq: 1 }
  },
  {
    what: "keys are others than they are",
    request: "SealedMessage",
    reason: { _tag: "StaleKeyEpoch", keyEpoch: 9, seq: 1 }
  },
  { what: "this connection is not in the room", request: "SealedMessage", reason: { _tag: "NotInRoom", room: vault } },
  { what: "nothing can be stored", request: "ResetKeys", reason: { _tag: "StorageUnavailable" } },
  {
    what: "a commit is of old keys",
    request: "CommitKeys",
    reason: { _tag: "StaleKeyEpoch", keyEpoch: 70, seq: 1_000_000 }
  },
  { what: "a commit is not allowed", request: "CommitKeys", reason: { _tag: "NotAllowed", action: "CommitKeys" } },
  { what: "a page cannot be had", request: "GetHistory", reason: { _tag: "StorageUnavailable" } }
]

/** So often the request is counted, and so many milliseconds that takes at least: a loop without a pause is through in a tenth. */
const counted = 6
const leastMillis = 250

layer(NodeServices.layer, { excludeTestServices: true })((it) => {
  it.effect.each(refusals)("is not asked without a pause: $what ($request)", ({ reason, request }) =>
    Effect.gen(function* () {
      const { lying, on } = yield* world
      const ada = yield* on("ada")
      yield* ada.rooms.ready
      if (request !== "ResetKeys") yield* makeVault(ada)
      const clock = yield* Clock.Clock
      const at: Array<number> = []
      lying.asked((line, talk) => {
        if (line._tag !== request || talk.user !== "ada") return undefined
        at.push(clock.currentTimeMillisUnsafe())
        talk.tell({ _tag: "Rejected", id: line["id"], reason, message: "No." })
        return []
      })
      if (request === "ResetKeys") {
        yield* ada.client.request({ _tag: "CreateRoom", room: vault, encrypted: true })
        yield* enter(ada)
      } else if (request === "CommitKeys") yield* enter(yield* on("ben"))
      else if (request === "GetHistory") {
        yield* ada.rooms.hear({ _tag: "Gap", conversation: { _tag: "Room", room: vault } })
      } else yield* say(ada, "again and again")
      yield* until(
        "it was asked often",
        Effect.sync(() => at.length >= counted)
      )
      const took = (at[counted - 1] ?? Infinity) - (at[0] ?? 0)
      assert.isAbove(took, leastMillis, `${counted} requests`)
    }).pipe(Effect.scoped)
  )

  it.effect(
    "a list of devices that is shorter than its owner says is told of once, and not asked for with each message",
    () =>
      Effect.gen(function* () {
        const { ada, ben, lying, on } = yield* two
        const adas = (yield* ada.rooms.ready).identity.device
        let lists = 0
        lying.told((line, { user }) => {
          const { entries } = line
          if (line._tag !== "DeviceList" || user !== "ben" || !Array.isArray(entries)) return undefined
          lists += 1
          return [{ ...line, entries: entries.filter(({ by, n }) => by !== adas || n === 1), more: false }]
        })
        const phone = yield* on("ada", "phone")
        const { device } = yield* Effect.flip(phone.rooms.ready)
        yield* ada.rooms.signIn(DeviceId.make(device))
        const before = lists
        for (let n = 1; n <= 8; n++) yield* converse(ada, `message ${n}`, ben)
        assert.deepStrictEqual(told(ben, "Withheld"), [
          { _tag: "Withheld", room: vault, user: ada.home.user, what: "devices" }
        ])
        assert.isBelow(lists - before, 6)
      }).pipe(Effect.scoped)
  )

  it.effect("a list that is refused is told of once, however often it is given so", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      let lists = 0
      lying.told((line, { user }) => {
        if (line._tag !== "DeviceList" || user !== "ben") return undefined
        lists += 1
        return [{ ...line, entries: [], more: false }]
      })
      for (let n = 1; n <= 20; n++) {
        const given = lists
        for (const talk of lying.talksOf("ben")) talk.tell({ _tag: "DevicesChanged", user: ada.home.user, n: n + 1 })
        yield* until(
          "it was looked at",
          Effect.sync(() => lists > given)
        )
      }
      assert.deepStrictEqual(
        told(ben, "ChainRefused").map(({ user }) => user),
        [ada.home.user]
      )
    }).pipe(Effect.scoped)
  )

  it.effect("a message that was left out is told of once, however many follow by those who have read it", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      let hidden: unknown
      lying.told((line, { user }) => {
        const { messages } = line
        if (user !== "ben") return undefined
        if (line._tag === "Sealed") hidden ??= line["seq"]
        if (line._tag === "Sealed" && line["seq"] === hidden) return []
        if (line._tag !== "History" || !Array.isArray(messages)) return undefined
        return [{ ...line, messages: messages.filter(({ seq }) => seq !== hidden) }]
      })
      yield* converse(ada, "hidden from ben", ada)
      for (let n = 1; n <= 6; n++) yield* converse(ada, `ada ${n}`, ben)
      assert.deepStrictEqual(
        told(ben, "Withheld").map(({ what }) => what),
        ["places", "messages"]
      )
      assert.notInclude(yield* texts(ben), "hidden from ben")
    }).pipe(Effect.scoped)
  )

  it.effect(
    "of what is said while nothing can be sent 100 messages wait, the next one is refused, and all those are sent",
    () =>
      Effect.gen(function* () {
        const { ada, ben } = yield* two
        yield* ada.network.close
        yield* ada.cut
        yield* until(
          "ada is away",
          Effect.map(ada.rooms.view(vault), (view) => view?.state === "away")
        )
        const said = Array.from({ length: 100 }, (_, n) => `message ${n}`)
        const saying = yield* Effect.forEach(said, (text) =>
          Effect.forkChild(say(ada, text), { startImmediately: true })
        )
        const refused = yield* Effect.flip(say(ada, "one too many"))
        assert.strictEqual(refused._tag, "TooMuchWaits")
        assert.match(refused.message, /^100 messages wait to be sent to vault already\. This one was not kept/)
        yield* ada.network.open
        yield* Effect.forEach(saying, Fiber.join)
        yield* until(
          "ben has read all",
          Effect.map(texts(ben), (all) => all.length >= said.length)
        )
        assert.deepStrictEqual(yield* texts(ben), said)
        // What was sealed waits no more.
        yield* converse(ada, "and on", ben)
      }).pipe(Effect.scoped)
  )

  it.effect("a commit that is too large lets in half of those who wait, and half of these, down to one or none", () =>
    Effect.gen(function* () {
      const group = yield* create(yield* deviceOf("ada"), groupId)
      const users = ["ben", "cyd", "dee", "eve", "fay", "gus", "hal", "ida"]
      const packages = yield* Effect.forEach(users, (user) =>
        Effect.map(Effect.flatMap(deviceOf(user), packageOf), ({ read }) => read)
      )
      const sizes = yield* Effect.forEach([8, 4, 2, 1], (count) =>
        Effect.map(fitting(group, packages.slice(0, count), []), ({ pending }) => pending.bytes.length)
      )
      const [eight = 0, four = 0, two = 0, one = 0] = sizes
      assert.isTrue(eight > four && four > two && two > one)
      const wide = { welcome: 40_000, line: 65_536 }
      const addedWithin = (commit: number) =>
        Effect.map(fitting(group, packages, [], { commit, ...wide }), ({ adds, pending }) => {
          assert.lengthOf(membersOf(pending.next), adds.length + 1)
          assert.isAtMost(pending.bytes.length, commit)
          assert.isTrue(isPending(pending, pending.bytes))
          return adds.length
        })
      assert.deepStrictEqual(yield* Effect.forEach([eight, eight - 1, four - 1, two - 1], addedWithin), [8, 4, 2, 1])
      const none = yield* Effect.flip(fitting(group, packages, [], { commit: one - 1, ...wide }))
      assert.strictEqual(none._tag, "TooLarge")
      // A welcome has its own limit.
      const whole = (yield* fitting(group, packages, [])).pending.welcome?.length ?? 0
      const welcomed = yield* fitting(group, packages, [], { commit: eight, welcome: whole - 1, line: wide.line })
      assert.lengthOf(welcomed.adds, 4)
      // And so has the line that holds both, in base64, with those whom it names.
      const both = Math.ceil((eight + whole) / 3) * 4
      const inLine = (line: number) =>
        Effect.map(fitting(group, packages, [], { commit: eight, welcome: whole, line }), ({ adds }) => adds.length)
      assert.deepStrictEqual(yield* Effect.forEach([both + 2000, both], inLine), [8, 4])
      // Where nobody fits, who is to go goes all the same.
      const { pending } = yield* fitting(group, packages.slice(0, 2), [])
      const gone = [packages[0]?.identity].flatMap((identity) => identity ?? [])
      const alone = yield* fitting(pending.next, [], gone)
      const most = { commit: alone.pending.bytes.length, ...wide }
      const removing = yield* fitting(pending.next, packages.slice(2), gone, most)
      assert.deepStrictEqual([removing.adds.length, membersOf(removing.pending.next).length], [0, 2])
    })
  )
})
