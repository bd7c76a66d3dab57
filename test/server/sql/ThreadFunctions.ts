/** Functions for SQL, in a module without imports of its own, as SqliteClient takes them. */
import * as process from "node:process"

export const shout = (text: unknown): string => `${String(text).toUpperCase()}!`

/** Ends the thread in the middle of a statement, as running out of memory would. */
export const endThread = (): void => process.exit(7)
