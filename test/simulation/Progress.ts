/** How far it is, on one line: of a terminal the same one over and over, of a file or a pipe a new one every ten seconds. */
import { Clock, Console, Effect, Stdio, Terminal } from "effect"

const clearLine = "\r\u001b[K"

/** In milliseconds. */
const pauseOf = (isTerminal: boolean) => (isTerminal ? 1000 : 10_000)

export const make = Effect.gen(function* () {
  const terminal = yield* Terminal.Terminal
  const { stdoutIsTerminal } = yield* Stdio.Stdio
  const isTerminal = yield* stdoutIsTerminal
  // Simulations have clocks of their own.
  const clock = yield* Clock.Clock
  const start = clock.currentTimeMillisUnsafe()
  const pause = pauseOf(isTerminal)
  let due = start + pause
  const show = (text: () => string) =>
    Effect.suspend(() => {
      const now = clock.currentTimeMillisUnsafe()
      if (now < due) return Effect.void
      due = now + pause
      return isTerminal ? Effect.orDie(terminal.display(`${clearLine}${text()}`)) : Console.log(text())
    })
  return {
    /** If it is time. */
    show,
    /** Looks whether it is time, for the scope: for what takes long by itself. */
    showing: (text: () => string) =>
      Effect.asVoid(Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(pause), show(text))))),
    /** Something that stays. */
    tell: (text: string) =>
      Effect.andThen(isTerminal ? Effect.orDie(terminal.display(clearLine)) : Effect.void, Console.log(text)),
    seconds: () => (clock.currentTimeMillisUnsafe() - start) / 1000
  }
})
export type Progress = Effect.Success<typeof make>
