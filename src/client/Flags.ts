/**
 * The flags that the chat and the scripts share, with the environment behind them: where the server is, who one is, and how
 * one logs in. What they come to is an `Entrance`.
 */
import { homedir, hostname } from "node:os"
import { isAbsolute, join } from "node:path"
import { Config, Effect, FileSystem, Option, Schema, SchemaTransformation } from "effect"
import { Command, Flag } from "effect/cli"
import { UserName } from "../common/name/UserName.ts"
import { DeviceName } from "../common/wire/AccountRequest.ts"
import { exitCode } from "./core/ExitCode.ts"
import { CannotChat, type Entrance } from "./Entrance.ts"
import { areCertificates } from "./link/Dial.ts"

const portRange = "must be a port, from 1 to 65535"
const Port = Schema.String.check(Schema.isPattern(/^\d{1,5}$/, { message: portRange })).pipe(
  Schema.decodeTo(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65535 }, { message: portRange })),
    SchemaTransformation.numberFromString
  )
)

/** The client's own setting, or else the server's: one `.env` may serve both. */
const ownOr = (own: string, other: string) => Config.orElse(Config.String(own), () => Config.String(other))

const shared = {
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
  new CannotChat({ message: `The file ${JSON.stringify(path)} of --ca, or CHAT_CA, ${why}.`, exitCode: exitCode.usage })

/** Where tokens are kept, and places (XDG Base Directory Specification, 0.8). */
const folderOf = (given: Option.Option<string>, otherwise: string): string =>
  join(
    Option.getOrElse(Option.filter(given, isAbsolute), () => join(homedir(), otherwise)),
    "parley"
  )

const decodeDeviceName = Schema.decodeUnknownOption(DeviceName)

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
    Flag.withDefault(true)
  ),
  wait: Flag.Boolean("wait").pipe(
    Flag.withDescription("Wait for as long as the server asks to, where a line would be refused as too fast"),
    Flag.withDefault(false)
  )
}).pipe(Command.withSharedFlags(shared))

export type Shared = Effect.Success<typeof root>

export const entranceOf = Effect.fnUntraced(function* ({ ca, device, host, key, port, tls, tokenFile }: Shared) {
  const entrance: Entrance = {
    address: { host, port, tls: yield* trust(tls, ca) },
    folder: folderOf(yield* Config.option(Config.String("XDG_CONFIG_HOME")), ".config"),
    tokenFile: Option.getOrUndefined(tokenFile),
    key: Option.getOrUndefined(key),
    password: Option.getOrUndefined(yield* Config.option(Config.Redacted("PARLEY_PASSWORD"))),
    invite: Option.getOrUndefined(yield* Config.option(Config.Redacted("PARLEY_INVITE"))),
    device: Option.getOrUndefined(device),
    deviceByDefault: Option.getOrUndefined(decodeDeviceName(hostname()))
  }
  return entrance
})

/** Where scripts keep how far they are. */
export const stateFolder = Effect.map(Config.option(Config.String("XDG_STATE_HOME")), (home) =>
  folderOf(home, ".local/state")
)
