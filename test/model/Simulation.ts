/**
 * Runs a program against a whole server in this process: memory for sockets, the test clock for time.
 *
 * After each step everything is brought to rest by means of the protocol alone: every request has its reply, the clock
 * has passed the presence window, whoever was cut is in nobody's list any more, and a Ping has gone through every
 * connection behind all that. The trace notes that it is quiet, and then some ask who is where.
 */
import { ConfigProvider, Effect, Layer, Logger, References, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { Epoch } from "../../src/common/log/Cursor.ts"
import { RoomName } from "../../src/common/name/RoomName.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { ServerConfig } from "../../src/server/config/ServerConfig.ts"
import { History } from "../../src/server/history/History.ts"
import * as Server from "../../src/server/Server.ts"
import * as MemoryHistory from "../../src/server/store/MemoryHistory.ts"
import { MemorySocketServer } from "../support/MemorySocket.ts"
import { inboxLog, lobby, roomLog } from "../support/ReferenceEntry.ts"
import type { TraceEvent } from "../support/ReferenceTrace.ts"
import { storesOver } from "../support/Stores.ts"
import { Action, type ActionOf, type Program, stepsTo, type Turn } from "./Program.ts"
import { SimulatedUser, type Unsent } from "./SimulatedUser.ts"

const names = ["Ada", "bob", "Σας", "straße", "Жук", "漢", "a.b-c_d", "Zoë"].map((name) => UserName.make(name))
const rooms = ["dev", "Ops", "Ж"].map((name) => RoomName.make(name))
const observerName = UserName.make("observer")

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
      Layer.provide([ServerConfig.layer.pipe(Layer.provide(settings)), storesOver(historyFor(program))]),
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

/** Every other program has a store that takes its time, as one on a disk does, so that more happens meanwhile. */
const historyFor = ({ network }: Program): Layer.Layer<History> => {
  if (network % 2 === 0) return MemoryHistory.layer
  const random = randomFrom(network)
  const pause = Effect.suspend(() => Effect.repeat(Effect.yieldNow, { times: Math.floor(random() * 8) }))
  const slowly = <A, E>(effect: Effect.Effect<A, E>) => pause.pipe(Effect.andThen(effect), Effect.tap(pause))
  return Layer.effect(
    History,
    Effect.map(History, (history) =>
      History.of({
        append: (entries, answered) => slowly(history.append(entries, answered)),
        read: (conversation, range, maxBytes) => slowly(history.read(conversation, range, maxBytes)),
        standing: (conversation, range, maxBytes) => slowly(history.standing(conversation, range, maxBytes)),
        facts: (conversation, question) => slowly(history.facts(conversation, question)),
        newest: (conversation) => slowly(history.newest(conversation)),
        search: (conversations, search, maxBytes) => slowly(history.search(conversations, search, maxBytes)),
        forgetUnsafe: history.forgetUnsafe,
        rooms: history.rooms,
        emptied: history.emptied
      })
    )
  ).pipe(Layer.provide(MemoryHistory.layer))
}

const runOn = Effect.fnUntraced(function* (program: Program) {
  const scope = yield* Effect.scope
  const server = yield* MemorySocketServer
  const trace: Array<TraceEvent> = []
  const random = randomFrom(program.network)
  let sessions = 0
  const wire = { connect: () => server.connect({ random }), trace, nextSession: () => ++sessions }
  const observer = new SimulatedUser(observerName, wire)
  const users = names.map((name) => new SimulatedUser(name, wire))
  const everybody = [observer, ...users]
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
    const present = everybody.filter(({ isWelcome }) => isWelcome).map(({ name }) => name)
    return (
      list?._tag === "Heard" &&
      list.message._tag === "UserList" &&
      list.message.users.length === present.length &&
      list.message.users.every((user) => present.includes(user))
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
  yield* rest()
  return [...trace]
})

const act = (user: SimulatedUser, scope: Scope.Scope, action: Action): Effect.Effect<void> =>
  Action.match(action, {
    Connect: ({ resume }) => user.arrive(scope, resume),
    Impersonate: () => user.impersonate(scope, otherCase(user.name)),
    Vanish: () => Effect.sync(() => user.vanish()),
    Disconnect: () => user.disconnect(),
    CreateRoom: (at) => user.say({ _tag: "CreateRoom", room: roomNamed(at) }),
    JoinRoom: (join) => user.say({ _tag: "JoinRoom", room: roomNamed(join), ...cursorOf(user, join) }),
    LeaveRoom: (at) => user.say({ _tag: "LeaveRoom", room: roomNamed(at) }),
    SayLobby: ({ keyed, reply }) =>
      user.ask((content) => ({ _tag: "GlobalMessage", content, ...replyIn(user, lobby, reply) }), keyed),
    SayRoom: ({ keyed, reply, ...at }) => {
      const room = roomNamed(at)
      return user.ask(
        (content) => ({ _tag: "RoomMessage", room, content, ...replyIn(user, roomLog(room), reply) }),
        keyed
      )
    },
    SayTo: ({ keyed, reply, spelling, user: number }) => {
      const name = names[number] ?? observerName
      const to = spelling === 0 ? name : otherCase(name)
      return user.ask((content) => ({ _tag: "PrivateMessage", to, content, ...replyIn(user, inboxLog, reply) }), keyed)
    },
    Edit: ({ keyed, ...at }) =>
      user.ask((content) => ({ _tag: "EditMessage", ...messageAt(user, at), content }), keyed),
    Delete: ({ keyed, ...at }) =>
      user.ask((reason) => ({ _tag: "DeleteMessage", ...messageAt(user, at), reason }), keyed),
    React: ({ keyed, reaction, remove, ...at }) =>
      user.ask(
        () => ({
          _tag: "React",
          ...messageAt(user, at),
          reaction: reactions[reaction] ?? "?",
          ...(remove && { remove })
        }),
        keyed
      ),
    Rework: ({ deeds, ...at }) => {
      const message = messageAt(user, at)
      return user.askAll(deeds.map((deed) => (words) => requestOf(deed, message, words)))
    },
    Repeat: ({ anew, back }) => user.repeat(back, anew),
    ListUsers: () => user.say({ _tag: "ListUsers" }),
    ListRooms: () => user.say({ _tag: "ListRooms" }),
    ListRoomUsers: (at) => user.say({ _tag: "ListRoomUsers", room: roomNamed(at) }),
    LookAtLobby: (look) => user.say({ _tag: "GetHistory", ...rangeOf(look) }),
    LookAtRoom: (look) => user.say({ _tag: "GetHistory", room: roomNamed(look), ...rangeOf(look) }),
    LookAtInbox: ({ user: number }) => user.say({ _tag: "GetHistory", with: names[number] ?? observerName }),
    TalkNonsense: () => user.sayNonsense(),
    Pause: ({ turns }) => Effect.repeat(Effect.yieldNow, { times: turns })
  })

const otherCase = (name: UserName) => {
  const upper = name.toUpperCase()
  return UserName.make(upper === name ? name.toLowerCase() : upper)
}

const roomNamed = ({ room, spelling }: { readonly room: number; readonly spelling: number }) => {
  const name = rooms[room] ?? RoomName.make("dev")
  return spelling === 0 ? name : RoomName.make(name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase())
}

const cursorOf = (user: SimulatedUser, { cursor, ...at }: ActionOf<"JoinRoom">) => {
  const last = user.cursor(roomLog(roomNamed(at)))
  if (cursor === "none" || last === undefined) return {}
  if (cursor === "last") return { after: last }
  if (cursor === "behind") return { after: { ...last, seq: Math.floor(last.seq / 2) } }
  if (cursor === "ahead") return { after: { ...last, seq: last.seq + 1000 } }
  return { after: { ...last, epoch: user.cursor(lobby)?.epoch === last.epoch ? otherEpoch : last.epoch } }
}

const reactions = ["👍", "ok", "OK"]

const replyIn = (user: SimulatedUser, log: string, reply: number) =>
  reply === 0 ? {} : { replyTo: user.placeIn(log, reply, false) }

interface MessageAt {
  readonly log: number
  readonly spelling: number
  readonly own: boolean
  readonly back: number
}

const requestOf = (
  deed: ActionOf<"Rework">["deeds"][number],
  { target, ...where }: ReturnType<typeof messageAt>,
  words: string
): Unsent => {
  switch (deed) {
    case "Edit":
      return { _tag: "EditMessage", ...where, target, content: words }
    case "Delete":
      return { _tag: "DeleteMessage", ...where, target, reason: words }
    case "React":
      return { _tag: "React", ...where, target, reaction: "👍" }
    case "TakeBack":
      return { _tag: "React", ...where, target, reaction: "👍", remove: true }
    case "Reply": {
      const said = { content: words, replyTo: target }
      const { room } = { room: undefined, ...where }
      return room === undefined ? { _tag: "GlobalMessage", ...said } : { _tag: "RoomMessage", room, ...said }
    }
  }
}

const messageAt = (
  user: SimulatedUser,
  { back, log, own, spelling }: MessageAt
): { readonly target: number; readonly room?: RoomName } => {
  if (log === 0) return { target: user.placeIn(lobby, back, own) }
  const room = roomNamed({ room: log - 1, spelling })
  return { room, target: user.placeIn(roomLog(room), back, own) }
}

const otherEpoch = Epoch.make("another")

/** 0 leaves a bound out. */
const rangeOf = ({
  after,
  before,
  limit
}: {
  readonly before: number
  readonly after: number
  readonly limit: number
}) => ({
  ...(before === 0 ? {} : { before }),
  ...(after === 0 ? {} : { after }),
  ...(limit === 0 ? {} : { limit })
})

/** A generator of our own (mulberry32), so that a program's number is all it takes to cut the same bytes again. */
const randomFrom = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const showEnd = (trace: ReadonlyArray<TraceEvent>) =>
  trace
    .slice(-12)
    .map((event) => `\n  ${JSON.stringify(event)}`)
    .join("")
