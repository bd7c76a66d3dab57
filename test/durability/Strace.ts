/**
 * Faults as the kernel makes them: `strace` attaches to a running server and tampers with the system calls that SQLite
 * makes, from then on until it is detached. The server has no part in it.
 *
 * Only calls that concern the given files are touched, so that a fault hits the database and neither the log nor the
 * search index.
 */
import { execFileSync } from "node:child_process"
import { Effect, Scope, Stream } from "effect"
import { ChildProcess } from "effect/process"

export interface Fault {
  readonly pid: number
  readonly files: ReadonlyArray<string>
  readonly calls: ReadonlyArray<string>
  /** In strace's words, as in `error=ENOSPC`, `signal=SIGKILL:when=3` or `delay_enter=20000` (microseconds). */
  readonly inject: string
}

/** Why nothing can be traced here, or undefined: tried on a process that is nobody's child of strace. */
export const missing: string | undefined = (() => {
  try {
    execFileSync("sh", ["-c", "sleep 0.3 & strace -qq -o /dev/null -p $!; exit $?"], { stdio: "ignore" })
    return undefined
  } catch {
    return "strace is missing or may not attach to processes"
  }
})()

/** For the titles of tests that are skipped without it. */
export const note = missing === undefined ? "" : ` (skipped: ${missing})`

/** Begins; ends when the scope closes, or when the process does. */
const attach = Effect.fnUntraced(function* ({ calls, files, inject, pid }: Fault) {
  const names = calls.join(",")
  const flags = ["-f", "-p", `${pid}`, "-o", "/dev/null", "-e", `trace=${names}`, "-e", `inject=${names}:${inject}`]
  const tracer = yield* ChildProcess.make("strace", [...flags, ...files.flatMap((file) => ["-P", file])], {
    // Interrupted, it lets go of the process; its own death would do the same.
    killSignal: "SIGINT",
    forceKillAfter: "5 seconds"
  })
  // It says so once it holds all threads; what it says later has to be read, too.
  const words = yield* Stream.decodeText(tracer.stderr).pipe(
    Stream.splitLines,
    Stream.broadcast({ capacity: 16, replay: 16 })
  )
  yield* Effect.forkScoped(Stream.runDrain(words))
  yield* Stream.runHead(Stream.filter(words, (line) => line.includes(`Process ${pid} attached`)))
})

/** Carries something out while the fault is there. What it opens stays open afterwards. */
export const during = <A, E, R>(fault: Fault, effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Scope.make(),
    (scope) => Effect.andThen(Scope.provide(attach(fault), scope), effect),
    Scope.close
  )
