/**
 * The client as a program: what was typed wrong and what went wrong is one sentence on standard error, and the exit code
 * says which. Help is on standard output, and only if it was asked for.
 */
import process from "node:process"
import { Cause, Console, Effect, Exit, type Layer, Runtime, Schema } from "effect"
import { CliOutput, Command } from "effect/cli"
import { cli } from "./Cli.ts"
import { exitCode } from "./core/ExitCode.ts"
import { CannotChat } from "./Entrance.ts"
import { Output } from "./script/Output.ts"
import { ScriptError } from "./script/ScriptError.ts"

/** The command line asks for nothing that there is; that has been told. */
class NotUsable extends Schema.TaggedError<NotUsable>()("NotUsable", {}) {
  override readonly [Runtime.errorExitCode] = exitCode.usage
  override readonly [Runtime.errorReported] = false
}

const presenter = CliOutput.layerPresenter({
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Console.error(
          [
            ...event.errors.map(({ message }) => sentence(message)),
            `"pnpm -s ${["client", ...event.commandPath.slice(1)].join(" ")} --help" explains it.`
          ].join(" ")
        )
      : CliOutput.defaultPresenter.present(event)
})

const sentence = (text: string): string => text.replaceAll(/\s*\n\s*/g, " ").replace(/\.?$/, ".")

const isTold = Schema.is(Schema.Union([CannotChat, ScriptError]))

/** Carries out what the command line says. Scripts write to that output. */
export const mainTo = (version: string, output: Layer.Layer<Output>) =>
  Command.run(cli, { version }).pipe(
    Effect.catchTags({
      // Nobody reads any more, as when `head` has seen enough.
      OutputClosed: () => Effect.void,
      ShowHelp: ({ errors }) => (errors.length > 0 ? Effect.fail(new NotUsable()) : Effect.void)
    }),
    Effect.tapError((error) => {
      if (!isTold(error)) return Effect.void
      Object.assign(error, { [Runtime.errorReported]: false })
      return Console.error(error.message)
    }),
    Effect.provide([presenter, output])
  )

export const main = (version: string) => mainTo(version, Output.layerTo(process.stdout))

/** A shell calls it 128 + n when signal n has ended a program. */
const codes = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 } as const

/** Which code the process ends with. To be called once, by the process whose signals these are. */
export const makeTeardown = (): Runtime.Teardown => {
  let ended: number | undefined
  const hear = (signal: keyof typeof codes) => process.once(signal, () => (ended ??= codes[signal]))
  hear("SIGHUP")
  hear("SIGINT")
  hear("SIGQUIT")
  hear("SIGTERM")
  // Whoever loses their terminal, or is to leave at once, leaves as on SIGTERM, with the terminal as it was.
  for (const signal of ["SIGHUP", "SIGQUIT"]) process.on(signal, () => process.kill(process.pid, "SIGTERM"))
  return (exit, onExit) => {
    const isInterrupted = Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
    return isInterrupted && ended !== undefined ? onExit(ended) : Runtime.defaultTeardown(exit, onExit)
  }
}
