import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import { makePresenceChanges } from "../../src/server/PresenceChanges.ts"
import { oneOf, someSession, someUser, tries } from "../support/generators.ts"

const someChange = Arbitrary.all({
  session: someSession,
  user: someUser,
  change: oneOf<"joined" | "left">("joined", "left")
})
const someChanges = Arbitrary.array(someChange)

const noteAll = (
  changes: ReadonlyArray<typeof someChange extends Arbitrary.Arbitrary<infer Change> ? Change : never>
) => {
  const presence = makePresenceChanges()
  const first = changes.map(({ change, session, user }) => presence.note(session, user, change))
  return { presence, first }
}

describe("Changes of presence", () => {
  it.prop(
    "name everybody who came or went once, where they ended up",
    [someChanges],
    ([changes]) => {
      const { joined = [], left = [] } = noteAll(changes).presence.take() ?? {}
      const last = new Map(changes.map(({ change, user }) => [user, change]))
      assert.sameMembers(
        [...joined],
        [...last].flatMap(([user, change]) => (change === "joined" ? [user] : []))
      )
      assert.sameMembers(
        [...left],
        [...last].flatMap(([user, change]) => (change === "left" ? [user] : []))
      )
    },
    tries(300)
  )

  it.prop(
    "bring anybody's list up to date, whenever that was made while they were gathered",
    [someChanges, someChanges],
    ([before, after]) => {
      const users = new Set<string>()
      const keep = ({ change, user }: { change: "joined" | "left"; user: string }) =>
        change === "joined" ? users.add(user) : users.delete(user)
      for (const change of before) keep(change)
      const seen = new Set(users)
      for (const change of after) keep(change)
      const { joined = [], left = [] } = noteAll([...before, ...after]).presence.take() ?? {}
      for (const user of left) seen.delete(user)
      for (const user of joined) seen.add(user)
      assert.deepStrictEqual([...seen].toSorted(), [...users].toSorted())
    },
    tries(300)
  )

  it.prop(
    "are told once: who notes the first of them sees to that",
    [someChanges],
    ([changes]) => {
      const { first, presence } = noteAll(changes)
      assert.deepStrictEqual(
        first,
        changes.map((_, index) => index === 0)
      )
      assert.strictEqual(presence.take() === undefined, changes.length === 0)
      assert.isUndefined(presence.take())
      assert.isTrue(
        changes.every(({ change, session, user }, index) => presence.note(session, user, change) === (index === 0))
      )
    },
    tries(100)
  )

  it.prop(
    "are news to everybody but the one who was alone in changing",
    [someChanges, someSession],
    ([changes, session]) => {
      const summary = noteAll(changes).presence.take()
      if (summary === undefined) return
      const last = changes.at(-1)
      const isAlone = summary.joined.length + summary.left.length === 1 && last?.session === session
      assert.strictEqual(summary.isNewsTo(session), !isAlone)
    },
    tries(300, 4)
  )
})
