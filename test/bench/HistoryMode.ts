/**
 * A room with a million messages: pages of it at random places, and searches for rare and frequent words, while others
 * chat elsewhere. The messages go in through the protocol, like everybody's.
 *
 * Every message holds `common`, every 10th `tenth`, and so on; the number in its marker is a word that only it has.
 */
import { Effect, Random } from "effect"
import { askTimed, BenchError, enter, gather, join, settle } from "./Crowd.ts"
import { markerBytes } from "./Dialect.ts"
import { Histogram } from "./Histogram.ts"
import type { Member } from "./Member.ts"
import { type Column, type Figures, type Load, metered, type Mode } from "./Mode.ts"
import * as Probe from "./Probe.ts"
import { pace, toRoom } from "./Route.ts"

const room = "archive"

const words: ReadonlyArray<readonly [word: string, every: number]> = [
  ["common", 1],
  ["tenth", 10],
  ["hundredth", 100],
  ["thousandth", 1000],
  ["tenthousandth", 10_000]
]

const contentOf = (index: number, bytes: number) => {
  const own = words.filter(([, every]) => index % every === 0).map(([word]) => word)
  const marker = `~${String(index).padStart(markerBytes - 1, "0")}`
  return ` ${own.join(" ")} ${marker}`.padStart(bytes, "lorem ipsum dolor sit amet ")
}

/** How many messages a writer has under way: as many as the server reads ahead of its answers. */
const window = 128

const progressEvery = 50_000

/** How much of an unexpected line an error shows. */
const shownCharacters = 300

const isRefused = (line: string) => line.startsWith('{"_tag":"Rejected"')

/** Fills the room as fast as the server takes it; gives messages a second. */
const fill = (writers: ReadonlyArray<Member>, { bytes, messages }: Load) =>
  Effect.callback<number, BenchError>((resume) => {
    const startedAt = performance.now()
    let written = 0
    let stored = 0
    /** The next so many messages, in one write. */
    const writeMore = (writer: Member, count: number) => {
      const numbers = Array.from({ length: Math.min(count, messages - written) }, () => written++)
      const lines = numbers.map((number) =>
        JSON.stringify({ _tag: "RoomMessage", room, content: contentOf(number, bytes) })
      )
      if (lines.length > 0) writer.write(`${lines.join("\n")}\n`)
    }
    const end = (result: Effect.Effect<number, BenchError>) => {
      for (const writer of writers) {
        writer.onAcknowledged = () => {}
        writer.onClose = () => {}
        writer.onLine = undefined
      }
      resume(result)
    }
    for (const writer of writers) {
      let answered = 0
      writer.onClose = (reason) => end(Effect.fail(new BenchError({ message: `Filling was cut off: ${reason}` })))
      writer.onLine = (line) => {
        if (isRefused(line)) end(Effect.fail(new BenchError({ message: `Refused: ${line.slice(0, shownCharacters)}` })))
      }
      writer.onAcknowledged = (now) => {
        stored++
        answered++
        if (stored % progressEvery === 0) tellProgress(stored, messages)
        if (stored === messages) return end(Effect.succeed((messages / (now - startedAt)) * 1000))
        if (answered < window / 2) return
        writeMore(writer, answered)
        answered = 0
      }
      writeMore(writer, window)
    }
  })

const tellProgress = (stored: number, all: number) =>
  process.stderr.write(`  ${stored.toLocaleString("en-GB")} of ${all.toLocaleString("en-GB")} messages stored\n`)

const pageSize = 100
const pages = 300

const answered = Effect.fnUntraced(function* (member: Member, { isAnswer, text }: Probe.Request) {
  const answer = yield* askTimed(member, text, isAnswer)
  return isRefused(answer.line)
    ? yield* new BenchError({ message: `Refused: ${answer.line.slice(0, shownCharacters)}` })
    : answer
})

const readPages = Effect.fnUntraced(function* (reader: Member, messages: number) {
  const times = new Histogram()
  for (let page = 0; page < pages; page++) {
    const before = yield* Random.nextIntBetween(pageSize + 1, Math.max(pageSize + 2, messages))
    const request = Probe.request({ _tag: "GetHistory", room, before, limit: pageSize }, "History")
    times.record((yield* answered(reader, request)).millis)
  }
  return times
})

class Searches {
  readonly all = new Histogram()
  readonly byWord = new Map<string, Histogram>()
}

/** Searches for each word in turn, for ever; for those that only one message has, another one each time. */
const search = Effect.fnUntraced(function* (reader: Member, messages: number, searches: Searches) {
  for (;;) {
    const only = String(yield* Random.nextIntBetween(0, messages)).padStart(markerBytes - 1, "0")
    for (const [name, query] of [...words.map(([word]) => [word, word] as const), ["only", only] as const]) {
      const times = searches.byWord.getOrInsertComputed(name, () => new Histogram())
      const { line, millis } = yield* answered(reader, Probe.request({ _tag: "Search", room, query }, "SearchResults"))
      if (!line.includes(`~${query}`) && !line.includes(`${query} `)) {
        return yield* new BenchError({ message: `Nothing was found for "${query}": ${line.slice(0, shownCharacters)}` })
      }
      times.record(millis)
      searches.all.record(millis)
    }
  }
})

