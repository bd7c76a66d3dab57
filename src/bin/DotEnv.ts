/**
 * The `.env` file in the working directory: settings behind the environment's, for the server, the client and `pnpm admin`.
 *
 * Having none is fine. One that cannot be read as it was meant stops the start with one line that says why: what is not
 * text in UTF-8, a line that sets nothing, and a name that is nearly a setting's. Other names may be meant for other programs;
 * the server says that it ignores them.
 */
import { parseEnv } from "node:util"
import { Array as Arr, ConfigProvider, Console, Effect, FileSystem, Record, Runtime, Schema } from "effect"
import { logLevelSetting, settings } from "../server/config/ServerConfig.ts"

const path = ".env"

/** The file cannot be used. Its message is the one line that is told. */
class InvalidDotEnv extends Schema.TaggedError<InvalidDotEnv>()("InvalidDotEnv", { message: Schema.String }) {
  override readonly [Runtime.errorReported] = false
}

/** Every name that means something to the server or to the client. */
const knownNames: ReadonlyArray<string> = [
  ...Record.values(settings).map(({ name }) => name),
  logLevelSetting.name,
  "USER_NAME",
  "CHAT_HOST",
  "CHAT_PORT",
  "CHAT_TLS",
  "CHAT_CA",
  "CHAT_CONFIG"
]

const readText = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  if (!(yield* files.exists(path))) return ""
  const { type } = yield* files.stat(path)
  // Reading a pipe would wait for its writer, for ever if there is none.
  if (type !== "File") {
    const what = type === "Directory" ? "a folder" : "no regular file"
    return yield* new InvalidDotEnv({ message: `${path} is ${what}, but must be a file. Rename or remove it.` })
  }
  const bytes = yield* files.readFile(path)
  // Without the mark of its byte order, UTF-16 shows by its NULs.
  if (bytes.includes(0)) return yield* notUtf8
  return yield* Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => notUtf8
  })
}).pipe(
  Effect.catchTag(
    "PlatformError",
    ({ message }) =>
      new InvalidDotEnv({ message: `${path} cannot be read (${message}). Make it readable, or remove it.` })
  )
)

const notUtf8 = new InvalidDotEnv({ message: `${path} is not UTF-8; it may be UTF-16. Save it as UTF-8.` })

/** The first line that is no setting, no comment and no part of a quoted value, with its number. */
const strayLine = (text: string): readonly [number: number, firstWord: string] | undefined => {
  let openQuote: string | undefined
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (openQuote !== undefined) {
      if (line.includes(openQuote)) openQuote = undefined
      continue
    }
    if (/^\s*(#|$)/.test(line)) continue
    const setting = /^\s*(?:export\s+)?[\w.-]+\s*=\s*(["'`]?)(.*)$/.exec(line)
    if (setting === null) return [index + 1, /[\w.-]+/.exec(line)?.[0] ?? "?"]
    const [, quote = "", rest = ""] = setting
    if (quote !== "" && !rest.includes(quote)) openQuote = quote
  }
  return undefined
}

/** How many characters have to be put in, left out, replaced, or exchanged with their neighbours (Damerau, 1964). */
const editDistance = (from: string, to: string): number => {
  let before: ReadonlyArray<number> = []
  let row: ReadonlyArray<number> = Arr.makeBy(to.length + 1, (column) => column)
  for (let line = 1; line <= from.length; line++) {
    const next = [line]
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[line - 1] === to[column - 1]
      const isExchanged = from[line - 1] === to[column - 2] && from[line - 2] === to[column - 1]
      next.push(
        Math.min(
          (row[column] ?? Infinity) + 1,
          (next[column - 1] ?? Infinity) + 1,
          (row[column - 1] ?? Infinity) + (isSame ? 0 : 1),
          isExchanged ? (before[column - 2] ?? Infinity) + 1 : Infinity
        )
      )
    }
    before = row
    row = next
  }
  return row[to.length] ?? Infinity
}

/** Two slips make another word of a short name. */
const isNear = (name: string, distance: number) => distance <= (name.length < 6 ? 1 : 2)

/** The setting that a name was probably meant for. */
const nearest = (name: string): string | undefined =>
  knownNames
    .map((known) => ({ known, distance: editDistance(name.toUpperCase(), known) }))
    .filter(({ distance, known }) => isNear(known, distance))
    .toSorted((one, other) => one.distance - other.distance)
    .map(({ known }) => known)
    .at(0)

const make = (tellsOfOthers: boolean) =>
  ConfigProvider.layerAdd(
    Effect.gen(function* () {
      const text = yield* readText
      const stray = strayLine(text)
      if (stray !== undefined) {
        // No more of the line is shown, for it may hold a secret.
        const [line, word] = stray
        return yield* new InvalidDotEnv({
          message: `${path} line ${line}, "${word} …", sets nothing. Write ${word}=value, or begin it with # to keep it as a comment.`
        })
      }
      for (const name of Object.keys(parseEnv(text))) {
        if (knownNames.includes(name)) continue
        const meant = nearest(name)
        if (meant !== undefined) {
          return yield* new InvalidDotEnv({ message: `${path} sets ${name}, which is no setting. Write ${meant}.` })
        }
        if (tellsOfOthers) yield* Console.error(`${path} sets ${name}, which is no setting of parley and is ignored.`)
      }
      return ConfigProvider.fromDotEnvContents(text)
    }).pipe(Effect.tapError(({ message }) => Console.error(message)))
  )

/** Says nothing of names that resemble no setting. */
export const layer = make(false)

/** Names each of them, on standard error. */
export const layerTelling = make(true)
