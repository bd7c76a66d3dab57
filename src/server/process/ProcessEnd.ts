/**
 * How the server's process ends: when it is told by SIGTERM or SIGINT, or when whoever started it by a package manager's
 * script is gone, in good order; and `patience` later in any case, with exit code 0 all the same. What was answered is
 * on the disk by then, and the rest was never promised. A second signal ends it at once.
 */
import { existsSync, readFileSync } from "node:fs"
import process from "node:process"
import { Effect, Result } from "effect"

/** From the first word that it should to the end of the process, in milliseconds. */
const patience = 5000

/** A package manager passes on the signal that the terminal has sent to everyone: so soon, it is the same one. */
const sameSignal = 500

/** How often it is looked whether those who started it are still there. */
const lookInterval = "1 second"

/** Runs a program until it ends by itself or the process is told to end, which interrupts it. */
export const untilTold = <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<A | void, E, R> =>
  Effect.scoped(Effect.andThen(hearSignals, Effect.raceFirst(program, leftAlone)))

/**
 * Ends the process now. `process.exit` would wait for threads that are inside a statement of SQLite or a system call, for
 * as long as the disk likes; another program in its place does not.
 */
const endNow = () => {
  Result.try(() => {
    if (existsSync(process.execPath)) process.execve?.(process.execPath, [process.execPath, "--eval", ""], {})
  })
  // Where there is no other program: at once, though not with 0.
  process.kill(process.pid, "SIGKILL")
}

let toldAt: number | undefined

/** The process has been told; it may be told again. */
const beTold = () => {
  const now = performance.now()
  if (toldAt === undefined) {
    toldAt = now
    setTimeout(endNow, patience).unref()
  } else if (now - toldAt > sameSignal) {
    endNow()
  }
}

/** Beside the runtime's own listener, which interrupts the program. */
const hearSignals = Effect.acquireRelease(
  Effect.sync(() => {
    for (const signal of signals) process.on(signal, beTold)
  }),
  () =>
    Effect.sync(() => {
      for (const signal of signals) process.off(signal, beTold)
    })
)

const signals = ["SIGTERM", "SIGINT"] as const

/** Package managers say so to what they run. */
const marker = "npm_lifecycle_event"

/** What the system says of a process, where it says it in files; elsewhere nothing. */
const fileOf = (pid: number, name: string): string =>
  Result.getOrElse(
    Result.try(() => readFileSync(`/proc/${pid}/${name}`, "utf8")),
    () => ""
  )

const parentOf = (pid: number): number | undefined => {
  if (pid === process.pid) return process.ppid
  // The name in brackets may hold anything (proc(5)).
  const [, parent] = fileOf(pid, "stat")
    .replace(/^.*\) /s, "")
    .split(" ")
  return parent === undefined ? undefined : Number(parent)
}

const wasStartedByScript = (pid: number): boolean =>
  pid === process.pid ? process.env[marker] !== undefined : fileOf(pid, "environ").includes(`${marker}=`)

/** From this process to the one a person started: the shells and package managers in between, and their parents. */
const startedBy: ReadonlyArray<readonly [pid: number, parent: number]> = (() => {
  const links: Array<readonly [number, number]> = []
  let pid = process.pid
  while (links.length < 16 && wasStartedByScript(pid)) {
    const parent = parentOf(pid)
    if (parent === undefined) break
    links.push([pid, parent])
    pid = parent
  }
  return links
})()

/** A process whose parent has gone has another: no number has to be compared with one that was used again. */
const isLeftAlone = () => startedBy.some(([pid, parent]) => parentOf(pid) !== parent)

/** Ends when one of those who started the process is gone. A server that nobody's script has started is its own. */
const leftAlone: Effect.Effect<void> =
  startedBy.length === 0
    ? Effect.never
    : Effect.sleep(lookInterval).pipe(
        Effect.repeat({ until: isLeftAlone }),
        Effect.andThen(Effect.sync(beTold)),
        Effect.andThen(Effect.logInfo("The package manager that started the server is gone, and the server stops"))
      )
