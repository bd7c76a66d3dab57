import { assert, describe, it } from "@effect/vitest"
import { modes, stepsOf, type Wanted } from "./Plan.ts"

const nothing: Wanted = { modes: [], members: [], load: {}, quick: false }

const namesOf = (wanted: Partial<Wanted>) => [
  ...new Set(stepsOf({ ...nothing, ...wanted }).map(({ mode: { name } }) => name))
]

const loadsOf = (wanted: Partial<Wanted>) => stepsOf({ ...nothing, ...wanted }).map(({ load }) => load)

describe("The plan of a benchmark", () => {
  it("holds every mode if none is named, but for those that have to be", () => {
    const all = modes.map(({ name }) => name)
    assert.deepStrictEqual(
      namesOf({}),
      all.filter((name) => !["soak", "screen", "sealed"].includes(name))
    )
    assert.deepStrictEqual(namesOf({ modes: ["soak"] }), ["soak"])
  })

  it("holds the modes that are named, in the order of the help", () => {
    assert.deepStrictEqual(namesOf({ modes: ["soak", "flood", "closed"] }), ["closed", "flood", "soak"])
  })

  it("leaves out of the quick set what takes long, and measures each of the others once, for a second", () => {
    const steps = stepsOf({ ...nothing, quick: true })
    assert.notIncludeMembers(namesOf({ quick: true }), ["history", "soak"])
    assert.strictEqual(steps.length, namesOf({ quick: true }).length)
    assert.isTrue(steps.every(({ load }) => load.seconds === 1))
  })

  it("measures each size that is asked for, unless a mode has a size of its own", () => {
    const members = [7, 70]
    assert.deepStrictEqual(
      loadsOf({ modes: ["paced"], members }).map((load) => load.members),
      members
    )
    assert.deepStrictEqual(
      loadsOf({ modes: ["store"], members }).map((load) => load.members),
      [50]
    )
  })

  it("takes from the command line what it says, and the rest from the mode", () => {
    const [load] = loadsOf({ modes: ["paced"], members: [100], load: { rate: 5, bytes: 200 } })
    assert.deepStrictEqual(load, { members: 100, senders: 10, rate: 5, seconds: 3, bytes: 200, messages: 0 })
    const [own] = loadsOf({ modes: ["soak"] })
    assert.deepStrictEqual(own?.seconds, 3600)
    const [short] = loadsOf({ modes: ["soak"], load: { seconds: 60 } })
    assert.deepStrictEqual(short?.seconds, 60)
  })

  it("lets nobody talk who is not there", () => {
    assert.deepStrictEqual(
      loadsOf({ modes: ["paced", "rooms"], members: [4] }).map(({ senders }) => senders),
      [4, 4]
    )
    assert.deepStrictEqual(
      loadsOf({ modes: ["paced"], members: [4], load: { senders: 9 } }).map(({ senders }) => senders),
      [4]
    )
  })

  it("floods longer when it is told to take longer", () => {
    const messagesIn = (seconds: number) =>
      loadsOf({ modes: ["flood"], members: [500], load: { seconds } })[0]?.messages
    assert.deepStrictEqual([messagesIn(1), messagesIn(4)], [800, 3200])
  })
})
