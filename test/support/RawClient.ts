/**
 * A client that knows nothing of the server's code: bytes out, lines of JSON in.
 *
 * What comes in is kept in order until a test takes it, so a test may wait for one line and look at the others later.
 * Every wait has a deadline on the real clock, also where the test's clock stands still; when it passes, the error
 * shows all that was received. Closing the scope destroys the socket.
 */
import * as Net from "node:net"
import * as Tls from "node:tls"
import { Clock, Data, Effect, Predicate, Result, type Scope } from "effect"

/** One line as it came: nothing is assumed but that it is an object with a `_tag`. */
export interface Line {
  readonly _tag: string
  readonly [field: string]: unknown
}

export type LinePredicate = (line: Line) => boolean

/** What a test waited for did not come. Its message shows what came instead. */
export class NotReceived extends Data.TaggedError("NotReceived")<{ readonly message: string }> {}

export interface RawClient {
  /** Sends each message as a line, all in one write. */
  readonly send: (...messages: ReadonlyArray<object>) => Effect.Effect<void>
  /** Sends these pieces as they are, each handed to the system before the next. */
  readonly write: (...pieces: ReadonlyArray<string | Uint8Array>) => Effect.Effect<void>
  /** Says that nothing more will be sent, and goes on reading. */
  readonly halfClose: Effect.Effect<void>
  /** Ends the connection with a TCP reset. */
  readonly reset: Effect.Effect<void>
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  /** The next line. */
  readonly next: Effect.Effect<Line, NotReceived>
  /** The next so many lines. */
  readonly nextLines: (count: number) => Effect.Effect<ReadonlyArray<Line>, NotReceived>
  /** The first line that is so; those before it stay. A string stands for a `_tag`. */
  readonly find: (wanted: string | LinePredicate) => Effect.Effect<Line, NotReceived>
  /** All lines up to and including the first that is so. */
  readonly upTo: (wanted: string | LinePredicate) => Effect.Effect<ReadonlyArray<Line>, NotReceived>
  /** The next so many lines that are so; the others stay. */
  readonly findMany: (wanted: string | LinePredicate, count: number) => Effect.Effect<ReadonlyArray<Line>, NotReceived>
  /** Sends a request under an `id` of its own and finds its reply. */
  readonly ask: (message: object) => Effect.Effect<Line, NotReceived>
  /** What came until now, once everything sent until now has been heard: a Ping's Pong is the barrier. */
  readonly soFar: Effect.Effect<ReadonlyArray<Line>, NotReceived>
  /** What is left once the server has closed the connection, or it was cut. */
  readonly closed: Effect.Effect<ReadonlyArray<Line>, NotReceived>
  readonly isClosed: () => boolean
  /** All that was ever received, as text. */
  readonly receivedText: () => string
}

export interface Address {
  readonly port: number
  readonly host?: string
  /** Which of this machine's addresses it comes from. */
  readonly localAddress?: string
  /** With a certificate to trust the connection is TLS. */
  readonly certificate?: string
  /** It stays connected when the server has said its last. */
  readonly keepsSocket?: boolean
  /** For a test that waits longer than others, in milliseconds. */
  readonly deadline?: number
}

/** Long, since it only passes when a test fails, and a machine may be busy. Shorter than the runner's own. */
const defaultDeadline = 90_000

/** How much of what was received an error shows. */
const shownCharacters = 4000

const realClock = Clock.Clock.defaultValue()

