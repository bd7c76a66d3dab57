/** What happens at once, and behind one's back: real clients over a real server, in the order that a test makes. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Scope } from "effect"
import { maxAdds } from "../../../src/common/log/Sealing.ts"
import * as TestServer from "../../support/TestServer.ts"
import {
  type Device,
  enter,
  homeOf,
  isIn,
  makeVault,
  say,
  signInBy,
  switchOn,
  type SwitchOptions,
  texts,
  until,
  vault
} from "./Devices.ts"
import { folder } from "./Folder.ts"

const areIn = (devices: ReadonlyArray<Device>, members: number) =>
  Effect.map(
    Effect.forEach(devices, (one) => isIn(one, vault, members)),
    (all) => all.every((one) => one)
  )
const hasRead = (device: Device, text: string) =>
  until(
    `${device.home.name} has read "${text}"`,
    Effect.map(texts(device), (all) => all.includes(text))
  )
const sayDurably = (device: Device, text: string) =>
  Effect.andThen(
    say(device, text),
    until(
      "it is in the log",
      Effect.map(device.rooms.view(vault), (view) => view?.underway === 0)
    )
  )

layer(NodeServices.layer, { excludeTestServices: true })((it) => {
  it.effect("of three changes of keys at one moment one is accepted, and all that was wanted and said lands", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const path = yield* folder
      const everybodyHasOne = yield* Deferred.make<void>()
      let isGathering = false
      const made: Array<{ readonly keyEpoch: number }> = []
      const refused: Array<string> = []
      // Each holds its commit, stored and about to be sent, until all three have one.
      const gathering: SwitchOptions = {
        client: (client) => ({
          ...client,
          quietly: (request) => {
            if (request._tag !== "CommitKeys" || !isGathering) return client.quietly(request)
            const isOfThese = made.length < 3
            if (isOfThese) made.push(request)
            if (made.length === 3) Deferred.doneUnsafe(everybodyHasOne, Effect.void)
            return Effect.andThen(
              Deferred.await(everybodyHasOne),
              Effect.tapError(client.quietly(request), (error) =>
                Effect.sync(() => {
                  if (isOfThese && error._tag === "RequestRejected") refused.push(error.reason._tag)
                })
              )
            )
          }
        })
      }
      const users = ["ada", "ben", "cyd"]
      const desks = yield* Effect.forEach(users, (user) => switchOn(port, homeOf(path, user, "desk"), gathering))
      const [ada, ben, cyd] = desks
      assert(ada !== undefined && ben !== undefined && cyd !== undefined)
      yield* makeVault(ada)
      yield* enter(ben)
      yield* enter(cyd)
      yield* until("everybody is let in", areIn(desks, 3))
      const phones = yield* Effect.forEach(users, (user) => switchOn(port, homeOf(path, user, "phone"), gathering))
      isGathering = true
      // Each of the three has another one to let in at the same time, and something to say.
      const [took] = yield* Effect.timed(
        Effect.gen(function* () {
          yield* Effect.forEach(phones, (phone, index) => signInBy(desks[index] ?? ada, phone), { concurrency: 3 })
          const saying = yield* Effect.forkChild(
            Effect.forEach(desks, (desk) => say(desk, `${desk.home.user} says this`), { concurrency: 3 })
          )
          yield* Deferred.await(everybodyHasOne)
          assert.strictEqual(new Set(made.map(({ keyEpoch }) => keyEpoch)).size, 1)
          yield* until("everybody's phone is let in", areIn([...desks, ...phones], 6))
          yield* Fiber.join(saying)
          for (const reader of desks) for (const { home } of desks) yield* hasRead(reader, `${home.user} says this`)
        })
      )
      assert.deepStrictEqual(refused, ["StaleKeyEpoch", "StaleKeyEpoch"])
      yield* Effect.log(`Three at once: ${Duration.toMillis(took)} ms`)
      assert.isBelow(Duration.toMillis(took), 10_000)
      for (const device of [...desks, ...phones]) {
        const wrong = device.news.filter(({ _tag }) =>
          ["OutOfStep", "Cloned", "Withheld", "Refused", "Stopped"].includes(_tag)
        )
        assert.deepStrictEqual(wrong, [], device.home.name)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("who was removed and added again while offline, twice, reads exactly its own intervals", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const path = yield* folder
      const ada = yield* switchOn(port, homeOf(path, "ada", "desk"))
      const home = homeOf(path, "ben", "desk")
      const phoneHome = homeOf(path, "ben", "phone")
      yield* makeVault(ada)
      const first = yield* Scope.make()
      const desk = yield* Scope.provide(switchOn(port, home), first)
      yield* enter(desk)
      yield* until("ben is let in", isIn(desk, vault, 2))
      const phone = yield* switchOn(port, phoneHome)
      yield* signInBy(desk, phone)
      yield* until("the phone is let in", areIn([ada, desk, phone], 3))
      yield* Scope.close(first, Exit.void)

      yield* sayDurably(ada, "while he is away")
      for (const time of ["once", "twice"]) {
        yield* ada.client.request({ _tag: "Kick", room: vault, user: home.user, key: `a key of the kick: ${time}` })
        yield* sayDurably(ada, `behind his back, ${time}`)
        yield* enter(phone)
        yield* until("both are let in again, one of them offline", areIn([ada, phone], 3))
        yield* sayDurably(ada, `welcome back, ${time}`)
      }
      const back = yield* switchOn(port, home)
      yield* hasRead(back, "welcome back, twice")
      const own = ["while he is away", "welcome back, once", "welcome back, twice"]
      assert.deepStrictEqual(yield* texts(back), own)
      assert.deepStrictEqual(yield* texts(phone), own)
      const kinds = (yield* back.rooms.rows(vault)).map(({ line }) => line._tag)
      assert.deepStrictEqual(
        kinds.filter((kind) => kind === "PutOut" || kind === "LetIn"),
        ["LetIn", "PutOut", "LetIn", "PutOut", "LetIn"]
      )
      assert.notInclude(kinds, "Unreadable")
      // And it can say something.
      yield* say(back, "here I am")
      yield* hasRead(ada, "here I am")
    }).pipe(Effect.scoped)
  )

  it.effect("who is let in knows the devices that were let in right behind, also if nobody has told of them", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const path = yield* folder
      const ada = yield* switchOn(port, homeOf(path, "ada", "desk"))
      yield* makeVault(ada)
      const desk = yield* switchOn(port, homeOf(path, "ben", "desk"))
      yield* desk.rooms.ready
      const others = yield* Effect.forEach(Array.from({ length: maxAdds }), (_, index) =>
        Effect.gen(function* () {
          const other = yield* switchOn(port, homeOf(path, "ben", `other ${index}`))
          yield* signInBy(desk, other)
          return other
        })
      )
      const devices = [desk, ...others]
      // The last of those that one change lets in is there when the next change is in the log already.
      const late = others.at(-2)
      assert(late !== undefined)
      for (const device of devices) if (device !== late) yield* enter(device)
      yield* until("ada has let all of them in", isIn(ada, vault, devices.length + 1))
      yield* enter(late)
      yield* until("all of them are in", areIn(devices, devices.length + 1))
    }).pipe(Effect.scoped)
  )
})
