/**
 * The server's command in this process, for what ends before it serves anybody: the same command line, environment, `.env`
 * and words as in a process of its own, in a tenth of the time. Whoever uses it has the process for itself: it changes
 * its working directory.
 */
import { Console as NodeConsole } from "node:console"
import * as process from "node:process"
import { PassThrough } from "node:stream"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { ConfigProvider, Console, Effect, Layer, Runtime, Stdio } from "effect"
import { main } from "../../src/server/Cli.ts"
import { newFolderWith, type ServerProcessOptions } from "./ServerProcess.ts"

type Options = Pick<ServerProcessOptions, "dotEnv" | "env" | "flags">

/** Starts a server that is expected not to start, and tells how it ended. */
export const run = Effect.fnUntraced(function* ({ dotEnv, env = {}, flags = [] }: Options) {
  const cwd = yield* newFolderWith(dotEnv)
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const before = process.cwd()
      process.chdir(cwd)
      return before
    }),
    (before) => Effect.sync(() => process.chdir(before))
  )
  const [stdout, stderr] = [new PassThrough({ encoding: "utf8" }), new PassThrough({ encoding: "utf8" })]
  const surroundings = Layer.mergeAll(NodeServices.layer, ConfigProvider.layer(ConfigProvider.fromEnvRecord(env))).pipe(
    Layer.provideMerge(Layer.succeed(Console.Console, new NodeConsole({ stdout, stderr })))
  )
  const exit = yield* main.pipe(
    Effect.updateService(Stdio.Stdio, (stdio) => Stdio.make({ ...stdio, args: Effect.succeed(flags) })),
    Effect.provide(surroundings),
    Effect.exit
  )
  let exitCode = 0
  Runtime.defaultTeardown(exit, (code) => {
    exitCode = code
  })
  return { stdout: String(stdout.read() ?? ""), stderr: String(stderr.read() ?? ""), exitCode }
}, Effect.scoped)
