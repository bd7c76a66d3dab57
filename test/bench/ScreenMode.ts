/**
 * The client's full screen, drawn by the real client on a pty: what it costs to start it, to leave it open, to read along, and to
 * go back through what was said.
 *
 * Processor time and memory are the client's process', as the system counts them; `script`, the server and this process are others.
 * A key's echo is the time from writing it to the pty until its cell has it.
 */
import { Array as Arr, Console, Effect, Schedule } from "effect"
import { isFirstFrame, type OnPty, size, startOnPty } from "./ClientOnPty.ts"
import { BenchError, enter, gather, join, settle } from "./Crowd.ts"
import { Histogram } from "./Histogram.ts"
import { cpuSecondsOf, isInstalled, residentBytesOf, sharedOutBytesOf } from "./Machine.ts"
import { type Figures, type Load, metered, type Mode } from "./Mode.ts"
import { pace, toRoom } from "./Route.ts"
import { slopeOf } from "./Slope.ts"
import type { Subject } from "./Subject.ts"

const room = "seen"
const deep = "deep"
const user = "ada"
const starts = 5
const readingRate = 200
const floodRate = 1000
/** So many keys are typed a second, not in step with anything that is drawn. */
const keysPerSecond = 9
/** Of the line that is typed, before it is cleared. */
const keysPerLine = 26
const letterA = 65
const pageUp = "\u001b[5~"
const clearLine = "\u0015"

const mebibytes = (bytes: number) => bytes / 1024 / 1024

/** The share of a core that the client uses while something goes on, in percent. */
const sharing = <A, E>(client: OnPty, work: Effect.Effect<A, E>) =>
  Effect.suspend(() => {
    const { pid } = client
    const [before, startedAt] = [cpuSecondsOf(pid), performance.now()]
    return Effect.map(work, (value) => ({
      value,
      percent: ((cpuSecondsOf(pid) - before) / (performance.now() - startedAt)) * 100_000
    }))
  })

const medianOf = (values: ReadonlyArray<number>) =>
  values.toSorted((one, other) => one - other).at(values.length >> 1) ?? Number.NaN

/** Starts a client until its first frame is there, and says what that took. */
const startOnce = Effect.fnUntraced(function* (
  subject: Subject,
  place: { readonly home: string; readonly cores: string | undefined }
) {
  const client = yield* startOnPty({ port: subject.port, user, ...place })
  yield* client.until("first screen", isFirstFrame(user))
  const { pid } = client
  return {
    client,
    figures: {
      cpuMillis: cpuSecondsOf(pid) * 1000,
      megabytes: mebibytes(residentBytesOf(pid)),
      sharedOut: mebibytes(sharedOutBytesOf(pid))
    }
  }
})

/** What stands before the cursor, in what is typed. */
const typedIn = (client: OnPty): string => client.grid.row(-1).replace(/^.*?› ?/, "")

/** Types letters for as long as `work` takes, one after the other, and notes when each is there. */
const typing = Effect.fnUntraced(function* <A, E>(client: OnPty, work: Effect.Effect<A, E>) {
  const echoes = new Histogram()
  const type = Effect.gen(function* () {
    for (let key = 0; ; key++) {
      const at = key % keysPerLine
      if (at === 0) {
        client.type(clearLine)
        yield* client.until("empty line", () => typedIn(client) === "")
      }
      const letter = String.fromCharCode(letterA + at)
      client.type(letter)
      echoes.record(yield* client.until(`echo of ${letter}`, () => typedIn(client).endsWith(letter)))
      // A third of a period more or less, by a rule that is in step with nothing.
      yield* Effect.sleep((1000 / keysPerSecond) * (0.67 + ((key * 7) % 11) / 15))
    }
  })
  const value = yield* Effect.raceFirst(work, type)
  client.type(clearLine)
  return { value, echoes }
})

