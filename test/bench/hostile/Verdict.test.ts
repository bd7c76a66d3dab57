import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Attack } from "./Attack.ts"
import { outcomeText, summaryText } from "./HostileReport.ts"
import { judge, type Outcome, type Phase } from "./Verdict.ts"
import type { Seen } from "./Watch.ts"

const attack: Attack = { name: "tickle", summary: "It tickles", run: () => Effect.void }

const seen = (p99: number, own: Partial<Seen> = {}): Seen => ({
  sent: 100,
  p50: p99 / 2,
  p99,
  max: p99,
  refused: 0,
  unanswered: 0,
  ...own
})

const phase = (ping: number, message: number, login: number, own: Partial<Phase> = {}): Phase => ({
  pairs: { near: { ping: seen(ping), message: seen(message), login: seen(login) } },
  cuts: [],
  refusals: [],
  lateP99: 1,
  waited: 0.01,
  ...own
})

const mebi = 1024 * 1024

const outcome = (own: Partial<Outcome> = {}): Outcome => ({
  attack: "tickle",
  k: 1,
  before: phase(4, 10, 10),
  beside: phase(8, 20, 30),
  after: phase(4, 10, 10),
  tally: { hostile: 10, hostileOpen: 10, crowd: 0, bytesIn: 0, bytesOut: 0, refusals: 0, cut: {}, done: 0 },
  memory: {
    residentBefore: 100 * mebi,
    residentPeak: 130 * mebi,
    residentBeside: 120 * mebi,
    residentAfter: 110 * mebi,
    heldBefore: 30 * mebi,
    heldBeside: 40 * mebi,
    heldAfter: 31 * mebi,
    socketsBefore: 6,
    socketsAfter: 6,
    filesPeak: 60,
    residentAtTenth: Number.NaN
  },
  arrivals: undefined,
  stopMillis: 200,
  ...own
})

const missedOf = (own: Partial<Outcome>, how: Partial<Attack> = {}) =>
  judge({ ...attack, ...how }, outcome(own)).flatMap(({ figure, isReached }) => (isReached ? [] : [figure]))

describe("The verdict on an attack", () => {
  it("finds everything reached where nobody noticed", () => {
    assert.deepStrictEqual(missedOf({}), [])
  })

  it("holds times to other bounds where there are more attackers, or a crowd", () => {
    const slow = { beside: phase(60, 200, 200) }
    assert.deepStrictEqual(missedOf(slow), ["near ping p99", "near message p99", "near login p99"])
    assert.deepStrictEqual(missedOf({ ...slow, k: 40 }), [])
    assert.deepStrictEqual(missedOf(slow, { isCrowd: true }), [])
    assert.deepStrictEqual(missedOf({ beside: phase(100, 500, 500), k: 40 }).length, 3)
  })

  it("gives the ratio to the same without the attack", () => {
    const ratios = judge(attack, outcome()).flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio]))
    assert.deepStrictEqual(ratios, [2, 2, 3])
  })

  it("finds who was cut off, refused, or never answered", () => {
    const pairs = { near: { ping: seen(1, { refused: 1 }), login: seen(1, { unanswered: 2 }) } }
    assert.deepStrictEqual(missedOf({ beside: phase(1, 1, 1, { pairs, cuts: ["SlowConsumer"] }) }), [
      "honest ones cut off",
      "honest requests refused",
      "honest requests unanswered"
    ])
  })

  it("misses what could not be measured", () => {
    assert.deepStrictEqual(missedOf({ stopMillis: Number.NaN }), ["SIGTERM to exit"])
  })

  it("divides what the server grew by among the hostile connections", () => {
    const grown = (residentBeside: number) => ({ memory: { ...outcome().memory, residentBeside } })
    assert.deepStrictEqual(missedOf(grown(129 * mebi)), [])
    assert.deepStrictEqual(missedOf(grown(131 * mebi)), ["RSS per hostile connection"])
    const peak = (residentPeak: number) => ({ k: 40, memory: { ...outcome().memory, residentPeak } })
    assert.deepStrictEqual(missedOf(peak(219 * mebi)), [])
    assert.deepStrictEqual(missedOf(peak(221 * mebi)), ["RSS per hostile connection"])
  })

  it("finds what is left behind", () => {
    const { memory } = outcome()
    assert.deepStrictEqual(missedOf({ memory: { ...memory, socketsAfter: 10 } }), ["sockets left behind"])
    const counted = (residentAfter: number) =>
      missedOf({ memory: { ...memory, residentAtTenth: 100 * mebi, residentAfter } }, { isCounted: true })
    assert.deepStrictEqual(counted(139 * mebi), [])
    assert.deepStrictEqual(counted(141 * mebi), ["RSS since a tenth was done"])
  })

  it("asks of an attack by honest ones that none of them is cut off, and all have caught up", () => {
    const { tally } = outcome()
    const readers = (cut: Record<string, number>, done: number) =>
      missedOf({ tally: { ...tally, cut, done }, k: 40 }, { isHonest: true })
    assert.deepStrictEqual(readers({}, 1), [])
    assert.deepStrictEqual(readers({ SlowConsumer: 1 }, 0.9), ["readers cut off", "readers caught up"])
  })

  it("asks that all honest ones are let in, and that the server ends in time", () => {
    assert.deepStrictEqual(missedOf({ arrivals: { coming: 60, welcomed: 59 }, stopMillis: 5001 }), [
      "honest ones let in",
      "SIGTERM to exit"
    ])
  })
})

describe("The report of an attack", () => {
  it("shows each figure with its bound and whether it is reached", () => {
    const own = outcome({ beside: phase(80, 20, 30) })
    const text = outcomeText(attack, own, judge(attack, own))
    assert.match(text, /^tickle, K = 1: It tickles$/m)
    assert.match(text, /near ping +2\.00 \/ 4\.00 +40\.0 \/ 80\.0 +80\.0 +2\.00 \/ 4\.00 +100 asked/)
    assert.match(text, /near ping p99 +80\.0 ms \(20\.0× without\), < 50 ms: MISSED/)
    assert.match(text, /RSS per hostile connection +2\.00 MiB, < 3 MiB: reached/)
    assert.match(text, /honest ones cut off +0, 0: reached/)
  })

  it("sums up what is missed, and what could not be measured", () => {
    const own = outcome({ beside: phase(80, 20, 30) })
    const judged = { attack, k: 1, outcome: own, verdicts: judge(attack, own), failure: undefined }
    const failed = { attack, k: 40, outcome: undefined, verdicts: [], failure: "The attackers failed." }
    const text = summaryText([judged, failed])
    assert.match(text, /tickle +K = 1 +8\/9 +near ping p99 80\.0 ms/)
    assert.match(text, /tickle +K = 40 +0\/0 +The attackers failed\./)
  })
})
