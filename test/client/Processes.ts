/** The client as a shell starts it: a process, its pipes and exit codes; and a server for it. */
import { resolve } from "node:path"
import * as process from "node:process"
import { type Cause, Context, Effect, Fiber, Layer, Queue, Stream, SubscriptionRef } from "effect"
import type { PlatformError } from "effect/PlatformError"
import { ChildProcess } from "effect/process"
import { compileCache } from "../support/CompileCache.ts"
import { programs } from "../support/Programs.ts"
import * as ServerHere from "../support/ServerHere.ts"

export const root = resolve(import.meta.dirname, "../..")
export const clientPath = programs.client

type Environment = Readonly<Record<string, string>>

/**
 * Starts a server that keeps nothing, on a port of its choice unless one is given, for the scope. It is in this process:
 * what clients see of it is the same.
 */
export const startServer = (environment: Environment = {}) =>
  ServerHere.start({ env: { PORT: "0", HOST: "localhost", DATABASE: ":memory:", ...environment } })

/** A server for all tests of a file; any number of messages a second. */
export class Server extends Context.Service<Server, { readonly port: number }>()(
  "parley/test/client/Processes/Server"
) {
  static readonly layer = Layer.effect(Server, startServer({ MESSAGE_RATE: "0" }))
}

interface Outcome {
  readonly stdout: ReadonlyArray<string>
  readonly stderr: ReadonlyArray<string>
  readonly exitCode: number
}

interface RunningClient {
  readonly type: (...lines: ReadonlyArray<string>) => Effect.Effect<void>
  readonly endInput: Effect.Effect<void>
  readonly kill: (signal: ChildProcess.Signal) => Effect.Effect<void>
  /** Waits for a line of the output that holds this text. */
  readonly says: (text: string) => Effect.Effect<void>
  readonly complains: (text: string) => Effect.Effect<void>
  readonly outcome: Effect.Effect<Outcome>
}

interface ClientOptions {
  readonly args: ReadonlyArray<string>
  readonly env?: Environment
  readonly cwd?: string
}

/** Starts a client whose input and output are pipes. */
export const startClient = Effect.fnUntraced(function* ({ args, env = {}, cwd = root }: ClientOptions) {
  const input = yield* Queue.unbounded<string, Cause.Done>()
  const client = yield* ChildProcess.make(process.execPath, [clientPath, ...args], {
    cwd,
    env: { ...compileCache, HOST: "localhost", ...env },
    extendEnv: true,
    stdin: Stream.fromQueue(input).pipe(Stream.encodeText)
  })
  const stdout = yield* transcribe(client.stdout)
  const stderr = yield* transcribe(client.stderr)
  const outcome = Effect.gen(function* () {
    const exitCode = yield* client.exitCode
    return { stdout: yield* stdout.whole, stderr: yield* stderr.whole, exitCode: Number(exitCode) }
  })
  const running: RunningClient = {
    type: (...lines) =>
      Effect.asVoid(
        Queue.offerAll(
          input,
          lines.map((line) => `${line}\n`)
        )
      ),
    endInput: Effect.asVoid(Queue.end(input)),
    kill: (killSignal) => Effect.orDie(client.kill({ killSignal })),
    says: stdout.holds,
    complains: stderr.holds,
    outcome: Effect.orDie(outcome)
  }
  return running
})

/** Runs a client on an input to its end. */
export const runClient = Effect.fnUntraced(function* (options: ClientOptions, lines: ReadonlyArray<string>) {
  const client = yield* startClient(options)
  yield* client.type(...lines)
  yield* client.endInput
  return yield* client.outcome
})

/** Reads lines as they come, for waiting on one of them, and for all of them in the end. */
const transcribe = Effect.fnUntraced(function* (output: Stream.Stream<Uint8Array, PlatformError>) {
  const lines = yield* SubscriptionRef.make<ReadonlyArray<string>>([])
  const reading = yield* output.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEachArray((more) => SubscriptionRef.update(lines, (before) => [...before, ...more])),
    Effect.forkScoped
  )
  return {
    holds: (text: string) =>
      SubscriptionRef.changes(lines).pipe(
        Stream.takeUntil((lines) => lines.some((line) => line.includes(text))),
        Stream.runDrain
      ),
    whole: Effect.andThen(Fiber.join(reading), SubscriptionRef.get(lines))
  }
})
