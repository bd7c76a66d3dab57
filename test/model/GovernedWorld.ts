/**
 * The real server of a governed program: on a database file of its own, with the accounts in it, over real sockets. Its time of day
 * stands still until a program moves it, so that every `at` and `until` is known. It can be stopped and started again.
 */
import { copyFile } from "node:fs/promises"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Context, Effect, Exit, FileSystem, Layer, Scope } from "effect"
import { UserName } from "../../src/common/name/UserName.ts"
import * as Database from "../../src/server/store/Database.ts"
import * as Talk from "../support/AccountTalk.ts"
import type { Line, RawClient } from "../support/RawClient.ts"
import * as TestServer from "../support/TestServer.ts"
import { withWallClockAt } from "../support/WallClock.ts"
import { admin, eye, seats } from "./GovernedPeople.ts"

const settings = { MAX_ROOMS_PER_USER: "1000" }

/** When programs begin. */
export const beginning = Date.UTC(2030, 0, 1)

const newFile = Effect.flatMap(FileSystem.FileSystem, (files) =>
  Effect.map(files.makeTempDirectoryScoped({ prefix: "parley-governed-" }), (folder) => `${folder}/chat.sqlite`)
)

const begin = (file: string, now: () => number) =>
  withWallClockAt(now)(TestServer.start({ settings, stores: Database.layerFile({ file, retention: "forever" }) }))

/** A database with all accounts, and the token of each seat, the last of them eye's. Passwords take their time: once for all programs. */
export class Registered extends Context.Service<
  Registered,
  { readonly file: string; readonly tokens: ReadonlyArray<string> }
>()("parley/test/model/GovernedWorld/Registered") {
  static readonly layer = Layer.effect(
    Registered,
    Effect.gen(function* () {
      const file = yield* newFile
      const tokens = yield* Effect.scoped(
        Effect.gen(function* () {
          const server = yield* begin(file, () => beginning)
          const known = new Set<string>()
          const given = yield* Effect.forEach([...seats, { isAccount: true, user: eye }], ({ isAccount, user }) => {
            if (!isAccount) return Effect.succeed("")
            const entering = known.has(user) ? Talk.logIn(server, user) : Talk.register(server, user)
            known.add(user)
            return Effect.map(entering, ({ token }) => token)
          })
          for (const user of [admin, eye]) yield* server.users.setAdmin(UserName.make(user), true)
          return given
        })
      )
      return { file, tokens }
    })
  ).pipe(Layer.provideMerge(NodeServices.layer))
}

/** Somebody's connection, and what it was welcomed with. */
export interface Seated {
  readonly client: RawClient
  readonly welcome: Line
}

export const makeWorld = Effect.fnUntraced(function* (now: () => number) {
  const registered = yield* Registered
  const file = yield* newFile
  yield* Effect.promise(() => copyFile(registered.file, file))
  const tokens = [...registered.tokens]
  const own = yield* Effect.scope
  let running: Scope.Closeable
  let server: TestServer.TestServer
  let watcher: RawClient

  const sit = Effect.fnUntraced(function* (number: number) {
    const { address, isAccount, user } = seats[number] ?? { user: eye, isAccount: true, address: "127.0.0.1" }
    const client = yield* server.connect({ localAddress: address, deadline: 20_000 }).pipe(Scope.provide(running))
    const credentials = isAccount ? { credentials: Talk.byToken(tokens[number] ?? "") } : {}
    const welcome = yield* client.ask({ _tag: "Handshake", user, ...credentials })
    if (welcome._tag !== "Welcome") return yield* Effect.die(`${user} was told ${JSON.stringify(welcome)}`)
    tokens[number] = String(welcome["token"])
    return { client, welcome }
  })

  const start = Effect.gen(function* () {
    running = yield* Scope.fork(own)
    server = yield* begin(file, now).pipe(Scope.provide(running))
    watcher = (yield* sit(seats.length)).client
  })

  yield* start
  return {
    sit,
    restart: Effect.suspend(() => Effect.andThen(Scope.close(running, Exit.void), start)),
    /** An admin who looks, and does nothing that others see. */
    eye: () => watcher
  }
})
