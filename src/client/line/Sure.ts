/** A question before what cannot be undone. A script is asked nothing: whoever wrote it was sure. */
import { Effect, Option, Redacted } from "effect"
import { NotUnderstood } from "../command/Action.ts"
import { Screen } from "../screen/Screen.ts"

/** Fails unless a person is sure. */
export const sure = Effect.fnUntraced(function* (deed: string) {
  const { askUnseen, isInteractive } = yield* Screen
  if (!isInteractive) return
  const answer = yield* askUnseen(`Type yes to ${deed}`)
  if (Option.isSome(answer) && isYes(answer.value)) return
  return yield* new NotUnderstood({ message: "Nothing was changed." })
})

export const isYes = (answer: Redacted.Redacted): boolean => Redacted.value(answer).trim().toLowerCase() === "yes"
