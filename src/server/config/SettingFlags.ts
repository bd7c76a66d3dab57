/**
 * Settings on a command line: each is also a flag, whose value goes before the environment's, and that before `.env`'s (see
 * bin/DotEnv.ts).
 */
import { ConfigProvider, type Option, Record } from "effect"
import { Flag } from "effect/cli"
import type { Setting } from "./ServerConfig.ts"

export const flagOf = ({ allowed, description, fallback, name }: Omit<Setting<unknown>, "schema">) =>
  Flag.String(name.toLowerCase().replaceAll("_", "-")).pipe(
    Flag.withDescription(
      `${description}: ${allowed} (${name}${fallback === undefined ? "" : `, default ${fallback}`})`
    ),
    Flag.optional
  )

/** What the flags say, by the names of their settings, as if it stood in the environment. */
export const provideFlags = (flags: Readonly<Record<string, Option.Option<string>>>) =>
  ConfigProvider.layerAdd(ConfigProvider.fromEnvRecord(Record.getSomes(flags)), { asPrimary: true })
