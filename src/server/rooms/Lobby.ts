/** The one conversation everybody connected is in: its manager, under a name of its own. */
import { Context, Layer } from "effect"
import * as RoomManager from "./RoomManager.ts"

export class Lobby extends Context.Service<Lobby, RoomManager.RoomManager>()("parley/server/rooms/Lobby") {
  static readonly layer = Layer.effect(
    Lobby,
    RoomManager.make({ conversation: { _tag: "Lobby" }, onVacated: () => {} })
  )
}
