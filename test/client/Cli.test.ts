/** The client's command line, for what it says before it connects. ClientProcess.test.ts has it in a process. */
import { Console as NodeConsole } from "node:console"
import { PassThrough } from "node:stream"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Console, Effect, Exit, Layer } from "effect"
import { Command } from "effect/cli"
import { cli } from "../../src/client/Cli.ts"
import { commands, usage } from "../../src/client/Command.ts"

const run = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  const [stdout, stderr] = [new PassThrough({ encoding: "utf8" }), new PassThrough({ encoding: "utf8" })]
  const surroundings = Layer.mergeAll(
    NodeServices.layer,
    ConfigProvider.layer(ConfigProvider.fromEnvRecord({})),
    Layer.succeed(Console.Console, new NodeConsole({ stdout, stderr }))
  )
  const exit = yield* Command.runWith(cli, { version: "1" })(args).pipe(Effect.provide(surroundings), Effect.exit)
  return { isSuccess: Exit.isSuccess(exit), stdout: String(stdout.read() ?? ""), stderr: String(stderr.read() ?? "") }
})

describe("The command line of the client", () => {
  it.effect.each([
    { args: [], complaint: "No name was given. Start with --user <name>, or set USER_NAME." },
    { args: ["--user", "a b"], complaint: "must start with a letter or digit" },
    { args: ["--user", "x", "--port", "70000"], complaint: "must be a port, from 1 to 65535" },
    { args: ["--user", "x", "--prot", "1"], complaint: "--port" }
  ])("complains about $args", ({ args, complaint }) =>
    Effect.gen(function* () {
      const { isSuccess, stderr } = yield* run(args)
      assert.include(stderr, complaint)
      assert.isFalse(isSuccess)
    })
  )

  it.effect("teaches every command in its help", () =>
    Effect.gen(function* () {
      const { isSuccess, stdout } = yield* run(["--help"])
      for (const command of commands) assert.include(stdout, usage(command))
      assert.isTrue(isSuccess)
    })
  )
})
