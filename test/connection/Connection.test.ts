import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Array as Arr, Effect, Fiber, Schema, type Scope, Stream } from "effect"
import { Socket } from "effect/socket"
import { TestClock } from "effect/testing"
import { ClientMessage, written } from "../../src/common/wire/ClientMessage.ts"
import * as Connection from "../../src/connection/Connection.ts"
import { encodeLine, encodeText, type Incoming, makeDecoder } from "../../src/connection/Line.ts"
import { someCuts, cutAt, tries, wholeNumber } from "../support/generators.ts"
import { makePair } from "../support/MemorySocket.ts"
import type { LinkOptions } from "../support/MemorySocketLink.ts"

const maxFrameBytes = 4096

/** A connection, and the socket of its peer. */
const connect = Effect.fnUntraced(function* (options?: LinkOptions) {
  const [peer, { socket }] = makePair(options)
  const connection = yield* Connection.make(socket, { decode: makeDecoder(ClientMessage), maxFrameBytes })
  return { connection, peer }
})

const hearAll = (connection: Connection.Connection<ClientMessage>) => Stream.runCollect(connection.messages)

const say = Effect.fnUntraced(function* (socket: Socket.Socket, pieces: ReadonlyArray<Uint8Array>) {
  const writer = yield* socket.writer
  for (const piece of pieces) {
    yield* writer.write(piece)
    yield* Effect.yieldNow
  }
}, Effect.scoped)

const message = (of: ClientMessage): Incoming<ClientMessage> => ({ _tag: "Message", message: of })
const ping = (nonce: number): ClientMessage => ({ _tag: "Ping", nonce })
const malformed: Incoming<ClientMessage> = { _tag: "Malformed", issue: "it is not JSON", id: undefined }

const decodeSync = Schema.decodeUnknownSync(ClientMessage)

const someMessages = Arbitrary.array(Arbitrary.schema(ClientMessage)).pipe(
  Arbitrary.map((messages) => messages.filter((message) => encodeLine(written(message)).length <= maxFrameBytes))
)

const readAll = (socket: Socket.Socket): Effect.Effect<string, Socket.SocketError, Scope.Scope> =>
  Effect.gen(function* () {
    const pull = yield* Socket.readerString(socket)
    let text = ""
    const isEnd = (error: Socket.SocketError) => error.reason._tag === "SocketCloseError" && error.reason.code === 1000
    yield* Effect.forever(Effect.map(pull, (pieces) => (text += pieces.join("")))).pipe(
      Effect.catchIf(isEnd, () => Effect.void)
    )
    return text
  })

