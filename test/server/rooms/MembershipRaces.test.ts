/** Several connections of several accounts join, leave and go at once, over a store that fails and takes its time. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Array as Arr, Effect } from "effect"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import { oneOf, tries, wholeNumber } from "../../support/generators.ts"
import { type Heard, outcome, type Person, person, rest, running, withStore } from "./Household.ts"

const dev = RoomName.make("dev")
const accounts = ["ada", "ben"].map((name, index) => ({ name, account: AccountId.make(index + 1) }))
const connectionsOfEach = 3

type Deed = "join" | "leave" | "say" | "read" | "return" | "hold" | "release" | "break" | "mend"

interface Step {
  readonly deed: Deed
  readonly who: number
  /** So many turns of the event loop pass then. */
  readonly turns: number
}

const someStep: Arbitrary.Arbitrary<Step> = Arbitrary.all({
  deed: oneOf<Deed>(
    ...([
      "join",
      "join",
      "join",
      "leave",
      "leave",
      "say",
      "read",
      "return",
      "hold",
      "release",
      "break",
      "mend"
    ] as const)
  ),
  who: wholeNumber(0, accounts.length * connectionsOfEach - 1),
  turns: wholeNumber(0, 6)
})

const requests = {
  join: { _tag: "JoinRoom", room: dev },
  leave: { _tag: "LeaveRoom", room: dev },
  say: { _tag: "RoomMessage", room: dev, content: "hello" },
  read: { _tag: "GetHistory", room: dev }
} as const

/** Whether a connection is in the room, as far as it was told. */
const isIn = ({ heard }: Person): boolean =>
  heard.reduce((isIn, { _tag }) => _tag === "RoomJoined" || (isIn && _tag !== "RoomLeft"), false)

const repliesTo = ({ heard }: Person): ReadonlyArray<Heard> => heard.filter(({ id }) => id !== undefined)

describe("Memberships that change at once", () => {
  it.effect.prop(
    "are what is kept, each connection knows whether it is in, and each request is answered once and in order",
    { steps: Arbitrary.array(someStep, { maxLength: 40 }) },
    ({ steps }) =>
      withStore((store) =>
        running(
          store,
          Effect.gen(function* () {
            const guest = yield* person("guest")
            yield* guest.ask({ _tag: "CreateRoom", room: dev })
            yield* guest.ask(requests.join)
            const whose = (who: number) => accounts[who % accounts.length] ?? assert.fail("nobody")
            const people = yield* Effect.forEach(Arr.range(0, accounts.length * connectionsOfEach - 1), (who) =>
              person(whose(who).name, whose(who).account)
            )
            const asked = people.map(() => 0)
            const large = new Map<Person, string>()
            /** A connection asks no further until it was given what may be large. */
            const isWaiting = (one: Person) => large.has(one) && !repliesTo(one).some(({ id }) => id === large.get(one))
            let release: Effect.Effect<void> = Effect.void

            for (const { deed, turns, who } of steps) {
              const one = people[who] ?? assert.fail("nobody")
              if (deed === "hold") {
                yield* release
                release = Effect.asVoid(Effect.zip(store.holdUp("join"), store.holdUp("leave"), { concurrent: true }))
              } else if (deed === "release") yield* release
              else if (deed === "break") store.breaks("join", "leave")
              else if (deed === "mend") store.breaks()
              else if (deed === "return") {
                yield* one.go
                people[who] = yield* person(whose(who).name, whose(who).account)
                asked[who] = 0
              } else if (!isWaiting(one)) {
                const id = one.say(requests[deed])
                if (deed === "join" || deed === "read") large.set(one, id)
                asked[who] = (asked[who] ?? 0) + 1
              }
              yield* Effect.repeat(Effect.yieldNow, { times: turns })
            }
            store.breaks()
            yield* release
            yield* rest

            for (const [who, one] of people.entries()) {
              assert.deepStrictEqual(
                repliesTo(one).map(({ id }) => id),
                Array.from({ length: asked[who] ?? 0 }, (_, index) => `${index + 1}`)
              )
            }
            const kept = (yield* store.kept.members(dev)).map(({ user }) => user)
            const present = accounts.filter(({ name }) => people.some((one) => one.user === name && isIn(one)))
            const { away, count, users } = yield* guest.ask({ _tag: "ListRoomUsers", room: dev })
            assert.deepStrictEqual(users, [...present.map(({ name }) => name), "guest"])
            assert.deepStrictEqual(
              away ?? [],
              kept.filter((name) => !users?.includes(name))
            )
            assert.includeMembers<string>(
              kept,
              present.map(({ name }) => name)
            )
            assert.strictEqual(count, (users?.length ?? 0) + (away?.length ?? 0))
            for (const one of people) {
              const isMember = kept.includes(one.user)
              assert.strictEqual(outcome(yield* one.ask(requests.say)), isIn(one) ? "Sent" : "NotInRoom")
              assert.strictEqual(outcome(yield* one.ask(requests.read)), isMember ? "History" : "NotInRoom")
              const listed = (yield* one.ask({ _tag: "ListRooms" })).rooms
              const mine = isMember ? { member: true } : {}
              assert.deepStrictEqual(listed, [{ room: "dev", users: users?.length, ...mine }])
            }
            for (const one of people) yield* one.go
            const after = yield* guest.ask({ _tag: "ListRoomUsers", room: dev })
            assert.deepStrictEqual([after.users, after.away ?? []], [["guest"], kept])
          })
        )
      ),
    tries(20, 40)
  )
})
