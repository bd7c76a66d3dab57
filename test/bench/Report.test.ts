import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { Mode } from "./Mode.ts"
import { jsonOf, tableOf } from "./Report.ts"
import type { ModeResult, SubjectResult } from "./Runner.ts"

const mode: Pick<Mode, "columns" | "name"> = {
  name: "paced",
  columns: [
    { key: "sent", title: "sent/s", better: "none" },
    { key: "p50", title: "p50 ms", better: "lower" },
    { key: "lost", title: "lost", better: "none" }
  ]
}

const subjectResult = (own: Pick<SubjectResult, "subject"> & Partial<SubjectResult>): SubjectResult => {
  const { median = {} } = own
  const run = { figures: median, generatorCpu: 0.1, serverCpu: 0.5 }
  return { runs: [run], median, ratio: {}, generatorCpu: 0.1, serverCpu: 0.5, ...own }
}

const resultOf = (...results: ReadonlyArray<SubjectResult>): ModeResult => ({
  mode: {
    ...mode,
    summary: "",
    subjects: ["parley", "floor"],
    members: [],
    quickMembers: [],
    load: () => ({ senders: 0, rate: 0, messages: 0 }),
    prepare: () => {
      throw new Error("Nothing is measured here.")
    }
  },
  load: { members: 100, senders: 10, rate: 1000, seconds: 3, bytes: 64, messages: 4000 },
  results
})

const parley = subjectResult({
  subject: "parley",
  median: { sent: 12_345.6, p50: 0.875, lost: 0 },
  ratio: { sent: 1, p50: 1.75, lost: Number.NaN }
})
const floor = subjectResult({
  subject: "floor",
  median: { sent: 99.94, p50: 0.5, lost: Number.NaN },
  ratio: { sent: 1, p50: 1, lost: 1 }
})

describe("The table of a mode", () => {
  it("names the load, aligns its columns and compares only what can be better, and not the floor with itself", () => {
    assert.strictEqual(
      tableOf(resultOf(parley, floor)),
      [
        "paced: 100 members, 10 talk, 1,000 messages/s for 3 s, 4,000 messages, 64 bytes each",
        "          sent/s        p50 ms  lost  server CPU  generator CPU",
        "  parley  12,346  0.88 (1.75×)     0         50%            10%",
        "  floor     99.9          0.50     –         50%            10%"
      ].join("\n")
    )
  })

  it("tells why a server has no figures", () => {
    const failed = subjectResult({ subject: "ngircd", runs: [], failure: "No welcome for m1 in 30 seconds." })
    const lines = tableOf(resultOf(parley, failed)).split("\n")
    assert.strictEqual(lines.at(-1), "  ngircd: No welcome for m1 in 30 seconds.")
    assert.strictEqual(lines.filter((line) => line.startsWith("  ngircd")).length, 1)
    assert.deepStrictEqual(tableOf(resultOf(failed)).split("\n").slice(1), lines.slice(-1))
  })

  it("warns where the generator had no time left", () => {
    const text = (generatorCpu: number) => tableOf(resultOf(subjectResult({ subject: "parley", generatorCpu })))
    assert.include(text(0.86), "parley may be faster than this")
    assert.notInclude(text(0.84), "may be faster")
  })
})

const Written = Schema.fromJsonString(
  Schema.Struct({
    startedAt: Schema.String,
    modes: Schema.Array(
      Schema.Struct({
        mode: Schema.String,
        load: Schema.Struct({ senders: Schema.Finite }),
        servers: Schema.Array(
          Schema.Struct({
            subject: Schema.String,
            median: Schema.Record(Schema.String, Schema.NullOr(Schema.Finite)),
            runs: Schema.Array(Schema.Struct({ figures: Schema.Record(Schema.String, Schema.NullOr(Schema.Finite)) }))
          })
        )
      })
    )
  })
)

describe("The JSON of all modes", () => {
  const head = {
    machine: { cpu: "a processor", cores: 2, memoryGiB: 4, node: "v26", kernel: "Linux", maxOpenFiles: 1024 },
    storage: "ext4",
    isPinned: true,
    startedAt: "2026-11-24T00:00:00.000Z"
  }

  it("holds every run, and null for what could not be measured", () => {
    const { modes, startedAt } = Schema.decodeSync(Written)(jsonOf(head, [resultOf(parley, floor)]))
    assert.strictEqual(startedAt, head.startedAt)
    assert.deepStrictEqual(
      modes.flatMap(({ servers }) => servers.flatMap(({ runs }) => runs.map(({ figures }) => figures))),
      [parley.median, { ...floor.median, lost: null }]
    )
  })

  it("gives the number of members where all of them talk", () => {
    const result = resultOf(parley)
    const everybody = { ...result, load: { ...result.load, senders: Number.POSITIVE_INFINITY } }
    const { modes } = Schema.decodeSync(Written)(jsonOf(head, [everybody]))
    assert.deepStrictEqual(
      modes.map(({ load, mode }) => [mode, load.senders]),
      [["paced", 100]]
    )
  })
})
