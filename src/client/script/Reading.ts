/** What was said: of a conversation as much as is asked for, oldest first, and no more in memory than a page. */
import { Effect } from "effect"
import type { Seq } from "../../common/log/Cursor.ts"
import type { RequestError } from "../core/ClientError.ts"
import type { Whereabouts } from "../core/Heard.ts"
import { Client } from "../link/Client.ts"
import { whenAllowed } from "../link/WhenAllowed.ts"
import type { OutputClosed } from "../screen/Screen.ts"
import { inTime } from "./InTime.ts"
import { lineOf, Output } from "./Output.ts"
import { type Ask, forward, newestPlace, placeBefore, placeSince } from "./Paging.ts"
import { explain, type ScriptError } from "./ScriptError.ts"
import { inside } from "./Visit.ts"

export interface Asked {
  readonly where: Whereabouts
  readonly isMember: boolean
  readonly isJson: boolean
  /** The newest so many; all, unless given. */
  readonly limit: number | undefined
  /** What was said at this time or later, in milliseconds since 1970. */
  readonly since: number | undefined
  /** What stands before this place. */
  readonly before: Seq | undefined
}

export const history = Effect.fnUntraced(function* ({ before, isJson, isMember, limit, since, where }: Asked) {
  const client = yield* Client
  const { isTerminal, write } = yield* Output
  const ask: Ask<RequestError | ScriptError> = (request) => whenAllowed(inTime(client.quietly(request)), Infinity)
  const print = Effect.gen(function* () {
    const newest = yield* newestPlace(ask, where)
    const upTo = before === undefined ? newest : Math.min(newest, before - 1)
    const oldest = since === undefined ? 0 : yield* placeSince(ask, where, since, upTo)
    const after = limit === undefined ? oldest : yield* placeBefore(ask, { where, after: oldest, upTo }, limit)
    yield* forward(ask, { where, after, upTo }, (messages) =>
      write(messages.map((message) => lineOf(message, isJson, isTerminal)).join(""))
    )
  })
  yield* inside(where.room, isMember, print).pipe(
    Effect.mapError((error): ScriptError | OutputClosed =>
      error._tag === "ScriptError" || error._tag === "OutputClosed" ? error : explain(error)
    )
  )
})
