/** Modes about messages that are stored before they are seen: how many, and what that does to those who wait. */
import { Array as Arr, Effect } from "effect"
import { lossOf } from "./BroadcastModes.ts"
import { ask, askTimed, assertAllHere, BenchError, enter, gather, join, settle } from "./Crowd.ts"
import { Histogram } from "./Histogram.ts"
import { isInstalled } from "./Machine.ts"
import type { Member } from "./Member.ts"
import { type Figures, type Load, metered, type Mode } from "./Mode.ts"
import * as Probe from "./Probe.ts"
import { flood, pace, toRoom } from "./Route.ts"
import type { Subject } from "./Subject.ts"

const roomCount = 10

/** Members in ten rooms, of whom all talk. */
export const tenRooms = Effect.fnUntraced(function* (subject: Subject, load: Load) {
  const members = yield* gather(subject, load.members)
  const rooms = Arr.range(0, Math.min(roomCount, load.members) - 1).map((number) => ({
    name: `store-${number}`,
    inRoom: members.filter((_, index) => index % roomCount === number)
  }))
  yield* Effect.forEach(rooms, ({ inRoom, name }) => enter(inRoom, name), { discard: true })
  yield* settle(members)
  const routes = members.slice(0, load.senders).flatMap((sender, index) => {
    const room = rooms[index % roomCount]
    return room === undefined ? [] : [toRoom(sender, room.name, room.inRoom.length, load.bytes)]
  })
  return { members, routes }
})

const unacknowledged = (members: ReadonlyArray<Member>) =>
  members.reduce((sum, member) => sum + member.unacknowledged(), 0)

const timesOf = (name: string, times: Histogram): Figures => ({
  [`${name}P50`]: times.quantile(0.5),
  [`${name}P99`]: times.quantile(0.99),
  [`${name}Max`]: times.max()
})

const pingEveryMillis = 5

export const storeMode: Mode = {
  name: "store",
  summary: "Many senders in ten rooms: messages stored, at a pace and as a flood; pings meanwhile show stalls.",
  subjects: ["parley", "floor"],
  members: [50],
  quickMembers: [50],
  hasOwnSize: true,
  seconds: 10,
  columns: [
    { key: "pacedPerSecond", title: "stored/s", better: "none" },
    { key: "sentP50", title: "Sent p50", better: "lower", isVolatile: true },
    { key: "sentP99", title: "p99 ms", better: "lower", isVolatile: true },
    { key: "pingP50", title: "ping p50", better: "none" },
    { key: "pingP99", title: "p99", better: "lower", isVolatile: true },
    { key: "pingMax", title: "max ms", better: "none" },
    { key: "floodPerSecond", title: "flood stored/s", better: "higher" },
    { key: "floodPingP99", title: "ping p99", better: "none" },
    { key: "floodPingMax", title: "max ms", better: "none" },
    { key: "lost", title: "lost", better: "none" },
    { key: "unanswered", title: "no Sent", better: "none" }
  ],
  load: (_, seconds) => ({ senders: 50, rate: 5000, messages: 5000 * seconds }),
  prepare: Effect.fnUntraced(function* (subject, load) {
    const { members, routes } = yield* tenRooms(subject, load)
    const prober = yield* join(subject)
    const measure = Effect.gen(function* () {
      yield* assertAllHere(members)
      const sent = new Histogram()
      const startedAt = performance.now()
      let lastSentAt = startedAt
      for (const member of members) {
        member.onAcknowledged = (now) => {
          lastSentAt = now
        }
      }
      const paced = yield* Probe.during(
        prober,
        pingEveryMillis,
        Probe.ping(prober),
        pace({ members, routes, perSecond: load.rate, seconds: load.seconds, acknowledgements: sent })
      )
      const pacedPerSecond = (sent.count / (lastSentAt - startedAt)) * 1000
      const pacedUnanswered = unacknowledged(members)
      const stored = new Histogram()
      const flooded = yield* Probe.during(
        prober,
        pingEveryMillis,
        Probe.ping(prober),
        flood({ members, routes, messages: load.messages, acknowledgements: stored })
      )
      const { pingMax, pingP99 } = timesOf("ping", flooded.times)
      return {
        pacedPerSecond,
        ...timesOf("sent", sent),
        ...timesOf("ping", paced.times),
        floodPerSecond: (stored.count / (lastSentAt - flooded.result.firstSentAt)) * 1000,
        floodPingP99: pingP99 ?? Number.NaN,
        floodPingMax: pingMax ?? Number.NaN,
        ...lossOf(paced.result, flooded.result),
        unanswered: pacedUnanswered + unacknowledged(members)
      }
    })
    return { measure: metered(subject, measure) }
  })
}

