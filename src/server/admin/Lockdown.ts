/** `pnpm admin lockdown`: nobody is let in but accounts that are there, until it is switched off. */
import { Console, Effect, Schema } from "effect"
import { Argument, Command } from "effect/cli"
import { UserManagement } from "../accounts/UserManagement.ts"
import { AdminError } from "./AdminError.ts"
import { databaseFlag } from "./Flags.ts"
import * as ManagementHere from "./ManagementHere.ts"
import { Output } from "./Output.ts"
import { printable } from "./Report.ts"
import { adminSocketFlag } from "./Users.ts"

const Order = Schema.Literals(["on", "off", "status"])
const isOrder = Schema.is(Order)

export const lockdownCommand = Command.make(
  "lockdown",
  {
    database: databaseFlag,
    adminSocket: adminSocketFlag,
    order: Argument.String("order").pipe(Argument.withDescription("on, off or status"))
  },
  Effect.fnUntraced(function* ({ order, ...where }) {
    const output = yield* Output
    if (!isOrder(order)) {
      return yield* new AdminError({ message: `${JSON.stringify(printable(order))} is not on, off or status.` })
    }
    const isOn = yield* Effect.provide(
      Effect.flatMap(UserManagement, (users) => users.lockdown(order === "status" ? undefined : order === "on")),
      ManagementHere.layer(where)
    )
    if (order === "status") return yield* output.write(isOn ? "on\n" : "off\n")
    yield* Console.error(
      isOn
        ? 'Guests and registrations are refused from now on, also after a restart, until "pnpm admin lockdown off". Who is connected stays.'
        : "Guests and registrations are let in again, as GUESTS and REGISTRATION say."
    )
  })
).pipe(
  Command.withDescription(
    [
      "Refuse guests and registrations, whatever GUESTS and REGISTRATION say, until it is switched off. Accounts log in as ever, and",
      "whoever is connected stays. A running server does so at once, and a restart changes nothing about it."
    ].join("\n")
  ),
  Command.withShortDescription("Let nobody in but accounts that are there"),
  Command.withExamples([
    { command: "pnpm admin lockdown on", description: "During an attack" },
    { command: "pnpm -s admin lockdown status", description: "Is it on or off?" }
  ])
)
