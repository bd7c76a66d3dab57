/**
 * Runs a program against a whole server in this process: memory for sockets, the test clock for time.
 *
 * After each step everything is brought to rest by means of the protocol alone: every request has its reply, the clock
 * has passed the presence window, whoever was cut is in nobody's list any more, and a Ping has gone through every
 * connection behind all that. The trace notes that it is quiet, and then some ask who is where, and an account comes on
 * one device more to see what it finds.
 */
import { ConfigProvider, Effect, Layer, Logger, References } from "effect"
import { TestClock } from "effect/testing"
import type { UserName } from "../../src/common/name/UserName.ts"
import { ServerConfig } from "../../src/server/config/ServerConfig.ts"
import * as Server from "../../src/server/Server.ts"
import { MemorySocketServer } from "../support/MemorySocket.ts"
import { roomLog } from "../support/ReferenceEntry.ts"
import type { TraceEvent } from "../support/ReferenceTrace.ts"
import { act } from "./Acts.ts"
import { storesFor } from "./ModelStores.ts"
import { accounts, guests, labelOf, names, observerName, rooms, tokenOf } from "./People.ts"
import { type Program, stepsTo, type Turn } from "./Program.ts"
import { randomFrom } from "./RandomFrom.ts"
import { SimulatedUser } from "./SimulatedUser.ts"

/** How many turns of the event loop something that must happen is waited for. */
const patience = 3000

const settings = ConfigProvider.layer(ConfigProvider.fromEnvRecord({ MESSAGE_RATE: "0", IDLE_TIMEOUT: "1 day" }))

/** What a program left behind: what clients saw, and what the server logged as an error, which should be nothing. */
export interface Outcome {
  readonly trace: ReadonlyArray<TraceEvent>
  readonly logged: ReadonlyArray<string>
}

export const run = (program: Program): Effect.Effect<Outcome> =>
  Effect.suspend(() => {
    const logged: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (logLevel === "Error" || logLevel === "Fatal") logged.push(JSON.stringify(message))
    })
    const server = Server.layer.pipe(
      Layer.provideMerge(MemorySocketServer.layer),
      Layer.provide([ServerConfig.layer.pipe(Layer.provide(settings)), storesFor(program)]),
      Layer.merge(Logger.layer([logger])),
      Layer.provideMerge(TestClock.layer()),
      Layer.orDie
    )
    return runOn(program).pipe(
      Effect.map((trace) => ({ trace, logged })),
      Effect.scoped,
      Effect.provide(server, { local: true }),
      Effect.provideService(References.MinimumLogLevel, "Error")
    )
  })

