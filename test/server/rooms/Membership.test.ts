/** Membership stays: of accounts with several connections, over restarts and a store that fails or takes its time. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import * as Mailbox from "../../../src/server/processor/Mailbox.ts"
import { RoomProcessor } from "../../../src/server/rooms/RoomProcessor.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import { outcome, type Person, person, rest, running, withStore } from "./Household.ts"

const dev = RoomName.make("dev")
const ops = RoomName.make("ops")
const ada = AccountId.make(1)
const ben = AccountId.make(2)

const join = { _tag: "JoinRoom", room: dev } as const
const leave = { _tag: "LeaveRoom", room: dev } as const
const create = { _tag: "CreateRoom", room: dev } as const
const list = { _tag: "ListRoomUsers", room: dev } as const
const history = { _tag: "GetHistory", room: dev } as const
const listRooms = { _tag: "ListRooms" } as const
const message = (content: string) => ({ _tag: "RoomMessage", room: dev, content }) as const

const outcomes = Effect.fnUntraced(function* (one: Person, ...requests: ReadonlyArray<Parameters<Person["ask"]>[0]>) {
  const all: Array<string> = []
  for (const request of requests) all.push(outcome(yield* one.ask(request)))
  return all
})

const usersFor = Effect.fnUntraced(function* (one: Person) {
  const { away, count, users } = yield* one.ask(list)
  return { users, away, count }
})

describe("An account that has joined a room", () => {
  it.effect(
    "is a member when all its connections are gone: away, not counted among those present, and back without asking",
    () =>
      withStore((store) =>
        running(
          store,
          Effect.gen(function* () {
            const guest = yield* person("guest")
            const one = yield* person("ada", ada)
            assert.deepStrictEqual(yield* outcomes(one, create, join), ["RoomCreated", "RoomJoined"])
            assert.deepStrictEqual(yield* usersFor(guest), { users: ["ada"], away: undefined, count: 1 })
            yield* one.go
            assert.deepStrictEqual(yield* usersFor(guest), { users: [], away: ["ada"], count: 1 })
            assert.deepStrictEqual((yield* guest.ask(listRooms)).rooms, [{ room: "dev", users: 0 }])

            const again = yield* person("ada", ada)
            assert.deepStrictEqual((yield* again.ask(listRooms)).rooms, [{ room: "dev", users: 0, member: true }])
            const { count, users } = yield* guest.ask(join)
            assert.deepStrictEqual([users, count], [["guest"], 1])
            assert.deepStrictEqual(yield* outcomes(again, join), ["RoomJoined"])
            assert.deepStrictEqual(yield* usersFor(guest), { users: ["ada", "guest"], away: undefined, count: 2 })
            assert.strictEqual(store.counts.join, 1, "it was stored already")
          })
        )
      )
  )

  it.effect("is in by each of its connections that joined, and is named once", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const guest = yield* person("guest")
          const [one, other, third] = [yield* person("ada", ada), yield* person("ada", ada), yield* person("ada", ada)]
          yield* outcomes(guest, create, join)
          yield* TestClock.adjust("1 second")
          assert.deepStrictEqual(yield* outcomes(one, join, join), ["RoomJoined", "AlreadyInRoom"])
          assert.deepStrictEqual(yield* outcomes(other, message("not in"), join), ["NotInRoom", "RoomJoined"])
          yield* TestClock.adjust("1 second")
          assert.deepStrictEqual(yield* usersFor(guest), { users: ["ada", "guest"], away: undefined, count: 2 })
          assert.deepStrictEqual((yield* guest.ask(listRooms)).rooms, [{ room: "dev", users: 2 }])
          assert.deepStrictEqual((yield* guest.ask({ _tag: "ListUsers" })).users, ["ada", "guest"])
          assert.deepStrictEqual(yield* outcomes(one, message("hello")), ["Sent"])
          assert.lengthOf(other.told("RoomMessage"), 1)
          assert.lengthOf(third.told("RoomMessage"), 0)
          yield* one.go
          yield* TestClock.adjust("1 second")
          assert.deepStrictEqual(
            guest.told("RoomPresence").map(({ joined, left }) => [joined, left]),
            [[["ada"], []]]
          )
          yield* other.go
          yield* TestClock.adjust("1 second")
          assert.deepStrictEqual(guest.told("RoomPresence").at(-1)?.left, ["ada"])
          assert.lengthOf(
            guest.told("Presence").flatMap(({ left }) => left),
            0,
            "the third is still here"
          )
          yield* third.go
          yield* TestClock.adjust("1 second")
          assert.deepStrictEqual(guest.told("Presence").at(-1)?.left, ["ada"])
        })
      )
    )
  )

  it.effect("leaves it for all its connections, of whichever asks: the others are told, once, without an id", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const guest = yield* person("guest")
          const [one, other, away] = [yield* person("ada", ada), yield* person("ada", ada), yield* person("ada", ada)]
          yield* outcomes(guest, create, join)
          for (const connection of [one, other]) yield* outcomes(connection, join)
          yield* TestClock.adjust("1 second")
          assert.deepStrictEqual(yield* outcomes(away, leave, leave), ["RoomLeft", "NotInRoom"])
          assert.deepStrictEqual(one.told("RoomLeft"), [{ _tag: "RoomLeft", room: "dev" }])
          assert.deepStrictEqual(other.told("RoomLeft"), [{ _tag: "RoomLeft", room: "dev" }])
          assert.deepStrictEqual(away.told("RoomLeft"), [])
          assert.deepStrictEqual(yield* outcomes(other, message("?"), history, leave), [
            "NotInRoom",
            "NotInRoom",
            "NotInRoom"
          ])
          assert.deepStrictEqual(yield* usersFor(guest), { users: ["guest"], away: undefined, count: 1 })
          assert.deepStrictEqual(yield* store.kept.members(dev), [])
          yield* TestClock.adjust("1 second")
          assert.deepStrictEqual(guest.told("RoomPresence").at(-1)?.left, ["ada"])
        })
      )
    )
  )

  it.effect("has written what it wrote, though its connection is gone before that is stored", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const [one, other] = [yield* person("ada", ada), yield* person("ada", ada)]
          yield* outcomes(one, create, join)
          yield* outcomes(other, join)
          one.say(message("hello"))
          yield* one.end
          yield* one.go
          const edit = { _tag: "EditMessage", room: dev, target: 1, content: "hello all" } as const
          assert.deepStrictEqual(yield* outcomes(other, edit), ["Sent"])
        })
      )
    )
  )

  it.effect("may leave it where none of its connections is in, and nobody else is", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const one = yield* person("ada", ada)
          yield* outcomes(one, create, join, message("hello"))
          yield* one.go
          const again = yield* person("ada", ada)
          assert.deepStrictEqual(yield* outcomes(again, leave, leave), ["RoomLeft", "NotInRoom"])
          assert.deepStrictEqual(yield* store.kept.rooms(ada), [])
        })
      )
    )
  )

  it.effect("reads it on connections that are not in, and finds what was said there; others do not", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const one = yield* person("ada", ada)
          yield* outcomes(one, create, join, message("needle"))
          yield* one.go
          const [again, stranger] = [yield* person("ada", ada), yield* person("ben", ben)]
          assert.deepStrictEqual(
            (yield* again.ask(history)).messages?.map(({ content }) => content),
            ["needle"]
          )
          const everywhere = { _tag: "Search", query: "needle" } as const
          for (const search of [everywhere, { ...everywhere, room: dev }]) {
            assert.lengthOf((yield* again.ask(search)).messages ?? [], 1)
          }
          assert.lengthOf((yield* stranger.ask(everywhere)).messages ?? [], 0)
          assert.deepStrictEqual(yield* outcomes(stranger, history, { ...everywhere, room: dev }, leave), [
            "NotInRoom",
            "NotInRoom",
            "NotInRoom"
          ])
        })
      )
    )
  )

  it.effect("is a member after a restart, also of a room in which nothing was ever written", () =>
    withStore((store) =>
      Effect.gen(function* () {
        yield* running(
          store,
          Effect.gen(function* () {
            const one = yield* person("ada", ada)
            yield* outcomes(one, create, join)
            yield* one.go
          })
        )
        yield* running(
          store,
          Effect.gen(function* () {
            const [guest, one] = [yield* person("guest"), yield* person("ada", ada)]
            assert.deepStrictEqual(yield* outcomes(guest, create), ["RoomExists"])
            assert.deepStrictEqual((yield* guest.ask(listRooms)).rooms, [{ room: "dev", users: 0 }])
            assert.deepStrictEqual(yield* usersFor(guest), { users: [], away: ["ada"], count: 1 })
            assert.deepStrictEqual((yield* one.ask(listRooms)).rooms, [{ room: "dev", users: 0, member: true }])
            assert.deepStrictEqual(yield* outcomes(one, join), ["RoomJoined"])
          })
        )
      })
    )
  )

  it.effect("keeps an empty room while it is a member, and takes it along with what was kept when it leaves", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const guest = yield* person("guest")
          const one = yield* person("ada", ada)
          yield* outcomes(one, create, join)
          yield* one.go
          assert.lengthOf((yield* guest.ask(listRooms)).rooms ?? [], 1)
          const again = yield* person("ada", ada)
          const goOn = store.holdUp("forget")
          assert.deepStrictEqual(yield* outcomes(again, leave), ["RoomLeft"])
          assert.deepStrictEqual((yield* guest.ask(listRooms)).rooms, [])
          // Made again before the old one is forgotten, it must not lose its members to that.
          assert.deepStrictEqual(yield* outcomes(guest, create, join), ["RoomCreated", "RoomJoined"])
          again.say(join)
          yield* rest
          yield* goOn
          assert.strictEqual(again.replies().at(-1), "RoomJoined")
          assert.strictEqual(store.counts.forget, 1)
          assert.deepStrictEqual(yield* store.kept.rooms(ada), [dev])
        })
      )
    )
  )
})

describe("What is asked while a membership is being stored", () => {
  it.effect("is answered behind it on the same connection, and at once for everybody else", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const guest = yield* person("guest")
          const [one, other] = [yield* person("ada", ada), yield* person("ben", ben)]
          yield* outcomes(guest, create, join)
          yield* outcomes(other, join)
          const goOn = store.holdUp("join")
          for (const request of [join, message("first"), history, leave]) one.say(request)
          assert.deepStrictEqual(yield* outcomes(other, message("meanwhile")), ["Sent"])
          assert.deepStrictEqual(yield* usersFor(guest), { users: ["ben", "guest"], away: undefined, count: 2 })
          assert.deepStrictEqual(one.replies(), [])
          yield* goOn
          assert.deepStrictEqual(one.replies(), ["RoomJoined", "Sent", "History", "RoomLeft"])
          assert.deepStrictEqual(yield* store.kept.members(dev), [{ account: ben, user: other.user }])
        })
      )
    )
  )

  it.effect("is refused where it cannot be stored, and nothing has changed", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const guest = yield* person("guest")
          const one = yield* person("ada", ada)
          yield* outcomes(guest, create, join)
          store.breaks("join", "leave")
          assert.deepStrictEqual(yield* outcomes(one, join, message("?")), ["StorageUnavailable", "NotInRoom"])
          assert.deepStrictEqual(yield* usersFor(guest), { users: ["guest"], away: undefined, count: 1 })
          store.breaks("leave")
          assert.deepStrictEqual(yield* outcomes(one, join, leave, message("still in")), [
            "RoomJoined",
            "StorageUnavailable",
            "Sent"
          ])
          // Also when its connection goes then.
          yield* one.go
          assert.deepStrictEqual(yield* usersFor(guest), { users: ["guest"], away: ["ada"], count: 2 })
        })
      )
    )
  )

  it.effect("is one after it was told that it joined, also if its leaving was stored though that seemed to fail", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const one = yield* person("ada", ada)
          yield* outcomes(one, create, join)
          store.breaks("leave")
          assert.deepStrictEqual(yield* outcomes(one, leave), ["StorageUnavailable"])
          yield* store.kept.leave(ada, dev)
          assert.deepStrictEqual(yield* outcomes(yield* person("ada", ada), join), ["RoomJoined"])
          assert.deepStrictEqual(yield* store.kept.members(dev), [{ account: ada, user: one.user }])
          assert.strictEqual(store.counts.join, 2)
          // It is known again, and need not be stored once more.
          assert.deepStrictEqual(yield* outcomes(yield* person("ada", ada), join), ["RoomJoined"])
          assert.strictEqual(store.counts.join, 2)
        })
      )
    )
  )

  it.effect("finds the room when it is asked again after that, even if nobody else is in", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const one = yield* person("ada", ada)
          store.breaks("join")
          assert.deepStrictEqual(yield* outcomes(one, create, join), ["RoomCreated", "StorageUnavailable"])
          store.breaks()
          assert.deepStrictEqual(yield* outcomes(one, join), ["RoomJoined"])
        })
      )
    )
  )

  it.effect("leaves nobody in who is gone by then, but a member", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const guest = yield* person("guest")
          const one = yield* person("ada", ada)
          yield* outcomes(guest, create, join)
          const goOn = store.holdUp("join")
          one.say(join)
          yield* rest
          yield* one.go
          yield* goOn
          assert.deepStrictEqual(yield* usersFor(guest), { users: ["guest"], away: ["ada"], count: 2 })
        })
      )
    )
  )

  it.effect("leaves nobody in who goes while another connection leaves for both", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const guest = yield* person("guest")
          const [one, other] = [yield* person("ada", ada), yield* person("ada", ada)]
          yield* outcomes(guest, create, join)
          const goOn = store.holdUp("join")
          one.say(join)
          yield* rest
          assert.deepStrictEqual(yield* outcomes(other, leave), ["NotInRoom"])
          yield* one.go
          yield* goOn
          assert.deepStrictEqual(yield* usersFor(guest), { users: ["guest"], away: ["ada"], count: 2 })
        })
      )
    )
  )

  it.effect("comes one after the other from several connections of one account, and what is kept is what is so", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const guest = yield* person("guest")
          const [one, other] = [yield* person("ada", ada), yield* person("ada", ada)]
          yield* outcomes(guest, create, join)
          yield* outcomes(one, join)
          const goOn = store.holdUp("leave")
          one.say(leave)
          yield* rest
          other.say(join)
          yield* rest
          assert.strictEqual(store.counts.join, 1)
          yield* goOn
          assert.deepStrictEqual(one.replies(), ["RoomJoined", "RoomLeft"])
          assert.deepStrictEqual(other.replies(), ["RoomJoined"])
          assert.strictEqual(store.counts.join, 2, "its Join makes it a member again")
          assert.deepStrictEqual(yield* store.kept.rooms(ada), [dev])
          assert.deepStrictEqual(yield* usersFor(guest), { users: ["ada", "guest"], away: undefined, count: 2 })
        })
      )
    )
  )
})

describe("The rooms of an account", () => {
  it.effect("are limited together, whichever connection joins; a room it is in already is none more", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const [one, other] = [yield* person("ada", ada), yield* person("ada", ada)]
          const makers = [yield* person("first"), yield* person("second")]
          for (const [index, room] of [dev, ops].entries()) {
            const maker = makers[index]
            if (maker !== undefined) yield* outcomes(maker, { ...create, room }, { ...join, room })
          }
          yield* outcomes(one, join)
          assert.deepStrictEqual(yield* outcomes(other, { ...join, room: ops }, join), ["TooManyRooms", "RoomJoined"])
          yield* outcomes(one, leave)
          assert.deepStrictEqual(yield* outcomes(other, { ...join, room: ops }), ["RoomJoined"])
          yield* one.go
          yield* other.go
          const again = yield* person("ada", ada)
          assert.deepStrictEqual(yield* outcomes(again, join), ["TooManyRooms"])
        }),
        { MAX_ROOMS_PER_USER: "1" }
      )
    )
  )

  it.effect("count against the limit only if joining came true", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const [one, maker] = [yield* person("ada", ada), yield* person("guest")]
          yield* outcomes(maker, create, join)
          yield* outcomes(one, { ...create, room: ops })
          store.breaks("join")
          assert.deepStrictEqual(yield* outcomes(one, join), ["StorageUnavailable"])
          store.breaks()
          assert.deepStrictEqual(yield* outcomes(one, { ...join, room: ops }, join), ["RoomJoined", "TooManyRooms"])
        }),
        { MAX_ROOMS_PER_USER: "1" }
      )
    )
  )

  it.effect("are read once, while what depends on them waits in order; what cannot be read is refused", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const guest = yield* person("guest")
          const [one, other] = [yield* person("ada", ada), yield* person("ada", ada)]
          yield* outcomes(guest, create, join)
          const goOn = store.holdUp("rooms")
          for (const request of [listRooms, join, message("hello")]) one.say(request)
          other.say(join)
          assert.deepStrictEqual(yield* outcomes(guest, listRooms, message("hi")), ["RoomList", "Sent"])
          assert.deepStrictEqual(one.replies(), [])
          yield* goOn
          assert.deepStrictEqual(one.replies().toSorted(), ["RoomJoined", "RoomList", "Sent"])
          assert.deepStrictEqual(other.replies(), ["RoomJoined"])
          assert.strictEqual(store.counts.rooms, 1)

          store.breaks("rooms")
          const stranger = yield* person("ben", ben)
          assert.deepStrictEqual(yield* outcomes(stranger, listRooms, join, list), [
            "StorageUnavailable",
            "StorageUnavailable",
            "StorageUnavailable"
          ])
          store.breaks()
          assert.deepStrictEqual(yield* outcomes(stranger, listRooms, join), ["RoomList", "RoomJoined"])

          const before = store.counts.rooms
          for (const connection of [one, other]) yield* connection.go
          yield* outcomes(yield* person("ada", ada), listRooms)
          assert.strictEqual(store.counts.rooms, before + 1, "nothing is remembered of who is not here")
        })
      )
    )
  )

  it.effect(
    "hear that a connection went while they were read: it leaves nothing behind, but what it asked is done",
    () =>
      withStore((store) =>
        running(
          store,
          Effect.gen(function* () {
            const guest = yield* person("guest")
            const one = yield* person("ada", ada)
            yield* outcomes(one, create, join)
            yield* one.go
            const again = yield* person("ada", ada)
            const goOn = store.holdUp("rooms")
            for (const request of [listRooms, join, leave]) again.say(request)
            yield* again.go
            yield* goOn
            assert.deepStrictEqual((yield* guest.ask(listRooms)).rooms, [], "it has left, and nobody is in")
            assert.deepStrictEqual(yield* store.kept.rooms(ada), [])
          })
        )
      )
  )
})

describe("An account that is gone", () => {
  it.effect("is in no room any more, neither present nor away, and is told on what connections it has", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const guest = yield* person("guest")
          const [one, other] = [yield* person("ada", ada), yield* person("ben", ben)]
          yield* outcomes(guest, create, join)
          for (const account of [one, other]) yield* outcomes(account, join)
          yield* other.go
          for (const [account, { user }] of [
            [ada, one],
            [ben, other]
          ] as const) {
            yield* store.accounts.setState(account, "Deleted", undefined)
            Mailbox.tellUnsafe(yield* RoomProcessor, { _tag: "Dismiss", account, user })
          }
          yield* rest
          assert.deepStrictEqual(yield* usersFor(guest), { users: ["guest"], away: undefined, count: 1 })
          assert.deepStrictEqual(one.told("RoomLeft"), [{ _tag: "RoomLeft", room: "dev" }])
        })
      )
    )
  )
})
