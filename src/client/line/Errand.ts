/**
 * Carries out what one line asked for, and is done when the reply is in. What the reply says is shown with all other
 * events, in their order; only what no event tells is shown here.
 */
import { Duration, Effect, Ref } from "effect"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import { type Action, NotUnderstood } from "../command/Command.ts"
import { help } from "../command/Help.ts"
import type { RequestError } from "../core/ClientError.ts"
import { isPage, OlderPage, olderThan } from "../core/Page.ts"
import { isChat, type Request } from "../core/Request.ts"
import { Client } from "../link/Client.ts"
import { isPaged } from "../link/Gather.ts"
import { whenAllowed } from "../link/WhenAllowed.ts"
import { remark } from "../screen/Render.ts"
import { present } from "../screen/Screen.ts"

/** What the server is to be asked for. */
export type Errand = Extract<Action, { readonly _tag: "Ask" | "More" }>

export const carryOut = Effect.fnUntraced(function* (errand: Errand) {
  const client = yield* Client
  const olderPage = yield* OlderPage
  const request = errand._tag === "Ask" ? errand.request : yield* Ref.get(olderPage)
  if (request === undefined) return yield* new NotUnderstood({ message: nothingOlder })
  const [elapsed, reply] = yield* Effect.timed(ask(client, request))
  if (isPage(request)) yield* Ref.set(olderPage, olderThan(request, reply))
  if (request._tag !== "Ping") return
  yield* present((style) => remark(style, `pong after ${Duration.toMillis(elapsed).toFixed(1)} ms`))
})

const nothingOlder = "There is nothing older to show. :history or :search comes first."

/** A list or a page as a whole, whatever one reply may hold. */
const ask = (client: Client["Service"], request: Request): Effect.Effect<ServerMessage, RequestError> => {
  if (isPaged(request)) return client.gather(request)
  return whenAllowed<ServerMessage>(isChat(request) ? client.send(request) : client.request(request))
}

export const showHelp = (command: string | undefined) =>
  present((style) => help(command).flatMap((line) => remark(style, line)))

/** Enough of a line to know it again. */
export const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text)