const runOn = Effect.fnUntraced(function* (program: Program) {
  const scope = yield* Effect.scope
  const server = yield* MemorySocketServer
  const trace: Array<TraceEvent> = []
  const random = randomFrom(program.network)
  let sessions = 0
  const wire = { connect: () => server.connect({ random }), trace, nextSession: () => ++sessions }
  const observer = new SimulatedUser(observerName, wire)
  const deviceOf = (user: UserName, number: number) =>
    new SimulatedUser(user, wire, { label: labelOf(user, number), token: tokenOf(user, number) })
  const users = [
    ...guests.map((name) => new SimulatedUser(name, wire)),
    ...accounts.flatMap(({ devices, user }) => Array.from({ length: devices }, (_, index) => deviceOf(user, index + 1)))
  ]
  /** One more device of each account: it comes only when all is quiet, to see what the account finds. */
  const auditors = accounts.map(({ user }) => deviceOf(user, 0))
  const everybody = [observer, ...users, ...auditors]
  let rests = 0

  /** Waits until this is so. Time passes only when nothing happens without it. */
  const until = Effect.fnUntraced(function* (what: string, isSo: () => boolean) {
    for (let turn = 1; turn <= patience; turn++) {
      if (isSo()) return
      yield* turn % 100 === 0 ? TestClock.adjust("10 millis") : Effect.yieldNow
    }
    return yield* Effect.die(new Error(`${what} did not happen; the trace ends with ${showEnd(trace)}`))
  })

  const settle = until("a reply or the end of a connection", () => everybody.every(({ isAtRest }) => isAtRest))
  const pingAll = Effect.suspend(() =>
    Effect.forEach(everybody, (user) => (user.isWelcome ? user.say({ _tag: "Ping", nonce: 1 }) : Effect.void))
  ).pipe(Effect.andThen(settle))

  /** Lets every room come to an end with what it was told so far: a question that waits for its turn in each. */
  const passRooms = Effect.suspend(() =>
    Effect.forEach(rooms, (room) => observer.say({ _tag: "GetHistory", room, limit: 1 }))
  ).pipe(Effect.andThen(settle))

  const isListRight = () => {
    const list = trace.findLast((event) => event._tag === "Heard" && event.message._tag === "UserList")
    const present = new Set(everybody.filter(({ isWelcome }) => isWelcome).map(({ name }) => name))
    return (
      list?._tag === "Heard" &&
      list.message._tag === "UserList" &&
      list.message.users.length === present.size &&
      list.message.users.every((user) => present.has(user))
    )
  }

  const rest = Effect.fnUntraced(function* () {
    yield* settle
    for (let attempt = 1; attempt === 1 || !isListRight(); attempt++) {
      if (attempt > 20) return yield* Effect.die(new Error(`the list of users stays wrong: ${showEnd(trace)}`))
      yield* TestClock.adjust("60 millis")
      yield* observer.say({ _tag: "ListUsers" })
      yield* settle
    }
    // The rooms hear who is gone, announce it, and then nothing is on its way any more.
    yield* passRooms
    // Who left with a message under way leaves when it is stored, which nobody who asks waits for.
    yield* Effect.repeat(Effect.yieldNow, { times: 100 })
    yield* TestClock.adjust("60 millis")
    yield* passRooms
    yield* pingAll
    trace.push({ _tag: "Quiet" })
    rests++
    for (const [index, user] of everybody.entries()) {
      // A third of them each time, which is as good: what they were told adds up until they are asked.
      if (!user.isWelcome || (index + rests) % 3 !== 0) continue
      yield* user.say({ _tag: "ListUsers" })
      for (const room of rooms) yield* user.say({ _tag: "ListRoomUsers", room })
    }
    yield* observer.say({ _tag: "ListRooms" })
    yield* settle
    const auditor = auditors[rests % auditors.length]
    if (auditor !== undefined) yield* audit(auditor)
  })

  /** Comes, with all it missed, and goes. */
  const audit = Effect.fnUntraced(function* (auditor: SimulatedUser) {
    yield* auditor.arrive(scope, true)
    yield* settle
    yield* auditor.say({ _tag: "ListRooms" })
    yield* settle
    yield* auditor.disconnect()
    yield* settle
  })

  const takeTurn = Effect.fnUntraced(function* ({ actions, user: number }: Turn) {
    const user = users[number]
    if (user === undefined) return
    for (const action of actions) yield* act(user, scope, action)
  })

  yield* observer.arrive(scope, false)
  yield* rest()
  for (const step of [...stepsTo(program.beginning), ...program.steps]) {
    // A user may have several turns in a step, but is one person.
    const turns = names.map((_, number) => step.filter((turn) => turn.user === number))
    yield* Effect.forEach(turns, (own) => Effect.forEach(own, takeTurn), { concurrency: "unbounded", discard: true })
    yield* rest()
  }

  // What nobody who stayed has seen may be in the logs all the same: the observer is given all of them.
  for (const room of rooms) yield* observer.say({ _tag: "JoinRoom", room })
  yield* settle
  for (const room of rooms) {
    const last = observer.cursor(roomLog(room))
    if (last === undefined) continue
    yield* observer.say({ _tag: "LeaveRoom", room })
    yield* observer.say({ _tag: "JoinRoom", room, after: { ...last, seq: 0 } })
    yield* observer.say({ _tag: "GetHistory", room, limit: 500 })
  }
  yield* observer.say({ _tag: "GetHistory", limit: 500 })
  // Nobody is locked out: the second time with the token before, if an earlier use of that was carried out late.
  for (let attempt = 1; attempt <= 2; attempt++) {
    for (const user of users) if (user.isAccount && !user.isConnected) yield* user.arrive(scope, true)
    yield* settle
  }
  // All that an account has in private, whoever was there when it came.
  for (const auditor of auditors) {
    yield* audit(auditor)
    auditor.forgetInbox()
    yield* auditor.arrive(scope, true)
    for (const other of new Set(names)) yield* auditor.say({ _tag: "GetHistory", with: other, limit: 500 })
    yield* settle
  }
  yield* rest()
  return [...trace]
})

const showEnd = (trace: ReadonlyArray<TraceEvent>) =>
  trace
    .slice(-12)
    .map((event) => `\n  ${JSON.stringify(event)}`)
    .join("")