/** Memory, second by second, for as long as `work` takes; the first third is the warming up. */
const watching = Effect.fnUntraced(function* <A, E>(client: OnPty, work: Effect.Effect<A, E>) {
  const seen: Array<number> = []
  const look = Effect.forever(
    Effect.andThen(
      Effect.sync(() => seen.push(mebibytes(residentBytesOf(client.pid)))),
      Effect.sleep(1000)
    )
  )
  yield* Effect.raceFirst(work, look)
  return { most: Math.max(...seen), perSecond: slopeOf(seen.slice(Math.floor(seen.length / 3))) }
})

/** The number at the end of the first message that is seen; messages are as Route makes them. */
export const topNumber = (rows: ReadonlyArray<string>): number | undefined => {
  for (const row of rows) {
    const [, digits] = /~(\d{10})/.exec(row) ?? []
    if (digits !== undefined) return Number(digits)
  }
  return undefined
}

const topOf = ({ grid }: OnPty) => topNumber(Arr.makeBy(size.rows - 2, (index) => grid.row(index)))

/** As somebody presses it again who sees that nothing happens: what is older may be on its way. */
const pressedAgain = Schedule.spaced("100 millis").pipe(Schedule.upTo({ duration: "30 seconds" }))

/** Goes a page back, and says how long it took until older messages stood there; undefined at the very beginning. */
const goBack = Effect.fnUntraced(function* (client: OnPty, oldest: number) {
  const before = topOf(client)
  if (before !== undefined && before <= oldest) return undefined
  const isOlder = () => {
    const now = topOf(client)
    return now !== undefined && (before === undefined || now < before)
  }
  const press = Effect.sync(() => client.type(pageUp))
  return yield* Effect.raceFirst(
    client.until("older page", isOlder),
    Effect.andThen(Effect.repeat(press, pressedAgain), Effect.never)
  )
})

/** Through the whole log, from its end to its beginning. */
const scrollBack = Effect.fnUntraced(function* (client: OnPty, oldest: number) {
  const times: Array<number> = []
  const memory: Array<number> = []
  for (;;) {
    const millis = yield* goBack(client, oldest)
    if (millis === undefined) break
    times.push(millis)
    if (times.length % 20 === 0) memory.push(mebibytes(residentBytesOf(client.pid)))
  }
  const quarter = Math.max(1, Math.floor(times.length / 4))
  return {
    pages: times.length,
    firstMillis: medianOf(times.slice(0, quarter)),
    lastMillis: medianOf(times.slice(-quarter)),
    first: memory.at(Math.min(5, memory.length - 1)) ?? Number.NaN,
    most: Math.max(...memory),
    /** At each tenth of the way. */
    tenths: Object.fromEntries(
      Arr.makeBy(10, (tenth) => [
        `pagesMiB${tenth + 1}`,
        memory[Math.ceil(((tenth + 1) * memory.length) / 10) - 1] ?? Number.NaN
      ])
    )
  }
})

const show = (client: OnPty, name: string) =>
  Effect.suspend(() => {
    client.type(`:jr ${name}\r`)
    return client.until(`room ${name}`, ({ row }) => row.call(client.grid, -1).startsWith(`${name}›`))
  })

