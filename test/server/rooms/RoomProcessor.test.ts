/** The directory of rooms and its managers, with real sessions whose lines are noted, and with every fiber counted. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Array as Arr, ConfigProvider, Deferred, Effect, Layer, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Epoch } from "../../../src/common/log/Cursor.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { Connection } from "../../../src/connection/Connection.ts"
import { AccountNames } from "../../../src/server/accounts/AccountNames.ts"
import { AccountProcessor, type AccountsAnswer } from "../../../src/server/accounts/AccountProcessor.ts"
import type { AccountsCommand } from "../../../src/server/accounts/AccountsCommand.ts"
import { Blocks } from "../../../src/server/accounts/Blocks.ts"
import { PublishedDevices } from "../../../src/server/accounts/PublishedDevices.ts"
import { ServerConfig } from "../../../src/server/config/ServerConfig.ts"
import { History, StorageUnavailable } from "../../../src/server/history/History.ts"
import { Announcements } from "../../../src/server/presence/Announcements.ts"
import * as Mailbox from "../../../src/server/processor/Mailbox.ts"
import { Turns } from "../../../src/server/processor/Turns.ts"
import { Reporting } from "../../../src/server/reports/Reporting.ts"
import { LogReader } from "../../../src/server/rooms/LogReader.ts"
import type { RoomCommand } from "../../../src/server/rooms/RoomCommand.ts"
import { RoomProcessor } from "../../../src/server/rooms/RoomProcessor.ts"
import { SearchProcessor } from "../../../src/server/search/SearchProcessor.ts"
import type { Asker } from "../../../src/server/session/Asker.ts"
import { Sessions } from "../../../src/server/session/Sessions.ts"
import * as MemoryHistory from "../../../src/server/store/MemoryHistory.ts"
import { countingFibers } from "../../simulation/Life.ts"
import { oneOf, tries, wholeNumber } from "../../support/generators.ts"
import { storesOver } from "../../support/Stores.ts"

const room = RoomName.make("dev")

/** As many rooms as one likes. */
const settings = ConfigProvider.layer(ConfigProvider.fromEnvRecord({ MAX_ROOMS: "10000", MAX_ROOMS_PER_USER: "10000" }))

/** What is asked about accounts waits for ever. */
const nobodyAsks = Layer.effect(AccountProcessor, Mailbox.make<AccountsCommand, AccountsAnswer>())

const servicesWith = (history: Layer.Layer<History>) =>
  RoomProcessor.layer.pipe(
    Layer.provideMerge([
      LogReader.layer,
      SearchProcessor.layer,
      Reporting.layer,
      Announcements.layer,
      AccountNames.layer,
      Blocks.layer,
      PublishedDevices.layer,
      nobodyAsks
    ]),
    Layer.provideMerge([Sessions.layer, Turns.layer, storesOver(history)]),
    Layer.provideMerge(ServerConfig.layer),
    Layer.provide(settings)
  )

type Part = "append" | "newest" | "read"

/** A history of which parts can be broken: what is asked of them then fails, though not at once. */
const breakable = () => {
  let broken: ReadonlyArray<Part> = []
  const failure = Effect.fail(new StorageUnavailable({ cause: "broken" }))
  const orFail = <A>(part: Part, effect: Effect.Effect<A, StorageUnavailable>) =>
    Effect.suspend(() =>
      broken.includes(part) ? Effect.andThen(Effect.repeat(Effect.yieldNow, { times: 10 }), failure) : effect
    )
  const layer = Layer.effect(
    History,
    Effect.map(History, (history) =>
      History.of({
        ...history,
        append: (entries) => orFail("append", history.append(entries)),
        read: (...args) => orFail("read", history.read(...args)),
        newest: (conversation) => orFail("newest", history.newest(conversation))
      })
    )
  ).pipe(Layer.provide(MemoryHistory.layer))
  return {
    layer,
    breaks: (...parts: ReadonlyArray<Part>) => {
      broken = parts
    }
  }
}

interface Heard {
  readonly _tag: string
  readonly id?: string
  readonly seq?: number
  readonly epoch?: Epoch
  readonly users?: ReadonlyArray<string>
  readonly reason?: { readonly _tag: string }
}

/** Long enough for all that waits for no time to pass. */
const rest = Effect.repeat(Effect.yieldNow, { times: 100 })

type Wish = "join" | "return" | "leave" | "say" | "list" | "read"

