/** The flags that several commands for scripts have, and what their helps have in common. */
import { Effect, Option } from "effect"
import { Flag } from "effect/cli"
import { RoomName } from "../common/name/RoomName.ts"
import { UserName } from "../common/name/UserName.ts"
import type { Whereabouts } from "./core/Heard.ts"
import { usage } from "./script/ScriptError.ts"
import { Since } from "./script/Since.ts"

export const exitCodes = [
  "Exit codes: 0 done, 1 refused by the server, 2 not understood (nothing was sent), 3 no connection or no",
  "answer, 4 not let in (a taken name, a wrong password), 128+n ended by signal n. Errors are one line on stderr."
].join("\n")

export const roomFlag = Flag.String("room").pipe(
  Flag.withMetavar("ROOM"),
  Flag.withDescription("The room; the lobby, unless one is named"),
  Flag.withSchema(RoomName),
  Flag.optional
)

export const userFlag = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("USER"),
    Flag.withDescription(description),
    Flag.withSchema(UserName),
    Flag.optional
  )

export const jsonFlag = (description: string) =>
  Flag.Boolean("json").pipe(Flag.withDescription(description), Flag.withDefault(false))

export const sinceFlag = (description: string) =>
  Flag.String("since").pipe(
    Flag.withMetavar("TIME"),
    Flag.withDescription(`${description}: 90s, 30m, 1h, 2d, 1w ago, or 2026-11-28T10:00Z`),
    Flag.withSchema(Since),
    Flag.optional
  )

export const whereOf = Effect.fnUntraced(function* (
  room: Option.Option<RoomName>,
  other: Option.Option<UserName>,
  flag: string
): Effect.fn.Return<Whereabouts, ReturnType<typeof usage>> {
  if (Option.isSome(room) && Option.isSome(other)) {
    return yield* usage(`--room and --${flag} name two conversations. Name one, or neither for the lobby.`)
  }
  if (Option.isSome(room)) return { room: room.value }
  return Option.isSome(other) ? { with: other.value } : {}
})