export const screenMode: Mode = {
  name: "screen",
  summary: "The client's full screen on a pty: its start, idle, a key's echo while others talk, scrollback. Once.",
  subjects: ["parley"],
  members: [10],
  quickMembers: [10],
  hasOwnSize: true,
  isOnce: true,
  isOnlyNamed: true,
  seconds: 30,
  obstacle: () => (isInstalled("script") && isInstalled("stty") ? undefined : "util-linux's script is not installed"),
  columns: [
    { key: "startCpuMillis", title: "start CPU ms", better: "none" },
    { key: "startMiB", title: "MiB", better: "none" },
    { key: "startSharedOutMiB", title: "PSS", better: "none" },
    { key: "idlePercent", title: "idle %", better: "none" },
    { key: "p50", title: "echo p50 ms", better: "none" },
    { key: "p99", title: "p99", better: "none" },
    { key: "readingPercent", title: "% at 200/s", better: "none" },
    { key: "floodPercent", title: "% at 1,000/s", better: "none" },
    { key: "mostMiB", title: "MiB then", better: "none" },
    { key: "kibPerSecond", title: "KiB more a s", better: "none" },
    { key: "pages", title: "pages", better: "none" },
    { key: "pageMillis", title: "ms each", better: "none" },
    { key: "pageRatio", title: "oldest/newest", better: "lower", isRatio: true },
    { key: "pagesMiB", title: "MiB more", better: "none" }
  ],
  load: (_, seconds) => ({ senders: 10, rate: floodRate, messages: seconds >= 30 ? 100_000 : 5000 }),
  prepare: Effect.fnUntraced(function* (subject, load) {
    const members = yield* gather(subject, load.members)
    yield* enter(members, room)
    const [first] = members
    if (first === undefined) return yield* new BenchError({ message: "Nobody is there to talk." })
    const oldest = yield* fill(subject, load.messages)
    yield* settle(members)
    const routes = members.map((member) => toRoom(member, room, members.length, load.bytes))
    const isQuick = load.seconds < 10
    return { measure: metered(subject, measure(subject, load, { members, routes, oldest }, isQuick)) }
  })
}

const fillRate = 4000

/** A room in which so much was said. Gives the number of the oldest. */
const fill = Effect.fnUntraced(function* (subject: Subject, messages: number) {
  const talker = yield* join(subject)
  yield* enter([talker], deep)
  const seconds = Math.ceil(messages / fillRate)
  const { base } = yield* pace({
    members: [talker],
    routes: [toRoom(talker, deep, 1, 64)],
    perSecond: messages / seconds,
    seconds
  })
  return base
})

interface Talk {
  readonly members: Parameters<typeof pace>[0]["members"]
  readonly routes: Parameters<typeof pace>[0]["routes"]
  /** The number of the first message in the room that holds much. */
  readonly oldest: number
}

const measure = (
  subject: Subject,
  { rate, seconds }: Load,
  { members, oldest, routes }: Talk,
  isQuick: boolean
): Effect.Effect<Figures, BenchError> =>
  Effect.gen(function* () {
    const home = `${subject.directory}/home`
    const place = { home, cores: undefined }
    // The first one finds nothing that was kept.
    yield* Effect.scoped(startOnce(subject, place))
    const all = yield* Effect.forEach(Arr.range(1, isQuick ? 2 : starts), () =>
      Effect.scoped(Effect.map(startOnce(subject, place), ({ figures }) => figures))
    )
    const { client } = yield* startOnce(subject, place)
    yield* show(client, room)
    yield* Effect.sleep(2000)
    const idle = yield* sharing(client, Effect.sleep(isQuick ? 3000 : 20_000))
    yield* Console.error("  … while others talk")
    const talk = (perSecond: number) => pace({ members, routes, perSecond, seconds })
    const reading = yield* sharing(client, typing(client, talk(readingRate)))
    yield* Effect.sleep(1000)
    const flood = yield* sharing(client, watching(client, talk(rate)))
    yield* Effect.sleep(1000)
    yield* Console.error("  … back through what was said")
    yield* show(client, deep)
    yield* client.until("the newest of them", () => topOf(client) !== undefined)
    const back = yield* scrollBack(client, oldest)
    return {
      startCpuMillis: medianOf(all.map(({ cpuMillis }) => cpuMillis)),
      startMiB: medianOf(all.map(({ megabytes }) => megabytes)),
      startSharedOutMiB: medianOf(all.map(({ sharedOut }) => sharedOut)),
      idlePercent: idle.percent,
      p50: reading.value.echoes.quantile(0.5),
      p99: reading.value.echoes.quantile(0.99),
      keys: reading.value.echoes.count,
      readingPercent: reading.percent,
      floodPercent: flood.percent,
      mostMiB: flood.value.most,
      kibPerSecond: flood.value.perSecond * 1024,
      pages: back.pages,
      pageMillis: back.lastMillis,
      pageRatio: back.lastMillis / back.firstMillis,
      pagesMiB: back.most - back.first,
      ...back.tenths
    }
  }).pipe(Effect.scoped)
