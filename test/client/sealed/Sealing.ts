/** Clients that seal, as screens have them: see `Devices` for what is below. */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Context, Effect, Layer, Stream } from "effect"
import { Socket } from "effect/socket"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import { Client } from "../../../src/client/link/Client.ts"
import * as Keeping from "../../../src/client/sealed/Keeping.ts"
import * as SealedClient from "../../../src/client/sealed/SealedClient.ts"
import { statePaths } from "../../../src/client/sealed/StatePath.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import type { ServerMessage } from "../../../src/common/wire/ServerMessage.ts"
import type { Home } from "./Devices.ts"
import { until } from "./Devices.ts"

/** For the scope: as a person comes, or a script, which opens its keys late and is in no room by itself. */
export const come = Effect.fnUntraced(function* (
  port: number,
  { folder, login, tokens, user }: Home,
  as: "person" | "script" = "person",
  /** What stands between the connection and what seals. */
  through: (raw: Client["Service"]) => Client["Service"] = (raw) => raw
) {
  const socket = yield* NodeSocket.makeNet({ host: "127.0.0.1", port, noDelay: true })
  const raw = Context.get(
    yield* Layer.build(
      Layer.provide(
        Client.layer({ user, login, tokens, settledAfter: 0, joinsAll: as === "person" }),
        Layer.succeed(Socket.Socket, socket)
      )
    ),
    Client
  )
  const paths = statePaths(folder, "chat.example:6667", user)
  const keeping = yield* Keeping.inFiles(paths, Effect.succeed({ _tag: "File", path: paths.key }), as === "person")
  const client = yield* SealedClient.over(through(raw), keeping, { patience: 20 })
  const events: Array<ClientEvent> = []
  yield* client.events.pipe(
    Stream.runForEach((event) => Effect.sync(() => events.push(event))),
    Effect.ignore,
    Effect.forkScoped
  )
  const hears = (what: string, is: (event: ClientEvent) => boolean) =>
    until(
      what,
      Effect.sync(() => events.some(is))
    )
  return { client, events, hears, raw, user }
})
export type Sealing = Effect.Success<ReturnType<typeof come>>

export const received =
  (is: (message: ServerMessage) => boolean) =>
  (event: ClientEvent): boolean =>
    event._tag === "Received" && is(event.message)

const textOf = (message: ServerMessage): string | undefined =>
  message._tag === "RoomMessage" || message._tag === "PrivateMessage" ? message.content : undefined

export const says = (text: string) => received((message) => textOf(message) === text)

export const vault = RoomName.make("vault")

/** An encrypted room with these in it. */
export const gather = Effect.fnUntraced(function* (owner: Sealing, ...others: ReadonlyArray<Sealing>) {
  yield* owner.client.request({ _tag: "CreateRoom", room: vault, encrypted: true })
  yield* owner.client.request({ _tag: "JoinRoom", room: vault })
  for (const { client, hears } of others) {
    yield* client.request({ _tag: "JoinRoom", room: vault })
    yield* hears("they are let in", (event) => event._tag === "EncryptionStands" && event.state === "in")
  }
})
