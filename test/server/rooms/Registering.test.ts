/** Membership of a guest who becomes an account, while the store fails or others put it out. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { AccountNames } from "../../../src/server/accounts/AccountNames.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import { outcome, person, rest, running, withStore } from "./Household.ts"

const dev = RoomName.make("dev")
const ada = AccountId.make(1)
const ben = AccountId.make(2)

const join = { _tag: "JoinRoom", room: dev } as const
const create = { _tag: "CreateRoom", room: dev } as const
const list = { _tag: "ListRoomUsers", room: dev } as const

describe("A guest who registers", () => {
  it.effect("is a member of the rooms it is in, even if that can be stored only later", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const [guest, one] = [yield* person("guest"), yield* person("ada")]
          for (const request of [create, join]) yield* one.ask(request)
          store.breaks("join")
          one.register(ada)
          yield* rest
          assert.deepStrictEqual(yield* store.kept.rooms(ada), [])
          store.breaks()
          yield* TestClock.adjust("1 second")
          yield* rest
          assert.deepStrictEqual(yield* store.kept.rooms(ada), [dev])
          const other = yield* person("ada", ada)
          assert.deepStrictEqual((yield* other.ask({ _tag: "ListRooms" })).rooms, [
            { room: "dev", users: 1, member: true }
          ])
          yield* one.go
          const { away, users } = yield* guest.ask(list)
          assert.deepStrictEqual({ users, away }, { users: [], away: ["ada"] })
        })
      )
    )
  )

  it.effect("and is put out before that could be stored is no member, whatever can be stored then", () =>
    withStore((store) =>
      running(
        store,
        Effect.gen(function* () {
          const [owner, one] = [yield* person("ben", ben), yield* person("ada")]
          for (const request of [create, join]) yield* owner.ask(request)
          yield* one.ask(join)
          store.breaks("join")
          ;(yield* AccountNames).set({ id: ada, user: one.user, state: "Active" })
          one.register(ada)
          yield* rest
          assert.strictEqual(outcome(yield* owner.ask({ _tag: "Kick", room: dev, user: one.user })), "Sent")
          store.breaks()
          yield* TestClock.adjust("1 second")
          yield* rest
          assert.deepStrictEqual(yield* store.kept.rooms(ada), [])
          const { away, users } = yield* owner.ask(list)
          assert.deepStrictEqual({ users, away }, { users: ["ben"], away: undefined })
        })
      )
    )
  )
})
