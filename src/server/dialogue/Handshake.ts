/**
 * How a stranger becomes a user: from the first message of a connection to its Welcome. Read it from top to bottom.
 *
 * Neither step waits for the disk, unless messages were missed: then the first of them are read before anything is said, and
 * what cannot be read refuses the Handshake, which may be tried again. Nothing of the lobby is heard before Welcome.
 */
import { Effect, Option } from "effect"
import type { UserName } from "../../common/name/UserName.ts"
import type { ClientMessage } from "../../common/wire/ClientMessage.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import { protocolVersion, type ServerMessageOf } from "../../common/wire/ServerMessage.ts"
import { identity } from "../config/Identity.ts"
import * as Mailbox from "../processor/Mailbox.ts"
import { Lobby } from "../rooms/Lobby.ts"
import type { CatchUp } from "../rooms/Newcomers.ts"
import { ServerProcessor } from "../routing/ServerProcessor.ts"
import type { Session } from "../session/Session.ts"
import { Sessions } from "../session/Sessions.ts"

type Greeting = Extract<ClientMessage, { readonly _tag: "Handshake" }>

/** What became of it. `Refused` ends the connection; after `Failed`, which has been answered, it may try again. */
export type Outcome =
  | ({ readonly _tag: "Welcomed"; readonly user: UserName } & Pick<CatchUp, "follow">)
  | { readonly _tag: "Refused"; readonly reason: Rejection }
  | { readonly _tag: "Failed" }

export const make = Effect.gen(function* () {
  const lobby = yield* Lobby
  const server = yield* ServerProcessor
  const sessions = yield* Sessions

  return Effect.fnUntraced(function* (session: Session, { after, credentials, id, user }: Greeting) {
    // 1. Who is it? There are no accounts yet, so no credentials can be right.
    if (credentials !== undefined) return refused({ _tag: "InvalidCredentials" })

    // 2. The name, which nobody else has from now on.
    const refusal = yield* Mailbox.ask(server, { _tag: "Claim", session: session.id, user })
    if (Option.isSome(refusal)) return refused(refusal.value)

    // 3. The lobby, in which everybody is.
    const request = session.requests.add({ id, about: undefined, characters: 0, isLarge: true })
    const from = { session: session.id, user, request }
    const joined = yield* Mailbox.ask(lobby.mailbox, { _tag: "Join", from, after: after?.lobby })
    if (Option.isNone(joined)) {
      yield* Mailbox.ask(server, { _tag: "Gone", session: session.id })
      return failed
    }

    // 4. Welcome. From now on others may write to it.
    sessions.deliver([{ _tag: "Begin", to: from, message: welcome(user, joined.value) }])
    Mailbox.tellUnsafe(server, { _tag: "Arrive", session: session.id })

    // 5. Behind it, what was missed, as fast as it reads, and then what is said.
    return { _tag: "Welcomed", user, follow: joined.value.follow } satisfies Outcome
  })
})

const refused = (reason: Rejection): Outcome => ({ _tag: "Refused", reason })
const failed: Outcome = { _tag: "Failed" }

const welcome = (user: UserName, { epoch, seq }: CatchUp): ServerMessageOf<"Welcome"> => ({
  _tag: "Welcome",
  user,
  protocol: protocolVersion,
  server: identity,
  account: false,
  lobby: { epoch, seq }
})
