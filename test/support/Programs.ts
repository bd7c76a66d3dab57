/**
 * The programs as tests start them: the sources, in one file each. Of the time in which a process starts two thirds go into
 * finding 640 modules; so vitest puts them together once, before the first test (see BundledPrograms).
 *
 * What is started is the same code, and its threads are loaded from the sources. The sources as they are, as an operator
 * starts them, are `sources` (Process.test.ts, ProcessEnd.test.ts); everywhere with PROGRAMS=sources, as in `pnpm test:long`.
 */
import { resolve } from "node:path"
import * as process from "node:process"

/** `talker` is the tests' own: see TalkingProcess.ts. */
type Name = "admin" | "client" | "server" | "talker"

/** Where the bundled ones are, if they are. */
export const folderVariable = "PARLEY_TEST_PROGRAMS"

const source = (name: Name) =>
  resolve(import.meta.dirname, name === "talker" ? "../client/sealed/TalkingProcess.ts" : `../../src/bin/${name}.ts`)
const bundled = (name: Name) => {
  const folder = process.env[folderVariable]
  return folder === undefined ? source(name) : resolve(folder, `${name}.js`)
}

type Paths = { readonly [Each in Name]: string }

const all = (path: (name: Name) => string): Paths => ({
  admin: path("admin"),
  client: path("client"),
  server: path("server"),
  talker: path("talker")
})

/** The programs as they are in `src/bin`. */
export const sources = all(source)
/** The same, started sooner. */
export const programs = all(bundled)
