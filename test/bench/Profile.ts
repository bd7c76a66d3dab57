/**
 * Where a server's CPU time went, by function and by group, from the `.cpuprofile` files that `node --cpu-prof` writes:
 * one per thread. Self time only: what a function spends in others is theirs.
 *
 * Functions of V8 and Node that are not JavaScript have no file; they are told apart by their names. What loads modules
 * is left out: it is the start. V8 counts most of JSON.parse and JSON.stringify for who calls them. Time in SQLite
 * counts as its thread's, and holds the wait for the disk.
 */
import { Effect, FileSystem, Path, Schema } from "effect"

const CpuProfile = Schema.fromJsonString(
  Schema.Struct({
    nodes: Schema.Array(
      Schema.Struct({
        id: Schema.Int,
        callFrame: Schema.Struct({ functionName: Schema.String, url: Schema.String, lineNumber: Schema.Int })
      })
    ),
    samples: Schema.Array(Schema.Int),
    /** Microseconds since the sample before. */
    timeDeltas: Schema.Array(Schema.Finite)
  })
)

interface Spot {
  readonly name: string
  readonly url: string
}

const groups: ReadonlyArray<readonly [name: string, holds: (spot: Spot) => boolean]> = [
  ["garbage collection", ({ name }) => name === "(garbage collector)"],
  [
    "sqlite",
    ({ name, url }) => /sqlite/i.test(url) || (url === "" && /^(?:run|all|get|exec|prepare|iterate)$/.test(name))
  ],
  ["JSON", ({ name, url }) => url === "" && /^(?:parse|stringify)$/.test(name)],
  [
    "socket writes and reads",
    ({ name, url }) =>
      /^node:(?:net|internal\/(?:stream|streams|js_stream|timers))/.test(url) ||
      url.startsWith("node:internal/stream") ||
      (url === "" && /^(?:write|writev|read|shutdown|accept)/.test(name))
  ],
  [
    "threads and their messages",
    ({ name, url }) => /worker|message|atomics/i.test(url) || (url === "" && /^(?:postMessage|wait|notify)/.test(name))
  ],
  ["parley", ({ url }) => /\/src\/(?:bin|server|connection|common)\//.test(url) && !url.includes("/node_modules/")],
  ["Effect, and what it compiles", ({ url }) => url.includes("/effect") || url.includes("@effect")],
  ["Node, other", ({ url }) => url.startsWith("node:")],
  ["native code, other", () => true]
]

/** Neither time without work nor the start is what was measured. */
const isLeftOut = ({ name, url }: Spot) =>
  name === "(idle)" ||
  /^node:internal\/(?:modules|deps\/amaro|bootstrap|vm|main|process\/pre_execution)/.test(url) ||
  /^(?:compileSourceTextModule|compileFunctionForCJSLoader|lstat|internalModuleStat|readPackageJSON)$/.test(name)

const topFunctions = 25

const shorten = (url: string) =>
  url
    .replace(/^file:\/\//, "")
    .replace(/^.*\/node_modules\/(?:\.pnpm\/[^/]+\/node_modules\/)?/, "")
    .replace(/^.*\/src\//, "src/")

/** Reads all profiles of a directory and says what they show. */
export const describe = Effect.fnUntraced(function* (directory: string) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = (yield* files.readDirectory(directory)).filter((name) => name.endsWith(".cpuprofile"))
  const micros = new Map<string, number>()
  const spots = new Map<string, Spot>()
  let total = 0
  for (const name of names) {
    const text = yield* files.readFileString(path.join(directory, name))
    const { nodes, samples, timeDeltas } = yield* Schema.decodeEffect(CpuProfile)(text)
    const keyOf = new Map(
      nodes.map(({ callFrame: { functionName, lineNumber, url }, id }) => {
        const place = url === "" ? "" : ` ${shorten(url)}:${lineNumber + 1}`
        const key = `${functionName === "" ? "(anonymous)" : functionName}${place}`
        spots.set(key, { name: functionName, url })
        return [id, key]
      })
    )
    for (const [index, id] of samples.entries()) {
      const key = keyOf.get(id)
      // A sample stands for the time until the next one.
      const delta = timeDeltas[index + 1] ?? 0
      const spot = key === undefined ? undefined : spots.get(key)
      if (key === undefined || spot === undefined || delta <= 0 || isLeftOut(spot)) continue
      micros.set(key, (micros.get(key) ?? 0) + delta)
      total += delta
    }
  }
  return render(directory, micros, spots, total)
})

const render = (
  directory: string,
  micros: ReadonlyMap<string, number>,
  spots: ReadonlyMap<string, Spot>,
  total: number
) => {
  const share = (part: number) => `${((part / total) * 100).toFixed(1).padStart(5)}%`
  const byGroup = new Map<string, number>()
  for (const [key, part] of micros) {
    const spot = spots.get(key)
    const [group = ""] = groups.find(([, holds]) => spot !== undefined && holds(spot)) ?? []
    byGroup.set(group, (byGroup.get(group) ?? 0) + part)
  }
  const sorted = (times: ReadonlyMap<string, number>) => [...times].toSorted(([, left], [, right]) => right - left)
  return [
    `parley's CPU time, ${(total / 1e6).toFixed(1)} s in all (profiles for a browser's DevTools: ${directory})`,
    ...sorted(byGroup).map(([group, part]) => `  ${share(part)}  ${group}`),
    "",
    "By function, without what it calls:",
    ...sorted(micros)
      .slice(0, topFunctions)
      .map(([key, part]) => `  ${share(part)}  ${key}`)
  ].join("\n")
}
