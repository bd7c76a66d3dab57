/**
 * Encrypted conversations of real sealing clients, beside a plain room with the same clients in the same minutes: how long a message
 * takes until it is stored and until the others have opened it, how long it takes to be let in and to be taken out, and to read what
 * was missed.
 *
 * With two members it is the conversation of two, with more a room of so many devices. All devices are in this process and share one
 * core: what each of fifty opens, they open in turn, where people have a core each. Their state is on the disk, as on theirs.
 */
import { Array as Arr, Effect, Exit, Scope } from "effect"
import type { RequestError } from "../../src/client/core/ClientError.ts"
import type { ClientEvent } from "../../src/client/core/ClientEvent.ts"
import { nameKey } from "../../src/common/name/Name.ts"
import { RoomName } from "../../src/common/name/RoomName.ts"
import type { ServerMessage } from "../../src/common/wire/ServerMessage.ts"
import { type Home, homeOf } from "../client/sealed/Devices.ts"
import { BenchError } from "./Crowd.ts"
import { Histogram } from "./Histogram.ts"
import { cpuSecondsOf } from "./Machine.ts"
import { type Figures, type Load, metered, type Mode } from "./Mode.ts"
import { arrive, makeEar, type Person } from "./SealedPeople.ts"
import type { Subject } from "./Subject.ts"

const vault = RoomName.make("vault")
const plain = RoomName.make("open")

/** Of registrations, whose passwords the server hashes; more at once would be refused. */
const newcomers = 4
/** How many messages of one person are on their way at once while others are away. */
const underway = 16
/** For each message that is missed, so many are said in turn; and for so many, one visitor comes and goes. */
const saidOfMissed = 2 / 5
const missedForEachVisitor = 25
/** How often somebody comes back to what they missed, for each room. */
const starts = 3
/** Both rooms are measured in turn, in so many pieces. */
const rounds = 4

const asked = <A>(asking: Effect.Effect<A, RequestError>) =>
  Effect.mapError(asking, ({ message }) => new BenchError({ message }))

const isReceived =
  (is: (message: ServerMessage) => boolean) =>
  (event: ClientEvent): boolean =>
    event._tag === "Received" && is(event.message)

const saying = (content: string) =>
  isReceived((message) => message._tag === "RoomMessage" && message.content === content)

const standsIn = (room: RoomName) => (event: ClientEvent) =>
  event._tag === "EncryptionStands" && nameKey(event.room) === nameKey(room) && event.state === "in"

/** That this conversation is there for somebody who has just come. */
const standing = (room: RoomName) => (event: ClientEvent) =>
  event._tag === "EncryptionStands" && nameKey(event.room) === nameKey(room)
const joined = (room: RoomName) => (event: ClientEvent) =>
  (event._tag === "Rejoined" && event.joined.room === room) ||
  isReceived((message) => message._tag === "RoomJoined" && message.room === room)(event)

let said = 0
/** No two are the same. */
const contentOf = (bytes: number) => `${++said} `.padEnd(bytes, "x")

const join = ({ client }: Person, room: RoomName) => asked(client.request({ _tag: "JoinRoom", room }))

/** Comes to an encrypted room; gives the milliseconds until it is let in. */
const enter = Effect.fnUntraced(function* (person: Person) {
  const isIn = person.ear.listen(`${person.user} is let in`, standsIn(vault))
  const startedAt = performance.now()
  yield* join(person, vault)
  return (yield* isIn) - startedAt
})

/** Leaves it; gives the milliseconds until another one hears of the commit that takes its device out. */
const leave = Effect.fnUntraced(function* (person: Person, witness: Person) {
  const isOut = witness.rawEar.listen(
    `${person.user} is taken out`,
    isReceived(
      (message) => message._tag === "KeysCommitted" && message.removes.some(({ user }) => user === person.user)
    )
  )
  const startedAt = performance.now()
  yield* asked(person.client.request({ _tag: "LeaveRoom", room: vault }))
  return (yield* isOut) - startedAt
})

/** What is said in one place: times until it is stored, and until each other one has it, and what it costs the processor. */
class Talk {
  readonly stored = new Histogram()
  readonly opened = new Histogram()
  clientMicros = 0
  serverMicros = 0
}

