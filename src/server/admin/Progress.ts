/**
 * How far a long task is, on one line of the terminal that standard error is; nothing if it is none.
 *
 * The line appears when a task has taken half a second, is redrawn ten times a second, and is gone when the task ends.
 */
import * as process from "node:process"
import { Clock, Config, Context, Effect, Layer, Option, Stdio } from "effect"

export interface Task {
  /** What is being done: "Copying". */
  readonly label: string
  /** How far it is; without it, only the time passed is shown. */
  readonly progress?: { readonly total: number; readonly done: Effect.Effect<number> }
}

const patience = "500 millis"
const pace = "100 millis"
const barCells = 24

export class Progress extends Context.Service<
  Progress,
  { readonly during: (task: Task) => <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> }
>()("parley/server/admin/Progress") {
  static readonly silent = Progress.of({ during: () => (work) => work })

  static readonly layer = Layer.effect(
    Progress,
    Effect.gen(function* () {
      const stdio = yield* Stdio.Stdio
      const isDumb = Option.contains(yield* Effect.orDie(Config.option(Config.String("TERM"))), "dumb")
      if (isDumb || !(yield* stdio.stderrIsTerminal)) return Progress.silent
      let isDrawn = false
      const draw = (text: string) => {
        isDrawn = text !== ""
        process.stderr.write(`\r\u001b[K${text.slice(0, (process.stderr.columns || 80) - 1)}`)
      }
      const clear = Effect.sync(() => {
        if (isDrawn) draw("")
      })
      // An abandoned task (see Interruption) does not clear it.
      yield* Effect.addFinalizer(() => clear)

      const show = Effect.fnUntraced(function* ({ label, progress }: Task) {
        const start = yield* Clock.currentTimeMillis
        yield* Effect.sleep(patience)
        const redraw = Effect.gen(function* () {
          const millis = (yield* Clock.currentTimeMillis) - start
          const share = progress === undefined ? undefined : (yield* progress.done) / Math.max(1, progress.total)
          yield* Effect.sync(() => draw(line(label, millis, share)))
          yield* Effect.sleep(pace)
        })
        return yield* Effect.forever(redraw)
      })
      return Progress.of({
        during: (task) => (work) => Effect.raceFirst(work, show(task)).pipe(Effect.ensuring(clear))
      })
    })
  )
}

const line = (label: string, millis: number, share: number | undefined): string => {
  const seconds = `${Math.floor(millis / 1000)} s`
  if (share === undefined) return `${label}… ${seconds}`
  const bounded = Math.min(1, Math.max(0, share))
  const filled = Math.floor(bounded * barCells)
  const bar = `${"█".repeat(filled)}${"░".repeat(barCells - filled)}`
  return `${label.padEnd(20)} ${bar} ${`${Math.floor(bounded * 100)}`.padStart(3)} %  ${seconds}`
}
