/**
 * Who stands between the shell and us (npx, pnpm, and the shells that they start), and whose the terminal is.
 *
 * When one of them is killed, no signal tells of it: the shell has the terminal back, or what comes behind us in a script goes on.
 * Linux alone says who they are (proc(5)); elsewhere it is the parent, and the terminal is taken to be ours.
 *
 * Bounds: `mostLaunchers` of them, a small file read for each whenever it is asked.
 */
import { closeSync, readFileSync } from "node:fs"
import process from "node:process"

const mostLaunchers = 16

interface Standing {
  readonly parent: number
  /** The group of processes: what a shell starts at once, and what it stops and continues. */
  readonly group: number
  /** The group that has the terminal now, or -1. */
  readonly foreground: number
}

/** The fields behind a name in parentheses, which may hold anything. */
const standingOf = (pid: number | "self"): Standing | undefined => {
  try {
    const [, parent, group, , , foreground] = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ")
      .map(Number)
    return parent === undefined || group === undefined || foreground === undefined
      ? undefined
      : { parent, group, foreground }
  } catch {
    return undefined
  }
}

/** Parents, and theirs, as far as they are of our group. */
const launchers = (): ReadonlyArray<number> => {
  const self = standingOf("self")
  if (self === undefined) return [process.ppid]
  const found: Array<number> = []
  let pid = self.parent
  while (found.length < mostLaunchers) {
    const standing = standingOf(pid)
    if (standing?.group !== self.group) break
    found.push(pid)
    pid = standing.parent
  }
  return found
}

/** Tells whether one of those who are there now is gone. */
export const orphaning = (): (() => boolean) => {
  const before = launchers().join()
  return () => launchers().join() !== before
}

/** Whether another group has the terminal, so that its modes are not ours to change. */
export const isOthers = (): boolean => {
  const self = standingOf("self")
  return self !== undefined && self.foreground > 0 && self.foreground !== self.group
}

/**
 * At its exit Node sets the terminal as it was at its start. That is not to happen below the prompt of a shell that has it by then:
 * what Node finds closed it leaves alone. Nothing is written any more when this is called.
 */
export const leaveToOthers = (): void => {
  if (!isOthers()) return
  for (const descriptor of [0, 1, 2]) closeSync(descriptor)
}
