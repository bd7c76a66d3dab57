/**
 * The server is killed between the steps of what changes an account, by the kernel: at each write of the commit, before it is on
 * the disk, and once it is answered. Then all of it was done or nothing, nobody is locked out, and what was answered stays.
 *
 * Whoever is killed between hearing of a new token and writing it down has the one before; so has who never heard of it.
 * `CRASH_ROUNDS=<n>`, as in `pnpm test:long`, kills at each of the first n writes.
 */
import { createHash } from "node:crypto"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Array as Arr, Config, Context, Effect, FileSystem, Layer, Option, type Scope } from "effect"
import { sqlite } from "../admin/AdminProcess.ts"
import { connect, type Line, type NotReceived, type RawClient } from "../support/RawClient.ts"
import * as Eventually from "./Eventually.ts"
import * as FileServer from "./FileServer.ts"
import * as Strace from "./Strace.ts"

const timeout = 3_600_000

const first = "correct horse battery"
const second = "staple of the stable"
const settings = { REGISTRATION: "invite" }
const maxDevices = 32

const password = (text: string) => ({ _tag: "Password", password: text })
const bearer = (token: unknown) => ({ _tag: "Token", token })
const tagOf = ({ _tag, reason }: Line): string =>
  typeof reason === "object" && reason !== null && "_tag" in reason ? String(reason._tag) : _tag

const handshake = (credentials: object, user = "ada") => ({ _tag: "Handshake", user, credentials })
const greet = Effect.fnUntraced(function* (port: number, greeting: object) {
  const client = yield* connect({ port })
  return { client, answer: yield* client.ask(greeting) }
})
const login = (port: number, credentials: object) =>
  Effect.map(greet(port, handshake(credentials)), ({ answer }) => answer)

/** A database in which Ada has a laptop and a phone, and somebody may register; and the tokens of the two. */
class Prepared extends Context.Service<Prepared, People & { readonly file: string }>()(
  "parley/test/durability/AccountCrash.test/Prepared"
) {
  static readonly layer = Layer.effect(
    Prepared,
    Effect.suspend(() => prepare)
  )
}
const prepare = Effect.gen(function* () {
  const file = yield* FileServer.newFile
  return yield* Effect.gen(function* () {
    const { port } = yield* FileServer.startHere(file)
    const { answer: laptop } = yield* greet(port, { _tag: "Handshake", user: "ada", register: { password: first } })
    const phone = yield* login(port, password(first))
    assert.deepStrictEqual([tagOf(laptop), tagOf(phone)], ["Welcome", "Welcome"])
    return { file, laptop: laptop["token"], phone: phone["token"] }
  }).pipe(Effect.scoped)
})

interface People {
  readonly laptop: unknown
  readonly phone: unknown
}

/** One thing that is done to an account: who asks for it, and what came of it. */
interface Deed {
  readonly prepare?: (file: string) => Effect.Effect<unknown>
  readonly come: (port: number, people: People) => Effect.Effect<RawClient, NotReceived, Scope.Scope>
  readonly request: (people: People) => object
  readonly isDone: string
  /** Whether it was done, as a server says that was started afterwards; `answer` is what was heard of it. */
  readonly wasDone: (after: {
    readonly port: number
    readonly file: string
    readonly people: People
    readonly answer: Line | undefined
  }) => Effect.Effect<boolean, NotReceived, Scope.Scope>
}

interface Moment {
  readonly calls: ReadonlyArray<string>
  readonly when: number
}

