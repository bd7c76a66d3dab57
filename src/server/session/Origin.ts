/** Where the connection that is being handled comes from, as far as the server can tell and cares. */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Effect, Option } from "effect"
import { isLoopback } from "./Peer.ts"

export interface Origin {
  /** As node gives it. */
  readonly address: string | undefined
  /** Nobody on the way can read it: it is encrypted, or does not leave this machine. */
  readonly isPrivate: boolean
}

/** Of a connection that is gone, or comes through no network. */
export const nowhere: Origin = { address: undefined, isPrivate: false }

/** Of the connection that is being handled. */
export const originHere: Effect.Effect<Origin> = Effect.map(
  Effect.serviceOption(NodeSocket.NetSocket),
  Option.match({
    onNone: () => nowhere,
    onSome: (socket): Origin => {
      const address = socket.remoteAddress
      return { address, isPrivate: "encrypted" in socket || isLoopback(address) }
    }
  })
)
