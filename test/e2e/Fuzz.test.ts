/**
 * A real server, its sockets and its SQLite file, fuzzed with the whole protocol by who never logged in, by a guest and by an
 * account; afterwards the whole state equals that of a model to which only what was answered as done was applied.
 *
 * A failure prints how to repeat it. `FUZZ_SEED=<seed>` says the same again, `FUZZ_RUNS=<n>` so many times as much; so does
 * `pnpm test:long`. What the server's hashes, sockets and disk do between the replies no seed repeats.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer, vi } from "@effect/vitest"
import { Cause, Console, Effect, Exit, FileSystem, Random, Scope } from "effect"
import { ClientMessage } from "../../src/common/wire/ClientMessage.ts"
import { runHere } from "../admin/AdminProcess.ts"
import { Chance } from "../simulation/Chance.ts"
import { makeKey } from "../support/Ed25519.ts"
import * as ServerHere from "../support/ServerHere.ts"
import { isObject, type Json } from "./FuzzContract.ts"
import { Fuzzing } from "./Fuzzing.ts"
import { type Account, type Entry, type Log, Model } from "./FuzzModel.ts"
import { Requests, samples } from "./FuzzRequests.ts"
import * as Standing from "./FuzzStanding.ts"
import { differences, modelled, stored } from "./FuzzState.ts"
import { enter, passwords, prepare, type Speaker, type World } from "./FuzzWorld.ts"

const givenSeed = process.env["FUZZ_SEED"]
const runs = Number(process.env["FUZZ_RUNS"] ?? 1)
const turns = 200 * runs
/** Sockets and disks take real time. */
const realTime = layer(NodeServices.layer, { excludeTestServices: true })
const unlimited = {
  MESSAGE_RATE: "0",
  ROOMS_PER_HOUR: "1000000",
  INVITATIONS_PER_HOUR: "1000000",
  MAX_ROOMS_PER_USER: "1000"
}

/** The first few of many, so that a failure can be read. */
const few = (breaches: ReadonlyArray<string>) => breaches.slice(0, 10)

/**
 * What somebody who was there all the while heard otherwise than it was: each entry of the lobby, of the rooms it was in and of
 * its inbox, once and in order, and nothing of any other place.
 */
const overheard = (model: Model, { connection, session }: Speaker): ReadonlyArray<string> => {
  const next = new Map<Log, number>()
  const problems: Array<string> = []
  for (const line of connection.heard) {
    const { _tag, content, from, id, room, seq, with: partner } = line
    if (id !== undefined || from === undefined || seq === undefined) continue
    const isPrivate = _tag === "PrivateMessage" || partner !== undefined
    const log = room === undefined ? (isPrivate ? session.inbox : model.lobby) : model.room(room)?.log
    const entry = log?.entries.get(Number(seq))
    const isSo =
      entry?.from === from && (content === undefined || entry.fields["content"] === content || isErased(log, entry))
    const isNext = log !== undefined && seq === (next.get(log) ?? seq)
    if (!isSo || !isNext)
      problems.push(`${JSON.stringify(line).slice(0, 300)}, not ${JSON.stringify(entry?.fields)?.slice(0, 300)}`)
    if (log !== undefined) next.set(log, Number(seq) + 1)
  }
  const [lobby] = [next.get(model.lobby)]
  if (lobby !== model.lobby.newest + 1) problems.push(`the lobby ends before ${lobby}, not at ${model.lobby.newest}`)
  return problems
}

/** Whether nothing is left of what it said, or of what it changed. */
const isErased = (log: Log | undefined, { kind, target }: Entry): boolean =>
  kind === "Tombstone" || (kind === "Edited" && log?.entries.get(Number(target))?.kind === "Tombstone")

/** What connections log goes to the console of this process. */
const hearingConsole = Effect.acquireRelease(
  Effect.sync(() => {
    const lines: Array<string> = []
    const spy = vi.spyOn(globalThis.console, "error").mockImplementation((line) => void lines.push(String(line)))
    return { lines, spy }
  }),
  ({ spy }) => Effect.sync(() => spy.mockRestore())
)

