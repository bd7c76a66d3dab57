/** Why a command of `pnpm admin` ended without its result: one line for the operator, with the cause and what to do. */
import { Predicate, Runtime, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { resultCode } from "../sql/CannotOpenDatabase.ts"

export class AdminError extends Schema.TaggedError<AdminError>()("AdminError", { message: Schema.String }) {
  override readonly [Runtime.errorReported] = false
}

/** Whoever read the output has gone, as `head` does when it has seen enough. */
export class OutputClosed extends Schema.TaggedError<OutputClosed>()("OutputClosed", {}) {}

/** The command did what it is for and found something that is not as it should be, which it has told. */
export class NotSound extends Schema.TaggedError<NotSound>()("NotSound", {}) {
  override readonly [Runtime.errorReported] = false
}

/** By SQLite's primary result codes (sqlite.org/rescode.html). */
const problems: Readonly<Record<number, string>> = {
  1: 'it is not as parley makes it. "pnpm admin verify" tells what is wrong with it.',
  5: "another program keeps it to itself. Try again when that one is done.",
  8: "it may not be written to. Check who may write to the file and its folder.",
  10: "the disk does not do what it should. Look at the system's log.",
  11: "the file is damaged. Restore a backup.",
  13: "the disk is full. Free some space and try again.",
  14: "the file cannot be opened. Check who may read it and write to its folder.",
  26: "it is no SQLite database. Was another file meant?"
}

/** What SQLite has against a file, and what to do about it. */
export const sqlProblem = ({ reason }: SqlError): string => problems[resultCode(reason.cause)] ?? `${reason.message}.`

/** By Node's error codes. */
const systemProblems: Readonly<Record<string, string>> = {
  ENOENT: "its folder does not exist. Make it first (mkdir -p), or name another.",
  EACCES: "this is not allowed here. Check who may write to its folder.",
  EPERM: "this is not allowed here. Check who may write to its folder.",
  EROFS: "the file system can only be read. Name another folder.",
  ENAMETOOLONG: "its name is too long. Choose a shorter one.",
  ENOSPC: "the disk is full. Free some space and try again.",
  EDQUOT: "there is no more space for this user. Free some and try again."
}

/** What the system has against writing, and what to do about it. */
export const systemProblem = (error: { readonly message: string; readonly cause?: unknown }): string => {
  const code = codeOf(error) ?? codeOf(error.cause)
  return systemProblems[code ?? ""] ?? `${code ?? error.message}. Check the disk and the folder.`
}

/** A reader that went away is no failure of ours. */
export const isReaderGone = (error: unknown): boolean =>
  ["EPIPE", "ECONNRESET", "ERR_STREAM_DESTROYED"].includes(codeOf(error) ?? "")

const codeOf = (error: unknown): string | undefined =>
  Predicate.hasProperty(error, "code") && Predicate.isString(error.code) ? error.code : undefined
