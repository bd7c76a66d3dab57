/** What the log would be told, line by line, as the server writes it, but for when. */
import { Effect, Logger, References } from "effect"

/** Runs it, and gives the lines of this level and above, as they come. */
export const collecting = <A, E, R>(use: (lines: Array<string>) => Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const lines: Array<string> = []
    const logger = Logger.map(Logger.formatLogFmt, (line) => {
      // What the clock of a test says for itself is no line of the server's.
      if (line.includes("A test is using time")) return
      lines.push(line.replace(/^timestamp=\S+ level=(\S+) fiber=\S+ message=/, "$1 "))
    })
    return use(lines).pipe(
      Effect.provide(Logger.layer([logger])),
      Effect.provideService(References.MinimumLogLevel, "Info")
    )
  })
