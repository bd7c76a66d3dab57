/** One sitting: the input becomes requests, what happens becomes lines on the screen, until the client has left. */
import { Clock, Effect, Ref, Runtime, Schema, Stream } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"
import type { EncryptionState } from "../core/Encryption.ts"
import { OlderPage } from "../core/Page.ts"
import * as Recent from "../core/Recent.ts"
import { RecentMessages } from "../core/Recent.ts"
import type { Request } from "../core/Request.ts"
import { Client } from "../link/Client.ts"
import type { Style } from "../screen/Layout.ts"
import { moreGaps, render } from "../screen/Render.ts"
import { noPrompt, present, Screen } from "../screen/Screen.ts"
import { ListsShown, noLists } from "./AccountErrand.ts"
import { arrivalIn, askForBlocked, askForUnread, showBacklog } from "./Backlog.ts"
import * as Current from "./Current.ts"
import { CurrentTalk } from "./Current.ts"
import * as GapsTold from "./GapsTold.ts"
import { type Ending, keyboard } from "./Keyboard.ts"
import * as NamesSeen from "./NamesSeen.ts"
import { keepTelling } from "./ReadMarks.ts"
import { script } from "./Script.ts"

/** A script's input held what could not be done; stderr has said what, line by line. */
class ScriptFailed extends Schema.TaggedError<ScriptFailed>()("ScriptFailed", { failures: Schema.Natural }) {
  override readonly message = `${this.failures} lines of the input could not be carried out.`
  override readonly [Runtime.errorReported] = false
}

/** With `hasBacklog`, whoever comes into a conversation is shown what was said there before. */
const showEvents = Effect.fnUntraced(function* ({ hasBacklog }: { readonly hasBacklog: boolean }) {
  const { events } = yield* Client
  const { offerNames } = yield* Screen
  const recent = yield* RecentMessages
  let names = NamesSeen.empty
  let gaps = GapsTold.empty
  const stands = new Map<string, EncryptionState>()

  /** How an encrypted room stands is told when it changes. */
  const standsTold = (event: ClientEvent) => {
    if (event._tag !== "EncryptionStands") return () => []
    const key = nameKey(event.room)
    const isNew = stands.get(key) !== event.state
    stands.set(key, event.state)
    return (style: Style) => (isNew ? render(event, style) : [])
  }

  const linesOf = (event: ClientEvent, said: Recent.Recent) => {
    gaps = GapsTold.follow(gaps, event)
    const telling = GapsTold.tellingOf(gaps, event)
    const standing = standsTold(event)
    return (style: Style) => {
      if (telling === "Nothing") return []
      if (event._tag === "EncryptionStands") return standing(style)
      return event._tag === "Gap" && telling === "TellOfMore"
        ? moreGaps(event.conversation, style)
        : render(event, style, said)
    }
  }

  const showAll = Effect.fnUntraced(function* (batch: ReadonlyArray<ClientEvent>) {
    yield* Ref.update(recent, (before) => Recent.follow(before, batch))
    const said = yield* Ref.get(recent)
    const before = names
    names = batch.reduce(NamesSeen.follow, before)
    if (names !== before) yield* offerNames(NamesSeen.knownNames(names))
    const lines = batch.map((event) => linesOf(event, said))
    yield* present((style) => lines.flatMap((line) => line(style)))
    const now = yield* Clock.currentTimeMillis
    yield* Current.change((before) => Current.hear(before, batch, now))
  })

  yield* Stream.runForEachArray(
    events,
    Effect.fnUntraced(function* (batch) {
      let shown = 0
      for (const [index, event] of hasBacklog ? batch.entries() : []) {
        const arrival = arrivalIn(event)
        if (arrival !== undefined) {
          yield* showAll(batch.slice(shown, index + 1))
          shown = index + 1
          yield* showBacklog(arrival)
        }
        if (event._tag === "Connected") yield* askForUnread(event.welcome)
      }
      for (const event of batch) {
        if (event._tag !== "Connected" && event._tag !== "Reconnected") continue
        if (event.welcome !== undefined) yield* askForBlocked(event.welcome)
      }
      yield* showAll(batch.slice(shown))
    })
  )
})

/** Ends when the input has ended and everything heard until then is shown; at once when nobody reads the output. */
export const chat = Effect.gen(function* () {
  const { isInteractive } = yield* Screen
  const showing = showEvents({ hasBacklog: isInteractive })
  if (isInteractive) {
    const reading = Effect.raceFirst(showing, keepTelling)
    const [, ending] = yield* Effect.all([reading, keyboard], { concurrency: "unbounded" })
    return ending
  }
  const [, failures] = yield* Effect.all([showing, script], { concurrency: "unbounded" })
  if (failures > 0) return yield* new ScriptFailed({ failures })
  return quit
}).pipe(
  Effect.catchTag("OutputClosed", () => Effect.succeed(quit)),
  Effect.ensuring(Screen.use(({ setPrompt }) => setPrompt(noPrompt))),
  Effect.provideServiceEffect(OlderPage, Ref.make<Request | undefined>(undefined)),
  Effect.provideServiceEffect(RecentMessages, Ref.make(Recent.empty)),
  Effect.provideServiceEffect(CurrentTalk, Ref.make(Current.empty)),
  Effect.provideServiceEffect(ListsShown, Ref.make(noLists))
)

const quit: Ending = { _tag: "Quit" }
