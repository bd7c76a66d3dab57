/**
 * The command line of the client: flags, the environment behind them, a question for the name if there is somebody to
 * ask; then one sitting.
 *
 * A failure to connect is told as one sentence with the way out; see `ClientError` for the causes.
 */
import { join } from "node:path"
import process from "node:process"
import { Config, Context, Effect, Fiber, Layer, Option } from "effect"
import { Command } from "effect/cli"
import type { UserName } from "../common/name/UserName.ts"
import * as TokenFile from "./account/TokenFile.ts"
import { type Asking, byPrompts, onScreen } from "./Asking.ts"
import { NotUnderstood } from "./command/Action.ts"
import { help, helpRows } from "./command/Help.ts"
import { exitCode } from "./core/ExitCode.ts"
import { Tokens } from "./core/Login.ts"
import { CannotChat, comingBack, enter, type Entrance, explain, putOut, type Visitor } from "./Entrance.ts"
import { entranceOf, root, stateFolder } from "./Flags.ts"
import { fullScreen, type Options } from "./full/FullScreen.ts"
import * as Stage from "./full/Stage.ts"
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

/** How wide the help is: what stands beside it leaves so much of the usual 80 columns, or of what there is. */
const helpWidth = Math.min(Math.max(process.stdout.columns || 80, 40), 120) - 2

/** What is asked during a sitting is asked on its screen; behind a full screen, which is gone then, by prompts. */
const askingOn = (screen: Screen["Service"] | undefined, prompts: Asking) =>
  screen === undefined ? prompts : onScreen(screen)

const onFullScreen = (options: Options) =>
  Effect.catchTag(fullScreen(options), "CannotDraw", () =>
    Effect.fail(
      new CannotChat({ message: "The full screen cannot be drawn here. Start with --line.", exitCode: exitCode.usage })
    )
  )

/** What a sitting is on: a screen that shows lines, or else a full one. */
interface Place {
  readonly screen: Screen["Service"] | undefined
  readonly hasMouse: boolean
}

const sittingOn = Effect.fnUntraced(function* ({ hasMouse, screen }: Place, memoryPath: string) {
  if (screen === undefined) return yield* onFullScreen({ memoryPath, hasMouse })
  return yield* Effect.provideService(chat, Screen, screen)
})

/** One sitting; gives who is in for the next, if there is to be one. */
const sit = Effect.fnUntraced(function* (
  entrance: Entrance,
  { client, close, tokens, user }: Entered,
  place: Place,
  prompts: Asking
) {
  const asking = askingOn(place.screen, prompts)
  const context = yield* Effect.context<Effect.Services<ReturnType<typeof enter>>>()
  const logIn = (other: UserName, self: UserName) =>
    Effect.serviceOption(Screen).pipe(
      Effect.map((here) => askingOn(Option.getOrUndefined(here), prompts)),
      Effect.flatMap((asking) => enter(entrance, { user: other, as: "login", stays: self }, asking)),
      Effect.mapError(({ message }) => new NotUnderstood({ message: `:login: ${message} You are still ${self}.` })),
      Effect.provideContext(context)
    )
  const name = TokenFile.pathIn(join(yield* stateFolder, "screens"), entrance.address, user)
  return yield* sittingOn(place, name.replace(/\.token$/, ".json")).pipe(
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

/** One sitting after the other, until one is the last. In line mode all have one screen, and what is being typed there. */
const stay = Effect.fnUntraced(function* (
  entrance: Entrance,
  visitor: Visitor,
  { hasMouse, isInOrder, isLine }: { readonly hasMouse: boolean; readonly isInOrder: boolean; readonly isLine: boolean }
) {
  const asking = yield* byPrompts
  const isWanted = asking.canAsk && !isLine && !isInOrder
  // It is loaded while the server answers.
  const opening = isWanted ? yield* Effect.forkScoped(Stage.canOpen) : undefined
  let entered: Entered | undefined = yield* enter(entrance, visitor, asking)
  const isFull = opening !== undefined && (yield* Fiber.join(opening))
  const layer = asking.canAsk ? TerminalScreen.layer({ isInOrder }) : PlainScreen.layer
  const screen = isFull ? undefined : Context.get(yield* Layer.build(layer), Screen)
  while (entered !== undefined) entered = yield* sit(entrance, entered, { screen, hasMouse }, asking)
}, Effect.scoped)

export const cli = root.pipe(
  Command.withHandler(
    Effect.fnUntraced(function* (given) {
      const { line: isInOrder, mouse: hasMouse, register, user, wait } = given
      const isLine = yield* Config.withDefault(Config.Boolean("CHAT_LINE"), false)
      const visitor = { user: Option.getOrUndefined(user), as: register ? "register" : "whatever" } as const
      const chatting = stay(yield* entranceOf(given), visitor, { hasMouse, isInOrder, isLine })
      yield* wait ? Effect.provideService(chatting, LongestPause, Infinity) : chatting
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