const fuzz = Effect.fnUntraced(function* (seed: number) {
  const { lines: logged } = yield* hearingConsole
  const files = yield* FileSystem.FileSystem
  const database = `${yield* files.makeTempDirectoryScoped({ prefix: "parley-fuzz-" })}/chat.sqlite`
  const serving = yield* Scope.make()
  yield* Effect.addFinalizer(() => Scope.close(serving, Exit.void))
  const { port, said } = yield* ServerHere.start({
    env: { PORT: "0", HOST: "127.0.0.1", DATABASE: database, ...unlimited }
  }).pipe(Scope.provide(serving))
  const world: World = { port, model: new Model(), breaches: [] }
  const { model } = world
  const promote = Effect.asVoid(runHere(["users", "promote", "ada", "--database", database], {}))
  const [known, other] = [makeKey(), makeKey()]
  const { ada, ben, gus, mia, olga } = yield* prepare(world, promote, known.publicKey)

  const words = {
    users: [],
    rooms: [],
    devices: [],
    fingerprints: [],
    tokens: [],
    passwords: [passwords.mia, "seven green bicycles", "password12", "short"],
    publicKeys: [known.publicKey, other.publicKey, "ssh-ed25519 AAAA", "", "ssh-rsa x"]
  }
  const chance = new Chance(seed)
  const requests = new Requests(chance, yield* samples(seed), words)
  const fuzzing = new Fuzzing(world, { outsider: mia, guest: gus, bystander: ben, admin: ada }, chance, requests)
  for (let turn = 0; turn < turns && world.breaches.length + model.breaches.length === 0; turn++) yield* fuzzing.turn()

  const standing = yield* Standing.rooms(model, ada)
  const people = [ada, olga, ben, mia].flatMap((speaker) => {
    const { account } = speaker.session
    const token = speaker === mia ? fuzzing.tokenOf(account) : speaker.token
    return account === undefined || token === undefined ? [] : [{ account, token }]
  })
  const welcomes = yield* Effect.forEach(people, ({ account, token }) =>
    Effect.gen(function* () {
      const welcome = yield* welcomed(world, account, token)
      return Standing.welcome(model, account, welcome, ["ada", "olga", "ben", "mia"])
    })
  )
  yield* Scope.close(serving, Exit.void)
  return {
    bystander: ben,
    fuzzing,
    model,
    log: [...said.stderr.split("\n"), ...logged],
    standing,
    state: stored(database),
    welcomes,
    world
  }
})

/** What an account is told that comes back. */
const welcomed = Effect.fnUntraced(function* (world: World, { name }: Account, token: string) {
  const { connection } = yield* enter(world, { user: name, credentials: { _tag: "Token", token } })
  return connection.heard[0] ?? {}
})

/**
 * What is said in one turn is under way at once, and on a busy machine the model takes a lawful order of replies for a breach: 3 of 41 runs
 * beside three others. What is wrong for certain is so with every seed. Each failure is printed.
 */
const attempts = 3

realTime("A server that is fuzzed by a stranger, a guest and an outsider", (it) => {
  it.effect("keeps what it said that it keeps and nothing else, and answers each once", () =>
    Effect.gen(function* () {
      for (let attempt = 1; ; attempt++) {
        const seed = givenSeed === undefined ? yield* Random.nextIntBetween(1, 1_000_000_000) : Number(givenSeed)
        const repeat = `FUZZ_SEED=${seed} FUZZ_RUNS=${runs} vitest run --config test/vitest.config.ts test/e2e/Fuzz.test.ts`
        const outcome = yield* Effect.exit(check(seed))
        if (Exit.isSuccess(outcome)) return
        yield* Console.error(`To repeat this: ${repeat}`, Cause.pretty(outcome.cause))
        if (givenSeed !== undefined || attempt === attempts) return yield* outcome
      }
    })
  )
})

/** Without the bans and mutes that run out about now. */
const lasting = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(lasting).filter((one) => !isObject(one) || !isRunningOut(one))
  return isObject(value)
    ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, lasting(part)]))
    : value
}
const isRunningOut = ({ by, until }: Json): boolean => by !== undefined && until !== undefined && Number(until) < soon
/** So late, in milliseconds since 1970, whatever runs out meanwhile has done so. */
const soon = Date.now() + 4 * 3_600_000

const check = Effect.fnUntraced(function* (seed: number) {
  const { bystander, fuzzing, log, model, standing, state, welcomes, world } = yield* Effect.scoped(fuzz(seed))
  const tally = runs > 1 ? [...fuzzing.tally].toSorted().map((pair) => pair.join(" ")) : []
  yield* Console.log(`${fuzzing.lines} lines from seed ${seed}`, tally.join("; "))
  assert.deepStrictEqual(few(world.breaches), [])
  assert.deepStrictEqual(few(model.breaches), [])
  assert.sameMembers([...fuzzing.said], Object.keys(ClientMessage.cases), "every request that there is was fuzzed")
  assert.deepStrictEqual(few(overheard(model, bystander)), [])
  assert.deepStrictEqual(
    log.filter((line) => /level=(?!INFO)/.test(line) && !line.includes("too many were wrong")),
    []
  )
  assert.deepStrictEqual(
    [...model.secrets].filter((secret) => log.some((line) => line.includes(secret))),
    []
  )
  for (const { expected, found } of [standing, ...welcomes, { found: state, expected: modelled(model) }]) {
    assert.deepStrictEqual(few(differences(lasting(found), lasting(expected))), [])
  }
})
