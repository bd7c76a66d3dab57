/**
 * Prints a conversation as it goes on: what `Following` says is to be done about what is heard.
 *
 * A cursor is kept only when the lines up to it have left the process: whoever is killed in between prints a line again,
 * and skips none. What comes together is written together, and kept once.
 */
import { Console, Effect, Stream } from "effect"
import type { Cursor, Epoch } from "../../common/log/Cursor.ts"
import type { EntryMessage, StandingMessage } from "../../common/wire/EntryMessage.ts"
import type { RequestError } from "../core/ClientError.ts"
import type { ClientEvent } from "../core/ClientEvent.ts"
import type { Whereabouts } from "../core/Heard.ts"
import { Client } from "../link/Client.ts"
import { whenAllowed } from "../link/WhenAllowed.ts"
import { safeLine } from "../text/SafeText.ts"
import type { StoredCursor } from "./CursorFile.ts"
import * as Following from "./Following.ts"
import { lineOf, Output } from "./Output.ts"
import { type Ask, forward, newestPlace, placeSince } from "./Paging.ts"
import { explain, refused } from "./ScriptError.ts"
import type { State } from "./StateFile.ts"

export interface Tailing {
  readonly following: Following.Following
  readonly state: State
  readonly isJson: boolean
}

/** Goes on until one is out of the conversation, or nobody reads any more. */
export const tail = Effect.fnUntraced(function* ({ following: begun, isJson, state }: Tailing) {
  const client = yield* Client
  const { isTerminal, write } = yield* Output
  const { where } = begun
  let following = begun
  let isKept = true

  const keep = Effect.fnUntraced(function* (cursor: StoredCursor) {
    const kept = yield* Effect.result(state.save(cursor))
    if (kept._tag === "Failure" && isKept)
      yield* tellOf(`the place cannot be kept, and the next tail will repeat: ${kept.failure.message}`)
    isKept = kept._tag === "Success"
  })

  const print = Effect.fnUntraced(function* (
    entries: ReadonlyArray<EntryMessage | StandingMessage>,
    place: StoredCursor | undefined
  ) {
    yield* write(entries.map((entry) => lineOf(entry, isJson, isTerminal)).join(""))
    if (place !== undefined) yield* keep(place)
  })

  /** A page of another log than the one that is meant is no page. */
  const askIn =
    (epoch: Epoch): Ask<RequestError | OtherLog> =>
    (request) =>
      Effect.gen(function* () {
        const page = yield* whenAllowed(client.quietly(request), Infinity)
        return (yield* client.epochOf(where)) === epoch ? page : yield* Effect.fail(otherLog)
      })

  const fill = Effect.fnUntraced(
    function* ({ from, place }: Extract<Following.Step, { readonly _tag: "Fill" }>) {
      const { at, epoch, seq: upTo } = place
      const ask = askIn(epoch)
      const after = from._tag === "After" ? from.seq : yield* placeSince(ask, where, from.at, upTo)
      let reached = { epoch, seq: after, at }
      yield* forward(ask, { where, after, upTo }, (messages) => {
        const { at, seq } = messages.at(-1) ?? reached
        reached = { epoch, seq, at }
        return print(messages, reached)
      })
      // What stands there no more, or is no message, is behind one, too.
      if (reached.seq !== upTo || reached.seq === after) yield* keep({ ...reached, seq: upTo })
    },
    Effect.catchTag("OtherLog", () => Effect.void),
    // One is out of the room: an event says why.
    Effect.catchReason("RequestRejected", "NotInRoom", () => Effect.void)
  )

  const lookUp = Effect.gen(function* () {
    const { place } = following
    if (place === undefined) return
    const newest = yield* newestPlace(askIn(place.epoch), where)
    const [next, steps] = Following.reach(following, newest)
    following = next
    yield* carryOut(steps)
  }).pipe(Effect.catchTag("OtherLog", () => Effect.void))

  const carryOut: (steps: ReadonlyArray<Following.Step>) => Effect.Effect<void, Failure> = Effect.fnUntraced(
    function* (steps) {
      let waiting: Array<EntryMessage> = []
      let place: StoredCursor | undefined
      const flush = Effect.suspend(() => {
        const [entries, reached] = [waiting, place]
        waiting = []
        place = undefined
        return entries.length === 0 && reached === undefined ? Effect.void : print(entries, reached)
      })
      for (const step of steps) {
        if (step._tag === "Print") waiting.push(step.entry)
        if (step._tag === "Print" || step._tag === "Move") {
          place = step.place
          continue
        }
        yield* flush
        if (step._tag === "Fill") yield* fill(step)
        if (step._tag === "LookUp") yield* lookUp
        if (step._tag === "Tell") yield* tellOf(step.sentence)
        if (step._tag === "End") return yield* refused(step.sentence)
      }
      yield* flush
    }
  )

  const hear = (batch: ReadonlyArray<ClientEvent>) =>
    Effect.suspend(() => {
      const all: Array<Following.Step> = []
      for (const event of batch) {
        const [next, steps] = Following.follow(following, event)
        following = next
        all.push(...steps)
      }
      return carryOut(all)
    })

  yield* Stream.runForEachArray(client.events, hear)
})

type Failure = Effect.Error<ReturnType<Output["Service"]["write"]>> | RequestError

class OtherLog {
  readonly _tag = "OtherLog"
}
const otherLog = new OtherLog()

const tellOf = (sentence: string) => Console.error(safeLine(`— ${sentence} —`))

/** Comes into the room where its tail is to begin. */
export const join = Effect.fnUntraced(function* ({ room }: Whereabouts, after: Cursor | undefined) {
  if (room === undefined) return
  const { request } = yield* Client
  yield* whenAllowed(request({ _tag: "JoinRoom", room, ...(after && { after }) })).pipe(Effect.mapError(explain))
})
