import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import { nameKey } from "../../../src/common/name/Name.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { makeReservedNames } from "../../../src/server/accounts/ReservedNames.ts"
import { looksOf } from "../../../src/server/accounts/Skeleton.ts"
import { oneOf, tries } from "../../support/generators.ts"

const name = (text: string) => UserName.make(text)

const reserving = (...texts: ReadonlyArray<string>) => {
  const names = makeReservedNames()
  for (const text of texts) names.add(name(text))
  return names
}

describe("The reserved names", () => {
  it("tell of the same name, as it was reserved", () => {
    const names = reserving("Ada")
    for (const spelling of ["Ada", "ada", "ADA"]) assert.strictEqual(names.similarTo(name(spelling)), "Ada")
  })

  it("tell of one that looks like it", () => {
    const names = reserving("Paul")
    for (const other of ["PauI", "pau1", "Раul"]) assert.strictEqual(names.similarTo(name(other)), "Paul")
    assert.isUndefined(names.similarTo(name("pauline")))
  })

  it("tell of the same name rather than of one that looks like it", () => {
    const names = reserving("paul", "pau1")
    assert.strictEqual(names.similarTo(name("PAU1")), "pau1")
    assert.strictEqual(names.similarTo(name("PauI")), "paul")
  })

  it("keep the spelling in which a name was reserved first", () => {
    const names = reserving("Ada", "ADA")
    assert.strictEqual(names.similarTo(name("ada")), "Ada")
    names.free(name("ada"))
    assert.isUndefined(names.similarTo(name("ada")))
  })

  it("free a name in whatever spelling, with both its looks, and none that looks like it", () => {
    const names = reserving("Ilya", "llya")
    names.free(name("ILYA"))
    assert.strictEqual(names.similarTo(name("1lya")), "llya")
    assert.isUndefined(names.similarTo(name("ilya")))
    names.free(name("1lya"))
    assert.strictEqual(names.similarTo(name("1lya")), "llya")
  })

  it("free both looks of a name also where the spelling that was freed has one", () => {
    const names = reserving("Ilya")
    names.free(name("ilya"))
    assert.isUndefined(names.similarTo(name("1lya")))
  })

  const someName = oneOf("ada", "Ada", "аda", "AdA", "paul", "PauI", "Paul", "pau1", "Ilya", "ilya", "llya", "m", "rn")
  const someStep = Arbitrary.all([oneOf("add", "free"), Arbitrary.map(someName, name)])

  it.prop(
    "answer whatever happens as a plain list of names would",
    [Arbitrary.array(someStep), Arbitrary.map(someName, name)],
    ([steps, asked]) => {
      const names = makeReservedNames()
      let naive: ReadonlyArray<UserName> = []
      const isSame = (one: UserName) => (other: UserName) => nameKey(one) === nameKey(other)
      for (const [what, name] of steps) {
        names[what === "add" ? "add" : "free"](name)
        if (what === "free") naive = naive.filter((other) => !isSame(name)(other))
        else if (!naive.some(isSame(name))) naive = [...naive, name]
      }
      const alike = naive.filter((other) => looksOf(other).some((look) => looksOf(asked).includes(look)))
      const found = names.similarTo(asked)
      const same = naive.find(isSame(asked))
      if (same !== undefined) assert.strictEqual(found, same)
      else if (alike.length === 0) assert.isUndefined(found)
      else assert.include(alike, found)
    },
    tries(500, 20)
  )
})
