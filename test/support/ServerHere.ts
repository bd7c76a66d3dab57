/**
 * The server's command in this process, for what ends before it serves anybody: the same command line, environment, `.env`
 * and words as in a process of its own, in a tenth of the time. Whoever uses it has the process for itself: it changes
 * its working directory.
 */
import * as process from "node:process"
import { Effect } from "effect"
import * as DotEnv from "../../src/bin/DotEnv.ts"
import { main } from "../../src/server/Cli.ts"
import * as ProgramHere from "./ProgramHere.ts"
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
  return yield* ProgramHere.run(Effect.provide(main, DotEnv.layerTelling), { args: flags, env })
}, Effect.scoped)
