/**
 * How processors are reached: a queue of commands, each with a deferred where the sender waits for an answer.
 *
 * The command is data, the deferred is a handle; the two only travel together here. A mailbox is unbounded as a queue
 * and bounded by what fills it: a connection has at most `maxInFlight` requests under way (see Requests), so all the
 * mailboxes together hold at most that many per connection, and nobody who fills one ever has to wait (invariant 1).
 */
import { Clock, Deferred, Effect, Queue, Result } from "effect"

export interface Envelope<Command, Answer> {
  readonly command: Command
  readonly answer: Deferred.Deferred<Answer> | undefined
}

export interface Mailbox<Command, Answer = never> {
  readonly queue: Queue.Queue<Envelope<Command, Answer>>
}

export const make = <Command, Answer = never>(): Effect.Effect<Mailbox<Command, Answer>> =>
  Effect.map(Queue.unbounded<Envelope<Command, Answer>>(), (queue) => ({ queue }))

/** Hands a command over and goes on. */
export const tellUnsafe = <Command, Answer>(mailbox: Mailbox<Command, Answer>, command: Command): void => {
  Queue.offerUnsafe(mailbox.queue, { command, answer: undefined })
}

/**
 * Hands a command over and waits for the answer. Only ever downwards: ClientHandler asks ServerProcessor or a
 * RoomManager, never the other way round (invariant 2).
 */
export const ask = Effect.fnUntraced(function* <Command, Answer>(mailbox: Mailbox<Command, Answer>, command: Command) {
  const answer = yield* Deferred.make<Answer>()
  // A closed mailbox takes nothing and says so; waiting for its answer would be for ever.
  const taken = yield* Queue.offer(mailbox.queue, { command, answer })
  return yield* taken ? Deferred.await(answer) : Effect.interrupt
})

/** What a handler does: at once, or as an effect that the loop runs before the next command. */
export type Handled = Effect.Effect<void> | void

export interface ProcessOptions<Command, Answer> {
  readonly handle: (command: Command, answer: (answer: Answer) => void) => Handled
  readonly refuse: (command: Command, answer: (answer: Answer) => void) => void
  /** Once after the commands that were waiting together; if it dies, all of them are refused. */
  readonly afterwards?: () => void
}

/** After so long, 2 ms, whoever else has something to do on the event loop does it first. */
const maxTurnNanos = 2_000_000n
const commandsBetweenLooks = 16

/**
 * The life of a processor: takes all that waits, acts on each command in turn, for ever.
 *
 * A command whose handler dies costs only itself (invariant 6): the defect is logged, `refuse` answers whoever asked,
 * and the loop goes on. Handlers replace their state as their last step, so a dead one has changed nothing.
 *
 * Hot path: most handlers are plain functions, since routing a message takes less time than running an Effect would.
 */
export const process = <Command, Answer>(
  mailbox: Mailbox<Command, Answer>,
  options: ProcessOptions<Command, Answer>
): Effect.Effect<never> => {
  const handleAll = Effect.fnUntraced(function* (envelopes: ReadonlyArray<Envelope<Command, Answer>>) {
    const clock = yield* Clock.Clock
    let since = clock.monotonicTimeNanosUnsafe()
    for (const [index, envelope] of envelopes.entries()) {
      const handled = carryOut(envelope.command, answerOf(envelope), options)
      if (handled !== undefined) yield* handled
      if (
        index % commandsBetweenLooks !== commandsBetweenLooks - 1 ||
        clock.monotonicTimeNanosUnsafe() - since < maxTurnNanos
      )
        continue
      yield* Effect.yieldNow
      since = clock.monotonicTimeNanosUnsafe()
    }
    const done = Result.try(() => options.afterwards?.())
    if (Result.isFailure(done)) {
      for (const envelope of envelopes) options.refuse(envelope.command, answerOf(envelope))
      yield* Effect.logError("The commands that were waiting together died", done.failure)
    }
  })
  return Effect.forever(Effect.flatMap(Queue.takeAll(mailbox.queue), handleAll), { disableYield: true })
}

/** Acts on one command; a defect is logged and answered. What is left to do takes an effect, if anything is. */
export const carryOut = <Command, Answer>(
  command: Command,
  answer: (answer: Answer) => void,
  options: Pick<ProcessOptions<Command, Answer>, "handle" | "refuse">
): Effect.Effect<void> | undefined => {
  const died = (defect: unknown) => {
    options.refuse(command, answer)
    return Effect.logError("A command's handler died", defect)
  }
  const handled = Result.try(() => options.handle(command, answer))
  if (Result.isFailure(handled)) return died(handled.failure)
  return handled.success === undefined ? undefined : Effect.catchDefect(handled.success, died)
}

const answerOf =
  <Answer>({ answer }: Envelope<unknown, Answer>) =>
  (value: Answer) => {
    if (answer !== undefined) Deferred.doneUnsafe(answer, Effect.succeed(value))
  }
