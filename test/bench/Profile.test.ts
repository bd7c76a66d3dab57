/** Profiles made by hand, so that every share is known, and one by Node, so that it is known what Node writes. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { ChildProcess } from "effect/process"
import * as Profile from "./Profile.ts"

interface Spent {
  readonly name: string
  readonly url?: string
  readonly micros: number
}

/** A profile in which each of these functions was at work for so long, one after the other. */
const profileOf = (spent: ReadonlyArray<Spent>) =>
  JSON.stringify({
    nodes: spent.map(({ name, url = "" }, index) => ({
      id: index + 1,
      callFrame: { functionName: name, scriptId: "0", url, lineNumber: 41, columnNumber: 0 }
    })),
    // Each lasts until the next sample; the one at the end, the first function again, has no time left.
    samples: [...spent.map((_, index) => index + 1), 1],
    timeDeltas: [500, ...spent.map(({ micros }) => micros)],
    startTime: 0,
    endTime: 0
  })

/** What is told of these threads' profiles. */
const described = Effect.fnUntraced(function* (...threads: ReadonlyArray<ReadonlyArray<Spent>>) {
  const files = yield* FileSystem.FileSystem
  const directory = yield* files.makeTempDirectoryScoped()
  yield* Effect.forEach(threads, (spent, thread) =>
    files.writeFileString(`${directory}/CPU.${thread}.cpuprofile`, profileOf(spent))
  )
  yield* files.writeFileString(`${directory}/notes.txt`, "This is no profile.")
  const text = yield* Profile.describe(directory)
  const [head = "", ...lines] = text.split("\n")
  const middle = lines.indexOf("")
  return { head, groups: lines.slice(0, middle), functions: lines.slice(middle + 2) }
})

const parley = "file:///home/ada/parley/src/server/Room.ts"
const effect = "file:///home/ada/parley/node_modules/.pnpm/effect@4.1.0/node_modules/effect/dist/Queue.js"

describe("Profile", () => {
  it.layer(NodeServices.layer)((it) => {
    it.effect("gives each function its share of the time of all threads, the largest first", () =>
      Effect.gen(function* () {
        const { functions, head } = yield* described(
          [
            { name: "join", url: parley, micros: 200_000 },
            { name: "", url: effect, micros: 250_000 }
          ],
          [
            { name: "join", url: parley, micros: 400_000 },
            { name: "writev", micros: 150_000 }
          ]
        )
        assert.match(head, /^parley's CPU time, 1\.0 s in all /)
        assert.deepStrictEqual(functions, [
          "   60.0%  join src/server/Room.ts:42",
          "   25.0%  (anonymous) effect/dist/Queue.js:42",
          "   15.0%  writev"
        ])
      })
    )

    it.effect("gives each group the time of its functions", () =>
      Effect.gen(function* () {
        const { groups } = yield* described([
          { name: "join", url: parley, micros: 300 },
          { name: "leave", url: parley, micros: 100 },
          { name: "offer", url: effect, micros: 200 },
          { name: "run", micros: 150 },
          { name: "writev", micros: 80 },
          { name: "onread", url: "node:internal/stream_base_commons", micros: 20 },
          { name: "stringify", micros: 50 },
          { name: "(garbage collector)", micros: 40 },
          { name: "postMessage", micros: 30 },
          { name: "emit", url: "node:events", micros: 20 },
          { name: "somethingElse", micros: 10 }
        ])
        assert.deepStrictEqual(groups, [
          "   40.0%  parley",
          "   20.0%  Effect, and what it compiles",
          "   15.0%  sqlite",
          "   10.0%  socket writes and reads",
          "    5.0%  JSON",
          "    4.0%  garbage collection",
          "    3.0%  threads and their messages",
          "    2.0%  Node, other",
          "    1.0%  native code, other"
        ])
      })
    )

    it.effect("counts neither idle time nor the loading of modules", () =>
      Effect.gen(function* () {
        const { functions, head } = yield* described([
          { name: "(idle)", micros: 9_000_000 },
          { name: "load", url: "node:internal/modules/esm/loader", micros: 500_000 },
          { name: "compileSourceTextModule", micros: 400_000 },
          { name: "join", url: parley, micros: 2_000_000 }
        ])
        assert.match(head, /^parley's CPU time, 2\.0 s in all /)
        assert.deepStrictEqual(functions, ["  100.0%  join src/server/Room.ts:42"])
      })
    )

    it.effect("shows the 25 functions that took most", () =>
      Effect.gen(function* () {
        const many = Array.from({ length: 30 }, (_, index) => ({ name: `f${index}`, url: parley, micros: index + 1 }))
        const { functions } = yield* described(many)
        assert.deepStrictEqual(
          functions.map((line) => /f\d+/.exec(line)?.[0]),
          Array.from({ length: 25 }, (_, index) => `f${29 - index}`)
        )
      })
    )

    it.effect("reads what Node itself writes", () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const directory = yield* files.makeTempDirectoryScoped()
        const script = `${directory}/script.mjs`
        const busy = "const spin = (until) => { while (performance.now() < until); }"
        yield* files.writeFileString(script, `${busy}\nspin(performance.now() + 100)\n`)
        const flags = ["--cpu-prof", `--cpu-prof-dir=${directory}`]
        const child = yield* ChildProcess.make(process.execPath, [...flags, script])
        assert.strictEqual(Number(yield* child.exitCode), 0)
        const text = yield* Profile.describe(directory)
        assert.match(text, /\d%\s+spin \S*script\.mjs:1$/m)
      })
    )

    it.effect("fails at a profile that is damaged", () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const directory = yield* files.makeTempDirectoryScoped()
        yield* files.writeFileString(`${directory}/CPU.cpuprofile`, '{"nodes":[')
        assert.strictEqual((yield* Effect.flip(Profile.describe(directory)))._tag, "SchemaError")
      })
    )
  })
})
