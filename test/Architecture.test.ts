/** The shape of the project, as far as a machine can see it: its layers, its files and their size. */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { basename, dirname, join, matchesGlob, normalize, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { apart, long } from "./vitest.config.ts"

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

/**
 * The folders of each layer, lowest first: a file may import from its own folder and from those on lower floors. Folders on
 * one floor know nothing of each other. A file beside the folders puts them together, and only its like may import it.
 */
const floors: Readonly<Record<string, ReadonlyArray<ReadonlyArray<string>>>> = {
  "src/common": [["text"], ["name"], ["log", "ssh"], ["wire"]],
  "src/server": [
    ["config", "processor", "notices"],
    ["session"],
    ["lists", "limits"],
    ["presence"],
    ["sql"],
    ["governance"],
    ["history"],
    ["reports"],
    ["accounts"],
    ["search"],
    ["store"],
    ["accounts"],
    ["rooms"],
    ["inbox"],
    ["routing"],
    ["dialogue"],
    ["doors"]
  ],
  "src/client": [
    ["text"],
    ["core", "crypto"],
    ["link", "command", "account"],
    ["sealed"],
    ["screen"],
    ["line", "script"],
    ["full"],
    ["config"]
  ]
}

/** Folders beside the floors, for what is no part of serving, and the only folders each may import from. */
const asides: Readonly<Record<string, ReadonlyArray<string>>> = {
  // Works on the server's files from a process of its own; it says its name and version as the server does.
  "src/server/admin": ["config", "notices", "sql", "history", "reports", "accounts", "store", "process"],
  // What a process is called, and when it ends: for whoever puts a program together.
  "src/server/process": []
}

/** The folder of a layer that a file is in; none if it stands beside the folders. */
const folderOf = (path: string): string | undefined => {
  const [, , folder, file] = path.split("/")
  return file === undefined ? undefined : folder
}

/** The folders of its layer that a file may import from. */
const allowedFolders = (path: string): ReadonlySet<string | undefined> => {
  const layer = layerOf(path)
  const all = floors[layer] ?? []
  const folder = folderOf(path)
  const aside = asides[`${layer}/${folder}`]
  if (aside !== undefined) return new Set([folder, ...aside])
  if (folder === undefined) return new Set([undefined, ...all.flat(), ...asidesOf(layer)])
  const floor = all.findIndex((folders) => folders.includes(folder))
  return new Set([folder, ...all.slice(0, floor).flat()])
}

const asidesOf = (layer: string): ReadonlyArray<string> =>
  Object.keys(asides).flatMap((path) => (layerOf(path) === layer ? [basename(path)] : []))

const importsOf = (path: string): ReadonlyArray<string> =>
  Array.from(
    read(path).matchAll(/^(?:import|export)\s+(?:[\w*{}\s,]+\sfrom\s+)?"([^"]+)"|\bimport\(\s*"([^"]+)"/gm),
    ([, fromText, dynamic]) => fromText ?? dynamic ?? ""
  )

const localImportsOf = (path: string) =>
  importsOf(path)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => normalize(join(dirname(path), specifier)))

/**
 * Chains of imports that come back to where they began, each told once. The linter finds those of values alone; a type that
 * goes round ties two files together all the same.
 */
const circles = (paths: ReadonlyArray<string>): ReadonlyArray<string> => {
  const found: Array<string> = []
  const done = new Set<string>()
  const visit = (path: string, chain: ReadonlyArray<string>) => {
    const start = chain.indexOf(path)
    if (start >= 0) found.push([...chain.slice(start), path].join(" -> "))
    if (start >= 0 || done.has(path)) return
    for (const target of localImportsOf(path)) visit(target, [...chain, path])
    done.add(path)
  }
  for (const path of paths) visit(path, [])
  return found
}

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

  it("are in folders that have a floor, and every floor has files", () => {
    const strangers = sources.filter((path) => {
      const layer = layerOf(path)
      const folder = folderOf(path)
      const known = [...(floors[layer] ?? []).flat(), ...asidesOf(layer)]
      return floors[layer] !== undefined && folder !== undefined && !known.includes(folder)
    })
    assert.deepStrictEqual(strangers, [])
    const named = [
      ...Object.keys(asides),
      ...Object.entries(floors).flatMap(([layer, all]) => all.flat().map((folder) => `${layer}/${folder}`))
    ]
    assert.deepStrictEqual(
      named.filter((folder) => under(folder).length === 0),
      []
    )
  })

  it("import only from their own folder and those on lower floors", () => {
    const upwards = sources.flatMap((path) => {
      const allowed = allowedFolders(path)
      return localImportsOf(path)
        .filter((target) => floors[layerOf(path)] !== undefined && layerOf(target) === layerOf(path))
        .filter((target) => !allowed.has(folderOf(target)))
        .map((target) => `${path} imports ${target}`)
    })
    assert.deepStrictEqual(upwards, [])
  })

  it("import each other in no circle, not even for a type", () => {
    assert.deepStrictEqual(circles(sources), [])
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

  it("know of MLS in one folder alone", () => {
    const knowing = sources.filter((path) =>
      importsOf(path).some((specifier) => /^(ts-mls|@hpke)(\/|$)/.test(specifier))
    )
    assert.isAbove(knowing.length, 5)
    assert.deepStrictEqual(
      knowing.filter((path) => dirname(path) !== "src/client/crypto"),
      []
    )
    // The index of the library loads packages that are not there.
    const bare = where(sources, /from "ts-mls"/)
    assert.deepStrictEqual(bare, [])
  })

  it("of the client's core run in a browser", () => {
    const platform = under("src/client/core").flatMap((path) =>
      importsOf(path)
        .filter((specifier) => !specifier.startsWith(".") && !/^effect(\/|$)/.test(specifier))
        .map((specifier) => `${path} imports ${specifier}`)
    )
    assert.deepStrictEqual(platform, [])
    assert.deepStrictEqual(where(under("src/client/core"), /\b(?:Buffer|process)\./), [])
  })

  it("have 399 lines at most", () => {
    const long = sources
      .map((path) => [path, read(path).split("\n").length] as const)
      // Behind the last newline there is one more, empty.
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

describe("The quick tests", () => {
  /** This one asks git which files there are. */
  const asking = "test/Architecture.test.ts"
  const isIn = (globs: ReadonlyArray<string>) => (path: string) => globs.some((glob) => matchesGlob(path, glob))
  const tests = under("test").filter((path) => path.endsWith(".test.ts"))
  const quick = tests.filter((path) => !isIn([...apart, ...long])(path) && path !== asking)

  it("start no process, nor does anything they import", () => {
    assert.isAbove(quick.length, 50)
    const reached = (path: string, known: Set<string>): Set<string> => {
      if (known.has(path)) return known
      known.add(path)
      for (const target of localImportsOf(path)) reached(target, known)
      return known
    }
    const starting = quick.flatMap((path) =>
      [...reached(path, new Set())]
        .filter((file) => importsOf(file).some((specifier) => /child_process|ChildProcess/.test(specifier)))
        .map((file) => `${path} reaches ${file}`)
    )
    assert.deepStrictEqual(starting, [])
  })

  it("are all but those that are named, each of which is there", () => {
    assert.deepStrictEqual(
      [...apart, ...long].filter((glob) => !tests.some((path) => matchesGlob(path, glob))),
      []
    )
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
