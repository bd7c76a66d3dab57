/**
 * The commands one can type: one table, from which the parser, the help, the completion and the README's table come.
 *
 * A line that begins with ":" is a command and nothing else: what is no command, or lacks something, is refused with a
 * hint and never sent as chat. Any other line is a message to everybody, sent exactly as typed; "::" at its beginning
 * stands for a ":" that is part of the message. White space before a command is forgiven, so that a slip of the space
 * bar does not tell everybody what was meant for one.
 */
import { Result, Schema, SchemaAST, SchemaIssue } from "effect"
import { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import { Content } from "../../common/text/Content.ts"
import { HistoryLimit, SearchQuery } from "../../common/wire/ClientMessage.ts"
import type { Request } from "../core/Request.ts"
import { nearest } from "./Suggestion.ts"

/** In UTF-16 units. The longest message has 8192 characters of two each; with what stands before it, that is less. */
export const maxLineLength = 20_000

/** What a line asks for. */
export type Action =
  | { readonly _tag: "Ask"; readonly request: Request }
  /** The page of history or findings behind the one shown last. */
  | { readonly _tag: "More" }
  | { readonly _tag: "Help"; readonly command: string | undefined }
  | { readonly _tag: "Quit" }
  | { readonly _tag: "Nothing" }

/** The line asks for nothing that can be done; `message` says what is wrong and what to type instead. */
export class NotUnderstood extends Schema.TaggedError<NotUnderstood>()("NotUnderstood", { message: Schema.String }) {}

interface Command {
  readonly name: string
  /**
   * In the order in which they are typed. The last one, if it is `message` or `words`, takes all that is left of the
   * line. One that is called `in:room` is a word that begins with `in:`, wherever it stands.
   */
  readonly parameters: ReadonlyArray<{ readonly name: string; readonly isOptional: boolean }>
  readonly summary: string
  readonly example: string
  /** What other programs call it: never understood, only suggested. */
  readonly alsoKnownAs: ReadonlyArray<string>
  readonly read: (words: Readonly<Record<string, string>>) => Result.Result<Action, SchemaIssue.Issue>
}

const define = <Arguments>(definition: {
  readonly name: string
  readonly parameters: Schema.ConstraintDecoder<Arguments> & {
    readonly fields: Readonly<Record<string, Schema.Constraint>>
  }
  readonly summary: string
  readonly example: string
  readonly alsoKnownAs?: ReadonlyArray<string>
  readonly action: (given: Arguments) => Action
}): Command => {
  const decode = Schema.decodeUnknownResult(definition.parameters)
  return {
    name: definition.name,
    parameters: Object.entries(definition.parameters.fields).map(([name, { ast }]) => ({
      name,
      isOptional: SchemaAST.isOptional(ast)
    })),
    summary: definition.summary,
    example: definition.example,
    alsoKnownAs: definition.alsoKnownAs ?? [],
    read: (words) =>
      decode(words).pipe(
        Result.map(definition.action),
        Result.mapError(({ issue }) => issue)
      )
  }
}

export const ask = (request: Request) => ({ _tag: "Ask", request }) as const
const nothing = Schema.Struct({})
const room = Schema.Struct({ room: RoomName })

export const commands: ReadonlyArray<Command> = [
  define({
    name: "quit",
    parameters: nothing,
    summary: "leave",
    example: ":quit",
    alsoKnownAs: ["exit", "q", "bye", "logout", "disconnect"],
    action: () => ({ _tag: "Quit" })
  }),
  define({
    name: "ping",
    parameters: nothing,
    summary: "measure the way to the server and back",
    example: ":ping",
    action: () => ask({ _tag: "Ping", nonce: 0 })
  }),
  define({
    name: "pm",
    parameters: Schema.Struct({ user: UserName, message: Content }),
    summary: "tell one user something in private",
    example: ":pm ada Are you there?",
    alsoKnownAs: ["msg", "query", "whisper", "w", "tell", "dm"],
    action: ({ user, message }) => ask({ _tag: "PrivateMessage", to: user, content: message })
  }),
  define({
    name: "users",
    parameters: nothing,
    summary: "list who is here",
    example: ":users",
    alsoKnownAs: ["who", "names"],
    action: () => ask({ _tag: "ListUsers" })
  }),
  define({
    name: "cr",
    parameters: room,
    summary: "create a room",
    example: ":cr dev",
    alsoKnownAs: ["create", "new"],
    action: ({ room }) => ask({ _tag: "CreateRoom", room })
  }),
  define({
    name: "jr",
    parameters: room,
    summary: "join a room",
    example: ":jr dev",
    alsoKnownAs: ["join", "enter"],
    action: ({ room }) => ask({ _tag: "JoinRoom", room })
  }),
  define({
    name: "lr",
    parameters: room,
    summary: "leave a room",
    example: ":lr dev",
    alsoKnownAs: ["leave", "part"],
    action: ({ room }) => ask({ _tag: "LeaveRoom", room })
  }),
  define({
    name: "lrs",
    parameters: nothing,
    summary: "list the rooms",
    example: ":lrs",
    alsoKnownAs: ["rooms", "list", "ls"],
    action: () => ask({ _tag: "ListRooms" })
  }),
  define({
    name: "lru",
    parameters: room,
    summary: "list who is in a room",
    example: ":lru dev",
    action: ({ room }) => ask({ _tag: "ListRoomUsers", room })
  }),
  define({
    name: "rm",
    parameters: Schema.Struct({ room: RoomName, message: Content }),
    summary: "tell a room something",
    example: ":rm dev It compiles.",
    alsoKnownAs: ["say", "room"],
    action: ({ room, message }) => ask({ _tag: "RoomMessage", room, content: message })
  }),
  define({
    name: "history",
    parameters: Schema.Struct({
      room: Schema.optionalKey(RoomName),
      n: Schema.optionalKey(Schema.FiniteFromString.pipe(Schema.decodeTo(HistoryLimit)))
    }),
    summary: "show the last n messages of a room, or of the lobby (50, up to 500)",
    example: ":history dev 20",
    alsoKnownAs: ["log", "backlog", "last"],
    action: ({ room, n }) => ask({ _tag: "GetHistory", ...(room && { room }), ...(n !== undefined && { limit: n }) })
  }),
  define({
    name: "search",
    parameters: Schema.Struct({ "in:room": Schema.optionalKey(RoomName), words: SearchQuery }),
    summary: "find what was said in the lobby and your rooms, or in one room",
    example: ':search in:dev "release notes" ada',
    alsoKnownAs: ["find", "grep"],
    action: ({ "in:room": room, words }) => ask({ _tag: "Search", query: words, ...(room && { room }) })
  }),
  define({
    name: "more",
    parameters: nothing,
    summary: "show what is older than the history or the findings shown last",
    example: ":more",
    alsoKnownAs: ["older", "next"],
    action: () => ({ _tag: "More" })
  }),
  define({
    name: "help",
    parameters: Schema.Struct({ command: Schema.optionalKey(Schema.String) }),
    summary: "explain all commands, or one",
    example: ":help rm",
    alsoKnownAs: ["h", "?", "commands", "man"],
    action: ({ command }) => ({ _tag: "Help", command: command?.replace(/^:/, "") })
  })
]

/** How a command is typed: `:rm <room> <message>`, `:history [room] [n]`, `:search [in:room] <words>`. */
export const usage = ({ name, parameters }: Command): string =>
  [`:${name}`, ...parameters.map(({ name, isOptional }) => (isOptional ? `[${name}]` : `<${name}>`))].join(" ")

export const findCommand = (name: string): Command | undefined =>
  commands.find((command) => command.name === name.toLowerCase())

/** Reads one line as typed, without its line break. */
export const parse = (line: string): Result.Result<Action, NotUnderstood> => {
  if (line.length > maxLineLength) return Result.fail(new NotUnderstood({ message: tooLong }))
  const typed = line.trimStart()
  if (typed === "") return Result.succeed({ _tag: "Nothing" })
  if (typed.startsWith("::")) return parseChat(typed.slice(1))
  return typed.startsWith(":") ? parseCommand(typed) : parseChat(line)
}

export const tooLong = `A line may have ${maxLineLength} characters at most; this one was passed over.`

const parseChat = (content: string): Result.Result<Action, NotUnderstood> =>
  Result.mapBoth(decodeContent(content), {
    onSuccess: (content) => ask({ _tag: "GlobalMessage", content }),
    onFailure: ({ issue }) =>
      new NotUnderstood({ message: `This cannot be sent: a message ${problem(issue).message}.` })
  })

const decodeContent = Schema.decodeUnknownResult(Content)

const parseCommand = (typed: string): Result.Result<Action, NotUnderstood> => {
  const [name, rest] = cut(typed.slice(1))
  const command = findCommand(name)
  if (command === undefined) return Result.fail(unknownCommand(name))
  const { words, surplus } = assign(command, rest)
  const missing = command.parameters.find(({ name, isOptional }) => !isOptional && words[name] === undefined)
  if (missing !== undefined) return Result.fail(misused(command, `<${missing.name}> is missing`))
  if (surplus !== "") return Result.fail(misused(command, `there is no place for "${surplus}"`))
  return Result.mapError(command.read(words), (issue) => {
    const { field, message } = problem(issue)
    return misused(command, `<${field}> ${message}`)
  })
}

/** The first word, and what comes after the one white space behind it. */
const cut = (text: string): readonly [first: string, rest: string] => {
  const end = text.search(/\s/)
  return end === -1 ? [text, ""] : [text.slice(0, end), text.slice(end + 1)]
}

/** Gives each parameter its word. */
const assign = ({ parameters }: Command, text: string) => {
  const words: Record<string, string> = {}
  let rest = text
  for (const { name } of parameters) {
    if (name.includes(":")) {
      const [word, others] = cutMarked(rest, name.slice(0, name.indexOf(":") + 1))
      if (word !== undefined) words[name] = word
      rest = others
      continue
    }
    if (name === "message" || name === "words") {
      const all = name === "words" ? rest.trim() : rest
      return { words: all === "" ? words : { ...words, [name]: all }, surplus: "" }
    }
    const [word, after] = cut(rest.trimStart())
    if (word === "") break
    words[name] = word
    rest = after
  }
  // A number alone is how many, for of a room named by a number one can say both.
  const { room, n } = words
  const isCount = parameters.some(({ name }) => name === "n") && n === undefined && /^\d+$/.test(room ?? "")
  return { words: isCount ? { n: room ?? "" } : words, surplus: rest.trim() }
}

/** What stands behind the mark, and the text without it. In quotes nothing is a mark; two marked words fit no room. */
const cutMarked = (text: string, mark: string): readonly [word: string | undefined, rest: string] => {
  const pieces = text.match(/"[^"]*"?|[^\s"]+/g) ?? []
  const isMarked = (piece: string) => piece !== mark && piece.toLowerCase().startsWith(mark)
  const marked = pieces.filter(isMarked)
  if (marked.length === 0) return [undefined, text]
  const word = marked.map((piece) => piece.slice(mark.length)).join(" ")
  return [word, pieces.filter((piece) => !isMarked(piece)).join(" ")]
}

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

const problem = (issue: SchemaIssue.Issue): { readonly field: string; readonly message: string } => {
  const { path = [], message } = formatIssue(issue).issues[0] ?? { message: "does not fit" }
  return { field: path.map(String).join("."), message: message.replace(/^Expected/, "must be") }
}

const misused = (command: Command, problem: string) => {
  const example = usage(command) === command.example ? "" : `, for example ${command.example}`
  return new NotUnderstood({ message: `:${command.name}: ${problem}. Type ${usage(command)}${example}` })
}

const unknownCommand = (name: string) => {
  const known = commands.flatMap((command) => [command.name, ...command.alsoKnownAs].map((word) => ({ word, command })))
  const guess = nearest(name.toLowerCase(), known, ({ word }) => word)
  const advice = guess === undefined ? "Type :help for a list." : `Did you mean ${usage(guess.command)}?`
  return new NotUnderstood({
    message: `There is no command ":${name}". ${advice} To send the line as text, begin it with "::".`
  })
}
