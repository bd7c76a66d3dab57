/**
 * The machine as /proc tells it: what it is, which core does what, what a process has used. Linux only; elsewhere the
 * figures that need it are NaN and nobody is pinned.
 */
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"

/** Fields are the JSON output's. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly node: string
  readonly kernel: string
  readonly maxOpenFiles: number
}

const read = (path: string): string => {
  try {
    return Fs.readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

/** The soft limit of open files of this process, and so of those it starts. */
export const maxOpenFiles = (): number =>
  Number(/^Max open files\s+(\d+)/m.exec(read("/proc/self/limits"))?.[1] ?? Number.POSITIVE_INFINITY)

export const describeMachine = (): Machine => ({
  cpu: Os.cpus()[0]?.model ?? "unknown",
  cores: Os.cpus().length,
  memoryGiB: Math.round(Os.totalmem() / 2 ** 30),
  node: process.version,
  kernel: `${Os.type()} ${Os.release()}`,
  maxOpenFiles: maxOpenFiles()
})

/** Which cores generator and server are kept on; undefined where they cannot be kept apart. */
export interface Cores {
  readonly generator: string
  readonly server: string
}

const run = (command: string, args: ReadonlyArray<string>): boolean => {
  try {
    execFileSync(command, args, { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

export const isInstalled = (command: string): boolean => run("sh", ["-c", `command -v ${command}`])

/** Keeps this process on the first core, all its threads, and leaves the others to the servers. */
export const pinGenerator = (): Cores | undefined => {
  const last = Os.cpus().length - 1
  if (last < 1 || !run("taskset", ["--all-tasks", "--cpu-list", "--pid", "0", String(process.pid)])) return undefined
  return { generator: "0", server: last === 1 ? "1" : `1-${last}` }
}

/** USER_HZ, the unit of /proc/PID/stat, is 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

/** Processor time in seconds that a process has used, its threads included, its children not. */
export const cpuSecondsOf = (pid: number): number => {
  // The second field, the command in brackets, may hold anything.
  const fields = read(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? []
  const [user, system] = [fields[11], fields[12]]
  return user === undefined || system === undefined ? Number.NaN : (Number(user) + Number(system)) / ticksPerSecond
}

/** Resident memory in bytes. */
export const residentBytesOf = (pid: number): number => {
  const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1]
  return kibibytes === undefined ? Number.NaN : Number(kibibytes) * 1024
}

/** What of resident memory is a process' own: of each page its part, where several share it (proc(5), smaps_rollup). In bytes. */
export const sharedOutBytesOf = (pid: number): number => {
  const kibibytes = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1]
  return kibibytes === undefined ? Number.NaN : Number(kibibytes) * 1024
}

/** Seconds for which a process' first thread could have run, and its core was another's. */
export const waitSecondsOf = (pid: number): number =>
  Number(read(`/proc/${pid}/schedstat`).split(" ")[1] ?? Number.NaN) / 1e9

/** How many files and sockets a process has open. */
export const openFilesOf = (pid: number): number => {
  try {
    return Fs.readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return Number.NaN
  }
}

/** The newest process below this one that has no children itself: the server behind what started it. */
export const innermostChildOf = (pid: number): number => {
  const children = read(`/proc/${pid}/task/${pid}/children`).trim()
  return children === "" ? pid : innermostChildOf(Number(children.split(" ")[0]))
}

/** The type of the file system a path lies on, and its device. */
export const fileSystemOf = (path: string): string => {
  const mounts = read("/proc/mounts")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, at = "/none"]) => path === at || path.startsWith(at.endsWith("/") ? at : `${at}/`))
    .toSorted(([, left = ""], [, right = ""]) => left.length - right.length)
  const [device = "unknown", at = "", type = "unknown"] = mounts.at(-1) ?? []
  return `${type} (${device} on ${at || "?"})`
}
