/**
 * The commands one can type: one table, from which the parser, the help, the completion and the README's table come.
 *
 * A line that begins with ":" or "/" is a command and nothing else: what is no command, or lacks something, is refused
 * with a hint and never sent as chat. Any other line is a message, sent exactly as typed; "::" and "//" at its beginning
 * stand for a ":" or "/" that is part of the message. White space before a command is forgiven, so that a slip of the
 * space bar does not tell others what was meant for one.
 */
import { Result, Schema, SchemaIssue } from "effect"
import { Seq } from "../../common/log/Cursor.ts"
import { Reaction } from "../../common/log/Entry.ts"
import { Reason, Topic } from "../../common/log/Governing.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import { Content } from "../../common/text/Content.ts"
import { HistoryLimit, SearchQuery } from "../../common/wire/ClientMessage.ts"
import { reactionNamed } from "../text/Emoji.ts"
import { accountCommands } from "./AccountCommands.ts"
import { type Act, type Action, ask, go, type Mention, NotUnderstood } from "./Action.ts"
import { type Command, define, nothing } from "./Definition.ts"
import { encryptionCommands } from "./EncryptionCommands.ts"
import { type Here, noRoom, withRoom } from "./Here.ts"
import { cut, type Parameter } from "./Parameter.ts"
import { Place, placeOf } from "./Place.ts"
import { roomCommands } from "./RoomCommands.ts"
import { nearest } from "./Suggestion.ts"

/** In UTF-16 units. The longest message has 8192 characters of two each; with what stands before it, that is less. */
export const maxLineLength = 20_000

const room = Schema.Struct({ room: RoomName })

/** Which message is meant. */
const mentioned = {
  "in:room": Schema.optionalKey(Place),
  "#n": Schema.optionalKey(Schema.FiniteFromString.pipe(Schema.decodeTo(Seq)))
}
const leading = { "in:room": "leading", "#n": "number" } as const

const about = (words: { readonly "in:room"?: string; readonly "#n"?: Seq }, act: Act): Action => {
  const place = placeOf(words["in:room"])
  const number = words["#n"]
  const mention: Mention = { ...(place && { where: place }), ...(number !== undefined && { number }) }
  return { _tag: "About", mention, act }
}

