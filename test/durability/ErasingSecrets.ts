/** Messages with words that stand nowhere else, and what of them is in the files of a database. */
import { dirname } from "node:path"
import { Effect, FileSystem } from "effect"
import * as StoredRows from "../server/search/StoredRows.ts"
import type * as ErasingFile from "./ErasingFile.ts"
import * as Eventually from "./Eventually.ts"

type Database = Effect.Success<ReturnType<typeof ErasingFile.open>>

/** Their beginnings, since in an index words share theirs. In lower case, as an index has them. */
const words = ["zugzwangl", "quaggamir", "xylophoni", "wombatif", "numbatif"]

/** 8,192 characters: three pages of a database. */
const long = (word: string) => `${word} `.repeat(1000).slice(0, 8192)

/** Where the messages stand that have them: a short one, a long one, and one that is edited before it is in the index. */
export const secrets = [10, 500, 985]

export const isTakenIn = (database: Database) =>
  Eventually.ask("the index had taken it in", database.behind, (entries) => entries <= 0)

/** Stores them among others, edits each twice, and finds them by their words. 1,000 entries. */
export const storeSecrets = Effect.fnUntraced(function* (database: Database) {
  const texts = new Map([
    [10, "ripe Zugzwangler"],
    [500, long("Wombatification")]
  ])
  yield* database.store(
    Array.from({ length: 980 }, (_, n) =>
      StoredRows.said(n + 1, texts.get(n + 1) ?? `ripe ${n} ${"x".repeat(n % 100)}`)
    )
  )
  yield* isTakenIn(database)
  yield* database.store([
    StoredRows.edited(981, 10, "Quaggamire"),
    StoredRows.edited(982, 500, long("Wombatification").toUpperCase()),
    StoredRows.edited(983, 10, "ripe Quaggamires"),
    StoredRows.edited(984, 500, long("Numbatification"))
  ])
  yield* isTakenIn(database)
  yield* database.store([
    StoredRows.said(985, "ripe Zugzwangler"),
    StoredRows.edited(986, 985, long("Wombatification")),
    StoredRows.edited(987, 985, "Xylophonist"),
    StoredRows.reacted(988, 10, "+1"),
    ...Array.from({ length: 12 }, (_, n) => StoredRows.said(989 + n, "ripe"))
  ])
  yield* isTakenIn(database)
})

/** Which of these words, in lower case, are in which files beside this one, and in it. */
export const tracesOf = (words: ReadonlyArray<string>) =>
  Effect.fnUntraced(function* (file: string) {
    const files = yield* FileSystem.FileSystem
    const found: Array<string> = []
    for (const name of yield* files.readDirectory(dirname(file))) {
      // A socket.
      if (name.endsWith("-admin")) continue
      const read = Effect.catchIf(
        files.readFile(`${dirname(file)}/${name}`),
        ({ reason }) => reason._tag === "NotFound",
        // It has gone meanwhile.
        () => Effect.succeed(new Uint8Array())
      )
      const bytes = Buffer.from(yield* read)
      // What is kept in reserve is 8 MiB of nothing: to look for words in it took most of the time.
      if (bytes.equals(Buffer.alloc(bytes.length))) continue
      const text = bytes.toString("latin1").toLowerCase()
      for (const word of words) if (text.includes(word)) found.push(`${word} in ${name}`)
    }
    return found
  })

export const traces = tracesOf(words)
