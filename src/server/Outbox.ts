/**
 * What one connection has still to be sent. Nobody ever waits for it (invariant 1): a frame is handed over, and that is
 * that; a peer that does not read runs its outbox over the limit and is cut.
 *
 * Hot path, hence the plain array and the fiber on demand. There is no writer fiber to wake up: when nothing is waiting,
 * the frame goes straight to the socket, and only if the socket pushes back does a fiber stay behind, to send all that
 * has gathered meanwhile with one write. An idle connection holds no fiber and no buffer here.
 *
 * Two counts: frames nobody asked for (chat, presence), and frames that were asked for (replies, old messages). The
 * second kind may be large at once, a page of history say, and must not make a patient reader look like a slow one.
 */
import { Array as Arr, Deferred, Effect, Fiber } from "effect"
import type { ConnectionError } from "../connection/Connection.ts"

export type Kind = "live" | "asked"

export interface Outbox {
  /** Takes a whole frame to be sent behind those before it. Dropped without a word once the outbox is closed. */
  readonly offerUnsafe: (frame: Uint8Array, kind: Kind) => void
  /** Takes no more frames, and forgets those that have not been handed to the socket if `discard` is set. */
  readonly closeUnsafe: (last: Uint8Array | undefined, discard: boolean) => void
  /** Whether half of what may be waiting is waiting: time to ask nothing more on behalf of this peer. */
  readonly isBehind: () => boolean
  /** Waits until it is no longer behind, or the socket has failed. Only the connection's own handler waits here. */
  readonly caughtUp: Effect.Effect<void>
  /** Waits until the socket has taken all frames, or has failed. */
  readonly drained: Effect.Effect<void>
}

export interface OutboxOptions {
  readonly write: (frames: Arr.NonEmptyReadonlyArray<Uint8Array>) => Effect.Effect<void, ConnectionError>
  /** Runs a fiber on behalf of the outbox, at once and for as long as the server runs. */
  readonly run: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  /** How much of either kind may be waiting, in bytes, when another frame comes. A single frame may be larger. */
  readonly maxBytes: number
  readonly onOverflow: () => void
}

export const make = ({ maxBytes, onOverflow, run, write }: OutboxOptions): Outbox => {
  let frames: Array<Uint8Array> = []
  /** Bytes of all frames the socket has not taken yet, those it is being handed right now included. */
  let liveBytes = 0
  let askedBytes = 0
  let pump: Fiber.Fiber<void> | undefined
  let pumping = false
  let open = true
  let awaiting: Deferred.Deferred<void> | undefined

  const isBehind = () => pumping && liveBytes + askedBytes > maxBytes / 2

  const release = () => {
    if (awaiting === undefined || isBehind()) return
    const done = awaiting
    awaiting = undefined
    Deferred.doneUnsafe(done, Effect.void)
  }

  const pumpOut: Effect.Effect<void, ConnectionError> = Effect.suspend(() => {
    const batch = frames
    if (!Arr.isReadonlyArrayNonEmpty(batch)) return Effect.void
    const takenLive = liveBytes
    const takenAsked = askedBytes
    frames = []
    return Effect.flatMap(write(batch), () => {
      liveBytes -= takenLive
      askedBytes -= takenAsked
      release()
      return pumpOut
    })
  })

  /** A socket that cannot be written to is about to end its reader too: nothing more to do here. */
  const stopAfter = Effect.ensuring(
    Effect.ignore(pumpOut),
    Effect.sync(() => {
      pumping = false
      pump = undefined
      release()
    })
  )

  const push = (frame: Uint8Array, kind: Kind) => {
    frames.push(frame)
    if (kind === "live") liveBytes += frame.length
    else askedBytes += frame.length
    if (pumping) return
    pumping = true
    const fiber = run(stopAfter)
    if (pumping) pump = fiber
  }

  const close = (last: Uint8Array | undefined, discard: boolean) => {
    if (!open) return
    open = false
    if (discard) frames = []
    if (last !== undefined) push(last, "asked")
  }

  return {
    offerUnsafe: (frame, kind) => {
      if (!open) return
      if ((kind === "live" ? liveBytes : askedBytes) > maxBytes) onOverflow()
      else push(frame, kind)
    },
    closeUnsafe: close,
    isBehind,
    caughtUp: Effect.suspend(() => {
      if (!isBehind()) return Effect.void
      awaiting ??= Deferred.makeUnsafe<void>()
      return Deferred.await(awaiting)
    }),
    drained: Effect.suspend(() => (pump === undefined ? Effect.void : Effect.asVoid(Fiber.await(pump))))
  }
}
