/**
 * Opens links by a program of their own, which lives on when the client ends, and has nothing of its terminal. Node's own `spawn`: a
 * process of Effect ends with its scope.
 *
 * A program that ends within `patience` without an error, or that still runs, has opened it.
 */
import { spawn } from "node:child_process"
import * as process from "node:process"
import { Config, Effect, Layer } from "effect"
import { Browser, commandFor } from "./Browser.ts"

const patience = "2 seconds"

const variable = (name: string) => Config.String(name).pipe(Config.withDefault(""))
const variables = Config.all({
  browser: variable("BROWSER"),
  display: variable("DISPLAY"),
  waylandDisplay: variable("WAYLAND_DISPLAY")
})

const run = (program: string, words: ReadonlyArray<string>): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    const child = spawn(program, [...words], { detached: true, shell: false, stdio: "ignore" })
    child.unref()
    child.once("error", () => resume(Effect.succeed(false)))
    child.once("exit", (code) => resume(Effect.succeed(code === 0)))
  }).pipe(Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.succeed(true) }))

export const layer: Layer.Layer<never> = Layer.succeed(Browser, {
  open: (target) =>
    Effect.gen(function* () {
      const command = commandFor(target, { platform: process.platform, ...(yield* variables) })
      return command !== undefined && (yield* run(command.program, command.words))
    }).pipe(Effect.orElseSucceed(() => false))
})