describe("A connection", () => {
  it.effect.prop(
    "hears the same messages however their bytes arrive",
    [someMessages, someCuts, Schema.Boolean],
    Effect.fnUntraced(function* ([messages, cuts, atOnce]) {
      const { connection, peer } = yield* connect()
      const bytes = encodeText(messages.map((message) => `${JSON.stringify(written(message))}\n`).join(""))
      const pieces = atOnce ? [bytes] : cutAt(bytes, cuts)
      const heard = yield* Effect.all([hearAll(connection), say(peer.socket, pieces)], { concurrency: 2 })
      assert.deepStrictEqual(
        heard[0],
        messages.map((sent) => message(decodeSync(JSON.parse(JSON.stringify(written(sent))))))
      )
    }, Effect.scoped),
    tries(200)
  )

  it.effect("goes on after a line that is no message", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* connect()
      yield* say(peer.socket, [encodeText('{"_tag":"Ping","nonce":1}\nnonsense\n\n{"_tag":"Ping","nonce":2}\n')])
      assert.deepStrictEqual(yield* hearAll(connection), [message(ping(1)), malformed, malformed, message(ping(2))])
    })
  )

  it.effect("does not take a line without its newline for one", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* connect()
      yield* say(peer.socket, [encodeText('{"_tag":"Ping","nonce":1}\n{"_tag":"Ping","nonce":2}')])
      assert.deepStrictEqual(yield* hearAll(connection), [message(ping(1))])
    })
  )

  it.effect.prop(
    "ends with the first line over the limit, and hears nothing behind it",
    [wholeNumber(0, 3), someCuts],
    Effect.fnUntraced(function* ([before, cuts]) {
      const { connection, peer } = yield* connect()
      const pings = Arr.makeBy(before, ping).slice(0, before)
      const text = pings.map((ping) => `${JSON.stringify(ping)}\n`).join("")
      const bytes = encodeText(`${text}${"x".repeat(maxFrameBytes + 1)}\n{"_tag":"ListUsers"}\n`)
      yield* Effect.forkScoped(Effect.ignore(say(peer.socket, cutAt(bytes, cuts))))
      const oversized: Incoming<ClientMessage> = { _tag: "Oversized", limit: maxFrameBytes }
      assert.deepStrictEqual(yield* hearAll(connection), [...pings.map(message), oversized])
    }, Effect.scoped),
    tries(50)
  )

  it.effect.prop(
    "ends with so many malformed lines in a row as it is given, and hears nothing behind them",
    [wholeNumber(1, 5), wholeNumber(0, 4), someCuts],
    Effect.fnUntraced(function* ([maxMalformed, before, cuts]) {
      const [peer, { socket }] = makePair()
      const connection = yield* Connection.make(socket, {
        decode: makeDecoder(ClientMessage),
        maxFrameBytes,
        maxMalformed
      })
      const few = before % maxMalformed
      const text = "nonsense\n".repeat(few) + '{"_tag":"ListUsers"}\n' + "nonsense\n".repeat(maxMalformed + 3)
      const heard = yield* Effect.all([hearAll(connection), say(peer.socket, cutAt(encodeText(text), cuts))], {
        concurrency: 2
      })
      const garbage: Incoming<ClientMessage> = { _tag: "Garbage", lines: maxMalformed }
      const some = (count: number) => Array.from({ length: count }, () => malformed)
      assert.deepStrictEqual(heard[0], [...some(few), message({ _tag: "ListUsers" }), ...some(maxMalformed), garbage])
    }, Effect.scoped),
    tries(50)
  )

  it.effect("reads no more of its socket than is asked for", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* connect({ highWaterBytes: 100 })
      const writer = yield* peer.socket.writer
      yield* writer.write(encodeText('{"_tag":"ListUsers"}\n'))
      const writing = yield* Effect.forkScoped(writer.write(encodeText('{"_tag":"ListRooms"}\n'.repeat(50))))
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(writing.pollUnsafe())
      assert.lengthOf(yield* Stream.runCollect(Stream.take(connection.messages, 51)), 51)
      yield* Fiber.join(writing)
    })
  )

  it.effect("fails with the socket's own reason when it is reset", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* connect()
      const hearing = yield* Effect.forkScoped(hearAll(connection))
      yield* Effect.yieldNow
      peer.reset()
      const error = yield* Effect.flip(Fiber.join(hearing))
      assert.strictEqual(error.reason._tag, "SocketReadError")
      const writing = yield* Effect.flip(connection.write([encodeText("too late")]))
      assert.strictEqual(writing.reason._tag, "SocketWriteError")
    })
  )

  it.effect("waits with writing while its peer does not read", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* connect({ highWaterBytes: 100 })
      const pull = yield* Socket.readerBytes(peer.socket)
      const writing = yield* Effect.forkScoped(connection.write([new Uint8Array(60), new Uint8Array(60)]))
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(writing.pollUnsafe())
      assert.strictEqual(
        (yield* pull).reduce((sum, { length }) => sum + length, 0),
        120
      )
      yield* Fiber.join(writing)
    })
  )

  it.effect("lets its peer hear its last words, although that is still talking", () =>
    Effect.gen(function* () {
      const [peer, { socket }] = makePair()
      yield* say(peer.socket, [encodeText("chatter that nobody reads\n")])
      const heard = yield* Effect.forkScoped(readAll(peer.socket))
      const closing = yield* Effect.gen(function* () {
        const connection = yield* Connection.make(socket, { decode: makeDecoder(ClientMessage), maxFrameBytes })
        yield* connection.write([encodeText("goodbye\n")])
        yield* connection.close("1 second")
      }).pipe(Effect.scoped, Effect.forkScoped)
      yield* TestClock.adjust("20 millis")
      yield* Fiber.join(closing)
      assert.strictEqual(yield* Fiber.join(heard), "goodbye\n")
    })
  )

  it.effect("is cut when its peer goes on for too long", () =>
    Effect.gen(function* () {
      const { connection, peer } = yield* connect()
      const closing = yield* Effect.forkScoped(connection.close("1 second"))
      const writer = yield* peer.socket.writer
      yield* writer.write(encodeText("still here\n"))
      yield* TestClock.adjust("999 millis")
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(closing)
      yield* Effect.flip(writer.write(encodeText("still here\n")))
    })
  )
})
