/** `pnpm client`: the chat client. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer } from "effect"
import { Command } from "effect/cli"
import manifest from "../../package.json" with { type: "json" }
import { cli } from "../client/Cli.ts"
import * as DotEnv from "./DotEnv.ts"

cli.pipe(
  Command.run({ version: manifest.version }),
  Effect.provide(Layer.provideMerge(DotEnv.layer, NodeServices.layer)),
  NodeRuntime.runMain
)
