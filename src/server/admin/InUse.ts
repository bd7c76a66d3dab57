/**
 * Whether a server, or another command, has a database open; and having it for oneself alone.
 *
 * SQLite says so itself: whoever has opened a file in WAL mode shares its lock until it is closed, and in EXCLUSIVE mode
 * it is shared with nobody. A server that starts meanwhile is refused as a second one is.
 */
import { resolve } from "node:path"
import { Effect } from "effect"
import * as SqliteClient from "../sql/SqliteClient.ts"
import { code, resultCode } from "../sql/SqliteProblem.ts"

/** Words that are deleted are overwritten; `foreign_keys`: nothing is left that belongs to what was deleted. */
const setup = [
  "PRAGMA busy_timeout = 0",
  "PRAGMA locking_mode = EXCLUSIVE",
  "PRAGMA foreign_keys = ON",
  "PRAGMA synchronous = FULL",
  "PRAGMA secure_delete = ON",
  // The lock is taken with the first transaction, and kept.
  "BEGIN EXCLUSIVE",
  "COMMIT"
]

/** Opens the database to write to it, locked for as long as the scope is open; `undefined` if somebody uses it. */
export const openAlone = (database: string) =>
  Effect.catchIf(
    SqliteClient.make({ filename: resolve(database), setup }),
    ({ reason }) => resultCode(reason.cause) === code.busy,
    () => Effect.undefined
  )

export const isInUse = (database: string) => Effect.scoped(Effect.map(openAlone(database), (sql) => sql === undefined))
