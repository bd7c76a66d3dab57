/** A command of parley's in this process: the same command line, environment and words as in a process of its own. */
import { Console as NodeConsole } from "node:console"
import { PassThrough } from "node:stream"
import { finished } from "node:stream/promises"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { ConfigProvider, Console, Deferred, Effect, Exit, Layer, Runtime, Schema, Stdio } from "effect"

interface Given {
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
}

/** The program, given what takes the place of its process's standard output. */
type Program<A, E> = (stdout: NodeJS.WritableStream) => Effect.Effect<A, E, NodeServices.NodeServices>

/** It ended before it said what it was expected to. */
class Ended extends Schema.TaggedError<Ended>()("Ended", { message: Schema.String }) {}

const prepare = <A, E>(program: Program<A, E>, { args, env }: Given) => {
  const [stdout, stderr] = [new PassThrough({ encoding: "utf8" }), new PassThrough({ encoding: "utf8" })]
  const said = { stdout: "", stderr: "" }
  stdout.on("data", (text) => (said.stdout += String(text)))
  stderr.on("data", (text) => (said.stderr += String(text)))
  const surroundings = Layer.mergeAll(
    NodeServices.layer,
    ConfigProvider.layer(ConfigProvider.fromEnvRecord(env)),
    Layer.succeed(Console.Console, new NodeConsole({ stdout, stderr }))
  )
  const running = program(stdout).pipe(
    Effect.updateService(Stdio.Stdio, (stdio) => Stdio.make({ ...stdio, args: Effect.succeed(args) })),
    Effect.provide(surroundings)
  )
  /** All that was said has been heard. */
  const heard = Effect.promise(() => Promise.all([finished(stdout.end()), finished(stderr.end())]))
  return { heard, running, said, stdout }
}

/** Runs it to its end, and tells how it ended. */
export const run = Effect.fnUntraced(function* <A, E>(program: Program<A, E>, given: Given) {
  const { heard, running, said } = prepare(program, given)
  const exit = yield* Effect.exit(running)
  yield* heard
  let exitCode = 0
  Runtime.defaultTeardown(exit, (code) => {
    exitCode = code
  })
  return { ...said, exitCode }
})

/** Starts it, and waits until its output matches; answers the match, and what it says. It is stopped when the scope closes. */
export const start = Effect.fnUntraced(function* <A, E>(program: Program<A, E>, given: Given, ready: RegExp) {
  const { running, said, stdout } = prepare(program, given)
  const found = yield* Deferred.make<RegExpExecArray, Ended>()
  stdout.on("data", () => {
    const match = ready.exec(said.stdout)
    if (match !== null) Deferred.doneUnsafe(found, Exit.succeed(match))
  })
  const ended = Effect.suspend(() => Deferred.fail(found, new Ended({ message: said.stderr })))
  yield* Effect.forkScoped(Effect.ensuring(running, ended))
  const match = yield* Deferred.await(found)
  return { match, said: said as Readonly<typeof said> }
})
