import { assert, describe, it } from "@effect/vitest"
import { attacks } from "./Attacks.ts"
import { assaultsOf } from "./HostileMode.ts"

describe("The attacks", () => {
  it("have names of their own, and quick sizes that are smaller", () => {
    assert.strictEqual(new Set(attacks.map(({ name }) => name)).size, attacks.length)
    assert.deepStrictEqual(
      attacks.flatMap(({ count, name }) => (count !== undefined && count.quick >= count.usual ? [name] : [])),
      []
    )
  })

  it("are all measured if none is named, a crowd only once", () => {
    const all = assaultsOf([], [1, 40])
    assert.deepStrictEqual(
      [...new Set(all.map(({ attack }) => attack.name))],
      attacks.map(({ name }) => name)
    )
    const ksOf = (wanted: string) => all.flatMap(({ attack: { name }, k }) => (name === wanted ? [k] : []))
    assert.deepStrictEqual([ksOf("history"), ksOf("rejoin")], [[1, 40], [40]])
  })

  it("are those that are named, with as many connections as are given", () => {
    assert.deepStrictEqual(
      assaultsOf(["keys", "users"], [7]).map(({ attack, k }) => [attack.name, k]),
      [
        ["keys", 7],
        ["users", 7]
      ]
    )
  })
})
