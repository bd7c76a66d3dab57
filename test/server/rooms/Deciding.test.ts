/**
 * One deciding half and two delivering halves in one process, as they would be on two nodes: what is decided for one is heard
 * by the members of both. The history fails now and then, with or without having stored; one half does not hear of everything.
 */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, ConfigProvider, Effect, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { Intent } from "../../../src/common/log/Entry.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { Connection } from "../../../src/connection/Connection.ts"
import { ServerConfig } from "../../../src/server/config/ServerConfig.ts"
import { History, StorageUnavailable } from "../../../src/server/history/History.ts"
import * as Mailbox from "../../../src/server/processor/Mailbox.ts"
import { Turns } from "../../../src/server/processor/Turns.ts"
import * as Deciding from "../../../src/server/rooms/Deciding.ts"
import { LogReader } from "../../../src/server/rooms/LogReader.ts"
import * as RoomManager from "../../../src/server/rooms/RoomManager.ts"
import type { Asker } from "../../../src/server/session/Asker.ts"
import { Sessions } from "../../../src/server/session/Sessions.ts"
import * as MemoryGovernances from "../../../src/server/store/MemoryGovernances.ts"
import * as MemoryHistory from "../../../src/server/store/MemoryHistory.ts"
import { oneOf, tries, wholeNumber } from "../../support/generators.ts"

const conversation = { _tag: "Room", room: RoomName.make("dev") } as const

/** What the next commit comes to, for better and for worse. */
type Fate = "stored" | "lost" | "stored, but reported as lost"

interface Step {
  readonly who: number
  readonly what: "say" | "edit" | "react" | "again"
  readonly target: number
  readonly fate: Fate
  /** Whether the half that forgets hears of what the other has stored. */
  readonly isHeard: boolean
  /** Whether everybody comes to rest before the next step. */
  readonly rests: boolean
}

const someSteps = Arbitrary.array(
  Arbitrary.all({
    who: wholeNumber(0, 3),
    what: oneOf<Step["what"]>("say", "say", "edit", "react", "again"),
    target: wholeNumber(1, 9),
    fate: oneOf<Fate>("stored", "stored", "stored", "stored", "lost", "stored, but reported as lost"),
    isHeard: oneOf(true, true, false),
    rests: oneOf(true, false)
  })
)

const settings = ConfigProvider.layer(ConfigProvider.fromEnvRecord({}))

/** A history that carries out what its commits are fated to. */
const fated = (fate: () => Fate) =>
  Layer.effect(
    History,
    Effect.map(History, (history) =>
      History.of({
        ...history,
        append: (entries, answered) =>
          Effect.suspend(() => {
            const comesTo = fate()
            const failure = new StorageUnavailable({ cause: comesTo })
            if (comesTo === "stored") return history.append(entries, answered)
            return comesTo === "lost"
              ? Effect.fail(failure)
              : Effect.andThen(history.append(entries, answered), Effect.fail(failure))
          })
      })
    )
  ).pipe(Layer.provide(MemoryHistory.layer))

interface Heard {
  readonly _tag: string
  readonly id?: string
  readonly seq?: number
  readonly at?: number
  readonly repeated?: true
  readonly reason?: { readonly _tag: string }
}

class Member {
  readonly heard: Array<Heard> = []
  readonly connection: Connection<never> = {
    messages: Stream.never,
    write: (frames) =>
      Effect.sync(() => {
        for (const line of Buffer.concat(frames).toString().split("\n"))
          if (line !== "") this.heard.push(JSON.parse(line))
      }),
    close: () => Effect.void
  }

  entries() {
    return this.heard.filter(({ _tag }) => ["RoomMessage", "Edited", "Reacted"].includes(_tag))
  }

  replies() {
    return this.heard.filter(({ _tag, id }) => id !== undefined && (_tag === "Sent" || _tag === "Rejected"))
  }
}

const intentOf = ({ target, what }: Step, number: number): Intent => {
  if (what === "edit") return { _tag: "Edited", target, content: `edit ${number}` }
  if (what === "react") return { _tag: "Reacted", target, reaction: `r${number % 3}` }
  return { _tag: "Said", content: `message ${number}` }
}

