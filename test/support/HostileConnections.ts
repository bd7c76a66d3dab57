/**
 * Connections that end in every way a connection can end, over TCP and TLS, with nothing of the server's code.
 *
 * Each is an effect that connects, misbehaves in its own way, and leaves nothing open on its own side. Those that joined
 * have been welcomed, so that they end as members of the lobby, in the middle of whatever is said there.
 */
import * as Net from "node:net"
import * as Tls from "node:tls"
import { Effect, Record } from "effect"

export interface Door {
  readonly port: number
  /** With a certificate to trust the connections are TLS. */
  readonly certificate?: string
}

interface Line {
  readonly tcp: Net.Socket
  readonly socket: Net.Socket
}

type Misbehaviour = (door: Door, name: string) => Effect.Effect<void>

/** TCP alone; what TLS has to say is for `connect`. */
const dial = (port: number): Net.Socket => {
  const tcp = Net.connect({ port, host: "127.0.0.1", noDelay: true })
  tcp.on("error", () => {})
  return tcp
}

/** A connection that can be written to, or that has been closed instead. */
const connect = ({ certificate, port }: Door) =>
  Effect.callback<Line>((resume) => {
    const tcp = dial(port)
    const socket =
      certificate === undefined ? tcp : Tls.connect({ socket: tcp, ca: certificate, servername: "localhost" })
    socket.on("error", () => {})
    const done = () => resume(Effect.succeed({ tcp, socket }))
    socket.once(certificate === undefined ? "connect" : "secureConnect", done)
    socket.once("close", done)
    return Effect.sync(() => tcp.destroy())
  })

const closed = ({ socket, tcp }: Line) =>
  Effect.callback<void>((resume) => {
    if (tcp.destroyed) return resume(Effect.void)
    socket.resume()
    tcp.once("close", () => resume(Effect.void))
    return Effect.sync(() => tcp.destroy())
  })

export const say = ({ socket }: Line, text: string) =>
  Effect.callback<void>((resume) => {
    socket.write(text, () => resume(Effect.void))
  })

const handshake = (user: string) => `${JSON.stringify({ _tag: "Handshake", user })}\n`

/** Waits for the Welcome and reads nothing after it. */
export const joinUnread = Effect.fnUntraced(function* (door: Door, name: string) {
  const line = yield* connect(door)
  yield* say(line, handshake(name))
  yield* Effect.callback<void>((resume) => {
    if (line.socket.destroyed) return resume(Effect.void)
    line.socket.once("data", () => {
      line.socket.pause()
      resume(Effect.void)
    })
    line.socket.once("close", () => resume(Effect.void))
  })
  return line
})

export const reset = ({ tcp }: Line) =>
  Effect.callback<void>((resume) => {
    tcp.once("close", () => resume(Effect.void))
    if (tcp.destroyed) resume(Effect.void)
    else tcp.resetAndDestroy()
  })

/** Reads nothing any more and leaves; what comes still is answered by the kernel, with a reset. */
export const vanish = ({ tcp }: Line) => Effect.sync(() => void tcp.destroy())

const kinds = {
  "says Disconnect and hears it out": (door, name) =>
    Effect.flatMap(joinUnread(door, name), (line) =>
      Effect.andThen(say(line, `${JSON.stringify({ _tag: "Disconnect" })}\n`), closed(line))
    ),
  "is closed (FIN) while it is a member": (door, name) =>
    Effect.flatMap(joinUnread(door, name), (line) =>
      Effect.andThen(
        Effect.sync(() => line.socket.end()),
        closed(line)
      )
    ),
  "is reset (RST) while it is a member": (door, name) => Effect.flatMap(joinUnread(door, name), reset),
  "asks, is told nothing yet, and is reset": (door, name) =>
    Effect.flatMap(joinUnread(door, name), (line) =>
      Effect.andThen(say(line, `${JSON.stringify({ _tag: "GetHistory", limit: 200 })}\n`.repeat(5)), reset(line))
    ),
  "asks, reads nothing, and goes without a word": (door, name) =>
    Effect.flatMap(joinUnread(door, name), (line) =>
      Effect.andThen(say(line, `${JSON.stringify({ _tag: "GetHistory", limit: 200 })}\n`.repeat(5)), vanish(line))
    ),
  "half-closes in the middle of its Handshake": (door, name) =>
    Effect.flatMap(connect(door), (line) =>
      say(line, handshake(name).slice(0, 20)).pipe(
        Effect.andThen(Effect.sync(() => line.socket.end())),
        Effect.andThen(closed(line))
      )
    ),
  "is reset in the middle of its Handshake": (door, name) =>
    Effect.flatMap(connect(door), (line) => Effect.andThen(say(line, handshake(name)), reset(line))),
  "is refused, and keeps its socket until it is closed": (door) =>
    Effect.flatMap(connect(door), (line) =>
      Effect.andThen(say(line, `${JSON.stringify({ _tag: "Ping", nonce: 1 })}\n`), closed(line))
    ),
  "is refused, and goes without a word": (door) =>
    Effect.flatMap(connect(door), (line) =>
      Effect.andThen(say(line, `${JSON.stringify({ _tag: "Ping", nonce: 1 })}\n`), vanish(line))
    ),
  "says nothing, and is reset": (door) => Effect.flatMap(connect(door), reset),
  "begins TLS, and is reset": ({ port }) =>
    Effect.flatMap(connect({ port }), (line) =>
      // The head of a ClientHello that never comes.
      Effect.andThen(say(line, "\u0016\u0003\u0001\u0002\u0000\u0001"), reset(line))
    ),
  "begins TLS, and goes without a word": ({ port }) =>
    Effect.flatMap(connect({ port }), (line) =>
      Effect.andThen(say(line, "\u0016\u0003\u0001\u0002\u0000\u0001"), vanish(line))
    )
} satisfies Record<string, Misbehaviour>

/** What a connection may do, by what one would say of it. */
export const misbehaviours: ReadonlyArray<readonly [string, Misbehaviour]> = Record.toEntries(kinds)

/** So many connections, the kinds in turns, `concurrency` of them at once. */
export const misbehave = (door: Door, count: number, concurrency: number): Effect.Effect<void> =>
  Effect.forEach(
    Array.from({ length: count }, (_, index) => index),
    (index) => misbehaviours[index % misbehaviours.length]?.[1](door, `hostile-${index}`) ?? Effect.void,
    { concurrency, discard: true }
  )
