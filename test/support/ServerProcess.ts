/**
 * The server as an operator starts it: a process with its environment, flags, working directory and exit code.
 *
 * It sees no environment but the one it is given, and is killed when the scope closes. Node keeps what it has compiled
 * between runs: a start takes half the time.
 */
import { execFileSync } from "node:child_process"
import { resolve } from "node:path"
import * as process from "node:process"
import { Effect, Fiber, FileSystem, Option, Schema, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { compileCache } from "./CompileCache.ts"
import { programs } from "./Programs.ts"

export const folder = Symbol("a folder")
export const pipe = Symbol("a named pipe")

export interface ServerProcessOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly flags?: ReadonlyArray<string>
  /** What stands in the `.env` file of its working directory, or what it is instead of a file. */
  readonly dotEnv?: string | Uint8Array | typeof folder | typeof pipe
  /** Another program in the server's place. */
  readonly program?: string
  /** A program that starts it, with its arguments. */
  readonly starter?: readonly [program: string, ...flags: ReadonlyArray<string>]
}

/** The process ended before it listened. */
class NotListening extends Schema.TaggedError<NotListening>()("NotListening", { message: Schema.String }) {}

/** A folder for the scope with nothing but this `.env` in it. */
export const newFolderWith = Effect.fnUntraced(function* (dotEnv: ServerProcessOptions["dotEnv"]) {
  const files = yield* FileSystem.FileSystem
  const path = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
  const dotEnvPath = resolve(path, ".env")
  if (dotEnv === folder) yield* files.makeDirectory(dotEnvPath)
  else if (dotEnv === pipe) yield* Effect.sync(() => execFileSync("mkfifo", [dotEnvPath]))
  else if (dotEnv !== undefined) yield* files.writeFile(dotEnvPath, Buffer.from(dotEnv))
  return path
})

const spawn = Effect.fnUntraced(function* ({
  dotEnv,
  env = {},
  flags = [],
  program: path = programs.server,
  starter
}: ServerProcessOptions) {
  const cwd = yield* newFolderWith(dotEnv)
  const [program, ...starterFlags] = starter ?? []
  const node = [process.execPath, path, ...flags] as const
  const [command, ...parameters] = program === undefined ? node : [program, ...starterFlags, ...node]
  const child = yield* ChildProcess.make(command, parameters, {
    cwd,
    env: { ...compileCache, ...env },
    extendEnv: false,
    forceKillAfter: "10 seconds"
  })
  const stderr = yield* Effect.forkScoped(Stream.mkString(Stream.decodeText(child.stderr)))
  return { child, stderr: Fiber.join(stderr) }
})

/** Starts a server that is expected not to start, or to end by itself, and tells how it ended. */
export const run = Effect.fnUntraced(function* (options: ServerProcessOptions) {
  const { child, stderr } = yield* spawn(options)
  const stdout = yield* Stream.mkString(Stream.decodeText(child.stdout))
  return { stdout, stderr: yield* stderr, exitCode: Number(yield* child.exitCode) }
}, Effect.scoped)

/** Starts a server and waits until it listens. */
export const start = Effect.fnUntraced(function* (options: ServerProcessOptions = {}) {
  const { child, stderr } = yield* spawn(options)
  const lines: Array<string> = []
  const reading = yield* Stream.decodeText(child.stdout).pipe(
    Stream.splitLines,
    Stream.tap((line) => Effect.sync(() => lines.push(line))),
    Stream.broadcast({ capacity: 16, replay: 16 })
  )
  const whole = yield* Effect.forkScoped(Stream.runDrain(reading))
  const ready = yield* Stream.runHead(Stream.filter(reading, (line) => line.includes("listening on ")))
  if (Option.isNone(ready)) return yield* new NotListening({ message: yield* stderr })
  return {
    line: ready.value,
    port: Number(/:(\d+)$/.exec(ready.value)?.[1]),
    pid: Number(child.pid),
    isRunning: child.isRunning,
    /** The lines of its standard output so far. */
    stdout: (): ReadonlyArray<string> => lines,
    kill: (killSignal: ChildProcess.Signal) => child.kill({ killSignal }),
    exited: Effect.gen(function* () {
      const exitCode = Number(yield* child.exitCode)
      yield* Fiber.join(whole)
      return { exitCode, stdout: lines, stderr: yield* stderr }
    })
  }
})
