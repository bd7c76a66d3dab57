/**
 * A group whose members come and go at random, as many times as one likes: who is in agrees on everything after each operation,
 * reads what the others write, and who is out reads nothing.
 *
 * The server is the order of the loop: of concurrent commits the first wins, and everybody hears of it.
 */
import { Effect } from "effect"
import { apply, isPending } from "../../../src/client/crypto/Apply.ts"
import { type Change, commit, type PendingCommit } from "../../../src/client/crypto/Commit.ts"
import type { Device } from "../../../src/client/crypto/Device.ts"
import {
  authenticatorOf,
  create,
  decodeGroup,
  encodeGroup,
  type Group,
  membersOf
} from "../../../src/client/crypto/Group.ts"
import { join } from "../../../src/client/crypto/Join.ts"
import type { OwnKeyPackage } from "../../../src/client/crypto/KeyPackage.ts"
import { open, seal } from "../../../src/client/crypto/Message.ts"
import { Chance } from "../../simulation/Chance.ts"
import { bytesOf, deviceOf, groupId, hex, packageOf, textOf, trustingAll } from "./Crowd.ts"

const members = 10

/** What went wrong in an operation, in words; the operation ends the churn. */
class ChurnFailed {
  readonly _tag = "ChurnFailed"
  readonly issue: string
  constructor(issue: string) {
    this.issue = issue
  }
}

interface Person {
  readonly name: string
  device: Device
  group: Group | undefined
}

