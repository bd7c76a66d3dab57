/** The client's command line in this process, and what it makes of its input; see `ProgramHere`. */
import { Effect, Layer, Stdio, Stream } from "effect"
import { mainTo } from "../../src/client/Main.ts"
import { Output } from "../../src/client/script/Output.ts"
import * as ProgramHere from "../support/ProgramHere.ts"

interface Given {
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: Stream.Stream<Uint8Array>
  /** In place of the standard output. */
  readonly output?: Output["Service"]
}

/** Whoever gives it no folders is not to come in: it would find those of whoever runs the tests. */
const nowhere = { XDG_STATE_HOME: "/nowhere/state", XDG_CONFIG_HOME: "/nowhere/config", XDG_DATA_HOME: "/nowhere/data" }

/** Runs it to its end, and tells how it ended. */
export const run = (args: ReadonlyArray<string>, { env = {}, output, stdin = Stream.empty }: Given = {}) =>
  ProgramHere.run(
    (stdout) =>
      mainTo("1", output === undefined ? Output.layerTo(stdout) : Layer.succeed(Output, output)).pipe(
        Effect.updateService(Stdio.Stdio, (stdio) => Stdio.make({ ...stdio, stdin }))
      ),
    { args, env: { ...nowhere, ...env } }
  )
