/** `pnpm client`: the chat client, and its commands for scripts. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer } from "effect"
import manifest from "../../package.json" with { type: "json" }
import * as BrowserProcess from "../client/full/BrowserProcess.ts"
import { main, makeTeardown } from "../client/Main.ts"
import * as DotEnv from "./DotEnv.ts"

main(manifest.version).pipe(
  Effect.provide([Layer.provideMerge(DotEnv.layer, NodeServices.layer), BrowserProcess.layer]),
  NodeRuntime.runMain({ teardown: makeTeardown() })
)
