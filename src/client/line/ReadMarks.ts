/**
 * Tells the server what was read, so that it is read on the account's other devices, too: a moment after it was shown, and
 * of each conversation only how far. Where that is not possible, nothing is said: what is shown next is tried again.
 */
import { Effect, Ref } from "effect"
import * as Due from "../core/chat/Due.ts"
import { Client } from "../link/Client.ts"
import { CurrentTalk } from "./Current.ts"

/** So long one mark may stand for all that is shown meanwhile. */
const pause = "1 second"

/** Tells of all that is due. */
export const tellRead = Effect.gen(function* () {
  const client = yield* Client
  const marks = yield* Ref.modify(yield* CurrentTalk, (current) => {
    const due = Due.due(current.chat)
    return [due, due.length === 0 ? current : { ...current, chat: Due.told(current.chat) }]
  })
  for (const { seq, where } of marks) {
    yield* Effect.ignore(client.quietly({ _tag: "MarkRead", ...where, seq }))
  }
})

/** Goes on until it is interrupted. */
export const keepTelling = Effect.forever(Effect.andThen(Effect.sleep(pause), tellRead))
