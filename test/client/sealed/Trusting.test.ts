/** An account that begins a new list of devices, in a room of several: some trust it, and some do not yet. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as TestServer from "../../support/TestServer.ts"
import { enter, homeOf, isIn, makeVault, say, switchOn, texts, until, vault } from "./Devices.ts"
import { folder } from "./Folder.ts"

layer(NodeServices.layer, { excludeTestServices: true })("Who has all new devices", (it) => {
  it.effect("is let in by who trusts them; the others follow, and say nothing before they trust them, too", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const path = yield* folder
      const ada = yield* switchOn(port, homeOf(path, "ada", "desk"))
      const ben = yield* switchOn(port, homeOf(path, "ben", "desk"))
      yield* makeVault(ada)
      yield* enter(ben)
      yield* until("ben is in", isIn(ben, vault, 2))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const cyd = yield* switchOn(port, homeOf(path, "cyd", "desk"))
          yield* enter(cyd)
          yield* until("cyd is in", isIn(cyd, vault, 3))
        })
      )
      // All that cyd had is lost.
      const cyd = yield* switchOn(port, homeOf(path, "cyd", "new", false))
      yield* Effect.flip(cyd.rooms.ready)
      yield* cyd.rooms.beginAnew
      yield* enter(cyd).pipe(Effect.ignore)
      const isTold = (device: typeof ada) => device.news.some(({ _tag }) => _tag === "ChainReplaced")
      yield* until(
        "both are told",
        Effect.sync(() => isTold(ada) && isTold(ben))
      )
      yield* ada.rooms.trust(cyd.home.user)
      yield* until("ada lets cyd in", isIn(cyd, vault, 3))
      yield* say(ada, "welcome back")
      yield* until(
        "ben follows",
        Effect.map(texts(ben), (all) => all.includes("welcome back"))
      )
      const refused = yield* Effect.flip(say(ben, "a secret"))
      assert.strictEqual(refused._tag, "NotTrusted")
      assert.match(refused.message, /:trust cyd/)
      // To compare the number of the new devices is to trust them.
      yield* ben.rooms.safetyNumber(cyd.home.user)
      yield* ben.rooms.verified(cyd.home.user)
      yield* say(ben, "welcome, too")
      yield* until(
        "cyd reads both",
        Effect.map(texts(cyd), (all) => all.length === 2)
      )
      assert.deepStrictEqual(yield* texts(cyd), ["welcome back", "welcome, too"])
      for (const { home, news } of [ada, ben, cyd]) {
        assert.deepStrictEqual(
          news.filter(({ _tag }) => _tag === "OutOfStep" || _tag === "Withheld"),
          [],
          home.name
        )
      }
    }).pipe(Effect.scoped)
  )

  it.effect("and has lost their keys, but not their login, begins anew at once, and is not alarmed by it", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const path = yield* folder
      const home = homeOf(path, "ada", "desk")
      const ben = yield* switchOn(port, homeOf(path, "ben", "desk"))
      yield* makeVault(ben)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const ada = yield* switchOn(port, home)
          yield* enter(ada)
          yield* until("ada is in", isIn(ada, vault, 2))
        })
      )
      const ada = yield* switchOn(port, { ...home, folder: `${path}/empty` })
      yield* Effect.flip(ada.rooms.ready)
      yield* ada.rooms.beginAnew
      yield* ada.rooms.ready
      yield* until(
        "ben is told",
        Effect.sync(() => ben.news.some(({ _tag }) => _tag === "ChainReplaced"))
      )
      yield* ben.rooms.trust(home.user)
      yield* until("ada is let in again", isIn(ada, vault, 2))
      assert.isFalse(ada.news.some(({ _tag }) => _tag === "ChainReplaced"))
    }).pipe(Effect.scoped)
  )
})
