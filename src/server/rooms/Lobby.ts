/** The one conversation everybody connected is in: its manager, under a name of its own. It tells them what rooms are made. */
import { Context, Effect, Layer, PubSub } from "effect"
import { AccountNames } from "../accounts/AccountNames.ts"
import { Blocks } from "../accounts/Blocks.ts"
import { Announcements } from "../presence/Announcements.ts"
import * as Mailbox from "../processor/Mailbox.ts"
import * as Deciding from "./Deciding.ts"
import * as RoomManager from "./RoomManager.ts"

const lobby = { _tag: "Lobby" } as const

export class Lobby extends Context.Service<Lobby, RoomManager.RoomManager>()("parley/server/rooms/Lobby") {
  static readonly layer = Layer.effect(
    Lobby,
    Effect.gen(function* () {
      const announcements = yield* PubSub.subscribe(yield* Announcements)
      const deciding = yield* Deciding.make({ conversation: lobby })
      const people = yield* AccountNames
      const blocks = yield* Blocks
      const manager = yield* RoomManager.make({
        conversation: lobby,
        deciding,
        people,
        blockedBy: blocks.by,
        onVacated: () => {}
      })
      yield* PubSub.take(announcements).pipe(
        Effect.map((announcement) => {
          if (announcement._tag !== "RoomCreated") return
          Mailbox.tellUnsafe(manager.mailbox, { _tag: "RoomMade", room: announcement.room, by: announcement.by })
        }),
        Effect.forever,
        Effect.forkScoped
      )
      return manager
    })
  )
}
