/**
 * Where tests keep their files: in memory, where that is possible, for most of them would only wait for a disk. What is about
 * the disk itself is on one (`FileServer.newFolder`).
 */
import { accessSync, constants, realpathSync, statfsSync } from "node:fs"
import { tmpdir } from "node:os"
import * as process from "node:process"

const memory = "/dev/shm"

/** More than all tests need at once; a container may have 64 MiB. */
const enoughBytes = 2 ** 30

const hasMemory = (): boolean => {
  try {
    accessSync(memory, constants.W_OK)
    const { bavail, bsize } = statfsSync(memory)
    return bavail * bsize >= enoughBytes
  } catch {
    return false
  }
}

const diskVariable = "PARLEY_TEST_DISK"

/** For the environment of vitest's processes, unless they have it. */
export const temporaryFolders = (): Readonly<Record<string, string>> =>
  process.env[diskVariable] === undefined && hasMemory()
    ? { [diskVariable]: realpathSync(tmpdir()), TMPDIR: memory }
    : {}

/** A temporary folder on a disk. */
export const diskFolder = (): string => process.env[diskVariable] ?? tmpdir()