/** Does it on a copy, killed at that moment or after the answer; answers whether it was done all the same. */
const kill = Effect.fnUntraced(function* (origin: string, people: People, deed: Deed, moment: Moment | undefined) {
  const files = yield* FileSystem.FileSystem
  const file = yield* FileServer.newFile
  yield* files.copyFile(origin, file)
  if (deed.prepare !== undefined) yield* deed.prepare(file)
  const answer = yield* Effect.gen(function* () {
    const server = yield* FileServer.start(file, settings)
    const client = yield* deed.come(server.port, people)
    const asked = Effect.raceFirst(
      Effect.asSome(client.ask(deed.request(people))),
      Effect.as(client.closed, Option.none<Line>())
    )
    if (moment === undefined) {
      const heard = yield* asked
      yield* server.kill("SIGKILL")
      return heard
    }
    const fault = {
      pid: server.pid,
      files: [`${file}-wal`],
      calls: moment.calls,
      inject: `signal=SIGKILL:when=${moment.when}`
    }
    const heard = yield* Strace.during(fault, asked)
    if (Option.isSome(heard)) yield* server.kill("SIGKILL")
    yield* Eventually.ask("the server was dead", server.isRunning, (isRunning) => !isRunning)
    return heard
  }).pipe(Effect.scoped)

  const said = Option.getOrUndefined(answer)
  if (said !== undefined) assert.strictEqual(tagOf(said), deed.isDone)
  const { port } = yield* FileServer.startHere(file, settings)
  const wasDone = yield* deed.wasDone({ port, file, people, answer: said })
  if (said !== undefined) assert.isTrue(wasDone, "what was answered is there")
  return { wasDone }
}, Effect.scoped)

/** The first sync is of the log's header, if it is a new one; at the second all of the commit is written. */
const beforeSync = (when: number): Moment => ({ calls: ["fsync", "fdatasync"], when })
const atWrite = (when: number): Moment => ({ calls: ["pwrite64"], when })
const firstWrite = atWrite(1)
const written = beforeSync(2)
const answered = undefined

const killAtEachStep = Effect.fnUntraced(function* (deed: Deed) {
  const rounds = yield* Config.withDefault(Config.Int("CRASH_ROUNDS"), 0)
  const { file, ...people } = yield* Prepared
  const moments = rounds === 0 ? [atWrite(5)] : [beforeSync(1), ...Arr.makeBy(rounds, (index) => atWrite(index + 2))]
  const outcomes = yield* Effect.forEach(
    [firstWrite, ...moments, written, answered],
    (moment) => Effect.map(kill(file, people, deed, moment), (outcome) => ({ moment, ...outcome })),
    { concurrency: 2 }
  )
  const wasDone = (at: Moment | undefined) => outcomes.find(({ moment }) => moment === at)?.wasDone
  // Otherwise the kills came too late or too early to say anything.
  assert.deepStrictEqual([firstWrite, written, answered].map(wasDone), [false, true, true])
})

const tokenIsUsed: Deed = {
  come: (port) => connect({ port }),
  request: ({ laptop }) => handshake(bearer(laptop)),
  isDone: "Welcome",
  wasDone: Effect.fnUntraced(function* ({ answer, file, people, port }) {
    const [{ count } = { count: 0 }] = yield* sqlite(
      file,
      "SELECT COUNT(*) AS count FROM devices WHERE before IS NOT NULL"
    )
    // The one before is as good as one that nobody has heard of.
    const again = yield* login(port, bearer(people.laptop))
    assert.strictEqual(tagOf(again), "Welcome")
    if (answer !== undefined)
      assert.strictEqual(tagOf(yield* login(port, bearer(answer["token"]))), "InvalidCredentials")
    const next = yield* login(port, bearer(again["token"]))
    assert.strictEqual(tagOf(next), "Welcome")
    assert.strictEqual(next["device"], again["device"])
    // Two steps back is too far.
    assert.strictEqual(tagOf(yield* login(port, bearer(people.laptop))), "InvalidCredentials")
    return count === 1
  })
}

