import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import { UserName } from "../../../src/common/name/UserName.ts"
import { makePresenceChanges, paceMillis } from "../../../src/server/presence/PresenceChanges.ts"
import { SessionId } from "../../../src/server/session/Asker.ts"
import { oneOf, someSession, someUser, tries } from "../../support/generators.ts"

const someChange = Arbitrary.all({
  session: someSession,
  user: someUser,
  change: oneOf<"joined" | "left">("joined", "left")
})
const someChanges = Arbitrary.array(someChange)

const few = { count: 1, max: 6, everybody: () => [] }

/** Everything one message after the other says, `left` before `joined`. */
const namesIn = (summary: ReturnType<ReturnType<typeof makePresenceChanges>["take"]>) => ({
  joined: (summary?.changes ?? []).flatMap(({ joined }) => joined),
  left: (summary?.changes ?? []).flatMap(({ left }) => left)
})

const noteAll = (
  changes: ReadonlyArray<typeof someChange extends Arbitrary.Arbitrary<infer Change> ? Change : never>
) => {
  const presence = makePresenceChanges()
  for (const { change, session, user } of changes) presence.note(session, user, change)
  return { presence }
}

describe("Changes of presence", () => {
  it.prop(
    "name everybody who came or went once, where they ended up",
    [someChanges],
    ([changes]) => {
      const { joined, left } = namesIn(noteAll(changes).presence.take(few))
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
      const { joined, left } = namesIn(noteAll([...before, ...after]).presence.take(few))
      for (const user of left) seen.delete(user)
      for (const user of joined) seen.add(user)
      assert.deepStrictEqual([...seen].toSorted(), [...users].toSorted())
    },
    tries(300)
  )

  it.prop(
    "are told once",
    [someChanges],
    ([changes]) => {
      const { presence } = noteAll(changes)
      assert.strictEqual(presence.take(few) === undefined, changes.length === 0)
      assert.isUndefined(presence.take(few))
    },
    tries(100)
  )

  it.prop(
    "are news to everybody but the one who was alone in changing",
    [someChanges, someSession],
    ([changes, session]) => {
      const summary = noteAll(changes).presence.take(few)
      if (summary === undefined) return
      const last = changes.at(-1)
      const isAlone = namesIn(summary).joined.length + namesIn(summary).left.length === 1 && last?.session === session
      assert.strictEqual(summary.isNewsTo(session), !isAlone)
    },
    tries(300, 4)
  )

  const users = (count: number) => Array.from({ length: count }, (_, index) => UserName.make(`user${index}`))
  const session = SessionId.make(1)

  it("hold at most a thousand names a message", () => {
    const presence = makePresenceChanges()
    for (const user of users(2500)) presence.note(session, user, "joined")
    const changes = presence.take(few)?.changes ?? []
    assert.deepStrictEqual(
      changes.map(({ joined }) => joined.length),
      [1000, 1000, 500]
    )
    assert.isTrue(changes.every(({ all }) => all === undefined))
  })

  it("are not told while too many listen, and everybody is told of everybody when they are fewer again", () => {
    const presence = makePresenceChanges()
    const [ada, ...others] = users(1201)
    assert.isDefined(ada)
    const everybody = () => others
    presence.note(session, ada, "joined")
    assert.isUndefined(presence.take({ count: 7, max: 6, everybody }))
    presence.note(session, ada, "left")
    const summary = presence.take({ count: 6, max: 6, everybody })
    assert.deepStrictEqual(
      summary?.changes.map(({ all, joined, left }) => [all, joined.length, left.length]),
      [
        [true, 1000, 0],
        [undefined, 200, 0]
      ]
    )
    assert.isTrue(summary?.isNewsTo(session))
    presence.note(session, ada, "joined")
    assert.deepStrictEqual(presence.take({ count: 6, max: 6, everybody })?.changes, [{ joined: [ada], left: [] }])
  })

  it("cost no more than so much a second: what is much, or told to many, makes the next wait", () => {
    const message = { text: "x".repeat(1000) }
    assert.strictEqual(paceMillis(1, [message]), 0)
    assert.isAtLeast(paceMillis(10_000, [message]), 300)
    assert.strictEqual(paceMillis(10_000_000, [message]), 5000)
  })
})
