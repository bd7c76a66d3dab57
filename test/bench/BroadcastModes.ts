/** Modes about messages that many hear: one room in three ways, many rooms, and pairs. */
import { Array as Arr, Effect } from "effect"
import { assertAllHere, enter, gather, settle } from "./Crowd.ts"
import type { Ledger } from "./Ledger.ts"
import type { Member } from "./Member.ts"
import { type Column, everyone, type Figures, type Load, metered, type Mode, sizes } from "./Mode.ts"
import { closed, flood, pace, type Route, toRoom, toUser } from "./Route.ts"
import type { Subject } from "./Subject.ts"

const lossColumns: ReadonlyArray<Column> = [
  { key: "lost", title: "lost", better: "none" },
  { key: "repeated", title: "twice", better: "none" }
]

/** A second at a light pace: its median went from 1.7 to 2.3 times the floor's between two runs of the same code. */
const pacedColumns: ReadonlyArray<Column> = [
  { key: "sentPerSecond", title: "sent/s", better: "none" },
  { key: "p50", title: "p50 ms", better: "lower", isVolatile: true },
  { key: "p99", title: "p99 ms", better: "lower", isVolatile: true },
  { key: "max", title: "max ms", better: "none" },
  { key: "lateP99", title: "late p99", better: "none" }
]

const floodColumns: ReadonlyArray<Column> = [
  { key: "deliveriesPerSecond", title: "deliveries/s", better: "higher" },
  { key: "messagesPerSecond", title: "messages/s", better: "none" }
]

export const lossOf = (...ledgers: ReadonlyArray<Ledger>): Figures => ({
  lost: ledgers.reduce((sum, ledger) => sum + ledger.lost(), 0),
  repeated: ledgers.reduce((sum, { repeats }) => sum + repeats, 0)
})

/** Between the first message's way out and the last one's way in, in seconds. */
export const secondsOf = (ledger: Ledger) => (ledger.lastReceivedAt - ledger.firstSentAt) / 1000

const pacedFigures = (ledger: Ledger, { seconds }: Load): Figures => ({
  sentPerSecond: ledger.sent / seconds,
  p50: ledger.latency.quantile(0.5),
  p99: ledger.latency.quantile(0.99),
  max: ledger.latency.max(),
  lateP99: ledger.lateness.quantile(0.99)
})

const floodFigures = (ledger: Ledger): Figures => ({
  deliveriesPerSecond: ledger.received / secondsOf(ledger),
  messagesPerSecond: ledger.sent / secondsOf(ledger)
})

/** Everybody in one room, of whom the first ones talk. */
const oneRoom = Effect.fnUntraced(function* (subject: Subject, load: Load) {
  const members = yield* gather(subject, load.members)
  yield* enter(members, "bench")
  yield* settle(members)
  const routes = members.slice(0, load.senders).map((sender) => toRoom(sender, "bench", members.length, load.bytes))
  return { members, routes }
})

/** Paced deliveries a second, where nothing else is said: what a busy but not an overloaded server has to do. */
const pacedDeliveries = 100_000
const pacedMost = 1000

/**
 * A flood is a fixed number of messages for all servers, about so many deliveries a second asked for: a loop that takes
 * whatever comes would otherwise gather it in its memory without an end.
 */
const floodDeliveries = 400_000
const floodMost = 20_000

const floodMessages = (receivers: number, seconds: number) =>
  Math.round(Math.min(floodMost, floodDeliveries / receivers) * seconds)

export const closedMode: Mode = {
  name: "closed",
  summary: "One message in flight; the next one goes when every member has it.",
  subjects: everyone,
  members: sizes,
  quickMembers: [100],
  columns: [
    { key: "roundsPerSecond", title: "rounds/s", better: "higher" },
    { key: "p50", title: "p50 ms", better: "lower" },
    { key: "p99", title: "p99 ms", better: "none" },
    { key: "max", title: "max ms", better: "none" },
    ...lossColumns
  ],
  load: () => ({ senders: 1, rate: 0, messages: 0 }),
  prepare: Effect.fnUntraced(function* (subject, load) {
    const { members, routes } = yield* oneRoom(subject, load)
    const measure = Effect.gen(function* () {
      yield* assertAllHere(members)
      const { ledger, rounds } = yield* closed({ members, routes, seconds: load.seconds })
      return {
        roundsPerSecond: rounds.count / secondsOf(ledger),
        p50: rounds.quantile(0.5),
        p99: rounds.quantile(0.99),
        max: rounds.max(),
        ...lossOf(ledger)
      }
    })
    return { measure: metered(subject, measure) }
  })
}

