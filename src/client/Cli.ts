/**
 * The command line of the client: flags, the environment behind them, a question for the name if there is somebody to
 * ask; then one sitting.
 *
 * A failure to connect is told as one sentence with the way out; see `ClientError` for the causes.
 */
import { homedir, hostname } from "node:os"
import { isAbsolute, join } from "node:path"
import process from "node:process"
import { Config, Context, Effect, FileSystem, Layer, Option, Schema, SchemaTransformation } from "effect"
import { Command, Flag } from "effect/cli"
import { UserName } from "../common/name/UserName.ts"
import { DeviceName } from "../common/wire/AccountRequest.ts"
import { byPrompts, onScreen } from "./Asking.ts"
import { NotUnderstood } from "./command/Action.ts"
import { help, helpRows } from "./command/Help.ts"
import { Tokens } from "./core/Login.ts"
import { CannotChat, comingBack, enter, type Entrance, explain, putOut, type Visitor } from "./Entrance.ts"
import { chat } from "./line/Chat.ts"
import { type Entered, Relogin } from "./line/Relogin.ts"
import { Client } from "./link/Client.ts"
import { areCertificates } from "./link/Dial.ts"
import * as PlainScreen from "./screen/PlainScreen.ts"
import { Screen } from "./screen/Screen.ts"
import * as TerminalScreen from "./screen/TerminalScreen.ts"

const portRange = "must be a port, from 1 to 65535"
const Port = Schema.String.check(Schema.isPattern(/^\d{1,5}$/, { message: portRange })).pipe(
  Schema.decodeTo(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65535 }, { message: portRange })),
    SchemaTransformation.numberFromString
  )
)

/** The client's own setting, or else the server's: one `.env` may serve both. */
const ownOr = (own: string, other: string) => Config.orElse(Config.String(own), () => Config.String(other))

/** How wide the help is: what stands beside it leaves so much of the usual 80 columns, or of what there is. */
const helpWidth = Math.min(Math.max(process.stdout.columns || 80, 40), 120) - 2

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
  ),
  register: Flag.Boolean("register").pipe(
    Flag.withDescription("Make an account of your name, with a password you are asked for"),
    Flag.withDefault(false)
  ),
  key: Flag.String("key").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Log in with this OpenSSH key, or with the one of this .pub in an agent; or set CHAT_KEY"),
    Flag.withFallbackConfig(Config.String("CHAT_KEY")),
    Flag.optional
  ),
  tokenFile: Flag.String("token-file").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Keep the login in this file, for a script; or set CHAT_TOKEN_FILE"),
    Flag.withFallbackConfig(Config.String("CHAT_TOKEN_FILE")),
    Flag.optional
  ),
  line: Flag.Boolean("line").pipe(
    Flag.withDescription("Write plainly, in order, nothing twice: for screen readers; see above"),
    Flag.withDefault(false)
  ),
  device: Flag.String("device").pipe(
    Flag.withDescription("What this device is to be called in :devices (the name of this machine)"),
    Flag.withSchema(DeviceName),
    Flag.optional
  )
}

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

/** Where tokens are kept (XDG Base Directory Specification, 0.8). */
const folderOf = (configHome: Option.Option<string>): string =>
  join(
    Option.getOrElse(Option.filter(configHome, isAbsolute), () => join(homedir(), ".config")),
    "parley"
  )

const decodeDeviceName = Schema.decodeUnknownOption(DeviceName)

/** One sitting; gives who is in for the next, if there is to be one. */
const sit = Effect.fnUntraced(function* (
  entrance: Entrance,
  { client, close, tokens, user }: Entered,
  screen: Screen["Service"]
) {
  const asking = onScreen(screen)
  const context = yield* Effect.context<Effect.Services<ReturnType<typeof enter>>>()
  const logIn = (other: UserName, self: UserName) =>
    enter(entrance, { user: other, as: "login", stays: self }, asking).pipe(
      Effect.mapError(({ message }) => new NotUnderstood({ message: `:login: ${message} You are still ${self}.` })),
      Effect.provideContext(context)
    )
  return yield* chat.pipe(
    Effect.provideService(Client, client),
    Effect.provideService(Screen, screen),
    Effect.provideService(Tokens, tokens),
    Effect.provideService(Relogin, logIn),
    Effect.ensuring(close),
    Effect.map((ending) => (ending._tag === "Login" ? ending.entered : undefined)),
    Effect.catchTag(
      "SessionError",
      Effect.fnUntraced(function* (error) {
        const visitor = comingBack(user, error)
        if (visitor?.isPutOut === true) yield* Effect.ignore(tokens.forget)
        if (visitor === undefined || !asking.canAsk) return yield* explain(entrance, user, error)
        if (visitor.isPutOut === true) yield* asking.say(putOut(user, error))
        return yield* enter(entrance, visitor, asking)
      })
    )
  )
})

/** One sitting after the other, until one is the last. All have one screen, and what is being typed there. */
const stay = Effect.fnUntraced(function* (entrance: Entrance, visitor: Visitor, isLine: boolean) {
  const asking = yield* byPrompts
  let entered: Entered | undefined = yield* enter(entrance, visitor, asking)
  const built = yield* Layer.build(asking.canAsk ? TerminalScreen.layer({ isInOrder: isLine }) : PlainScreen.layer)
  while (entered !== undefined) entered = yield* sit(entrance, entered, Context.get(built, Screen))
}, Effect.scoped)

export const cli = Command.make(
  "parley",
  flags,
  Effect.fnUntraced(function* ({ ca, device, host, key, line, port, register, tls, tokenFile, user }) {
    const entrance: Entrance = {
      address: { host, port, tls: yield* trust(tls, ca) },
      folder: folderOf(yield* Config.option(Config.String("XDG_CONFIG_HOME"))),
      tokenFile: Option.getOrUndefined(tokenFile),
      key: Option.getOrUndefined(key),
      password: Option.getOrUndefined(yield* Config.option(Config.Redacted("PARLEY_PASSWORD"))),
      invite: Option.getOrUndefined(yield* Config.option(Config.Redacted("PARLEY_INVITE"))),
      device: Option.getOrUndefined(device),
      deviceByDefault: Option.getOrUndefined(decodeDeviceName(hostname()))
    }
    yield* stay(entrance, { user: Option.getOrUndefined(user), as: register ? "register" : "whatever" }, line)
  })
).pipe(
  Command.withDescription(
    [
      "Chat with everybody, in rooms, or in private.",
      "",
      ...helpRows(help(), helpWidth),
      "",
      "On a terminal the line that you type stands below what happens. With --line everything is written once, in",
      "order, behind what is there, as screen readers want it: the prompt comes with the first key of a line, and",
      "what happens while you type waits until the line is sent or cleared.",
      "",
      "A name with an account asks for its password once; from then on this device is logged in. A script",
      "logs in with PARLEY_PASSWORD, which never stands in a command line, or with --key.",
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
    { command: "pnpm client --user ada --key ~/.ssh/id_ed25519", description: "Log in with an SSH key" },
    {
      command: "PARLEY_PASSWORD=… pnpm -s client --user bot --token-file bot.token < lines",
      description: "Let a script log in, and the next time without the password"
    },
    { command: "NO_COLOR=1 pnpm client", description: "Do without colours" }
  ])
)
