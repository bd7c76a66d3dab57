/**
 * One peer, over any Effect `Socket`: bytes become messages, frames become bytes.
 *
 * In come a socket and the decoder of what the peer may say; out go a stream of what it said, line by line, and a way
 * to write. A line that is no message does not end the stream: it is handed on as `Malformed`, with what is wrong, so
 * that the peer can be told. Three things end it: an oversized line, too many malformed ones, and the socket itself.
 *
 * Whoever makes a connection is its only writer.
 */
import { type Array, Cause, type Duration, Effect, Exit, type Pull, Schema, Scope, Stream } from "effect"
import { isReadonlyArrayNonEmpty } from "effect/Array"
import { Socket } from "effect/socket"
import { makeSplitter } from "./Frames.ts"
import type { Decoder, Incoming } from "./Line.ts"

/** The socket could not be opened, read or written, or was reset; `reason` is the socket's own. */
export class ConnectionError extends Schema.TaggedError<ConnectionError>()("ConnectionError", {
  reason: Socket.SocketErrorReason
}) {
  override readonly message = this.reason.message
}

export interface Connection<Message> {
  /** What the peer says. Pulls from the socket only as it is consumed; ends when the peer has said its last. */
  readonly messages: Stream.Stream<Incoming<Message>, ConnectionError>
  /** Writes whole frames with one system call where it can, and waits while the peer is not reading. */
  readonly write: (frames: Array.NonEmptyReadonlyArray<Uint8Array>) => Effect.Effect<void, ConnectionError>
  /**
   * Says that nothing more will be written, then hears the peer out, for at most `patience`. Closing while unread bytes
   * wait would reset the connection, and the peer could lose the last words written to it (RFC 1122, 4.2.2.13).
   */
  readonly close: (patience: Duration.Input) => Effect.Effect<void>
}

interface Options<Message> {
  readonly decode: Decoder<Message>
  readonly maxFrameBytes: number
  readonly maxMalformed?: number
}

/**
 * Opens the socket and keeps it open for the scope.
 *
 * `maxFrameBytes` bounds a line, newline not counted, and with it what is buffered of an unfinished one. So many
 * malformed lines in a row as `maxMalformed` end the stream; without it, nothing of that kind does.
 */
export const make = Effect.fnUntraced(function* <Message extends { readonly _tag: string }>(
  socket: Socket.Socket,
  options: Options<Message>
): Effect.fn.Return<Connection<Message>, ConnectionError, Scope.Scope> {
  const scope = yield* Effect.scope
  const pull = yield* Effect.mapError(Socket.readerBytes(socket), toConnectionError)
  const writerScope = yield* Scope.fork(scope)
  const writer = yield* Scope.provide(socket.writer, writerScope)

  return {
    messages: Stream.fromPull(Effect.sync(() => makePull(pull, options))),
    write: (frames) => Effect.mapError(writer.writeAll(frames), toConnectionError),
    close: (patience: Duration.Input) =>
      Scope.close(writerScope, Exit.void).pipe(
        Effect.andThen(Effect.forever(Effect.andThen(pull, Effect.sleep(discardInterval)))),
        Effect.timeoutOrElse({ duration: patience, orElse: () => writer.write(cut) }),
        Effect.ignore
      )
  }
})

type Heard<Message> = Pull.Pull<Array.NonEmptyReadonlyArray<Incoming<Message>>, ConnectionError>

/**
 * The lines of one socket, as a stream pulls them. One step for splitting, decoding and ending instead of four operators
 * of Stream, each of which holds a channel and its closures for as long as the connection is idle. With a decoder shared by
 * all, and classes for Session and Outbox, this took 29 KiB of heap per idle connection down to 19.5.
 */
const makePull = <Message>(
  pull: Effect.Effect<Array.NonEmptyReadonlyArray<Uint8Array>, Socket.SocketError>,
  { decode, maxFrameBytes, maxMalformed = Infinity }: Options<Message>
): Heard<Message> => {
  const splitter = makeSplitter(maxFrameBytes)
  let malformed = 0
  let isOver = false

  /** What the lines in some chunks say, up to the one that ends the stream: nothing behind it is worth its decoding. */
  const hear = (chunks: Array.NonEmptyReadonlyArray<Uint8Array>) => {
    const heard: globalThis.Array<Incoming<Message>> = []
    for (const chunk of chunks) {
      for (const line of splitter.push(chunk)) {
        const said = decode(line)
        heard.push(said)
        malformed = said._tag === "Malformed" ? malformed + 1 : 0
        isOver = malformed >= maxMalformed
        if (isOver) return [...heard, { _tag: "Garbage", lines: malformed } as const]
      }
      isOver = splitter.isOversized()
      if (isOver) return [...heard, { _tag: "Oversized", limit: maxFrameBytes } as const]
    }
    return heard
  }

  const next: Heard<Message> = Effect.matchEffect(pull, {
    onFailure: (error): Heard<never> => (isCleanClose(error) ? Cause.done() : Effect.fail(toConnectionError(error))),
    onSuccess: (chunks) => {
      const heard = hear(chunks)
      return isReadonlyArrayNonEmpty(heard) ? Effect.succeed(heard) : next
    }
  })
  return Effect.suspend(() => (isOver ? Cause.done() : next))
}

/** A peer that goes on sending is read now and then, not as fast as it can. */
const discardInterval = "10 millis"

const cut = new Socket.CloseEvent(1000)

const toConnectionError = (error: Socket.SocketError) => new ConnectionError({ reason: error.reason })

const isCleanClose = (error: Socket.SocketError) =>
  error.reason._tag === "SocketCloseError" && error.reason.code === 1000
