import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import { nameKey } from "../../../src/common/name/Name.ts"
import { pageOf } from "../../../src/server/lists/NamePage.ts"
import { oneOf, tries, wholeNumber } from "../../support/generators.ts"

const names = (count: number) => Array.from({ length: count }, (_, index) => `Guest-${`${index}`.padStart(5, "0")}`)
const someCount = oneOf(0, 1, 999, 1000, 1001, 2000, 3456)

describe("A page of names", () => {
  it.prop(
    "follows the one before until all have been given once, in order, a thousand at most at a time",
    [someCount],
    ([count]) => {
      const all = names(count)
      const given: Array<string> = []
      for (let after: string | undefined; ;) {
        const [page, numbered] = pageOf(all, nameKey, after)
        assert.isAtMost(page.length, 1000)
        assert.strictEqual(numbered.count, count)
        given.push(...page)
        if (numbered.more !== true) break
        after = page.at(-1)?.toUpperCase()
        assert.isDefined(after)
      }
      assert.deepStrictEqual(given, all)
    },
    tries(20)
  )

  it.prop(
    "begins behind a name also where that is not on the list",
    [Arbitrary.all({ count: wholeNumber(1, 50), place: wholeNumber(0, 60) })],
    ([{ count, place }]) => {
      const [page] = pageOf(names(count), nameKey, `Guest-${`${place}`.padStart(5, "0")}x`)
      assert.deepStrictEqual(page, names(count).slice(place + 1))
    },
    tries(100)
  )
})
