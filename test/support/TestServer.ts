/**
 * The real server on a port of its own, for as long as the scope is open.
 *
 * Everything is as in production but the settings, which come from the test, the History, which a test may replace by one
 * that fails or waits, and what a password costs, which was most of what tests of accounts took. Time is the test's: `it.effect` moves it by hand, `it.live` lets it pass.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { ConfigProvider, Context, Effect, type FileSystem, Layer, type Scope } from "effect"
import { SocketServer } from "effect/socket"
import { PasswordCost } from "../../src/server/accounts/Passwords.ts"
import { UserManagement } from "../../src/server/accounts/UserManagement.ts"
import { ServerConfig } from "../../src/server/config/ServerConfig.ts"
import * as TcpServer from "../../src/server/doors/TcpServer.ts"
import type { History } from "../../src/server/history/History.ts"
import * as Server from "../../src/server/Server.ts"
import type { CannotOpenDatabase } from "../../src/server/sql/CannotOpenDatabase.ts"
import type { Stores } from "../../src/server/store/Database.ts"
import * as MemoryHistory from "../../src/server/store/MemoryHistory.ts"
import { type Address, connect, type NotReceived, type RawClient } from "./RawClient.ts"
import { storesOver } from "./Stores.ts"

export interface TestServerOptions {
  /** As they would stand in the environment. */
  readonly settings?: Readonly<Record<string, string>>
  readonly history?: Layer.Layer<History>
  /** All that it keeps, where that is not in memory. */
  readonly stores?: Layer.Layer<Stores, CannotOpenDatabase, ServerConfig | FileSystem.FileSystem>
  /** For tests about how long a password takes. */
  readonly passwordsCostAsEver?: boolean
  /** What serves the connections; the server as it is, unless a test puts one together with a part that fails. */
  readonly server?: typeof Server.layer
}

type Connecting = Effect.Effect<RawClient, NotReceived, Scope.Scope>
type ConnectOptions = Omit<Address, "port">

export interface TestServer {
  readonly port: number
  /** A connection that has said nothing yet. */
  readonly connect: (options?: ConnectOptions) => Connecting
  /** A connection that has been welcomed under this name. */
  readonly join: (user: string, options?: ConnectOptions) => Connecting
  /** What \`pnpm admin users\` asks of it. */
  readonly users: UserManagement["Service"]
}

/** What every test server is set to unless the test says otherwise: any free port, and nobody is told to slow down. */
const defaults = { HOST: "127.0.0.1", PORT: "0", MESSAGE_RATE: "0" }

/** The least that argon2 knows. */
const cheap = Layer.succeed(PasswordCost, { memoryKib: 8, passes: 1, lanes: 1 })

const layer = ({
  history = MemoryHistory.layer,
  passwordsCostAsEver = false,
  server = Server.layer,
  settings = {},
  stores = storesOver(history)
}: TestServerOptions) =>
  server.pipe(
    Layer.provideMerge(TcpServer.layer),
    Layer.provide(stores),
    Layer.provide(ServerConfig.layer),
    Layer.provide(passwordsCostAsEver ? Layer.empty : cheap),
    Layer.provide([
      ConfigProvider.layer(ConfigProvider.fromEnvRecord({ ...defaults, ...settings })),
      NodeServices.layer
    ])
  )

/** Starts a server that stops when the scope closes. */
export const start = Effect.fnUntraced(function* (options: TestServerOptions = {}) {
  const services = yield* Layer.build(layer(options))
  const port = TcpServer.portOf(Context.get(services, SocketServer.SocketServer))
  const connectTo = (address: ConnectOptions = {}) => connect({ ...address, port })
  const server: TestServer = {
    port,
    users: Context.get(services, UserManagement),
    connect: connectTo,
    join: (user, address) =>
      Effect.tap(connectTo(address), (client) =>
        // The list comes from where names are kept: with it, everybody else can see the newcomer too.
        client
          .send({ _tag: "Handshake", user }, { _tag: "ListUsers" })
          .pipe(Effect.andThen(client.find("Welcome")), Effect.andThen(client.find("UserList")))
      )
  }
  return server
})

/** Asks this client for the list of users until somebody is not on it any more. */
export const whenGone = (observer: RawClient, user: string): Effect.Effect<void, NotReceived> =>
  observer
    .ask({ _tag: "ListUsers" })
    .pipe(Effect.repeat({ until: ({ users }) => Array.isArray(users) && !users.includes(user) }), Effect.asVoid)
