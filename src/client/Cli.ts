/**
 * The command line of the client: flags, the environment behind them, a question for the name if there is somebody to
 * ask; then one sitting.
 *
 * A failure to connect is told as one sentence with the way out; see `ClientError` for the causes.
 */
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import {
  Config,
  ConfigProvider,
  Effect,
  FileSystem,
  Layer,
  Option,
  Result,
  Runtime,
  Schema,
  SchemaTransformation
} from "effect"
import { CliError, Command, Flag, Prompt, TerminalCapabilities } from "effect/cli"
import { UserName } from "../common/name/UserName.ts"
import { commandLines } from "./command/Help.ts"
import type { SessionError } from "./core/ClientError.ts"
import { chat } from "./line/Chat.ts"
import { Client } from "./link/Client.ts"
import { areCertificates } from "./link/Dial.ts"
import * as PlainScreen from "./screen/PlainScreen.ts"
import * as TerminalScreen from "./screen/TerminalScreen.ts"
import { safeLine } from "./text/SafeText.ts"

/** How long a script waits for a broken connection; a person may wait, or quit. */
const scriptPatience = "30 seconds"

/** Ends the program, with a sentence for the person who started it. */
class CannotChat extends Schema.TaggedError<CannotChat>()("CannotChat", { message: Schema.String }) {
  override readonly [CliError.userMessage] = this.message
  override readonly [Runtime.errorExitCode] = 1
}

const portRange = "must be a port, from 1 to 65535"
const Port = Schema.String.check(Schema.isPattern(/^\d{1,5}$/, { message: portRange })).pipe(
  Schema.decodeTo(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65535 }, { message: portRange })),
    SchemaTransformation.numberFromString
  )
)

/** The client's own setting, or else the server's: one `.env` may serve both. */
const ownOr = (own: string, other: string) => Config.orElse(Config.String(own), () => Config.String(other))

const flags = {
  host: Flag.String("host").pipe(
    Flag.withDescription("Where the server is; or set CHAT_HOST, or HOST (localhost)"),
    Flag.withFallbackConfig(ownOr("CHAT_HOST", "HOST")),
    Flag.withDefault("localhost")
  ),
  port: Flag.String("port").pipe(
    Flag.withDescription("The server's port; or set CHAT_PORT, or PORT (8080)"),
    Flag.withFallbackConfig(ownOr("CHAT_PORT", "PORT")),
    Flag.withDefault("8080"),
    Flag.withSchema(Port)
  ),
  user: Flag.String("user").pipe(
    Flag.withDescription("Your name; or set USER_NAME"),
    Flag.withFallbackConfig(Config.String("USER_NAME")),
    Flag.withSchema(UserName),
    Flag.optional
  ),
  tls: Flag.Boolean("tls").pipe(
    Flag.withDescription("Speak TLS, with a server whose certificate holds for its host; or set CHAT_TLS"),
    Flag.withFallbackConfig(Config.Boolean("CHAT_TLS")),
    Flag.optional
  ),
  ca: Flag.String("ca").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription(
      "Speak TLS, and trust only the certificates in this PEM file: the server's own, or its signer's; or set CHAT_CA"
    ),
    Flag.withFallbackConfig(Config.String("CHAT_CA")),
    Flag.optional
  )
}

const decodeUserName = Schema.decodeUnknownResult(UserName)

const askName = Effect.gen(function* () {
  const { canPrompt } = yield* TerminalCapabilities.TerminalCapabilities
  if (!canPrompt) {
    return yield* new CannotChat({ message: "No name was given. Start with --user <name>, or set USER_NAME." })
  }
  const typed = yield* Prompt.run(
    Prompt.String({
      message: "Your name:",
      validate: (typed) =>
        Effect.fromResult(
          Result.mapError(decodeUserName(typed), () => "a name has 1 to 32 letters, digits, '_', '.', '-'")
        )
    })
    // A terminal of its own, closed behind the answer: the editor of lines is to have stdin for itself.
  ).pipe(Effect.provide(NodeTerminal.layer, { local: true }))
  return yield* Effect.fromResult(decodeUserName(typed)).pipe(Effect.orDie)
})

/** Whom to trust, if TLS is to be spoken. */
const trust = Effect.fnUntraced(function* (tls: Option.Option<boolean>, ca: Option.Option<string>) {
  if (!Option.getOrElse(tls, () => Option.isSome(ca))) return undefined
  return Option.isSome(ca) ? { ca: yield* readCertificates(ca.value) } : {}
})

const readCertificates = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  const pem = yield* Effect.mapError(files.readFileString(path), () => noCertificates(path, "cannot be read"))
  if (!areCertificates(pem)) return yield* noCertificates(path, "holds no certificates in PEM form, or a broken one")
  return pem
})

const noCertificates = (path: string, why: string) =>
  new CannotChat({ message: `The file ${JSON.stringify(path)} of --ca, or CHAT_CA, ${why}.` })

const explain = (where: string, user: string, { reason }: SessionError): CannotChat => {
  const isTaken = reason._tag === "Refused" && reason.reason._tag === "UserNameTaken"
  const remedy = isTaken ? " Start again with --user <another name>." : ""
  return new CannotChat({ message: `Cannot chat as ${user} on ${where}. ${safeLine(reason.message)}${remedy}` })
}

export const cli = Command.make(
  "parley",
  flags,
  Effect.fnUntraced(function* ({ ca, host, port, tls, user }) {
    const trusted = yield* trust(tls, ca)
    const name = Option.isSome(user) ? user.value : yield* askName
    const { canPrompt } = yield* TerminalCapabilities.TerminalCapabilities
    const address = { host, port, tls: trusted }
    const client = Client.layerDialled({ ...address, user: name, giveUpAfter: canPrompt ? undefined : scriptPatience })
    const screen = canPrompt ? TerminalScreen.layer : PlainScreen.layer
    yield* chat.pipe(
      Effect.provide(Layer.provideMerge(screen, client)),
      Effect.catchTag("SessionError", (error) => Effect.fail(explain(`${host}:${port}`, name, error)))
    )
  })
).pipe(
  Command.withDescription(
    [
      "Chat with everybody, in rooms, or in private.",
      "",
      "What you type goes to everybody; a line that begins with a colon is a command:",
      ...commandLines,
      "",
      "Settings come from flags, the environment, or a file .env, in this order.",
      "With stdin or stdout not a terminal, lines are read and written plainly, for scripts;",
      "a line that could not be carried out is told on stderr and makes the exit code 1."
    ].join("\n")
  ),
  Command.withShortDescription("Chat with everybody, in rooms, or in private"),
  Command.withExamples([
    { command: "pnpm client --user ada", description: "Chat as ada, on localhost:8080" },
    {
      command: "pnpm client --host chat.example.org --port 9000",
      description: "Be asked for a name, on another server"
    },
    { command: "pnpm client --host chat.example.org --tls", description: "Speak TLS" },
    {
      command: "pnpm client --host chat.example.org --ca chat.pem",
      description: "Speak TLS with a server that signed its certificate itself"
    },
    {
      command: "printf ':jr dev\\n:rm dev hi\\n' | pnpm -s client --user bot",
      description: "Let a script say something"
    },
    { command: "NO_COLOR=1 pnpm client", description: "Do without colours" }
  ])
)

/** The environment first, then a file `.env` in the working directory, if there is one. */
export const configLayer = ConfigProvider.layerAdd(
  ConfigProvider.fromDotEnv().pipe(
    Effect.catchReason("PlatformError", "NotFound", () => Effect.succeed(ConfigProvider.fromEnvRecord({})))
  )
)
