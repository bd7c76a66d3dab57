/**
 * The command line of the client: flags, the environment behind them, a question for the name if there is somebody to
 * ask; then one sitting.
 *
 * A failure to connect is told as one sentence with the way out; see `ClientError` for the causes.
 */
import { Context, Effect, Layer, Option } from "effect"
import { Command } from "effect/cli"
import type { UserName } from "../common/name/UserName.ts"
import { byPrompts, onScreen } from "./Asking.ts"
import { NotUnderstood } from "./command/Action.ts"
import { commandLines } from "./command/Help.ts"
import { Tokens } from "./core/Login.ts"
import { comingBack, enter, type Entrance, explain, putOut, type Visitor } from "./Entrance.ts"
import { entranceOf, root } from "./Flags.ts"
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
import { tailCommand } from "./TailCommand.ts"

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
const stay = Effect.fnUntraced(function* (entrance: Entrance, visitor: Visitor) {
  const asking = yield* byPrompts
  let entered: Entered | undefined = yield* enter(entrance, visitor, asking)
  const built = yield* Layer.build(asking.canAsk ? TerminalScreen.layer : PlainScreen.layer)
  while (entered !== undefined) entered = yield* sit(entrance, entered, Context.get(built, Screen))
}, Effect.scoped)

export const cli = root.pipe(
  Command.withHandler(
    Effect.fnUntraced(function* (given) {
      const { register, user, wait } = given
      const chatting = stay(yield* entranceOf(given), {
        user: Option.getOrUndefined(user),
        as: register ? "register" : "whatever"
      })
      yield* wait ? Effect.provideService(chatting, LongestPause, Infinity) : chatting
    })
  ),
  Command.withDescription(
    [
      "Chat with everybody, in rooms, or in private.",
      "",
      "What you type goes to everybody; a line that begins with a colon is a command:",
      ...commandLines,
      "",
      "A name with an account asks for its password once; from then on this device is logged in. A script",
      "logs in with PARLEY_PASSWORD, which never stands in a command line, or with --key.",
      "",
      "Settings come from flags, the environment, or a file .env, in this order.",
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
  Command.withSubcommands([sendCommand, tailCommand, historyCommand, usersCommand, roomsCommand])
)
