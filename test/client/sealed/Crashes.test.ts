/**
 * A device that crashes at each write to its state, before it or right behind it, and comes back: between what is stored and what is
 * sent, what is sent and what is read, joining and acknowledging, a change of keys that is stored and sent, sent and read. Each
 * time it goes the same way again, and crashes one write later, until it comes through.
 *
 * A crash is that nothing of the device goes on from there; that a process can be killed there as well is for Kills.test.ts.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Config, Deferred, Effect, Exit, Random, Scope } from "effect"
import type { SealedNews } from "../../../src/client/sealed/News.ts"
import type { SealedStore } from "../../../src/client/sealed/SealedStore.ts"
import type { UserName } from "../../../src/common/name/UserName.ts"
import * as Database from "../../../src/server/store/Database.ts"
import * as TestServer from "../../support/TestServer.ts"
import * as Wire from "../../support/Wire.ts"
import { judge, type Witness } from "./ChaosJudge.ts"
import { withoutTheGroup } from "./Controls.ts"
import { crashingAt, type Moment } from "./CrashingFile.ts"
import { cutOff, type Device, enter, homeOf, isIn, makeVault, say, switchOn, until, vault } from "./Devices.ts"
import { folder } from "./Folder.ts"
import * as KeyUse from "./KeyUse.ts"
import * as ServerLog from "./ServerLog.ts"

/** More than any way has. */
const mostWrites = 100

const never: Moment = { n: 0, when: "before" }

/** A device, in as many lives as it takes. */
interface Seat {
  readonly name: string
  readonly user: UserName
  readonly told: ReadonlyArray<SealedNews>
  readonly off: Effect.Effect<void>
  /** Switched on until it is switched off, and over a crash at this moment. */
  readonly live: (moment: Moment) => Effect.Effect<void>
  readonly device: () => Device | undefined
  readonly hasCrashed: () => boolean
}

