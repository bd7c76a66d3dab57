import { assert, describe, it } from "@effect/vitest"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import { sqlProblem } from "../../../src/server/admin/AdminError.ts"
import { describeProblem } from "../../../src/server/sql/CannotOpenDatabase.ts"
import { isDamaged, isFull, sentenceOf, summaryOf } from "../../../src/server/sql/SqliteProblem.ts"

/** As SQLite's thread tells it; the upper bytes of a code say more. */
const errorOf = (errno: number) =>
  new SqlError({
    reason: classifySqliteError(Object.assign(new Error("so says SQLite"), { errno }), { message: "so says SQLite" })
  })

describe("What SQLite says", () => {
  it.each([5, 8, 10, 11, 13, 14, 26].flatMap((code) => [code, code | (3 << 8)]))(
    "by its code %i is the same cause to whoever reads it, with what each can do",
    (errno) => {
      const error = errorOf(errno)
      const what = summaryOf(error)
      assert.notInclude(what, "SQLite says")
      for (const sentence of [describeProblem(error), sqlProblem(error)]) {
        assert.match(sentence, /^[a-z][^.]+\. [A-Z].+[.?]$/)
        assert.isTrue(sentence.startsWith(`${what}. `))
      }
      assert.match(describeProblem(error), /DATABASE|start again/)
      assert.notMatch(sqlProblem(error), /DATABASE/)
    }
  )

  it("is told as it says it, where there is nothing to add", () => {
    assert.strictEqual(describeProblem(errorOf(9)), "so says SQLite.")
    assert.strictEqual(sqlProblem(errorOf(9)), "so says SQLite.")
    assert.strictEqual(summaryOf(errorOf(9)), "so says SQLite")
    assert.strictEqual(sentenceOf(0, "server", "else"), "else")
  })

  it("is damage if the file is not what it should be, and a full disk if that is what it is", () => {
    const damaged = Array.from({ length: 30 }, (_, code) => code).filter((code) => isDamaged({ errno: code | 256 }))
    assert.deepStrictEqual(damaged, [11, 26])
    assert.isTrue(isFull(errorOf(13)))
    assert.isFalse(isFull(errorOf(10)))
    assert.isFalse(isDamaged(new Error("anything")))
  })
})