/** Connects and stays connected for the scope. */
export const connect = Effect.fnUntraced(function* (
  address: Address
): Effect.fn.Return<RawClient, NotReceived, Scope.Scope> {
  const deadline = address.deadline ?? defaultDeadline
  const { socket, tcp } = yield* open(address)
  const waiters = new Set<() => void>()
  const text: Array<string> = []
  let lines: Array<Line> = []
  let unfinished = ""
  let asked = 0
  let closed = false

  const wake = () => {
    for (const look of waiters) look()
  }
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  socket.on("data", (bytes: Uint8Array) => {
    const piece = utf8.decode(bytes, { stream: true })
    text.push(piece)
    const parts = (unfinished + piece).split("\n")
    unfinished = parts.pop() ?? ""
    for (const part of parts) lines.push(parseLine(part))
    wake()
  })
  socket.on("close", () => {
    closed = true
    wake()
  })

  const receivedText = () => text.join("")

  /** Waits until `look` finds something. */
  const wait = <A>(what: string, look: () => A | undefined) => {
    const found = Effect.callback<A>((resume) => {
      const attempt = () => {
        const value = look()
        if (value === undefined) return
        waiters.delete(attempt)
        resume(Effect.succeed(value))
      }
      waiters.add(attempt)
      attempt()
      return Effect.sync(() => waiters.delete(attempt))
    })
    const notReceived = Effect.suspend(() => {
      const all = receivedText()
      const shown = all.length > shownCharacters ? `…${all.slice(-shownCharacters)}` : all
      const state = closed ? "closed" : "open"
      return new NotReceived({
        message: `No ${what} in ${deadline} ms. The connection is ${state}; ${all.length} characters came:\n${shown}`
      })
    })
    return found.pipe(
      Effect.timeoutOrElse({ duration: deadline, orElse: () => notReceived }),
      Effect.provideService(Clock.Clock, realClock)
    )
  }

  const takeFirst = (count: number) => {
    const taken = lines.slice(0, count)
    lines = lines.slice(count)
    return taken
  }

  const findMany = (wanted: string | LinePredicate, count: number) => {
    const isWanted = predicateOf(wanted)
    return wait(`${count} lines like ${describe(wanted)}`, () => {
      // Looking at all lines for every chunk would take a flood quadratic time.
      if (lines.length < count) return
      const taken = lines.filter(isWanted).slice(0, count)
      if (taken.length < count) return
      const gone = new Set(taken)
      lines = lines.filter((line) => !gone.has(line))
      return taken
    })
  }

  const find = (wanted: string | LinePredicate) => {
    const isWanted = predicateOf(wanted)
    return wait(`line like ${describe(wanted)}`, () => {
      const place = lines.findIndex(isWanted)
      return place === -1 ? undefined : lines.splice(place, 1)[0]
    })
  }

  const upTo = (wanted: string | LinePredicate) => {
    const isWanted = predicateOf(wanted)
    return wait(`line like ${describe(wanted)}`, () => {
      const place = lines.findIndex(isWanted)
      return place === -1 ? undefined : takeFirst(place + 1)
    })
  }

  const write = (...pieces: ReadonlyArray<string | Uint8Array>) =>
    Effect.forEach(
      pieces,
      (piece) =>
        Effect.callback<void>((resume) => {
          socket.write(piece, () => resume(Effect.void))
        }),
      { discard: true }
    )

  const send = (...messages: ReadonlyArray<object>) =>
    write(messages.map((message) => `${JSON.stringify(message)}\n`).join(""))

  return {
    send,
    write,
    halfClose: Effect.sync(() => void socket.end()),
    reset: Effect.sync(() => void tcp.resetAndDestroy()),
    pause: Effect.sync(() => void socket.pause()),
    resume: Effect.sync(() => void socket.resume()),
    next: wait("line", () => lines.shift()),
    nextLines: (count) => wait(`${count} lines`, () => (lines.length < count ? undefined : takeFirst(count))),
    find,
    upTo,
    findMany,
    ask: (message) =>
      Effect.suspend(() => {
        const id = `ask-${++asked}`
        return Effect.andThen(
          send({ ...message, id }),
          find((line) => line["id"] === id)
        )
      }),
    soFar: Effect.suspend(() => {
      const id = `barrier-${++asked}`
      return send({ _tag: "Ping", nonce: asked, id }).pipe(
        Effect.andThen(upTo((line) => line["id"] === id)),
        Effect.map((all) => all.slice(0, -1))
      )
    }),
    closed: wait("end of the connection", () => (closed ? takeFirst(lines.length) : undefined)),
    isClosed: () => closed,
    receivedText
  }
})

const open = ({ certificate, host = "127.0.0.1", keepsSocket = false, localAddress, port }: Address) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly socket: Net.Socket; readonly tcp: Net.Socket }, NotReceived>((resume) => {
      const from = localAddress === undefined ? {} : { localAddress }
      const tcp = Net.connect({ host, port, ...from, noDelay: true, allowHalfOpen: keepsSocket })
      const socket =
        certificate === undefined ? tcp : Tls.connect({ socket: tcp, ca: certificate, servername: "localhost" })
      // Once connected this says nothing any more: a reset shows as closed, like any other end.
      const failed = (error: Error) =>
        resume(new NotReceived({ message: `No connection to port ${port}: ${error.message}` }))
      tcp.on("error", failed)
      socket.on("error", failed)
      socket.once(certificate === undefined ? "connect" : "secureConnect", () =>
        resume(Effect.succeed({ socket, tcp }))
      )
      return Effect.sync(() => tcp.destroy())
    }),
    ({ tcp }) => Effect.sync(() => tcp.destroy())
  )

/** What is no line of the protocol becomes one that no test expects. */
const parseLine = (text: string): Line => {
  const json = Result.try((): unknown => JSON.parse(text))
  return Result.isSuccess(json) && isLine(json.success) ? json.success : { _tag: "NotALine", text }
}

const isLine = (json: unknown): json is Line => Predicate.hasProperty(json, "_tag") && Predicate.isString(json._tag)

const predicateOf = (wanted: string | LinePredicate): LinePredicate =>
  Predicate.isString(wanted) ? ({ _tag }) => _tag === wanted : wanted

const describe = (wanted: string | LinePredicate): string => (Predicate.isString(wanted) ? wanted : String(wanted))
