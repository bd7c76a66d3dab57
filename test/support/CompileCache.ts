/** The environment in which Node keeps what it compiled: half of a process's start is loading the same modules again. */
import { tmpdir } from "node:os"
import { resolve } from "node:path"
import * as process from "node:process"
import { folderVariable } from "./Programs.ts"

const bundled = process.env[folderVariable]

/** Of bundled programs it goes with them. */
const folder =
  bundled === undefined
    ? (process.env["NODE_COMPILE_CACHE"] ?? resolve(tmpdir(), "parley-test-compiled"))
    : resolve(bundled, "compiled")

export const compileCache = { NODE_COMPILE_CACHE: folder }
