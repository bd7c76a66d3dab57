/** A screen without a terminal: the test types, and reads what is shown row by row. */
import { type Cause, DateTime, Deferred, Effect, Option, Queue, Redacted, Stream, SubscriptionRef } from "effect"
import { lobbyKey } from "../../src/client/core/chat/ChatState.ts"
import * as Recent from "../../src/client/core/Recent.ts"
import { noPrompt, Screen, type TypedLine } from "../../src/client/screen/Screen.ts"
import { colourless } from "../../src/client/text/Palette.ts"
import * as Timestamp from "../../src/client/text/Timestamp.ts"

/** The time on this screen, and of what is said at it. */
export const noon = Date.UTC(2026, 10, 23, 12, 4)

export const make = Effect.fnUntraced(function* (options: { readonly isInteractive: boolean }) {
  const typed = yield* Queue.unbounded<TypedLine, Cause.Done>()
  const shown = yield* Queue.unbounded<string>()
  const unseen = yield* Queue.unbounded<string | undefined>()
  let look = () => Recent.empty
  let begun: Pick<TypedLine, "begun" | "begunFor"> | undefined
  let prompt = noPrompt
  const lines = new Map<string, TypedLine>()
  const prompts = yield* SubscriptionRef.make(noPrompt.text)
  const isIn = yield* Deferred.make<void>()
  const beginning = () => ({ begun: look(), begunFor: prompt.key })
  const screen = Screen.of({
    ...options,
    keepsLines: !options.isInteractive,
    style: Effect.sync(() => ({
      layout: options.isInteractive ? "terminal" : "plain",
      palette: colourless,
      timestamp: Timestamp.make(DateTime.zoneMakeOffset(0)),
      now: noon,
      columns: 100,
      tagsLobby: prompt.key !== noPrompt.key && prompt.key !== lobbyKey
    })),
    lines: (looking) => {
      look = looking
      return Stream.fromQueue(typed)
    },
    show: (lines) =>
      Effect.asVoid(
        Queue.offerAll(
          shown,
          lines.map(({ text }) => text.trimStart())
        )
      ),
    askUnseen: (question) =>
      options.isInteractive
        ? Queue.offer(shown, `asked: ${question}`).pipe(
            Effect.andThen(Queue.take(unseen)),
            Effect.map((answer) => Option.map(Option.fromUndefinedOr(answer), (text) => Redacted.make(text)))
          )
        : Effect.succeedNone,
    setPrompt: (next) =>
      Effect.suspend(() => {
        prompt = next
        const entered = next.key === noPrompt.key ? Effect.void : Effect.asVoid(Deferred.succeed(isIn, undefined))
        return Effect.andThen(SubscriptionRef.set(prompts, next.text), entered)
      }),
    propose: (line) => Effect.as(Queue.offer(shown, `proposed: ${line}`), true),
    offerNames: () => Effect.void
  })
  return {
    screen,
    /** Types the first key of the line that comes next. */
    begin: Effect.sync(() => {
      begun = beginning()
    }),
    type: (text: string) =>
      Effect.andThen(
        // Whoever types has seen where that goes.
        options.isInteractive ? Deferred.await(isIn) : Effect.void,
        Effect.suspend(() => {
          const line = { ...(begun ?? beginning()), text, typedFor: prompt.key }
          begun = undefined
          lines.set(text, line)
          return Queue.offer(typed, line)
        })
      ),
    /** Pastes several lines, and says that they are to be sent. */
    paste: (text: string) =>
      Effect.suspend(() => {
        const line = { ...beginning(), text, typedFor: prompt.key, isPasted: true as const }
        lines.set(text, line)
        return Queue.offer(typed, line)
      }),
    /** The line with this text that was typed last. */
    lineOf: (text: string) => lines.get(text),
    /** Waits until this stands in front of the line. */
    prompted: (text: string) =>
      SubscriptionRef.changes(prompts).pipe(
        Stream.takeUntil((now) => now === text),
        Stream.runDrain
      ),
    /** Answers a question unseen; without an answer, gives up. */
    answer: (text?: string) => Queue.offer(unseen, text),
    endInput: Queue.end(typed),
    /** What is shown up to a line that ends like this. */
    until: Effect.fnUntraced(function* (ending: string) {
      const rows: Array<string> = []
      while (rows.at(-1)?.endsWith(ending) !== true) rows.push(yield* Queue.take(shown))
      return rows
    })
  }
})
