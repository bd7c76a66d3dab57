/** Why a script's command ends without having done what was asked: one sentence with the remedy, and the exit code. */
import { Runtime, Schema } from "effect"
import type { RequestError } from "../core/ClientError.ts"
import { codeOf, exitCode } from "../core/ExitCode.ts"
import { safeLine } from "../text/SafeText.ts"

export class ScriptError extends Schema.TaggedError<ScriptError>()("ScriptError", {
  message: Schema.String,
  exitCode: Schema.Int
}) {
  override readonly [Runtime.errorExitCode] = this.exitCode
}

/** What was asked for cannot be meant so; nothing was done. */
export const usage = (message: string) => new ScriptError({ message, exitCode: exitCode.usage })

export const refused = (message: string) => new ScriptError({ message: safeLine(message), exitCode: exitCode.refused })

export const noConnection = (message: string) =>
  new ScriptError({ message: safeLine(message), exitCode: exitCode.noConnection })

/** In the server's words, with what to type next where that can be said. */
export const explain = (error: RequestError): ScriptError => {
  const remedy = error._tag === "RequestRejected" ? remedyFor(error.reason) : ""
  return new ScriptError({ message: safeLine(`${error.message}${remedy}`), exitCode: codeOf(error) })
}

type Refusal = Extract<RequestError, { readonly _tag: "RequestRejected" }>["reason"]

const remedyFor = (reason: Refusal): string => {
  switch (reason._tag) {
    case "RoomNotFound":
      return " pnpm -s client rooms lists the rooms; a private one takes an invitation."
    case "UserNotFound":
      return " pnpm -s client users lists who is here."
    case "RateLimited":
      return " --wait waits until it is allowed."
    default:
      return ""
  }
}
