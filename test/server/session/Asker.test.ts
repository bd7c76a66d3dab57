import { assert, describe, it } from "@effect/vitest"
import { nodeOf, sessionOf } from "../../../src/server/session/Asker.ts"
import { tries, wholeNumber } from "../../support/generators.ts"

describe("The number of a session", () => {
  it.prop(
    "says which node holds it, and is that of no other session of any node",
    [wholeNumber(0, 1000), wholeNumber(1, 2 ** 32 - 1), wholeNumber(0, 1000), wholeNumber(1, 2 ** 32 - 1)],
    ([node, count, otherNode, otherCount]) => {
      const session = sessionOf(node, count)
      assert.strictEqual(nodeOf(session), node)
      assert.strictEqual(session === sessionOf(otherNode, otherCount), node === otherNode && count === otherCount)
    },
    tries(200)
  )
})
