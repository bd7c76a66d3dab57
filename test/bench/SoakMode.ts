/**
 * A long time at a light load: does anything grow? Rooms, private pairs, pings, and people who come back and leave again.
 *
 * In sixty parts, each drained and counted by itself, so that this process grows with the time no more than the server
 * should. The server's memory is read after each; the first tenth counts as its warming up.
 */
import { Array as Arr, Console, Effect } from "effect"
import { lossOf } from "./BroadcastModes.ts"
import { ask, assertAllHere, enter, gather, join, settle } from "./Crowd.ts"
import type { Ledger } from "./Ledger.ts"
import { residentBytesOf } from "./Machine.ts"
import { type Load, metered, type Mode } from "./Mode.ts"
import * as Probe from "./Probe.ts"
import { pace, toUser } from "./Route.ts"
import { slopeOf } from "./Slope.ts"
import { tenRooms } from "./StoreModes.ts"
import type { Subject } from "./Subject.ts"

const parts = 60
const warmUpParts = parts / 10

/** How many talk in private, in pairs. */
const pairedMembers = 20

const pingEveryMillis = 50
const visitEveryMillis = 500

/** Somebody comes, reads what was said in a room, and leaves: again and again. */
const visits = (subject: Subject) => {
  let count = 0
  const visit = Effect.scoped(
    Effect.gen(function* () {
      const visitor = yield* join(subject)
      const room = `store-${count++ % 10}`
      yield* ask(visitor, visitor.dialect.join(room), (line) => visitor.dialect.isJoined(line, room))
      for (const [message, answer] of [
        [{ _tag: "GetHistory", room, limit: 100 }, "History"],
        [{ _tag: "ListRooms" }, "RoomList"]
      ] as const) {
        const { isAnswer, text } = Probe.request(message, answer)
        yield* ask(visitor, text, isAnswer)
      }
    })
  )
  return { forever: Effect.forever(Effect.andThen(visit, Effect.sleep(visitEveryMillis))), count: () => count }
}

const mebibytes = (bytes: number) => bytes / 1024 / 1024

const describePart = (part: number, bytes: number, ledgers: ReadonlyArray<Ledger>) => {
  const p99 = ledgers.at(-1)?.latency.quantile(0.99) ?? Number.NaN
  const lost = ledgers.reduce((sum, ledger) => sum + ledger.lost(), 0)
  return `${part}/${parts}: ${mebibytes(bytes).toFixed(1)} MiB, p99 ${p99.toFixed(1)} ms, ${lost} lost`
}

export const soakMode: Mode = {
  name: "soak",
  summary: "An hour at a light load, once: rooms, pairs, pings and visitors; does memory grow? Only when it is named.",
  subjects: ["parley"],
  members: [100],
  quickMembers: [],
  hasOwnSize: true,
  isOnce: true,
  isOnlyNamed: true,
  seconds: 3600,
  columns: [
    { key: "messages", title: "messages", better: "none" },
    { key: "p50", title: "p50 ms", better: "none" },
    { key: "p99", title: "worst p99", better: "none" },
    { key: "pingP99", title: "ping p99", better: "none" },
    { key: "visits", title: "visits", better: "none" },
    { key: "lost", title: "lost", better: "none" },
    { key: "repeated", title: "twice", better: "none" },
    { key: "warmMiB", title: "MiB after a tenth", better: "none" },
    { key: "endMiB", title: "at the end", better: "none" },
    { key: "mostMiB", title: "at most", better: "none" },
    { key: "kibPerMinute", title: "KiB more a minute", better: "none" }
  ],
  load: () => ({ senders: 100, rate: 150, messages: 0 }),
  prepare: Effect.fnUntraced(function* (subject, load) {
    const { members, routes } = yield* tenRooms(subject, load)
    const talkers = yield* gather(subject, pairedMembers)
    yield* enter(talkers, "lounge")
    const pairs = Arr.chunksOf(talkers, 2).flatMap(([one, other]) =>
      one === undefined || other === undefined ? [] : [toUser(one, other, load.bytes), toUser(other, one, load.bytes)]
    )
    const all = [...members, ...talkers]
    yield* settle(all)
    const pinger = yield* join(subject)
    const ways = [...routes, ...pairs]

    const soak = Effect.gen(function* () {
      const ledgers: Array<Ledger> = []
      const resident: Array<number> = []
      for (let part = 1; part <= parts; part++) {
        ledgers.push(yield* pace({ members: all, routes: ways, perSecond: load.rate, seconds: load.seconds / parts }))
        resident.push(residentBytesOf(subject.pid))
        if (part % warmUpParts === 0) yield* Console.error(describePart(part, resident.at(-1) ?? 0, ledgers))
      }
      return { ledgers, resident }
    })

    const measure = Effect.gen(function* () {
      yield* assertAllHere(all)
      const coming = visits(subject)
      const probed = Probe.during(pinger, pingEveryMillis, Probe.ping(pinger), soak)
      // A visit that fails ends the hour: the rest of it would be without visitors.
      const { result, times } = yield* Effect.raceFirst(probed, coming.forever)
      return { ...figuresOf(load, result), pingP99: times.quantile(0.99), visits: coming.count() }
    })
    return { measure: metered(subject, measure) }
  })
}

interface Soaked {
  readonly ledgers: ReadonlyArray<Ledger>
  readonly resident: ReadonlyArray<number>
}

const figuresOf = ({ seconds }: Load, { ledgers, resident }: Soaked) => {
  const ofEach = (share: number) =>
    ledgers.map(({ latency }) => latency.quantile(share)).toSorted((left, right) => left - right)
  const warm = resident.slice(warmUpParts - 1)
  const minutesPerPart = seconds / parts / 60
  return {
    messages: ledgers.reduce((sum, { sent }) => sum + sent, 0),
    p50: ofEach(0.5).at(parts / 2) ?? Number.NaN,
    p99: ofEach(0.99).at(-1) ?? Number.NaN,
    ...lossOf(...ledgers),
    warmMiB: mebibytes(warm.at(0) ?? Number.NaN),
    endMiB: mebibytes(warm.at(-1) ?? Number.NaN),
    mostMiB: mebibytes(Math.max(...resident)),
    kibPerMinute: slopeOf(warm) / 1024 / minutesPerPart,
    ...Object.fromEntries(resident.map((bytes, part) => [`residentMiB${part + 1}`, mebibytes(bytes)]))
  }
}
