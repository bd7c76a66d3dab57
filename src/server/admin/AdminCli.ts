/**
 * `pnpm admin`: the commands for whoever looks after a server's data; each is in a file of its own.
 *
 * They work from a process of their own, on the database of a server that may be running, and only read it, but for `rmroom`,
 * and for what is done to accounts, which a running server does itself. Results go to standard output; what went wrong, in one line with what to do, and progress go to standard error. Exit code 1 says
 * that the command failed, or that what was checked is not sound.
 */
import { Console, Effect, Layer, Schema } from "effect"
import { CliOutput, Command } from "effect/cli"
import { NotDone } from "../accounts/UserManagement.ts"
import { identity } from "../config/Identity.ts"
import { InvalidSetting } from "../config/ServerConfig.ts"
import { CannotOpenDatabase } from "../sql/CannotOpenDatabase.ts"
import { AdminError } from "./AdminError.ts"
import { backupCommand } from "./Backup.ts"
import { exportCommand } from "./Export.ts"
import { inviteCommand } from "./Invite.ts"
import { lockdownCommand } from "./Lockdown.ts"
import { Output } from "./Output.ts"
import { Progress } from "./Progress.ts"
import { removeRoomCommand } from "./RemoveRoom.ts"
import { reportsCommand } from "./Reports.ts"
import { roomsCommand } from "./Rooms.ts"
import { usersCommand } from "./Users.ts"
import { verifyCommand } from "./Verify.ts"

const command = Command.make("parley-admin").pipe(
  Command.withDescription(
    [
      "Look after the data of a parley server, which may be running meanwhile.",
      "",
      "Which database: --database goes before DATABASE in the environment, and that before DATABASE in a file .env."
    ].join("\n")
  ),
  Command.withExamples([
    { command: "pnpm admin backup backups/monday.sqlite", description: "Take a backup" },
    { command: "pnpm admin verify backups/monday.sqlite", description: "Check it" },
    { command: "pnpm -s admin export garden > garden.jsonl", description: "Write a room out" },
    { command: "pnpm admin rooms", description: "List the rooms" },
    { command: "pnpm admin rmroom garden", description: "Remove one, while the server is stopped" },
    { command: "pnpm admin users list", description: "List the accounts" },
    { command: "pnpm -s admin invite", description: "Invite somebody to make an account" },
    { command: "pnpm admin reports", description: "List what users reported" },
    { command: "pnpm admin lockdown on", description: "Let nobody in but accounts that are there" },
    { command: "pnpm admin export --help", description: "Explain one of them" }
  ]),
  Command.withSubcommands([
    backupCommand,
    verifyCommand,
    exportCommand,
    roomsCommand,
    removeRoomCommand,
    usersCommand,
    inviteCommand,
    lockdownCommand,
    reportsCommand
  ])
)

/** What was typed wrong is told in one line, on standard error: standard output may be somebody's file. */
const presenter = CliOutput.layerPresenter({
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Console.error(
          [
            ...event.errors.map(({ message }) => `${oneLine(message)}.`),
            '"pnpm admin --help" explains the commands.'
          ].join(" ")
        )
      : CliOutput.defaultPresenter.present(event)
})

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, " ")

/** Carries out what the command line says, and writes its results to that output. */
export const mainTo = (output: Layer.Layer<Output>) =>
  Command.run(command, { version: identity.version }).pipe(
    Effect.catchTag("OutputClosed", () => Effect.void),
    Effect.provide(Layer.mergeAll(presenter, output, Progress.layer)),
    Effect.tapError((error) => (isTold(error) ? Console.error(error.message) : Effect.void))
  )

export const main = mainTo(Output.layer)

/** Not by `CliError.userMessage`: it puts a heading over what is said, and another formatter to do without is longer. */
const isTold = Schema.is(Schema.Union([InvalidSetting, AdminError, NotDone, CannotOpenDatabase]))
