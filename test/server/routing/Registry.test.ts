import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Array as Arr, HashMap, Option, Result } from "effect"
import { nameKey } from "../../../src/common/name/Name.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import * as Registry from "../../../src/server/routing/Registry.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import { SessionId } from "../../../src/server/session/Asker.ts"
import { someUser, tries, wholeNumber } from "../../support/generators.ts"
import { apply, applyAll, type RegistryCommand, someRegistryCommand } from "./RegistryCommands.ts"

/** One connection, and what it said of itself. */
interface Place {
  readonly session: number
  readonly user: string
  account: number | undefined
  present: boolean
}

/** The same, as a list one can read. */
class NaiveRegistry {
  places: Array<Place> = []

  namesakes(user: string): ReadonlyArray<Place> {
    return this.places.filter((place) => nameKey(place.user) === nameKey(user))
  }

  /** Those that others see, in the order in which they came. */
  seen(user: string): ReadonlyArray<Place> {
    return this.namesakes(user).filter(({ present }) => present)
  }

  step({ account, session, user, what }: RegistryCommand): string {
    const own = this.places.find((place) => place.session === session)
    if (what === "claim") {
      const others = this.namesakes(user)
      if (account === undefined && others.some((other) => other.account !== undefined)) return "AccountExists"
      if (others.some((other) => account === undefined || other.account !== account)) return "UserNameTaken"
      if (own !== undefined) return "AlreadyIdentified"
      if (others.length === 16) return "TooManyConnections"
      this.places.push({ session, user: others[0]?.user ?? user, account, present: false })
      return "ok"
    }
    if (own === undefined) return "none"
    if (what === "own") {
      if (own.account !== undefined || account === undefined) return "none"
      own.account = account
      return "ok"
    }
    if (what === "arrive" && own.present) return "none"
    const before = this.seen(own.user).length
    if (what === "depart") this.places = this.places.filter((place) => place !== own)
    else {
      // Behind those that are there already.
      this.places = [...this.places.filter((place) => place !== own), own]
      own.present = true
    }
    const isNews = (before === 0) !== (this.seen(own.user).length === 0)
    return `${own.user}${isNews ? ", news" : ""}`
  }
}

const told = Option.match({
  onNone: () => "none",
  onSome: ([, { isNews, user }]: readonly [Registry.Registry, Registry.Arrived]) => `${user}${isNews ? ", news" : ""}`
})

const outcome = (registry: Registry.Registry, { account, session, user, what }: RegistryCommand): string => {
  switch (what) {
    case "claim":
      return Result.match(Registry.claim(registry, session, user, account), {
        onFailure: ({ _tag }) => _tag,
        onSuccess: () => "ok"
      })
    case "arrive":
      return told(Registry.arrive(registry, session))
    case "own":
      return account !== undefined && Option.isSome(Registry.own(registry, session, account)) ? "ok" : "none"
    case "depart":
      return told(Registry.depart(registry, session))
  }
}

const ada = UserName.make("ada")
const account = AccountId.make(1)
const sessions = (count: number) => Arr.makeBy(count, (index) => SessionId.make(index + 1))
const claimAll = (count: number) =>
  applyAll(sessions(count).map((session) => ({ what: "claim", session, user: ada, account })))

describe("The registry of names", () => {
  const commands = Arbitrary.array(someRegistryCommand)

  it.prop(
    "answers whatever happens as a plain list of connections would",
    [commands],
    ([commands]) => {
      const naive = new NaiveRegistry()
      let registry = Registry.empty
      for (const command of commands) {
        assert.strictEqual(outcome(registry, command), naive.step(command))
        registry = apply(registry, command)
      }
    },
    tries(500, 60)
  )

  it.prop(
    "gives a name, in whatever spelling, to one guest's connection or to one account's",
    [commands],
    ([commands]) => {
      const registry = applyAll(commands)
      const owned = Array.from(HashMap.values(registry.byName))
      const held = owned.flatMap(({ claiming, present }) => [...claiming, ...present])
      assert.strictEqual(new Set(owned.map(({ user }) => nameKey(user))).size, owned.length)
      assert.strictEqual(new Set(held).size, held.length)
      assert.sameMembers([...HashMap.keys(registry.bySession)], held)
      for (const { account, claiming, present } of owned) {
        const count = claiming.length + present.length
        assert.isAbove(count, 0)
        if (account === undefined) assert.strictEqual(count, 1)
      }
    },
    tries(200, 60)
  )

  it.prop(
    "finds, by any spelling, exactly those that have arrived, with all their connections",
    [commands, someUser],
    ([commands, user]) => {
      const found = Option.getOrUndefined(Registry.find(applyAll(commands), user))
      const naive = new NaiveRegistry()
      for (const command of commands) naive.step(command)
      const there = naive.seen(user)
      assert.strictEqual(found?.user, there[0]?.user)
      assert.strictEqual(found?.account, there[0]?.account)
      assert.deepStrictEqual<ReadonlyArray<number>>(
        found?.present ?? [],
        there.map(({ session }) => session)
      )
    },
    tries(300, 60)
  )

  it.prop(
    "is empty again when everybody has departed",
    [commands],
    ([commands]) => {
      const departures = commands.map((command): RegistryCommand => ({ ...command, what: "depart" }))
      const registry = applyAll([...commands, ...departures])
      assert.strictEqual(HashMap.size(registry.byName), 0)
      assert.strictEqual(HashMap.size(registry.bySession), 0)
    },
    tries(100, 40)
  )

  it.prop(
    "lets an account be connected 16 times, of whom however many have been welcomed, and once more when one is gone",
    [wholeNumber(0, 16), wholeNumber(1, 16)],
    ([welcomed, goes]) => {
      const arrivals = sessions(welcomed).map((session): RegistryCommand => ({
        what: "arrive",
        session,
        user: ada,
        account
      }))
      const full = arrivals.reduce(apply, claimAll(16))
      const one = SessionId.make(17)
      assert.deepStrictEqual(
        Registry.claim(full, one, ada, account),
        Result.fail({ _tag: "TooManyConnections" as const })
      )
      const fewer = apply(full, { what: "depart", session: SessionId.make(goes), user: ada, account })
      assert.isTrue(Result.isSuccess(Registry.claim(fewer, one, ada, account)))
    },
    tries(60)
  )

  it("tells of a name once, whichever of its connections comes first and goes last", () => {
    const both = claimAll(2)
    const [first, second] = [SessionId.make(1), SessionId.make(2)]
    const [come, { isNews: isFirst }] = Option.getOrThrow(Registry.arrive(both, second))
    const [all, { isNews: isSecond }] = Option.getOrThrow(Registry.arrive(come, first))
    const [left, { isNews: isGone }] = Option.getOrThrow(Registry.depart(all, second))
    const [none, { isNews: isLast }] = Option.getOrThrow(Registry.depart(left, first))
    assert.deepStrictEqual([isFirst, isSecond, isGone, isLast], [true, false, false, true])
    assert.strictEqual(HashMap.size(none.byName), 0)
  })

  it("keeps a name while one of its connections is still to be welcomed, but others do not see it", () => {
    const [one] = Option.getOrThrow(Registry.arrive(claimAll(2), SessionId.make(1)))
    const [left, { isNews }] = Option.getOrThrow(Registry.depart(one, SessionId.make(1)))
    assert.isTrue(isNews)
    assert.isTrue(Option.isNone(Registry.find(left, ada)))
    assert.isTrue(Result.isFailure(Registry.claim(left, SessionId.make(3), ada)))
  })
})
