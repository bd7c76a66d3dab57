/** What a person has before them: held to a server in miniature, over random happenings and intentions. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import * as Due from "../../../../src/client/core/chat/Due.ts"
import * as Outgoing from "../../../../src/client/core/chat/Outgoing.ts"
import * as Talk from "../../../../src/client/core/chat/Talk.ts"
import { tries } from "../../../support/generators.ts"
import { ChatWorld, places, someStep, type Step } from "./ChatWorld.ts"

const someSteps = Arbitrary.all([
  Arbitrary.array(someStep, { maxLength: 15 }),
  Arbitrary.array(someStep, { maxLength: 60 })
])

/** Some things happen before the person comes, and then some more; each time `look` is told. */
const live = (
  [before, steps]: readonly [ReadonlyArray<Step>, ReadonlyArray<Step>],
  look: (world: ChatWorld) => void
) => {
  const world = new ChatWorld()
  const isEarly = ({ do: what }: Step) =>
    ["say", "another device says", "delete", "another device reads"].includes(what)
  for (const step of before) if (isEarly(step)) world.step(step)
  world.connect()
  look(world)
  for (const step of steps) {
    world.step(step)
    look(world)
  }
  return world
}

const talkAt = (world: ChatWorld, place: (typeof places)[number]) => world.state.talks.get(Talk.keyOf(place))

describe("what a person has before them", () => {
  it.prop(
    "counts what they have not read, and of that what is meant for them, never too little; and exactly, what was heard here",
    [someSteps],
    ([steps]) => {
      live(steps, (world) => {
        for (const place of places) {
          const talk = talkAt(world, place)
          const { mentions, unread } = world.expected(place)
          const counted = { unread: talk ? Talk.unread(talk) : 0, mentions: talk ? Talk.mentionsIn(talk) : 0 }
          const wanted = { unread, mentions: place.with === undefined ? mentions : unread }
          if (talk === undefined || talk.unread.before.unread === 0)
            assert.deepStrictEqual(counted, wanted, Talk.keyOf(place))
          else assert.isAtLeast(counted.unread, wanted.unread, Talk.keyOf(place))
        }
      })
    },
    tries(300, 40)
  )

  it.prop(
    "shows every entry once, at its place, as it stands, with none left out between",
    [someSteps],
    ([steps]) => {
      live(steps, (world) => {
        for (const place of places) {
          const window = talkAt(world, place)?.window
          if (window === undefined || window.entries.length === 0) continue
          const first = window.entries[0]?.seq ?? 0
          const upTo = window.isAtEnd ? world.heardUpTo(place) : (window.entries.at(-1)?.seq ?? 0)
          const expected = world.standing(place).filter(({ seq }) => seq >= first && seq <= upTo)
          // What was done while the connection was lost is not known yet.
          if (world.state.connection.is === "there") assert.deepStrictEqual(window.entries, expected, Talk.keyOf(place))
          else assert.deepStrictEqual(seqs(window.entries), seqs(expected), Talk.keyOf(place))
        }
      })
    },
    tries(300, 40)
  )

  it.prop(
    "sends nothing but to the conversation that is shown, and loses nothing that was typed",
    [someSteps],
    ([steps]) => {
      const world = live(steps, ({ problems }) => assert.deepStrictEqual(problems, []))
      const talks = [...world.state.talks.values()]
      const drafts = talks.flatMap(({ draft }) => (draft === "" ? [] : draft))
      const failed = talks.flatMap(({ outbox }) => Outgoing.failures(outbox).map(({ content }) => content))
      const all = [
        ...drafts,
        ...failed,
        ...world.underWay,
        ...world.discarded,
        ...world.delivered.map(({ content }) => content)
      ]
      assert.sameMembers(all, [...world.typed])
      const waiting = talks.flatMap(({ outbox }) => outbox.filter(({ state }) => state._tag !== "Failed"))
      assert.sameMembers(
        waiting.map(({ content }) => content),
        [...world.underWay]
      )
    },
    tries(300, 40)
  )

  it.prop(
    "has nothing unread left once somebody has looked at each conversation to its end",
    [someSteps],
    ([steps]) => {
      const world = live(steps, () => {})
      const rest = { number: 0, isMention: false }
      world.step({ do: "return", place: 0, ...rest })
      world.step({ do: "here", place: 0, ...rest })
      for (const [place] of places.entries()) {
        world.step({ do: "show", place, ...rest })
        world.step({ do: "back", place, ...rest })
      }
      assert.deepStrictEqual(
        [...world.state.talks.values()].filter((talk) => Talk.unread(talk) > 0).map(({ where }) => where),
        []
      )
      assert.deepStrictEqual(Due.due(world.state), [])
    },
    tries(100, 40)
  )
})

const seqs = (entries: ReadonlyArray<{ readonly seq: number }>) => entries.map(({ seq }) => seq)