const indexPatience = 120

/** The index may lag behind the log: waits until the newest message is found. */
const awaitIndex = Effect.fnUntraced(function* (reader: Member, messages: number) {
  const query = String(messages - 1).padStart(markerBytes - 1, "0")
  const startedAt = performance.now()
  while (performance.now() - startedAt < indexPatience * 1000) {
    const { line } = yield* answered(reader, Probe.request({ _tag: "Search", room, query }, "SearchResults"))
    if (line.includes(`~${query}`)) return (performance.now() - startedAt) / 1000
    yield* Effect.sleep(100)
  }
  return yield* new BenchError({ message: `The newest message was not found within ${indexPatience} s.` })
})

const chatters = 10
const chatRoom = "chat"

const wordColumns: ReadonlyArray<Column> = [...words.map(([word]) => word), "only"].map((word) => ({
  key: word,
  title: word,
  better: "none"
}))

export const historyMode: Mode = {
  name: "history",
  summary: "A room with a million messages: pages of it, and searches (p50 by word), while others chat.",
  subjects: ["parley"],
  members: [chatters],
  quickMembers: [],
  hasOwnSize: true,
  isOnce: true,
  seconds: 5,
  columns: [
    { key: "filledPerSecond", title: "filled/s", better: "none" },
    { key: "indexSeconds", title: "index s", better: "none" },
    { key: "pageP50", title: "page p50", better: "none" },
    { key: "pageP99", title: "p99 ms", better: "none" },
    { key: "searchP50", title: "search p50", better: "none" },
    { key: "searchP99", title: "p99", better: "none" },
    { key: "searchMax", title: "max ms", better: "none" },
    ...wordColumns,
    { key: "chatP50", title: "chat p50", better: "none" },
    { key: "chatP99", title: "p99", better: "none" },
    { key: "searchingP50", title: "with p50", better: "none" },
    { key: "searchingP99", title: "p99 ms", better: "none" },
    { key: "slowdown", title: "p99 factor", better: "lower", isRatio: true },
    { key: "lost", title: "lost", better: "none" }
  ],
  load: () => ({ senders: 4, rate: 200, messages: 1_000_000 }),
  prepare: Effect.fnUntraced(function* (subject, load) {
    const writers = yield* gather(subject, load.senders)
    yield* enter(writers, room)
    yield* settle(writers)
    const filledPerSecond = yield* fill(writers, load)
    // Who has written leaves, so that only readers are there.
    for (const writer of writers) writer.close()
    const reader = yield* join(subject)
    yield* enterExisting(reader)
    const chat = yield* gather(subject, chatters)
    yield* enter(chat, chatRoom)
    yield* settle(chat)
    return {
      measure: metered(
        subject,
        Effect.map(measured(reader, chat, load), (figures) => ({ filledPerSecond, ...figures }))
      )
    }
  })
}

const enterExisting = (reader: Member) =>
  askTimed(reader, reader.dialect.join(room), (line) => reader.dialect.isJoined(line, room))

const measured = Effect.fnUntraced(function* (reader: Member, chat: ReadonlyArray<Member>, load: Load) {
  const { messages, rate, seconds } = load
  const routes = chat.map((sender) => toRoom(sender, chatRoom, chat.length, load.bytes))
  const talk = pace({ members: chat, routes, perSecond: rate, seconds })
  const pageTimes = yield* readPages(reader, messages)
  const quiet = yield* talk
  const figures: Figures = {
    pageP50: pageTimes.quantile(0.5),
    pageP99: pageTimes.quantile(0.99),
    chatP50: quiet.latency.quantile(0.5),
    chatP99: quiet.latency.quantile(0.99),
    lost: quiet.lost()
  }
  const first = Probe.request({ _tag: "Search", room, query: "common" }, "SearchResults")
  const { line } = yield* askTimed(reader, first.text, first.isAnswer)
  // A server without a search is measured without.
  if (isRefused(line)) return figures
  const indexSeconds = yield* awaitIndex(reader, messages)
  const searches = new Searches()
  // The chat ends first; a search that fails ends both.
  const busy = yield* Effect.raceFirst(talk, search(reader, messages, searches))
  const p50s = [...searches.byWord].map(([word, times]) => [word, times.quantile(0.5)] as const)
  const withSearches: Figures = {
    ...figures,
    indexSeconds,
    searchP50: searches.all.quantile(0.5),
    searchP99: searches.all.quantile(0.99),
    searchMax: searches.all.max(),
    ...Object.fromEntries(p50s),
    searchingP50: busy.latency.quantile(0.5),
    searchingP99: busy.latency.quantile(0.99),
    slowdown: busy.latency.quantile(0.99) / quiet.latency.quantile(0.99),
    lost: quiet.lost() + busy.lost()
  }
  return withSearches
})
