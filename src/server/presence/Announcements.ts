/**
 * What everyone hears: who came and went, which rooms were made.
 *
 * Processors publish facts and wait for nothing; one fiber subscribes, remembers who is listening, and tells them. Both kinds
 * are gathered for `presenceWindow` and told in one frame; telling much to many makes the next window longer, and while more
 * than PRESENCE_MAX are listening nothing is told (invariant 10).
 *
 * The PubSub has no bound of its own, since a publisher must not wait: its one subscriber never waits either, so it holds
 * what is published between two turns of the event loop. Rooms to be told of are `maxRooms` at most; others go unsaid.
 */
import { Context, Effect, Layer, PubSub } from "effect"
import type { UserName } from "../../common/name/UserName.ts"
import type { ServerMessage } from "../../common/wire/ServerMessage.ts"
import { ServerConfig } from "../config/ServerConfig.ts"
import type { SessionId } from "../session/Asker.ts"
import { Sessions } from "../session/Sessions.ts"
import { Announcement, type AnnouncementOf } from "./Announcement.ts"
import { makePresenceChanges, paceMillis, presenceWindow } from "./PresenceChanges.ts"

/** Rooms that wait to be told of, and how many one window tells of: 8 to 30 KiB. */
const maxRooms = 1000
const maxRoomsAtOnce = 100

export class Announcements extends Context.Service<Announcements, PubSub.PubSub<Announcement>>()(
  "parley/server/presence/Announcements"
) {
  static readonly layer = Layer.effect(
    Announcements,
    Effect.gen(function* () {
      const { presenceMax } = yield* ServerConfig
      const sessions = yield* Sessions
      const announcements = yield* PubSub.unbounded<Announcement>()
      const heard = yield* PubSub.subscribe(announcements)
      const listeners = new Map<SessionId, UserName>()
      const presence = makePresenceChanges()
      let rooms: Array<AnnouncementOf<"RoomCreated">> = []
      let isTelling = false

      /** Tells them in turns; gives how long it should be until more is told. */
      const tell = (to: ReadonlyArray<SessionId>, messages: ReadonlyArray<ServerMessage>): Effect.Effect<number> =>
        to.length === 0 || messages.length === 0
          ? Effect.succeed(0)
          : Effect.as(sessions.deliverInTurns([{ _tag: "Tell", to, messages }]), paceMillis(to.length, messages))

      const tellPresence = Effect.suspend(() => {
        const summary = presence.take({
          count: listeners.size,
          max: presenceMax,
          everybody: () => [...listeners.values()]
        })
        if (summary === undefined) return Effect.succeed(0)
        return tell(
          [...listeners.keys()].filter(summary.isNewsTo),
          summary.changes.map((change): ServerMessage => Object.assign({ _tag: "Presence" as const }, change))
        )
      })

      /** Who made a room has had its reply; it hears of the others that were made meanwhile. */
      const tellRooms = Effect.gen(function* () {
        if (listeners.size > presenceMax) rooms = []
        const made = rooms.slice(0, maxRoomsAtOnce)
        rooms = rooms.slice(maxRoomsAtOnce)
        const makers = new Set(made.map(({ by }) => by.session))
        const messagesFor = (session: SessionId | undefined) =>
          made.flatMap(({ by, room }): ReadonlyArray<ServerMessage> =>
            by.session === session ? [] : [{ _tag: "RoomCreated", room, by: by.user }]
          )
        let pause = yield* tell(
          [...listeners.keys()].filter((session) => !makers.has(session)),
          messagesFor(undefined)
        )
        for (const maker of makers) if (listeners.has(maker)) pause += yield* tell([maker], messagesFor(maker))
        return pause
      })

      const tellLater: Effect.Effect<void> = Effect.gen(function* () {
        let pause = presenceWindow
        do {
          yield* Effect.sleep(pause)
          pause = Math.max(presenceWindow, (yield* tellPresence) + (yield* tellRooms))
        } while (rooms.length > 0 || pause > presenceWindow)
        isTelling = false
      }).pipe(
        Effect.catchCause((cause) => {
          isTelling = false
          return Effect.logError("What everyone should hear could not be told", cause)
        })
      )

      const tellSoon = Effect.suspend(() => {
        if (isTelling) return Effect.void
        isTelling = true
        return Effect.asVoid(Effect.forkScoped(tellLater))
      })

      const note = Announcement.match({
        UserArrived: ({ session, user }) => {
          listeners.set(session, user)
          presence.note(session, user, "joined")
        },
        UserDeparted: ({ session, user }) => {
          listeners.delete(session)
          presence.note(session, user, "left")
        },
        RoomCreated: (created) => {
          if (rooms.length < maxRooms) rooms.push(created)
        }
      })

      /** One announcement that cannot be told must not be the last. */
      const hear = (announcement: Announcement) =>
        Effect.andThen(
          Effect.sync(() => note(announcement)),
          tellSoon
        ).pipe(Effect.catchCause((cause) => Effect.logError("An announcement could not be told", cause)))

      yield* PubSub.take(heard).pipe(Effect.flatMap(hear), Effect.forever, Effect.forkScoped)
      return announcements
    })
  )
}
