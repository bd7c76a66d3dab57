/** What clients of accounts say in tests: they register, log in by every proof, and come back. Nothing is assumed of the server's code. */
import { assert } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import type { Line, NotReceived, RawClient } from "./RawClient.ts"
import { reasonOf } from "./Rejections.ts"
import type { TestServer } from "./TestServer.ts"

type ConnectOptions = Parameters<TestServer["connect"]>[0]
type Door = Pick<TestServer, "connect">

/** No password of a list, and the same for everybody unless a test says otherwise. */
export const password = "correct horse battery"

/** What a Handshake to an account was answered with. */
export interface Entered {
  readonly client: RawClient
  readonly welcome: Line
  readonly token: string
  readonly device: string
}

type Entering = Effect.Effect<Entered, NotReceived, Scope.Scope>

/** A Handshake on a connection of its own; its reply is the Welcome, or the test has failed. */
export const enter = Effect.fnUntraced(function* (
  server: Door,
  handshake: object,
  options?: ConnectOptions
): Effect.fn.Return<Entered, NotReceived, Scope.Scope> {
  const client = yield* server.connect(options)
  const welcome = yield* client.ask({ _tag: "Handshake", ...handshake })
  assert.strictEqual(welcome._tag, "Welcome", JSON.stringify(welcome))
  // Names are kept behind a mailbox: with the list, everybody else can see the newcomer too.
  yield* client.ask({ _tag: "ListUsers" })
  return { client, welcome, token: String(welcome["token"]), device: String(welcome["device"]) }
})

/** A new account, by its first Handshake. */
export const register = (server: Door, user: string, more: object = {}): Entering =>
  enter(server, { user, register: { password }, ...more })

/** An account comes in on a new device. */
export const logIn = (server: Door, user: string, more: object = {}, options?: ConnectOptions): Entering =>
  enter(server, { user, credentials: byPassword(password), ...more }, options)

/** A device comes back with its token. */
export const comeBack = (server: Door, user: string, token: string, more: object = {}): Entering =>
  enter(server, { user, credentials: { _tag: "Token", token }, ...more })

export const byPassword = (typed: string) => ({ _tag: "Password", password: typed })
export const byToken = (token: string) => ({ _tag: "Token", token })

/** Why a Handshake on a connection of its own is refused. */
export const refusal = Effect.fnUntraced(function* (server: Door, handshake: object, options?: ConnectOptions) {
  const client = yield* server.connect(options)
  return reasonOf(yield* client.ask({ _tag: "Handshake", ...handshake }))
})

/**
 * What a Handshake on a connection of its own is answered with, whatever that is, and whether that ended the connection.
 * Needs a clock that goes: who sends after the end is heard out.
 */
export const attempt = Effect.fnUntraced(function* (server: Door, handshake: object, options?: ConnectOptions) {
  const client = yield* server.connect(options)
  const reply = yield* client.ask({ _tag: "Handshake", ...handshake })
  // Either the barrier comes back, or the end of the connection does.
  yield* client.send({ _tag: "Handshake", user: "-", id: "after" })
  const hasEnded = yield* Effect.raceFirst(
    Effect.as(
      client.find((line) => line["id"] === "after"),
      false
    ),
    Effect.as(client.closed, true)
  )
  return { client, reply, hasEnded }
})

/** Waits until everything sent so far has been heard, and gives the lines that came, but for who came and went. */
export const heard = (client: RawClient) =>
  Effect.map(client.soFar, (lines) => lines.filter(({ _tag }) => !_tag.endsWith("Presence")))

/** Lines as short as they can be told: of entries, their places and what they say. */
export const outline = (lines: ReadonlyArray<Line>): ReadonlyArray<string> =>
  lines.map(({ _tag, content, reaction, seq }) => `${String(seq)} ${String(content ?? reaction ?? _tag)}`)

/** A list that stands in a line. */
export const listIn = (line: Line, field: string): ReadonlyArray<Line> => {
  const list = line[field]
  assert(Array.isArray(list), `${field} is no list in ${JSON.stringify(line)}`)
  return list
}

/** A cursor that stands in a Welcome, or a RoomJoined itself. */
export const cursorOf = (place: unknown): { readonly epoch: unknown; readonly seq: unknown } => {
  assert(typeof place === "object" && place !== null && "epoch" in place && "seq" in place)
  return { epoch: place.epoch, seq: place.seq }
}
