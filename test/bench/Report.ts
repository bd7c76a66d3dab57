/** Tables for people, JSON for programs. */
import type { Machine } from "./Machine.ts"
import type { Column } from "./Mode.ts"
import type { ModeResult, SubjectResult } from "./Runner.ts"

/** From here on a generator that waits for nothing is what is measured, not the server. */
const busyGenerator = 0.85

export const numberText = (value: number): string => {
  if (Number.isNaN(value)) return "–"
  if (value === 0) return "0"
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-GB")
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2)
}

export const percent = (share: number) => (Number.isNaN(share) ? "–" : `${Math.round(share * 100)}%`)

const cellText = ({ median, ratio, subject }: SubjectResult, { better, key }: Column): string => {
  const value = numberText(median[key] ?? Number.NaN)
  const factor = ratio[key] ?? Number.NaN
  const isCompared = better !== "none" && subject !== "floor" && Number.isFinite(factor)
  return isCompared ? `${value} (${factor.toFixed(2)}×)` : value
}

/** Columns of one width each; all but the first to the right, unless told otherwise. */
export const aligned = (
  rows: ReadonlyArray<ReadonlyArray<string>>,
  side: "left" | "right" = "right"
): ReadonlyArray<string> => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 || side === "left" ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
      )
      .join("  ")
      .trimEnd()
  )
}

const loadText = ({ load, mode }: ModeResult): string => {
  const { bytes, members, messages, rate, senders, seconds } = load
  const parts = [
    `${members} members`,
    ...(Number.isFinite(senders) && senders > 0 ? [`${senders} talk`] : []),
    ...(rate > 0
      ? [`${numberText(rate)} messages/s for ${seconds} s`]
      : mode.name === "closed"
        ? [`${seconds} s`]
        : []),
    ...(messages > 0 ? [`${messages.toLocaleString("en-GB")} messages`] : []),
    `${bytes} bytes each`
  ]
  return parts.join(", ")
}

/** One mode's figures: medians, in brackets as a multiple of the floor's. */
export const tableOf = (result: ModeResult): string => {
  const { mode, results } = result
  const measured = results.filter(({ runs }) => runs.length > 0)
  const head = ["", ...mode.columns.map(({ title }) => title), "server CPU", "generator CPU"]
  const rows = measured.map((row) => [
    row.subject,
    ...mode.columns.map((column) => cellText(row, column)),
    percent(row.serverCpu),
    percent(row.generatorCpu)
  ])
  const notes = [
    ...results.flatMap(({ failure, subject }) => (failure === undefined ? [] : [`${subject}: ${failure}`])),
    ...measured
      .filter(({ generatorCpu }) => generatorCpu > busyGenerator)
      .map(({ subject }) => `${subject} may be faster than this: the generator had no time left.`)
  ]
  const table = measured.length === 0 ? [] : aligned([head, ...rows])
  return [`${mode.name}: ${loadText(result)}`, ...table, ...notes]
    .map((line, index) => (index === 0 ? line : `  ${line}`))
    .join("\n")
}

export const machineText = (machine: Machine, storage: string, isPinned: boolean): string =>
  [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; Node ${machine.node}; ${machine.kernel}`,
    `databases on ${storage}; ${machine.maxOpenFiles} open files; ${
      isPinned ? "generator on core 0, servers on the others" : "generator and servers share all cores"
    }`
  ].join("\n")

export interface ReportHead {
  readonly machine: Machine
  readonly storage: string
  readonly isPinned: boolean
  readonly startedAt: string
}

/** Every figure of every run. NaN, which JSON has not, is null. */
export const jsonOf = (
  head: ReportHead,
  results: ReadonlyArray<ModeResult>,
  hostile: ReadonlyArray<object> = []
): string => {
  const modes = results.map(({ load, mode, results: servers }) => ({
    mode: mode.name,
    load: { ...load, senders: Number.isFinite(load.senders) ? load.senders : load.members },
    columns: mode.columns,
    servers
  }))
  return `${JSON.stringify({ ...head, modes, ...(hostile.length > 0 && { hostile }) }, null, 2)}\n`
}
