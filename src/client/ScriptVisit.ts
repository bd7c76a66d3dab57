/** How a script comes in: under its name, asked nothing, for as long as its one thing takes. */
import { join } from "node:path"
import { Console, Deferred, Effect, Option, Schema, Stream } from "effect"
import { nameKey } from "../common/name/Name.ts"
import type { ServerMessageOf } from "../common/wire/ServerMessage.ts"
import * as FileLock from "./account/FileLock.ts"
import { nobody } from "./Asking.ts"
import { SessionError } from "./core/ClientError.ts"
import type { Whereabouts } from "./core/Heard.ts"
import { enter, type Entrance, explain, whoever } from "./Entrance.ts"
import { root, stateFolder } from "./Flags.ts"
import { Client } from "./link/Client.ts"
import { fileNameOf, type Reader } from "./script/CursorFile.ts"
import { configOf, startOf } from "./Start.ts"
import { safeLine } from "./text/SafeText.ts"

/** What a script knows before it comes in. */
export const begin = Effect.fnUntraced(function* (link: NonNullable<Entrance["link"]> = {}) {
  const given = yield* root
  const start = yield* startOf(given, yield* configOf(given), Option.getOrUndefined(given.server))
  const entrance: Entrance = { ...start.entrance, opensKeysLate: true, link: { joinsAll: false, ...link } }
  const user = yield* whoever(entrance, start.user, nobody)
  return { entrance, user }
})

export type Begun = Effect.Success<ReturnType<typeof begin>>

export const readerOf = ({ entrance: { address }, user }: Begun, where: Whereabouts): Reader => ({
  ...address,
  user,
  where
})

/** Comes in for as long as `use` takes. */
export const visit = Effect.fnUntraced(function* <A, E, R>({ entrance, user }: Begun, use: Effect.Effect<A, E, R>) {
  const { client, close } = yield* enter(entrance, { user, as: "whatever" }, nobody)
  return yield* Effect.provideService(use, Client, client).pipe(
    Effect.ensuring(close),
    Effect.catchIf(isSessionError, (error) => explain(entrance, user, error))
  )
}, Effect.scoped)

const isSessionError = Schema.is(SessionError)

/** The server's Welcome; of what comes later only what concerns whoever looks after the script is told. */
export const arrive = Effect.gen(function* () {
  const { events } = yield* Client
  const welcomed = yield* Deferred.make<ServerMessageOf<"Welcome">>()
  yield* events.pipe(
    Stream.runForEach((event) => {
      if (event._tag === "NotKept") return Console.error(safeLine(event.message))
      return event._tag === "Connected" ? Deferred.succeed(welcomed, event.welcome) : Effect.void
    }),
    Effect.ignore,
    Effect.forkScoped
  )
  return yield* Deferred.await(welcomed)
})

export const isMemberOf = ({ rooms = [] }: ServerMessageOf<"Welcome">, { room }: Whereabouts): boolean =>
  room !== undefined && rooms.some((one) => nameKey(one.room) === nameKey(room))

/** What is said with somebody stands in their encrypted conversation, once there is one. */
export const placeNow = (where: Whereabouts) =>
  Client.use(({ encryption }) => (where.with === undefined ? Effect.succeed(where) : encryption.placeKnown(where.with)))

/** How long a run waits until another one of the same account is out of the room again. */
const turn = "60 seconds"

/**
 * Runs of one account in one room take turns: leaving the room ends it for all of them, and to one that comes meanwhile
 * a visitor looks like a member.
 */
export const inTurn = Effect.fnUntraced(function* (begun: Begun, where: Whereabouts) {
  if (where.room === undefined) return
  yield* FileLock.holdInTurn(join(yield* stateFolder, fileNameOf(readerOf(begun, where), ".visit")), turn)
})
