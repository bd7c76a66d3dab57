/**
 * The server's processors without its door: people who are guests or connections of accounts, each of whom notes what it is
 * told. What is kept of members can be held up or broken, and outlives the processors.
 */
import { assert } from "@effect/vitest"
import { ConfigProvider, Context, Deferred, Effect, Exit, Layer, Option, Scope, Stream } from "effect"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { HandedOn } from "../../../src/common/wire/ClientMessage.ts"
import type { Connection } from "../../../src/connection/Connection.ts"
import { AccountNames } from "../../../src/server/accounts/AccountNames.ts"
import { AccountProcessor, type AccountsAnswer } from "../../../src/server/accounts/AccountProcessor.ts"
import { Accounts } from "../../../src/server/accounts/Accounts.ts"
import type { AccountsCommand } from "../../../src/server/accounts/AccountsCommand.ts"
import { Blocks } from "../../../src/server/accounts/Blocks.ts"
import { Memberships } from "../../../src/server/accounts/Memberships.ts"
import { PublishedDevices } from "../../../src/server/accounts/PublishedDevices.ts"
import { ServerConfig } from "../../../src/server/config/ServerConfig.ts"
import { Governances } from "../../../src/server/history/Governances.ts"
import { History, StorageUnavailable } from "../../../src/server/history/History.ts"
import { SealedRooms } from "../../../src/server/history/SealedRooms.ts"
import { UserProcessor } from "../../../src/server/inbox/UserProcessor.ts"
import { Announcements } from "../../../src/server/presence/Announcements.ts"
import * as Mailbox from "../../../src/server/processor/Mailbox.ts"
import { Turns } from "../../../src/server/processor/Turns.ts"
import { Reporting } from "../../../src/server/reports/Reporting.ts"
import { Lobby } from "../../../src/server/rooms/Lobby.ts"
import { LogReader } from "../../../src/server/rooms/LogReader.ts"
import { RoomProcessor } from "../../../src/server/rooms/RoomProcessor.ts"
import { ServerProcessor } from "../../../src/server/routing/ServerProcessor.ts"
import { SearchProcessor } from "../../../src/server/search/SearchProcessor.ts"
import type { AccountId } from "../../../src/server/session/AccountId.ts"
import type { Asker } from "../../../src/server/session/Asker.ts"
import { Sessions } from "../../../src/server/session/Sessions.ts"
import * as MemoryHistory from "../../../src/server/store/MemoryHistory.ts"
import * as MemoryReports from "../../../src/server/store/MemoryReports.ts"
import { storesOver } from "../../support/Stores.ts"
import { newAccount } from "../accounts/AccountsAsked.ts"

export interface Heard {
  readonly _tag: string
  readonly id?: string
  readonly room?: string
  readonly user?: string
  readonly users?: ReadonlyArray<string>
  readonly away?: ReadonlyArray<string>
  readonly count?: number
  readonly more?: boolean
  readonly joined?: ReadonlyArray<string>
  readonly left?: ReadonlyArray<string>
  readonly rooms?: ReadonlyArray<object>
  readonly messages?: ReadonlyArray<{ readonly content: string }>
  readonly reason?: { readonly _tag: string }
}

/** Long enough for all that waits for no time to pass. */
export const rest = Effect.repeat(Effect.yieldNow, { times: 200 })

/** What changes something in what is kept, or reads it. */
type Part = "join" | "leave" | "rooms" | "forget"

/** What is kept, of which parts can be made to fail, or to wait until they are let go on. */
const make = Effect.gen(function* () {
  const stores = yield* Layer.build(Layer.fresh(storesOver(MemoryHistory.layer)))
  const accounts = Context.get(stores, Accounts)
  // Theirs are the numbers 1 and 2.
  for (const name of ["ada", "ben"]) yield* Effect.orDie(accounts.create(newAccount(name)))
  const kept = Context.get(stores, Memberships)
  const history = Context.get(stores, History)
  const broken = new Set<Part>()
  const waiting = new Map<Part, Deferred.Deferred<void>>()
  const counts = { join: 0, leave: 0, rooms: 0, forget: 0 }
  const through = <A>(part: Part, act: Effect.Effect<A, StorageUnavailable>) =>
    Effect.suspend(() => {
      counts[part]++
      const gate = waiting.get(part)
      const acted = Effect.suspend(() =>
        broken.has(part) ? Effect.fail(new StorageUnavailable({ cause: "broken for a test" })) : act
      )
      return Effect.andThen(gate === undefined ? Effect.yieldNow : Deferred.await(gate), acted)
    })
  const memberships = Memberships.of({
    ...kept,
    join: (member, room, newest) => through("join", kept.join(member, room, newest)),
    leave: (account, room) => through("leave", kept.leave(account, room)),
    rooms: (account) => through("rooms", kept.rooms(account)),
    forget: (room) => through("forget", kept.forget(room))
  })
  return {
    accounts,
    kept,
    layer: Layer.mergeAll(
      Layer.succeed(Memberships, memberships),
      Layer.succeed(History, history),
      Layer.succeed(Governances, Context.get(stores, Governances)),
      Layer.succeed(SealedRooms, Context.get(stores, SealedRooms))
    ),
    counts,
    breaks: (...parts: ReadonlyArray<Part>) => {
      broken.clear()
      for (const part of parts) broken.add(part)
    },
    holdUp: (part: Part) => {
      const gate = Deferred.makeUnsafe<void>()
      waiting.set(part, gate)
      return Effect.suspend(() => {
        waiting.delete(part)
        return Effect.andThen(Deferred.succeed(gate, undefined), rest)
      })
    }
  }
})

