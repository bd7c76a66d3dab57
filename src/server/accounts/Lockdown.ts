/**
 * Whether nobody is let in but accounts that are there: guests and registrations are refused until it is switched off, and
 * whoever is connected stays. Kept with the accounts, so that it outlasts a restart; what is asked at every door is here.
 */
import { Context, Effect, Layer } from "effect"
import type { StorageUnavailable } from "../history/History.ts"
import { Accounts } from "./Accounts.ts"

export class Lockdown extends Context.Service<
  Lockdown,
  {
    readonly isOn: () => boolean
    /** From the commit on. */
    readonly set: (isOn: boolean) => Effect.Effect<void, StorageUnavailable>
  }
>()("parley/server/accounts/Lockdown") {
  static readonly layer = Layer.effect(
    Lockdown,
    Effect.gen(function* () {
      const accounts = yield* Accounts
      // The database was read a moment ago; without knowing, nobody is let in at all.
      let isOn = yield* Effect.orDie(accounts.isLockedDown)
      return Lockdown.of({
        isOn: () => isOn,
        set: (next) =>
          Effect.map(accounts.lockDown(next), () => {
            isOn = next
          })
      })
    })
  )
}
