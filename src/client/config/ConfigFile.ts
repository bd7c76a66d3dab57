/**
 * The config file of a person: their servers, and how their screen is to be. Checked as a whole before anything is done by it: of
 * what is wrong in it, each is told with its place and with what would be right.
 *
 * Having none is fine, unless it was asked for by name. Unknown fields are errors, for a slip in a name would do nothing otherwise.
 *
 * Bounds: `maxBytes`; `maxTold` errors are told.
 */
import { homedir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { Effect, FileSystem, Option, Result, Schema, SchemaIssue } from "effect"
import { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import { nearest } from "../command/Suggestion.ts"
import type { Whereabouts } from "../core/Heard.ts"
import { type Overrides, themeNames } from "../full/Theme.ts"
import { safeLine } from "../text/SafeText.ts"
import * as JsonText from "./JsonText.ts"
import * as KeySettings from "./KeySettings.ts"

/** The file is there, and is not to be used as it is. `message` has a line for each error. */
export class InvalidConfig extends Schema.TaggedError<InvalidConfig>()("InvalidConfig", { message: Schema.String }) {}

const maxBytes = 1024 * 1024
const maxTold = 10

const unknownKey = "is unknown"
const flag = Schema.Boolean.annotate({ message: "must be true or false" })
const text = (what: string) =>
  Schema.String.annotate({ message: `must be ${what} in quotes` }).check(
    Schema.isNonEmpty({ message: `must be ${what}, and not empty` })
  )

const portRange = "must be a port: a whole number from 1 to 65535"
const Port = Schema.Int.annotate({ message: portRange }).check(
  Schema.isBetween({ minimum: 1, maximum: 65535 }, { message: portRange })
)

const isRoom = Schema.is(RoomName)
const isUser = Schema.is(UserName)

/** Which conversation the words are about; none if they cannot be about any. */
const conversationIn = (words: string): Whereabouts | undefined => {
  if (words === "lobby") return {}
  const name = words.normalize("NFKC")
  if (name.startsWith("@")) return isUser(name.slice(1)) ? { with: UserName.make(name.slice(1)) } : undefined
  return isRoom(name) ? { room: RoomName.make(name) } : undefined
}

const conversation = 'must be a conversation: "lobby", the name of a room, or "@" and the name of somebody'
const Conversations = Schema.Array(
  Schema.String.annotate({ message: conversation }).check(
    Schema.makeFilter((words) => (conversationIn(words) === undefined ? conversation : undefined))
  )
).annotate({ message: 'must be a list of conversations, such as ["lobby", "dev", "@ada"]' })

const profileFields = {
  host: text("the name or address of a server").annotateKey({
    messageMissingKey: "is missing: the name or address of a server"
  }),
  port: Schema.optionalKey(Port),
  tls: Schema.optionalKey(flag),
  ca: Schema.optionalKey(text("the path of a PEM file")),
  user: Schema.optionalKey(
    Schema.String.annotate({ message: "must be a name in quotes" }).pipe(Schema.decodeTo(UserName))
  ),
  key: Schema.optionalKey(text("the path of an OpenSSH key")),
  tokenFile: Schema.optionalKey(text("the path of a file")),
  mute: Schema.optionalKey(Conversations),
  notifyAll: Schema.optionalKey(Conversations)
}

const Profile = Schema.Struct(profileFields).annotate({
  messageUnexpectedKey: unknownKey,
  message: 'must be an object: {"host": "chat.example.org", "user": "ada"}'
})
export type Profile = typeof Profile.Type

const colour = 'must be a colour as "#rrggbb", such as "#6cb6ff"'
const Colour = Schema.String.annotate({ message: colour }).check(
  Schema.isPattern(/^#[0-9a-fA-F]{6}$/, { message: colour })
)
const single = Schema.optionalKey(Colour)
const colourFields = { text: single, faint: single, accent: single, error: single, mention: single } satisfies Record<
  keyof Overrides,
  typeof single
>

const serverName = /^[\p{L}\p{Nd}][\p{L}\p{Nd}_.-]{0,31}$/u
const badName = "is no name for a server: 1 to 32 letters, digits, '_', '.' and '-', beginning with a letter or digit"

const Servers = Schema.Record(Schema.String, Profile).annotate({
  message: 'must be an object of servers by their names: {"home": {"host": "chat.example.org"}}'
})

const themes = `must be one of ${themeNames.map((name) => `"${name}"`).join(", ")}`

const fields = {
  servers: Schema.optionalKey(Servers),
  default: Schema.optionalKey(text("the name of one of the servers")),
  theme: Schema.optionalKey(Schema.Literals(themeNames).annotate({ message: themes })),
  colours: Schema.optionalKey(
    Schema.Struct(colourFields).annotate({
      messageUnexpectedKey: unknownKey,
      message: 'must be an object: {"accent": "#6cb6ff"}'
    })
  ),
  keys: Schema.optionalKey(Schema.Unknown.check(Schema.makeFilter((keys) => KeySettings.read(keys).issues))),
  bell: Schema.optionalKey(flag),
  notify: Schema.optionalKey(flag),
  mouse: Schema.optionalKey(flag)
}

const Config = Schema.Struct(fields).annotate({
  messageUnexpectedKey: unknownKey,
  message: 'must be an object: {"theme": "dark"}'
})
export type Config = typeof Config.Type

const empty: Config = {}

/** What there is instead of a server that there is not. */
export const whichServer = (name: string, servers: Readonly<Record<string, unknown>>): string => {
  const all = Object.keys(servers)
  if (all.length === 0) return "The config file has no servers."
  const meant = nearest(name, all, String)
  return meant === undefined ? `There are: ${all.join(", ")}.` : `Write ${meant}; there are: ${all.join(", ")}.`
}

const known = (path: JsonText.Path): ReadonlyArray<string> => {
  if (path.length === 0) return Object.keys(fields)
  if (path[0] === "servers") return Object.keys(profileFields)
  return Object.keys(colourFields)
}

const decode = Schema.decodeUnknownResult(Config, { errors: "all", onExcessProperty: "error" })
const format = SchemaIssue.makeFormatterStandardSchemaV1()

interface Issue {
  readonly path: JsonText.Path
  readonly message: string
}

const decodeOutline = Schema.decodeUnknownOption(
  Schema.Struct({
    default: Schema.optionalKey(Schema.String),
    servers: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown))
  })
)

/** What is about names and not about one value: told also where something else is wrong. */
const namingIssues = (value: unknown): ReadonlyArray<Issue> => {
  const outline = Option.getOrUndefined(decodeOutline(value))
  if (outline === undefined) return []
  const { default: usual, servers = {} } = outline
  const names = Object.keys(servers).filter((name) => !serverName.test(name))
  const isLost = usual !== undefined && !Object.hasOwn(servers, usual)
  return [
    ...names.map((name): Issue => ({ path: ["servers", name], message: badName })),
    ...(isLost ? [{ path: ["default"], message: `is none of the servers. ${whichServer(usual, servers)}` }] : [])
  ]
}

const unknownField = (path: JsonText.Path): string => {
  const all = known(path.slice(0, -1))
  const meant = nearest(String(path.at(-1)), all, String)
  const rather = meant === undefined ? `These there are: ${all.join(", ")}` : `Write "${meant}"`
  return `is no setting. ${rather}`
}

/** `servers.home.port`, `keys.send.1`. */
const spelt = (path: JsonText.Path): string =>
  path.length === 0 ? "the whole" : path.map((part) => String(part).slice(0, 64)).join(".")

/** The text of a file as settings, or each error of it with its place, as compilers tell it: `file:line:column: what`. */
export const parse = (file: string, source: string): Result.Result<Config, InvalidConfig> => {
  if (source.trim() === "") return Result.succeed(empty)
  const told = ({ column, line }: JsonText.Place, what: string) => `${file}:${line}:${column}: ${safeLine(what)}`
  const read = JsonText.read(source)
  if (Result.isFailure(read)) {
    const { failure } = read
    return Result.fail(new InvalidConfig({ message: told(failure, `This is no JSON: ${failure.message}.`) }))
  }
  const { placeOf, value } = read.success
  const decoded = decode(value)
  const issues = [...(Result.isFailure(decoded) ? issuesIn(decoded.failure.issue) : []), ...namingIssues(value)]
  if (Result.isSuccess(decoded) && issues.length === 0) return Result.succeed(decoded.success)
  const lines = issues
    .map(({ message, path }) => ({ place: placeOf(path), text: `${spelt(path)} ${message}`.replace(/\.?$/, ".") }))
    .toSorted((one, other) => one.place.line - other.place.line || one.place.column - other.place.column)
    .map(({ place, text }) => told(place, text))
  const more = lines.length - maxTold
  const rest = more > 0 ? [`And ${more} more.`] : []
  return Result.fail(new InvalidConfig({ message: [...lines.slice(0, maxTold), ...rest].join("\n") }))
}

const issuesIn = (issue: SchemaIssue.Issue): ReadonlyArray<Issue> =>
  format(issue).issues.map(({ message, path: given = [] }) => {
    const path = given.map((part) => (typeof part === "object" ? part.key : part))
    return { path, message: message === unknownKey ? unknownField(path) : message }
  })

export interface Opened {
  readonly path: string
  readonly config: Config
}

/** `isAsked`: somebody named it, so that it is to be there. */
export const open = Effect.fnUntraced(function* (path: string, isAsked: boolean) {
  const files = yield* FileSystem.FileSystem
  const none: Opened = { path, config: empty }
  const cannot = (why: string) =>
    new InvalidConfig({
      message: `The config file ${JSON.stringify(path)} ${why}. Mend it, move it away, or name another one with --config.`
    })
  const read = Effect.gen(function* () {
    const { size, type } = yield* files.stat(path)
    // Reading a pipe would wait for its writer.
    if (type === "CharacterDevice") return none
    if (type !== "File") return yield* cannot(type === "Directory" ? "is a folder" : "is no regular file")
    if (size > maxBytes) return yield* cannot("is longer than 1 MiB")
    const bytes = yield* files.readFile(path)
    const source = yield* Effect.try({
      try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
      catch: () => cannot("is not UTF-8")
    })
    return { path, config: yield* Effect.fromResult(parse(path, source)) } satisfies Opened
  })
  return yield* Effect.catchTag(read, "PlatformError", ({ message, reason }) => {
    const isMissing = reason._tag === "NotFound"
    if (isMissing && !isAsked) return Effect.succeed(none)
    return Effect.fail(cannot(isMissing ? "is not there" : `cannot be read (${safeLine(message)})`))
  })
})

/** A path in the file: `~/` is the person's home, and what does not begin at the root begins beside the file. */
export const pathFrom = (file: string, path: string): string =>
  path.startsWith("~/") ? join(homedir(), path.slice(2)) : resolve(dirname(file), path)

/** What a list of conversations is about. */
export const conversationsIn = (words: ReadonlyArray<string> = []): ReadonlyArray<Whereabouts> =>
  words.flatMap((one) => conversationIn(one) ?? [])
