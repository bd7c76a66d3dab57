/** The shape of the project, as far as a machine can see it: its layers, its files and their size. */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { basename, dirname, join, normalize, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"

const root = resolve(import.meta.dirname, "..")

/** What git knows or would know: files that are ignored are not part of the project. */
const files: ReadonlyArray<string> = execFileSync(
  "git",
  ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
  { cwd: root, encoding: "utf8" }
)
  .split("\0")
  .filter((path) => path !== "")

const read = (path: string): string => {
  try {
    return readFileSync(join(root, path), "utf8")
  } catch {
    // Deleted, and git not told yet.
    return ""
  }
}

const under = (folder: string) => files.filter((path) => path.startsWith(`${folder}/`) && path.endsWith(".ts"))
const sources = under("src")

/** What each layer may import of the project: itself, and what is below it. */
const layers: Readonly<Record<string, ReadonlyArray<string>>> = {
  "src/bin": ["src/bin", "src/client", "src/server", "src/connection", "src/common"],
  "src/client": ["src/client", "src/connection", "src/common"],
  "src/server": ["src/server", "src/connection", "src/common"],
  "src/connection": ["src/connection"],
  "src/common": ["src/common"]
}

const layerOf = (path: string) => path.split("/").slice(0, 2).join("/")

const importsOf = (path: string): ReadonlyArray<string> =>
  Array.from(
    read(path).matchAll(/^(?:import|export)\s+(?:[\w*{}\s,]+\sfrom\s+)?"([^"]+)"|\bimport\(\s*"([^"]+)"/gm),
    ([, fromText, dynamic]) => fromText ?? dynamic ?? ""
  )

const localImportsOf = (path: string) =>
  importsOf(path)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => normalize(join(dirname(path), specifier)))

const where = (paths: ReadonlyArray<string>, pattern: RegExp) =>
  paths.flatMap((path) =>
    read(path)
      .split("\n")
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []))
  )

describe("The source files", () => {
  it("are found", () => {
    assert.isAbove(sources.length, 40)
    assert.isAbove(sources.flatMap(localImportsOf).length, 100)
  })

  it("belong to a layer", () => {
    assert.deepStrictEqual(
      sources.filter((path) => layers[layerOf(path)] === undefined),
      []
    )
  })

  it("import only from their own layer and those below it", () => {
    const upwards = sources.flatMap((path) =>
      localImportsOf(path)
        .filter((target) => target.startsWith("src/") && !layers[layerOf(path)]?.includes(layerOf(target)))
        .map((target) => `${path} imports ${target}`)
    )
    assert.deepStrictEqual(upwards, [])
  })

  it("import nothing from outside src but the manifest", () => {
    const outside = sources.flatMap((path) => localImportsOf(path).filter((target) => !target.startsWith("src/")))
    assert.deepStrictEqual([...new Set(outside)], ["package.json"])
  })

  it("know nothing of Node in the words both sides speak, and nothing of files or sockets below the two sides", () => {
    const platform = [...under("src/common"), ...under("src/connection")].flatMap((path) =>
      importsOf(path)
        .filter((specifier) => !specifier.startsWith(".") && !/^effect(\/|$)/.test(specifier))
        .map((specifier) => `${path} imports ${specifier}`)
    )
    assert.deepStrictEqual(platform, [])
  })

  it("have 400 lines at most", () => {
    const long = sources
      .map((path) => [path, read(path).split("\n").length] as const)
      .filter(([, lines]) => lines > 400)
    assert.deepStrictEqual(long, [])
  })

  it("leave nothing to be done later", () => {
    assert.deepStrictEqual(where(sources, /\b(?:TODO|FIXME|XXX|HACK)\b/), [])
  })

  it("export nothing by default and nothing of other files", () => {
    assert.deepStrictEqual(where(sources, /^export default\b/), [])
    assert.deepStrictEqual(where(sources, /^export\s+(?:type\s+)?(?:\*|\{[^}]*\})[^"']*\bfrom\b/), [])
  })

  it("are named for what they are about", () => {
    const barrels = sources.filter((path) =>
      /^(?:index|utils?|helpers?|misc|types|constants)\.ts$/i.test(basename(path))
    )
    assert.deepStrictEqual(barrels, [])
    const inBin = ["admin.ts", "client.ts", "server.ts"]
    const misnamed = sources.filter((path) => !/^[A-Z][A-Za-z]*\.ts$/.test(basename(path)))
    assert.sameMembers(
      misnamed.map((path) => basename(path)),
      inBin
    )
  })

  it("begin with a comment that says what they are for", () => {
    const silent = sources.filter((path) => !/^(?:import "[^\n]*\n|import \{[^\n]*\n)*\/\*\*/.test(read(path)))
    assert.deepStrictEqual(silent, [])
  })

  it("quiet the type checker nowhere", () => {
    assert.deepStrictEqual(
      where(sources, /@ts-(?:ignore|expect-error|nocheck)|\bas any\b|\bas unknown as\b|: any\b/),
      []
    )
  })
})

describe("The tests", () => {
  it("wait for nothing by sleeping in real time", () => {
    assert.deepStrictEqual(where(under("test"), /\bsetTimeout\(\s*resolve|\btimers\/promises/), [])
  })
})

describe("The top level", () => {
  const allowed = new Set([
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "flake.lock",
    "flake.nix",
    "package.json",
    "pnpm-lock.yaml",
    "src",
    "test",
    "tsconfig.json"
  ])

  it("holds the source, the tests and what their tools need", () => {
    const names = new Set(files.map((path) => path.split("/")[0] ?? ""))
    const others = [...names].filter((name) => !allowed.has(name) && !name.startsWith("."))
    assert.deepStrictEqual(others, [])
  })
})
