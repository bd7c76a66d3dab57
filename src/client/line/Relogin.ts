/** Logging in as somebody else while one is here: only who is in as the other leaves as the one. */
import { Context, Effect } from "effect"
import type { UserName } from "../../common/name/UserName.ts"
import { NotUnderstood } from "../command/Action.ts"
import type { TokenStore } from "../core/Login.ts"
import type { Client } from "../link/Client.ts"

/** Who is in, and what a sitting of theirs takes. */
export interface Entered {
  readonly user: UserName
  readonly client: Client["Service"]
  readonly tokens: TokenStore
  /** Leaves, unless that was done. */
  readonly close: Effect.Effect<void>
}

/** Asks for the password of `user`; fails, with a sentence, if it is another one or none. `self`: who one stays then. */
type LogIn = (user: UserName, self: UserName) => Effect.Effect<Entered, NotUnderstood>

/** How a person logs in from here; not at all, unless that is said. */
export const Relogin = Context.Reference<LogIn>("parley/client/line/Relogin", {
  defaultValue: () => () => Effect.fail(new NotUnderstood({ message: ":login: start again to log in." }))
})
