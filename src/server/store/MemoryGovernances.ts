/** How rooms are governed, for as long as the server lives. */
import { Effect, Layer } from "effect"
import { Governances } from "../history/Governances.ts"
import { GovernedRooms } from "./GovernedRooms.ts"

export const layer = Layer.effect(
  Governances,
  Effect.map(GovernedRooms, ({ get, invitations, owned, remove, rooms, set }) =>
    Governances.of({
      get,
      rooms,
      invitations,
      owned,
      put: (conversation, governance) => Effect.sync(() => set(conversation, governance)),
      forget: (room) => Effect.sync(() => remove({ _tag: "Room", room })),
      lookAgain: (conversation) => Effect.sync(() => get(conversation))
    })
  )
).pipe(Layer.provide(GovernedRooms.layer))