export const commands: ReadonlyArray<Command> = [
  define({
    name: "quit",
    parameters: nothing,
    summary: "leave",
    example: ":quit",
    alsoKnownAs: ["exit", "q", "bye", "disconnect"],
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
    parameters: Schema.Struct({ user: UserName, message: Schema.optionalKey(Content) }),
    kinds: { user: "user", message: "text" },
    summary: "tell one user something in private, or talk to them from now on",
    example: ":pm ada Are you there?",
    notes: ["Without a message, plain text goes to them from now on, at a terminal. :lobby goes back."],
    alsoKnownAs: ["msg", "query", "whisper", "w", "tell", "dm"],
    action: ({ user, message }) =>
      message === undefined ? go({ with: user }) : ask({ _tag: "PrivateMessage", to: user, content: message })
  }),
  define({
    name: "lobby",
    parameters: nothing,
    summary: "talk to everybody again",
    example: ":lobby",
    notes: ["Plain text goes to the lobby first, after leaving a room, and always from a pipe."],
    alsoKnownAs: ["main", "all", "general", "home"],
    action: () => go({})
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
    parameters: Schema.Struct({
      "--private": Schema.optionalKey(Schema.Literal("--private")),
      room: RoomName,
      topic: Schema.optionalKey(Topic)
    }),
    kinds: { "--private": "flag", room: "room", topic: "words" },
    summary: "create a room, which is yours then, and join it",
    example: ":cr --private dev Release on Friday",
    notes: [
      "With --private, only who is invited (:invite) can see and join it.",
      "A terminal joins it, too, and plain text goes there; from a pipe, :jr does."
    ],
    alsoKnownAs: ["create", "new"],
    action: ({ "--private": isPrivate, room, topic }) =>
      ask({
        _tag: "CreateRoom",
        room,
        ...(isPrivate !== undefined && { private: true }),
        ...(topic !== undefined && { topic })
      })
  }),
  define({
    name: "jr",
    parameters: room,
    kinds: { room: "room" },
    summary: "join a room, and talk there from now on",
    example: ":jr dev",
    notes: ["Plain text goes there, at a terminal, also from a room that you are in already. :lobby goes back."],
    alsoKnownAs: ["join", "enter"],
    action: ({ room }) => ask({ _tag: "JoinRoom", room })
  }),
  define({
    name: "lr",
    parameters: room,
    kinds: { room: "here" },
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
    kinds: { room: "here" },
    summary: "list who is in a room",
    example: ":lru dev",
    action: ({ room }) => ask({ _tag: "ListRoomUsers", room })
  }),
  define({
    name: "rm",
    parameters: Schema.Struct({ room: RoomName, message: Content }),
    kinds: { room: "room", message: "text" },
    summary: "tell a room something",
    example: ":rm dev It compiles.",
    alsoKnownAs: ["say"],
    action: ({ room, message }) => ask({ _tag: "RoomMessage", room, content: message })
  }),
  define({
    name: "reply",
    parameters: Schema.Struct({ ...mentioned, text: Content }),
    kinds: { ...leading, text: "text" },
    summary: "answer the message shown last, or the one of that number",
    example: ":reply #12 Twelve is enough.",
    alsoKnownAs: ["answer", "re", "r"],
    action: ({ text, ...words }) => about(words, { _tag: "Reply", content: text })
  }),
  define({
    name: "edit",
    parameters: Schema.Struct({ ...mentioned, text: Schema.optionalKey(Content) }),
    kinds: { ...leading, text: "text" },
    summary: "change the last message you sent, or another one of yours",
    example: ":edit #12 It compiles now.",
    alsoKnownAs: ["correct", "change", "fix"],
    action: ({ text, ...words }) => about(words, { _tag: "Edit", ...(text !== undefined && { content: text }) })
  }),
  define({
    name: "delete",
    parameters: Schema.Struct({ ...mentioned, reason: Schema.optionalKey(Reason) }),
    kinds: { ...leading, reason: "words" },
    summary: "delete the last message you sent, or another one",
    example: ":delete #12 wrong room",
    alsoKnownAs: ["del", "erase", "remove", "redact"],
    action: ({ reason, ...words }) => about(words, { _tag: "Delete", ...(reason !== undefined && { reason }) })
  }),
  define({
    name: "react",
    parameters: Schema.Struct({ ...mentioned, reaction: Reaction }),
    kinds: leading,
    summary: "put an emoji beside the message shown last, or the one of that number",
    example: ":react #12 👍",
    alsoKnownAs: ["like", "emote", "reaction"],
    action: ({ reaction, ...words }) =>
      about(words, { _tag: "React", reaction: reactionNamed(reaction), isTakenBack: false })
  }),
  define({
    name: "unreact",
    parameters: Schema.Struct({ ...mentioned, reaction: Reaction }),
    kinds: leading,
    summary: "take a reaction back",
    example: ":unreact #12 👍",
    alsoKnownAs: ["unlike"],
    action: ({ reaction, ...words }) =>
      about(words, { _tag: "React", reaction: reactionNamed(reaction), isTakenBack: true })
  }),
  define({
    name: "history",
    parameters: Schema.Struct({
      room: Schema.optionalKey(Place),
      n: Schema.optionalKey(Schema.FiniteFromString.pipe(Schema.decodeTo(HistoryLimit)))
    }),
    kinds: { room: "here", n: "count" },
    summary: "show the last n messages of a room, of @user in private, or of the lobby (50, up to 500)",
    example: ":history dev 20",
    alsoKnownAs: ["log", "backlog", "last"],
    action: ({ room, n }) => ask({ _tag: "GetHistory", ...placeOf(room), ...(n !== undefined && { limit: n }) })
  }),
  define({
    name: "search",
    parameters: Schema.Struct({ "in:room": Schema.optionalKey(Place), words: SearchQuery }),
    kinds: { "in:room": "marked", words: "words" },
    summary: "find what was said in the lobby and your rooms, or in one room, or with @user",
    example: ':search in:dev "release notes" ada',
    alsoKnownAs: ["find", "grep"],
    action: ({ "in:room": room, words }) => ask({ _tag: "Search", query: words, ...placeOf(room) })
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
    name: "url",
    parameters: Schema.Struct({
      n: Schema.optionalKey(
        Schema.FiniteFromString.pipe(Schema.decodeTo(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 99 }))))
      )
    }),
    kinds: { n: "count" },
    summary: "follow the newest link, or the nth",
    example: ":url 2",
    notes: ["The full screen opens it in a browser, if there is one, and copies it; line mode shows where it goes."],
    alsoKnownAs: ["open", "browse"],
    action: ({ n = 1 }) => ({ _tag: "Link", number: n })
  }),
  define({
    name: "report",
    parameters: Schema.Struct({ ...mentioned, why: Reason }),
    kinds: { ...leading, why: "words" },
    summary: "tell admins about a message",
    example: ":report #12 insults",
    alsoKnownAs: ["flag", "complain"],
    action: ({ why, ...words }) => about(words, { _tag: "Report", reason: why })
  }),
  ...roomCommands,
  ...encryptionCommands,
  ...accountCommands,
  define({
    name: "help",
    parameters: Schema.Struct({ command: Schema.optionalKey(Schema.String) }),
    kinds: { command: "command" },
    summary: "explain all commands, or one",
    example: ":help rm",
    alsoKnownAs: ["h", "?", "commands", "man"],
    action: ({ command }) => ({ _tag: "Help", command: command?.replace(/^[:/]/, "") })
  })
]

