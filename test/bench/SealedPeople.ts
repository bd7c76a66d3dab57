/**
 * People with the real client that seals, each with one device and its state on the disk, all in this process: what any of them hears
 * is timed by one clock.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Context, Deferred, Effect, Layer, type Scope, Stream } from "effect"
import { Socket } from "effect/socket"
import type { ClientEvent } from "../../src/client/core/ClientEvent.ts"
import { Client } from "../../src/client/link/Client.ts"
import * as Keeping from "../../src/client/sealed/Keeping.ts"
import * as SealedClient from "../../src/client/sealed/SealedClient.ts"
import { statePaths } from "../../src/client/sealed/StatePath.ts"
import type { UserName } from "../../src/common/name/UserName.ts"
import type { Home } from "../client/sealed/Devices.ts"
import { BenchError } from "./Crowd.ts"

type Is = (event: ClientEvent) => boolean

/** Gives when it was heard, on the clock of `performance.now`. */
type Heard = Effect.Effect<number, BenchError>

/** Hears for one person, from before they come. */
export interface Ear {
  readonly take: (event: ClientEvent) => void
  /** From now on. */
  readonly listen: (what: string, is: Is) => Heard
}

const patience = "30 seconds"

export const makeEar = (): Ear => {
  const waiting = new Map<Deferred.Deferred<number>, Is>()
  return {
    take: (event) => {
      for (const [done, is] of waiting) {
        if (!is(event)) continue
        waiting.delete(done)
        Deferred.doneUnsafe(done, Effect.succeed(performance.now()))
      }
    },
    listen: (what, is) => {
      const done = Deferred.makeUnsafe<number>()
      waiting.set(done, is)
      return Effect.timeoutOrElse(Deferred.await(done), {
        duration: patience,
        orElse: () => Effect.fail(new BenchError({ message: `Not within ${patience}: ${what}` }))
      })
    }
  }
}

export interface Person {
  readonly user: UserName
  readonly client: Client["Service"]
  /** Hears what a screen is told. */
  readonly ear: Ear
  /** Hears what the server tells, before anything of it is opened. */
  readonly rawEar: Ear
}

/** Comes for the scope, as with the screen: the keys are opened, and every room that the account is in is entered. */
export const arrive = (port: number, { folder, login, tokens, user }: Home, ear = makeEar()) =>
  Effect.gen(function* (): Effect.fn.Return<
    Person,
    { readonly message: string },
    Scope.Scope | NodeServices.NodeServices
  > {
    const rawEar = makeEar()
    const hearAll = (one: Ear, events: Client["Service"]["events"]) =>
      Stream.tap(events, (event) => Effect.sync(() => one.take(event)))
    const socket = yield* NodeSocket.makeNet({ host: "127.0.0.1", port, noDelay: true })
    const raw = Context.get(
      yield* Layer.build(
        Layer.provide(Client.layer({ user, login, tokens, joinsAll: true }), Layer.succeed(Socket.Socket, socket))
      ),
      Client
    )
    const paths = statePaths(folder, "bench:6667", user)
    const keeping = yield* Keeping.inFiles(paths, Effect.succeed({ _tag: "File", path: paths.key }), true)
    const client = yield* SealedClient.over({ ...raw, events: hearAll(rawEar, raw.events) }, keeping)
    yield* hearAll(ear, client.events).pipe(Stream.runDrain, Effect.ignore, Effect.forkScoped)
    yield* client.encryption.ready
    return { user, client, ear, rawEar }
  }).pipe(
    Effect.mapError(({ message }) => new BenchError({ message: `${user}: ${message}` })),
    Effect.provide(NodeServices.layer)
  )
