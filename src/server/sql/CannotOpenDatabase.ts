/** Why a database cannot be used, in one line for the operator: the cause, and what to do. */
import { Predicate, Runtime, Schema } from "effect"
import type { MigrationError } from "effect/sql/Migrator"
import type { SqlError } from "effect/sql/SqlError"
import { resultCode, sentenceOf } from "./SqliteProblem.ts"

export class CannotOpenDatabase extends Schema.TaggedError<CannotOpenDatabase>()("CannotOpenDatabase", {
  file: Schema.String,
  problem: Schema.String
}) {
  override readonly [Runtime.errorReported] = false
  override get message() {
    return `Cannot use the database ${this.file}: ${this.problem}`
  }
}

export const describeProblem = (error: SqlError | MigrationError | Schema.SchemaError): string => {
  if (error._tag === "MigrationError") {
    const cause = Predicate.hasProperty(error.cause, "message") ? ` (${String(error.cause.message)})` : ""
    return `it could not be brought up to date: ${error.message}${cause}. The file is as it was.`
  }
  if (error._tag === "SchemaError") return `it holds what parley did not write: ${error.message.replaceAll("\n", " ")}`
  const { cause, message } = error.reason
  return sentenceOf(resultCode(cause), "server", `${message}.`)
}
