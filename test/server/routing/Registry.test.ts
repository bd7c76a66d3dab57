import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, HashMap, Option, Result } from "effect"
import { nameKey } from "../../../src/common/name/Name.ts"
import * as Registry from "../../../src/server/routing/Registry.ts"
import { someUser, tries } from "../../support/generators.ts"
import { apply, applyAll, type RegistryCommand, someRegistryCommand } from "./RegistryCommands.ts"

interface Owner {
  readonly session: number
  readonly user: string
  present: boolean
}

/** The same, as a list one can read. */
class NaiveRegistry {
  owners: Array<Owner> = []

  step({ session, user, what }: RegistryCommand): string {
    const own = this.owners.find((owner) => owner.session === session)
    if (what === "claim") {
      if (this.owners.some((owner) => nameKey(owner.user) === nameKey(user))) return "UserNameTaken"
      if (own !== undefined) return "AlreadyIdentified"
      this.owners.push({ session, user, present: false })
      return "ok"
    }
    if (own === undefined || (what === "arrive" && own.present)) return "none"
    if (what === "arrive") own.present = true
    else this.owners = this.owners.filter((owner) => owner !== own)
    return own.user
  }
}

const outcome = (registry: Registry.Registry, { session, user, what }: RegistryCommand): string => {
  if (what === "claim") {
    return Result.match(Registry.claim(registry, session, user), {
      onFailure: ({ _tag }) => _tag,
      onSuccess: () => "ok"
    })
  }
  if (what === "arrive") {
    return Option.match(Registry.arrive(registry, session), { onNone: () => "none", onSome: ([, user]) => user })
  }
  return Option.match(Registry.depart(registry, session), { onNone: () => "none", onSome: ([, { user }]) => user })
}

describe("The registry of names", () => {
  const commands = Arbitrary.array(someRegistryCommand)

  it.prop(
    "answers whatever happens as a plain list of owners would",
    [commands],
    ([commands]) => {
      const naive = new NaiveRegistry()
      let registry = Registry.empty
      for (const command of commands) {
        assert.strictEqual(outcome(registry, command), naive.step(command))
        registry = apply(registry, command)
      }
    },
    tries(300, 40)
  )

  it.prop(
    "gives a name, in whatever spelling, to one connection at most",
    [commands],
    ([commands]) => {
      const registry = applyAll(commands)
      const owned = Array.from(HashMap.values(registry.byName))
      assert.strictEqual(new Set(owned.map(({ user }) => nameKey(user))).size, owned.length)
      assert.strictEqual(new Set(owned.map(({ session }) => session)).size, owned.length)
      assert.strictEqual(HashMap.size(registry.bySession), owned.length)
    },
    tries(200, 40)
  )

  it.prop(
    "finds, by any spelling, exactly those that have arrived",
    [commands, someUser],
    ([commands, user]) => {
      const registry = applyAll(commands)
      const found = Option.map(Registry.find(registry, user), ({ user }) => user)
      const naive = new NaiveRegistry()
      for (const command of commands) naive.step(command)
      const there = naive.owners.find((owner) => owner.present && nameKey(owner.user) === nameKey(user))
      assert.strictEqual(Option.getOrUndefined(found), there?.user)
    },
    tries(300, 40)
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
})
