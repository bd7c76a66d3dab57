/**
 * Accounts with two devices each say things in one encrypted room, with the real server in a process, the real client and the real
 * state on a disk, in trouble of every kind: the server is killed and comes back, lines are delayed and lost, devices crash
 * wherever they happen to be, people leave, are kicked and banned and come back, keys are changed by several at once, devices are
 * signed out and others signed in, and one misses hundreds of messages. In the end the server's own log says what every device
 * is to have read.
 *
 * Its choices come from the seed; what comes of them is the machine's affair: two runs of one seed are alike, and not the same.
 */
import { Effect, Exit, Fiber, Scope } from "effect"
import type { SealedStore } from "../../../src/client/sealed/SealedStore.ts"
import { Chance } from "../../simulation/Chance.ts"
import { type Deed, makeDeeds } from "./ChaosDeeds.ts"
import { judge, type Witness } from "./ChaosJudge.ts"
import * as ChaosServer from "./ChaosServer.ts"
import type { Seat, World } from "./ChaosWorld.ts"
import { cutOff, enter, homeOf, isIn, makeVault, say, signInBy, switchOn, until, vault } from "./Devices.ts"
import * as KeyUse from "./KeyUse.ts"
import * as ServerLog from "./ServerLog.ts"

export interface ChaosOptions {
  readonly seed: number
  readonly operations: number
  /** Six at most. */
  readonly accounts: number
  readonly folder: string
  /** How many messages one device misses in the middle. */
  readonly missed?: number
  /** In place of every device's store: what a control leaves out. */
  readonly store?: () => (store: SealedStore) => SealedStore
  /** Hears of each operation. */
  readonly onOperation?: (figures: Pick<Outcome, "deeds" | "said">) => void
}

const names = ["ada", "ben", "cyd", "dee", "eve", "fay"]

interface Outcome {
  readonly said: number
  readonly deliveries: number
  /** How many keys things were sealed with. */
  readonly keys: number
  readonly deeds: Readonly<Record<string, number>>
  readonly wrong: ReadonlyArray<string>
  /** What to read beside what was wrong. */
  readonly story: ReadonlyArray<string>
}

/** How long things take at most when all trouble is over, in milliseconds of a busy machine. */
const recovery = 60_000

