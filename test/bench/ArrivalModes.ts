/** Modes about those who come: many at once, and many who come back and have missed something. */
import { Array as Arr, Effect, Scope } from "effect"
import { lossOf, secondsOf } from "./BroadcastModes.ts"
import { ask, BenchError, dial, enter, join, settle } from "./Crowd.ts"
import { Histogram } from "./Histogram.ts"
import { Ledger } from "./Ledger.ts"
import { residentBytesOf } from "./Machine.ts"
import type { Member } from "./Member.ts"
import { everyone, metered, type Mode, sizes } from "./Mode.ts"
import { drain, flood, toRoom } from "./Route.ts"
import type { Subject } from "./Subject.ts"

/** How many are on their way in at once. */
const arrivalConcurrency = 100

const settleMillis = 200
/** Memory counts as settled when it has not moved by more than this for so many looks. */
const settledBytes = 256 * 1024
const settledLooks = 4
const mostLooks = 10

/** The server's memory once it has come to rest, in bytes. */
const restingBytes = Effect.fnUntraced(function* (subject: Subject) {
  let before = residentBytesOf(subject.pid)
  for (let looks = 0, quiet = 0; looks < mostLooks && quiet < settledLooks; looks++) {
    yield* Effect.sleep(settleMillis)
    const now = residentBytesOf(subject.pid)
    quiet = Math.abs(now - before) <= settledBytes ? quiet + 1 : 0
    before = now
  }
  return before
})

export const connectMode: Mode = {
  name: "connect",
  summary: "Connections and handshakes, a hundred at a time; what an idle connection costs the server in memory.",
  subjects: everyone,
  members: sizes,
  quickMembers: [500],
  isFresh: true,
  columns: [
    { key: "connectionsPerSecond", title: "connections/s", better: "higher" },
    { key: "handshakeP50", title: "p50 ms", better: "none" },
    { key: "handshakeP99", title: "p99 ms", better: "none" },
    { key: "kibPerConnection", title: "KiB each", better: "lower" }
  ],
  load: () => ({ senders: 0, rate: 0, messages: 0 }),
  prepare: Effect.fnUntraced(function* (subject, load) {
    // The first ones in have the server load and compile what it needs.
    yield* Effect.scoped(Effect.forEach(Arr.range(1, 10), () => join(subject)))
    const empty = yield* restingBytes(subject)
    const scope = yield* Effect.scope
    const times = new Histogram()
    const arrive = Effect.suspend(() => {
      const startedAt = performance.now()
      return Effect.map(join(subject), (member) => {
        times.record(performance.now() - startedAt)
        return member
      })
    })
    const measure = Effect.gen(function* () {
      let members: ReadonlyArray<Member> = []
      const arrival = yield* metered(
        subject,
        Effect.gen(function* () {
          const startedAt = performance.now()
          members = yield* Effect.forEach(Arr.range(1, load.members), () => arrive, {
            concurrency: arrivalConcurrency
          }).pipe(Scope.provide(scope))
          return { connectionsPerSecond: (members.length / (performance.now() - startedAt)) * 1000 }
        })
      )
      yield* settle(members)
      const full = yield* restingBytes(subject)
      const figures = {
        ...arrival.figures,
        handshakeP50: times.quantile(0.5),
        handshakeP99: times.quantile(0.99),
        kibPerConnection: (full - empty) / 1024 / members.length
      }
      return { ...arrival, figures }
    })
    return { measure }
  })
}

/** How many messages each has missed: as many as the server replays at most. */
const missed = 1000

interface Cursor {
  readonly epoch: string
  readonly seq: number
}

const cursorOf = (line: string) => {
  const joined: unknown = JSON.parse(line)
  return typeof joined === "object" && joined !== null && "epoch" in joined && "seq" in joined
    ? Effect.succeed({ epoch: String(joined.epoch), seq: Number(joined.seq) })
    : Effect.fail(new BenchError({ message: `This is no RoomJoined: ${line}` }))
}

const joinAfter = (room: string, after: Cursor) => `${JSON.stringify({ _tag: "JoinRoom", room, after })}\n`

export const resumeMode: Mode = {
  name: "resume",
  summary: `Clients come back all at once, each ${missed} messages behind: until all have caught up.`,
  subjects: ["parley", "floor"],
  members: [100, 1000],
  quickMembers: [100],
  columns: [
    { key: "seconds", title: "seconds", better: "lower" },
    { key: "messagesPerSecond", title: "messages/s", better: "none" },
    { key: "lost", title: "lost", better: "none" },
    { key: "repeated", title: "twice", better: "none" }
  ],
  load: () => ({ senders: 1, rate: 0, messages: missed }),
  prepare: Effect.fnUntraced(function* (subject, load) {
    const writer = yield* join(subject)
    yield* enter([writer], "bench")
    const measure = Effect.scoped(
      Effect.gen(function* () {
        const witness = yield* join(subject)
        const { line } = yield* ask(witness, witness.dialect.join("bench"), (line) =>
          witness.dialect.isJoined(line, "bench")
        )
        const cursor = yield* cursorOf(line)
        const routes = [toRoom(writer, "bench", 1, load.bytes)]
        const written = yield* flood({ members: [writer], routes, messages: missed })
        if (written.lost() > 0) {
          return yield* new BenchError({ message: "The messages that were to be missed were lost." })
        }
        return yield* metered(subject, comeBack(subject, load.members, cursor, written))
      })
    )
    return { measure }
  })
}

const comeBack = (subject: Subject, count: number, cursor: Cursor, written: Ledger) =>
  Effect.scoped(
    Effect.gen(function* () {
      const ledger = Ledger.replayOf(written, count, performance.now())
      yield* Effect.replicateEffect(
        Effect.map(dial(subject), (member) => {
          member.count(ledger)
          // Both at once: a client that comes back need not wait for its welcome.
          member.onOpen = () => member.write(member.dialect.hello(member.name) + joinAfter("bench", cursor))
        }),
        count
      )
      yield* drain(
        () => ledger.lost() === 0,
        () => ledger.received + ledger.repeats
      )
      return {
        seconds: secondsOf(ledger),
        messagesPerSecond: ledger.received / secondsOf(ledger),
        ...lossOf(ledger)
      }
    })
  )
