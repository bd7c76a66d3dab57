/**
 * How rooms are governed, in a database: read at the start, and from then on known (see GovernedRooms). What cannot be read is
 * logged, and the room is private and nobody's: nobody comes in who is no member, until an admin names an owner. If it was encrypted it is so still,
 * with a group of which nobody is: whoever is a member begins a fresh one. A conversation of two is closed until the row is mended.
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

/** The tables must be up to date (see Migrations). Fails if they cannot be read. */
export const layer = Layer.effect(
  Governances,
  Effect.gen(function* () {
    const { reader, writer } = yield* Connections
    const changes = yield* Changes
    const rooms = yield* GovernedRooms
    const tables = GovernanceTables.make(writer)
    const readTables = GovernanceTables.make(reader)

    /** What stands for what cannot be read. One that was encrypted is so still. */
    const unreadable = (conversation: SharedConversation) =>
      Effect.map(readTables.keysLeft(conversation), (keys): Governance => ({
        ...ungoverned(0),
        isPrivate: conversation._tag === "Room",
        ...(keys !== undefined && { keys })
      }))

    for (const { conversation, governance } of yield* readTables.all) {
      rooms.set(conversation, governance ?? (yield* unreadable(conversation)))
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
        Effect.gen(function* () {
          const found = yield* readTables.get(conversation)
          if (Option.isSome(found)) rooms.set(conversation, found.value ?? (yield* unreadable(conversation)))
          else rooms.remove(conversation)
          return rooms.get(conversation)
        }).pipe(Effect.mapError((cause) => new StorageUnavailable({ cause })))
    })
  })
).pipe(Layer.provide(GovernedRooms.layer))
