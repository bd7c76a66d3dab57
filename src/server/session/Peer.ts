/** Where a connection comes from, as far as the server can tell and cares. */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Effect, Option } from "effect"
import { isLoopback, networkOf } from "./Network.ts"

export interface Peer {
  /** What is counted as one address: see `networkOf`. */
  readonly network: string
  /** Nobody on the way can read it: it is encrypted, or does not leave this machine. */
  readonly isPrivate: boolean
}

/** Of a connection that is gone, or comes through no network. */
export const nowhere: Peer = { network: "", isPrivate: false }

/** Of the connection that is being handled. */
export const peerHere: Effect.Effect<Peer> = Effect.map(
  Effect.serviceOption(NodeSocket.NetSocket),
  Option.match({
    onNone: () => nowhere,
    onSome: (socket): Peer => {
      const address = socket.remoteAddress ?? ""
      return { network: networkOf(address), isPrivate: "encrypted" in socket || isLoopback(address) }
    }
  })
)
