/** What is known in memory of how rooms are governed: its indices are right, whatever is set and removed in whatever order. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect } from "effect"
import { GovernedRooms } from "../../../src/server/store/GovernedRooms.ts"
import { oneOf, tries } from "../../support/generators.ts"
import { answersOf, NaiveGovernances, someGovernance, somePlace } from "../history/NaiveGovernances.ts"

const someSteps = Arbitrary.array(
  Arbitrary.all({ isRemoved: oneOf(false, false, true), place: somePlace, governance: someGovernance }),
  { maxLength: 30 }
)

describe("GovernedRooms", () => {
  it.effect.prop(
    "answer as one who looks through all rooms each time",
    [someSteps],
    ([steps]) =>
      Effect.gen(function* () {
        const rooms = yield* GovernedRooms
        const naive = new NaiveGovernances()
        for (const { governance, isRemoved, place } of steps) {
          if (isRemoved) {
            rooms.remove(place)
            naive.remove(place)
          } else {
            rooms.set(place, governance)
            naive.set(place, governance)
          }
          assert.deepStrictEqual(answersOf(rooms), answersOf(naive))
        }
      }).pipe(Effect.provide(GovernedRooms.layer, { local: true })),
    tries(200, 30)
  )
})
