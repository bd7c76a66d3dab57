/**
 * The server, put together. Read it from the bottom up: each layer asks only those above it.
 *
 *   Listener -> ClientHandler -> ServerProcessor -> UserProcessor | RoomProcessor | Lobby -> SearchProcessor | LogReader -> History
 *
 * Sessions, the way to reach a connection, is at the top: everyone answers through it, and it waits for nobody.
 */
import { Layer } from "effect"
import { AccountNames } from "./accounts/AccountNames.ts"
import { ClientHandler } from "./dialogue/ClientHandler.ts"
import * as IdleWatch from "./dialogue/IdleWatch.ts"
import * as Listener from "./doors/Listener.ts"
import { UserProcessor } from "./inbox/UserProcessor.ts"
import { Announcements } from "./presence/Announcements.ts"
import { Turns } from "./processor/Turns.ts"
import { Lobby } from "./rooms/Lobby.ts"
import { LogReader } from "./rooms/LogReader.ts"
import { RoomProcessor } from "./rooms/RoomProcessor.ts"
import { ServerProcessor } from "./routing/ServerProcessor.ts"
import { SearchProcessor } from "./search/SearchProcessor.ts"
import { Sessions } from "./session/Sessions.ts"

/** The server over some way to reach its connections. */
export const layerWith = (sessions: typeof Sessions.layer) =>
  Layer.mergeAll(Listener.layer, IdleWatch.layer).pipe(
    Layer.provide(ClientHandler.layer),
    Layer.provide(ServerProcessor.layer),
    Layer.provide([RoomProcessor.layer, UserProcessor.layer, Lobby.layer]),
    Layer.provide(SearchProcessor.layer),
    Layer.provide(AccountNames.layer),
    Layer.provide(Announcements.layer),
    Layer.provide(LogReader.layer),
    Layer.provide(Turns.layer),
    Layer.provide(sessions)
  )

/** Serves the connections of a `SocketServer`, with the messages kept in a `History`. */
export const layer = layerWith(Sessions.layer)