const make = Effect.fnUntraced(function* (control: (store: SealedStore) => SealedStore = (store) => store) {
  const path = yield* folder
  const file = `${path}/chat.sqlite`
  const server = yield* TestServer.start({ settings: { DATABASE: file }, stores: Database.layer })
  const whole = yield* Effect.scope
  const services = yield* Effect.context<Effect.Services<ReturnType<typeof switchOn>>>()
  const wire = Wire.make()
  wire.lead(server.port)
  const keyUse = KeyUse.make()
  const tried = new Set<string>()
  const accepted = new Set<string>()
  const rekeyers = new Set<Seat>()
  const seats: Array<Seat> = []
  let count = 0

  const seatOf = Effect.fnUntraced(function* (user: string) {
    const door = yield* wire.door
    const home = homeOf(path, user, "desk")
    const told: Array<SealedNews> = []
    let device: Device | undefined
    let scope: Scope.Closeable | undefined
    let hasCrashed = false
    const switchItOn = Effect.fnUntraced(function* (moment: Moment) {
      const crashed = yield* Deferred.make<void>()
      scope = yield* Scope.fork(whole)
      const store = (whole: SealedStore) => keyUse.watched(control(whole))
      const crash = Effect.andThen(Deferred.succeed(crashed, undefined), Effect.never)
      const options = { patience: 2, file: crashingAt(moment, crash), store, keepNews: told }
      device = yield* Effect.provide(Scope.provide(switchOn(door.port, home, options), scope), services)
      return crashed
    })
    const off = Effect.suspend(() => {
      const [last, open] = [device, scope]
      device = undefined
      door.cut()
      return last && open ? Effect.andThen(cutOff(last), Scope.close(open, Exit.void)) : Effect.void
    })
    const seat: Seat = {
      name: home.name,
      user: home.user,
      told,
      off,
      device: () => device,
      live: Effect.fnUntraced(function* (moment: Moment) {
        hasCrashed = false
        const crashed = yield* switchItOn(moment)
        const survive = Effect.gen(function* () {
          yield* Deferred.await(crashed)
          hasCrashed = true
          yield* off
          yield* switchItOn(never)
        })
        yield* Effect.forkIn(survive, whole)
      }, Effect.orDie),
      hasCrashed: () => hasCrashed
    }
    seats.push(seat)
    return seat
  })

  const isOneIn = (seat: Seat, members?: number) =>
    Effect.suspend(() => {
      const device = seat.device()
      return device === undefined ? Effect.succeed(false) : isIn(device, vault, members)
    })
  /** And know of all that there is. */
  const areIn = (some: ReadonlyArray<Seat>, what: string) =>
    until(
      `all are in: ${what}`,
      Effect.gen(function* () {
        const end = ServerLog.read(file, vault).entries.at(-1)?.seq ?? 0
        const views = yield* Effect.forEach(some, (seat) => seat.device()?.rooms.view(vault) ?? Effect.undefined)
        return views.every((view) => view?.state === "in" && view.members.length === some.length && view.cursor === end)
      })
    )
  const comeIn = (seat: Seat) =>
    Effect.suspend(() => {
      const device = seat.device()
      return device === undefined ? Effect.void : Effect.ignore(Effect.timeout(enter(device), 2000))
    })
  /** Whoever crashes meanwhile may have stored it or not. */
  const speak = (seat: Seat) =>
    Effect.flatMap(on(seat), (device) => {
      const text = `${seat.name} ${++count}`
      tried.add(text)
      const saying = Effect.tap(say(device, text), () => Effect.sync(() => accepted.add(text)))
      const gone = until(
        "it has crashed",
        Effect.sync(() => seat.device() !== device)
      )
      return Effect.ignore(Effect.raceFirst(saying, gone))
    })

  const resets = () => ServerLog.read(file, vault).entries.filter(({ kind }) => kind === "KeysReset").length
  /** Of who crashes meanwhile nobody knows whether they had begun. */
  const rekeyBy = Effect.fnUntraced(function* (seat: Seat) {
    const before = resets()
    const device = yield* on(seat)
    rekeyers.add(seat)
    yield* device.rooms.rekey(vault)
    yield* until(
      "there are fresh keys",
      Effect.sync(() => resets() > before || seat.device() !== device)
    )
  })

  const keyFaults = Effect.suspend(() => keyUse.faults(KeyUse.dataIn(wire.sealedLines)))
  const verdict = Effect.gen(function* () {
    const log = ServerLog.read(file, vault)
    const end = log.entries.at(-1)?.seq ?? 0
    const witnesses = yield* Effect.forEach(seats, (seat) =>
      Effect.gen(function* () {
        if (seat.device() === undefined) yield* seat.live(never)
        const device = yield* on(seat)
        const isRead = Effect.map(
          device.rooms.view(vault),
          (view) => view === undefined || view.state === "away" || view.cursor >= end
        )
        yield* Effect.ignore(until("it has read all", isRead, 5000))
        const { identity } = yield* device.rooms.ready
        return {
          name: seat.name,
          user: seat.user,
          device: identity.device,
          rows: yield* device.rooms.rows(vault),
          news: seat.told,
          isOut: false,
          hasRekeyed: rekeyers.has(seat)
        } satisfies Witness
      })
    )
    const { deliveries, story, wrong } = judge({ log, witnesses, tried, accepted })
    const uses = yield* keyFaults
    assert.deepStrictEqual([...wrong, ...uses.wrong].slice(0, 20), [], story.join("\n"))
    return { said: accepted.size, deliveries, keys: uses.keys }
  })
  return { areIn, comeIn, isOneIn, keyFaults, rekeyBy, seatOf, speak, verdict }
})

const on = (seat: Seat) =>
  Effect.andThen(
    until(
      `${seat.name} is on`,
      Effect.sync(() => seat.device() !== undefined)
    ),
    Effect.suspend(() => Effect.fromNullishOr(seat.device()))
  )

const isAllSent = (seats: ReadonlyArray<Seat>) =>
  Effect.map(
    Effect.suspend(() => Effect.forEach(seats, (seat) => seat.device()?.rooms.view(vault) ?? Effect.undefined)),
    (views) => views.every((view) => view?.state === "in" && view.underway === 0)
  )

/** How many writes the way has. In a short run each is crashed at before it or behind it, by chance. */
const untilThrough = Effect.fnUntraced(function* <E, R>(goThrough: (moment: Moment) => Effect.Effect<boolean, E, R>) {
  const isWhole = yield* Config.withDefault(Config.Boolean("SEALED_CRASHES"), false)
  const moments: Array<string> = []
  for (let n = 1; n < mostWrites; n++) {
    const one: Moment["when"] = (yield* Random.nextBoolean) ? "before" : "after"
    for (const when of isWhole ? (["before", "after"] as const) : [one]) {
      moments.push(`${when} ${n}`)
      const hasCrashed = yield* Effect.onError(goThrough({ n, when } as const), () =>
        Effect.logError(moments.join(", "))
      )
      if (!hasCrashed) return n - 1
    }
  }
  return assert.fail(`it has not come through within ${mostWrites} writes`)
})

