/** Why a database cannot be used, in one line for the operator: the cause, and what to do. */
import { Predicate, Runtime, Schema } from "effect"
import type { MigrationError } from "effect/sql/Migrator"
import type { SqlError } from "effect/sql/SqlError"

export class CannotOpenDatabase extends Schema.TaggedError<CannotOpenDatabase>()("CannotOpenDatabase", {
  file: Schema.String,
  problem: Schema.String
}) {
  override readonly [Runtime.errorReported] = false
  override get message() {
    return `Cannot use the database ${this.file}: ${this.problem}`
  }
}

/** By SQLite's primary result codes (sqlite.org/rescode.html). */
export const problems: Readonly<Record<number, string>> = {
  5: "another server is using it. Stop that one, or set DATABASE to another file.",
  8: "it may not be written to. Let the server's user write to the file and its folder, or set DATABASE to another file.",
  11: "the file is damaged. Restore a backup, or set DATABASE to another file.",
  13: "the disk is full. Free some space and start again.",
  14: "the file cannot be opened. Check that its folder may be written to, or set DATABASE to another file.",
  26: "it is no SQLite database. Set DATABASE to another file."
}

export const describeProblem = (error: SqlError | MigrationError | Schema.SchemaError): string => {
  if (error._tag === "MigrationError") {
    const cause = Predicate.hasProperty(error.cause, "message") ? ` (${String(error.cause.message)})` : ""
    return `it could not be brought up to date: ${error.message}${cause}. The file is as it was.`
  }
  if (error._tag === "SchemaError") return `it holds what parley did not write: ${error.message.replaceAll("\n", " ")}`
  const { cause, message } = error.reason
  return problems[resultCode(cause)] ?? `${message}.`
}

/** Whether SQLite says that a file is not what it should be. */
export const isDamaged = (cause: unknown): boolean => [11, 26].includes(resultCode(cause))

/** Whether the disk is full. */
export const isFull = (error: SqlError | Schema.SchemaError): boolean =>
  error._tag === "SqlError" && resultCode(error.reason.cause) === 13

/** SQLite's primary result code, 0 if there is none. */
export const resultCode = (cause: unknown): number =>
  Predicate.hasProperty(cause, "errno") && Predicate.isNumber(cause.errno) ? cause.errno & 0xff : 0
