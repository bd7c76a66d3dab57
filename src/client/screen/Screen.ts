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

/** What stands in front of the line that is typed. */
export interface Prompt {
  /** Which conversation it names. */
  readonly key: string
  /** How that is called. */
  readonly name: string
  readonly text: string
}

/** Before anybody has come in, and behind the last sitting: no line is for a conversation. */
export const noPrompt: Prompt = { key: "", name: "nobody", text: "> " }

export interface TypedLine {
  readonly text: string
  /** What had been shown when the line was begun. */
  readonly begun: Recent
  /** The key of the prompt that stood before it when it was begun, and when Enter was pressed. */
  readonly begunFor: string
  readonly typedFor: string
  /** It was pasted: text as it stands, whatever it looks like. */
  readonly isPasted?: true
}

export class Screen extends Context.Service<
  Screen,
  {
    readonly isInteractive: boolean
    /** Whether a typed line stays on the screen, so that nobody has to show it. */
    readonly keepsLines: boolean
    /** How to render for this screen, as it is at the moment. */
    readonly style: Effect.Effect<Style>
    /**
     * What is typed or piped in, without line breaks; ends with the input, and when the person wants to leave. For one
     * reader. `look` is asked, at once, when the first character of a line is typed.
     */
    readonly lines: (look: () => Recent) => Stream.Stream<TypedLine, PlatformError>
    /** Done when the lines have been handed to the system. */
    readonly show: (lines: ReadonlyArray<Line>) => Effect.Effect<void, OutputClosed>
    /** What lines are typed behind from now on, and for which conversation. */
    readonly setPrompt: (prompt: Prompt) => Effect.Effect<void>
    /**
     * Puts a line where lines are typed, to be changed there, unless something is typed already; tells whether it did. Of
     * several lines it asks, as of a paste.
     */
    readonly propose: (line: string) => Effect.Effect<boolean>
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
