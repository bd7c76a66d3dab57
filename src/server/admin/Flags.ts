/** What several commands are told on their command line. */
import { Effect, type Option } from "effect"
import { Flag } from "effect/cli"
import { read, settings } from "../config/ServerConfig.ts"
import { flagOf, provideFlags } from "../config/SettingFlags.ts"

export const databaseFlag = flagOf({
  ...settings.database,
  description: "The server's database",
  allowed: "a file; the same setting as the server's"
})

export const forceFlag = Flag.Boolean("force").pipe(
  Flag.withDescription("Replace the file if it exists already"),
  Flag.withDefault(false)
)

export const jsonFlag = Flag.Boolean("json").pipe(
  Flag.withDescription("Write the result as JSON, for scripts"),
  Flag.withDefault(false)
)

/** The database that the flag, the environment or `.env` names. */
export const named = (database: Option.Option<string>) =>
  Effect.provide(read(settings.database), provideFlags({ [settings.database.name]: database }))
