/** Encrypted conversations between real clients over a real server. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { sealedBytes } from "../../support/SealedBytes.ts"
import * as TestServer from "../../support/TestServer.ts"
import { enter, homeOf, isIn, makeVault, say, signInBy, switchOn, texts, until, vault } from "./Devices.ts"
import { folder } from "./Folder.ts"

/** In milliseconds: a second is promised, on a machine that does nothing else. */
const longestRekey = 5000

describe("Encrypted conversations", () => {
  layer(NodeServices.layer, { excludeTestServices: true })((it) => {
    it.effect("let in who joins, without anybody typing anything, and everybody reads what is said from then on", () =>
      Effect.gen(function* () {
        const { port } = yield* TestServer.start()
        const path = yield* folder
        const ada = yield* switchOn(port, homeOf(path, "ada", "desk"))
        const ben = yield* switchOn(port, homeOf(path, "ben", "desk"))
        yield* makeVault(ada)
        yield* say(ada, "before")
        yield* enter(ben)
        yield* until("ben is let in", isIn(ben, vault, 2))
        yield* say(ada, "hello")
        yield* say(ben, "hello yourself")
        yield* until(
          "ada has read all",
          Effect.map(texts(ada), (all) => all.length === 3)
        )
        yield* until(
          "ben has read all",
          Effect.map(texts(ben), (all) => all.length === 2)
        )
        assert.deepStrictEqual((yield* texts(ada)).toSorted(), ["before", "hello", "hello yourself"])
        assert.deepStrictEqual((yield* texts(ben)).toSorted(), ["hello", "hello yourself"])
      }).pipe(Effect.scoped)
    )

    it.effect(
      "with a second device: it is signed in by a code, let in by whoever is there, and reads from then on",
      () =>
        Effect.gen(function* () {
          const { port } = yield* TestServer.start()
          const path = yield* folder
          const ada = yield* switchOn(port, homeOf(path, "ada", "desk"))
          const ben = yield* switchOn(port, homeOf(path, "ben", "desk"))
          yield* makeVault(ada)
          yield* enter(ben)
          yield* until("ben is let in", isIn(ben, vault, 2))
          const phone = yield* switchOn(port, homeOf(path, "ada", "phone"))
          const refused = yield* Effect.flip(phone.rooms.ready)
          assert.match(
            refused.message,
            /^This device \(\w+\) is not one of your account's yet\. On another one, :link \w+ shows a code/
          )
          assert.strictEqual(
            (yield* Effect.flip(phone.rooms.link("0000-0000-0000-0000-0000-0000-00")))._tag,
            "NoSuchCode"
          )
          yield* say(ben, "before the phone")
          yield* signInBy(ada, phone)
          yield* until("the phone is let in", isIn(phone, vault, 3))
          yield* say(ben, "with the phone")
          yield* until(
            "the phone has read",
            Effect.map(texts(phone), (all) => all.length === 1)
          )
          assert.deepStrictEqual(yield* texts(phone), ["with the phone"])
          assert.isTrue(ben.news.some((one) => one._tag === "DeviceAdded" && one.user === "ada"))
          const number = yield* ben.rooms.safetyNumber(ada.home.user)
          assert.strictEqual(yield* phone.rooms.safetyNumber(ben.home.user), number)
          assert.match(number ?? "", /^(?:\d{5} ){11}\d{5}$/)
          // Signed out again, it is removed before anything else is said.
          const own = yield* phone.rooms.ready
          yield* ada.rooms.signOut(own.identity.device)
          yield* say(ben, "without the phone")
          yield* until(
            "ada has read it",
            Effect.map(texts(ada), (all) => all.includes("without the phone"))
          )
          assert.notInclude(yield* texts(phone), "without the phone")
        }).pipe(Effect.scoped)
    )

    it.effect("of two are private to them, and hold back what is said to somebody whose devices are all new", () =>
      Effect.gen(function* () {
        const { port } = yield* TestServer.start()
        const path = yield* folder
        const ada = yield* switchOn(port, homeOf(path, "ada", "desk"))
        const ben = yield* switchOn(port, homeOf(path, "ben", "desk"))
        yield* Effect.all([ada.rooms.ready, ben.rooms.ready])
        const { room } = yield* ada.client.request({ _tag: "OpenConversation", with: ben.home.user })
        yield* until(
          "both are in",
          Effect.zipWith(isIn(ada, room, 2), isIn(ben, room, 2), (one, other) => one && other)
        )
        yield* say(ben, "just for you", room)
        yield* until(
          "ada has read it",
          Effect.map(texts(ada, room), (all) => all.length === 1)
        )

        // Ben has lost his device, and begins a new list on another one.
        const lost = yield* switchOn(port, homeOf(path, "ben", "new"))
        yield* Effect.flip(lost.rooms.ready)
        yield* lost.rooms.beginAnew
        yield* until(
          "ada is told",
          Effect.sync(() => ada.news.some(({ _tag }) => _tag === "ChainReplaced"))
        )
        const held = yield* Effect.flip(say(ada, "who are you?", room))
        assert.match(
          held.message,
          /^ben has all new devices, and you have not said that they are theirs\. Nothing was sent\./
        )
        yield* ada.rooms.trust(ben.home.user)
        yield* until("the new device is let in", isIn(lost, room))
        yield* say(ada, "there you are", room)
        yield* until(
          "it has read it",
          Effect.map(texts(lost, room), (all) => all.length === 1)
        )
        assert.deepStrictEqual(yield* texts(lost, room), ["there you are"])
        assert.notInclude(yield* texts(ben, room), "there you are")
      }).pipe(Effect.scoped)
    )

    it.effect("are read by pages where much was missed, each message once", () =>
      Effect.gen(function* () {
        const { port } = yield* TestServer.start()
        const path = yield* folder
        const ada = yield* switchOn(port, homeOf(path, "ada", "desk"))
        const home = homeOf(path, "ben", "desk")
        yield* makeVault(ada)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const ben = yield* switchOn(port, home)
            yield* enter(ben)
            yield* until("ben is let in", isIn(ben, vault, 2))
          })
        )
        const said = Array.from({ length: 500 }, (_, index) => `message ${index}`)
        yield* Effect.forEach(said, (text) => say(ada, text), { discard: true })
        yield* until(
          "all is in the log",
          Effect.map(ada.rooms.view(vault), (view) => view?.underway === 0)
        )
        const ben = yield* switchOn(port, home)
        yield* until(
          "ben has read all",
          Effect.map(texts(ben), (all) => all.length >= said.length)
        )
        assert.deepStrictEqual(yield* texts(ben), said)
      }).pipe(Effect.scoped)
    )

    it.effect(
      "that a damaged change of keys takes out of step say so to everybody, and go on without who made it",
      () =>
        Effect.gen(function* () {
          const { port } = yield* TestServer.start()
          const path = yield* folder
          // With the pauses of real clients.
          const start = (user: string) => switchOn(port, homeOf(path, user, "desk"), { patience: 400 })
          const ada = yield* start("ada")
          const ben = yield* start("ben")
          const cyd = yield* start("cyd")
          yield* makeVault(ada)
          yield* enter(ben)
          yield* enter(cyd)
          yield* until(
            "everybody is let in",
            Effect.zipWith(isIn(ben, vault, 3), isIn(cyd, vault, 3), (one, other) => one && other)
          )
          const keyEpoch = (yield* cyd.rooms.view(vault))?.keyEpoch ?? 0
          const data = sealedBytes({ room: vault, incarnation: 1, keyEpoch, contentType: "commit" })
          const key = "a key of the tests, of its own"
          yield* cyd.client.request({ _tag: "CommitKeys", room: vault, keyEpoch, data, adds: [], removes: [], key })
          for (const one of [ada, ben, cyd]) {
            yield* until(
              "it is told",
              Effect.map(one.rooms.view(vault), (view) => view?.state === "outOfStep")
            )
            assert.match((yield* Effect.flip(say(one, "lost")))._tag, /KeysOutOfStep/)
            assert.strictEqual(one.news.filter(({ _tag }) => _tag === "OutOfStep").length, 1)
            const line = (yield* one.rooms.rows(vault)).find((row) => row.line._tag === "Unreadable")
            assert.isDefined(line)
          }
          const told = ada.news.find(({ _tag }) => _tag === "OutOfStep")
          assert(told?._tag === "OutOfStep")
          assert.strictEqual(told.by?.user, "cyd")
          assert.match(told.message, /By the server's word it came from cyd .* until you say :trust cyd\./)

          const took = yield* Effect.timed(
            Effect.gen(function* () {
              yield* ada.rooms.rekey(vault)
              yield* until("ben is let in again", isIn(ben, vault, 2))
              yield* say(ben, "back again")
              yield* until(
                "ada has read it",
                Effect.map(texts(ada), (all) => all.includes("back again"))
              )
            })
          )
          yield* Effect.log(`From :rekey to the first message: ${Duration.toMillis(took[0])} ms`)
          assert.isBelow(Duration.toMillis(took[0]), longestRekey)
          assert.deepStrictEqual(
            (yield* ada.rooms.view(vault))?.leftOut.map(({ user }) => user),
            ["cyd"]
          )
          assert.strictEqual((yield* cyd.rooms.view(vault))?.state, "waiting")

          yield* ada.rooms.trust(cyd.home.user)
          yield* until("cyd is let in again", isIn(cyd, vault, 3))
          yield* say(cyd, "sorry")
          yield* until(
            "ben has read it",
            Effect.map(texts(ben), (all) => all.includes("sorry"))
          )
        }).pipe(Effect.scoped)
    )

    it.effect("give who was kicked exactly what was said while they were in, however much they were away", () =>
      Effect.gen(function* () {
        const { port } = yield* TestServer.start()
        const path = yield* folder
        const ada = yield* switchOn(port, homeOf(path, "ada", "desk"))
        const home = homeOf(path, "ben", "desk")
        yield* makeVault(ada)
        const ben = home.user
        yield* Effect.scoped(
          Effect.gen(function* () {
            const device = yield* switchOn(port, home)
            yield* enter(device)
            yield* until("ben is let in", isIn(device, vault, 2))
          })
        )
        const sayDurably = (text: string) =>
          Effect.andThen(
            say(ada, text),
            until(
              "it is in the log",
              Effect.map(ada.rooms.view(vault), (view) => view?.underway === 0)
            )
          )
        yield* sayDurably("while he is away")
        yield* ada.client.request({ _tag: "Kick", room: vault, user: ben, key: "a key of the kick in tests" })
        yield* sayDurably("behind his back")
        const back = yield* switchOn(port, home)
        yield* enter(back)
        const lettings = Effect.map(back.rooms.rows(vault), (rows) => rows.filter(({ line }) => line._tag === "LetIn"))
        yield* until(
          "ben is let in again",
          Effect.map(lettings, (rows) => rows.length === 2)
        )
        yield* sayDurably("welcome back")
        yield* until(
          "ben has read",
          Effect.map(texts(back), (all) => all.includes("welcome back"))
        )
        assert.deepStrictEqual(yield* texts(back), ["while he is away", "welcome back"])
        assert.deepStrictEqual(yield* texts(ada), ["while he is away", "behind his back", "welcome back"])
      }).pipe(Effect.scoped)
    )
  })
})
