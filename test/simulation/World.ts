/**
 * Everything there is in one run: the disk, the network, the people, and the server that lives now, if one does.
 *
 * A server is started on the disk as its predecessor left it. It ends as a process does: stopped, with its goodbyes, or
 * killed, and then nothing it does any more can reach anybody.
 */
import {
  type Array,
  Cause,
  Clock,
  ConfigProvider,
  Context,
  Effect,
  Exit,
  Layer,
  Logger,
  Predicate,
  References,
  Scope
} from "effect"
import { RoomName } from "../../src/common/RoomName.ts"
import { UserName } from "../../src/common/UserName.ts"
import { History } from "../../src/server/history/History.ts"
import * as Server from "../../src/server/Server.ts"
import { ServerConfig } from "../../src/server/ServerConfig.ts"
import { MemorySocketServer } from "../support/MemorySocket.ts"
import type { Chance } from "./Chance.ts"
import { Disk, type Mounted } from "./Disk.ts"
import { Journal } from "./Journal.ts"
import { Network } from "./Network.ts"
import { Person } from "./Person.ts"
import type { Turns } from "./Turns.ts"
import { watch } from "./WireWatch.ts"

const names: Array.NonEmptyReadonlyArray<UserName> = [UserName.make("ada"), UserName.make("ben"), UserName.make("cyd")]

export const rooms: Array.NonEmptyReadonlyArray<RoomName> = [RoomName.make("dev"), RoomName.make("Ops")]

/** Small, so that who does not read is cut after a few messages. */
const settings = ConfigProvider.layer(ConfigProvider.fromEnvRecord({ MESSAGE_RATE: "0", MAILBOX_BYTES: "2048" }))

interface Life {
  readonly scope: Scope.Closeable
  readonly disk: Mounted
  isStopping: boolean
}

export interface World {
  readonly disk: Disk
  readonly journal: Journal
  readonly network: Network
  readonly people: Array.NonEmptyReadonlyArray<Person>
  /** Whether a server runs and takes connections. */
  readonly isServed: () => boolean
  readonly isRunning: () => boolean
  /** Stores a message in a room's log, or in the lobby's, as a server that was there before. */
  readonly writeAsAnother: (room: RoomName | undefined) => void
  readonly start: Effect.Effect<void>
  readonly stop: Effect.Effect<void>
  readonly kill: Effect.Effect<void>
}

export const make = Effect.fnUntraced(function* (
  chance: Chance,
  turns: Turns
): Effect.fn.Return<World, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const clock = yield* Clock.Clock
  // Jittered pauses end between two milliseconds here, which no real clock shows.
  const wholeMillis = { ...clock, currentTimeMillisUnsafe: () => Math.floor(clock.currentTimeMillisUnsafe()) }
  const now = () => clock.currentTimeMillisUnsafe()
  const journal = new Journal(now)
  const disk = new Disk(chance, journal)
  const network = new Network({ chance, journal, now, rest: turns.rest, tap: (label) => watch(label, disk, journal) })
  const [first, ...others] = names
  const personOf = (name: UserName) => new Person({ name, disk, journal, socket: network.socketOf(name), scope })
  let life: Life | undefined
  let written = 0

  const logger = Logger.make(({ cause, message }) => {
    const [text] = Predicate.isIterable(message) ? message : [message]
    journal.accuse(`the server logged ${String(text)}: ${Cause.pretty(cause)}`)
  })

  const start = Effect.gen(function* () {
    if (life !== undefined) return
    journal.note("the server starts")
    const mounted = disk.mount()
    const own = yield* Scope.fork(scope)
    const layer = Server.layer.pipe(
      Layer.provideMerge(MemorySocketServer.layer),
      Layer.provide([ServerConfig.layer.pipe(Layer.provide(settings)), Layer.succeed(History, mounted.history)]),
      Layer.provide(Logger.layer([logger])),
      Layer.orDie
    )
    life = { scope: own, disk: mounted, isStopping: false }
    network.server = Context.get(yield* Layer.buildWithScope(layer, own), MemorySocketServer)
  }).pipe(Effect.provideService(References.MinimumLogLevel, "Error"), Effect.provideService(Clock.Clock, wholeMillis))

  const end = (ended: Life, how: string) => {
    if (life !== ended) return
    journal.note(`the server ${how}`)
    ended.disk.crash()
    network.crash()
    life = undefined
  }

  return {
    disk,
    journal,
    network,
    people: [personOf(first), ...others.map(personOf)],
    isRunning: () => life !== undefined,
    writeAsAnother: (room) => {
      const conversation = room === undefined ? ({ _tag: "Lobby" } as const) : ({ _tag: "Room", room } as const)
      const content = `another ${++written}`
      disk.store([{ conversation, from: UserName.make("another"), content, at: Math.floor(now()), key: undefined }])
    },
    isServed: () => life?.isStopping === false,
    start,
    // What is left of it is not ended, which would be a farewell: it waits for ever for a disk and sockets that are gone.
    kill: Effect.sync(() => {
      if (life !== undefined) end(life, "is killed")
    }),
    stop: Effect.suspend(() => {
      const stopping = life
      if (stopping === undefined || stopping.isStopping) return Effect.void
      journal.note("the server stops")
      stopping.isStopping = true
      const stopped = Effect.sync(() => end(stopping, "has stopped"))
      return Effect.asVoid(Effect.forkIn(Effect.andThen(Scope.close(stopping.scope, Exit.void), stopped), scope))
    })
  }
})
