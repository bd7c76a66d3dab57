/** Private messages of accounts, on the stores that there are. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, FileSystem, Latch, Layer, Scope } from "effect"
import type { Cursor } from "../../../src/common/log/Cursor.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { History, StorageUnavailable } from "../../../src/server/history/History.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import * as Database from "../../../src/server/store/Database.ts"
import * as MemoryHistory from "../../../src/server/store/MemoryHistory.ts"
import { brief, entriesOf, key, over, reasonOf, seqsOf, world } from "./InboxTalk.ts"

const newFile = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  return `${yield* files.makeTempDirectoryScoped({ prefix: "parley-inbox-" })}/chat.sqlite`
}).pipe(Effect.provide(NodeFileSystem.layer))

const inFile = (file: string) =>
  Database.layerFile({ file, retention: "forever" }).pipe(Layer.provide(NodeFileSystem.layer), Layer.orDie)

const stores: ReadonlyArray<{ readonly store: string; readonly history: Layer.Layer<History> }> = [
  { store: "in memory", history: MemoryHistory.layer },
  {
    store: "in a database",
    history: Layer.unwrap(Effect.map(newFile, inFile)).pipe(Layer.provide(NodeFileSystem.layer), Layer.orDie)
  }
]

const scoped =
  (history: Layer.Layer<History>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(Effect.scoped, Effect.provide(over(history), { local: true }))

const after = (standing: Cursor | undefined, seq: number): Cursor => {
  if (standing === undefined) return assert.fail("a guest has no stored inbox")
  return { epoch: standing.epoch, seq }
}

describe.each(stores)("The inboxes of accounts, $store,", ({ history }) => {
  const within = scoped(history)

  it.live("are told on every connection, each side by its own places, the entry before its Sent", () =>
    Effect.gen(function* () {
      const { come } = yield* world
      const [ada, laptop, bob, cleo] = yield* Effect.all([come("ada"), come("ada"), come("bob"), come("cleo")])
      yield* cleo.say("bob", "psst")
      const sent = yield* ada.say("bob", "tea?")
      assert.deepInclude(sent, { _tag: "Sent", seq: 1 })
      assert.deepInclude(yield* bob.say("ada", "yes", { replyTo: 2 }), { _tag: "Sent", seq: 3 })
      assert.deepStrictEqual(brief(ada), [
        [1, "tea?"],
        [2, "yes", 1]
      ])
      assert.deepStrictEqual(brief(laptop), brief(ada))
      assert.deepStrictEqual(brief(bob), [
        [1, "psst"],
        [2, "tea?"],
        [3, "yes", 2]
      ])
      assert.deepStrictEqual(brief(cleo), [[1, "psst"]])
      assert.deepStrictEqual(
        ada.heard.slice(0, 2).map(({ _tag }) => _tag),
        ["PrivateMessage", "Sent"]
      )
      assert.deepInclude(entriesOf(bob)[1] ?? {}, { from: "ada", to: "bob" })
    }).pipe(within)
  )

  it.live("keep what comes while nobody is there, and give it behind the cursor, once", () =>
    Effect.gen(function* () {
      const { come } = yield* world
      const ada = yield* come("ada")
      const gone = yield* come("bob")
      yield* gone.leave
      for (const content of ["one", "two", "three"]) assert.strictEqual((yield* ada.say("bob", content))._tag, "Sent")
      const fresh = yield* come("bob")
      assert.deepInclude(fresh.standing ?? {}, { seq: 3, missed: 0, truncated: false })
      assert.deepStrictEqual(seqsOf(fresh), [])
      const back = yield* come("bob", after(gone.standing, 1))
      assert.deepInclude(back.standing ?? {}, { seq: 3, missed: 2, truncated: false })
      yield* ada.say("bob", "four")
      assert.deepStrictEqual(seqsOf(back), [2, 3, 4])
      assert.deepStrictEqual(seqsOf(fresh), [4])
      const lost = yield* come("bob", after(gone.standing, 9))
      assert.deepInclude(lost.standing ?? {}, { seq: 4, missed: 0, truncated: true })
    }).pipe(within)
  )

  it.live("are edited, reacted to and erased on both sides, each by its own places", () =>
    Effect.gen(function* () {
      const { come } = yield* world
      const [ada, bob, cleo] = yield* Effect.all([come("ada"), come("bob"), come("cleo")])
      yield* cleo.say("bob", "psst")
      yield* ada.say("bob", "tea?")
      assert.deepInclude(yield* ada.act("bob", { _tag: "Edited", target: 1, content: "coffee?" }), {
        _tag: "Sent",
        seq: 2
      })
      assert.deepInclude(yield* bob.act("ada", { _tag: "Reacted", target: 2, reaction: "👍" }), {
        _tag: "Sent",
        seq: 4
      })
      assert.deepStrictEqual(brief(ada), [
        [1, "tea?"],
        [2, "coffee?", 1],
        [3, "👍", 1]
      ])
      assert.deepStrictEqual(brief(bob).slice(1), [
        [2, "tea?"],
        [3, "coffee?", 2],
        [4, "👍", 2]
      ])
      assert.deepInclude(entriesOf(ada)[2] ?? {}, { with: "bob", from: "bob" })
      assert.deepInclude(entriesOf(bob)[3] ?? {}, { with: "ada", from: "bob" })
      for (const [mine, partner, seq] of [
        [ada, "bob", 1],
        [bob, "ada", 2]
      ] as const) {
        const [message] = yield* mine.history(partner)
        assert.deepInclude(message ?? {}, { _tag: "PrivateMessage", seq, content: "coffee?", from: "ada", to: "bob" })
        assert.deepStrictEqual(message?.["reactions"], [{ reaction: "👍", users: ["bob"], count: 1 }])
      }
      assert.deepStrictEqual(reasonOf(yield* bob.act("ada", { _tag: "Deleted", target: 2 })), {
        _tag: "NotAllowed",
        action: "DeleteMessage"
      })
      assert.strictEqual((yield* ada.act("bob", { _tag: "Deleted", target: 1 }))._tag, "Sent")
      for (const [mine, partner] of [
        [ada, "bob"],
        [bob, "ada"]
      ] as const) {
        assert.deepStrictEqual(
          (yield* mine.history(partner)).map(({ _tag, deletedBy, with: other }) => [_tag, deletedBy, other]),
          [["Tombstone", "ada", partner]]
        )
        assert.deepStrictEqual(yield* mine.search(partner, "coffee"), [])
      }
      const back = yield* come("bob", after(bob.standing, 1))
      assert.notInclude(JSON.stringify(back.heard), "coffee")
      assert.notInclude(JSON.stringify(back.heard), "tea")
    }).pipe(within)
  )

  it.live("are their account's, also what it said on a connection that was gone before it was stored", () =>
    Effect.gen(function* () {
      const { come } = yield* world
      const own = yield* Scope.make()
      const gone = yield* Scope.provide(come("ada"), own)
      const laptop = yield* come("ada")
      yield* Effect.forkChild(gone.say("bob", "tea?"), { startImmediately: true })
      yield* Scope.close(own, Exit.void)
      // Behind it, in the order of the inbox.
      yield* laptop.say("bob", "or coffee?")
      assert.deepStrictEqual(brief(laptop), [
        [1, "tea?"],
        [2, "or coffee?"]
      ])
      assert.deepInclude(yield* laptop.act("bob", { _tag: "Edited", target: 1, content: "cake?" }), {
        _tag: "Sent",
        seq: 3
      })
    }).pipe(within)
  )

  it.live("know nothing at a place of an exchange with somebody else, nor of what was never said", () =>
    Effect.gen(function* () {
      const { come } = yield* world
      const [ada, bob, cleo] = yield* Effect.all([come("ada"), come("bob"), come("cleo")])
      yield* cleo.say("ada", "for ada")
      yield* ada.say("bob", "for bob")
      for (const seq of [0, 1, 3, 99]) {
        const missing = { _tag: "MessageNotFound", seq }
        assert.deepStrictEqual(reasonOf(yield* ada.say("bob", "hm", { replyTo: seq })), missing)
        assert.deepStrictEqual(reasonOf(yield* ada.act("bob", { _tag: "Deleted", target: seq })), missing)
        assert.deepStrictEqual(
          reasonOf(yield* ada.act("bob", { _tag: "Reacted", target: seq, reaction: "ok" })),
          missing
        )
      }
      assert.deepStrictEqual(
        (yield* ada.history("bob")).map(({ content }) => content),
        ["for bob"]
      )
      assert.deepStrictEqual(
        (yield* ada.history("cleo")).map(({ content }) => content),
        ["for ada"]
      )
      assert.lengthOf(yield* ada.search("bob", "for"), 1)
      assert.lengthOf(yield* bob.search("ada", "for"), 1)
      assert.lengthOf(yield* bob.search("cleo", "for"), 0)
    }).pipe(within)
  )

  it.live("store a key once for each partner, and answer it again whatever it is used for", () =>
    Effect.gen(function* () {
      const { come } = yield* world
      const [ada, bob, cleo] = yield* Effect.all([come("ada"), come("bob"), come("cleo")])
      const sent = yield* ada.say("bob", "once", { key: key("k") })
      const again = yield* ada.say("bob", "once", { key: key("k") })
      assert.deepStrictEqual(again, { ...sent, id: again["id"], repeated: true })
      const other = yield* ada.act("bob", { _tag: "Deleted", target: 77 }, key("k"))
      assert.deepStrictEqual(other, { ...sent, id: other["id"], repeated: true })
      assert.deepInclude(yield* ada.say("cleo", "once", { key: key("k") }), { _tag: "Sent", seq: 2 })
      assert.deepInclude(yield* bob.say("ada", "mine", { key: key("k") }), { _tag: "Sent", seq: 2 })
      assert.deepStrictEqual(seqsOf(ada), [1, 2, 3])
      assert.lengthOf(entriesOf(cleo), 1)
    }).pipe(within)
  )

  it.live("store what a guest says to an account, whose own side counts from 1 for its connection", () =>
    Effect.gen(function* () {
      const { come } = yield* world
      const [ada, dan, cleo] = yield* Effect.all([come("ada"), come("dan"), come("cleo")])
      yield* cleo.say("ada", "psst")
      assert.deepInclude(yield* dan.say("ada", "hello"), { _tag: "Sent", seq: 1 })
      assert.deepInclude(yield* ada.say("dan", "hi", { replyTo: 2 }), { _tag: "Sent", seq: 3 })
      assert.deepInclude(yield* dan.say("ada", "well", { replyTo: 2 }), { _tag: "Sent", seq: 3 })
      assert.deepStrictEqual(brief(dan), [
        [1, "hello"],
        [2, "hi", 1],
        [3, "well", 2]
      ])
      assert.deepStrictEqual(brief(ada).slice(1), [
        [2, "hello"],
        [3, "hi", 2],
        [4, "well", 3]
      ])
      assert.deepStrictEqual(reasonOf(yield* dan.say("ada", "hm", { replyTo: 9 })), { _tag: "MessageNotFound", seq: 9 })
      assert.deepStrictEqual(reasonOf(yield* ada.act("dan", { _tag: "Deleted", target: 3 })), {
        _tag: "AccountRequired",
        action: "DeleteMessage"
      })
      assert.deepStrictEqual(yield* dan.history("ada"), [])
      assert.lengthOf(yield* ada.history("dan"), 3)
      yield* dan.leave
      assert.deepStrictEqual(reasonOf(yield* ada.say("dan", "still there?")), { _tag: "UserNotFound", user: "dan" })
    }).pipe(within)
  )

  it.live("of an account that is deleted take nothing more, but what was said can still be deleted there", () =>
    Effect.gen(function* () {
      const { come, names } = yield* world
      const [ada, bob] = yield* Effect.all([come("ada"), come("bob")])
      yield* ada.say("bob", "regret")
      yield* bob.leave
      names.set({ id: AccountId.make(2), user: UserName.make("bob"), state: "Deleted" })
      for (const reply of [
        yield* ada.say("bob", "hm"),
        yield* ada.say("bob", "hm", { key: key("k") }),
        yield* ada.act("bob", { _tag: "Edited", target: 1, content: "no" })
      ]) {
        assert.deepStrictEqual(reasonOf(reply), { _tag: "UserNotFound", user: "bob" })
      }
      assert.strictEqual((yield* ada.act("bob", { _tag: "Deleted", target: 1 }))._tag, "Sent")
      // Whoever has the name now is another account, and has another inbox.
      names.set({ id: AccountId.make(7), user: UserName.make("bob"), state: "Active" })
      assert.deepStrictEqual(yield* ada.history("bob"), [])
      assert.deepStrictEqual(reasonOf(yield* ada.say("bob", "hm", { replyTo: 1 })), { _tag: "MessageNotFound", seq: 1 })
    }).pipe(within)
  )

  it.live("have one order, also for who comes while others talk: nothing is lost and nothing twice", () =>
    Effect.gen(function* () {
      const { come } = yield* world
      const first = yield* Effect.all([come("ada"), come("bob"), come("cleo"), come("ada")])
      const [ada, bob, cleo] = first
      const pairs = [
        [ada, "bob"],
        [bob, "ada"],
        [cleo, "ada"],
        [ada, "cleo"],
        [cleo, "bob"]
      ] as const
      const talk = Effect.forEach(
        pairs,
        ([from, to]) =>
          Effect.forEach(
            Array.from({ length: 40 }, (_, index) => index),
            (index) => (index % 7 === 6 ? from.say(to, `${index}`, { replyTo: 1 }) : from.say(to, `${index}`)),
            { concurrency: 9, discard: true }
          ),
        { concurrency: "unbounded", discard: true }
      )
      const talking = yield* Effect.forkChild(talk)
      const late = yield* Effect.forEach(
        Array.from({ length: 12 }, (_, index) => index),
        Effect.fnUntraced(function* (index) {
          const from = Math.min(3 * index, entriesOf(ada).length)
          const one = yield* come("ada", after(ada.standing, from))
          yield* Effect.repeat(Effect.yieldNow, { times: 20 })
          return { one, from }
        })
      )
      yield* Fiber.join(talking)
      // What was heard last is heard by all of an account at once.
      yield* Effect.repeat(Effect.yieldNow, { times: 20 })
      for (const one of first) {
        assert.deepStrictEqual(
          seqsOf(one),
          Array.from({ length: entriesOf(one).length }, (_, index) => index + 1)
        )
        for (const [index, line] of one.heard.entries()) {
          if (line._tag !== "Sent") continue
          assert.isTrue(entriesOf({ heard: one.heard.slice(0, index) }).some(({ seq }) => seq === line["seq"]))
        }
      }
      assert.deepStrictEqual(entriesOf(first[3]), entriesOf(ada))
      for (const { from, one } of late) assert.deepStrictEqual(entriesOf(one), entriesOf(ada).slice(from))
      const { read } = yield* History
      const { entries } = yield* read(
        { _tag: "Inbox", user: UserName.make("ada"), account: 1 },
        { before: undefined, after: 0, limit: 500 }
      )
      assert.deepStrictEqual(
        entriesOf(ada).map(({ content }) => content),
        entries.map(({ body }) => (body._tag === "Said" ? body.content : ""))
      )
    }).pipe(within)
  )
})

/** A store that waits, or fails, when the test says so. */
const hindered = (hinder: (append: History["Service"]["append"]) => History["Service"]["append"]) =>
  Layer.effect(
    History,
    Effect.map(Effect.map(Layer.build(MemoryHistory.layer), Context.get(History)), (history) =>
      History.of({ ...history, append: hinder(history.append) })
    )
  )

