/** Devices of accounts with the real client and the real state on a disk, for tests: they are switched on, cut off and killed. */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Context, Effect, Exit, Latch, Layer, Redacted, Schema, Scope, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { Socket } from "effect/socket"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import type { Login, Token, TokenStore } from "../../../src/client/core/Login.ts"
import { withToken } from "../../../src/client/core/Login.ts"
import { Client } from "../../../src/client/link/Client.ts"
import type { SealedNews } from "../../../src/client/sealed/News.ts"
import { make as makeRooms, type SealedOptions, type SealedRooms } from "../../../src/client/sealed/SealedRooms.ts"
import { make as makeStore, type SealedStore } from "../../../src/client/sealed/SealedStore.ts"
import { open, type StateFile } from "../../../src/client/sealed/StateFile.ts"
import { statePaths } from "../../../src/client/sealed/StatePath.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"

const password = Redacted.make("seven green bicycles")

/** What of a device outlives its process. */
export interface Home {
  readonly name: string
  readonly user: UserName
  readonly folder: string
  readonly tokens: TokenStore
  /** None: a guest. */
  readonly login: Login | undefined
}

export const homeOf = (folder: string, user: string, device: string, isFirst = device === "desk"): Home => {
  let kept: ReadonlyArray<Token> = []
  return {
    name: `${user}'s ${device}`,
    user: UserName.make(user),
    folder: `${folder}/${user}/${device}`,
    login: isFirst ? { _tag: "Register", password } : { _tag: "Password", password },
    tokens: {
      read: Effect.sync(() => kept),
      keep: (token, used) =>
        Effect.sync(() => {
          kept = withToken(kept, token, used)
        }),
      forget: Effect.void
    }
  }
}

type Asked = Parameters<typeof makeRooms>[0]

export interface SwitchOptions extends SealedOptions {
  /** In place of the store as it is: for what a test leaves out, or holds up. */
  readonly store?: (store: SealedStore) => SealedStore
  /** In place of the file that the store is in. */
  readonly file?: (file: StateFile) => StateFile
  /** In place of the client as the rooms ask it. */
  readonly client?: (client: Asked) => Asked
  /** Where its news go, if not to an array of its own. */
  readonly keepNews?: Array<SealedNews>
}

/** Switched on for as long as the scope is open. */
export const switchOn = Effect.fnUntraced(function* (port: number, home: Home, options: SwitchOptions = {}) {
  const { key, state } = statePaths(home.folder, "chat.example:6667", home.user)
  const opened = yield* open(state, { _tag: "File", path: key })
  const file = options.file?.(opened) ?? opened
  const store = options.store?.(makeStore(file)) ?? makeStore(file)
  const socket = yield* NodeSocket.makeNet({ host: "127.0.0.1", port, noDelay: true })
  const network = yield* Latch.make(true)
  let connection: Scope.Closeable | undefined
  const breakable = Socket.make({
    writer: socket.writer,
    reader: Effect.gen(function* () {
      yield* network.await
      connection = yield* Scope.fork(yield* Effect.scope)
      return yield* Scope.provide(socket.reader, connection)
    })
  })
  const cut = Effect.suspend(() => (connection === undefined ? Effect.void : Scope.close(connection, Exit.void)))
  const { login, tokens, user } = home
  const layer = Layer.provide(
    Client.layer({ user, login, tokens, settledAfter: 0 }),
    Layer.succeed(Socket.Socket, breakable)
  )
  const client = Context.get(yield* Layer.build(layer), Client)
  const rooms: SealedRooms = yield* Effect.provide(
    makeRooms(options.client?.(client) ?? client, store, { patience: 20, ...options }),
    SecureRandom.layerWebCrypto
  )
  const heard: Array<string> = []
  const hear = (event: ClientEvent) =>
    Effect.tap(rooms.hear(event), () =>
      Effect.sync(() => heard.push(event._tag === "Received" ? event.message._tag : event._tag))
    )
  const news: Array<SealedNews> = options.keepNews ?? []
  yield* Effect.forkScoped(Stream.runForEach(rooms.news, (one) => Effect.sync(() => news.push(one))))
  yield* client.events.pipe(Stream.runForEach(hear), Effect.ignore, Effect.forkScoped)
  return { home, client, rooms, store, news, heard, cut, network }
})
export type Device = Effect.Success<ReturnType<typeof switchOn>>

/** Without a goodbye, which nobody would answer: a client that does not know yet waits two seconds for that. */
export const cutOff = ({ client, cut }: Device) =>
  Effect.andThen(
    cut,
    Effect.ignore(
      until(
        "it knows",
        Effect.map(client.isConnected, (isConnected) => !isConnected),
        1000
      )
    )
  )

export const vault = RoomName.make("vault")

/** It was waited for in vain. */
class NeverSo extends Schema.TaggedError<NeverSo>()("NeverSo", { what: Schema.String, patience: Schema.Finite }) {
  override readonly message = `not within ${this.patience} ms: ${this.what}`
}

/** Looks again until it is so; the test's own time is the bound. */
export const until = <E, R>(what: string, is: Effect.Effect<boolean, E, R>, patience = 20_000) =>
  Effect.andThen(Effect.sleep(5), is).pipe(
    Effect.repeat({ until: (holds) => holds }),
    Effect.timeoutOption(patience),
    Effect.flatMap((done) => (done._tag === "Some" ? Effect.void : new NeverSo({ what, patience })))
  )

export const say = ({ rooms }: Device, content: string, room = vault) => rooms.say(room, { _tag: "Said", content })

/** What a device has read there, as texts; what it could not read by its reason. */
export const texts = ({ rooms }: Device, room = vault) =>
  Effect.map(rooms.rows(room), (rows) =>
    rows.flatMap(({ line }) => {
      if (line._tag === "Opened") return [line.saying._tag === "Reacted" ? line.saying.reaction : line.saying.content]
      return line._tag === "Unreadable" ? [`(${line.reason}: ${line.message})`] : []
    })
  )

export const isIn = ({ rooms }: Device, room = vault, members?: number) =>
  Effect.map(
    rooms.view(room),
    (view) => view?.state === "in" && (members === undefined || view.members.length === members)
  )

export const makeVault = Effect.fnUntraced(function* (device: Device, room = vault) {
  yield* device.rooms.ready
  yield* device.client.request({ _tag: "CreateRoom", room, encrypted: true })
  yield* device.client.request({ _tag: "JoinRoom", room })
  yield* until("the room has keys", isIn(device, room))
})

export const enter = Effect.fnUntraced(function* (device: Device, room = vault) {
  yield* device.rooms.ready
  yield* device.client.request({ _tag: "JoinRoom", room })
})

/** Another device of an account, signed in by one that is in. */
export const signInBy = Effect.fnUntraced(function* (first: Device, second: Device) {
  const refused = yield* Effect.flip(second.rooms.ready)
  const code = yield* first.rooms.signIn(DeviceId.make(refused.device))
  yield* second.rooms.link(code)
})
