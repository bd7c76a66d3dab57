/** What makes the client start sooner changes nothing but that: with a cache, without one, and with one that cannot be. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { execPath } from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, FileSystem, Stream } from "effect"
import { ChildProcess } from "effect/process"
import manifest from "../../package.json" with { type: "json" }
import { sources } from "../support/Programs.ts"
import { root } from "./Processes.ts"

/** As `pnpm client` starts it, in a process of its own. */
const start = Effect.fnUntraced(function* (cache: string, ...args: ReadonlyArray<string>) {
  const [, ...words] = manifest.scripts.client.split(" ")
  const child = yield* ChildProcess.make(execPath, [...words, ...args], {
    cwd: root,
    env: { HOME: cache, XDG_CACHE_HOME: cache }
  })
  const [stdout, stderr] = yield* Effect.all(
    [Stream.mkString(Stream.decodeText(child.stdout)), Stream.mkString(Stream.decodeText(child.stderr))],
    { concurrency: 2 }
  )
  return { stdout, stderr, exitCode: Number(yield* child.exitCode) }
}, Effect.scoped)

const folder = Effect.flatMap(FileSystem.FileSystem, (files) => files.makeTempDirectoryScoped())
const version = { stdout: `parley v${manifest.version}\n`, stderr: "", exitCode: 0 }
layer(NodeServices.layer, { excludeTestServices: true })("a start of pnpm client", (it) => {
  it.effect("keeps what was compiled where only its user may look, and is the same with it", () =>
    Effect.gen(function* () {
      const cache = yield* folder
      const compiled = `${cache}/parley/compiled`
      assert.deepStrictEqual(yield* start(cache, "--version"), version)
      assert.strictEqual(statSync(compiled).mode & 0o777, 0o700)
      const [kept = ""] = readdirSync(compiled)
      assert.isAbove(readdirSync(`${compiled}/${kept}`).length, 300)
      assert.deepStrictEqual(yield* start(cache, "--version"), version)
    })
  )

  it.effect("is the same where nothing can be kept, or what is kept is broken", () =>
    Effect.gen(function* () {
      const cache = yield* folder
      writeFileSync(`${cache}/parley`, "no folder")
      assert.deepStrictEqual(yield* start(cache, "--version"), version)
      assert.strictEqual(readFileSync(`${cache}/parley`, "utf8"), "no folder")
      const other = yield* folder
      yield* start(other, "--version")
      const compiled = `${other}/parley/compiled`
      const [kept = ""] = readdirSync(compiled)
      for (const name of readdirSync(`${compiled}/${kept}`)) writeFileSync(`${compiled}/${kept}/${name}`, "broken")
      assert.deepStrictEqual(yield* start(other, "--version"), version)
    })
  )

  it.effect("forgets what versions of Node left there that are used no more", () =>
    Effect.gen(function* () {
      const cache = yield* folder
      const compiled = `${cache}/parley/compiled`
      const old = ["v1", "v2", "v3", "v4"]
      for (const name of old) mkdirSync(`${compiled}/${name}`, { recursive: true })
      yield* start(cache, "--version")
      assert.strictEqual(old.filter((name) => existsSync(`${compiled}/${name}`)).length, 2)
    })
  )

  it.effect("says the same of what is wrong", () =>
    Effect.gen(function* () {
      const { exitCode, stderr, stdout } = yield* start(yield* folder, "--port", "none")
      assert.deepStrictEqual([exitCode, stdout], [2, ""])
      assert.include(stderr, "must be a port")
    })
  )
})

describe("the entry of the client", () => {
  it("is the one that pnpm client starts", () => {
    assert.isTrue(sources.client.endsWith(manifest.scripts.client.split(" ").at(-1) ?? "?"))
  })
})
