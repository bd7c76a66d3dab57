/** One message: stored when this is done, whatever the connection went through; or it says what is known. */
import { Duration, Effect } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import type { Whereabouts } from "../core/Heard.ts"
import { Client } from "../link/Client.ts"
import { whenAllowed } from "../link/WhenAllowed.ts"
import { Patience } from "./InTime.ts"
import { json, Output } from "./Output.ts"
import { explain, noConnection, type ScriptError, usage } from "./ScriptError.ts"
import { inside } from "./Visit.ts"
import { messageTo } from "./Where.ts"

export interface Sending {
  readonly where: Whereabouts
  readonly content: string
  /** Who sends it, under a name as it was given. */
  readonly user: UserName
  readonly isMember: boolean
  readonly isJson: boolean
  /** Waits for as long as the server asks to, where it would be refused as too fast. */
  readonly waits: boolean
  /** For an answer, beside what it waits so; in milliseconds. */
  readonly patience: number
  /** Under which the server knows the message, however often it is sent. */
  readonly key: MessageKey
}

export const send = Effect.fnUntraced(function* (sending: Sending) {
  const { content, isJson, isMember, key, patience, user, waits, where } = sending
  const client = yield* Client
  if (where.with !== undefined && nameKey(where.with) === nameKey(user)) {
    return yield* usage(`${user} is you. Name somebody else with --to.`)
  }
  const asked = client.send({ ...messageTo(where, content), key }).pipe(
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => Effect.flatMap(client.encryption.isKept(key), (isKept) => Effect.fail(notKnown(patience, isKept)))
    })
  )
  const sent = yield* inside(where.room, isMember, waits ? whenAllowed(asked, Infinity) : asked).pipe(
    Effect.provideService(Patience, Duration.millis(patience)),
    Effect.mapError((error): ScriptError => (error._tag === "ScriptError" ? error : explain(error)))
  )
  if (!isJson) return
  const { isTerminal, write } = yield* Output
  const { id: _, ...plain } = sent
  yield* write(`${json(plain, isTerminal)}\n`)
})

/** What is sealed and kept would be sent twice by who sends it again. */
const notKnown = (patience: number, isKept: boolean) => {
  const what = isKept
    ? "the message is sealed and kept on this device, and goes out with the next run that uses these keys. Do not send it again."
    : "the message may have been stored or not. Look with pnpm -s client history, then send it again."
  return noConnection(`No answer within ${Math.round(patience / 1000)} s: ${what}`)
}
