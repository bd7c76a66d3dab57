/**
 * Somebody with the bundled client: what it was told to do, what came of it, and what it was handed.
 *
 * A person may leave and come again, with a new client that remembers nothing. Every message has a text of its own, so
 * that one that is stored twice is found.
 */
import { isDeepStrictEqual } from "node:util"
import { Clock, Context, Effect, Exit, Layer, Scope, Stream } from "effect"
import { Socket } from "effect/socket"
import type { RequestError, SessionError } from "../../src/client/core/ClientError.ts"
import type { TokenStore } from "../../src/client/core/Login.ts"
import type { EntryRequest, Request } from "../../src/client/core/Request.ts"
import { Client } from "../../src/client/link/Client.ts"
import type { RoomName } from "../../src/common/name/RoomName.ts"
import type { UserName } from "../../src/common/name/UserName.ts"
import { Rejection } from "../../src/common/wire/Rejection.ts"
import type { MessageKey } from "../../src/common/wire/RequestId.ts"
import type { ServerMessageOf } from "../../src/common/wire/ServerMessage.ts"
import type { Disk } from "./Disk.ts"
import { bodyOf, lobbyKey, logOf, roomKey } from "./Entries.ts"
import type { Journal } from "./Journal.ts"
import { asAsked } from "./Lawful.ts"
import { countingFibers } from "./Life.ts"
import { View } from "./View.ts"
import type { Tally, WorldClock } from "./WorldClock.ts"

/** A client, from its arrival on. */
interface Presence {
  readonly scope: Scope.Closeable
  readonly view: View
  /** Undefined while it connects for the first time. */
  client: Client["Service"] | undefined
  isConnected: boolean
  isLeaving: boolean
}

interface Answered {
  readonly request: EntryRequest
  readonly sent: ServerMessageOf<"Sent">
  readonly presence: Presence
  /** What it was answered with before, if it is a repeat. */
  readonly before: ServerMessageOf<"Sent"> | undefined
}

/** A message that was refused because its sender is not in the room. */
interface Excluded {
  readonly request: EntryRequest
  readonly presence: Presence
  /** Its stay in the room when it was asked to send it. */
  readonly stay: object | undefined
}

/** A device of an account. */
interface DeviceOptions {
  readonly label: string
  /** The key of the account's log. */
  readonly inbox: string
  /** Where the device keeps its tokens. */
  readonly tokens: TokenStore
}

export interface PersonOptions {
  readonly name: UserName
  /** None: a guest. */
  readonly device?: DeviceOptions
  readonly disk: Disk
  readonly journal: Journal
  readonly socket: Socket.Socket
  readonly clock: WorldClock
  /** Whether the server may say that it was too fast. */
  readonly isHurried: boolean
  /** Everything a person does lives in it. */
  readonly scope: Scope.Scope
}

export class Person {
  readonly name: UserName
  /** Nobody else is called so: a device of an account shares its name with others. */
  readonly label: string
  readonly #options: PersonOptions
  readonly #timers: Tally = { count: 0 }
  readonly #fibers: Tally = { count: 0 }
  #presence: Presence | undefined
  #said = 0
  #pending = 0
  #answered: Array<Answered> = []
  #excluded: Array<Excluded> = []
  /** Stays that are over without a RoomLeft, once all that came before has been seen. */
  #out: Array<{ readonly view: View; readonly log: string; readonly stay: object }> = []
  /** Stays in rooms that it has asked to end. */
  readonly #ending = new WeakSet<object>()
  /** What was refused, and may be sent again under the same key. */
  #refused: Array<EntryRequest> = []
  /** What was answered, and may be sent again under the same key: the last few. */
  #repeatable: Array<Answered> = []
  /** The last keys it has used, and in which log. */
  #keys: Array<readonly [log: string, key: MessageKey]> = []

  constructor(options: PersonOptions) {
    this.name = options.name
    this.label = options.device?.label ?? options.name
    this.#options = options
  }

