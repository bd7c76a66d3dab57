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

/** In the server's words, where there is nothing better to be typed next. */
export const explain = (error: RequestError): ScriptError => {
  const remedy = error._tag === "RequestRejected" ? remedyFor(error.reason, error.message) : undefined
  return new ScriptError({ message: safeLine(remedy ?? error.message), exitCode: codeOf(error) })
}

type Refusal = Extract<RequestError, { readonly _tag: "RequestRejected" }>["reason"]

const remedyFor = (reason: Refusal, message: string): string | undefined => {
  switch (reason._tag) {
    case "RoomNotFound":
      return (
        `There is no room called ${reason.room} that you could see; a private one takes an invitation. ` +
        "pnpm -s client rooms lists the rooms."
      )
    case "UserNotFound":
      return `Nobody called ${reason.user} is here, nor has an account. pnpm -s client users lists who is here.`
    case "RateLimited":
      return `${message} --wait waits until it is allowed.`
    default:
      return undefined
  }
}
