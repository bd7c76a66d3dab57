/**
 * Runs a program against a whole server in this process: memory for sockets, the test clock for time.
 *
 * After each step everything is brought to rest by means of the protocol alone: every request has its reply, the clock
 * has passed the presence window, whoever was cut is in nobody's list any more, and a Ping has gone through every
 * connection behind all that. The trace notes that it is quiet, and then some ask who is where, and an account comes on
 * one device more to see what it finds.
 */
import { ConfigProvider, Context, Effect, Layer, Logger, Redacted, References, Result, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { Epoch } from "../../src/common/log/Cursor.ts"
import { RoomName } from "../../src/common/name/RoomName.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { Accounts } from "../../src/server/accounts/Accounts.ts"
import { Memberships } from "../../src/server/accounts/Memberships.ts"
import { hashOf } from "../../src/server/accounts/Secrets.ts"
import { ServerConfig } from "../../src/server/config/ServerConfig.ts"
import { History } from "../../src/server/history/History.ts"
import * as Server from "../../src/server/Server.ts"
import * as MemoryAccounts from "../../src/server/store/MemoryAccounts.ts"
import * as MemoryHistory from "../../src/server/store/MemoryHistory.ts"
import { MemorySocketServer } from "../support/MemorySocket.ts"
import { inboxLog, lobby, roomLog } from "../support/ReferenceEntry.ts"
import type { TraceEvent } from "../support/ReferenceTrace.ts"
import { stores as inMemory, storesOver } from "../support/Stores.ts"
import { Action, type ActionOf, type Program, stepsTo, type Turn } from "./Program.ts"
import { partnerLog, SimulatedUser, type Unsent } from "./SimulatedUser.ts"

const guests = ["Ada", "bob", "Σας", "straße"].map((name) => UserName.make(name))
/** The accounts there are, and how many devices each has. */
const accounts = [
  { user: UserName.make("Zoë"), devices: 3 },
  { user: UserName.make("a.b-c_d"), devices: 2 },
  { user: UserName.make("Жук"), devices: 1 }
]
export const accountNames = accounts.map(({ user }) => user)
const deviceNames = accounts.flatMap(({ devices, user }) => Array.from({ length: devices }, () => user))
const names = [...guests, ...deviceNames]
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
      Layer.provide([
        ServerConfig.layer.pipe(Layer.provide(settings)),
        slowly(program, storesOver(historyFor(program), Layer.fresh(withAccounts)))
      ]),
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

const labelOf = (user: UserName, number: number) => `${user}'s ${number}`
/** What a device has at first. */
const tokenOf = (user: UserName, number: number) => `the first token of ${labelOf(user, number)}`
const newDevice = (user: UserName, number: number) => ({
  name: labelOf(user, number),
  token: hashOf(Redacted.make(tokenOf(user, number)))
})

/** With all accounts and their devices, and nobody's password: a hash takes longer than a program. */
const withAccounts = Layer.effect(
  Accounts,
  Effect.tap(
    Accounts,
    Effect.fnUntraced(function* (kept) {
      for (const { devices, user } of accounts) {
        const none = { password: undefined, reset: undefined, isAdmin: false, at: 0, invite: undefined }
        const created = yield* kept.create({ user, ...none, device: newDevice(user, 0) })
        if (Result.isFailure(created)) continue
        for (let number = 1; number <= devices; number++) {
          yield* kept.addDevice(created.success.account.id, newDevice(user, number), 0)
        }
      }
    })
  )
).pipe(Layer.provide(MemoryAccounts.layer), Layer.orDie)

/** Every other program has a store that takes its time, as one on a disk does, so that more happens meanwhile. */
const historyFor = ({ network }: Program): Layer.Layer<History> => {
  if (network % 2 === 0) return MemoryHistory.layer
  const slowly = slowed(network)
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

/** The same of what is kept of accounts. */
const slowly = ({ network }: Program, stores: typeof inMemory): typeof inMemory => {
  if (network % 2 === 0) return stores
  const slowly = slowed(network + 1)
  const slow = Effect.gen(function* () {
    const accounts = yield* Accounts
    const memberships = yield* Memberships
    return Context.make(
      Accounts,
      Accounts.of({ ...accounts, useToken: (...given) => slowly(accounts.useToken(...given)) })
    ).pipe(
      Context.add(
        Memberships,
        Memberships.of({
          rooms: (account) => slowly(memberships.rooms(account)),
          inhabited: memberships.inhabited,
          members: (room) => slowly(memberships.members(room)),
          join: (member, room, newest) => slowly(memberships.join(member, room, newest)),
          leave: (account, room) => slowly(memberships.leave(account, room)),
          forget: (room) => slowly(memberships.forget(room)),
          forgetAccount: (account) => slowly(memberships.forgetAccount(account)),
          mark: (account, place, seq) => slowly(memberships.mark(account, place, seq)),
          standing: (member) => slowly(memberships.standing(member))
        })
      )
    )
  })
  return Layer.provideMerge(Layer.effectContext(slow), stores)
}

/** Each act takes up to eight turns before it, and after it. */
const slowed = (seed: number) => {
  const random = randomFrom(seed)
  const pause = Effect.suspend(() => Effect.repeat(Effect.yieldNow, { times: Math.floor(random() * 8) }))
  return <A, E>(effect: Effect.Effect<A, E>) => pause.pipe(Effect.andThen(effect), Effect.tap(pause))
}

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

const act = (user: SimulatedUser, scope: Scope.Scope, action: Action): Effect.Effect<void> =>
  Action.match(action, {
    Connect: ({ isLost, resume }) => user.arrive(scope, resume, isLost),
    Impersonate: () => user.impersonate(scope, otherCase(user.name)),
    Vanish: () => Effect.sync(() => user.vanish()),
    Disconnect: () => user.disconnect(),
    CreateRoom: (at) => user.say({ _tag: "CreateRoom", room: roomNamed(at) }),
    JoinRoom: (join) => user.say({ _tag: "JoinRoom", room: roomNamed(join), ...cursorOf(user, join) }),
    LeaveRoom: (at) => user.say({ _tag: "LeaveRoom", room: roomNamed(at) }),
    SayLobby: ({ keyed, mention, reply }) =>
      user.ask(
        (words) => ({ _tag: "GlobalMessage", content: naming(words, mention), ...replyIn(user, lobby, reply) }),
        keyed
      ),
    SayRoom: ({ keyed, mention, reply, ...at }) => {
      const room = roomNamed(at)
      return user.ask(
        (words) => ({
          _tag: "RoomMessage",
          room,
          content: naming(words, mention),
          ...replyIn(user, roomLog(room), reply)
        }),
        keyed
      )
    },
    SayTo: ({ keyed, mention, reply, ...whom }) => {
      const to = userNamed(whom)
      const log = user.isAccount ? partnerLog(to) : inboxLog
      return user.ask(
        (words) => ({
          _tag: "PrivateMessage",
          to,
          content: naming(words, mention),
          ...replyIn(user, log, reply)
        }),
        keyed
      )
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
    MarkRead: (at) => {
      const { target, ...where } = messageAt(user, at)
      return user.say({ _tag: "MarkRead", ...where, seq: target })
    },
    Repeat: ({ anew, back }) => user.repeat(back, anew),
    ListUsers: () => user.say({ _tag: "ListUsers" }),
    ListRooms: () => user.say({ _tag: "ListRooms" }),
    ListRoomUsers: (at) => user.say({ _tag: "ListRoomUsers", room: roomNamed(at) }),
    LookAtLobby: (look) => user.say({ _tag: "GetHistory", ...rangeOf(look) }),
    LookAtRoom: (look) => user.say({ _tag: "GetHistory", room: roomNamed(look), ...rangeOf(look) }),
    LookAtInbox: ({ user: number, ...range }) =>
      user.say({ _tag: "GetHistory", with: names[number] ?? observerName, ...rangeOf(range) }),
    TalkNonsense: () => user.sayNonsense(),
    Pause: ({ turns }) => Effect.repeat(Effect.yieldNow, { times: turns })
  })

const otherCase = (name: UserName) => {
  const upper = name.toUpperCase()
  return UserName.make(upper === name ? name.toLowerCase() : upper)
}

const userNamed = ({ spelling, user }: { readonly user: number; readonly spelling: number }) => {
  const name = names[user] ?? observerName
  return spelling === 0 ? name : otherCase(name)
}

/** Words that name somebody, or somebody else whose name begins so. */
const naming = (words: string, mention: number) => {
  if (mention === 0) return words
  const name = names[(mention - 1) % names.length] ?? observerName
  return `${words} @${mention > names.length ? `${name}x` : mention % 2 === 0 ? otherCase(name) : name}`
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
      const { room, with: partner } = { room: undefined, with: undefined, ...where }
      if (partner !== undefined) return { _tag: "PrivateMessage", to: partner, ...said }
      return room === undefined ? { _tag: "GlobalMessage", ...said } : { _tag: "RoomMessage", room, ...said }
    }
  }
}

const messageAt = (
  user: SimulatedUser,
  { back, log, own, spelling }: MessageAt
): { readonly target: number; readonly room?: RoomName; readonly with?: UserName } => {
  if (log === 0) return { target: user.placeIn(lobby, back, own) }
  if (log > rooms.length) {
    const partner = userNamed({ user: log - rooms.length - 1, spelling })
    return { with: partner, target: user.placeIn(user.isAccount ? partnerLog(partner) : inboxLog, back, own) }
  }
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
