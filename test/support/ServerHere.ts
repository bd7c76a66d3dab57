/**
 * The server's command in this process: the same command line, environment and words as in a process of its own, in a tenth
 * of the time.
 */
import * as process from "node:process"
import { Effect } from "effect"
import * as DotEnv from "../../src/bin/DotEnv.ts"
import { main } from "../../src/server/Cli.ts"
import * as ProgramHere from "./ProgramHere.ts"
import { newFolderWith, type ServerProcessOptions } from "./ServerProcess.ts"

type Options = Pick<ServerProcessOptions, "dotEnv" | "env" | "flags">

/**
 * Starts a server that is expected not to start, and tells how it ended. It finds its `.env`. Whoever uses this has the
 * process for itself: it changes its working directory.
 */
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
  return yield* ProgramHere.run(() => Effect.provide(main, DotEnv.layerTelling), { args: flags, env })
}, Effect.scoped)

/**
 * Starts a server, waits until it listens, and stops it in good order when the scope closes. It reads no `.env`. `said` is what
 * it says, its log on standard error.
 */
export const start = Effect.fnUntraced(function* ({ env = {}, flags = [] }: Pick<Options, "env" | "flags"> = {}) {
  const { match, said } = yield* ProgramHere.start(() => main, { args: flags, env }, /listening on \S+:(\d+)\n/)
  return { port: Number(match[1]), said }
})
