/** The environment in which Node keeps what it compiled: half of a process's start is loading the same modules again. */
import { tmpdir } from "node:os"
import { resolve } from "node:path"

export const compileCache = { NODE_COMPILE_CACHE: resolve(tmpdir(), "parley-test-compiled") }
