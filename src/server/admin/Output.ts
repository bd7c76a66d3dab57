/** Standard output, written so that nothing is lost at the exit and a reader that goes away is noticed. */
import * as process from "node:process"
import { Context, Effect, Layer } from "effect"
import { AdminError, isReaderGone, OutputClosed, systemProblem } from "./AdminError.ts"

export class Output extends Context.Service<
  Output,
  {
    /** Waits until the text has left the process. */
    readonly write: (text: string) => Effect.Effect<void, AdminError | OutputClosed>
  }
>()("parley/server/admin/Output") {
  static readonly layer = Layer.effect(
    Output,
    Effect.sync(() => {
      // Never taken off: the error of a write can follow its callback, and unheard it would end the process.
      for (const output of [process.stdout, process.stderr]) {
        if (!output.listeners("error").includes(ignore)) output.on("error", ignore)
      }
      return Output.of({
        write: (text) =>
          Effect.callback((resume) => {
            process.stdout.write(text, (error) => resume(error ? Effect.fail(explain(error)) : Effect.void))
          })
      })
    })
  )
}

const explain = (error: Error) =>
  isReaderGone(error)
    ? new OutputClosed()
    : new AdminError({ message: `Cannot write to standard output: ${systemProblem(error)}` })

const ignore = () => {}
