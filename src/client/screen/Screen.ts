/**
 * Where lines come from and go to: a person's terminal, or a script's pipes.
 *
 * `TerminalScreen` edits lines, completes names and shows what happens above the line being typed. `PlainScreen` reads
 * and writes as it is asked, the chat to stdout and everything else to stderr.
 */
import { Context, Effect, type Option, type Redacted, Schema, type Stream } from "effect"
import type { PlatformError } from "effect/PlatformError"
import type { KnownNames } from "../command/Completion.ts"
import type { Recent } from "../core/Recent.ts"
import type { Line, Style } from "./Layout.ts"

/** Nobody reads the output any more, as when `head` has seen enough. */
export class OutputClosed extends Schema.TaggedError<OutputClosed>()("OutputClosed", {}) {
  override readonly message = "The output is closed."
}

export interface TypedLine {
  readonly text: string
  /** What had been shown when the line was begun. */
  readonly begun: Recent
}

export class Screen extends Context.Service<
  Screen,
  {
    readonly isInteractive: boolean
    /** How to render for this screen, as it is at the moment. */
    readonly style: Effect.Effect<Style>
    /**
     * What is typed or piped in, without line breaks; ends with the input, and when the person wants to leave. For one
     * reader. `look` is asked, at once, when the first character of a line is typed.
     */
    readonly lines: (look: () => Recent) => Stream.Stream<TypedLine, PlatformError>
    /** Done when the lines have been handed to the system. */
    readonly show: (lines: ReadonlyArray<Line>) => Effect.Effect<void, OutputClosed>
    /** Puts a line where lines are typed, to be changed there, unless something is typed already. */
    readonly propose: (line: string) => Effect.Effect<void>
    /**
     * Asks for what is typed unseen, in place of the line that is being typed; nothing if the person gives up, or there is
     * none to ask.
     */
    readonly askUnseen: (question: string) => Effect.Effect<Option.Option<Redacted.Redacted>>
    /** Replaces the names that can be completed. */
    readonly offerNames: (names: KnownNames) => Effect.Effect<void>
  }
>()("parley/client/screen/Screen") {}

/** Renders for the screen, and shows. */
export const present = (lines: (style: Style) => ReadonlyArray<Line>) =>
  Screen.use(({ show, style }) => Effect.flatMap(style, (style) => show(lines(style))))
