/**
 * The command line of the client: flags, the environment behind them, a question for the name if there is somebody to
 * ask; then one sitting.
 *
 * A failure to connect is told as one sentence with the way out; see `ClientError` for the causes.
 */
import process from "node:process"
import { Config, Context, Effect, Fiber, Layer, Option } from "effect"
import { Command, TerminalCapabilities } from "effect/cli"
import { type Asking, byPrompts, onScreen } from "./Asking.ts"
import { help, helpRows } from "./command/Help.ts"
import { nearest } from "./command/Suggestion.ts"
import type * as ConfigFile from "./config/ConfigFile.ts"
import { exitCode } from "./core/ExitCode.ts"
import { Tokens } from "./core/Login.ts"
import { CannotChat, comingBack, enter, explain, putOut } from "./Entrance.ts"
import { type Given, root } from "./Flags.ts"
import * as Stage from "./full/Stage.ts"
import { type Guest, host, type Let, letIn, reloginOn } from "./Hosting.ts"
import { chat } from "./line/Chat.ts"
import { type Entered, Relogin } from "./line/Relogin.ts"
import { Client } from "./link/Client.ts"
import { LongestPause } from "./link/WhenAllowed.ts"
import { historyCommand, roomsCommand, usersCommand } from "./LookCommands.ts"
import * as PlainScreen from "./screen/PlainScreen.ts"
import { Screen } from "./screen/Screen.ts"
import * as TerminalScreen from "./screen/TerminalScreen.ts"
import { exitCodes } from "./ScriptFlags.ts"
import { sendCommand } from "./SendCommand.ts"
import { configOf, type Start, startOf } from "./Start.ts"
import { tailCommand } from "./TailCommand.ts"

/** How wide the help is: what stands beside it leaves so much of the usual 80 columns, or of what there is. */
const helpWidth = Math.min(Math.max(process.stdout.columns || 80, 40), 120) - 2