/** `last`: whether somebody says something at the end, so that whoever missed anything hears that there is more. */
const play = (steps: ReadonlyArray<Step>, last = true) => {
  let fate: Fate = "stored"
  let isHeard = true
  const services = LogReader.layer.pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        Sessions.layer,
        Turns.layer,
        MemoryGovernances.layer,
        fated(() => fate)
      )
    ),
    Layer.provideMerge(ServerConfig.layer),
    Layer.provide(settings)
  )
  return Effect.gen(function* () {
    const sessions = yield* Sessions
    const deciding = yield* Deciding.make({ conversation })
    const forgetful: Deciding.Deciding = {
      ...deciding,
      others: (than) =>
        Effect.map(
          deciding.others(than),
          Stream.filter(() => isHeard)
        )
    }
    const options = { conversation, onVacated: () => {} }
    const halves = [
      yield* RoomManager.make({ ...options, deciding }),
      yield* RoomManager.make({ ...options, deciding: forgetful })
    ]
    const people = yield* Effect.forEach(["ada", "ben", "cyd", "dan"], (name, index) =>
      Effect.gen(function* () {
        const member = new Member()
        const { id: session, requests } = yield* sessions.open(member.connection)
        const asker = (id?: string): Asker => {
          const request = requests.add({ id, about: undefined, characters: 0, isLarge: false })
          return { session, user: UserName.make(name), request }
        }
        const half = halves[index % 2] ?? assert.fail("there are two halves")
        yield* Mailbox.ask(half.mailbox, { _tag: "Join", from: asker(), after: undefined })
        return { member, asker, half }
      })
    )
    const rest = Effect.andThen(Effect.repeat(Effect.yieldNow, { times: 60 }), TestClock.adjust("1100 millis")).pipe(
      Effect.andThen(Effect.repeat(Effect.yieldNow, { times: 60 }))
    )
    yield* rest
    const sent: Array<readonly [who: number, body: Intent, key: string]> = []

    for (const [number, step] of steps.entries()) {
      const person = people[step.who]
      if (person === undefined) continue
      fate = step.fate
      isHeard = step.isHeard
      const before = sent.findLast(([who]) => who === step.who)
      const [, body, key] =
        step.what === "again" && before !== undefined
          ? before
          : ([0, intentOf(step, number), `key ${number} ...........`] as const)
      sent.push([step.who, body, key])
      Mailbox.tellUnsafe(person.half.mailbox, { _tag: "Act", from: person.asker(`${number}`), body, key })
      if (step.rests) yield* rest
    }
    yield* rest
    // Whoever missed something is told of it with whatever comes next.
    fate = "stored"
    isHeard = true
    for (const [index, { asker, half }] of people.slice(0, last ? 2 : 0).entries()) {
      Mailbox.tellUnsafe(half.mailbox, {
        _tag: "Act",
        from: asker(`last ${index}`),
        body: { _tag: "Said", content: "last" },
        key: undefined
      })
      yield* rest
    }

    const history = yield* History
    const { entries } = yield* history.read(conversation, { after: 0, before: undefined, limit: 500 })
    const places = entries.map(({ seq }) => seq)
    for (const { member } of people) {
      assert.deepStrictEqual(
        member.entries().map(({ seq }) => seq),
        places,
        "everybody hears all of the log, once and in order"
      )
      for (const [index, reply] of member.heard.entries()) {
        if (reply._tag !== "Sent") continue
        const heardBefore = member.heard.slice(0, index).some(({ _tag, seq }) => _tag !== "Sent" && seq === reply.seq)
        assert.isTrue(heardBefore, "an entry is heard before it is answered")
      }
    }
    const asked = steps.flatMap(({ who }, number) => (people[who] === undefined ? [] : [[who, `${number}`] as const]))
    for (const [who, id] of asked) {
      assert.lengthOf(
        people[who]?.member.replies().filter((reply) => reply.id === id) ?? [],
        1,
        "each request has one reply"
      )
    }
    // One key, one place.
    for (const [index, [who, , key]] of sent.entries()) {
      const placesOfKey = sent.flatMap(([other, , otherKey], number) =>
        other === who && otherKey === key
          ? (people[who]?.member
              .replies()
              .filter(({ id, _tag }) => id === `${number}` && _tag === "Sent")
              .map(({ seq }) => seq) ?? [])
          : []
      )
      assert.isAtMost(new Set(placesOfKey).size, 1, `key of ${index}`)
    }
  }).pipe(Effect.scoped, Effect.provide(services))
}

describe("One deciding half and two delivering halves", () => {
  it.effect.prop(
    "tell everybody the same log, once and in order, answer each request once, and do nothing twice",
    [someSteps],
    ([steps]) => play(steps),
    tries(60, 25)
  )

  it.effect("tell of what was stored but reported as lost, though nobody says anything more", () =>
    play([{ who: 0, what: "say", target: 1, fate: "stored, but reported as lost", isHeard: true, rests: true }], false)
  )
})
