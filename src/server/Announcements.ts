/**
 * What everyone hears: who came and went, which rooms were made.
 *
 * Processors publish facts; one fiber subscribes, remembers who is listening, and tells them. It never waits, so
 * publishing never has to wait for long either. Presence is gathered for 50 ms and told in one message.
 */
import { Context, Effect, Layer, PubSub } from "effect"
import type { UserName } from "../common/UserName.ts"
import type { SessionId } from "./messages/Asker.ts"
import { Announcement } from "./messages/Commands.ts"
import { makePresenceChanges, presenceWindow } from "./PresenceChanges.ts"
import { ServerConfig } from "./ServerConfig.ts"
import { Sessions } from "./Sessions.ts"

/** Enough for every change of a busy second; a publisher waits while it is full. */
const capacity = 1024

export class Announcements extends Context.Service<Announcements, PubSub.PubSub<Announcement>>()(
  "parley/server/Announcements"
) {
  static readonly layer = Layer.effect(
    Announcements,
    Effect.gen(function* () {
      const { presenceMax } = yield* ServerConfig
      const sessions = yield* Sessions
      const announcements = yield* PubSub.bounded<Announcement>(capacity)
      const heard = yield* PubSub.subscribe(announcements)
      const listeners = new Map<SessionId, UserName>()
      const presence = makePresenceChanges()

      const tellPresence = () => {
        const changes = presence.take()
        if (changes === undefined || listeners.size > presenceMax) return
        const { isNewsTo, joined, left } = changes
        const to = [...listeners.keys()].filter(isNewsTo)
        sessions.deliver([{ _tag: "Tell", to, messages: [{ _tag: "Presence", joined, left }] }])
      }

      const tellPresenceSoon = Effect.sleep(presenceWindow).pipe(
        Effect.andThen(Effect.sync(tellPresence)),
        Effect.forkScoped
      )
      const note = (session: SessionId, user: UserName, change: "joined" | "left") =>
        presence.note(session, user, change) ? tellPresenceSoon : Effect.void

      const hear = Announcement.match({
        UserArrived: ({ session, user }) => {
          listeners.set(session, user)
          return note(session, user, "joined")
        },
        UserDeparted: ({ session, user }) => {
          listeners.delete(session)
          return note(session, user, "left")
        },
        RoomCreated: ({ by, room }) => {
          const to = [...listeners.keys()].filter((session) => session !== by.session)
          sessions.deliver([{ _tag: "Tell", to, messages: [{ _tag: "RoomCreated", room, by: by.user }] }])
          return Effect.void
        }
      })

      /** One announcement that cannot be told must not be the last, nor let its publishers run into a full queue. */
      const hearOrLog = (announcement: Announcement) =>
        Effect.suspend(() => hear(announcement)).pipe(
          Effect.catchCause((cause) => Effect.logError("An announcement could not be told", cause))
        )

      yield* PubSub.take(heard).pipe(Effect.flatMap(hearOrLog), Effect.forever, Effect.forkScoped)
      return announcements
    })
  )
}
