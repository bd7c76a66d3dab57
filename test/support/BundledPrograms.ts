/** Puts each program and what it imports into one file, which starts in a third of the time. */
import { mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { resolve } from "node:path"
import * as process from "node:process"
import { pathToFileURL } from "node:url"
import { Effect } from "effect"
import { rolldown } from "rolldown"
import { folderVariable, sources } from "./Programs.ts"

/** What is loaded beside the program, in a thread or a process of its own, is found where its source is. */
const keepUrls = {
  name: "keep-urls",
  transform: (code: string, id: string) =>
    code.includes("import.meta.url")
      ? code.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(id).href))
      : undefined
}

const { resolve: locate } = createRequire(import.meta.url)

/** What has a native part beside it stays where it is. */
const keepNative = {
  name: "keep-native",
  resolveId: (id: string) =>
    id === "@opentui/core" ? { id: pathToFileURL(locate(id)).href, external: true as const } : undefined
}

const bundle = (dir: string) =>
  Effect.acquireUseRelease(
    Effect.promise(() =>
      rolldown({ input: { ...sources }, platform: "node", plugins: [keepNative, keepUrls], logLevel: "warn" })
    ),
    (build) =>
      Effect.promise(() => build.write({ dir, entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" })),
    (build) => Effect.promise(() => build.close())
  )

/** Vitest calls it before the first test, and what it answers behind the last. */
export const setup = (): Promise<() => void> | undefined => {
  if (process.env["PROGRAMS"] === "sources") return undefined
  const folder = mkdtempSync(resolve(tmpdir(), "parley-test-programs-"))
  process.env[folderVariable] = folder
  return Effect.runPromise(Effect.as(bundle(folder), () => rmSync(folder, { recursive: true, force: true })))
}
