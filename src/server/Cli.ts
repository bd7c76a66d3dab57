/**
 * The server as a command: every setting is also a flag, whose value goes before the environment's and `.env`'s (see
 * bin/DotEnv.ts).
 *
 * Standard output has the one line that says where the server listens; the log goes to standard error, one line each.
 */
import { Console, Effect, Layer, Logger, Record } from "effect"
import { References, Schema } from "effect"
import { Command } from "effect/cli"
import { SocketServer } from "effect/socket"
import { identity } from "./config/Identity.ts"
import { InvalidSetting, logLevelSetting, read, ServerConfig, settings } from "./config/ServerConfig.ts"
import { flagOf, provideFlags } from "./config/SettingFlags.ts"
import * as TcpServer from "./doors/TcpServer.ts"
import * as Server from "./Server.ts"
import { CannotOpenDatabase } from "./sql/CannotOpenDatabase.ts"
import * as Database from "./store/Database.ts"

const logger = Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])

const announce = Layer.effectDiscard(
  Effect.gen(function* () {
    const { host } = yield* ServerConfig
    const server = yield* SocketServer.SocketServer
    yield* Console.log(`${identity.name} ${identity.version} listening on ${host}:${TcpServer.portOf(server)}`)
  })
)

/** Says that it listens when everything else stands. */
const running = announce.pipe(
  Layer.provideMerge(Server.layer),
  Layer.provide([TcpServer.layer, Database.layer]),
  Layer.provide(ServerConfig.layer)
)

const flags = Record.mapEntries(settings, (setting) => [setting.name, flagOf(setting)])

const command = Command.make("parley-server", flags, (given) =>
  Layer.launch(Layer.provide(running, provideFlags(given)))
).pipe(
  Command.withDescription(
    "The parley chat server. Every flag can also be set in the environment or in a .env file, under the name in brackets."
  ),
  Command.withExamples([
    { command: "pnpm dev", description: "Listen on localhost:8080" },
    { command: "pnpm dev --host 0.0.0.0 --port 7000", description: "Let other machines in, on port 7000" },
    { command: "MESSAGE_RATE=0 pnpm dev", description: "Let everybody talk as fast as they like" }
  ])
)

const withLogLevel = Effect.fnUntraced(function* <A, E, R>(program: Effect.Effect<A, E, R>) {
  const level = yield* read(logLevelSetting)
  return yield* Effect.provideService(program, References.MinimumLogLevel, level)
})

/** Reads the settings and serves until it is told to stop. */
export const main = Command.run(command, { version: identity.version }).pipe(
  withLogLevel,
  Effect.provide(logger),
  Effect.tapError((error) => (isStartError(error) ? Console.error(error.message) : Effect.void))
)

const isStartError = Schema.is(Schema.Union([InvalidSetting, TcpServer.CannotListen, CannotOpenDatabase]))
