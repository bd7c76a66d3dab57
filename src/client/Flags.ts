/**
 * The flags that the chat and the scripts share: where the server is, who one is, and how one logs in. What they come to, with the
 * environment and the config file behind them, is a `Start`.
 */
import { homedir } from "node:os"
import { isAbsolute, join } from "node:path"
import { Config, Effect, Option, Schema, SchemaTransformation } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { UserName } from "../common/name/UserName.ts"
import { DeviceName } from "../common/wire/AccountRequest.ts"

const portRange = "must be a port, from 1 to 65535"
export const Port = Schema.String.check(Schema.isPattern(/^\d{1,5}$/, { message: portRange })).pipe(
  Schema.decodeTo(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65535 }, { message: portRange })),
    SchemaTransformation.numberFromString
  )
)

const shared = {
  config: Flag.String("config").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription(
      "Settings of servers, keys and colours; or set CHAT_CONFIG ($XDG_CONFIG_HOME/parley/config.json)"
    ),
    Flag.withFallbackConfig(Config.String("CHAT_CONFIG")),
    Flag.optional
  ),
  server: Flag.String("server").pipe(
    Flag.withMetavar("NAME"),
    Flag.withDescription("The server of that name in the config file (its default one)"),
    Flag.optional
  ),
  host: Flag.String("host").pipe(
    Flag.withDescription("Where the server is; or set CHAT_HOST, or HOST (localhost)"),
    Flag.optional
  ),
  port: Flag.String("port").pipe(
    Flag.withDescription("The server's port; or set CHAT_PORT, or PORT (8080)"),
    Flag.withSchema(Port),
    Flag.optional
  ),
  user: Flag.String("user").pipe(
    Flag.withDescription("Your name; or set USER_NAME"),
    Flag.withSchema(UserName),
    Flag.optional
  ),
  tls: Flag.Boolean("tls").pipe(
    Flag.withDescription("Speak TLS, with a server whose certificate holds for its host; or set CHAT_TLS"),
    Flag.optional
  ),
  ca: Flag.String("ca").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription(
      "Speak TLS, and trust only the certificates in this PEM file: the server's own, or its signer's; or set CHAT_CA"
    ),
    Flag.optional
  ),
  key: Flag.String("key").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Log in with this OpenSSH key, or with the one of this .pub in an agent; or set CHAT_KEY"),
    Flag.optional
  ),
  tokenFile: Flag.String("token-file").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Keep the login in this file, for a script; or set CHAT_TOKEN_FILE"),
    Flag.optional
  ),
  device: Flag.String("device").pipe(
    Flag.withDescription("What this device is to be called in :devices (the name of this machine)"),
    Flag.withSchema(DeviceName),
    Flag.optional
  )
}

/** Where tokens are kept, and places (XDG Base Directory Specification, 0.8). */
const folderOf = (given: Option.Option<string>, otherwise: string): string =>
  join(
    Option.getOrElse(Option.filter(given, isAbsolute), () => join(homedir(), otherwise)),
    "parley"
  )

/** `parley` itself, without what it does: the commands below it read what was given to it. */
export const root = Command.make("parley", {
  register: Flag.Boolean("register").pipe(
    Flag.withDescription("Make an account of your name, with a password you are asked for"),
    Flag.withDefault(false)
  ),
  line: Flag.Boolean("line").pipe(
    Flag.withDescription("Line by line: all is written once, in order, for screen readers; see above"),
    Flag.withDefault(false)
  ),
  mouse: Flag.Boolean("mouse").pipe(
    Flag.withDescription("Click and scroll on the full screen; --no-mouse leaves the mouse to the terminal"),
    Flag.optional
  ),
  wait: Flag.Boolean("wait").pipe(
    Flag.withDescription("Wait for as long as the server asks to, where a line would be refused as too fast"),
    Flag.withDefault(false)
  ),
  servers: Argument.String("@server").pipe(
    Argument.withDescription("The server of that name in the config file; several are kept side by side"),
    Argument.variadic()
  )
}).pipe(Command.withSharedFlags(shared))

/** What is given to the chat; and what of it is given to every command. */
export type Given =
  typeof root extends Command.Command<"parley", infer Input, infer _, infer _, infer _> ? Input : never
export type Shared = Effect.Success<typeof root>

/** Where keys are kept, each server's in a folder of its own. */
export const dataHome = Effect.map(Config.option(Config.String("XDG_DATA_HOME")), (home) =>
  Option.getOrElse(Option.filter(home, isAbsolute), () => join(homedir(), ".local/share"))
)

/** Where tokens are kept, and the config file. */
export const configFolder = Effect.map(Config.option(Config.String("XDG_CONFIG_HOME")), (home) =>
  folderOf(home, ".config")
)

/** Where scripts keep how far they are. */
export const stateFolder = Effect.map(Config.option(Config.String("XDG_STATE_HOME")), (home) =>
  folderOf(home, ".local/state")
)
