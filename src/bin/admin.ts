/** `pnpm admin`: looks after a server's data. Ctrl-C ends it by the signal itself, which a shell calls exit code 130. */
import "effect/schema/SchemaJITCompiler/enable"
import * as process from "node:process"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit, Layer, Runtime } from "effect"
import { main } from "../server/admin/AdminCli.ts"
import * as DotEnv from "./DotEnv.ts"

main.pipe(
  Effect.provide(Layer.provideMerge(DotEnv.layer, NodeServices.layer)),
  NodeRuntime.runMain({
    teardown: (exit, onExit) => {
      if (Exit.isSuccess(exit) || !Cause.hasInterruptsOnly(exit.cause)) return Runtime.defaultTeardown(exit, onExit)
      // `process.exit` would wait for a thread in the middle of a long statement. Nobody handles the signal any more.
      process.kill(process.pid, "SIGINT")
    }
  })
)
