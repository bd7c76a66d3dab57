import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import { nameKey } from "../../../src/common/name/Name.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import * as Roster from "../../../src/server/lists/Roster.ts"
import { someUser, tries } from "../../support/generators.ts"

/** In one list no two names are the same. */
const names = Arbitrary.array(Arbitrary.schema(UserName)).pipe(
  Arbitrary.map((users) => [...new Map(users.map((user) => [nameKey(user), user])).values()])
)
const byKey = (a: string, b: string) => (nameKey(a) < nameKey(b) ? -1 : 1)
const rosterOf = (users: ReadonlyArray<string>) => users.reduce<Roster.Roster<string>>(Roster.insert, [])

describe("A roster", () => {
  it.prop(
    "is sorted without regard to case, whatever order names come in",
    [names],
    ([users]) => {
      assert.deepStrictEqual(rosterOf(users), users.toSorted(byKey))
    },
    tries(200, 30)
  )

  it.prop(
    "holds what it held before once a name has come and gone",
    [names, Arbitrary.schema(UserName)],
    ([users, user]) => {
      const roster = rosterOf(users.filter((other) => nameKey(other) !== nameKey(user)))
      assert.deepStrictEqual(Roster.remove(Roster.insert(roster, user), user), roster)
    },
    tries(200, 30)
  )

  it.prop(
    "stays as it is when a name it does not hold is removed",
    [names, someUser],
    ([users, user]) => {
      const roster = rosterOf(users.filter((other) => other !== user))
      assert.deepStrictEqual(Roster.remove(roster, user), roster)
    },
    tries(100, 30)
  )

  it.prop(
    "is never changed in place, so that a list once given stays right",
    [names, someUser],
    ([users, user]) => {
      const roster = rosterOf(users)
      const copy = [...roster]
      Roster.insert(roster, user)
      Roster.remove(roster, users[0] ?? user)
      assert.deepStrictEqual(roster, copy)
    },
    tries(100, 30)
  )
})
