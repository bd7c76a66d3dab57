/**
 * Carries out what one line asked for, and is done when the reply is in. What the reply says is shown with all other
 * events, in their order; only what no event tells is shown here.
 */
import { Duration, Effect } from "effect"
import { Client } from "./Client.ts"
import type { RequestError } from "./ClientError.ts"
import { help } from "./Help.ts"
import { remark } from "./Render.ts"
import { isChat, type Request } from "./Request.ts"
import { present } from "./Screen.ts"

export const carryOut = Effect.fnUntraced(function* (request: Request) {
  const [elapsed] = yield* Effect.timed(ask(yield* Client, request))
  if (request._tag !== "Ping") return
  yield* present((style) => remark(style, `pong after ${Duration.toMillis(elapsed).toFixed(1)} ms`))
})

/** What is refused as too fast is asked again when the server allows it. */
const ask = (client: Client["Service"], request: Request): Effect.Effect<void, RequestError> =>
  (isChat(request) ? Effect.asVoid(client.send(request)) : Effect.asVoid(client.request(request))).pipe(
    Effect.catchReason("RequestRejected", "RateLimited", ({ retryAfter }) =>
      Effect.andThen(Effect.sleep(retryAfter), ask(client, request))
    )
  )

export const showHelp = (command: string | undefined) =>
  present((style) => help(command).flatMap((line) => remark(style, line)))

/** Enough of a line to know it again. */
export const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text)
