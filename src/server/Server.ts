/**
 * The server, put together. Read it from the bottom up: each layer asks only those above it.
 *
 *   Listener -> ClientHandler -> ServerProcessor -> UserProcessor | RoomProcessor | Lobby | AccountProcessor
 *     -> SearchProcessor | LogReader -> History | Accounts | Memberships
 *
 * Sessions, the way to reach a connection, is at the top: everyone answers through it, and it waits for nobody.
 */
import { Layer } from "effect"
import { Digest, SecureRandom, Signature } from "effect/crypto"
import { AccountNames } from "./accounts/AccountNames.ts"
import { AccountProcessor } from "./accounts/AccountProcessor.ts"
import { Attempts } from "./accounts/Attempts.ts"
import { Blocks } from "./accounts/Blocks.ts"
import { CommonPasswords } from "./accounts/CommonPasswords.ts"
import { Login } from "./accounts/Login.ts"
import { Passwords } from "./accounts/Passwords.ts"
import { PublishedDevices } from "./accounts/PublishedDevices.ts"
import { Registering } from "./accounts/Registering.ts"
import { Secrets } from "./accounts/Secrets.ts"
import { UserManagement } from "./accounts/UserManagement.ts"
import { ClientHandler } from "./dialogue/ClientHandler.ts"
import * as IdleWatch from "./dialogue/IdleWatch.ts"
import * as Listener from "./doors/Listener.ts"
import { Inboxes } from "./inbox/Inboxes.ts"
import { UserProcessor } from "./inbox/UserProcessor.ts"
import { Announcements } from "./presence/Announcements.ts"
import { Turns } from "./processor/Turns.ts"
import { Reporting } from "./reports/Reporting.ts"
import { Lobby } from "./rooms/Lobby.ts"
import { LogReader } from "./rooms/LogReader.ts"
import { RoomProcessor } from "./rooms/RoomProcessor.ts"
import { ServerProcessor } from "./routing/ServerProcessor.ts"
import { SearchProcessor } from "./search/SearchProcessor.ts"
import { Sessions } from "./session/Sessions.ts"

/** Who may come in, and how: below whoever serves them. */
const accounts = AccountProcessor.layer.pipe(
  Layer.provideMerge(Registering.layer),
  Layer.provideMerge(Login.layer),
  Layer.provide([Attempts.layer, CommonPasswords.layer, Passwords.layer]),
  Layer.provideMerge([AccountNames.layer, Blocks.layer, PublishedDevices.layer]),
  Layer.provideMerge(Secrets.layer),
  Layer.provide([Digest.layerWebCrypto, Signature.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto))])
)

/** The server over some way to reach its connections. */
export const layerWith = (sessions: typeof Sessions.layer) =>
  Layer.mergeAll(Listener.layer, IdleWatch.layer, UserManagement.layer).pipe(
    Layer.provide(ClientHandler.layer),
    Layer.provide([ServerProcessor.layer, Inboxes.layer]),
    Layer.provide([RoomProcessor.layer, UserProcessor.layer, Lobby.layer]),
    Layer.provide([SearchProcessor.layer, Reporting.layer]),
    Layer.provide(accounts),
    Layer.provide(Announcements.layer),
    Layer.provide(LogReader.layer),
    Layer.provide(Turns.layer),
    Layer.provide(sessions)
  )

/** Serves the connections of a `SocketServer`, with what there is kept in `Accounts`, `Memberships` and a `History`. */
export const layer = layerWith(Sessions.layer)