/** Everybody says something in turn, each when all have read what was said before. */
const talk = Effect.fnUntraced(function* (
  { pid }: Subject,
  crew: ReadonlyArray<Person>,
  room: RoomName,
  load: { readonly count: number; readonly bytes: number },
  into: Talk
) {
  const [client, server] = [process.cpuUsage(), cpuSecondsOf(pid)]
  for (let index = 0; index < load.count; index++) {
    const speaker = crew[index % crew.length]
    if (speaker === undefined) return
    const content = contentOf(load.bytes)
    const others = crew.filter((person) => person !== speaker)
    const heard = others.map(({ ear, user }) => ear.listen(`${user} reads in ${room}`, saying(content)))
    const startedAt = performance.now()
    yield* asked(speaker.client.send({ _tag: "RoomMessage", room, content }))
    into.stored.record(performance.now() - startedAt)
    for (const at of yield* Effect.all(heard, { concurrency: "unbounded" })) into.opened.record(at - startedAt)
  }
  const { system, user } = process.cpuUsage(client)
  into.clientMicros += system + user
  into.serverMicros += (cpuSecondsOf(pid) - server) * 1e6
})

/** Who stays away misses so much; gives the milliseconds from their start until a page has all of it. */
const missing = Effect.fnUntraced(function* (
  { port }: Subject,
  talker: Person,
  home: Home,
  room: RoomName,
  load: { readonly count: number; readonly bytes: number }
) {
  const say = () => asked(talker.client.send({ _tag: "RoomMessage", room, content: contentOf(load.bytes) }))
  const { seq: after } = yield* say()
  yield* Effect.forEach(Arr.range(1, load.count), say, { concurrency: underway, discard: true })
  const ear = makeEar()
  const isThere = ear.listen(`${home.user} comes back to ${room}`, room === plain ? joined(room) : standing(room))
  const startedAt = performance.now()
  const { client } = yield* arrive(port, home, ear)
  yield* isThere
  const { messages } = yield* asked(client.quietly({ _tag: "GetHistory", room, after, limit: load.count }))
  const millis = performance.now() - startedAt
  const read = messages.filter(({ _tag }) => _tag === "RoomMessage").length
  if (read === load.count) return millis
  return yield* new BenchError({ message: `Of ${load.count} missed messages in ${room} ${read} were read.` })
}, Effect.scoped)

interface Crew {
  readonly first: Person
  readonly second: Person
  /** The first two, too. */
  readonly all: ReadonlyArray<Person>
  readonly homes: { readonly second: Home }
  /** Come and go; in no room yet. */
  readonly visitors: ReadonlyArray<Person>
  /** Everybody but the first goes home. */
  readonly end: Effect.Effect<void>
}

const gather = Effect.fnUntraced(function* (
  { directory, port }: Subject,
  members: number,
  visitors: number
): Effect.fn.Return<Crew, BenchError, Scope.Scope> {
  const homeAt = (index: number) => homeOf(`${directory}/people`, `p${index}`, "desk")
  const others = yield* Scope.fork(yield* Effect.scope)
  const first = yield* arrive(port, homeAt(1))
  const homes = Arr.makeBy(members + visitors - 1, (index) => homeAt(index + 2))
  const people = yield* Effect.forEach(homes, (home) => arrive(port, home), { concurrency: newcomers }).pipe(
    Scope.provide(others)
  )
  const [second] = people
  const [home] = homes
  if (second === undefined || home === undefined) return yield* new BenchError({ message: "Nobody is there to read." })
  return {
    first,
    second,
    all: [first, ...people.slice(0, members - 1)],
    homes: { second: home },
    visitors: people.slice(members - 1),
    end: Scope.close(others, Exit.void)
  }
})

/** The conversation of two; or a room, and who is there comes in all at once. Gives its name, and the seconds until all are in. */
const begin = Effect.fnUntraced(function* ({ all, first, second }: Crew) {
  const startedAt = performance.now()
  const seconds = () => (performance.now() - startedAt) / 1000
  if (all.length === 2) {
    const isIn = (person: Person) =>
      person.ear.listen(`${person.user} is in`, (event) => event._tag === "EncryptionStands" && event.state === "in")
    const bothIn = Effect.all([isIn(first), isIn(second)], { concurrency: 2 })
    const { room } = yield* asked(first.client.request({ _tag: "OpenConversation", with: second.user }))
    yield* bothIn
    return { room, seconds: seconds() }
  }
  yield* asked(first.client.request({ _tag: "CreateRoom", room: vault, encrypted: true }))
  yield* enter(first)
  yield* Effect.forEach(all.slice(1), enter, { concurrency: "unbounded", discard: true })
  return { room: vault, seconds: seconds() }
})

