/**
 * Writes to a connection's node socket without a fiber, while it takes frames faster than they come.
 *
 * Hot path: through the platform's writer a frame costs an Effect, a fiber and their results, about as much as the
 * socket's own JavaScript; for one message to 1,000 members that was a quarter of the processor time.
 */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Effect, Option } from "effect"

/**
 * Hands the socket a frame if it fits into what the socket buffers, below the mark at which it pushes back; otherwise
 * gives false, and the frame is to be written with the writer of the connection, which waits.
 */
export type WriteNow = (frame: Uint8Array) => boolean

/** Of the connection that is being handled. A socket that is not node's takes nothing at once. */
export const writeNow: Effect.Effect<WriteNow | undefined> = Effect.map(
  Effect.serviceOption(NodeSocket.NetSocket),
  Option.match({
    onNone: () => undefined,
    onSome: (socket) => (frame) =>
      socket.writable && socket.writableLength + frame.length < socket.writableHighWaterMark && socket.write(frame)
  })
)
