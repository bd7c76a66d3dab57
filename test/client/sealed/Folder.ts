/** A state file in a folder of its own, for tests. */
import { Effect, FileSystem } from "effect"
import { make } from "../../../src/client/sealed/SealedStore.ts"
import { open } from "../../../src/client/sealed/StateFile.ts"

export const folder = FileSystem.FileSystem.use((all) => all.makeTempDirectoryScoped({ prefix: "parley-sealed-" }))

export const openIn = (path: string) =>
  Effect.map(open(`${path}/server/ada.sqlite`, { _tag: "File", path: `${path}/server/ada.key` }), (file) => ({
    file,
    store: make(file)
  }))
