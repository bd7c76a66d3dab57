/** What every layer of `Reports` must do, in memory or on disk: call it with layers that begin with nothing and hold five. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { NewReport } from "../../../src/server/reports/Report.ts"
import { Reports } from "../../../src/server/reports/Reports.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"

/** The layer is to hold so many. */
export const maxOfContract = 5

export const reportOf = (reason: string, over: Partial<NewReport> = {}): NewReport => ({
  at: 100,
  by: { user: UserName.make("ada"), account: AccountId.make(7) },
  reason,
  where: { room: RoomName.make("garden") },
  seq: 12,
  said: { at: 50, from: { user: UserName.make("mal"), network: "2001:db8:0:1::/64" }, content: "a\nb\t'\"\u{1f345}" },
  ...over
})

export const reportsContract = <LayerError>(name: string, layer: Layer.Layer<Reports, LayerError>): void => {
  const fresh = <A, E>(effect: Effect.Effect<A, E, Reports>) => Effect.provide(effect, layer, { local: true })
  const outline = Effect.fnUntraced(function* (before?: number, limit = 100) {
    const reports = yield* Reports
    return (yield* reports.list(before, limit)).map(
      ({ id, isHandled, reason }) => `${id} ${reason}${isHandled ? "!" : ""}`
    )
  })

  describe(`${name}, as Reports,`, () => {
    it.effect("gives what it was given, the newest first, page by page", () =>
      Effect.gen(function* () {
        const reports = yield* Reports
        for (const reason of ["a", "b", "c"]) yield* reports.add(reportOf(reason))
        assert.deepStrictEqual(yield* reports.list(2, 9), [{ id: 1, isHandled: false, ...reportOf("a") }])
        assert.deepStrictEqual(yield* outline(), ["3 c", "2 b", "1 a"])
        assert.deepStrictEqual(
          [yield* outline(undefined, 2), yield* outline(2, 2), yield* outline(1, 2)],
          [["3 c", "2 b"], ["1 a"], []]
        )
      }).pipe(fresh)
    )

    it.effect("marks what was handled and takes out what is deleted, each once, and no number comes twice", () =>
      Effect.gen(function* () {
        const reports = yield* Reports
        for (const reason of ["a", "b", "c"]) yield* reports.add(reportOf(reason))
        assert.deepStrictEqual([yield* reports.setHandled(2), yield* reports.setHandled(9)], [true, false])
        assert.deepStrictEqual(
          [yield* reports.remove(3), yield* reports.remove(3), yield* reports.remove(9)],
          [true, false, false]
        )
        assert.isFalse(yield* reports.setHandled(3))
        yield* reports.add(reportOf("d"))
        assert.deepStrictEqual(yield* outline(), ["4 d", "2 b!", "1 a"])
      }).pipe(fresh)
    )

    it.effect("holds so many and no more: those go first that were handled, and then the oldest", () =>
      Effect.gen(function* () {
        const reports = yield* Reports
        for (let count = 1; count <= maxOfContract; count++) yield* reports.add(reportOf(`${count}`))
        for (const id of [4, 2]) yield* reports.setHandled(id)
        yield* reports.add(reportOf("six"))
        assert.deepStrictEqual(yield* outline(), ["6 six", "5 5", "4 4!", "3 3", "1 1"])
        yield* reports.add(reportOf("seven"))
        yield* reports.add(reportOf("eight"))
        assert.deepStrictEqual(yield* outline(), ["8 eight", "7 seven", "6 six", "5 5", "3 3"])
      }).pipe(fresh)
    )
  })
}
