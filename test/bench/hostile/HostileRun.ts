/**
 * Measures one attack: an honest pair where it happens and one elsewhere, before, beside and after it, on one server.
 *
 * The server is filled by a server without limits on the same database first, where the attack needs that; then it runs
 * with its default settings. Those who attack are a process of their own; the honest ones are this process, which so
 * shares no event loop with them.
 */
import { Array as Arr, Console, Effect } from "effect"
import { BenchError, gather } from "../Crowd.ts"
import { Histogram } from "../Histogram.ts"
import { type Cores, openFilesOf, residentBytesOf, waitSecondsOf } from "../Machine.ts"
import { makeDirectory, start, type Subject } from "../Subject.ts"
import { connectTcp, connectTls } from "../Wire.ts"
import type { Attack } from "./Attack.ts"
import * as AttackProcess from "./AttackProcess.ts"
import { arrive, Honest } from "./Honest.ts"
import { held, inspectFlags, urlOf } from "./Inspector.ts"
import type { Outcome, PairSeen, Phase } from "./Verdict.ts"

export interface HostileOptions {
  readonly cores: Cores | undefined
  readonly entry: string | undefined
  readonly seconds: number
  readonly isQuick: boolean
  /** Instead of the attack's own size. */
  readonly count: number | undefined
}

const warmUpSeconds = 1
/** How long answers may be outstanding after a phase before they count as unanswered. */
const drainSeconds = 15
const quickDrainSeconds = 5
/** Quiet before it is looked at what is left: who is closed with something unsent has 5 s. A minute where the attack is about just that. */
const settleSeconds = 6
const quietSeconds = 60
const quickQuietSeconds = 6
/** What is counted may take this long. */
const countedSeconds = 900
/** Between the end of seeding and the attack, beside what is measured before: starting, and coming into position. */
const startSeconds = 6

/** A server with a large database on a busy machine takes its time. */
const startMillis = 60_000

const lookMillis = 50

export const runAttack = Effect.fnUntraced(function* (attack: Attack, k: number, options: HostileOptions) {
  const count = options.count ?? (options.isQuick ? attack.count?.quick : attack.count?.usual) ?? 0
  const directory = yield* makeDirectory
  const seededAt = performance.now()
  const server = { cores: options.cores, entry: options.entry, directory, startMillis }
  if (attack.seed !== undefined) {
    yield* Console.error(`  filling the server …`)
    yield* Effect.scoped(
      Effect.flatMap(start("parley", server), ({ port }) =>
        AttackProcess.seed({ attack: attack.name, part: "seed", port, k, count })
      )
    )
  }
  const ageSeconds = (performance.now() - seededAt) / 1000
  const settled = { count, ageSeconds, quietSeconds: startSeconds + warmUpSeconds + options.seconds }
  const subject = yield* start("parley", {
    ...server,
    environment: attack.settings?.(settled) ?? {},
    through: attack.through ?? [],
    nodeFlags: inspectFlags,
    startMillis: attack.startMillis ?? startMillis
  })
  return yield* besideServer(attack, { k, count, options, subject, url: urlOf(subject.output()) })
}, Effect.scoped)

interface Scene {
  readonly k: number
  readonly count: number
  readonly options: HostileOptions
  readonly subject: Subject
  /** Of its inspector: kept, since what it says later may be much. */
  readonly url: string | undefined
}

const farRoom = "unrelated"