const measure = Effect.fnUntraced(function* (
  subject: Subject,
  crew: Crew,
  { bytes, messages }: Load
): Effect.fn.Return<Figures, BenchError> {
  const { all, end, first, homes, visitors } = crew
  yield* asked(first.client.request({ _tag: "CreateRoom", room: plain }))
  yield* Effect.forEach(all, (person) => join(person, plain), { concurrency: newcomers, discard: true })
  const { room, seconds } = yield* begin(crew)
  const places = [
    { room, into: new Talk(), missed: new Histogram() },
    { room: plain, into: new Talk(), missed: new Histogram() }
  ] as const
  const [sealed, open] = places

  // The first words have everything loaded and compiled.
  for (const place of places) yield* talk(subject, all, place.room, { count: all.length, bytes }, new Talk())

  const added = new Histogram()
  const removed = new Histogram()
  for (const visitor of visitors) {
    added.record(yield* enter(visitor))
    yield* talk(subject, all, room, { count: 1, bytes }, new Talk())
    removed.record(yield* leave(visitor, first))
    yield* talk(subject, all, room, { count: 1, bytes }, new Talk())
  }

  const count = Math.ceil((messages * saidOfMissed) / rounds)
  for (let round = 0; round < rounds; round++) {
    for (const place of places) yield* talk(subject, all, place.room, { count, bytes }, place.into)
  }
  yield* end
  for (let start = 0; start < starts; start++) {
    for (const { missed, room } of places) {
      missed.record(yield* missing(subject, first, homes.second, room, { count: messages, bytes }))
    }
  }

  const [mine, theirs] = [sealed.into, open.into]
  const perDevice = count * rounds * all.length
  return {
    allIn: seconds,
    addP50: added.quantile(0.5),
    addMax: added.max(),
    removeP50: removed.quantile(0.5),
    removeMax: removed.max(),
    storedP50: mine.stored.quantile(0.5),
    storedP99: mine.stored.quantile(0.99),
    storedToPlain: mine.stored.quantile(0.5) / theirs.stored.quantile(0.5),
    openedP50: mine.opened.quantile(0.5),
    openedP99: mine.opened.quantile(0.99),
    openedToPlain: mine.opened.quantile(0.5) / theirs.opened.quantile(0.5),
    clientMicros: mine.clientMicros / perDevice,
    clientToPlain: mine.clientMicros / theirs.clientMicros,
    serverMicros: mine.serverMicros / count / rounds,
    serverToPlain: mine.serverMicros / theirs.serverMicros,
    missed: sealed.missed.quantile(0.5),
    plainMissed: open.missed.quantile(0.5),
    missedToPlain: sealed.missed.quantile(0.5) / open.missed.quantile(0.5)
  }
})

export const sealedMode: Mode = {
  name: "sealed",
  summary:
    "Encrypted conversations: a message, who is let in and taken out, and what was missed, beside a plain room. Once.",
  subjects: ["parley"],
  members: [2, 10, 50],
  quickMembers: [2, 10],
  isOnce: true,
  isOnlyNamed: true,
  columns: [
    { key: "allIn", title: "all in s", better: "none" },
    { key: "addP50", title: "let in p50", better: "none" },
    { key: "addMax", title: "max ms", better: "none" },
    { key: "removeP50", title: "taken out p50", better: "none" },
    { key: "removeMax", title: "max ms", better: "none" },
    { key: "storedP50", title: "stored p50", better: "none" },
    { key: "storedP99", title: "p99 ms", better: "none" },
    { key: "storedToPlain", title: "of plain's", better: "lower", isRatio: true },
    { key: "openedP50", title: "opened p50", better: "none" },
    { key: "openedP99", title: "p99 ms", better: "none" },
    { key: "openedToPlain", title: "of plain's", better: "lower", isRatio: true },
    { key: "clientMicros", title: "client CPU µs", better: "none" },
    { key: "clientToPlain", title: "of plain's", better: "lower", isRatio: true },
    { key: "serverMicros", title: "server CPU µs", better: "none" },
    { key: "serverToPlain", title: "of plain's", better: "lower", isRatio: true },
    { key: "missed", title: "missed ms", better: "none" },
    { key: "plainMissed", title: "plain's", better: "none" },
    { key: "missedToPlain", title: "of plain's", better: "lower", isRatio: true }
  ],
  // So many are missed.
  load: (members, seconds) => ({ senders: members, rate: 0, messages: seconds >= 3 ? 500 : 50 }),
  prepare: Effect.fnUntraced(function* (subject, load) {
    // Nobody comes to a conversation of two.
    const visitors = load.members === 2 ? 0 : Math.ceil(load.messages / missedForEachVisitor)
    const crew = yield* gather(subject, load.members, visitors)
    return { measure: metered(subject, measure(subject, crew, load)) }
  })
}
