/** What came of an attack, for people. */
import { aligned, numberText, percent } from "../Report.ts"
import type { Attack } from "./Attack.ts"
import { mebibytesEach, type Outcome, type Phase, probesOf, type Verdict } from "./Verdict.ts"

const mebi = 1024 * 1024

const mebibytes = (bytes: number) => numberText(bytes / mebi)

const pairText = (phase: Phase | undefined, pair: string, probe: string) => {
  const seen = phase === undefined ? undefined : probesOf(phase.pairs[pair] ?? {}).find(([name]) => name === probe)?.[1]
  return seen === undefined ? "–" : `${numberText(seen.p50)} / ${numberText(seen.p99)}`
}

const verdictText = ({ bound, isExact, isReached, ratio, unit, value }: Verdict) => {
  const wanted = `${isExact === true ? "" : "< "}${bound}${unit === "" ? "" : ` ${unit}`}`
  const factor = ratio === undefined || !Number.isFinite(ratio) ? "" : ` (${numberText(ratio)}× without)`
  return `${numberText(value)}${unit === "" ? "" : ` ${unit}`}${factor}, ${wanted}: ${isReached ? "reached" : "MISSED"}`
}

const countsOf = (reasons: ReadonlyArray<string>) =>
  [...Map.groupBy(reasons, (reason) => reason)].map(([reason, all]) => `${all.length} ${reason}`).join(", ")

/** One attack's figures: times as p50 / p99 in milliseconds, then each figure that has a bound. */
export const outcomeText = (attack: Attack, outcome: Outcome, verdicts: ReadonlyArray<Verdict>): string => {
  const { after, before, beside, k, memory, tally } = outcome
  const rows = Object.entries(beside.pairs).flatMap(([pair, seen]) =>
    probesOf(seen).map(([probe, { max, refused, sent, unanswered }]) => [
      `${pair} ${probe}`,
      pairText(before, pair, probe),
      pairText(beside, pair, probe),
      numberText(max),
      pairText(after, pair, probe),
      `${sent} asked${refused > 0 ? `, ${refused} refused` : ""}${unanswered > 0 ? `, ${unanswered} unanswered` : ""}`
    ])
  )
  const cut = Object.entries(tally.cut).map(([reason, count]) => `${count} ${reason}`)
  return [
    `${attack.name}, ${attack.isCrowd === true ? "a crowd" : `K = ${k}`}: ${attack.summary}`,
    ...aligned([["ms, p50 / p99", "before", "beside", "max", "after", "beside it"], ...rows]),
    `attackers: ${tally.hostile} connections (${tally.crowd} more only there), ${mebibytes(tally.bytesOut)} MiB sent, ${mebibytes(tally.bytesIn)} MiB received, ${tally.refusals} refusals, closed by the server: ${cut.join(", ") || "none"}`,
    `server: ${mebibytes(memory.residentBefore)} MiB before, ${mebibytes(memory.residentPeak)} at most, ${mebibytes(memory.residentBeside)} beside, ${mebibytes(memory.residentAfter)} after; held ${mebibytes(memory.heldBefore)}, ${mebibytes(memory.heldBeside)} (${numberText(mebibytesEach(memory.heldBeside - memory.heldBefore, outcome))} each), ${mebibytes(memory.heldAfter)}; ${memory.filesPeak} files at most`,
    `honest ones: cut off ${countsOf(beside.cuts) || "none"}; refused: ${beside.refusals.join(", ") || "nothing"}; this process was late by ${numberText(beside.lateP99)} ms (p99), the server waited for its core ${percent(beside.waited)} of the time (${percent(before.waited)} before)`,
    ...aligned(
      verdicts.map((verdict) => [verdict.figure, verdictText(verdict)]),
      "left"
    )
  ]
    .map((line, index) => (index === 0 ? line : `  ${line}`))
    .join("\n")
}

export interface Judged {
  readonly attack: Attack
  readonly k: number
  readonly outcome: Outcome | undefined
  readonly verdicts: ReadonlyArray<Verdict>
  readonly failure: string | undefined
}

/** One line for each attack: what of it is missed. */
export const summaryText = (judged: ReadonlyArray<Judged>): string => {
  const rows = judged.map(({ attack, failure, k, verdicts }) => {
    const missed = verdicts.filter(({ isReached }) => !isReached)
    const said =
      failure ??
      (missed.length === 0
        ? "all reached"
        : missed
            .map(({ figure, unit, value }) => `${figure} ${numberText(value)}${unit === "" ? "" : ` ${unit}`}`)
            .join("; "))
    return [
      attack.name,
      attack.isCrowd === true ? "crowd" : `K = ${k}`,
      `${verdicts.length - missed.length}/${verdicts.length}`,
      said
    ]
  })
  return ["Figures reached, and those missed:", ...aligned(rows, "left").map((line) => `  ${line}`)].join("\n")
}