/** Runs so many operations: how often each ran. Fails with the first that went wrong, its number and the seed. */
export const churn = Effect.fnUntraced(function* (seed: number, operations: number) {
  const chance = new Chance(seed)
  const people: Array<Person> = []
  for (let index = 0; index < members; index++) {
    const name = `u${index}`
    people.push({ name, device: yield* deviceOf(name), group: undefined })
  }
  const pick = (from: ReadonlyArray<Person>, count: number): ReadonlyArray<Person> => {
    const left = [...from]
    const picked: Array<Person> = []
    while (picked.length < count && left.length > 0) picked.push(...left.splice(chance.between(0, left.length - 1), 1))
    return picked
  }
  const inside = () => people.filter(({ group }) => group !== undefined)
  const outside = () => people.filter(({ group }) => group === undefined)
  const others = (person: Person) => inside().filter((other) => other !== person)
  const one = (from: ReadonlyArray<Person>) => pick(from, 1)[0]
  const groupOf = (person: Person) => person.group ?? (undefined as never)

  const first = people[0]
  if (first === undefined) return {}
  first.group = yield* create(first.device, groupId)
  const tally: Record<string, number> = {}

  /** A commit that is not in the log yet, and the private halves of whom it adds. */
  const prepare = Effect.fnUntraced(function* (
    by: Person,
    adds: ReadonlyArray<Person>,
    removes: ReadonlyArray<Person>
  ) {
    const halves: Array<readonly [Person, OwnKeyPackage]> = []
    const change: { adds: Array<NonNullable<Change["adds"]>[number]>; removes: Change["removes"] & object } = {
      adds: [],
      removes: removes.map(({ device }) => device.identity)
    }
    for (const person of adds) {
      const { own, read } = yield* packageOf(person.device)
      halves.push([person, own])
      change.adds.push(read)
    }
    const { group, pending } = yield* commit(groupOf(by), change)
    by.group = group
    return { by, pending, halves }
  })

  /** The server puts it into the log: everybody who is in hears it, then the welcomed join. */
  const land = Effect.fnUntraced(function* ({
    by,
    halves,
    pending
  }: {
    readonly by: Person
    readonly pending: PendingCommit
    readonly halves: ReadonlyArray<readonly [Person, OwnKeyPackage]>
  }) {
    const before = inside()
    for (const person of before) {
      if (person === by) {
        if (!isPending(pending, pending.bytes)) return yield* Effect.fail(new ChurnFailed("own commit not known"))
        person.group = pending.next
        continue
      }
      person.group = (yield* apply(groupOf(person), pending.bytes, trustingAll)).group
    }
    for (const [person, own] of halves) {
      if (person.group !== undefined) return yield* Effect.fail(new ChurnFailed(`${person.name} was not removed`))
      const welcome = pending.welcome ?? new Uint8Array(0)
      const invitation = { groupId, welcome, privateBytes: own.privateBytes }
      person.group = (yield* join(person.device, invitation, trustingAll)).group
    }
  })

  const talk = Effect.fnUntraced(function* (by: Person) {
    const text = `${by.name} ${chance.next()}`
    const sealed = yield* seal(groupOf(by), bytesOf(text), bytesOf(by.name))
    by.group = sealed.group
    for (const person of others(by)) {
      const opened = yield* open(groupOf(person), sealed.bytes)
      person.group = opened.group
      const isSame = textOf(opened.plaintext) === text && textOf(opened.authenticatedData) === by.name
      if (!isSame || opened.sender.user !== by.name)
        return yield* Effect.fail(new ChurnFailed("another message came out"))
    }
  })

  const kinds = {
    add: Effect.suspend(() => {
      const by = one(inside())
      const adds = pick(outside(), chance.between(1, 3))
      return by === undefined || adds.length === 0 ? Effect.void : Effect.flatMap(prepare(by, adds, []), land)
    }),
    remove: Effect.suspend(() => {
      const by = one(inside())
      const removes = by === undefined ? [] : pick(others(by), chance.between(1, 2))
      return by === undefined || removes.length === 0 ? Effect.void : Effect.flatMap(prepare(by, [], removes), land)
    }),
    replace: Effect.suspend(() => {
      const by = one(inside())
      const removes = by === undefined ? [] : pick(others(by), chance.between(1, 2))
      if (by === undefined || removes.length === 0) return Effect.void
      // Oneself with new keys, or somebody else in the same leaf.
      const adds = chance.is(0.5) ? removes : pick(outside(), chance.between(1, 2))
      return Effect.flatMap(prepare(by, adds, removes), land)
    }),
    renew: Effect.suspend(() => {
      const by = one(inside())
      return by === undefined ? Effect.void : Effect.flatMap(prepare(by, [], []), land)
    }),
    talk: Effect.suspend(() => {
      const by = one(inside())
      return by === undefined ? Effect.void : talk(by)
    }),
    race: Effect.gen(function* () {
      const racers = pick(inside(), 3)
      const prepared: Array<Effect.Success<ReturnType<typeof prepare>>> = []
      for (const racer of racers) {
        const adds = pick(outside(), chance.between(0, 1))
        const removes = chance.is(0.3) ? pick(others(racer), 1) : []
        prepared.push(yield* prepare(racer, adds, removes))
      }
      const winner = prepared[chance.between(0, prepared.length - 1)]
      if (winner !== undefined) yield* land(winner)
    }),
    reload: Effect.gen(function* () {
      for (const person of pick(inside(), chance.between(1, 4))) {
        person.group = yield* decodeGroup(encodeGroup(groupOf(person)))
      }
    })
  }
  const drawn = [
    "add",
    "add",
    "add",
    "remove",
    "remove",
    "replace",
    "replace",
    "renew",
    "talk",
    "talk",
    "race",
    "reload"
  ]

  for (let operation = 1; operation <= operations; operation++) {
    const kind = drawn[chance.between(0, drawn.length - 1)] as keyof typeof kinds
    const exBefore = inside().map((person) => [person, groupOf(person)] as const)
    const step: Effect.Effect<void, { readonly _tag: string }> = Effect.gen(function* () {
      yield* kinds[kind]
      const issue = yield* disagreement(inside(), exBefore)
      if (issue !== undefined) return yield* Effect.fail(new ChurnFailed(issue))
    })
    yield* step.pipe(
      Effect.mapError((cause) => ({
        ...new ChurnFailed(`seed ${seed}, operation ${operation} (${kind}): ${JSON.stringify(cause)}`)
      }))
    )
    tally[kind] = (tally[kind] ?? 0) + 1
  }
  return tally
})

/** Where those inside do not agree, or one who was removed still reads. */
const disagreement = Effect.fnUntraced(function* (
  inside: ReadonlyArray<Person>,
  before: ReadonlyArray<readonly [Person, Group]>
) {
  const views = new Set(
    inside.flatMap(({ group }) =>
      group === undefined
        ? []
        : [`${group.keyEpoch} ${hex(authenticatorOf(group))} ${membersOf(group).map(({ user }) => user)}`]
    )
  )
  if (views.size !== 1) return `${views.size} views of one group`
  const [view = ""] = views
  const names = view.split(" ")[2]?.split(",").toSorted() ?? []
  if (
    names.join() !==
    inside
      .map(({ name }) => name)
      .toSorted()
      .join()
  )
    return `the tree says ${names}`

  const speaker = inside[0]
  const gone = before.filter(([person]) => person.group === undefined)
  if (speaker?.group === undefined || gone.length === 0) return undefined
  // Of a state that is then given up: what it seals is not part of the conversation.
  const { bytes } = yield* seal(speaker.group, bytesOf("without them"))
  for (const [person, group] of gone) {
    const result = yield* Effect.exit(open(group, bytes))
    if (result._tag === "Success") return `${person.name} reads on`
  }
  return undefined
})