/** How a command is typed: `:rm <room> <message>`, `:history [room] [n]`, `:search [in:room] <words>`; at a terminal `:lr [room]`. */
export const usage = ({ name, parameters }: Command, isAtTerminal = true): string => {
  const wordOf = ({ isOptional, kind, name }: Parameter) =>
    isOptional || (kind === "here" && isAtTerminal) ? `[${name}]` : `<${name}>`
  return [`:${name}`, ...parameters.map(wordOf)].join(" ")
}

export const findCommand = (name: string): Command | undefined =>
  commands.find((command) => command.name === name.toLowerCase())

/** Reads one line as typed, without its line break. `here`: what is before a person at a terminal. */
export const parse = (line: string, here?: Here): Result.Result<Action, NotUnderstood> => {
  if (line.length > maxLineLength) return Result.fail(new NotUnderstood({ message: tooLong }))
  const typed = line.trimStart()
  if (typed === "") return Result.succeed({ _tag: "Nothing" })
  const [sign = ""] = typed
  if (!isSign(sign)) return parseText(line)
  return typed[1] === sign ? parseText(typed.slice(1)) : parseCommand(typed, sign, here)
}

/** Whether this is what a command begins with; twice, it begins a text. */
export const isSign = (character: string): boolean => character === ":" || character === "/"

export const tooLong = `A line may have ${maxLineLength} characters at most; this one was passed over.`

/** What is said as it stands, whatever it begins with. */
export const parseText = (content: string): Result.Result<Action, NotUnderstood> =>
  Result.mapBoth(decodeContent(content), {
    onSuccess: (content): Action => ({ _tag: "Say", content }),
    onFailure: ({ issue }) =>
      new NotUnderstood({ message: `This cannot be sent: a message ${problem(issue).message}.` })
  })

const decodeContent = Schema.decodeUnknownResult(Content)

const parseCommand = (typed: string, sign: string, here: Here | undefined): Result.Result<Action, NotUnderstood> => {
  const [name, rest] = cut(typed.slice(1))
  const command = findCommand(name)
  if (command === undefined) return Result.fail(unknownCommand(name, sign, here !== undefined))
  return Result.flatMap(withRoom(command, rest, here), ({ filled, surplus, words }) => {
    const refused = (problem: string) => Result.fail(misused(command, problem, here !== undefined))
    const missing = command.parameters.find(({ name, isOptional }) => !isOptional && words[name] === undefined)
    if (missing !== undefined) return refused(`<${missing.name}> is missing`)
    if (surplus !== "") return refused(`there is no place for "${surplus}"`)
    const action = command.read(words)
    if (Result.isSuccess(action)) return Result.succeed(action.success)
    const { field, message } = problem(action.failure)
    return refused(filled !== undefined && field === "room" ? noRoom(filled) : `<${field}> ${message}`)
  })
}

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

const problem = (issue: SchemaIssue.Issue): { readonly field: string; readonly message: string } => {
  const { path = [], message } = formatIssue(issue).issues[0] ?? { message: "does not fit" }
  return { field: path.map(String).join("."), message: message.replace(/^Expected/, "must be") }
}

const misused = (command: Command, problem: string, isAtTerminal: boolean) => {
  const how = usage(command, isAtTerminal)
  const example = how === command.example ? "" : `, for example ${command.example}`
  return new NotUnderstood({ message: `:${command.name}: ${problem}. Type ${how}${example}` })
}

const unknownCommand = (name: string, sign: string, isAtTerminal: boolean) => {
  const known = commands.flatMap((command) => [command.name, ...command.alsoKnownAs].map((word) => ({ word, command })))
  const guess = nearest(name.toLowerCase(), known, ({ word }) => word)
  const advice = guess === undefined ? "Type :help for a list." : `Did you mean ${usage(guess.command, isAtTerminal)}?`
  return new NotUnderstood({
    message: `There is no command "${sign}${name}". ${advice} To send the line as text, begin it with "${sign}${sign}".`
  })
}
