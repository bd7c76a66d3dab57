/** Starts the server. SIGINT and SIGTERM stop it in good order and within 5 s, which counts as success. */
import "effect/schema/SchemaJITCompiler/enable"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit, Layer, Runtime } from "effect"
import { main } from "../server/Cli.ts"
import { untilTold } from "../server/process/ProcessEnd.ts"
import * as DotEnv from "./DotEnv.ts"

main.pipe(
  untilTold,
  Effect.provide(Layer.provideMerge(DotEnv.layerTelling, NodeServices.layer)),
  NodeRuntime.runMain({
    teardown: (exit, onExit) =>
      Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)
  })
)
