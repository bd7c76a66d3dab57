/**
 * Accounts: how many come back by a token, and log in by a password, in a second; what one login costs the server; and what an
 * idle connection of an account holds of its memory, beside a guest's.
 *
 * Guests come in at the same concurrency, so that what an account's login is more shows as a ratio. A password is its hash and
 * little else: the same hash is timed in this process, without a server. Memory is what the server holds after a collection.
 */
import { argon2, randomBytes } from "node:crypto"
import { Array as Arr, Effect, Scope } from "effect"
import { ask, type BenchError, dial, join, settle } from "./Crowd.ts"
import { Histogram } from "./Histogram.ts"
import { held, inspectFlags, urlOf } from "./hostile/Inspector.ts"
import { cpuSecondsOf } from "./Machine.ts"
import { metered, type Mode } from "./Mode.ts"
import type { Subject } from "./Subject.ts"

/** More from one address at once would be taken for guesses. */
const concurrency = 8
/** Of registrations; more would be refused. */
const newcomers = 4

const password = "correct horse battery"

interface Owner {
  readonly user: string
  token: string
}

/** Comes in as this Handshake says, and gives the connection and its Welcome. */
const enter = Effect.fnUntraced(function* (subject: Subject, handshake: object) {
  const member = yield* dial(subject)
  const text = `${JSON.stringify({ _tag: "Handshake", ...handshake })}\n`
  return { member, welcome: (yield* ask(member, text, member.dialect.isWelcome)).line }
})

const tokenIn = (welcome: string): string => /"token":"([^"]+)"/.exec(welcome)?.[1] ?? ""

const byToken = (subject: Subject, owner: Owner) =>
  Effect.map(
    enter(subject, { user: owner.user, credentials: { _tag: "Token", token: owner.token } }),
    ({ member, welcome }) => {
      owner.token = tokenIn(welcome)
      return member
    }
  )

const registered = (subject: Subject, count: number) =>
  Effect.forEach(
    Arr.range(1, count),
    (number) =>
      Effect.scoped(
        Effect.map(enter(subject, { user: `owner${number}`, register: { password } }), ({ welcome }): Owner => ({
          user: `owner${number}`,
          token: tokenIn(welcome)
        }))
      ),
    { concurrency: newcomers }
  )

/** How often a second, how long one takes, and how much of the server's processor, one after the other on each of so many ways. */
const repeated = Effect.fnUntraced(function* (
  subject: Subject,
  seconds: number,
  login: (turn: number) => Effect.Effect<unknown, BenchError, Scope.Scope>
) {
  const times = new Histogram()
  const cpuBefore = cpuSecondsOf(subject.pid)
  const startedAt = performance.now()
  const until = startedAt + seconds * 1000
  let turn = 0
  const once = Effect.gen(function* () {
    const begunAt = performance.now()
    yield* Effect.scoped(Effect.tap(login(turn++), () => Effect.sync(() => times.record(performance.now() - begunAt))))
  })
  const way = Effect.repeat(once, { while: () => performance.now() < until })
  yield* Effect.forEach(Arr.range(1, concurrency), () => way, { concurrency: "unbounded", discard: true })
  return {
    perSecond: (times.count / (performance.now() - startedAt)) * 1000,
    p50: times.quantile(0.5),
    cpuMillis: ((cpuSecondsOf(subject.pid) - cpuBefore) * 1000) / times.count
  }
})

/** As the server hashes: RFC 9106, 19 MiB and two passes. */
const hash = Effect.callback<number>((resume) => {
  const startedAt = performance.now()
  const parameters = {
    message: password,
    nonce: randomBytes(16),
    parallelism: 1,
    tagLength: 32,
    memory: 19_456,
    passes: 2
  }
  argon2("argon2id", parameters, () => resume(Effect.succeed(performance.now() - startedAt)))
})
const hashes = 10

/** What the server holds more for each of these connections, in KiB. */
const kibOfEach = Effect.fnUntraced(function* (
  subject: Subject,
  count: number,
  arrive: (index: number) => Effect.Effect<unknown, BenchError, Scope.Scope>
) {
  const witness = yield* join(subject)
  const look = Effect.andThen(settle([witness]), held(subject.pid, urlOf(subject.output())))
  const before = yield* look
  const crowd = yield* Scope.fork(yield* Effect.scope)
  yield* Effect.forEach(Arr.range(0, count - 1), arrive, { concurrency, discard: true }).pipe(Scope.provide(crowd))
  const after = yield* look
  return (after.heldBytes - before.heldBytes) / 1024 / count
}, Effect.scoped)

export const accountsMode: Mode = {
  name: "accounts",
  summary: "Logins by token and by password, and what they cost; the memory of an idle account beside a guest's.",
  subjects: ["parley"],
  members: [200],
  quickMembers: [100],
  isFresh: true,
  nodeFlags: inspectFlags,
  columns: [
    { key: "guestPerSecond", title: "guests/s", better: "none" },
    { key: "tokenPerSecond", title: "by token/s", better: "none" },
    { key: "tokenP50", title: "p50 ms", better: "none" },
    { key: "tokenCpu", title: "CPU ms", better: "none" },
    { key: "tokenToGuest", title: "of guests'", better: "higher", isRatio: true },
    { key: "passwordPerSecond", title: "by password/s", better: "none" },
    { key: "passwordP50", title: "p50 ms", better: "none" },
    { key: "passwordCpu", title: "CPU ms", better: "none" },
    { key: "hash", title: "hash alone ms", better: "none" },
    { key: "guestKib", title: "KiB a guest", better: "none" },
    { key: "accountKib", title: "an account", better: "none" },
    { key: "accountToGuest", title: "of a guest's", better: "lower", isRatio: true }
  ],
  load: () => ({ senders: 0, rate: 0, messages: 0 }),
  prepare: Effect.fnUntraced(function* (subject, { members, seconds }) {
    const owners = yield* registered(subject, members)
    // Each in turn: no token is used twice at once.
    const ownerOf = (turn: number): Owner => owners[turn % owners.length] ?? { user: "", token: "" }
    const guest = () => join(subject)
    const token = (turn: number) => byToken(subject, ownerOf(turn))
    const typed = (turn: number) =>
      enter(subject, { user: ownerOf(turn).user, credentials: { _tag: "Password", password } })
    // The first ones in have the server load and compile what it needs.
    for (const login of [guest, token]) yield* repeated(subject, seconds / 4, login)
    const measure = Effect.gen(function* () {
      const guests = yield* repeated(subject, seconds, guest)
      const tokens = yield* repeated(subject, seconds, token)
      const passwords = yield* repeated(subject, seconds, typed)
      let hashing = 0
      for (let count = 0; count < hashes; count++) hashing += (yield* hash) / hashes
      // Once for nothing: what is made on the first occasion stays.
      for (const arrive of [guest, token]) yield* kibOfEach(subject, members, arrive)
      const guestKib = yield* kibOfEach(subject, members, guest)
      const accountKib = yield* kibOfEach(subject, members, token)
      return {
        guestPerSecond: guests.perSecond,
        tokenPerSecond: tokens.perSecond,
        tokenP50: tokens.p50,
        tokenCpu: tokens.cpuMillis,
        tokenToGuest: tokens.perSecond / guests.perSecond,
        passwordPerSecond: passwords.perSecond,
        passwordP50: passwords.p50,
        passwordCpu: passwords.cpuMillis,
        hash: hashing,
        guestKib,
        accountKib,
        accountToGuest: accountKib / guestKib
      }
    })
    return { measure: metered(subject, measure) }
  })
}
