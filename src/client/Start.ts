/**
 * What a start comes to: where the server is, who wants in and with what, from the flags, the environment (`.env` is behind it), a
 * profile of the config file, and what there is by itself.
 *
 * In this order, each setting by itself, with two exceptions, so that nothing given for one server is ever used with another:
 *
 * 1. A profile that was named (`@home`, `--server home`) goes before the environment, as the flag that it is.
 * 2. The default one is for a start that does not say where the server is: with a host or a port from a flag or the environment
 *    nothing of it is used.
 */
import { hostname } from "node:os"
import { join } from "node:path"
import { Config, Effect, FileSystem, Option, Schema } from "effect"
import { UserName } from "../common/name/UserName.ts"
import { DeviceName } from "../common/wire/AccountRequest.ts"
import * as ConfigFile from "./config/ConfigFile.ts"
import { exitCode } from "./core/ExitCode.ts"
import { CannotChat, type Entrance } from "./Entrance.ts"
import { configFolder, dataHome, Port, type Shared } from "./Flags.ts"
import { areCertificates } from "./link/Dial.ts"

export interface Start {
  readonly entrance: Entrance
  readonly user: UserName | undefined
  /** The profile it is of, and what that is called. */
  readonly name: string | undefined
  readonly profile: ConfigFile.Profile | undefined
}

const unusable = (message: string) => new CannotChat({ message, exitCode: exitCode.usage })

export const configOf = Effect.fnUntraced(function* ({ config }: Pick<Shared, "config">) {
  const path = Option.getOrUndefined(config) ?? join(yield* configFolder, "config.json")
  return yield* Effect.mapError(ConfigFile.open(path, Option.isSome(config)), ({ message }) => unusable(message))
})

/** A setting of the environment; the client's own, or else the server's: one `.env` may serve both. */
const fromEnvironment = <A>(
  schema: Schema.ConstraintCodec<A, string>,
  ...names: readonly [string, ...ReadonlyArray<string>]
) => {
  const [first, ...rest] = names.map((name) => ({ name, value: Config.option(Config.String(name)) }))
  return Effect.gen(function* () {
    for (const one of first === undefined ? [] : [first, ...rest]) {
      const given = yield* one.value
      if (Option.isNone(given)) continue
      return yield* Schema.decodeEffect(schema)(given.value).pipe(
        Effect.mapError(({ message }) => unusable(`${one.name} ${message.replace(/^Expected/, "must be")}.`))
      )
    }
    return undefined
  })
}

/** The profile that was named; or the default one. */
const profileIn = Effect.fnUntraced(function* ({ config, path }: ConfigFile.Opened, name: string | undefined) {
  const { default: usual, servers = {} } = config
  const chosen = name ?? usual
  const profile = chosen === undefined || !Object.hasOwn(servers, chosen) ? undefined : servers[chosen]
  if (name !== undefined && profile === undefined) {
    const shown = JSON.stringify(path)
    return yield* unusable(
      `There is no server ${JSON.stringify(name)} in the config file ${shown}. ${ConfigFile.whichServer(name, servers)}`
    )
  }
  return { name: profile === undefined ? undefined : chosen, profile }
})

/** Of the profile of that name, or without one. `hasSecrets`: whether the passwords in the environment are meant for it. */
export const startOf = Effect.fnUntraced(function* (
  given: Shared,
  opened: ConfigFile.Opened,
  named: string | undefined,
  hasSecrets = true
) {
  const flags = {
    host: Option.getOrUndefined(given.host),
    port: Option.getOrUndefined(given.port),
    tls: Option.getOrUndefined(given.tls),
    ca: Option.getOrUndefined(given.ca),
    user: Option.getOrUndefined(given.user),
    key: Option.getOrUndefined(given.key),
    tokenFile: Option.getOrUndefined(given.tokenFile)
  }
  const surroundings = {
    host: yield* fromEnvironment(Schema.String, "CHAT_HOST", "HOST"),
    port: yield* fromEnvironment(Port, "CHAT_PORT", "PORT"),
    tls: Option.getOrUndefined(yield* Config.option(Config.Boolean("CHAT_TLS"))),
    ca: yield* fromEnvironment(Schema.String, "CHAT_CA"),
    user: yield* fromEnvironment(UserName, "USER_NAME"),
    key: yield* fromEnvironment(Schema.String, "CHAT_KEY"),
    tokenFile: yield* fromEnvironment(Schema.String, "CHAT_TOKEN_FILE")
  }
  const isElsewhere = (flags.host ?? flags.port ?? surroundings.host ?? surroundings.port) !== undefined
  const { name, profile } = named === undefined && isElsewhere ? noProfile : yield* profileIn(opened, named)
  const pathOf = (path: string | undefined) => (path === undefined ? undefined : ConfigFile.pathFrom(opened.path, path))
  const own: Partial<typeof surroundings> =
    profile === undefined
      ? {}
      : { ...profile, ca: pathOf(profile.ca), key: pathOf(profile.key), tokenFile: pathOf(profile.tokenFile) }
  const nearer = named === undefined ? surroundings : own
  const further = named === undefined ? own : surroundings
  /** The address of a profile is one thing: nothing of it is filled up with that of another server. */
  const place: Partial<typeof surroundings> = named === undefined ? surroundings : {}
  const ca = flags.ca ?? place.ca ?? own.ca
  const isTls = flags.tls ?? place.tls ?? own.tls ?? ca !== undefined
  const entrance: Entrance = {
    address: {
      host: flags.host ?? place.host ?? own.host ?? "localhost",
      port: flags.port ?? place.port ?? own.port ?? 8080,
      tls: isTls ? yield* trust(ca) : undefined
    },
    folder: yield* configFolder,
    dataHome: yield* dataHome,
    passphrase: hasSecrets ? yield* secret("PARLEY_PASSPHRASE") : undefined,
    tokenFile: flags.tokenFile ?? nearer.tokenFile ?? further.tokenFile,
    key: flags.key ?? nearer.key ?? further.key,
    password: hasSecrets ? yield* secret("PARLEY_PASSWORD") : undefined,
    invite: hasSecrets ? yield* secret("PARLEY_INVITE") : undefined,
    device: Option.getOrUndefined(given.device),
    deviceByDefault: Option.getOrUndefined(decodeDeviceName(hostname()))
  }
  const start: Start = { entrance, user: flags.user ?? nearer.user ?? further.user, name, profile }
  return start
})

const noProfile = { name: undefined, profile: undefined }

const secret = (name: string) => Effect.map(Config.option(Config.Redacted(name)), Option.getOrUndefined)

const decodeDeviceName = Schema.decodeUnknownOption(DeviceName)

/** Whom to trust. */
const trust = Effect.fnUntraced(function* (path: string | undefined) {
  if (path === undefined) return {}
  const files = yield* FileSystem.FileSystem
  const pem = yield* Effect.mapError(files.readFileString(path), () => noCertificates(path, "cannot be read"))
  if (!areCertificates(pem)) return yield* noCertificates(path, "holds no certificates in PEM form, or a broken one")
  return { ca: pem }
})

const noCertificates = (path: string, why: string) =>
  unusable(`The file ${JSON.stringify(path)} of --ca, or CHAT_CA, ${why}.`)
