/** What a person is asked before a sitting: names, and what is typed unseen. Nobody is asked where there is no terminal. */
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import { Effect, Option, type Redacted, Result, Schema } from "effect"
import { Prompt, TerminalCapabilities } from "effect/cli"
import { UserName } from "../common/name/UserName.ts"

const decodeUserName = Schema.decodeUnknownResult(UserName)

/** A terminal of its own, closed behind the answer: the editor of lines is to have stdin for itself. */
const run = <A>(prompt: Prompt.Prompt<A>) =>
  Prompt.run(prompt).pipe(Effect.provide(NodeTerminal.layer, { local: true }))

export const canAsk = Effect.map(TerminalCapabilities.TerminalCapabilities, ({ canPrompt }) => canPrompt)

export const askName = Effect.gen(function* () {
  const typed = yield* run(
    Prompt.String({
      message: "Your name:",
      validate: (typed) =>
        Effect.fromResult(
          Result.mapError(decodeUserName(typed), () => "a name has 1 to 32 letters, digits, '_', '.', '-'")
        )
    })
  )
  return yield* Effect.fromResult(decodeUserName(typed)).pipe(Effect.orDie)
})

/** Nothing where there is nobody to ask, or they give up. What is typed may be empty. */
export const askUnseen = (question: string) =>
  Effect.gen(function* () {
    if (!(yield* canAsk)) return Option.none<Redacted.Redacted>()
    return Option.some(yield* run(Prompt.Hidden({ message: `${question}:` })))
  }).pipe(Effect.catchTag("QuitError", () => Effect.succeedNone))
