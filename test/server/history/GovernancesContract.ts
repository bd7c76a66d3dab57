/** What every layer of `Governances` must do, in memory or on disk: call it with layers that begin with nothing. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Context, Effect, type Layer } from "effect"
import type { SharedConversation } from "../../../src/common/log/Conversation.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { type Governance, ungoverned } from "../../../src/server/governance/Governance.ts"
import { Governances } from "../../../src/server/history/Governances.ts"
import { History } from "../../../src/server/history/History.ts"
import { oneOf, tries } from "../../support/generators.ts"
import { entry } from "./HistoryAsked.ts"
import { answersOf, holders, NaiveGovernances, someGovernance, somePlace } from "./NaiveGovernances.ts"

export type Governed = Governances | History

/** Stored by itself, with an entry, with an entry that may have been stored before under its key, or gone. */
interface Step {
  readonly do: "append" | "forget" | "look again" | "put" | "repeat"
  readonly place: SharedConversation
  readonly governance: Governance
}
const someStep: Arbitrary.Arbitrary<Step> = Arbitrary.all({
  do: oneOf<Step["do"]>("put", "append", "append", "repeat", "forget", "look again"),
  place: somePlace,
  governance: someGovernance
})
export const someSteps = Arbitrary.array(someStep, { maxLength: 12 })

const key = "a key ..........."

const carryOut = Effect.fnUntraced(function* (
  services: Context.Context<Governed>,
  naive: NaiveGovernances,
  { do: what, governance, place }: Step
) {
  const governances = Context.get(services, Governances)
  const said = entry("", { conversation: place, body: { _tag: "TopicSet", topic: "" }, governance })
  switch (what) {
    case "put":
      naive.set(place, governance)
      return yield* governances.put(place, governance)
    case "append":
      naive.set(place, governance)
      yield* Context.get(services, History).append([said])
      return
    case "repeat": {
      const [stored] = yield* Context.get(services, History).append([{ ...said, key }])
      if (stored?.repeated === false) naive.set(place, governance)
      return
    }
    case "forget":
      if (place._tag === "Lobby") return
      naive.remove(place)
      return yield* governances.forget(place.room)
    case "look again":
      return assert.deepStrictEqual(yield* governances.lookAgain(place), naive.get(place))
  }
})

/** What is answered is what was stored, after each step; `restart` gives the same over what is kept. */
export const agree = Effect.fnUntraced(function* <E, R>(
  steps: ReadonlyArray<Step>,
  begun: Context.Context<Governed>,
  restart: Effect.Effect<Context.Context<Governed>, E, R>
) {
  const naive = new NaiveGovernances()
  let services = begun
  for (const step of steps) {
    yield* carryOut(services, naive, step)
    assert.deepStrictEqual(answersOf(Context.get(services, Governances)), answersOf(naive))
  }
  services = yield* restart
  assert.deepStrictEqual(answersOf(Context.get(services, Governances)), answersOf(naive))
})

const [ada, ben] = holders
const dev: SharedConversation = { _tag: "Room", room: RoomName.make("dev") }

export const governancesContract = <LayerError>(
  name: string,
  layer: Layer.Layer<Governed, LayerError>,
  runs = 100
): void => {
  const fresh = <A, E>(effect: Effect.Effect<A, E, Governed>) => Effect.provide(effect, layer, { local: true })

  describe(`${name}, as Governances,`, () => {
    it.effect.prop(
      "tell of each room and the lobby what was stored last, by itself or with an entry, and of each account where it is named",
      [someSteps],
      ([steps]) =>
        Effect.flatMap(Effect.context<Governed>(), (services) => agree(steps, services, Effect.succeed(services))).pipe(
          fresh
        ),
      tries(runs, 20)
    )

    it.effect("keep nothing of a plain room, in whatever way it became one", () =>
      Effect.gen(function* () {
        const governances = yield* Governances
        const history = yield* History
        const owned: Governance = { ...ungoverned(1), owner: ada }
        const plain = { conversation: dev, governance: ungoverned(1), body: { _tag: "TopicSet", topic: "" } } as const
        yield* governances.put(dev, owned)
        yield* governances.put(dev, ungoverned(1))
        assert.isUndefined(governances.get(dev))
        yield* governances.put(dev, owned)
        yield* history.append([entry("", plain)])
        assert.isUndefined(governances.get(dev))
        assert.deepStrictEqual([...governances.rooms()], [])
        assert.isUndefined(yield* governances.lookAgain(dev))
      }).pipe(fresh)
    )

    it.effect("know of several entries in one commit what the last made", () =>
      Effect.gen(function* () {
        const governances = yield* Governances
        const handedTo = (owner: typeof ada) =>
          entry("", {
            conversation: dev,
            body: { _tag: "RoleSet", user: owner.user, role: "owner" },
            governance: { ...ungoverned(1), owner }
          })
        yield* (yield* History).append([handedTo(ada), handedTo(ben)])
        assert.deepStrictEqual(governances.get(dev)?.owner, ben)
        assert.deepStrictEqual([governances.owned(ada.account), governances.owned(ben.account)], [[], [dev.room]])
      }).pipe(fresh)
    )

    it.effect("do not change by an entry whose key was answered before, also in the same commit", () =>
      Effect.gen(function* () {
        const governances = yield* Governances
        const history = yield* History
        const topicSet = (topic: string) =>
          entry("", {
            conversation: dev,
            from: UserName.make("ada"),
            body: { _tag: "TopicSet", topic },
            governance: { ...ungoverned(1), topic },
            key
          })
        const stored = yield* history.append([topicSet("first"), topicSet("second")])
        assert.deepStrictEqual(
          stored.map(({ repeated }) => repeated),
          [false, true]
        )
        assert.strictEqual(governances.get(dev)?.topic, "first")
        yield* history.append([topicSet("third")])
        assert.strictEqual(governances.get(dev)?.topic, "first")
      }).pipe(fresh)
    )
  })
}
