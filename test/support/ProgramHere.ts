/** A command of parley's in this process: the same command line, environment and words as in a process of its own. */
import { Console as NodeConsole } from "node:console"
import { PassThrough } from "node:stream"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { ConfigProvider, Console, Effect, Layer, Runtime, Stdio } from "effect"

interface Given {
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
}

/** Runs it to its end, and tells how it ended. */
export const run = Effect.fnUntraced(function* <A, E>(
  program: Effect.Effect<A, E, NodeServices.NodeServices>,
  { args, env }: Given
) {
  const [stdout, stderr] = [new PassThrough({ encoding: "utf8" }), new PassThrough({ encoding: "utf8" })]
  const surroundings = Layer.mergeAll(
    NodeServices.layer,
    ConfigProvider.layer(ConfigProvider.fromEnvRecord(env)),
    Layer.succeed(Console.Console, new NodeConsole({ stdout, stderr }))
  )
  const exit = yield* program.pipe(
    Effect.updateService(Stdio.Stdio, (stdio) => Stdio.make({ ...stdio, args: Effect.succeed(args) })),
    Effect.provide(surroundings),
    Effect.exit
  )
  let exitCode = 0
  Runtime.defaultTeardown(exit, (code) => {
    exitCode = code
  })
  return { stdout: String(stdout.read() ?? ""), stderr: String(stderr.read() ?? ""), exitCode }
})
