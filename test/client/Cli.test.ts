/** The client's command line, for what it says before it connects. ClientProcess.test.ts has it in a process. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { cli } from "../../src/client/Cli.ts"
import { commands, usage } from "../../src/client/command/Command.ts"
import * as ProgramHere from "../support/ProgramHere.ts"

const run = (args: ReadonlyArray<string>) =>
  ProgramHere.run(Command.runWith(cli, { version: "1" })(args), { args, env: {} })

describe("The command line of the client", () => {
  it.effect.each([
    { args: [], complaint: "No name was given. Start with --user <name>, or set USER_NAME." },
    { args: ["--user", "a b"], complaint: "must start with a letter or digit" },
    { args: ["--user", "x", "--port", "70000"], complaint: "must be a port, from 1 to 65535" },
    { args: ["--user", "x", "--prot", "1"], complaint: "--port" }
  ])("complains about $args", ({ args, complaint }) =>
    Effect.gen(function* () {
      const { exitCode, stderr } = yield* run(args)
      assert.include(stderr, complaint)
      assert.strictEqual(exitCode, 1)
    })
  )

  it.effect("teaches every command in its help", () =>
    Effect.gen(function* () {
      const { exitCode, stdout } = yield* run(["--help"])
      for (const command of commands) assert.include(stdout, usage(command))
      assert.strictEqual(exitCode, 0)
    })
  )
})