  /** The key of its account's log, if it has one. */
  get inbox(): string | undefined {
    return this.#options.device?.inbox
  }
  get isPresent(): boolean {
    return this.#presence !== undefined
  }
  /** What its client has left behind, once it has left. */
  get remains(): { readonly timers: number; readonly fibers: number } {
    return { timers: this.#timers.count, fibers: this.#fibers.count }
  }
  /** Whether it has its connection, every answer, and all there is to see. */
  get isSettled(): boolean {
    return this.whatIsMissing === undefined
  }
  get whatIsMissing(): string | undefined {
    if (this.#pending > 0) return `${this.#pending} requests have no answer`
    if (this.#presence === undefined) return undefined
    if (this.#presence.client === undefined || !this.#presence.isConnected) return "it is not connected"
    const { incomplete } = this.#presence.view
    return incomplete.length === 0 ? undefined : `not all of ${incomplete.join(", ")} was seen`
  }
  /** How far it has seen a room's log; undefined where it is not in. */
  seenOf(room: RoomName): number | undefined {
    return this.#presence?.view.lastOf(roomKey(room))
  }
  isIn(room: RoomName): boolean {
    return this.#presence?.view.stay(roomKey(room)) !== undefined
  }

  /** Counts what timers and fibers its client has. */
  readonly #counted = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    effect.pipe(
      Effect.provideService(Clock.Clock, this.#options.clock.clockFor(this.#timers)),
      countingFibers(this.#fibers)
    )

  /** Connects; if that fails, nobody is there. */
  readonly arrive = Effect.fnUntraced({ self: this }, function* (this: Person) {
    if (this.#presence !== undefined) return
    const { device, disk, journal, scope, socket } = this.#options
    const { label, name } = this
    const own = yield* Scope.fork(scope)
    const presence: Presence = {
      scope: own,
      view: new View(label, disk, journal, device?.inbox),
      client: undefined,
      isConnected: false,
      isLeaving: false
    }
    this.#presence = presence
    journal.note(`${label} arrives`)
    yield* Layer.buildWithScope(
      Client.layer({ user: name, settledAfter: 0, ...(device && { tokens: device.tokens }) }),
      own
    ).pipe(
      Effect.provideService(Socket.Socket, socket),
      Effect.flatMap((services) => {
        const client = Context.get(services, Client)
        presence.client = client
        presence.isConnected = true
        return this.#listen(client, presence)
      }),
      Effect.catch((error) => {
        journal.note(`${label} could not come in: ${error.message}`)
        if (device !== undefined && isLockedOut(error)) journal.accuse(`${label} is locked out: ${error.message}`)
        this.#presence = undefined
        return Scope.close(own, Exit.void)
      }),
      Effect.forkIn(scope),
      this.#counted
    )
  })

  #listen(client: Client["Service"], presence: Presence) {
    const { journal } = this.#options
    return client.events.pipe(
      Stream.runForEach((event) =>
        Effect.sync(() => {
          journal.note(`${this.label} sees`, event)
          if (event._tag === "Disconnected") presence.isConnected = false
          if (event._tag === "Reconnected") presence.isConnected = true
          presence.view.follow(event)
        })
      ),
      Effect.catch((error) => Effect.sync(() => journal.accuse(`${this.label}: its client gave up: ${error.message}`)))
    )
  }

  /** Says goodbye, if there is anybody to say it to. */
  readonly leave = Effect.fnUntraced({ self: this }, function* (this: Person) {
    const presence = this.#presence
    if (presence?.client === undefined || presence.isLeaving) return
    presence.isLeaving = true
    this.#options.journal.note(`${this.label} leaves`)
    yield* presence.client.leave.pipe(
      Effect.andThen(Scope.close(presence.scope, Exit.void)),
      Effect.andThen(
        Effect.sync(() => {
          this.#presence = undefined
        })
      ),
      Effect.forkIn(this.#options.scope),
      this.#counted
    )
  })

  /** A text that nobody has written before. */
  words(padding = 0): string {
    return `${this.label} ${++this.#said}${".".repeat(padding)}`
  }

  /** A key that nobody has used before: chosen by the person, and not by the client. */
  newKey(log: string): MessageKey {
    const key = `${this.label}'s own key, number ${++this.#said}`
    this.#keys = [...this.#keys.slice(1 - keptForRepeats), [log, key]]
    return key
  }

  /** Keys that it has used in a log, for whatever. */
  keysOf(log: string): ReadonlyArray<MessageKey> {
    return this.#keys.flatMap(([used, key]) => (used === log ? [key] : []))
  }

  /** Says something new in a room, or in the lobby. */
  say(room: RoomName | undefined, padding: number, hasKey: boolean): Effect.Effect<void> {
    const key = hasKey ? { key: this.newKey(room === undefined ? lobbyKey : roomKey(room)) } : {}
    const content = this.words(padding)
    return this.send(
      room === undefined ? { _tag: "GlobalMessage", content, ...key } : { _tag: "RoomMessage", room, content, ...key }
    )
  }

  sayPrivately(to: UserName): Effect.Effect<void> {
    return this.send({ _tag: "PrivateMessage", to, content: `${this.label} whispers ${++this.#said}` })
  }

  /** Asks for something that nobody can be too fast for who has said nothing for a while. */
  ping(): Effect.Effect<void> {
    return this.#fork(
      (client) => Effect.asVoid(client.request({ _tag: "Ping", nonce: 7 })),
      (error) => this.#accuse(`its Ping was refused: ${error.message}`)
    )
  }

  /** Says what was refused again, under the same key. */
  sayAgain(): Effect.Effect<void> {
    const request = this.#refused.shift()
    return request === undefined ? Effect.void : this.send(request)
  }

  /** Asks once more for what was done, under the same key, whatever has become of it. */
  repeat(which: (among: number) => number): Effect.Effect<void> {
    const done = this.#repeatable[which(this.#repeatable.length)]
    return done === undefined ? Effect.void : this.send(done.request, done.sent)
  }

  ask(request: Request): Effect.Effect<void> {
    const log = request._tag === "LeaveRoom" ? roomKey(request.room) : undefined
    const stay = log === undefined ? undefined : this.#presence?.view.stay(log)
    return this.#fork(
      (client) => {
        if (stay !== undefined) this.#ending.add(stay)
        return Effect.asVoid(client.request(request))
      },
      (error, { view }) => {
        // It could not be let back in yet, and wants to be out: so it is.
        if (log !== undefined && stay !== undefined && isExclusion(error)) this.#out.push({ view, log, stay })
      }
    )
  }

  /** Asks for an entry. `before`: what the same was answered with before. */
  send(request: EntryRequest, before?: ServerMessageOf<"Sent">): Effect.Effect<void> {
    const { disk } = this.#options
    const log = logOf(request)
    const stay = log === undefined ? undefined : this.#presence?.view.stay(log)
    return this.#fork(
      (client, presence) =>
        Effect.map(client.send(request), (sent) => {
          const answered = { request, sent, presence, before }
          this.#answered.push(answered)
          const place = request.key && log ? disk.placeOf(log, this.name, request.key) : undefined
          // Who is told of a reaction that was there already has stored nothing under its key.
          if (place === sent.seq) this.#repeatable = [...this.#repeatable.slice(1 - keptForRepeats), answered]
        }),
      (error, presence) => {
        if (request.key !== undefined) this.#refused.push(request)
        this.#options.journal.note(`${this.label} cannot send: ${error.message}`, request)
        if (isExclusion(error)) this.#excluded.push({ request, presence, stay })
        else if (!this.#isExpected(error) && !mayBeRefused(request, error)) {
          this.#accuse(`${JSON.stringify(request)} was refused: ${error.message}`)
        }
      }
    )
  }

  #fork(
    act: (client: Client["Service"], presence: Presence) => Effect.Effect<void, RequestError>,
    onError: (error: RequestError, presence: Presence) => void
  ): Effect.Effect<void> {
    return Effect.suspend(() => {
      const presence = this.#presence
      if (presence?.client === undefined || presence.isLeaving) return Effect.void
      this.#pending++
      return act(presence.client, presence).pipe(
        Effect.catch((error) => Effect.sync(() => onError(error, presence))),
        Effect.ensuring(
          Effect.sync(() => {
            this.#pending--
          })
        ),
        Effect.forkIn(this.#options.scope, { startImmediately: true }),
        this.#counted,
        Effect.asVoid
      )
    })
  }

  #isExpected(error: RequestError): boolean {
    if (error._tag === "SessionError") return error.reason._tag === "HasLeft"
    const { disk, isHurried } = this.#options
    const { failures } = disk
    if (error._tag === "RequestRejected" && error.reason._tag === "RateLimited") return isHurried
    // Whom one whispers to may have left, or be oneself.
    if (error._tag === "RequestRejected" && isNobody(error.reason)) return true
    return error._tag === "RequestRejected" && error.reason._tag === "StorageUnavailable" && failures > 0
  }

  #accuse(what: string): void {
    this.#options.journal.accuse(`${this.label}: ${what}`)
  }

  /** Holds what has happened since the last time against the disk. */
  check(): void {
    const { device, disk, name } = this.#options
    this.#presence?.view.compare()
    for (const { log, stay, view } of this.#out.splice(0)) if (view.stay(log) === stay) view.leave(log)
    for (const { presence, request, stay } of this.#excluded.splice(0)) {
      const what = JSON.stringify(request)
      const log = logOf(request)
      if (log === undefined || log === lobbyKey) this.#accuse(`${what} was refused as if the lobby were a room`)
      else if (stay !== undefined && !this.#ending.has(stay) && presence.view.stay(log) === stay) {
        this.#accuse(`${what} was refused in a room it is in`)
      }
    }
    for (const { before, presence, request, sent } of this.#answered.splice(0)) {
      const log = logOf(request) ?? device?.inbox
      if (log === undefined) continue
      const what = JSON.stringify(request)
      const entry = disk.log(log)?.made[sent.seq - 1]
      const isDone = sent.repeated === true || isDeepStrictEqual(entry && asAsked(entry.body), bodyOf(request))
      if (!isDone || entry?.from !== name || entry.at !== sent.at) {
        this.#accuse(`${what} was answered with ${sent.seq}, where ${JSON.stringify(entry)} stands`)
      }
      if (before !== undefined && (sent.repeated !== true || sent.seq !== before.seq || sent.at !== before.at)) {
        this.#accuse(`${what} was answered with ${JSON.stringify(sent)}, and before with ${JSON.stringify(before)}`)
      }
      if (!presence.view.hasSeen(log, sent.seq)) this.#accuse(`${what} was answered with ${sent.seq}, and not seen`)
    }
  }
}

/** How many of what was done, and how many keys, may be used again. */
const keptForRepeats = 20

/** Why something may be refused that depends on what stands in the log. Whether it was so is judged where it is said. */
const isAboutTarget = Rejection.isAnyOf(["MessageNotFound", "NotAllowed", "TooManyReactions"])

const mayBeRefused = (request: EntryRequest, error: RequestError): boolean =>
  error._tag === "RequestRejected" &&
  isAboutTarget(error.reason) &&
  (!("content" in request) || "target" in request || request.replyTo !== undefined)

const isNobody = Rejection.isAnyOf(["UserNotFound", "CannotMessageYourself", "AccountRequired"])

const isLockedOut = (error: SessionError): boolean =>
  error.reason._tag === "Refused" && error.reason.reason._tag === "InvalidCredentials"

const isExclusion = (error: RequestError) =>
  error._tag === "RequestRejected" && (error.reason._tag === "NotInRoom" || error.reason._tag === "RoomNotFound")
