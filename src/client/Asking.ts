/**
 * What a person is asked to come in: names, and what is typed unseen. Before the first sitting there are prompts; later,
 * the screen asks, which keeps the line that is being typed. Nobody is asked where there is no terminal.
 */
import process from "node:process"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import { Console, Effect, Option, type Redacted, Result, Schema, Stream } from "effect"
import { Prompt, TerminalCapabilities } from "effect/cli"
import type { FileSystem } from "effect/FileSystem"
import type { Path } from "effect/Path"
import { QuitError } from "effect/Terminal"
import { UserName } from "../common/name/UserName.ts"
import * as Recent from "./core/Recent.ts"
import { error, remark } from "./screen/Render.ts"
import { present, Screen } from "./screen/Screen.ts"
import { wrap } from "./text/Wrap.ts"

export interface Asking {
  readonly canAsk: boolean
  readonly say: (sentence: string) => Effect.Effect<void>
  /** Fails if the person gives up. */
  readonly askName: Effect.Effect<UserName, QuitError>
  /** Nothing where there is nobody to ask, or they give up. What is typed may be empty. */
  readonly askUnseen: (question: string) => Effect.Effect<Option.Option<Redacted.Redacted>>
}

const decodeUserName = Schema.decodeUnknownResult(UserName)
const noName = "a name has 1 to 32 letters, digits, '_', '.', '-'"

/** A terminal of its own, closed behind the answer: the editor of lines is to have stdin for itself. */
const run = <A>(prompt: Prompt.Prompt<A>) =>
  Prompt.run(prompt).pipe(Effect.provide(NodeTerminal.layer, { local: true }))

const promptName = Effect.gen(function* () {
  const typed = yield* run(
    Prompt.String({
      message: "Your name:",
      validate: (typed) => Effect.fromResult(Result.mapError(decodeUserName(typed), () => noName))
    })
  )
  return yield* Effect.fromResult(decodeUserName(typed)).pipe(Effect.orDie)
})

export const byPrompts = Effect.gen(function* () {
  const { canPrompt: canAsk } = yield* TerminalCapabilities.TerminalCapabilities
  const context = yield* Effect.context<FileSystem | Path>()
  const width = canAsk ? process.stderr.columns || 80 : Infinity
  const asking: Asking = {
    canAsk,
    say: (sentence) => Console.error(wrap(sentence, width, width).join("\n")),
    askName: Effect.provideContext(promptName, context),
    askUnseen: (question) =>
      canAsk
        ? run(Prompt.Hidden({ message: `${question}:` })).pipe(
            Effect.asSome,
            Effect.catchTag("QuitError", () => Effect.succeedNone),
            Effect.provideContext(context)
          )
        : Effect.succeedNone
  }
  return asking
})

/** For a script, which is asked nothing. */
export const nobody: Asking = {
  canAsk: false,
  say: () => Effect.void,
  askName: Effect.fail(new QuitError()),
  askUnseen: () => Effect.succeedNone
}

export const onScreen = (screen: Screen["Service"]): Asking => {
  const show = (lines: Parameters<typeof present>[0]) =>
    Effect.ignore(Effect.provideService(present(lines), Screen, screen))
  const say = (sentence: string) => show((style) => error(style, sentence))
  const askName: Effect.Effect<UserName, QuitError> = Effect.gen(function* () {
    yield* show((style) => remark(style, "Your name? Type it, or :quit"))
    const line = yield* Effect.orElseSucceed(Stream.runHead(screen.lines(() => Recent.empty)), Option.none)
    const typed = Option.getOrUndefined(line)?.text.trim()
    if (typed === undefined || typed === ":quit") return yield* new QuitError()
    const name = decodeUserName(typed)
    if (Result.isSuccess(name)) return name.success
    yield* say(`This cannot be it: ${noName}.`)
    return yield* askName
  })
  return { canAsk: screen.isInteractive, say, askName, askUnseen: screen.askUnseen }
}
