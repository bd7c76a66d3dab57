/**
 * Accounts with two devices each say things in one encrypted room, with the real server, the real client and the real state on a
 * disk, while connections are cut, devices are killed wherever they happen to be and come back, people leave and return, and keys
 * are changed by several at once. In the end everything that was accepted is in the log once, and every device has read exactly what
 * the log gives it.
 */
import { Effect, Exit, Fiber, Scope } from "effect"
import type { SealedStore } from "../../../src/client/sealed/SealedStore.ts"
import { Chance } from "../../simulation/Chance.ts"
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
  until,
  vault
} from "./Devices.ts"

export interface ChaosOptions {
  readonly seed: number
  readonly operations: number
  readonly accounts: number
  readonly port: number
  readonly folder: string
  /** In place of every device's store: what a control leaves out. */
  readonly store?: () => (store: SealedStore) => SealedStore
}

interface Seat {
  readonly home: Home
  device: Device | undefined
  scope: Scope.Closeable | undefined
}

const names = ["ada", "ben", "cyd", "dee", "eve", "fay"]

interface Outcome {
  readonly said: number
  readonly deliveries: number
  readonly deeds: Readonly<Record<string, number>>
  readonly wrong: ReadonlyArray<string>
}

export const run = Effect.fnUntraced(function* (options: ChaosOptions) {
  const { accounts, folder, operations, port, seed } = options
  const chance = new Chance(seed)
  const whole = yield* Effect.scope
  const deeds: Record<string, number> = {}
  const accepted = new Set<string>()
  const uncertain = new Set<string>()
  const wrong: Array<string> = []
  const did = (what: string) => {
    deeds[what] = (deeds[what] ?? 0) + 1
  }

  const start = Effect.fnUntraced(function* (seat: Seat) {
    if (seat.device !== undefined) return
    const scope = yield* Scope.fork(whole)
    seat.scope = scope
    const store = options.store?.()
    seat.device = yield* Scope.provide(
      switchOn(port, seat.home, { pageSize: chance.between(1, 40), ...(store && { store }) }),
      scope
    )
  })
  /** As a process that is killed: its connection first, and then whatever it is about. */
  const kill = (seat: Seat) =>
    Effect.suspend(() => {
      const { device, scope } = seat
      seat.device = undefined
      seat.scope = undefined
      if (device === undefined || scope === undefined) return Effect.void
      return Effect.andThen(device.cut, Scope.close(scope, Exit.void))
    })

  const seats: Array<Seat> = []
  for (const user of names.slice(0, accounts)) {
    const desk: Seat = { home: homeOf(folder, user, "desk"), device: undefined, scope: undefined }
    const phone: Seat = { home: homeOf(folder, user, "phone"), device: undefined, scope: undefined }
    yield* start(desk)
    if (desk.device === undefined) continue
    if (seats.length === 0) yield* makeVault(desk.device)
    else yield* enter(desk.device)
    yield* start(phone)
    if (phone.device !== undefined) yield* signInBy(desk.device, phone.device)
    seats.push(desk, phone)
  }
  const everybodyIn = () =>
    Effect.forEach(seats, ({ device }) => (device ? isIn(device, vault, seats.length) : Effect.succeed(false)))
  const allIn = Effect.map(Effect.suspend(everybodyIn), (all) => all.every((one) => one))
  yield* Effect.forEach(seats, ({ device }) => Effect.ignore(device ? enter(device) : Effect.void), { concurrency: 8 })
  yield* until("everybody is let in", allIn)

  let count = 0
  const speak = (device: Device) =>
    Effect.suspend(() => {
      const text = `${device.home.name} ${++count}`
      uncertain.add(text)
      return say(device, text).pipe(
        Effect.tap(() => Effect.sync(() => accepted.add(text))),
        Effect.timeout(2000),
        Effect.ignore
      )
    })
  const speaking: Array<Fiber.Fiber<unknown>> = []
  const forkSpeaking = (device: Device) =>
    Effect.map(Effect.forkIn(speak(device), whole), (fiber) => {
      speaking.push(fiber)
    })

  for (let step = 0; step < operations; step++) {
    const seat = chance.pick(seats as [Seat, ...Array<Seat>])
    const { device } = seat
    const dice = chance.next()
    if (device === undefined) {
      if (chance.is(0.6)) yield* start(seat)
      continue
    }
    const view = yield* device.rooms.view(vault)
    if (view?.state !== "in") {
      // Who has left comes back, and is to be let in again.
      if (view?.state !== "waiting") yield* Effect.ignore(Effect.timeout(enter(device), 1000))
      yield* Effect.sleep(chance.between(0, 60))
      continue
    }
    if (dice < 0.6) {
      did("say")
      yield* forkSpeaking(device)
    } else if (dice < 0.7) {
      did("cut")
      yield* device.cut
    } else if (dice < 0.85) {
      did("kill")
      yield* forkSpeaking(device)
      yield* Effect.sleep(chance.between(0, 6))
      yield* kill(seat)
      if (chance.is(0.7)) yield* start(seat)
    } else if (dice < 0.88) {
      did("rekey")
      yield* Effect.ignore(device.rooms.rekey(vault))
    } else if (dice < 0.92 && seats.indexOf(seat) > 1) {
      did("leave")
      yield* Effect.ignore(Effect.timeout(device.client.request({ _tag: "LeaveRoom", room: vault }), 2000))
      yield* Effect.sleep(chance.between(0, 100))
    } else {
      did("pause")
      yield* Effect.sleep(chance.between(0, 60))
    }
    if (chance.is(0.5)) yield* Effect.sleep(chance.between(0, 8))
  }

  for (const seat of seats) yield* start(seat)
  // Who waits to be let in, or is killed, is refused or gives up.
  yield* Effect.forEach(speaking, (fiber) => Fiber.await(fiber), { discard: true })
  const settledDown = Effect.gen(function* () {
    let isSettled = true
    for (const { device } of seats) {
      if (device === undefined) return false
      const view = yield* device.rooms.view(vault)
      if (view === undefined || view.state === "away") {
        yield* Effect.ignore(Effect.timeout(enter(device), 2000))
      }
      isSettled &&= view?.state === "in" && view.members.length === seats.length && view.underway === 0
    }
    return isSettled
  })
  const quiet = yield* Effect.exit(until("all is quiet", settledDown, 20_000))
  if (Exit.isFailure(quiet)) {
    for (const { device, home } of seats) {
      const view = device && (yield* device.rooms.view(vault))
      const news = device?.news.filter(({ _tag }) => ["Stopped", "OutOfStep", "Cloned", "Refused"].includes(_tag))
      wrong.push(`${home.name}: ${JSON.stringify({ ...view, members: view?.members.length })} ${JSON.stringify(news)}`)
    }
  }

  const bySeq = new Map<number, string>()
  let deliveries = 0
  for (const { device, home } of seats) {
    if (device === undefined) continue
    const given = yield* Effect.orElseSucceed(sealedIn(device), (): ReadonlyArray<number> => [])
    const end = given.at(-1) ?? 0
    yield* Effect.ignore(
      until(
        "it is read",
        Effect.map(device.rooms.view(vault), (view) => (view?.cursor ?? 0) >= end),
        5000
      )
    )
    const rows = yield* device.rooms.rows(vault)
    const read = new Set<number>()
    for (const { line, seq } of rows) {
      if (line._tag === "Unreadable") wrong.push(`${home.name} cannot read ${seq}: ${line.reason}: ${line.message}`)
      if (line._tag !== "Opened" || line.saying._tag !== "Said") continue
      deliveries += 1
      read.add(seq)
      const { content } = line.saying
      const known = bySeq.get(seq)
      if (known !== undefined && known !== content)
        wrong.push(`${home.name} reads ${content} at ${seq}, where ${known} is`)
      bySeq.set(seq, content)
    }
    for (const seq of given) if (!read.has(seq)) wrong.push(`${home.name} has not read ${seq}`)
    for (const seq of read) if (!given.includes(seq)) wrong.push(`${home.name} has read ${seq}, which it was not given`)
    for (const news of device.news) {
      if (["Stopped", "Cloned", "Withheld", "ChainRefused", "ChainReplaced", "Refused"].includes(news._tag))
        wrong.push(`${home.name} is told ${JSON.stringify(news)}`)
    }
  }
  const times = new Map<string, number>()
  for (const text of bySeq.values()) times.set(text, (times.get(text) ?? 0) + 1)
  for (const text of accepted) if (!times.has(text)) wrong.push(`${text} was accepted and never came`)
  for (const [text, often] of times) {
    if (often > 1) wrong.push(`${text} came ${often} times`)
    if (!uncertain.has(text)) wrong.push(`${text} was never said`)
  }
  return { said: accepted.size, deliveries, deeds, wrong } satisfies Outcome
})

/** The places of all that was sealed, as far as the server gives it to this device. */
const sealedIn = Effect.fnUntraced(function* ({ client }: Device) {
  const seqs: Array<number> = []
  let after = 0
  for (;;) {
    const { messages } = yield* client.quietly({ _tag: "GetHistory", room: vault, after, limit: 500 })
    if (messages.length === 0) return seqs
    for (const { _tag, seq } of messages) {
      after = seq
      if (_tag === "Sealed") seqs.push(seq)
    }
  }
})
