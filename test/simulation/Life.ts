/**
 * One life of a server: started on the disk as its predecessor left it, until it is stopped or killed; and what it holds.
 *
 * Every fiber of it is counted, and every timer, and all its sessions are known, so that it can be said what is left behind
 * when everybody has gone (invariant 11).
 */
import { Clock, ConfigProvider, Context, Effect, Layer, Logger, Metric, References, Scope } from "effect"
import { Accounts } from "../../src/server/accounts/Accounts.ts"
import { Memberships } from "../../src/server/accounts/Memberships.ts"
import { ServerConfig } from "../../src/server/config/ServerConfig.ts"
import { Governances } from "../../src/server/history/Governances.ts"
import { History } from "../../src/server/history/History.ts"
import * as Server from "../../src/server/Server.ts"
import type { Session } from "../../src/server/session/Session.ts"
import { Sessions } from "../../src/server/session/Sessions.ts"
import * as MemoryDeviceLists from "../../src/server/store/MemoryDeviceLists.ts"
import * as MemoryReports from "../../src/server/store/MemoryReports.ts"
import * as SealedMemory from "../../src/server/store/SealedMemory.ts"
import { MemorySocketServer } from "../support/MemorySocket.ts"
import { storesOver } from "../support/Stores.ts"
import type { Mounted } from "./Disk.ts"
import type { MountedSafe } from "./Safe.ts"
import type { Tally, WorldClock } from "./WorldClock.ts"

/** What a server holds for its connections, and what goes on in it. */
export interface Holdings {
  readonly sessions: number
  /** What outboxes hold, those of sessions that are gone included. */
  readonly waitingBytes: number
  readonly fibers: number
  readonly timers: number
}

export interface Life {
  readonly scope: Scope.Closeable
  readonly disk: Mounted
  readonly safe: MountedSafe | undefined
  readonly server: MemorySocketServer["Service"]
  readonly holdings: () => Holdings
  /** When it was told to stop. */
  stoppingSince: number | undefined
}

export interface LifeOptions {
  readonly scope: Scope.Closeable
  readonly disk: Mounted
  /** What is kept of accounts, if there are any; otherwise nothing of them outlives the server. */
  readonly safe: MountedSafe | undefined
  readonly clock: WorldClock
  readonly settings: Record<string, string>
  readonly logger: Logger.Logger<unknown, void>
}

/** Counts the fibers that are started with it, and those they start. */
export const countingFibers = (fibers: Tally) =>
  Effect.provideService(Metric.FiberRuntimeMetrics, {
    recordFiberStart: () => {
      fibers.count++
    },
    recordFiberEnd: () => {
      fibers.count--
    }
  })

const storesIn = (disk: Mounted, safe: MountedSafe | undefined) =>
  safe === undefined
    ? storesOver(Layer.succeed(History, disk.history))
    : Layer.mergeAll(
        Layer.succeed(History, disk.history),
        Layer.succeed(Accounts, safe.accounts),
        Layer.succeed(Governances, safe.governances),
        Layer.succeed(Memberships, safe.memberships),
        Layer.fresh(SealedMemory.layer),
        Layer.provide(Layer.fresh(MemoryDeviceLists.layer), Layer.succeed(Accounts, safe.accounts)),
        Layer.fresh(MemoryReports.layer)
      )

export const begin = Effect.fnUntraced(function* ({ clock, disk, logger, safe, scope, settings }: LifeOptions) {
  const timers: Tally = { count: 0 }
  const fibers: Tally = { count: 0 }
  const opened: Array<Session> = []
  let count = () => 0

  const sessions = Layer.effect(
    Sessions,
    Effect.map(Sessions, (sessions) => {
      count = () => sessions.count()
      return Sessions.of({
        ...sessions,
        open: (connection) =>
          Effect.tap(sessions.open(connection), (session) => Effect.sync(() => opened.push(session)))
      })
    })
  ).pipe(Layer.provide(Sessions.layer))

  const layer = Server.layerWith(sessions).pipe(
    Layer.provideMerge(MemorySocketServer.layer),
    Layer.provide([
      ServerConfig.layer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(settings)))),
      storesIn(disk, safe)
    ]),
    Layer.provide(Logger.layer([logger])),
    Layer.orDie
  )
  const context = yield* Layer.buildWithScope(layer, scope).pipe(
    Effect.provideService(References.MinimumLogLevel, "Error"),
    Effect.provideService(Clock.Clock, clock.clockFor(timers)),
    countingFibers(fibers)
  )
  const life: Life = {
    scope,
    disk,
    safe,
    server: Context.get(context, MemorySocketServer),
    holdings: () => ({
      sessions: count(),
      waitingBytes: opened.reduce((sum, { outbox }) => sum + outbox.waitingBytes(), 0),
      fibers: fibers.count,
      timers: timers.count
    }),
    stoppingSince: undefined
  }
  return life
})
