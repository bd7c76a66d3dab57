/**
 * What a file is, whatever it is called: its device and inode. A file that was deleted, renamed or replaced is not what its
 * path leads to any more, though whoever has it open goes on writing to it. Loaded by SQLite's threads, so it stays small.
 */
import { statSync } from "node:fs"

export interface FileIdentity {
  readonly path: string
  /** Compared as it is; `undefined` if nothing can be found there. */
  readonly identity: string | undefined
}

/** Takes 5 µs: to be asked in a thread that may wait for the disk. */
export const identify = (path: string): FileIdentity => {
  try {
    const { dev, ino } = statSync(path, { bigint: true })
    return { path, identity: `${dev}:${ino}` }
  } catch {
    return { path, identity: undefined }
  }
}

/** The first that is not what it was. */
export const findMoved = (files: ReadonlyArray<FileIdentity>): FileIdentity | undefined =>
  files.find(({ identity, path }) => identify(path).identity !== identity)

/** 0 if nothing can be found there. */
export const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0
