/** Encrypted rooms whose members come and go while others are away: found by chaos, each once. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { MessageKey } from "../../../src/common/wire/RequestId.ts"
import * as TestServer from "../../support/TestServer.ts"
import { withWallClockAhead } from "../../support/WallClock.ts"
import {
  type Device,
  enter,
  type Home,
  homeOf,
  isIn,
  makeVault,
  say,
  signInBy,
  switchOn,
  texts,
  until,
  vault
} from "./Devices.ts"
import { folder } from "./Folder.ts"

const aKey = MessageKey.make("a key of tests, once alone")

/** Switched on until it is switched off. */
const switchable = Effect.fnUntraced(function* (port: number, home: Home) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  const device = yield* Scope.provide(switchOn(port, home), scope)
  return { device, off: Scope.close(scope, Exit.void) }
})

const isSent = ({ rooms }: Device) => Effect.map(rooms.view(vault), (view) => view?.underway === 0)

layer(NodeServices.layer, { excludeTestServices: true })("Who is away", (it) => {
  it.effect("for more than a year is let in when they are back, though all they had left is too old", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const path = yield* folder
      const [adaHome, benHome] = [homeOf(path, "ada", "desk"), homeOf(path, "ben", "desk")]
      const before = yield* withWallClockAhead(() => -400 * 24 * 3600 * 1000)(switchable(port, benHome))
      yield* before.device.rooms.ready
      yield* until(
        "he has left what others need",
        Effect.map(before.device.store.packages, (all) => all.length > 16)
      )
      yield* before.off
      const ada = yield* switchOn(port, adaHome)
      yield* makeVault(ada)
      const ben = yield* switchOn(port, benHome)
      yield* enter(ben)
      yield* until("ben is let in", isIn(ben, vault, 2))
      yield* say(ada, "after a year")
      yield* until(
        "it is read",
        Effect.map(texts(ben), (all) => all.includes("after a year"))
      )
    }).pipe(Effect.scoped)
  )

  it.effect("and let in meanwhile, reads from there on, also what was said with somebody who has gone since", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const path = yield* folder
      const [adaHome, benHome, cydHome] = ["ada", "ben", "cyd"].map((user) => homeOf(path, user, "desk"))
      assert(adaHome !== undefined && benHome !== undefined && cydHome !== undefined)
      const before = yield* switchable(port, adaHome)
      const ben = yield* switchable(port, benHome)
      yield* makeVault(before.device)
      yield* enter(ben.device)
      yield* until("ben is let in", isIn(ben.device, vault, 2))
      yield* Effect.all([before.off, ben.off])

      // Nobody is there to let cyd in until cyd is away.
      const waiting = yield* switchable(port, cydHome)
      yield* enter(waiting.device)
      yield* waiting.off
      const ada = yield* switchOn(port, adaHome)
      yield* until("cyd is let in", isIn(ada, vault, 3))
      yield* say(ada, "with ben")
      yield* until("it is sent", isSent(ada))
      yield* ada.client.request({ _tag: "Kick", room: vault, user: benHome.user, key: aKey })
      yield* say(ada, "without ben")
      yield* until("it is sent", isSent(ada))

      const cyd = yield* switchOn(port, cydHome)
      yield* until(
        "cyd has read",
        Effect.map(texts(cyd), (all) => all.includes("without ben"))
      )
      assert.deepStrictEqual(yield* texts(cyd), ["with ben", "without ben"])
      assert.deepStrictEqual(
        cyd.news.filter(({ _tag }) => _tag === "OutOfStep"),
        []
      )
    }).pipe(Effect.scoped)
  )

  it.effect("and let in meanwhile, reads from there on, also where first something was done that needs no keys", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const path = yield* folder
      const [adaHome, benHome] = [homeOf(path, "ada", "desk"), homeOf(path, "ben", "desk")]
      const before = yield* switchable(port, adaHome)
      yield* makeVault(before.device)
      yield* before.off
      const waiting = yield* switchable(port, benHome)
      yield* enter(waiting.device)
      yield* waiting.off
      const ada = yield* switchOn(port, adaHome)
      yield* until("ben is let in", isIn(ada, vault, 2))
      yield* ada.client.request({ _tag: "SetTopic", room: vault, topic: "birds", key: aKey })
      yield* say(ada, "of a feather")
      yield* until("it is sent", isSent(ada))

      // In the order of the log, one page each.
      const ben = yield* switchOn(port, benHome, { pageSize: 1 })
      yield* until("ben is in", isIn(ben, vault, 2))
      yield* until(
        "ben has read",
        Effect.map(texts(ben), (all) => all.length > 0)
      )
      assert.deepStrictEqual(yield* texts(ben), ["of a feather"])
    }).pipe(Effect.scoped)
  )

  it.effect("for good, and alone with the keys, keeps nobody out: those who wait begin with fresh ones", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const path = yield* folder
      const desk = yield* switchable(port, homeOf(path, "ada", "desk"))
      yield* makeVault(desk.device)
      const { identity } = yield* desk.device.rooms.ready
      const phone = yield* switchOn(port, homeOf(path, "ada", "phone"))
      const ben = yield* switchable(port, homeOf(path, "ben", "desk"))
      yield* signInBy(desk.device, phone)
      yield* enter(ben.device)
      yield* until("both are let in", isIn(desk.device, vault, 3))
      // The keys are of the desk alone, which goes before it has let anybody in.
      yield* Effect.all([phone.network.close, ben.device.network.close])
      yield* Effect.all([phone.cut, ben.device.cut])
      yield* desk.device.client.request({ _tag: "ResetKeys", room: vault, incarnation: 2, key: aKey })
      yield* desk.device.cut
      yield* desk.off
      yield* Effect.all([phone.network.open, ben.device.network.open])
      const isWaiting = Effect.map(phone.rooms.view(vault), (view) => view?.state === "waiting")
      yield* until("the phone waits", isWaiting)
      yield* phone.rooms.signOut(identity.device)
      yield* until(
        "both are in",
        Effect.zipWith(isIn(phone, vault, 2), isIn(ben.device, vault, 2), (a, b) => a && b)
      )
      yield* say(ben.device, "still here")
      yield* until(
        "the phone has read it",
        Effect.map(texts(phone), (all) => all.includes("still here"))
      )
    }).pipe(Effect.scoped)
  )
})