/** What each commit is made to take, in milliseconds. */
const commitMillis = 20

const askEveryMillis = 20

const isAbout = (room: string) => (line: string) =>
  line.startsWith('{"_tag":"RoomJoined"') && line.includes(`"${room}"`)

export const slowDiskMode: Mode = {
  name: "slowdisk",
  summary: `Every commit takes ${commitMillis} ms (strace delays it): who waits for no message must not notice.`,
  subjects: ["parley"],
  members: [50],
  quickMembers: [50],
  hasOwnSize: true,
  seconds: 5,
  columns: [
    { key: "sentP50", title: "Sent p50", better: "none" },
    { key: "sentP99", title: "p99 ms", better: "none" },
    { key: "pingP50", title: "ping p50", better: "none" },
    { key: "pingP99", title: "p99", better: "none" },
    { key: "pingMax", title: "max ms", better: "none" },
    { key: "listP50", title: "list p50", better: "none" },
    { key: "listP99", title: "p99", better: "none" },
    { key: "listMax", title: "max ms", better: "none" },
    { key: "joinP50", title: "join p50", better: "none" },
    { key: "joinMax", title: "max ms", better: "none" },
    { key: "lost", title: "lost", better: "none" }
  ],
  load: () => ({ senders: 50, rate: 500, messages: 0 }),
  through: [
    "strace",
    "-f",
    "--seccomp-bpf",
    "-qq",
    "-o",
    "/dev/null",
    "-e",
    "trace=fsync,fdatasync",
    "-e",
    `inject=fsync,fdatasync:delay_enter=${commitMillis * 1000}`
  ],
  obstacle: () => (isInstalled("strace") ? undefined : "strace is not installed"),
  prepare: Effect.fnUntraced(function* (subject, load) {
    const { members, routes } = yield* tenRooms(subject, load)
    const [pinger, lister, joiner] = [yield* join(subject), yield* join(subject), yield* join(subject)]
    yield* enter([lister], "elsewhere")
    const measure = Effect.gen(function* () {
      yield* assertAllHere(members)
      const sent = new Histogram()
      const joins = new Histogram()
      const joining = Effect.gen(function* () {
        for (;;) {
          yield* Effect.sleep(askEveryMillis)
          joins.record((yield* askTimed(joiner, joiner.dialect.join("elsewhere"), isAbout("elsewhere"))).millis)
          const { isAnswer, text } = Probe.request({ _tag: "LeaveRoom", room: "elsewhere" }, "RoomLeft")
          yield* ask(joiner, text, isAnswer)
        }
      })
      const work = pace({ members, routes, perSecond: load.rate, seconds: load.seconds, acknowledgements: sent })
      const lists = () => Probe.request({ _tag: "ListRooms" }, "RoomList")
      const probed = Probe.during(
        pinger,
        askEveryMillis,
        Probe.ping(pinger),
        Probe.during(lister, askEveryMillis, lists, work)
      )
      // It joins for ever, so that it can only end first by failing.
      const { result, times } = yield* Effect.raceFirst(probed, joining)
      if (joins.count === 0) return yield* new BenchError({ message: "No room could be joined meanwhile." })
      return {
        ...timesOf("sent", sent),
        ...timesOf("ping", times),
        ...timesOf("list", result.times),
        ...timesOf("join", joins),
        ...lossOf(result.result)
      }
    })
    return { measure: metered(subject, measure) }
  })
}