layer(NodeServices.layer, { excludeTestServices: true })("A device that crashes at any write", (it) => {
  it.effect(
    "says once what it had stored, reads all of it once, and goes on with the keys",
    () =>
      Effect.gen(function* () {
        const { areIn, comeIn, isOneIn, rekeyBy, seatOf, speak, verdict } = yield* make()
        const [ada, ben, cyd] = [yield* seatOf("ada"), yield* seatOf("ben"), yield* seatOf("cyd")]
        const all = [ada, ben, cyd]
        yield* ada.live(never)
        yield* makeVault(yield* on(ada))
        yield* Effect.forEach([ben, cyd], (seat) => Effect.andThen(seat.live(never), comeIn(seat)), { discard: true })
        yield* areIn(all, "at first")
        yield* cyd.off

        const goThrough = Effect.fnUntraced(function* (moment: Moment) {
          const what = `${moment.when} write ${moment.n}`
          yield* cyd.live(moment)
          yield* areIn(all, `${what}, on return`)
          yield* speak(cyd)
          yield* speak(ada)
          // Ada hears nothing, so that it is cyd who takes ben out and lets them in again.
          const deaf = yield* on(ada)
          yield* deaf.network.close
          yield* deaf.cut
          yield* (yield* on(ben)).client.request({ _tag: "LeaveRoom", room: vault })
          yield* comeIn(ben)
          yield* until(`${what}, ben is let in`, isOneIn(ben))
          yield* deaf.network.open
          yield* areIn(all, `${what}, ben is back`)
          yield* rekeyBy(cyd)
          yield* areIn(all, `${what}, keys by cyd`)
          yield* rekeyBy(ada)
          yield* areIn(all, `${what}, keys by ada`)
          yield* speak(cyd)
          yield* until(`${what}, all is sent`, isAllSent(all))
          yield* cyd.off
          return cyd.hasCrashed()
        })
        const writes = yield* untilThrough(goThrough)
        yield* Effect.log({ writes, ...(yield* verdict) })
        assert.isAbove(writes, 10)
      }).pipe(Effect.scoped),
    600_000
  )

  it.effect(
    "on its first way in comes in all the same",
    () =>
      Effect.gen(function* () {
        const { areIn, comeIn, isOneIn, seatOf, speak, verdict } = yield* make()
        const ada = yield* seatOf("ada")
        yield* ada.live(never)
        yield* makeVault(yield* on(ada))
        let newcomers = 0
        const goThrough = Effect.fnUntraced(function* (moment: Moment) {
          const what = `${moment.when} write ${moment.n}`
          const seat = yield* seatOf(`ben${++newcomers}`)
          yield* seat.live(moment)
          const isLetIn = Effect.gen(function* () {
            if (yield* isOneIn(seat)) return true
            yield* comeIn(seat)
            return false
          })
          yield* until(`${what}, it is let in`, isLetIn)
          yield* speak(seat)
          yield* speak(ada)
          yield* until(`${what}, all is sent`, isAllSent([ada, seat]))
          yield* areIn([ada, seat], `${what}, all is read`)
          yield* (yield* on(seat)).client.request({ _tag: "LeaveRoom", room: vault })
          yield* seat.off
          return seat.hasCrashed()
        })
        const writes = yield* untilThrough(goThrough)
        yield* Effect.log({ writes, ...(yield* verdict) })
        assert.isAbove(writes, 3)
      }).pipe(Effect.scoped),
    600_000
  )

  it.effect("uses a key twice if it stores what is sealed without the group that sealed it", () =>
    Effect.gen(function* () {
      const { areIn, comeIn, keyFaults, seatOf, speak } = yield* make(withoutTheGroup())
      const [ada, ben] = [yield* seatOf("ada"), yield* seatOf("ben")]
      yield* ada.live(never)
      yield* makeVault(yield* on(ada))
      yield* ben.live(never)
      yield* comeIn(ben)
      yield* areIn([ada, ben], "at first")
      yield* ben.off
      let wrong: ReadonlyArray<string> = []
      for (let n = 1; n < mostWrites && wrong.length === 0; n++) {
        yield* ben.live({ n, when: "after" })
        yield* areIn([ada, ben], `on return ${n}`)
        yield* speak(ben)
        yield* areIn([ada, ben], `again ${n}`)
        yield* speak(ben)
        yield* until("all is sent", isAllSent([ada, ben]))
        yield* ben.off
        ;({ wrong } = yield* keyFaults)
      }
      assert.match(wrong[0] ?? "", /^the key of vault\/\d+ \d+ application leaf \d+ generation \d+ was used twice$/)
    }).pipe(Effect.scoped)
  )
})
