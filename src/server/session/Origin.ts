/** Where the connection that is being handled comes from, as far as the server can tell and cares. */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Context, Effect, Option } from "effect"
import { isLoopback } from "./Peer.ts"

export interface Origin {
  /** As node gives it. */
  readonly address: string | undefined
  /** Nobody on the way can read it: it is encrypted, or does not leave this machine. */
  readonly isPrivate: boolean
}

/** Where the connection that is being handled comes from, if a trusted proxy has handed it on and says so. */
export class HandedOn extends Context.Service<HandedOn, string>()("parley/server/session/Origin/HandedOn") {}

/** Of a connection that is gone, or comes through no network. */
export const nowhere: Origin = { address: undefined, isPrivate: false }

/** Of the connection that is being handled. Whether it is private is a matter of the last link, that of a proxy if there is one. */
export const originHere: Effect.Effect<Origin> = Effect.zipWith(
  Effect.serviceOption(NodeSocket.NetSocket),
  Effect.serviceOption(HandedOn),
  (socket, handedOn) =>
    Option.match(socket, {
      onNone: () => nowhere,
      onSome: (socket): Origin => {
        const { remoteAddress } = socket
        const isPrivate = "encrypted" in socket || isLoopback(remoteAddress)
        return { address: Option.getOrElse(handedOn, () => remoteAddress), isPrivate }
      }
    })
)