/** One sitting line by line; gives who is in for the next, if there is to be one. */
const sit = Effect.fnUntraced(function* (
  start: Start,
  { client, close, tokens, user }: Entered,
  screen: Screen["Service"],
  prompts: Asking
) {
  const { entrance } = start
  const asking = onScreen(screen)
  const logIn = yield* reloginOn(start, prompts)
  return yield* Effect.provideService(chat, Screen, screen).pipe(
    Effect.provideService(Client, client),
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

interface Manner {
  readonly isInOrder: boolean
  readonly isLine: boolean
}

const isFullWanted = ({ isInOrder, isLine }: Manner, { canAsk }: Asking) =>
  canAsk && !isLine && !isInOrder ? Stage.canOpen : Effect.succeed(false)

/** One sitting after the other, until one is the last. All have one screen, and what is being typed there. */
const stay = Effect.fnUntraced(function* ({ entered: first, start }: Let, asking: Asking, isInOrder: boolean) {
  let entered: Entered | undefined = first
  const layer = asking.canAsk ? TerminalScreen.layer({ isInOrder }) : PlainScreen.layer
  const screen = Context.get(yield* Layer.build(layer), Screen)
  while (entered !== undefined) entered = yield* sit(start, entered, screen, asking)
}, Effect.scoped)

/** The servers that were named, each once. */
const namesIn = Effect.fnUntraced(function* ({ server, servers }: Pick<Given, "server" | "servers">) {
  const stranger = servers.find((word) => !/^@./.test(word))
  if (stranger !== undefined) {
    const meant = nearest(
      stranger,
      scripts.map(({ name }) => name),
      String
    )
    const message =
      meant === undefined
        ? `"${stranger}" is no command. A server of the config file is named with an @: @${stranger}.`
        : `"${stranger}" is no command. Did you mean ${meant}?`
    return yield* new CannotChat({ message, exitCode: exitCode.usage })
  }
  return [...new Set([...Option.toArray(server), ...servers.map((word) => word.slice(1))])]
})

const guestsOf = Effect.fnUntraced(function* (given: Given, opened: ConfigFile.Opened) {
  const names = yield* namesIn(given)
  const as = given.register ? "register" : "whatever"
  const several = names.length > 1
  const single = (["host", "port", "user", "tokenFile", "ca", "key"] as const).find((flag) =>
    Option.isSome<unknown>(given[flag])
  )
  if (several && (single !== undefined || given.register)) {
    const flag = given.register ? "register" : single === "tokenFile" ? "token-file" : single
    const message = `--${flag} is for one server, and ${names.length} are named. Set it in the config file, or name one.`
    return yield* new CannotChat({ message, exitCode: exitCode.usage })
  }
  const wanted = names.length === 0 ? [undefined] : names
  // A password that is given is for one server; no other one is to see it.
  const starts = yield* Effect.forEach(wanted, (name) => startOf(given, opened, name, !several))
  return starts.map((start): Guest => ({ start, visitor: { user: start.user, as } }))
})

/** On every screen, none where the config file wants none. */
const inColours = Effect.fnUntraced(function* <A, E, R>(
  { theme }: ConfigFile.Config,
  chatting: Effect.Effect<A, E, R>
) {
  const { TerminalCapabilities: Capabilities } = TerminalCapabilities
  const before = yield* Capabilities
  const wanted = theme === "none" ? { ...before, canColor: false } : before
  return yield* Effect.provideService(chatting, Capabilities, wanted)
})

const scripts = [sendCommand, tailCommand, historyCommand, usersCommand, roomsCommand] as const

export const cli = root.pipe(
  Command.withHandler(
    Effect.fnUntraced(function* (given) {
      const { line: isInOrder, mouse, wait } = given
      const isLine = yield* Config.withDefault(Config.Boolean("CHAT_LINE"), false)
      const opened = yield* configOf(given)
      const guests = yield* guestsOf(given, opened)
      const asking = yield* byPrompts
      const hasMouse = Option.getOrElse(mouse, () => opened.config.mouse ?? true)
      const hosted = { given, opened, hasMouse, asking }
      const chatting = Effect.gen(function* () {
        // What draws is loaded while the server answers.
        const opening = yield* Effect.forkScoped(isFullWanted({ isInOrder, isLine }, asking))
        if (guests.length > 1) {
          if (yield* Fiber.join(opening)) return yield* host(yield* letIn(guests, asking), hosted)
          const message = "Several servers at once need the full screen, on a terminal. Name one."
          return yield* new CannotChat({ message, exitCode: exitCode.usage })
        }
        const { all, remarks } = yield* letIn(guests, asking)
        return (yield* Fiber.join(opening))
          ? yield* host({ all, remarks }, hosted)
          : yield* stay(all[0], asking, isInOrder)
      }).pipe(Effect.scoped)
      yield* inColours(opened.config, wait ? Effect.provideService(chatting, LongestPause, Infinity) : chatting)
    })
  ),
  Command.withDescription(
    [
      "Chat with everybody, in rooms, or in private.",
      "",
      ...helpRows(help(), helpWidth),
      "",
      "A name with an account asks for its password once; from then on this device is logged in. A script",
      "logs in with PARLEY_PASSWORD, which never stands in a command line, or with --key.",
      "",
      "On a terminal it is a full screen, where what you type goes to the conversation named before it, and F1",
      "shows all keys. With CHAT_LINE=1, or where a full screen cannot be drawn, the line that you type stands below what",
      "happens. With --line everything is written once, in order, behind what is there, as screen readers want it: the",
      "prompt comes with the first key of a line, and what happens meanwhile waits until the line is sent or cleared.",
      "",
      "Settings come from flags, the environment, a file .env, and the config file (--config, CHAT_CONFIG, or",
      "$XDG_CONFIG_HOME/parley/config.json, where ~/.config is usual), in this order, and from what is in parentheses",
      "below. The config file has servers by name, the keys, colours and notices of the full screen:",
      '  {"servers": {"home": {"host": "chat.example.org", "tls": true, "user": "ada", "mute": ["lobby"]}},',
      '   "default": "home", "theme": "dark", "keys": {"jump": "ctrl+g"}, "bell": false}',
      "@home chats on that server, whatever the environment says; several are kept side by side, :server and Alt-O change",
      "over. Its default one is for a start whose flags and environment name neither host nor port. All that can stand",
      "there: src/client/README.md. What is wrong in it is told with its line, and nothing is started.",
      "With stdin or stdout not a terminal, lines are read and written plainly, for scripts;",
      "a line that could not be carried out is told on stderr and makes the exit code 1.",
      "For scripts there are also the commands below; pnpm -s client send --help explains one.",
      "",
      exitCodes
    ].join("\n")
  ),
  Command.withShortDescription("Chat with everybody, in rooms, or in private"),
  Command.withExamples([
    { command: "pnpm client --user ada", description: "Chat as ada, on localhost:8080" },
    {
      command: "pnpm client --host chat.example.org --port 9000",
      description: "Be asked for a name, on another server"
    },
    { command: "pnpm client @home @work", description: "Two servers of the config file, side by side" },
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
    { command: "pnpm -s client send --room dev 'The build is done.'", description: "Say one thing, from a script" },
    { command: "pnpm -s client tail --room dev --json", description: "Hear a room, from a script" },
    { command: "NO_COLOR=1 pnpm client", description: "Do without colours" }
  ]),
  Command.withSubcommands(scripts)
)