const person = Effect.fnUntraced(function* (name: string) {
  const sessions = yield* Sessions
  const mailbox = yield* RoomProcessor
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
  const session = yield* sessions.open(connection)
  const user = UserName.make(name)
  let asked = 0

  const commandOf = (wish: Wish, from: Asker): RoomCommand => {
    switch (wish) {
      case "join":
        return { _tag: "Join", from, after: undefined }
      case "return":
        return {
          _tag: "Join",
          from,
          after: { epoch: heard.find(({ epoch }) => epoch)?.epoch ?? Epoch.make("none"), seq: 0 }
        }
      case "leave":
        return { _tag: "Leave", from }
      case "say":
        return { _tag: "Act", from, body: { _tag: "Said", content: `${name} ${from.request}` }, key: undefined }
      case "list":
        return { _tag: "ListMembers", from, after: undefined }
      case "read":
        return { _tag: "ReadHistory", from, range: { after: undefined, before: undefined, limit: 50 } }
    }
  }
  const asker = (isLarge: boolean): Asker => {
    const request = session.requests.add({ id: `${++asked}`, about: "room", characters: 1, isLarge })
    return { session: session.id, user, request }
  }
  return {
    heard,
    asked: () => asked,
    create: (name: RoomName) =>
      Mailbox.tellUnsafe(mailbox, {
        _tag: "Create",
        from: asker(false),
        room: name,
        isPrivate: false,
        isEncrypted: false,
        topic: undefined
      }),
    /** Goes on at once. */
    ask: (...wishes: ReadonlyArray<Wish>) => {
      for (const wish of wishes) {
        const from = asker(false)
        Mailbox.tellUnsafe(mailbox, { _tag: "InRoom", from, room, command: commandOf(wish, from) })
      }
    },
    /** As a connection does it: no further until what may be large has been given. */
    askAndTake: (wish: Wish) =>
      Effect.suspend(() => {
        const from = asker(wish !== "leave" && wish !== "say")
        Mailbox.tellUnsafe(mailbox, { _tag: "InRoom", from, room, command: commandOf(wish, from) })
        return session.requests.largeGiven()
      }),
    go: () => Mailbox.tellUnsafe(mailbox, { _tag: "Gone", session: session.id }),
    replies: () => heard.flatMap(({ _tag, id, reason }) => (id === undefined ? [] : [reason?._tag ?? _tag])),
    last: (tag: string) => heard.findLast(({ _tag }) => _tag === tag) ?? assert.fail(`${name} heard no ${tag}`)
  }
})

type Needs = History | RoomProcessor | Sessions | Turns | Scope.Scope

/** `fibers`: how many there are more than at the beginning. */
const withRooms = <A, E>(use: (fibers: () => number) => Effect.Effect<A, E, Needs>, history = MemoryHistory.layer) => {
  const tally = { count: 0 }
  return Effect.scoped(
    Effect.gen(function* () {
      const context = yield* countingFibers(tally)(Layer.build(Layer.fresh(servicesWith(history))))
      yield* rest
      const before = tally.count
      return yield* Effect.provideContext(
        use(() => tally.count - before),
        context
      )
    })
  )
}

/** Nothing else that is in memory has its turn until it is opened. */
const gate = Effect.gen(function* () {
  const turns = yield* Turns
  const opened = yield* Deferred.make<void>()
  yield* Effect.forkChild(turns.memory.take("gate", Deferred.await(opened)), { startImmediately: true })
  yield* rest
  return { open: Deferred.succeed(opened, undefined) }
})

