/** The same promises asked of the program's own client, which reconnects, rejoins and sends again by itself. */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Context, Effect, Latch, Layer, Stream } from "effect"
import { Socket } from "effect/socket"
import { ClientEvent } from "../../src/client/core/ClientEvent.ts"
import { Client } from "../../src/client/link/Client.ts"
import { RoomName } from "../../src/common/name/RoomName.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { MessageKey } from "../../src/common/wire/RequestId.ts"
import type { ServerMessage } from "../../src/common/wire/ServerMessage.ts"
import { entryIn } from "../support/ReferenceEntry.ts"
import { begin, hear, type Ledger, lobby, newHeard } from "./Ledger.ts"

/** How many messages it has under way. */
const voices = 3

export interface ParleyTalkerOptions {
  readonly name: string
  readonly rooms: ReadonlyArray<string>
  readonly ledger: Ledger
  /** Where the server is now; the client waits for it to be there. */
  readonly port: () => number
  readonly isUp: Latch.Latch
  /** While it is open, something new is sent. */
  readonly mayTalk: Latch.Latch
}

/** Connects, joins, and talks until the scope closes. */
export const start = Effect.fnUntraced(function* (options: ParleyTalkerOptions) {
  const { isUp, ledger, mayTalk, name, port, rooms } = options
  const address = {
    host: "127.0.0.1",
    noDelay: true,
    // Read at every connecting.
    get port() {
      return port()
    }
  }
  const socket = yield* NodeSocket.makeNet(address)
  const patient = Socket.make({ writer: socket.writer, reader: Effect.andThen(isUp.await, socket.reader) })
  const user = UserName.make(name)
  const layer = Layer.provide(Client.layer({ user, settledAfter: 0 }), Layer.succeed(Socket.Socket, patient))
  const client = Context.get(yield* Layer.build(layer), Client)

  const places = [lobby, ...rooms]
  const logs = new Map(places.map((place) => [place, newHeard(ledger, name, place)]))
  const logOf = (place: string) => logs.get(place) ?? newHeard(ledger, name, place)
  const joined = new Set<string>()
  const underWay = new Set<string>()

  const isIn = (place: string, epoch: string, newest: number) => {
    begin(ledger, logOf(place), epoch, newest)
    joined.add(place)
  }
  const receive = (message: ServerMessage) => {
    const entry = entryIn(message)
    if (entry !== undefined) hear(ledger, logOf("room" in message ? (message.room ?? lobby) : lobby), entry)
    if (message._tag === "RoomJoined") isIn(message.room, message.epoch, message.seq)
  }
  const isAmiss = (event: ClientEvent) => void ledger.problems.push(`${name}: ${JSON.stringify(event)}`)
  const note = ClientEvent.match({
    Connected: ({ welcome }) => isIn(lobby, welcome.lobby.epoch, welcome.lobby.seq),
    Received: ({ message }) => receive(message),
    Disconnected: () => joined.clear(),
    Retrying: () => {},
    Reconnected: () => void joined.add(lobby),
    Rejoined: ({ joined: { epoch, room, seq } }) => isIn(room, epoch, seq),
    RejoinRefused: isAmiss,
    Gap: isAmiss,
    NotKept: () => {},
    EncryptionStands: () => {},
    EncryptionTold: () => {},
    Skipped: isAmiss
  })
  yield* client.events.pipe(
    Stream.runForEach((event) => Effect.sync(() => note(event))),
    Effect.catch((error) => Effect.sync(() => ledger.problems.push(`${name}: ${error.message}`))),
    Effect.forkScoped
  )
  for (const room of rooms) yield* client.request({ _tag: "JoinRoom", room: RoomName.make(room) })

  const speak = Effect.fnUntraced(function* (place: string, key: string) {
    const message = { content: `${key} speaks`, key: MessageKey.make(key) }
    const from = user
    underWay.add(`${key} in ${place}`)
    const { at, repeated, seq } = yield* client.send(
      place === lobby
        ? { _tag: "GlobalMessage", ...message }
        : { _tag: "RoomMessage", room: RoomName.make(place), ...message }
    )
    underWay.delete(`${key} in ${place}`)
    const deed = { kind: "Said" as const, words: message.content, target: undefined }
    ledger.promised.push({ place, key, from, deed, seq, at, repeated: repeated ?? false })
  })
  const voice = Effect.fnUntraced(function* (number: number) {
    for (let count = 1; ; count++) {
      yield* mayTalk.await
      yield* speak(places[count % places.length] ?? lobby, `${name}-${number}-${String(count).padStart(16, "0")}`)
    }
  })
  yield* Effect.forEach(
    Array.from({ length: voices }, (_, index) => index),
    voice,
    { concurrency: voices }
  ).pipe(
    Effect.catch((error) => Effect.sync(() => ledger.problems.push(`${name} could not send: ${error.message}`))),
    Effect.forkScoped
  )

  return {
    isBack: () => joined.size === places.length,
    isQuiet: () => underWay.size === 0,
    standing: () => `${name} is in ${[...joined].join(", ")} and waits for ${[...underWay].join(", ") || "nothing"}`
  }
})