const besideServer = Effect.fnUntraced(function* (attack: Attack, scene: Scene) {
  const { count, k, options, subject, url } = scene
  const connect = attack.isTls === true ? connectTls : connectTcp
  const probes = attack.probes ?? ["ping", "message", "login"]
  const pairs = yield* Effect.acquireRelease(
    Effect.sync(() => [
      new Honest({ address: subject, connect, pair: "near", room: attack.room, probes }),
      new Honest({ address: subject, connect, pair: "far", room: farRoom, probes })
    ]),
    (all) => Effect.sync(() => all.forEach((pair) => pair.close()))
  )
  yield* Effect.forEach(pairs, ({ here }) => here, { discard: true })
  const { arrivals } = attack
  if (arrivals !== undefined) yield* gather(subject, arrivals.here - pairs.length * 3 - 1)

  const attackers = yield* AttackProcess.start({ attack: attack.name, part: "attack", port: subject.port, k, count })
  yield* Console.error(`  taking positions …`)
  const empty = yield* held(subject.pid, url)
  yield* attackers.armed
  yield* phaseOf(pairs, scene, warmUpSeconds)
  const before = yield* phaseOf(pairs, scene)
  const rested = yield* held(subject.pid, url)
  const restingTally = yield* attackers.tally

  yield* Console.error(`  attacking …`)
  const peak = { residentBytes: rested.residentBytes, files: 0 }
  const watching = Effect.forever(
    Effect.andThen(
      Effect.sync(() => {
        peak.residentBytes = Math.max(peak.residentBytes, residentBytesOf(subject.pid) || 0)
        peak.files = Math.max(peak.files, openFilesOf(subject.pid) || 0)
      }),
      Effect.sleep(lookMillis)
    )
  )
  const incoming = arrivals && arrive(subject, connect, arrivals.coming, options.seconds)
  const fight = Effect.gen(function* () {
    yield* attackers.attack
    const beside = yield* phaseOf(pairs, scene, options.seconds, incoming?.come)
    const residentAtTenth = attack.isCounted === true ? yield* counted(attackers, scene) : Number.NaN
    if (attack.patienceSeconds !== undefined) yield* patient(attackers, attack.patienceSeconds)
    return { beside, residentAtTenth, loaded: yield* held(subject.pid, url) }
  })
  const { beside, loaded, residentAtTenth } = yield* Effect.raceFirst(fight, watching)

  const memory = {
    residentBefore: rested.residentBytes,
    residentPeak: peak.residentBytes,
    residentBeside: loaded.residentBytes,
    heldBefore: rested.heldBytes,
    heldBeside: loaded.heldBytes,
    socketsBefore: empty.sockets,
    filesPeak: peak.files,
    residentAtTenth
  }
  const outcome = {
    attack: attack.name,
    k,
    before,
    beside,
    arrivals: arrivals && { coming: arrivals.coming, welcomed: incoming?.welcomed() ?? 0 }
  }
  const none = { residentAfter: Number.NaN, heldAfter: Number.NaN, socketsAfter: Number.NaN }
  const tallyOf = (tally: Outcome["tally"]) => ({
    ...tally,
    hostile: tally.hostile - restingTally.hostile,
    bytesIn: tally.bytesIn - restingTally.bytesIn,
    bytesOut: tally.bytesOut - restingTally.bytesOut
  })
  if (attack.stopsBeside === true) {
    const tally = tallyOf(yield* attackers.tally)
    const stopMillis = yield* subject.stop
    const ended: Outcome = { ...outcome, tally, after: undefined, memory: { ...memory, ...none }, stopMillis }
    return ended
  }
  const { hostileOpen } = yield* attackers.tally
  const tally = { ...tallyOf(yield* attackers.stop), hostileOpen }
  incoming?.close()
  yield* Console.error(`  afterwards …`)
  const after = yield* phaseOf(pairs, scene)
  const quiet = Number.isNaN(residentAtTenth) ? settleSeconds : options.isQuick ? quickQuietSeconds : quietSeconds
  yield* Effect.sleep(`${quiet} seconds`)
  const left = yield* held(subject.pid, url)
  const stopMillis = yield* subject.stop
  const ended: Outcome = {
    ...outcome,
    after,
    tally,
    memory: {
      ...memory,
      residentAfter: left.residentBytes,
      heldAfter: left.heldBytes,
      socketsAfter: left.sockets
    },
    stopMillis
  }
  return ended
})

/** Waits until what is counted is done; gives the memory when a tenth of it was. */
const counted = Effect.fnUntraced(function* (attackers: AttackProcess.AttackProcess, { subject, url }: Scene) {
  const startedAt = performance.now()
  let atTenth = Number.NaN
  while (!attackers.isDone()) {
    if (performance.now() - startedAt > countedSeconds * 1000) {
      return yield* new BenchError({ message: `It was not done in ${countedSeconds} s.` })
    }
    if (Number.isNaN(atTenth) && (yield* attackers.tally).done >= 0.1)
      atTenth = (yield* held(subject.pid, url)).residentBytes
    yield* Effect.sleep(lookMillis)
  }
  return atTenth
})

/** Waits until all is done, but no longer than that. */
const patient = Effect.fnUntraced(function* (attackers: AttackProcess.AttackProcess, seconds: number) {
  const startedAt = performance.now()
  while ((yield* attackers.tally).done < almostAll && performance.now() - startedAt < seconds * 1000) {
    yield* Effect.sleep(lookMillis)
  }
})

/** Shares are added up, and so may fall short of 1. */
const almostAll = 0.9999

/** The honest ones ask for so long, wait for what is outstanding, and tell what they saw. */
const phaseOf = Effect.fnUntraced(function* (
  pairs: ReadonlyArray<Honest>,
  { options, subject }: Scene,
  seconds: number = options.seconds,
  beside: Effect.Effect<void> = Effect.void
) {
  const cutBefore = pairs.map(({ cuts }) => cuts.length)
  const late = new Histogram()
  const startedAt = performance.now()
  const waited = waitSecondsOf(subject.pid)
  yield* Effect.raceFirst(
    Effect.all([...pairs.map((pair) => pair.ask(seconds)), beside], { concurrency: "unbounded", discard: true }),
    lateness(late)
  )
  const drained = performance.now() + (options.isQuick ? quickDrainSeconds : drainSeconds) * 1000
  while (pairs.some(({ isWaiting }) => isWaiting) && performance.now() < drained) yield* Effect.sleep(lookMillis)
  const now = performance.now()
  const refusals = new Set(
    pairs.flatMap(({ probes, watches }) => probes.flatMap((probe) => [...watches[probe].refusals]))
  )
  const phase: Phase = {
    pairs: Object.fromEntries(
      pairs.map(({ name, probes, watches }) => {
        const seen: PairSeen = Object.fromEntries(probes.map((probe) => [probe, watches[probe].close(now)]))
        return [name, seen]
      })
    ),
    cuts: pairs.flatMap(({ cuts }, index) => cuts.slice(cutBefore[index])),
    refusals: Arr.fromIterable(refusals),
    lateP99: late.quantile(0.99),
    waited: ((waitSecondsOf(subject.pid) - waited) * 1000) / (now - startedAt)
  }
  return phase
})

const lateMillis = 10

/** How late this process itself wakes up. */
const lateness = (late: Histogram) =>
  Effect.forever(
    Effect.suspend(() => {
      const due = performance.now() + lateMillis
      return Effect.map(Effect.sleep(lateMillis), () => late.record(Math.max(0, performance.now() - due)))
    })
  )
