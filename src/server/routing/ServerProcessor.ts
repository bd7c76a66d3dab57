/**
 * The way in: everything a connection asks for after its Handshake goes through this fiber, in order, to whoever owns
 * what is asked for. Owns who is here under which name.
 *
 * It never waits for a room or an inbox; it only hands over. So what one connection asks about one conversation stays in
 * order, and a busy conversation delays nobody else (invariant 2).
 */
import { Context, Effect, Layer, Option, PubSub, Result } from "effect"
import type { Rejection } from "../../common/wire/Rejection.ts"
import { AccountProcessor } from "../accounts/AccountProcessor.ts"
import { UserProcessor } from "../inbox/UserProcessor.ts"
import { Announcements } from "../presence/Announcements.ts"
import * as Mailbox from "../processor/Mailbox.ts"
import { Lobby } from "../rooms/Lobby.ts"
import { RoomProcessor } from "../rooms/RoomProcessor.ts"
import { Sessions } from "../session/Sessions.ts"
import * as Registry from "./Registry.ts"
import { route, Routed } from "./Routing.ts"
import { ServerCommand, type ServerCommandOf } from "./ServerCommand.ts"

/** Answers a Claim or a Gone: why not, if not. */
export type ServerAnswer = Option.Option<Rejection>

export class ServerProcessor extends Context.Service<ServerProcessor, Mailbox.Mailbox<ServerCommand, ServerAnswer>>()(
  "parley/server/routing/ServerProcessor"
) {
  static readonly layer = Layer.effect(
    ServerProcessor,
    Effect.gen(function* () {
      const accounts = yield* AccountProcessor
      const announcements = yield* Announcements
      const lobby = yield* Lobby
      const rooms = yield* RoomProcessor
      const sessions = yield* Sessions
      const users = yield* UserProcessor
      const mailbox = yield* Mailbox.make<ServerCommand, ServerAnswer>()

      let registry = Registry.empty
      const claim = ({ account, session, user }: ServerCommandOf<"Claim">): ServerAnswer => {
        const claimed = Registry.claim(registry, session, user, account)
        if (Result.isFailure(claimed)) return Option.some(claimed.failure)
        registry = claimed.success
        return Option.none()
      }

      const arrive = ({ session }: ServerCommandOf<"Arrive">) => {
        const arrived = Registry.arrive(registry, session)
        if (Option.isNone(arrived)) return
        const [next, { isNews, user }] = arrived.value
        registry = next
        if (isNews) PubSub.publishUnsafe(announcements, { _tag: "UserArrived", user, session })
      }

      const own = ({ account, session, user }: ServerCommandOf<"Own">) => {
        const owned = Registry.own(registry, session, account)
        if (Option.isNone(owned)) return
        registry = owned.value
        Mailbox.tellUnsafe(rooms, { _tag: "Own", session, account, user })
      }

      const depart = ({ session }: ServerCommandOf<"Gone">) => {
        const departed = Registry.depart(registry, session)
        if (Option.isNone(departed)) return
        const [next, { isNews, user }] = departed.value
        registry = next
        Mailbox.tellUnsafe(lobby.mailbox, { _tag: "Gone", session })
        Mailbox.tellUnsafe(rooms, { _tag: "Gone", session })
        Mailbox.tellUnsafe(users, { _tag: "Gone", session })
        Mailbox.tellUnsafe(accounts, { _tag: "Gone", session })
        if (isNews) PubSub.publishUnsafe(announcements, { _tag: "UserDeparted", user, session })
      }

      const dispatch: (routed: Routed) => Mailbox.Handled = Routed.match({
        ToLobby: ({ command }) => Mailbox.tellUnsafe(lobby.mailbox, command),
        ToRooms: ({ command }) => Mailbox.tellUnsafe(rooms, command),
        ToUsers: ({ command }) => Mailbox.tellUnsafe(users, command),
        ToAccounts: ({ command }) => Mailbox.tellUnsafe(accounts, command),
        Refuse: ({ reason, to }) => sessions.refuse(to, reason)
      })

      yield* Mailbox.process(mailbox, {
        handle: (command, answer) => {
          switch (command._tag) {
            case "Request":
              return dispatch(route(registry, command.from, command.message))
            case "Claim":
              return answer(claim(command))
            case "Arrive":
              return arrive(command)
            case "Own":
              own(command)
              return answer(Option.none())
            case "Gone":
              depart(command)
              return answer(Option.none())
          }
        },
        refuse: (command, answer) => {
          if (command._tag === "Request") sessions.refuse(command.from, { _tag: "StorageUnavailable" })
          answer(Option.some({ _tag: "StorageUnavailable" }))
        }
      }).pipe(Effect.forkScoped)
      return mailbox
    })
  )
}
