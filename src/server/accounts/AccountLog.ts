/**
 * What the log tells of accounts: one line for each that is made or deleted, and for whatever an operator does, once it is
 * stored. Names are data beside the line (invariant 8), and no secret is part of any. Of logins see Attempts.
 */
import { Effect } from "effect"
import type { UserName } from "../../common/name/UserName.ts"

/** By whom: whoever runs the server, through the AdminSocket, or whoever's account it is. */
export type By = "admin" | "owner"

export type Act =
  | "made"
  | "made, as an admin's"
  | "disabled"
  | "enabled"
  | "reset"
  | "deleted"
  | "freed"
  | "promoted to admin"
  | "demoted from admin"

export const noteAccount = (act: Act, user: UserName, by: By): Effect.Effect<void> =>
  Effect.annotateLogs(Effect.logInfo(`An account was ${act}`), { user, by })

/** `isOn`: whether nobody is let in but accounts that are there. */
export const noteLockdown = (isOn: boolean): Effect.Effect<void> =>
  Effect.annotateLogs(Effect.logInfo(`Lockdown was switched ${isOn ? "on" : "off"}`), { by: "admin" satisfies By })

/** At a start: whoever switched it on may have forgotten. */
export const warnOfLockdown: Effect.Effect<void> = Effect.logWarning(
  "Lockdown is on: guests and new accounts are refused until: pnpm admin lockdown off"
)

/** `expires`: in epoch milliseconds. */
export const noteInvite = (uses: number, expires: number | undefined): Effect.Effect<void> =>
  Effect.annotateLogs(Effect.logInfo("An invite was made"), {
    uses,
    ...(expires !== undefined && { expires }),
    by: "admin" satisfies By
  })