describe("Rooms", () => {
  it.effect("that nobody is in have no fiber, however many there are", () =>
    withRooms((fibers) =>
      Effect.gen(function* () {
        const ada = yield* person("ada")
        for (let count = 0; count < 10_000; count++) ada.create(RoomName.make(`room-${count}`))
        yield* rest.pipe(Effect.repeat({ until: () => ada.replies().length === 10_000 }))
        assert.deepStrictEqual(Arr.dedupe(ada.replies()), ["RoomCreated"])
        assert.strictEqual(fibers(), 0)
      })
    )
  )

  it.effect("have fibers while somebody is in, and are the same rooms when they had none in between", () =>
    withRooms((fibers) =>
      Effect.gen(function* () {
        const ada = yield* person("ada")
        ada.create(room)
        ada.ask("join", "say")
        yield* rest
        const { epoch } = ada.last("RoomJoined")
        assert.isAbove(fibers(), 0)
        ada.ask("leave")
        yield* rest
        assert.strictEqual(fibers(), 0)
        ada.ask("join", "say", "list")
        yield* rest
        const { epoch: later, seq } = ada.last("RoomJoined")
        assert.deepStrictEqual([later, seq], [epoch, 1])
        assert.strictEqual(ada.last("RoomMessage").seq, 2)
        assert.deepStrictEqual(ada.last("RoomUsers").users, ["ada"])
        ada.go()
        yield* rest
        assert.strictEqual(fibers(), 0)
      })
    )
  )

  it.effect("that nobody is in answer whoever asks, and have no fiber for that", () =>
    withRooms((fibers) =>
      Effect.gen(function* () {
        const ada = yield* person("ada")
        ada.create(room)
        ada.ask("list", "leave", "say", "read")
        yield* Effect.repeat(Effect.sync(fibers), { until: () => ada.replies().length === 5 }).pipe(
          Effect.zipWith(rest, (most) => assert.strictEqual(most, 0), { concurrent: true })
        )
        assert.deepStrictEqual(ada.replies(), ["RoomCreated", "RoomUsers", "NotInRoom", "NotInRoom", "NotInRoom"])
        assert.deepStrictEqual(ada.last("RoomUsers").users, [])
      })
    )
  )

  it.effect("lose nobody who comes while their manager is about to end", () =>
    withRooms((fibers) =>
      Effect.gen(function* () {
        const [ada, ben] = [yield* person("ada"), yield* person("ben")]
        ada.create(room)
        ada.ask("join", "say")
        yield* rest
        const { open } = yield* gate
        ada.ask("leave")
        yield* rest
        ben.ask("join")
        yield* open
        yield* rest
        ben.ask("say", "say")
        yield* rest
        assert.deepStrictEqual(ben.replies(), ["RoomJoined", "Sent", "Sent"])
        assert.strictEqual(ben.last("RoomMessage").seq, 3)
        ben.ask("leave")
        yield* rest
        assert.strictEqual(fibers(), 0)
      })
    )
  )

  it.effect("are not ended by the last word of an earlier manager", () =>
    withRooms((fibers) =>
      Effect.gen(function* () {
        const [ada, ben, cyd] = [yield* person("ada"), yield* person("ben"), yield* person("cyd")]
        ada.create(room)
        ada.ask("join", "say")
        yield* rest
        // Then its members have been told that she came.
        yield* TestClock.adjust("50 millis")
        yield* rest
        const first = yield* gate
        // It is said again with its own reminder to tell others who left.
        ada.ask("leave")
        yield* rest
        const second = yield* gate
        yield* first.open
        yield* rest
        assert.strictEqual(fibers(), 1, "what it said again waits for its turn")
        for (const one of [ada, ben, cyd]) one.ask("join")
        yield* rest
        yield* second.open
        yield* rest
        cyd.ask("say", "list")
        yield* rest
        assert.deepStrictEqual(cyd.replies(), ["RoomJoined", "Sent", "RoomUsers"])
        assert.strictEqual(ben.last("RoomMessage").seq, 2)
      })
    )
  )

  it.effect("answer who asked before they are ended", () =>
    withRooms((fibers) =>
      Effect.gen(function* () {
        const [ada, ben] = [yield* person("ada"), yield* person("ben")]
        ada.create(room)
        ada.ask("join", "say")
        yield* rest
        const { open } = yield* gate
        ben.ask("list", "list", "list")
        ada.ask("leave")
        yield* rest
        yield* open
        yield* rest
        assert.deepStrictEqual(ben.replies(), ["RoomUsers", "RoomUsers", "RoomUsers"])
        assert.strictEqual(fibers(), 0)
      })
    )
  )

  it.effect("stay for who comes while their maker goes", () =>
    withRooms(() =>
      Effect.gen(function* () {
        const [ada, ben] = [yield* person("ada"), yield* person("ben")]
        ada.create(room)
        yield* rest
        const { open } = yield* gate
        ada.go()
        ben.ask("join")
        yield* open
        yield* rest
        ben.ask("say", "list")
        yield* rest
        assert.deepStrictEqual(ben.replies(), ["RoomJoined", "Sent", "RoomUsers"])
      })
    )
  )

  it.effect("that were made again stay when the maker of the one before goes", () =>
    withRooms(() =>
      Effect.gen(function* () {
        const [ada, ben] = [yield* person("ada"), yield* person("ben")]
        const mailbox = yield* RoomProcessor
        ada.create(room)
        yield* rest
        const { open } = yield* gate
        ada.go()
        Mailbox.tellUnsafe(mailbox, { _tag: "Emptied", room })
        ben.create(room)
        yield* rest
        yield* open
        yield* rest
        ben.ask("list")
        yield* rest
        assert.deepStrictEqual(ben.replies(), ["RoomCreated", "RoomUsers"])
      })
    )
  )

  it.effect("let in who comes while it is not known whether what was said last is stored", () => {
    const history = breakable()
    return withRooms(
      (fibers) =>
        Effect.gen(function* () {
          const [ada, ben] = [yield* person("ada"), yield* person("ben")]
          ada.create(room)
          ada.ask("join", "say")
          yield* rest
          history.breaks("append", "newest")
          ada.ask("say", "leave")
          yield* rest
          ben.ask("join")
          yield* rest
          assert.deepStrictEqual(ada.replies().slice(-2), ["StorageUnavailable", "RoomLeft"])
          assert.deepStrictEqual(ben.replies(), ["RoomJoined"])
          ben.ask("leave")
          yield* rest
          assert.isAbove(fibers(), 0)
          history.breaks()
          yield* TestClock.adjust("1 second")
          yield* rest
          assert.strictEqual(fibers(), 0)
        }),
      history.layer
    )
  })

  it.effect("have no fiber any more when whoever came last could not be let in", () => {
    const history = breakable()
    return withRooms(
      (fibers) =>
        Effect.gen(function* () {
          const ada = yield* person("ada")
          ada.create(room)
          ada.ask("join")
          yield* rest
          ada.ask("say", "leave")
          yield* rest
          assert.strictEqual(fibers(), 0)
          history.breaks("read")
          ada.ask("return")
          yield* rest
          assert.strictEqual(ada.replies().at(-1), "StorageUnavailable")
          assert.strictEqual(fibers(), 0)
        }),
      history.layer
    )
  })

  it.effect.prop(
    "answer every request once, lose no message and leave nothing behind, whenever people come and go",
    {
      scripts: Arbitrary.array(
        Arbitrary.array(
          Arbitrary.all({
            wish: oneOf<Wish | "gate">("join", "join", "leave", "leave", "say", "say", "list", "read", "gate"),
            turns: wholeNumber(0, 12)
          }),
          { maxLength: 14 }
        ),
        { minLength: 3, maxLength: 3 }
      )
    },
    ({ scripts }) =>
      withRooms((fibers) =>
        Effect.gen(function* () {
          const turns = yield* Turns
          const pause = (count: number) => Effect.repeat(Effect.yieldNow, { times: count })
          const maker = yield* person("maker")
          maker.create(room)
          maker.ask("join", "say", "leave")
          const people = yield* Effect.forEach(scripts, (_, index) => person(`person-${index}`))
          yield* Effect.forEach(
            people,
            (one, index) =>
              Effect.forEach(scripts[index] ?? [], ({ turns: count, wish }) =>
                Effect.andThen(
                  wish === "gate"
                    ? Effect.forkChild(turns.memory.take("gate", pause(count)))
                    : Effect.asVoid(one.askAndTake(wish)),
                  pause(count)
                )
              ),
            { concurrency: "unbounded", discard: true }
          )
          yield* rest
          for (const one of [maker, ...people]) one.go()
          yield* rest

          assert.strictEqual(fibers(), 0)
          const history = yield* History
          const { seq } = yield* history.newest({ _tag: "Room", room })
          const sent = [maker, ...people].flatMap(({ heard }) =>
            heard.flatMap(({ _tag, seq }) => (_tag === "Sent" ? [seq] : []))
          )
          assert.sameMembers(
            sent,
            Arr.makeBy(seq, (index) => index + 1)
          )
          for (const { asked, heard, replies } of people) {
            assert.lengthOf(replies(), asked())
            // Behind the place at which one came everything is heard until one goes.
            let place: number | undefined
            for (const { _tag, id, seq } of heard) {
              if (_tag === "RoomJoined") place = seq
              if (_tag === "RoomMessage") assert.strictEqual(seq, (place = (place ?? Number.NaN) + 1))
              if (_tag === "RoomLeft" && id !== undefined) place = undefined
            }
          }
        })
      ),
    tries(100)
  )
})
