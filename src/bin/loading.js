/**
 * Makes a program of 500 modules start sooner, on Node as it is and without a build: `node --import ./src/bin/loading.js <program>`.
 * Half of the processor time of `pnpm client` until its first screen went into finding and compiling modules. Without it everything
 * works as well, only later. It is JavaScript, since what removes the types from TypeScript takes 30 ms and 10 MB to load itself, and
 * is not loaded at all if all that comes was kept.
 *
 * 1. What Node compiled is kept (`module.enableCompileCache`), in `$XDG_CACHE_HOME/parley/compiled`: TypeScript without its types, and
 *    V8's code. A place that cannot be written to, or a cache that does not fit, makes the start slower and nothing else.
 * 2. Where a module is said to be beside another one, of ours or of effect, there it is: for each of 3,000 imports Node would look for
 *    links, for folders, and for the package.json above it. Whatever is not known to be that simple is left to Node.
 *
 * Bounds: of the cache, `maxVersions` versions of Node, and `maxKept` modules of this one; beyond, it is begun anew.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs"
import * as Module from "node:module"
import { homedir } from "node:os"
import { basename, isAbsolute, join } from "node:path"
import * as process from "node:process"

const maxVersions = 3
const maxKept = 4000

/** XDG Base Directory Specification, 0.8: what is relative is to be ignored. */
const cacheFolder = () => {
  const given = process.env["XDG_CACHE_HOME"] ?? ""
  return join(isAbsolute(given) ? given : join(homedir(), ".cache"), "parley", "compiled")
}

const quietly = (act) => {
  try {
    act()
  } catch {
    // It was to save time only.
  }
}

const keepCompiled = () => {
  // Whoever says where compiled code is kept, or that it is not, is obeyed by Node.
  if (process.env["NODE_COMPILE_CACHE"] !== undefined) return
  const folder = cacheFolder()
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  Module.enableCompileCache(folder)
  const current = Module.getCompileCacheDir()
  if (current !== undefined) forget(folder, basename(current))
}

/** What older versions left there, and what nobody counts any more. */
const forget = (folder, current) => {
  const remove = (name) => rmSync(join(folder, name), { recursive: true, force: true })
  const age = (name) => statSync(join(folder, name)).mtimeMs
  const others = readdirSync(folder).filter((name) => name !== current)
  if (others.length >= maxVersions) {
    for (const name of others.toSorted((one, other) => age(other) - age(one)).slice(maxVersions - 1)) remove(name)
  }
  if (existsSync(join(folder, current)) && readdirSync(join(folder, current)).length > maxKept) remove(current)
}

/** Everything in these is a module, and beside its like; what they ask others for, all of them find at the same place. */
const packages = /^effect(?:\/|$)|^@effect\//
const packageFolder = /^file:.*\/node_modules\/(?:@[^/]+\/)?[^/]+\/dist\//
const ownFolder = new URL("../", import.meta.url).href

const findSooner = () => {
  const folders = new Set([ownFolder])
  const known = new Map()
  Module.registerHooks({
    resolve: (specifier, context, next) => {
      const { parentURL } = context
      const folder = parentURL && [...folders].find((one) => parentURL.startsWith(one))
      if (!folder) return next(specifier, context)
      if (specifier.startsWith("./") || specifier.startsWith("../")) {
        const { href: url } = new URL(specifier, parentURL)
        const [extension, format] = folder === ownFolder ? [".ts", "module-typescript"] : [".js", "module"]
        const isSimple = url.startsWith(folder) && url.endsWith(extension)
        return isSimple ? { url, format, shortCircuit: true } : next(specifier, context)
      }
      if (!packages.test(specifier)) return next(specifier, context)
      const key = `${folder} ${specifier}`
      const found = known.get(key)
      if (found !== undefined) return found
      const answer = next(specifier, context)
      const [top] = packageFolder.exec(answer.url) ?? []
      if (answer.format !== "module" || top === undefined) return answer
      folders.add(top)
      known.set(key, { url: answer.url, format: answer.format, shortCircuit: true })
      return answer
    }
  })
}

quietly(keepCompiled)
quietly(findSooner)
