/**
 * One database file through many lives of a server, each of which ends by SIGKILL while several clients write.
 *
 * After each restart, and at the end, everything that was ever answered as sent is looked for in the file, and so is
 * everything that any client heard.
 */
import { Effect, FileSystem, Latch, Random, Scope } from "effect"
import { textOf } from "../support/ReferenceTimeline.ts"
import * as CrashLog from "./CrashLog.ts"
import * as Eventually from "./Eventually.ts"
import * as FileServer from "./FileServer.ts"
import * as Ledger from "./Ledger.ts"
import * as ParleyTalker from "./ParleyTalker.ts"
import * as Talker from "./Talker.ts"

const rooms = ["garden", "kitchen", "attic"]

export interface Life {
  /** In words: what everybody waits for. */
  readonly standing: () => string
  readonly server: Effect.Success<ReturnType<typeof FileServer.start>>
  readonly file: string
  /**
   * Waits until so many messages were answered since everybody came back, or something went against the protocol; undefined in a
   * life that ends before that.
   */
  readonly answered: ((count: number) => Effect.Effect<void, Eventually.NeverSo>) | undefined
}

export interface LaneOptions<E, R> {
  readonly rounds: number
  /** Ends a life: the server is dead afterwards. */
  readonly kill: (life: Life) => Effect.Effect<void, E, R>
  /** How often a life ends while the clients are coming back. */
  readonly earlyEnds?: number
}

/** Its choices come from `Random`. Tells what was wrong, and how much there was that could have gone wrong. */
export const run = Effect.fnUntraced(function* <E, R>({ earlyEnds = 0, kill, rounds }: LaneOptions<E, R>) {
  const files = yield* FileSystem.FileSystem
  const file = `${yield* files.makeTempDirectoryScoped({ prefix: "parley-crash-" })}/chat.sqlite`
  const random = yield* Random.Random
  const outer = yield* Effect.scope
  const ledger = Ledger.make()
  const isUp = yield* Latch.make(false)
  const mayTalk = yield* Latch.make(false)
  let port = 0
  let isTalking = false

  const talkers = ["ada", "ben", "cleo"].map((name) =>
    Talker.make({ name, rooms, ledger, random: () => random.nextDoubleUnsafe(), isTalking: () => isTalking })
  )
  yield* Effect.addFinalizer(() => Effect.sync(() => talkers.forEach((talker) => talker.close())))
  const members: Array<Pick<Talker.Talker, "isBack" | "isQuiet" | "standing">> = [...talkers]

  const startServer = Effect.gen(function* () {
    const server = yield* FileServer.start(file)
    port = server.port
    yield* isUp.open
    for (const talker of talkers) talker.connect(port)
    return server
  })
  /** What was deleted is erased by the next start at the latest. */
  const eraseLeft = Effect.gen(function* () {
    yield* FileServer.startHere(file)
    yield* Eventually.isSo("what was deleted was erased", () => CrashLog.isErased(CrashLog.read(file)))
  }).pipe(Effect.scoped)
  /** What goes against the protocol would be waited for in vain: it is told at once. */
  const standing = () => [...members.map((member) => member.standing()), ...ledger.problems].join("; ")
  const isSo = (what: string, condition: () => boolean) =>
    Eventually.isSo(what, () => condition() || ledger.problems.length > 0, standing)
  const everyoneIsBack = isSo("everyone was back", () => members.every((member) => member.isBack()))
  const problems = () => [...ledger.problems, ...CrashLog.faults(CrashLog.read(file), ledger)].slice(0, 10)

  /** Tells what was wrong in it. */
  const live = Effect.fnUntraced(function* (round: number) {
    const server = yield* startServer
    const found = problems()
    const answeredBefore = ledger.promised.length
    const isEarly = round > 1 && random.nextDoubleUnsafe() < earlyEnds
    if (!isEarly) {
      // The program's client comes once the others have made the rooms, and stays for good.
      yield* everyoneIsBack
      if (round === 1) {
        members.push(
          yield* ParleyTalker.start({ name: "parley", rooms, ledger, port: () => port, isUp, mayTalk }).pipe(
            Effect.provideService(Scope.Scope, outer)
          )
        )
      }
      isTalking = true
      for (const talker of talkers) talker.talk()
      yield* mayTalk.open
    }
    const answered = (count: number) =>
      isSo(`${count} messages were answered`, () => ledger.promised.length - answeredBefore >= count)
    yield* kill({ server, file, standing, answered: isEarly ? undefined : answered })
    isTalking = false
    yield* mayTalk.close
    yield* isUp.close
    return found
  }, Effect.scoped)

  for (let round = 1; round <= rounds; round++) {
    const found = yield* live(round)
    if (found.length > 0)
      return { problems: found, rounds: round, answered: 0, repeated: 0, refused: 0, kinds: {}, stored: 0 }
  }

  const server = yield* startServer
  yield* everyoneIsBack
  yield* isSo("everything was answered", () => members.every((member) => member.isQuiet()))
  yield* isSo("everyone had heard everything", () => CrashLog.isAllHeard(CrashLog.read(file), ledger))
  const stored = CrashLog.read(file)
  const told = yield* readAll(server.port, [...stored.keys()])
  yield* server.kill("SIGKILL")
  yield* eraseLeft
  const differing = [...stored].flatMap(([place, entries]) => {
    const expected = CrashLog.standingIn(entries)
    const given = told.get(place) ?? []
    const at = expected.findIndex((text, index) => text !== given[index])
    if (at === -1 && expected.length === given.length) return []
    return [`GetHistory of ${place} differs: ${given[at]} for ${expected[at]}, ${given.length} of ${expected.length}`]
  })
  return {
    problems: [...problems(), ...differing],
    rounds,
    answered: ledger.promised.length,
    /** Those whose Sent was lost in a crash after they had been stored. */
    repeated: ledger.promised.filter(({ repeated }) => repeated).length,
    refused: ledger.refused.length,
    kinds: Object.fromEntries(
      Array.from(
        Map.groupBy([...stored.values()].flat(), ({ deed }) => deed?.kind ?? "Tombstone"),
        ([kind, some]) => [kind, some.length]
      )
    ),
    stored: [...stored.values()].reduce((sum, entries) => sum + entries.length, 0)
  }
}, Effect.scoped)

/** The logs as the server tells them to somebody new, page by page. */
const readAll = Effect.fnUntraced(function* (port: number, places: ReadonlyArray<string>) {
  const reader = yield* FileServer.join(port, "reader")
  const told = new Map<string, ReadonlyArray<string>>()
  for (const place of places) {
    const where = place === Ledger.lobby ? {} : { room: place }
    if (place !== Ledger.lobby) yield* reader.ask({ _tag: "JoinRoom", room: place })
    const log = yield* FileServer.readLog(reader, where)
    told.set(place, log.map(textOf))
  }
  return told
}, Effect.scoped)