export type Store = Effect.Success<typeof make>

/** What is asked about accounts waits for ever. */
const nobodyAsks = Layer.effect(AccountProcessor, Mailbox.make<AccountsCommand, AccountsAnswer>())

const servicesOver = (store: Store, settings: Readonly<Record<string, string>>) =>
  ServerProcessor.layer.pipe(
    Layer.provideMerge([RoomProcessor.layer, UserProcessor.layer, Lobby.layer]),
    Layer.provideMerge([
      LogReader.layer,
      SearchProcessor.layer,
      Layer.provide(Reporting.layer, MemoryReports.layer),
      AccountNames.layer,
      Blocks.layer,
      PublishedDevices.layer,
      nobodyAsks
    ]),
    Layer.provideMerge(Announcements.layer),
    Layer.provideMerge([Sessions.layer, Turns.layer, store.layer]),
    Layer.provideMerge(ServerConfig.layer),
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(settings)))
  )

export type Services = Layer.Success<ReturnType<typeof servicesOver>> | Scope.Scope

/** Processors over what is kept: from their start to their end. */
export const running = <A, E>(
  store: Store,
  use: Effect.Effect<A, E, Services>,
  settings: Readonly<Record<string, string>> = {}
) =>
  Effect.scoped(
    Effect.flatMap(Layer.build(Layer.fresh(servicesOver(store, settings))), (context) =>
      Effect.provideContext(use, context)
    )
  )

export const withStore = <A, E, R>(use: (store: Store) => Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.flatMap(make, use))

/** One connection that has been welcomed, of a guest or of an account. */
export const person = Effect.fnUntraced(function* (name: string, account?: AccountId) {
  const sessions = yield* Sessions
  const server = yield* ServerProcessor
  const lobby = yield* Lobby
  const heard: Array<Heard> = []
  /** A large reply is written in pieces. */
  let unfinished = ""
  const connection: Connection<never> = {
    messages: Stream.never,
    write: (frames) =>
      Effect.sync(() => {
        const lines = `${unfinished}${Buffer.concat(frames).toString()}`.split("\n")
        unfinished = lines.pop() ?? ""
        for (const line of lines) heard.push(JSON.parse(line))
      }),
    close: () => Effect.void
  }
  const scope = yield* Scope.fork(yield* Effect.scope)
  const session = yield* sessions.open(connection).pipe(Scope.provide(scope))
  const user = UserName.make(name)
  let own = account
  const askerOf = (id?: string): Asker => {
    const request = session.requests.add({ id, about: undefined, characters: 1, isLarge: false })
    return { session: session.id, user, ...(own !== undefined && { account: own }), request }
  }
  const claimed = yield* Mailbox.ask(server, {
    _tag: "Claim",
    session: session.id,
    user,
    ...(account !== undefined && { account })
  })
  if (Option.isSome(claimed)) return assert.fail(`${name} was refused: ${claimed.value._tag}`)
  const joined = yield* Mailbox.ask(lobby.mailbox, { _tag: "Join", from: askerOf(), after: undefined })
  if (Option.isSome(joined)) yield* joined.value.follow
  Mailbox.tellUnsafe(server, { _tag: "Arrive", session: session.id })
  yield* rest

  let asked = 0
  /** Goes on at once. */
  const say = (message: HandedOn): string => {
    const id = `${++asked}`
    Mailbox.tellUnsafe(server, { _tag: "Request", from: askerOf(id), message })
    return id
  }
  const replyTo = (id: string): Heard => heard.find((one) => one.id === id) ?? assert.fail(`${name} heard no reply`)
  return {
    user,
    session: session.id,
    heard,
    say,
    /** What is answered when everything has come to rest: its `_tag`, or why not. */
    ask: (message: HandedOn) => {
      const id = say(message)
      return Effect.map(rest, () => replyTo(id))
    },
    /** The tags of all replies, in order. */
    replies: () => heard.flatMap(({ _tag, id, reason }) => (id === undefined ? [] : [reason?._tag ?? _tag])),
    /** What was told of a kind, without having been asked for. */
    told: (tag: string) => heard.filter(({ _tag, id }) => _tag === tag && id === undefined),
    register: (account: AccountId) => {
      own = account
      Mailbox.tellUnsafe(server, { _tag: "Own", session: session.id, account, user })
    },
    /** The connection itself is no more. */
    end: Scope.close(scope, Exit.void),
    go: Effect.suspend(() => Effect.andThen(Mailbox.ask(server, { _tag: "Gone", session: session.id }), rest))
  }
})

export type Person = Effect.Success<ReturnType<typeof person>>

export const outcome = ({ _tag, reason }: Heard): string => reason?._tag ?? _tag