const passwordIsChanged: Deed = {
  come: (port, { laptop }) => Effect.map(greet(port, handshake(bearer(laptop))), ({ client }) => client),
  request: () => ({ _tag: "ChangePassword", current: first, next: second }),
  isDone: "PasswordChanged",
  wasDone: Effect.fnUntraced(function* ({ people, port }) {
    const phone = tagOf(yield* login(port, bearer(people.phone)))
    const isOld = tagOf(yield* login(port, password(first)))
    const isNew = tagOf(yield* login(port, password(second)))
    assert.sameMembers([isOld, isNew], ["Welcome", "InvalidCredentials"])
    // With the password ended what the phone had, and not before.
    assert.strictEqual(phone, isOld)
    assert.strictEqual(tagOf(yield* login(port, bearer(people.laptop))), "Welcome")
    return isNew === "Welcome"
  })
}

const invite = "abcd-efgh-jkmn-pqrs-tvwx"
const register = (user: string) => ({ _tag: "Handshake", user, register: { password: first, invite } })

const accountIsMade: Deed = {
  // Its SHA-256.
  prepare: (file) =>
    sqlite(file, `INSERT INTO invites (code, uses) VALUES ('${createHash("sha256").update(invite).digest("hex")}', 1)`),
  come: (port) => connect({ port }),
  request: () => register("ben"),
  isDone: "Welcome",
  wasDone: Effect.fnUntraced(function* ({ answer, port }) {
    const { answer: here } = yield* greet(port, handshake(password(first), "ben"))
    const isThere = tagOf(here) === "Welcome"
    if (answer !== undefined) {
      assert.strictEqual(tagOf((yield* greet(port, handshake(bearer(answer["token"]), "ben"))).answer), "Welcome")
    }
    // The invite was used if the account is there, and can be used again if not.
    const { answer: cleo } = yield* greet(port, register("cleo"))
    assert.strictEqual(tagOf(cleo), isThere ? "InvalidInvite" : "Welcome")
    return isThere
  })
}

const lastDeviceIsMade: Deed = {
  prepare: (file) =>
    sqlite(
      file,
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${maxDevices - 3})
       INSERT INTO devices (account, name, since, last_seen, newest)
       SELECT 1, 'old', 1, 1, substr('${"0".repeat(64)}' || n, -64) FROM numbers`
    ),
  come: (port) => connect({ port }),
  request: () => handshake(password(first)),
  isDone: "Welcome",
  wasDone: Effect.fnUntraced(function* ({ file, port }) {
    const count = Effect.map(sqlite(file, "SELECT COUNT(*) AS count FROM devices"), ([row]) => Number(row?.["count"]))
    const before = yield* count
    assert.include([maxDevices - 1, maxDevices], before)
    const wasDone = before === maxDevices
    assert.strictEqual(tagOf(yield* login(port, password(first))), wasDone ? "TooManyDevices" : "Welcome")
    assert.strictEqual(yield* count, maxDevices)
    return wasDone
  })
}

/** Processes take real time. */
const realTime = layer(Layer.provideMerge(Prepared.layer, NodeServices.layer), { excludeTestServices: true })

realTime("a server that is killed while an account changes", (it) => {
  for (const [what, deed] of [
    ["knows a device by its token or the one before", tokenIsUsed],
    ["has the old password or the new one, and with it the devices", passwordIsChanged],
    ["has made an account and used its invite, or neither", accountIsMade],
    ["has as many devices as there may be, and no more", lastDeviceIsMade]
  ] as const) {
    it.effect.skipIf(Strace.missing !== undefined)(`${what}${Strace.note}`, () => killAtEachStep(deed), timeout)
  }

  it.effect("knows a device by the new token that it was told, and then no more by the one before", () =>
    Effect.gen(function* () {
      const { file, ...people } = yield* Prepared
      const wasDone: Deed["wasDone"] = Effect.fnUntraced(function* ({ answer, port }) {
        assert.strictEqual(tagOf(yield* login(port, bearer(answer?.["token"]))), "Welcome")
        assert.strictEqual(tagOf(yield* login(port, bearer(people.laptop))), "InvalidCredentials")
        return true
      })
      yield* kill(file, people, { ...tokenIsUsed, wasDone }, answered)
    })
  )
})
