import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import { AuthorId, type Intent } from "../../../src/common/log/Entry.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { type Exchange, isDependent, receiverOf, senderOf } from "../../../src/server/inbox/Exchange.ts"
import { apart, makeRounds } from "../../../src/server/inbox/Rounds.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import { SessionId } from "../../../src/server/session/Asker.ts"
import { tries, wholeNumber } from "../../support/generators.ts"

const names = ["ada", "bob", "cleo", "dan", "eve"]
/** The last two are guests. */
const accountOf = (who: number) => (who < 3 ? AccountId.make(who + 1) : undefined)
const userOf = (who: number) => UserName.make(names[who] ?? "nobody")

const exchange = (from: number, to: number, body: Intent = { _tag: "Said", content: "x" }): Exchange => {
  const account = accountOf(from)
  return {
    from: {
      session: SessionId.make(from + 1),
      user: userOf(from),
      request: 0,
      ...(account !== undefined && { account })
    },
    author: AuthorId.make(`a${from}`),
    to: userOf(to),
    account: accountOf(to),
    isThere: true,
    guests: accountOf(to) === undefined ? [SessionId.make(to + 1)] : [],
    body,
    key: undefined
  }
}
const reply = (from: number, to: number) => exchange(from, to, { _tag: "Said", content: "re", replyTo: 1 })
const reading = (who: number) => ({
  _tag: "ReadInbox" as const,
  from: exchange(who, 0).from,
  with: userOf(0),
  range: { before: undefined, after: undefined, limit: 1 }
})

const someExchange = Arbitrary.map(
  Arbitrary.all([wholeNumber(0, 4), wholeNumber(0, 2), wholeNumber(0, 2)]),
  ([from, to, kind]) =>
    kind === 0 ? reply(from, from === to ? (to + 1) % 3 : to) : exchange(from, from === to ? (to + 1) % 3 : to)
)

describe("The rounds of private messages", () => {
  it.prop(
    "hold everything once, of each inbox in the order in which it came, and what depends first of its pair",
    [Arbitrary.array(someExchange, { maxLength: 40 })],
    ([all]) => {
      const rounds = makeRounds()
      for (const one of all) rounds.add(one)
      const seen: Array<Exchange> = []
      for (let round = rounds.next(); round.length > 0; round = rounds.next()) {
        const pairs = new Set<string>()
        for (const one of round) {
          const pair = [senderOf(one), receiverOf(one)].toSorted().join(" ")
          if (isDependent(one)) assert.isFalse(pairs.has(pair))
          pairs.add(pair)
        }
        seen.push(...round)
        rounds.answered(round)
      }
      assert.lengthOf(seen, all.length)
      for (const holder of new Set(all.flatMap((one) => [senderOf(one), receiverOf(one)]))) {
        const concerns = (one: Exchange) => senderOf(one) === holder || receiverOf(one) === holder
        assert.deepStrictEqual(seen.filter(concerns), all.filter(concerns))
      }
      assert.isTrue(rounds.isIdle())
    },
    tries(200, 40)
  )

  it.prop(
    "come apart where no inbox is in two parts, each in its order",
    [Arbitrary.array(someExchange, { maxLength: 20 })],
    ([all]) => {
      const parts = apart(all)
      assert.sameMembers(parts.flat(), [...all])
      const owners = new Map<unknown, number>()
      for (const [index, part] of parts.entries()) {
        assert.deepStrictEqual(
          part,
          all.filter((one) => part.includes(one))
        )
        for (const holder of part.flatMap((one) => [senderOf(one), receiverOf(one)])) {
          assert.strictEqual(owners.get(holder) ?? index, index)
          owners.set(holder, index)
        }
      }
    },
    tries(200, 20)
  )

  it("keep what two others say apart from a third, so that nobody pays for somebody else's inbox", () => {
    assert.lengthOf(apart([exchange(0, 1), exchange(3, 2), exchange(1, 0)]), 2)
  })

  it("hold a thousand, or 64 Ki characters, or a hundred that depend on what stands", () => {
    const many = makeRounds()
    for (let index = 0; index < 1001; index++) many.add(exchange(0, 1))
    assert.deepStrictEqual([many.next().length, many.next().length], [1000, 1])
    const long = makeRounds()
    for (let index = 0; index < 20; index++) long.add(exchange(0, 1, { _tag: "Said", content: "x".repeat(8192) }))
    assert.deepStrictEqual([long.next().length, long.next().length], [9, 9])
    const dependent = makeRounds()
    for (let index = 0; index < 150; index++) {
      const { from, ...rest } = reply(3, 0)
      dependent.add({ ...rest, from: { ...from, session: SessionId.make(100 + index) } })
    }
    assert.lengthOf(dependent.next(), 100)
  })

  it("let a connection's reading wait for what it said, and its going for all that is under way", () => {
    const rounds = makeRounds()
    assert.isFalse(rounds.postpone(reading(0)))
    rounds.add(exchange(0, 3))
    assert.isTrue(rounds.postpone(reading(0)))
    assert.isFalse(rounds.postpone(reading(1)))
    // A guest who is to have it, and has said nothing.
    const [gone, session] = [{ _tag: "Gone" as const, session: SessionId.make(4) }, SessionId.make(4)]
    assert.isTrue(rounds.postpone(gone))
    assert.isUndefined(rounds.nextPostponed(session))
    const round = rounds.next()
    assert.sameMembers([...rounds.answered(round)], [SessionId.make(1), session])
    assert.strictEqual(rounds.nextPostponed(session), gone)
    assert.isFalse(rounds.isIdle())
    assert.strictEqual(rounds.nextPostponed(SessionId.make(1))?._tag, "ReadInbox")
    assert.isTrue(rounds.isIdle())
  })
})
