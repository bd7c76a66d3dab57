/**
 * One sitting: what is typed becomes requests, what happens becomes lines on the screen.
 *
 * Requests are made one after the other, each after the reply to the one before. Only that keeps the order of the
 * input in every case: between conversations the protocol promises none, and within one the server may refuse a message
 * as too fast and take the next. It costs a round trip a line, tenths of a millisecond on one machine; even at 20 ms it
 * is as fast as a server allows by default, which is 50 messages a second. What was refused as too fast is sent again.
 *
 * Input that ends is finished properly: all replies are awaited, then one Ping and its Pong, so that what happened until
 * then has been heard; then the client leaves, and what was heard is shown before the end.
 */
import { type Cause, Duration, Effect, Queue, Result, Runtime, Schema, Stream } from "effect"
import { Client } from "./Client.ts"
import type { RequestError } from "./ClientError.ts"
import type { ClientEvent } from "./ClientEvent.ts"
import { type Action, parse } from "./Command.ts"
import { help } from "./Help.ts"
import { echo, error, type Line, remark, render, type Style } from "./Render.ts"
import { isChat, type Request } from "./Request.ts"
import * as Roster from "./Roster.ts"
import { Screen } from "./Screen.ts"

/** How many lines are read ahead of the request under way. */
const maxWaiting = 256

/** How long a person who leaves waits for requests that have no reply yet. */
const patience = "1 second"

/** A script's input held what could not be done; stderr has said what, line by line. */
export class ScriptFailed extends Schema.TaggedError<ScriptFailed>()("ScriptFailed", { failures: Schema.Natural }) {
  override readonly message = `${this.failures} lines of the input could not be carried out.`
  override readonly [Runtime.errorReported] = false
}

/** A line of the input, and what it asks for. */
interface Typed {
  readonly text: string
  readonly number: number
  readonly request: Request
}

export const sit = Effect.gen(function* () {
  const client = yield* Client
  const { isInteractive, style, lines, show, offerNames } = yield* Screen
  const work = yield* Queue.bounded<Typed, Cause.Done>(maxWaiting)
  let isConnected = true
  const unanswered = new Set<Typed>()
  let failures = 0
  let roster = Roster.empty

  const present = (lines: (style: Style) => ReadonlyArray<Line>) => Effect.flatMap(style, (style) => show(lines(style)))

  const complain = (text: string, number: number, message: string) => {
    failures += 1
    return present((style) => error(style, isInteractive ? message : `line ${number}: ${shorten(text)}: ${message}`))
  }

  const say = (text: string) => present((style) => remark(style, text))

  const take = (event: ClientEvent) => {
    if (event._tag === "Disconnected") isConnected = false
    if (event._tag === "Reconnected") isConnected = true
    roster = Roster.follow(roster, event)
  }

  const showEvents = client.events.pipe(
    Stream.runForEachArray(
      Effect.fnUntraced(function* (events) {
        const before = roster
        events.forEach(take)
        if (roster !== before) yield* offerNames(Roster.knownNames(roster))
        yield* present((style) => events.flatMap((event) => render(event, style)))
      })
    )
  )

  const ask = (request: Request): Effect.Effect<void, RequestError> =>
    (isChat(request) ? Effect.asVoid(client.send(request)) : Effect.asVoid(client.request(request))).pipe(
      Effect.catchReason("RequestRejected", "RateLimited", ({ retryAfter }) =>
        Effect.andThen(Effect.sleep(retryAfter), ask(request))
      )
    )

  const carryOut = Effect.fnUntraced(
    function* ({ request }: Typed) {
      const [elapsed] = yield* Effect.timed(ask(request))
      if (request._tag === "Ping") yield* say(`pong after ${Duration.toMillis(elapsed).toFixed(1)} ms`)
    },
    (effect, { text, number, request }) =>
      effect.pipe(
        Effect.catchTag(["RequestRejected", "ReplyLost", "UnexpectedReply"], ({ message }) =>
          complain(text, number, isInteractive && isChat(request) ? `Not sent: ${shorten(text)}: ${message}` : message)
        ),
        // The events end with the same error, and with them the sitting.
        Effect.catchTag("SessionError", () => Effect.never)
      )
  )

  const submit = Effect.fnUntraced(function* (typed: Typed) {
    unanswered.add(typed)
    if (!isConnected) yield* say(`to be sent when the connection is back: ${shorten(typed.text)}`)
    yield* Queue.offer(work, typed)
  })

  /** Whether to read on. */
  const obey = Effect.fnUntraced(function* (action: Action, text: string, number: number) {
    // A message is shown when it comes back from the server; a command would be seen nowhere.
    const isCommand = action._tag === "Help" || (action._tag === "Ask" && !isChat(action.request))
    if (isInteractive && isCommand) yield* present((style) => echo(style, text))
    if (action._tag === "Help") yield* present((style) => help(action.command).flatMap((line) => remark(style, line)))
    if (action._tag === "Ask") yield* submit({ text, number, request: action.request })
    return action._tag !== "Quit"
  })

  const readLines = lines.pipe(
    Stream.zipWithIndex,
    Stream.runForEachWhile(([text, index]) =>
      Result.match(parse(text), {
        onSuccess: (action) => obey(action, text, index + 1),
        onFailure: ({ message }) => Effect.as(complain(text, index + 1, message), true)
      })
    )
  )

  const finish = Effect.gen(function* () {
    yield* present((style) => [...unanswered].flatMap(({ text }) => error(style, `Not sent: ${shorten(text)}`)))
    if (!isInteractive) yield* Effect.ignore(client.request({ _tag: "Ping", nonce: 0 }))
    yield* client.leave
  })

  const workOff = Stream.fromQueue(work).pipe(
    Stream.runForEach((typed) => Effect.tap(carryOut(typed), () => Effect.sync(() => unanswered.delete(typed))))
  )

  if (isInteractive) {
    yield* submit({ text: ":users", number: 0, request: { _tag: "ListUsers" } })
    yield* submit({ text: ":lrs", number: 0, request: { _tag: "ListRooms" } })
  }
  const endOfInput = readLines.pipe(
    Effect.andThen(Queue.end(work)),
    Effect.andThen(isInteractive ? Effect.sleep(patience) : Effect.never)
  )
  const input = Effect.raceFirst(workOff, endOfInput).pipe(Effect.andThen(finish), Effect.andThen(Effect.never))
  yield* Effect.raceFirst(showEvents, input)
  if (failures > 0 && !isInteractive) return yield* new ScriptFailed({ failures })
}).pipe(Effect.catchTag("OutputClosed", () => Effect.void))

/** Enough of a line to know it again. */
const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text)
