/** Why a command of `pnpm admin` ended without its result: one line for the operator, with the cause and what to do. */
import { Predicate, Runtime, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { resultCode, sentenceOf } from "../sql/SqliteProblem.ts"

export class AdminError extends Schema.TaggedError<AdminError>()("AdminError", { message: Schema.String }) {
  override readonly [Runtime.errorReported] = false
}

/** Whoever read the output has gone, as `head` does when it has seen enough. */
export class OutputClosed extends Schema.TaggedError<OutputClosed>()("OutputClosed", {}) {}

/** The command did what it is for and found something that is not as it should be, which it has told. */
export class NotSound extends Schema.TaggedError<NotSound>()("NotSound", {}) {
  override readonly [Runtime.errorReported] = false
}

/** What SQLite has against a file, and what to do about it. */
export const sqlProblem = ({ reason }: SqlError): string =>
  sentenceOf(resultCode(reason.cause), "admin", `${reason.message}.`)

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
