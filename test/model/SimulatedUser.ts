/**
 * One user of a simulation, a guest or a device of an account: its connections one after the other, and what a good client
 * remembers between them.
 *
 * Says and hears through the client's side of `connection` over a socket in memory, and writes both into the trace.
 */
import { Effect, Exit, Redacted, Scope, Stream } from "effect"
import { type Cursor, Epoch } from "../../src/common/log/Cursor.ts"
import { nameKey } from "../../src/common/name/Name.ts"
import type { UserName } from "../../src/common/name/UserName.ts"
import { type ClientMessage, written } from "../../src/common/wire/ClientMessage.ts"
import { ServerMessage } from "../../src/common/wire/ServerMessage.ts"
import * as Connection from "../../src/connection/Connection.ts"
import { encodeLine, makeDecoder } from "../../src/connection/Line.ts"
import type { End } from "../support/MemorySocket.ts"
import { entryIn, inboxLog, lobby, roomLog } from "../support/ReferenceEntry.ts"
import type { TraceEvent } from "../support/ReferenceTrace.ts"

export type Unsent = ClientMessage extends infer Message
  ? Message extends unknown
    ? Omit<Message, "id">
    : never
  : never

interface Line {
  readonly session: number
  readonly end: End
  readonly connection: Connection.Connection<ServerMessage>
  readonly waiting: Set<string>
  isOpen: boolean
  isWelcome: boolean
  /** The token that it was to be welcomed for. */
  used: string | undefined
}

export interface Wire {
  readonly connect: () => End
  readonly trace: Array<TraceEvent>
  readonly nextSession: () => number
}

/** A device of an account: what it is called, and the token it has at first. */
export interface DeviceOf {
  readonly label: string
  readonly token: string
}

export class SimulatedUser {
  readonly name: UserName
  readonly #device: string | undefined
  /** The newest token it has written down, and the one it used before that. */
  #token: string | undefined
  #tokenBefore: string | undefined
  #isUsed = false
  readonly #wire: Wire
  #line: Line | undefined
  /** Connections that are being closed by the server still have something to hear. */
  #closing: ReadonlyArray<Line> = []
  #requests = 0
  #said = 0
  readonly #cursors = new Map<string, Cursor>()
  /** Where what it said itself stands, in each log. */
  readonly #own = new Map<string, Array<number>>()
  /** Requests that had a key, oldest first. */
  readonly keyed: Array<Unsent> = []

  constructor(name: UserName, wire: Wire, device?: DeviceOf) {
    this.name = name
    this.#wire = wire
    this.#device = device?.label
    this.#token = device?.token
  }

  get isAccount(): boolean {
    return this.#device !== undefined
  }

