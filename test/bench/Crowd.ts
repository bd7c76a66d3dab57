/**
 * Members that are connected, named and in their rooms: what every mode starts from. They leave when the scope closes.
 */
import { Array as Arr, Data, Effect, type Scope } from "effect"
import type { Dialect } from "./Dialect.ts"
import { Member } from "./Member.ts"
import { connectTcp } from "./Wire.ts"

/** A measurement cannot be made, or not be trusted. Its message says why. */
export class BenchError extends Data.TaggedError("BenchError")<{ readonly message: string }> {}

/** Where the server listens, and in which protocol. */
export interface Address {
  readonly port: number
  readonly dialect: Dialect
}

/** How many connect at the same time while a crowd gathers; nothing is measured then. */
const gatherConcurrency = 50

/** How long nothing must come before a crowd counts as quiet. */
const quietMillis = 150

const patience = "30 seconds"

/** No two members of this process share a name. */
let named = 0

/** Begins to connect. */
export const dial = (address: Address): Effect.Effect<Member, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Member(`m${++named}`, address.dialect, address.port, connectTcp)),
    (member) => Effect.sync(() => member.close())
  )

/** Connects, says its name and is welcomed. */
export const join = (address: Address): Effect.Effect<Member, BenchError, Scope.Scope> =>
  Effect.tap(dial(address), (member) => welcome(member))

const welcome = (member: Member) =>
  waitFor(member, "welcome", (done) => {
    member.onOpen = () => member.write(member.dialect.hello(member.name))
    return (line) => {
      if (member.dialect.isWelcome(line)) done()
    }
  })

/** Writes something and waits for the line that answers it. */
export const ask = (member: Member, text: string, isAnswer: (line: string) => boolean) =>
  waitFor(member, `answer to ${text.trim()}`, (done) => {
    member.write(text)
    return (line) => {
      if (isAnswer(line)) done()
    }
  })

/** Gives the answer, and how long it took in milliseconds. */
export const askTimed = (member: Member, text: string, isAnswer: (line: string) => boolean) =>
  Effect.suspend(() => {
    const startedAt = performance.now()
    return Effect.map(ask(member, text, isAnswer), ({ at, line }) => ({ line, millis: at - startedAt }))
  })

interface Answer {
  readonly line: string
  readonly at: number
}

const waitFor = (member: Member, what: string, start: (done: () => void) => (line: string) => void) =>
  Effect.callback<Answer, BenchError>((resume) => {
    const fail = (reason: string) =>
      resume(Effect.fail(new BenchError({ message: `No ${what} for ${member.name}: ${reason}` })))
    if (member.isClosed) return fail("its connection is closed")
    let current: Answer = { line: "", at: 0 }
    const look = start(() => {
      member.onLine = undefined
      member.onClose = () => {}
      resume(Effect.succeed(current))
    })
    member.onClose = fail
    member.onLine = (line, at) => {
      const answer = member.dialect.answer?.(line)
      if (answer !== undefined) member.write(answer)
      current = { line, at }
      look(line)
    }
  }).pipe(
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => Effect.fail(new BenchError({ message: `No ${what} for ${member.name} in ${patience}.` }))
    })
  )

/** So many members, connected and named. */
export const gather = (address: Address, count: number) =>
  Effect.forEach(Arr.range(1, count), () => join(address), { concurrency: gatherConcurrency })

/** Makes the room, where that has to be done, and brings these members in. */
export const enter = Effect.fnUntraced(function* (members: ReadonlyArray<Member>, room: string) {
  const [first] = members
  if (first === undefined) return
  const create = first.dialect.create?.(room)
  if (create !== undefined)
    yield* ask(first, create, (line) => line.startsWith('{"_tag":"RoomCreated"') && line.includes(`"${room}"`))
  yield* Effect.forEach(members, (member) => ask(member, member.dialect.join(room), isJoined(member, room)), {
    concurrency: gatherConcurrency,
    discard: true
  })
})

const isJoined = (member: Member, room: string) => (line: string) => member.dialect.isJoined(line, room)

/** Waits until nothing comes any more: who came and went has been told to everyone. */
export const settle = Effect.fnUntraced(function* (members: ReadonlyArray<Member>) {
  let before = -1
  for (let now = bytesOf(members); now !== before; now = bytesOf(members)) {
    before = now
    yield* Effect.sleep(quietMillis)
  }
})

const bytesOf = (members: ReadonlyArray<Member>) => members.reduce((sum, { bytes }) => sum + bytes, 0)

/** Fails if a member's connection has ended: what is measured with the others would not be what was asked for. */
export const assertAllHere = (members: ReadonlyArray<Member>) => {
  const gone = members.filter(({ isClosed }) => isClosed)
  const [first] = gone
  return first === undefined
    ? Effect.void
    : Effect.fail(
        new BenchError({
          message: `${gone.length} of ${members.length} members were cut off: ${first.lastRefusal || "no reason given"}`
        })
      )
}
