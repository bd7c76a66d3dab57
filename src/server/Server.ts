/**
 * The server, put together. Read it from the bottom up: each layer asks only those above it.
 *
 *   Listener -> ClientHandler -> ServerProcessor -> UserProcessor | RoomProcessor | Lobby -> SearchProcessor | LogReader -> History
 *
 * Sessions, the way to reach a connection, is at the top: everyone answers through it, and it waits for nobody.
 */
import { Layer } from "effect"
import { Announcements } from "./Announcements.ts"
import { ClientHandler } from "./ClientHandler.ts"
import * as IdleWatch from "./IdleWatch.ts"
import * as Listener from "./Listener.ts"
import { Lobby } from "./Lobby.ts"
import { LogReader } from "./LogReader.ts"
import { RoomProcessor } from "./RoomProcessor.ts"
import { SearchProcessor } from "./SearchProcessor.ts"
import { ServerProcessor } from "./ServerProcessor.ts"
import { Sessions } from "./Sessions.ts"
import { Turns } from "./Turns.ts"
import { UserProcessor } from "./UserProcessor.ts"

/** The server over some way to reach its connections. */
export const layerWith = (sessions: typeof Sessions.layer) =>
  Layer.mergeAll(Listener.layer, IdleWatch.layer).pipe(
    Layer.provide(ClientHandler.layer),
    Layer.provide(ServerProcessor.layer),
    Layer.provide([RoomProcessor.layer, UserProcessor.layer, Lobby.layer]),
    Layer.provide(SearchProcessor.layer),
    Layer.provide(Announcements.layer),
    Layer.provide(LogReader.layer),
    Layer.provide(Turns.layer),
    Layer.provide(sessions)
  )

/** Serves the connections of a `SocketServer`, with the messages kept in a `History`. */
export const layer = layerWith(Sessions.layer)
