/** One sitting: the input becomes requests, what happens becomes lines on the screen, until the client has left. */
import { Effect, Ref, Runtime, Schema, Stream } from "effect"
import { Client } from "./Client.ts"
import { dialogue } from "./Dialogue.ts"
import { OlderPage } from "./Page.ts"
import { render } from "./Render.ts"
import type { Request } from "./Request.ts"
import * as Roster from "./Roster.ts"
import { present, Screen } from "./Screen.ts"
import { script } from "./Script.ts"

/** A script's input held what could not be done; stderr has said what, line by line. */
class ScriptFailed extends Schema.TaggedError<ScriptFailed>()("ScriptFailed", { failures: Schema.Natural }) {
  override readonly message = `${this.failures} lines of the input could not be carried out.`
  override readonly [Runtime.errorReported] = false
}

const showEvents = Effect.gen(function* () {
  const { events } = yield* Client
  const { offerNames } = yield* Screen
  let roster = Roster.empty
  yield* Stream.runForEachArray(
    events,
    Effect.fnUntraced(function* (batch) {
      const before = roster
      roster = batch.reduce(Roster.follow, before)
      if (roster !== before) yield* offerNames(Roster.knownNames(roster))
      yield* present((style) => batch.flatMap((event) => render(event, style)))
    })
  )
})

/** Ends when the input has ended and everything heard until then is shown; at once when nobody reads the output. */
export const chat = Effect.gen(function* () {
  const { isInteractive } = yield* Screen
  if (isInteractive) return yield* Effect.all([showEvents, dialogue], { concurrency: "unbounded", discard: true })
  const [, failures] = yield* Effect.all([showEvents, script], { concurrency: "unbounded" })
  if (failures > 0) return yield* new ScriptFailed({ failures })
}).pipe(
  Effect.catchTag("OutputClosed", () => Effect.void),
  Effect.provideServiceEffect(OlderPage, Ref.make<Request | undefined>(undefined))
)
