/** `pnpm admin invite`: a code with which somebody makes an account, where REGISTRATION=invite. */
import { Console, Duration, Effect, Option, Redacted } from "effect"
import { Command, Flag } from "effect/cli"
import { UserManagement } from "../accounts/UserManagement.ts"
import { maxUses } from "../accounts/UserRequests.ts"
import { durationOf } from "../config/SettingText.ts"
import { AdminError } from "./AdminError.ts"
import { databaseFlag } from "./Flags.ts"
import * as ManagementHere from "./ManagementHere.ts"
import { Output } from "./Output.ts"
import { plural, timeOf } from "./Report.ts"
import { adminSocketFlag } from "./Users.ts"

export const inviteCommand = Command.make(
  "invite",
  {
    database: databaseFlag,
    adminSocket: adminSocketFlag,
    uses: Flag.Int("uses").pipe(
      Flag.withDescription(`How many people may use it, 1 to ${maxUses} (default 1)`),
      Flag.withDefault(1)
    ),
    expires: Flag.String("expires").pipe(
      Flag.withDescription("After how long it is of no use any more, like 7 days or 12h"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ expires, uses, ...where }) {
    const output = yield* Output
    if (uses < 1 || uses > maxUses) {
      return yield* new AdminError({ message: `--uses is ${uses}, but must be a whole number from 1 to ${maxUses}.` })
    }
    const lasts = Option.map(expires, durationOf)
    if (Option.isSome(lasts) && lasts.value === undefined) {
      return yield* new AdminError({ message: "--expires must be a duration of a second or more, like 7 days or 12h." })
    }
    const duration: Duration.Duration | undefined = Option.getOrUndefined(lasts)
    const invite = yield* Effect.provide(
      Effect.flatMap(UserManagement, (users) => users.invite(uses, duration)),
      ManagementHere.layerMaking(where)
    )
    const until = invite.expires === undefined ? "" : `, until ${timeOf(invite.expires)}`
    yield* Console.error(`${plural(uses, "person").replace("persons", "people")} may register with this code${until}:`)
    yield* output.write(`${Redacted.value(invite.code)}\n`)
  })
).pipe(
  Command.withDescription(
    [
      "Make a code with which somebody makes an account, where REGISTRATION is invite. It is written to standard output alone;",
      "the server keeps its hash. If the server was never started, its database is made."
    ].join("\n")
  ),
  Command.withShortDescription("Invite somebody to make an account"),
  Command.withExamples([
    { command: "pnpm -s admin invite", description: "One person, whenever" },
    { command: 'pnpm -s admin invite --uses 30 --expires "7 days"', description: "A class, within a week" }
  ])
)
