import { assert, describe, it } from "@effect/vitest"
import { Epoch } from "../../../src/common/log/Cursor.ts"
import { standingOf, startOf } from "../../../src/server/rooms/CatchUp.ts"
import { tries, wholeNumber } from "../../support/generators.ts"

const epoch = Epoch.make("epoch")
const other = Epoch.make("other")

describe("Where a newcomer goes on", () => {
  it.prop(
    "is behind its cursor, at most a thousand entries back, of which the log may have lost the oldest",
    [wholeNumber(0, 3000), wholeNumber(0, 3500), wholeNumber(0, 3000)],
    ([seq, after, lost]) => {
      const now = { epoch, seq }
      const start = startOf(now, { epoch, seq: after })
      const first = start.from < seq ? Math.max(start.from, Math.min(lost, seq - 1)) + 1 : undefined
      const { missed, truncated } = standingOf(now, start, first)
      if (after > seq)
        assert.deepStrictEqual({ start: start.from, missed, truncated }, { start: seq, missed: 0, truncated: true })
      else {
        assert.strictEqual(start.from, Math.max(after, seq - 1000))
        assert.strictEqual(missed, first === undefined ? 0 : seq - first + 1)
        assert.strictEqual(truncated, missed < seq - after)
      }
    },
    tries(300)
  )

  it("is where the log stands without a cursor, and with one of another log, which is said", () => {
    const now = { epoch, seq: 7 }
    assert.deepStrictEqual(standingOf(now, startOf(now, undefined), undefined), { ...now, missed: 0, truncated: false })
    const strange = startOf(now, { epoch: other, seq: 3 })
    assert.deepStrictEqual(standingOf(now, strange, undefined), { ...now, missed: 0, truncated: true })
  })
})