describe("A store of inboxes that", () => {
  it.live("waits holds up who writes to accounts, and neither guests nor who only reads", () => {
    const latch = Latch.makeUnsafe(false)
    return Effect.gen(function* () {
      const { come } = yield* world
      const [ada, bob, dan, eve] = yield* Effect.all([come("ada"), come("bob"), come("dan"), come("eve")])
      const waiting = yield* Effect.forkChild(ada.say("bob", "slow"), { startImmediately: true })
      const behind = yield* Effect.forkChild(ada.history("bob"), { startImmediately: true })
      assert.deepInclude(yield* dan.say("eve", "fast"), { _tag: "Sent", seq: 1 })
      assert.deepStrictEqual(brief(eve), [[1, "fast"]])
      assert.deepStrictEqual(yield* bob.history("ada"), [])
      assert.isUndefined(waiting.pollUnsafe())
      assert.isUndefined(behind.pollUnsafe())
      assert.deepStrictEqual(brief(bob), [])
      yield* latch.open
      yield* Fiber.join(waiting)
      // What was asked behind it sees it.
      assert.lengthOf(yield* Fiber.join(behind), 1)
      assert.deepStrictEqual(brief(bob), [[1, "slow"]])
    }).pipe(scoped(hindered((append) => (entries) => Effect.andThen(latch.await, append(entries)))))
  })

  it.live("fails refuses who asked; what it stored all the same is told before anything else", () => {
    let outcome: "stored" | "failed" | "lost" = "failed"
    const broken = new StorageUnavailable({ cause: "broken" })
    return Effect.gen(function* () {
      const { come } = yield* world
      const [ada, bob] = yield* Effect.all([come("ada"), come("bob")])
      const refused = { _tag: "StorageUnavailable" }
      assert.deepStrictEqual(reasonOf(yield* ada.say("bob", "never")), refused)
      outcome = "lost"
      assert.deepStrictEqual(reasonOf(yield* ada.say("bob", "in doubt", { key: key("k") })), refused)
      // Also if nobody says anything more.
      yield* Effect.repeat(Effect.yieldNow, { times: 50 })
      for (const one of [ada, bob]) assert.deepStrictEqual(brief(one), [[1, "in doubt"]])
      outcome = "stored"
      assert.deepInclude(yield* ada.say("bob", "sure"), { _tag: "Sent", seq: 2 })
      for (const one of [ada, bob]) {
        assert.deepStrictEqual(brief(one), [
          [1, "in doubt"],
          [2, "sure"]
        ])
      }
      assert.deepInclude(yield* ada.say("bob", "in doubt", { key: key("k") }), { seq: 1, repeated: true })
    }).pipe(
      scoped(
        hindered((append) => (entries) => {
          if (outcome === "failed") return Effect.fail(broken)
          return outcome === "lost" ? Effect.andThen(append(entries), Effect.fail(broken)) : append(entries)
        })
      )
    )
  })

  it.live("is opened again knows every place and key", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const sent = yield* Effect.gen(function* () {
        const { come } = yield* world
        const ada = yield* come("ada")
        yield* ada.say("bob", "one")
        return yield* ada.say("bob", "two", { key: key("k") })
      }).pipe(scoped(inFile(file)))
      yield* Effect.gen(function* () {
        const { come } = yield* world
        const [ada, bob] = yield* Effect.all([come("ada"), come("bob")])
        assert.deepInclude(yield* ada.say("bob", "two", { key: key("k") }), {
          seq: sent["seq"],
          at: sent["at"],
          repeated: true
        })
        assert.deepInclude(yield* bob.act("ada", { _tag: "Reacted", target: 2, reaction: "ok" }), {
          _tag: "Sent",
          seq: 3
        })
        assert.deepStrictEqual(brief(ada), [[3, "ok", 2]])
        assert.deepInclude(yield* ada.act("bob", { _tag: "Edited", target: 2, content: "2" }), { _tag: "Sent", seq: 4 })
        assert.deepStrictEqual(
          (yield* bob.history("ada")).map(({ content }) => content),
          ["one", "2"]
        )
      }).pipe(scoped(inFile(file)))
    }).pipe(Effect.scoped)
  )
})
