/**
 * The servers that are measured, each started as a process of its own in a fresh directory, and stopped by SIGTERM with
 * the scope; the directory goes with it.
 *
 * Directories lie below `data/` of the checkout: on a real disk, where a temporary directory may be memory.
 */
import { type ChildProcess, spawn } from "node:child_process"
import * as Fs from "node:fs"
import { createServer } from "node:net"
import { resolve } from "node:path"
import { Effect } from "effect"
import { type Address, BenchError } from "./Crowd.ts"
import * as Dialect from "./Dialect.ts"
import { inspircdConfig, ngircdConfig } from "./IrcServers.ts"
import { type Cores, fileSystemOf, innermostChildOf, isInstalled } from "./Machine.ts"

export const subjectNames = ["parley", "floor", "ngircd", "inspircd"] as const
export type SubjectName = (typeof subjectNames)[number]

export interface Subject extends Address {
  readonly name: SubjectName
  /** The server itself, not what it was started through. */
  readonly pid: number
  /** Where its files lie. */
  readonly directory: string
  /** The end of what it has said so far. */
  readonly output: () => string
  /** Tells it to stop and gives the milliseconds until it has; when it takes longer than it may, it is killed. */
  readonly stop: Effect.Effect<number>
}

export interface StartOptions {
  readonly cores: Cores | undefined
  /** parley's script, if it is not this checkout's. */
  readonly entry?: string | undefined
  /** Put before the server's command: a tracer, say. */
  readonly through?: ReadonlyArray<string>
  /** Put before the script, for a server on Node. */
  readonly nodeFlags?: ReadonlyArray<string>
  /** parley's settings beside where it listens and where it stores; instead of those that lift its limits. */
  readonly environment?: Readonly<Record<string, string>> | undefined
  /** One made before, with what an earlier server left there; instead of a fresh one. */
  readonly directory?: string | undefined
  /** How long it may take until it listens, in milliseconds. */
  readonly startMillis?: number | undefined
}

interface Started {
  readonly command: ReadonlyArray<string>
  readonly dialect: Dialect.Dialect
  readonly environment?: Readonly<Record<string, string>>
  /** Known beforehand; otherwise the server prints `listening on HOST:PORT`. */
  readonly port?: number
}

const root = resolve(import.meta.dirname, "../..")
const dataDirectory = resolve(root, "data")

/** Where databases lie during a measurement. */
export const storageDescription = (): string => {
  Fs.mkdirSync(dataDirectory, { recursive: true })
  return fileSystemOf(dataDirectory)
}

const settings = (directory: string, own: Readonly<Record<string, string>>) => ({
  HOST: "127.0.0.1",
  PORT: "0",
  DATABASE: resolve(directory, "chat.sqlite"),
  LOG_LEVEL: "warn",
  ...own
})

/** For measuring how much goes through: nobody is told to slow down. */
const withoutLimits: Readonly<Record<string, string>> = {
  MESSAGE_RATE: "0",
  MAX_CONNECTIONS: "1000000",
  MAX_ROOMS: "1000000",
  MAX_ROOMS_PER_USER: "100000",
  HANDSHAKE_TIMEOUT: "60 s",
  IDLE_TIMEOUT: "1 d"
}

/** Where Debian puts servers, for a path that lacks it. */
const searchPath = `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/local/sbin`

const startedOf = (
  name: SubjectName,
  directory: string,
  port: number,
  { entry, environment = withoutLimits, nodeFlags = [] }: StartOptions
): Started => {
  switch (name) {
    case "parley":
      return {
        command: [process.execPath, ...nodeFlags, entry ?? resolve(root, "src/bin/server.ts")],
        dialect: Dialect.parley,
        environment: settings(directory, environment)
      }
    case "floor":
      return {
        command: [process.execPath, ...nodeFlags, resolve(import.meta.dirname, "floor.ts")],
        dialect: Dialect.parley
      }
    case "ngircd": {
      const file = resolve(directory, "ngircd.conf")
      Fs.writeFileSync(file, ngircdConfig(port, process.getuid?.() === 0))
      return { command: ["ngircd", "--nodaemon", "--config", file], dialect: Dialect.irc, port }
    }
    case "inspircd": {
      const file = resolve(directory, "inspircd.conf")
      Fs.writeFileSync(file, inspircdConfig(port, directory))
      // As root it starts only when told so, and keeps the rights to read its file.
      const asRoot = process.getuid?.() === 0 ? ["--runasroot"] : []
      return { command: ["inspircd", "--nofork", ...asRoot, `--config=${file}`], dialect: Dialect.irc, port }
    }
  }
}

/** Whether this server can be measured on this machine. */
export const isAvailable = (name: SubjectName): boolean =>
  name === "parley" ||
  name === "floor" ||
  isInstalled(`PATH="${searchPath}" ${name}`) ||
  Fs.existsSync(`/usr/sbin/${name}`)

