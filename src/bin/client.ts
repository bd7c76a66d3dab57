/** `pnpm client`: the chat client. */
import process from "node:process"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer } from "effect"
import { Command } from "effect/cli"
import manifest from "../../package.json" with { type: "json" }
import { cli } from "../client/Cli.ts"
import * as DotEnv from "./DotEnv.ts"

// Whoever loses their terminal leaves as on SIGTERM, with the terminal as it was.
process.on("SIGHUP", () => process.kill(process.pid, "SIGTERM"))

cli.pipe(
  Command.run({ version: manifest.version }),
  Effect.provide(Layer.provideMerge(DotEnv.layer, NodeServices.layer)),
  NodeRuntime.runMain
)
