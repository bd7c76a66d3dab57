/**
 * How rooms are governed, in a database: read at the start, and from then on known (see GovernedRooms). What cannot be read is
 * logged, and the room is private and nobody's: nobody comes in who is no member, until an admin names an owner.
 */
import { Effect, Layer, Option } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import { type Governance, ungoverned } from "../governance/Governance.ts"
import { Governances } from "../history/Governances.ts"
import { StorageUnavailable } from "../history/History.ts"
import { Changes } from "./Changes.ts"
import * as GovernanceTables from "./GovernanceTables.ts"
import { GovernedRooms } from "./GovernedRooms.ts"
import { Connections } from "./SqlHistory.ts"

/** What stands for what cannot be read. */
const unreadable = (conversation: SharedConversation): Governance => ({
  ...ungoverned(0),
  isPrivate: conversation._tag === "Room"
})

/** The tables must be up to date (see Migrations). Fails if they cannot be read. */
export const layer = Layer.effect(
  Governances,
  Effect.gen(function* () {
    const { reader, writer } = yield* Connections
    const changes = yield* Changes
    const rooms = yield* GovernedRooms
    const tables = GovernanceTables.make(writer)
    const readTables = GovernanceTables.make(reader)

    for (const { conversation, governance } of yield* readTables.all) {
      rooms.set(conversation, governance ?? unreadable(conversation))
      if (governance !== undefined) continue
      const which = conversation._tag === "Room" ? `the room ${conversation.room}` : "the lobby"
      yield* Effect.logError(
        `How ${which} is governed cannot be read. A room is private then and has no owner, until an admin names one; ` +
          "bans and mutes are lost. Look at the database with: pnpm admin verify"
      )
    }

    return Governances.of({
      get: rooms.get,
      rooms: rooms.rooms,
      invitations: rooms.invitations,
      owned: rooms.owned,
      put: (conversation, governance) =>
        Effect.tap(
          changes.make(Effect.suspend(() => tables.put(conversation, governance, rooms.get(conversation)))),
          () => Effect.sync(() => rooms.set(conversation, governance))
        ),
      forget: (room) =>
        Effect.tap(changes.make(Effect.asVoid(tables.forget(room))), () =>
          Effect.sync(() => rooms.remove({ _tag: "Room", room }))
        ),
      lookAgain: (conversation) =>
        readTables.get(conversation).pipe(
          Effect.mapError((cause) => new StorageUnavailable({ cause })),
          Effect.map((found) => {
            if (Option.isSome(found)) rooms.set(conversation, found.value ?? unreadable(conversation))
            else rooms.remove(conversation)
            return rooms.get(conversation)
          })
        )
    })
  })
).pipe(Layer.provide(GovernedRooms.layer))