/** A directory for one server's files, or for several that follow each other; it goes with the scope. */
export const makeDirectory = Effect.acquireRelease(
  Effect.sync(() => {
    Fs.mkdirSync(dataDirectory, { recursive: true })
    const directory = Fs.mkdtempSync(resolve(dataDirectory, "bench-"))
    // ngircd gives up its rights, and has to read its configuration then.
    Fs.chmodSync(directory, 0o755)
    return directory
  }),
  (directory) => Effect.sync(() => Fs.rmSync(directory, { recursive: true, force: true }))
)

/** A port that was free a moment ago, for servers that cannot pick one. */
const freePort = Effect.callback<number>((resume) => {
  const server = createServer()
  server.listen({ port: 0, host: "127.0.0.1" }, () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** Starts a server and waits until it listens. */
export const start = Effect.fnUntraced(function* (name: SubjectName, options: StartOptions) {
  const { cores, startMillis = defaultStartMillis, through = [] } = options
  const directory = options.directory ?? (yield* makeDirectory)
  const { command, dialect, environment, port: chosen } = startedOf(name, directory, yield* freePort, options)
  const pinned = cores === undefined ? [] : ["taskset", "--cpu-list", cores.server]
  const child = yield* launch(name, [...pinned, ...through, ...command], directory, environment ?? {})
  const port = yield* chosen === undefined
    ? portPrinted(name, child, startMillis)
    : reachable(name, child, chosen, startMillis)
  const pid = child.process.pid === undefined ? 0 : innermostChildOf(child.process.pid)
  const subject: Subject = { name, pid, port, dialect, directory, output: child.output, stop: stop(child.process) }
  return subject
})

interface Launched {
  readonly process: ChildProcess
  readonly output: () => string
}

const launch = (
  name: SubjectName,
  command: ReadonlyArray<string>,
  cwd: string,
  environment: Readonly<Record<string, string>>
) =>
  Effect.acquireRelease(
    Effect.sync((): Launched => {
      const [first = "", ...rest] = command
      const child = spawn(first, rest, {
        cwd,
        env: { PATH: searchPath, ...environment },
        stdio: ["ignore", "pipe", "pipe"]
      })
      let output = ""
      const keep = (text: Buffer) => {
        output = (output + text.toString()).slice(-20_000)
      }
      child.stdout.on("data", keep)
      child.stderr.on("data", keep)
      child.on("error", (error) => keep(Buffer.from(`${name}: ${error.message}`)))
      return { process: child, output: () => output }
    }),
    ({ process: child }) => stop(child)
  )

/** How long a server may take to stop when it is told to. */
const stopPatience = "15 seconds"

const stop = Effect.fnUntraced(function* (child: ChildProcess) {
  if (child.pid === undefined || hasEnded(child)) return Number.NaN
  const startedAt = performance.now()
  const server = innermostChildOf(child.pid)
  const ended = Effect.callback<void>((resume) => {
    if (hasEnded(child)) resume(Effect.void)
    else child.once("exit", () => resume(Effect.void))
  })
  kill(server, "SIGTERM")
  yield* Effect.timeoutOrElse(ended, {
    duration: stopPatience,
    orElse: () => {
      kill(server, "SIGKILL")
      child.kill("SIGKILL")
      return ended
    }
  })
  return performance.now() - startedAt
})

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

const kill = (pid: number, signal: NodeJS.Signals) => {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended already.
  }
}

const defaultStartMillis = 20_000

/** Looks until something is there; fails with what the server said if it ends before. */
const until = Effect.fnUntraced(function* <A>(
  name: SubjectName,
  child: Launched,
  startMillis: number,
  look: () => A | undefined
) {
  const startedAt = performance.now()
  for (;;) {
    const found = look()
    if (found !== undefined) return found
    if (hasEnded(child.process) || performance.now() - startedAt > startMillis) {
      const said = child.output().trim() || "it said nothing"
      return yield* new BenchError({ message: `${name} does not start: ${said}` })
    }
    yield* Effect.sleep(5)
  }
})

const portPrinted = (name: SubjectName, child: Launched, startMillis: number) =>
  until(name, child, startMillis, () => {
    // What Node says of its inspector is another port.
    const port = /(?<!Debugger )listening on \S+:(\d+)/.exec(child.output())?.[1]
    return port === undefined ? undefined : Number(port)
  })

/** Asks the system's table of listening sockets, so that the server sees no connection that is not measured. */
const reachable = (name: SubjectName, child: Launched, port: number, startMillis: number) => {
  const entry = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A`
  return until(name, child, startMillis, () =>
    Fs.readFileSync("/proc/net/tcp", "utf8").includes(entry) ? port : undefined
  )
}
