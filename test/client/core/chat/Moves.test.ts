import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Moves from "../../../../src/client/core/chat/Moves.ts"
import * as Window from "../../../../src/client/core/chat/Window.ts"
import { UserName } from "../../../../src/common/name/UserName.ts"
import { tries, wholeNumber } from "../../../support/generators.ts"

const [ada, bob, eve, ben] = [UserName.make("ada"), UserName.make("bob"), UserName.make("eve"), UserName.make("ben")]
const minute = 60_000
const now = 100 * minute

/** Each says something, a minute after the other, the last one now. */
const window = (...speakers: ReadonlyArray<UserName>) =>
  speakers.reduce(
    (before, from, index) =>
      Window.follow(
        before,
        { _tag: "GlobalMessage", seq: index + 1, at: now - (speakers.length - index - 1) * minute, from, content: "x" },
        "newest"
      ),
    Window.make({}, false)
  )

const hear = (
  moves: Moves.Moves,
  where: Window.Window,
  joined: ReadonlyArray<UserName>,
  left: ReadonlyArray<UserName>,
  at = now
) => Moves.hear(moves, where, { joined, left }, ben, at)

const seen = (moves: Moves.Moves) => moves.map(({ behind, joined, left }) => [behind, joined.join(" "), left.join(" ")])

describe("Who came and went", () => {
  it("is told of those alone who spoke lately, and not of the reader", () => {
    const spoken = window(ada, ben)
    assert.deepStrictEqual(seen(hear([], spoken, [], [ada, bob, ben])), [[2, "", "ada"]])
    assert.deepStrictEqual(hear([], spoken, [bob, ben], []), [])
    assert.deepStrictEqual(hear([], spoken, [], [ada], now + 31 * minute), [])
    const many = window(ada, ...Array.from({ length: 50 }, () => bob))
    assert.deepStrictEqual(hear([], many, [], [ada]), [])
  })

  it("is one piece between two messages, in which who comes back has not gone", () => {
    const first = window(ada, bob, eve)
    const gone = hear(hear(hear([], first, [], [ada]), first, [], [bob]), first, [ada], [])
    assert.deepStrictEqual(seen(gone), [[3, "", "bob"]])
    assert.deepStrictEqual(hear(gone, first, [bob], []), [])
    const second = window(ada, bob, eve, eve)
    assert.deepStrictEqual(seen(hear(gone, second, [bob], [eve])), [
      [3, "", "bob"],
      [4, "bob", "eve"]
    ])
  })

  it("is not told where somebody has gone back, since nobody knows there who spoke last", () => {
    assert.deepStrictEqual(hear([], { ...window(ada), isAtEnd: false }, [], [ada]), [])
  })

  const Step = Schema.Struct({
    says: Schema.Boolean,
    who: Schema.Literals([ada, bob, eve]),
    comes: Schema.Boolean
  })
  it.prop(
    "stays bounded and in the order of the messages, and names nobody twice in one piece",
    { steps: Schema.Array(Step).check(Schema.isMaxLength(60)), times: wholeNumber(1, 20) },
    ({ steps, times }) => {
      let moves = Moves.empty
      const speakers: Array<UserName> = [ada, bob, eve]
      for (const { comes, says, who } of Array.from({ length: times }, () => steps).flat()) {
        if (says) speakers.push(who)
        moves = hear(moves, window(...speakers.slice(-60)), comes ? [who] : [], comes ? [] : [who])
      }
      assert.isAtMost(moves.length, 100)
      for (const { joined, left } of moves) {
        assert.strictEqual(new Set([...joined, ...left]).size, joined.length + left.length)
        assert.isAbove(joined.length + left.length, 0)
      }
    },
    tries(40)
  )

  it("is forgotten beyond a hundred pieces", () => {
    let moves = Moves.empty
    const start = Array.from({ length: 10 }, () => ada)
    const long = Array.from({ length: 130 }, (_, index) =>
      window(...start, ...Array.from({ length: index % 15 }, () => ada))
    )
    for (const [index, one] of long.entries()) {
      const placed = { ...one, newest: index + 1 }
      moves = hear(moves, placed, index % 2 === 0 ? [] : [ada], index % 2 === 0 ? [ada] : [])
    }
    assert.deepStrictEqual([moves.length, moves[0]?.behind, moves.at(-1)?.behind], [100, 31, 130])
  })
})