export const pacedMode: Mode = {
  name: "paced",
  summary: "So many messages a second; the time from a message to each of its receipts.",
  subjects: everyone,
  members: sizes,
  quickMembers: [100],
  columns: [...pacedColumns, ...lossColumns],
  load: (members) => ({
    senders: 10,
    rate: Math.min(pacedMost, Math.round(pacedDeliveries / members)),
    messages: 0
  }),
  prepare: Effect.fnUntraced(function* (subject, load) {
    const { members, routes } = yield* oneRoom(subject, load)
    const measure = Effect.gen(function* () {
      yield* assertAllHere(members)
      const ledger = yield* pace({ members, routes, perSecond: load.rate, seconds: load.seconds })
      return { ...pacedFigures(ledger, load), ...lossOf(ledger) }
    })
    return { measure: metered(subject, measure) }
  })
}

export const floodMode: Mode = {
  name: "flood",
  summary: "Messages as fast as the sockets take them; how many deliveries come of it.",
  subjects: everyone,
  members: sizes,
  quickMembers: [100],
  columns: [...floodColumns, ...lossColumns],
  load: (members, seconds) => ({ senders: 10, rate: 0, messages: floodMessages(members, seconds) }),
  prepare: Effect.fnUntraced(function* (subject, load) {
    const { members, routes } = yield* oneRoom(subject, load)
    const measure = Effect.gen(function* () {
      yield* assertAllHere(members)
      const ledger = yield* flood({ members, routes, messages: load.messages })
      return { ...floodFigures(ledger), ...lossOf(ledger) }
    })
    return { measure: metered(subject, measure) }
  })
}

/** First at a pace, then as a flood. */
const pacedThenFlood = (subject: Subject, load: Load, members: ReadonlyArray<Member>, routes: ReadonlyArray<Route>) =>
  metered(
    subject,
    Effect.gen(function* () {
      yield* assertAllHere(members)
      const paced = yield* pace({ members, routes, perSecond: load.rate, seconds: load.seconds })
      const flooded = yield* flood({ members, routes, messages: load.messages })
      return { ...pacedFigures(paced, load), ...floodFigures(flooded), ...lossOf(paced, flooded) }
    })
  )

const roomSize = 10

export const roomsMode: Mode = {
  name: "rooms",
  summary: "Many rooms of 10, in all of which somebody talks: first at a pace, then as a flood.",
  subjects: everyone,
  members: sizes,
  quickMembers: [100],
  columns: [...pacedColumns, ...floodColumns, ...lossColumns],
  load: (_, seconds) => ({ senders: Number.POSITIVE_INFINITY, rate: 2000, messages: floodMessages(roomSize, seconds) }),
  prepare: Effect.fnUntraced(function* (subject, load) {
    const members = yield* gather(subject, load.members)
    const rooms = Arr.chunksOf(members, roomSize).map((inRoom, index) => ({ name: `room-${index}`, inRoom }))
    yield* Effect.forEach(rooms, ({ inRoom, name }) => enter(inRoom, name), { concurrency: roomSize, discard: true })
    yield* settle(members)
    const speakers = Math.max(1, Math.min(roomSize, Math.floor(load.senders / rooms.length)))
    // The rooms take turns, and within each its members do.
    const routes = Arr.range(0, speakers - 1).flatMap((place) =>
      rooms.flatMap(({ inRoom, name }) =>
        inRoom.slice(place, place + 1).map((sender) => toRoom(sender, name, inRoom.length, load.bytes))
      )
    )
    return { measure: pacedThenFlood(subject, load, members, routes) }
  })
}

export const privateMode: Mode = {
  name: "private",
  summary: "Pairs who talk in private: first at a pace, then as a flood.",
  subjects: everyone,
  members: sizes,
  quickMembers: [100],
  columns: [...pacedColumns, ...floodColumns, ...lossColumns],
  load: (_, seconds) => ({ senders: Number.POSITIVE_INFINITY, rate: 2000, messages: floodMessages(2, seconds) }),
  prepare: Effect.fnUntraced(function* (subject, load) {
    const members = yield* gather(subject, load.members)
    yield* settle(members)
    const routes = Arr.chunksOf(members, 2).flatMap(([one, other]) =>
      other === undefined || one === undefined ? [] : [toUser(one, other, load.bytes), toUser(other, one, load.bytes)]
    )
    return { measure: pacedThenFlood(subject, load, members, routes.slice(0, load.senders)) }
  })
}
