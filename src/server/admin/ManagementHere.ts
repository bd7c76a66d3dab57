/**
 * Where `pnpm admin` works on accounts: in the server that runs on the database, through its AdminSocket, or, where none runs,
 * on the database itself, locked for as long as that takes. What gives somebody an account makes the database, if there is none
 * yet, as a server would: so the first admin can be there before the first start.
 */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Console, Duration, Effect, FileSystem, Layer, type Option } from "effect"
import { RpcClient, RpcSerialization } from "effect/rpc"
import { AccountNames, fillNames } from "../accounts/AccountNames.ts"
import { Accounts } from "../accounts/Accounts.ts"
import { Secrets } from "../accounts/Secrets.ts"
import { NotDone, UserManagement } from "../accounts/UserManagement.ts"
import { UserRequests } from "../accounts/UserRequests.ts"
import { adminPathOf } from "../config/AdminPath.ts"
import { read, settings } from "../config/ServerConfig.ts"
import { provideFlags } from "../config/SettingFlags.ts"
import type { CannotOpenDatabase } from "../sql/CannotOpenDatabase.ts"
import * as Database from "../store/Database.ts"
import { AdminError } from "./AdminError.ts"
import * as ChatDatabase from "./ChatDatabase.ts"
import { named } from "./Flags.ts"
import { isInUse } from "./InUse.ts"

/** How long a server may take to take the connection, and to answer. */
const patience = "5 seconds"
const answerPatience = "30 seconds"

/** Which server's or database's accounts: as the flags say, or else the environment or `.env`. */
export interface Where {
  readonly database: Option.Option<string>
  readonly adminSocket: Option.Option<string>
}

/** What works on accounts, on a database that is there. */
export const layer = (given: Where) => layerWith(given, false)

/** The same, on a new database if there is none: standard error is told. */
export const layerMaking = (given: Where) => layerWith(given, true)

const layerWith = (given: Where, isToBeMade: boolean) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const database = yield* named(given.database)
      const adminSocket = yield* Effect.provide(
        read(settings.adminSocket),
        provideFlags({ [settings.adminSocket.name]: given.adminSocket })
      )
      const path = adminPathOf(database, adminSocket)
      const isRunning = path !== undefined && (yield* isListening(path))
      const isMissing = !isRunning && (yield* ChatDatabase.isMissing(database))
      if (isMissing && !isToBeMade) return yield* missing(database)
      if (!isRunning && !isMissing) yield* Effect.scoped(ChatDatabase.openHere(database))
      const made = Console.error(`There was no database ${database} yet: it was made.`)
      const management: Layer.Layer<UserManagement, AdminError | NotDone | CannotOpenDatabase, FileSystem.FileSystem> =
        isRunning ? remote(path) : alone(database, path)
      return isMissing ? Layer.tap(management, () => made) : management
    })
  )

const isListening = (path: string) =>
  Effect.scoped(Effect.flatMap(NodeSocket.makeNet({ path, openTimeout: patience }), ({ reader }) => reader)).pipe(
    Effect.isSuccess
  )

/** No server: nobody is connected, and nobody else may write meanwhile. */
const alone = (database: string, path: string | undefined) =>
  UserManagement.layerAlone.pipe(
    Layer.provide(
      Layer.effectDiscard(
        Effect.flatMap(Accounts, (accounts) => Effect.flatMap(AccountNames, (names) => fillNames(accounts, names)))
      )
    ),
    Layer.provide([AccountNames.layer, Secrets.layer]),
    Layer.provide(Database.layerFile({ file: database, retention: "forever" })),
    Layer.catchTag("CannotOpenDatabase", (problem) =>
      Layer.effectContext<UserManagement, AdminError | CannotOpenDatabase, never>(
        Effect.gen(function* () {
          const isUsed = yield* Effect.orElseSucceed(isInUse(database), () => false)
          return yield* isUsed ? inUse(database, path) : problem
        })
      )
    )
  )

const missing = (database: string) =>
  new AdminError({
    message: `There is no database ${database} yet, and so there are no accounts. The server makes it at its first start, and so do "pnpm admin users add" and "pnpm admin invite". If there is one, name it with --database or DATABASE.`
  })

const inUse = (database: string, path: string | undefined) => {
  const socket = path === undefined ? "" : ` at ${path}`
  return new AdminError({
    message: `A server or another command is using ${database}, but no server listens for pnpm admin${socket}. If it is a server with another socket, name that with --admin-socket or ADMIN_SOCKET; if not, try again in a moment.`
  })
}

/** A server whose version is another, or that ends meanwhile. */
const unanswered = () =>
  new NotDone({
    message: "The server ended meanwhile, is busy, or is of another version. Look at its log, and try again."
  })

const asked = <A, E extends { readonly _tag: string }>(effect: Effect.Effect<A, E>) =>
  Effect.timeoutOrElse(effect, { duration: answerPatience, orElse: unanswered }).pipe(
    Effect.catchIf((error): error is Exclude<E, NotDone> => error._tag !== "NotDone", unanswered)
  )

const remote = (path: string) =>
  Layer.effect(
    UserManagement,
    Effect.map(RpcClient.make(UserRequests), (server) =>
      UserManagement.of({
        add: (user, isAdmin) => asked(server.Add({ user, isAdmin })),
        list: (after) => asked(server.List({ after })),
        show: (user) => asked(server.Show({ user })),
        disable: (user, reason) => asked(server.Disable({ user, reason })),
        enable: (user) => asked(server.Enable({ user })),
        reset: (user) => asked(server.Reset({ user })),
        delete: (user) => asked(server.Delete({ user })),
        free: (user) => asked(server.Free({ user })),
        setAdmin: (user, isAdmin) => asked(server.SetAdmin({ user, isAdmin })),
        reports: (before) => asked(server.Reports({ before })),
        handleReport: (report) => asked(server.HandleReport({ report })),
        deleteReport: (report) => asked(server.DeleteReport({ report })),
        invite: (uses, lasts) =>
          asked(server.Invite({ uses, lasts: lasts === undefined ? undefined : Duration.toMillis(lasts) })),
        lockdown: (isOn) => asked(server.Lockdown({ isOn }))
      })
    )
  ).pipe(
    Layer.provide(RpcClient.layerProtocolSocket()),
    Layer.provide([RpcSerialization.layerNdjson, NodeSocket.layerNet({ path, openTimeout: patience })]),
    Layer.catchTag("SocketError", () => Layer.effectContext<UserManagement, NotDone, never>(unanswered()))
  )