  get isConnected(): boolean {
    return this.#line?.isOpen === true
  }
  get isWelcome(): boolean {
    return this.#line?.isOpen === true && this.#line.isWelcome
  }
  /** Whether nothing is missing: every request has its reply, and every connection that had to end has ended. */
  get isAtRest(): boolean {
    return (
      (this.#line?.isOpen !== true || this.#line.waiting.size === 0) && this.#closing.every(({ isOpen }) => !isOpen)
    )
  }
  cursor(log: string): Cursor | undefined {
    return this.#cursors.get(log)
  }

  /** A place in a log, so far back: from two behind the newest it has heard of, or among its own messages. */
  placeIn(log: string, back: number, isOwn: boolean): number {
    const own = isOwn ? this.#own.get(log)?.at(-1 - back) : undefined
    return own ?? Math.max(0, (this.#cursors.get(log)?.seq ?? 0) + 2 - back)
  }

  /** Opens a connection, which is not the user's own until it has said Handshake. */
  readonly connect = Effect.fnUntraced({ self: this }, function* (this: SimulatedUser, scope: Scope.Scope) {
    const session = this.#wire.nextSession()
    const end = this.#wire.connect()
    const connectionScope = yield* Scope.fork(scope)
    const connection = yield* Connection.make(end.socket, {
      decode: makeDecoder(ServerMessage),
      maxFrameBytes: 1 << 24
    }).pipe(Scope.provide(connectionScope), Effect.orDie)
    const line: Line = { session, end, connection, waiting: new Set(), isOpen: true, isWelcome: false, used: undefined }
    this.#wire.trace.push({ _tag: "Opened", session })
    yield* Stream.runForEach(connection.messages, (incoming) =>
      incoming._tag === "Message"
        ? Effect.sync(() => this.#hear(line, incoming.message))
        : Effect.die(new Error(`the server said what is no message: ${JSON.stringify(incoming)}`))
    ).pipe(
      Effect.ignore,
      Effect.ensuring(
        Effect.suspend(() => {
          if (line.isOpen) this.#wire.trace.push({ _tag: "Closed", session })
          line.isOpen = false
          return Scope.close(connectionScope, Exit.void)
        })
      ),
      Effect.forkIn(scope)
    )
    return line
  })

  /** `hasLostToken`: the newest was never written down, so that it comes with the one before. */
  readonly arrive = Effect.fnUntraced(
    { self: this },
    function* (this: SimulatedUser, scope: Scope.Scope, resume: boolean, hasLostToken = false) {
      if (!this.isConnected) {
        this.#line = yield* this.connect(scope)
        // What it has used it had written down.
        if (hasLostToken && !this.#isUsed) this.#token = this.#tokenBefore ?? this.#token
        this.#isUsed = true
      }
      const cursors = {
        lobby: this.#cursors.get(lobby),
        inbox: this.isAccount ? this.#cursors.get(inboxLog) : undefined
      }
      const after = {
        ...(cursors.lobby !== undefined && { lobby: cursors.lobby }),
        ...(cursors.inbox !== undefined && { inbox: cursors.inbox })
      }
      const asked = resume && Object.keys(after).length > 0 ? { after } : {}
      yield* this.say({ _tag: "Handshake", user: this.name, ...this.#proof(), ...asked })
    }
  )

  #proof() {
    if (this.#device === undefined) return {}
    return {
      device: this.#device,
      credentials: { _tag: "Token" as const, token: Redacted.make(this.#token ?? "") }
    }
  }

  /** From now on it wants everything of its inbox. */
  forgetInbox(): void {
    const inbox = this.#cursors.get(inboxLog)
    if (inbox !== undefined) this.#cursors.set(inboxLog, { ...inbox, seq: 0 })
  }

  /** Somebody else, in another case, wants the name, and is gone at once if it was free. */
  readonly impersonate = Effect.fnUntraced(
    { self: this },
    function* (this: SimulatedUser, scope: Scope.Scope, as: UserName) {
      const line = yield* this.connect(scope)
      this.#closing = [...this.#closing, line]
      yield* this.#sayOn(line, { _tag: "Handshake", user: as })
      yield* this.#sayOn(line, { _tag: "Disconnect" })
    }
  )

  /** Says these in one piece, if there is anybody to say it to. */
  say(...messages: ReadonlyArray<Unsent>): Effect.Effect<void> {
    return this.#line === undefined || !this.#line.isOpen ? Effect.void : this.#sayOn(this.#line, ...messages)
  }

  /** Nobody else says the same. */
  get #author(): string {
    return this.#device ?? this.name
  }

  /** Asks for something with words that nobody has used before. With a key, it can be asked for again. */
  ask(make: (words: string) => Unsent, keyed: boolean): Effect.Effect<void> {
    const words = `${this.#author} says ${++this.#said}`
    const message = keyed ? { ...make(words), key: `key of ${words}`.padEnd(16, ".") } : make(words)
    if (keyed && this.isConnected) this.keyed.push(message)
    return this.say(message)
  }

  /** Asks for several things in one piece, each with words that nobody has used before. */
  askAll(makes: ReadonlyArray<(words: string) => Unsent>): Effect.Effect<void> {
    return this.say(...makes.map((make) => make(`${this.#author} says ${++this.#said}`)))
  }

  /** Asks again for something that had a key; or says something else in its place, under its key. */
  repeat(back: number, isAnew: boolean): Effect.Effect<void> {
    const message = this.keyed.at(-1 - back)
    if (message === undefined) return Effect.void
    if (!isAnew || !("key" in message) || message._tag === "PrivateMessage") return this.say(message)
    const { key = "" } = message
    const said = { content: `${this.#author} says ${++this.#said}`, key }
    const partner = "with" in message ? message.with : undefined
    if (partner !== undefined) return this.say({ _tag: "PrivateMessage", to: partner, ...said })
    const room = "room" in message ? message.room : undefined
    return this.say(room === undefined ? { _tag: "GlobalMessage", ...said } : { _tag: "RoomMessage", room, ...said })
  }

  sayNonsense(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const line = this.#line
      if (line === undefined || !line.isOpen) return Effect.void
      const id = `${++this.#requests}`
      line.waiting.add(id)
      this.#wire.trace.push({ _tag: "SaidNonsense", session: line.session, id })
      return Effect.ignore(line.connection.write([encodeLine({ _tag: "Nonsense", id })]))
    })
  }

  #sayOn(line: Line, ...messages: ReadonlyArray<Unsent>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const lines = messages.map((message) => {
        const id = `${++this.#requests}`
        const said: ClientMessage = { ...message, id }
        line.waiting.add(id)
        this.#wire.trace.push({ _tag: "Said", session: line.session, message: said })
        if (said._tag === "Handshake") line.used = this.#token
        return encodeLine(written(said))
      })
      return Effect.ignore(line.connection.write([Buffer.concat(lines)]))
    })
  }

  /** Cuts the connection: what was under way may be lost, in both directions. */
  vanish(): void {
    if (this.#line === undefined || !this.#line.isOpen) return
    this.#line.isOpen = false
    this.#wire.trace.push({ _tag: "Cut", session: this.#line.session })
    this.#line.end.reset()
    this.#line = undefined
  }

  readonly disconnect = Effect.fnUntraced({ self: this }, function* (this: SimulatedUser) {
    const line = this.#line
    if (line === undefined || !line.isOpen) return
    yield* this.say({ _tag: "Disconnect" })
    this.#closing = [...this.#closing, line]
    this.#line = undefined
  })

  #hear(line: Line, message: ServerMessage): void {
    if (!line.isOpen) return
    this.#wire.trace.push({ _tag: "Heard", session: line.session, message })
    if ("id" in message && message.id !== undefined) line.waiting.delete(message.id)
    if (message._tag === "Welcome") {
      line.isWelcome = true
      // Who has said goodbye already writes nothing down.
      if (line === this.#line && message.token !== undefined) {
        this.#tokenBefore = line.used
        this.#token = message.token
        this.#isUsed = false
      }
      // A guest's inbox is the connection's.
      if (!this.isAccount) this.#cursors.delete(inboxLog)
      else if (message.inbox !== undefined && !this.#cursors.has(inboxLog)) this.#cursors.set(inboxLog, message.inbox)
      if (!this.#cursors.has(lobby)) this.#cursors.set(lobby, message.lobby)
    } else if (message._tag === "RoomJoined" && !this.#cursors.has(roomLog(message.room))) {
      this.#cursors.set(roomLog(message.room), { epoch: message.epoch, seq: message.seq })
    }
    if (message._tag === "Rejected" && message.reason._tag === "InvalidCredentials" && line === this.#line) {
      // An earlier Handshake was carried out behind a later one.
      this.#token = this.#tokenBefore
    }
    const heard = entryIn(message, this.name)
    if (heard === undefined) return
    const { from, partner, seq } = heard
    const logs = partner === undefined ? [heard.log] : [inboxLog, partnerLog(partner)]
    for (const log of logs) {
      this.#cursors.set(log, { epoch: this.#cursors.get(log)?.epoch ?? Epoch.make("unknown"), seq })
      const own = this.#own.get(log) ?? []
      if (from === this.name && "content" in message && !own.includes(seq)) this.#own.set(log, [...own, seq])
    }
  }
}

/** The places of an inbox that are of one partner. */
export const partnerLog = (partner: string) => `with ${nameKey(partner)}`
