/** What a fake server says to a client in tests, and what the client tells of it, in short. */
import { Effect, Queue, Stream } from "effect"
import type { ClientEvent } from "../../src/client/core/ClientEvent.ts"
import { Client } from "../../src/client/link/Client.ts"
import { RoomName } from "../../src/common/name/RoomName.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import type { ClientMessage } from "../../src/common/wire/ClientMessage.ts"
import type { ServerMessage } from "../../src/common/wire/ServerMessage.ts"
import { ada, epoch, idOf } from "./FakeServer.ts"

const bob = UserName.make("bob")
export const dev = RoomName.make("dev")

export const sent = (message: ClientMessage, seq: number): ServerMessage => ({
  _tag: "Sent",
  ...idOf(message),
  seq,
  at: 0
})
export const inLobby = (seq: number, content = `${seq}`): ServerMessage => ({
  _tag: "GlobalMessage",
  seq,
  at: 0,
  from: bob,
  content
})
export const inRoom = (seq: number): ServerMessage => ({
  _tag: "RoomMessage",
  room: dev,
  seq,
  at: 0,
  from: bob,
  content: `${seq}`
})

export const joined = (message: ClientMessage, seq: number, missed: number): ServerMessage => ({
  _tag: "RoomJoined",
  ...idOf(message),
  room: dev,
  epoch,
  seq,
  missed,
  truncated: false,
  users: [ada, bob],
  count: 2
})

export const rejected = (message: ClientMessage, reason: Extract<ServerMessage, { _tag: "Rejected" }>["reason"]) => ({
  _tag: "Rejected" as const,
  ...idOf(message),
  reason,
  message: `no: ${reason._tag}`
})

/** What the events say, in short. */
export const brief = (event: ClientEvent): string => {
  switch (event._tag) {
    case "Received":
      return "seq" in event.message ? `${event.message._tag} ${event.message.seq}` : event.message._tag
    case "Reconnected":
      return `Reconnected ${event.missed}`
    case "Rejoined":
      return `Rejoined ${event.joined.missed}`
    default:
      return event._tag
  }
}

/** A reader of the events that can be asked for the next few. */
export const listen = Effect.fnUntraced(function* (client: Client["Service"]) {
  const heard = yield* Queue.unbounded<ClientEvent>()
  yield* client.events.pipe(
    Stream.runForEach((event) => Queue.offer(heard, event)),
    Effect.forkScoped
  )
  return (count: number) => Effect.map(Queue.takeN(heard, count), (events) => events.map(brief))
})