export const run = Effect.fnUntraced(function* (options: ChaosOptions) {
  const { accounts, folder, missed = 500, onOperation, operations, seed } = options
  const chance = new Chance(seed)
  const whole = yield* Effect.scope
  const services = yield* Effect.context<Effect.Services<ReturnType<typeof switchOn>>>()
  const server = yield* ChaosServer.start(folder)
  const keyUse = KeyUse.make()
  const figures: Record<string, number> = {}
  const accepted = new Map<string, Seat>()
  const tried = new Set<string>()
  const speaking: Array<Fiber.Fiber<unknown>> = []
  let count = 0

  const start = Effect.fnUntraced(function* (seat: Seat) {
    for (let attempts = 1; seat.device === undefined; attempts++) {
      yield* server.isUp.await
      const scope = yield* Scope.fork(whole)
      const left = options.store?.()
      const switches = {
        pageSize: chance.between(1, 40),
        patience: chance.pick([2, 10, 20, 50]),
        keepNews: seat.heard,
        store: (store: SealedStore) => keyUse.watched(left?.(store) ?? store)
      }
      const switching = Scope.provide(switchOn(seat.door.port, seat.home, switches), scope)
      const exit = yield* Effect.exit(Effect.provide(switching, services))
      if (Exit.isSuccess(exit)) {
        seat.scope = scope
        seat.device = exit.value
        return
      }
      yield* Scope.close(scope, Exit.void)
      if (attempts > 200) return yield* Effect.die(new Error(`${seat.home.name} cannot be switched on: ${exit.cause}`))
      yield* Effect.sleep(20)
    }
  })
  /** As a process that is killed: its connection first, and then whatever it is about. */
  const kill = (seat: Seat) =>
    Effect.suspend(() => {
      const { device, scope } = seat
      seat.device = undefined
      seat.scope = undefined
      if (device === undefined || scope === undefined) return Effect.void
      seat.door.cut()
      return Effect.andThen(cutOff(device), Scope.close(scope, Exit.void))
    })
  const newSeat = Effect.fnUntraced(function* (user: string, device: string) {
    const door = yield* Scope.provide(server.wire.door, whole)
    const home = homeOf(folder, user, device)
    const seat: Seat = {
      home,
      door,
      device: undefined,
      scope: undefined,
      id: undefined,
      heard: [],
      isEntering: false,
      hasRekeyed: false
    }
    return seat
  })
  const noteId = (seat: Seat) =>
    Effect.map(seat.device?.rooms.ready ?? Effect.die(new Error(seat.home.name)), ({ identity }) => {
      seat.id = identity.device
    })

  const seats: Array<Seat> = []
  const retired: Array<Seat> = []
  for (const user of names.slice(0, accounts)) {
    const desk = yield* newSeat(user, "desk")
    const phone = yield* newSeat(user, "phone")
    yield* start(desk)
    if (desk.device === undefined) continue
    if (seats.length === 0) yield* makeVault(desk.device)
    else yield* enter(desk.device)
    yield* start(phone)
    if (phone.device !== undefined) yield* signInBy(desk.device, phone.device)
    yield* noteId(desk)
    yield* noteId(phone)
    seats.push(desk, phone)
  }

  const speak = (seat: Seat) =>
    Effect.suspend(() => {
      if (seat.device === undefined) return Effect.void
      const text = `${seat.home.name} ${++count}`
      tried.add(text)
      return say(seat.device, text).pipe(
        Effect.tap(() => Effect.sync(() => accepted.set(text, seat))),
        Effect.timeout(2000),
        Effect.ignore
      )
    })
  const inBackground = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.map(Effect.forkIn(Effect.ignore(effect), whole), (fiber) => {
      speaking.push(fiber)
    })

  const comeIn = (seat: Seat) =>
    Effect.suspend(() => {
      if (seat.isEntering || seat.device === undefined) return Effect.void
      seat.isEntering = true
      return enter(seat.device).pipe(
        Effect.timeout(3000),
        Effect.ensuring(
          Effect.sync(() => {
            seat.isEntering = false
          })
        ),
        inBackground
      )
    })

  const isOneIn = (seat: Seat) => (seat.device ? isIn(seat.device, vault, seats.length) : Effect.succeed(false))
  const allAreIn = Effect.map(
    Effect.suspend(() => Effect.forEach(seats, isOneIn)),
    (all) => all.every((one) => one)
  )
  yield* Effect.forEach(seats, comeIn, { discard: true })
  yield* until("everybody is let in", allAreIn, recovery)

  const world: World = { chance, comeIn, inBackground, kill, newSeat, retired, seats, server, speak, start }
  const deeds = makeDeeds(world)
  const tell = (name: string) => {
    figures[name] = (figures[name] ?? 0) + 1
    onOperation?.({ deeds: figures, said: accepted.size })
  }
  const perform = Effect.fnUntraced(function* ({ act, name }: Deed, seat: Seat) {
    if (seat.device === undefined) return
    tell(name)
    yield* act(seat, seat.device)
  })
  const due = [
    { at: operations / 3, deed: deeds.once.miss(missed) },
    { at: operations / 2, deed: deeds.once.restart }
  ]
  // Whom nobody lets in for a while does nothing.
  for (let done = 0, steps = 0; done < operations && steps < 20 * operations; steps++) {
    const [first] = due
    if (first !== undefined && first.at <= done) {
      due.shift()
      tell(first.deed.name)
      yield* first.deed.act
    }
    const seat = chance.pick(seats as [Seat, ...Array<Seat>])
    if (seat.device === undefined) {
      if (chance.is(0.6)) yield* start(seat)
      continue
    }
    const view = yield* seat.device.rooms.view(vault)
    if (view?.state === "in") {
      yield* perform(deeds.next(), seat)
      done += 1
    } else if (view?.state !== "waiting") {
      // Who has left comes back, and is to be let in again.
      yield* comeIn(seat)
    }
    yield* Effect.sleep(chance.between(0, chance.is(0.2) ? 60 : 12))
  }

  server.wire.setTrouble(undefined)
  yield* server.isUp.await
  for (const seat of seats) yield* start(seat)
  // Who waits to be let in, or is killed, is refused or gives up.
  yield* Effect.forEach(speaking, (fiber) => Fiber.await(fiber), { discard: true })
  // What was lost without anybody noticing is noticed now.
  for (const { door } of seats) door.cut()
  yield* deeds.tidy
  const settledDown = Effect.gen(function* () {
    let isSettled = true
    for (const seat of seats) {
      if (seat.device === undefined) return false
      const view = yield* seat.device.rooms.view(vault)
      if (view === undefined || view.state === "away") yield* comeIn(seat)
      isSettled &&= view?.state === "in" && view.members.length === seats.length && view.underway === 0
    }
    return isSettled
  })
  const wrong: Array<string> = []
  const quiet = yield* Effect.exit(until("all is quiet", settledDown, recovery))
  // Everybody can still be heard by everybody.
  if (Exit.isSuccess(quiet)) yield* Effect.forEach(seats, speak, { discard: true })
  const isAllSent = Effect.map(
    Effect.forEach(seats, ({ device }) => device?.rooms.view(vault) ?? Effect.undefined),
    (views) => views.every((view) => view?.underway === 0)
  )
  yield* Effect.ignore(until("all is sent", isAllSent, Exit.isSuccess(quiet) ? recovery : 0))

  const log = ServerLog.read(server.file, vault)
  const end = log.entries.findLast(({ kind }) => kind === "Sealed")?.seq ?? 0
  const isAllRead = Effect.map(
    Effect.forEach(seats, ({ device }) => device?.rooms.view(vault) ?? Effect.undefined),
    (views) => views.every((view) => view !== undefined && view.cursor >= end)
  )
  yield* Effect.ignore(until("it is read", isAllRead, Exit.isSuccess(quiet) ? recovery : 2000))
  if (Exit.isFailure(quiet)) {
    for (const { device, home } of seats) {
      const view = device && (yield* device.rooms.view(vault))
      wrong.push(`${home.name} is not at rest: ${JSON.stringify({ ...view, members: view?.members.length })}`)
    }
  }
  for (const seat of retired) yield* start(seat)
  const witnesses = yield* Effect.forEach([...seats, ...retired], (seat) =>
    Effect.gen(function* () {
      const rows = seat.device === undefined ? [] : yield* seat.device.rooms.rows(vault)
      return {
        name: seat.home.name,
        user: seat.home.user,
        device: seat.id ?? "",
        rows,
        news: seat.heard,
        isOut: retired.includes(seat),
        hasRekeyed: seat.hasRekeyed
      } satisfies Witness
    })
  )
  const kept = [...accepted].filter(([, seat]) => !retired.includes(seat)).map(([text]) => text)
  const verdict = judge({ log, witnesses, tried, accepted: new Set(kept) })
  const uses = yield* keyUse.faults(KeyUse.dataIn(server.wire.sealedLines))
  return {
    said: accepted.size,
    deliveries: verdict.deliveries,
    keys: uses.keys,
    deeds: { ...figures, lost: server.wire.lost(), lives: server.lives() },
    wrong: [...wrong, ...verdict.wrong, ...uses.wrong],
    story: verdict.story
  } satisfies Outcome
})
