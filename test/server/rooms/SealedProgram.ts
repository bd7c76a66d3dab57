/**
 * Random programs in an encrypted room, carried out by the deciding half over a store that may be closed and opened again, and held to
 * SealedModel: each act comes to the same, the keys stand the same, and each device may read the same.
 */
import { assert } from "@effect/vitest"
import { Arbitrary, Array as Arr, ConfigProvider, Context, Effect, Exit, Layer, Schema, Scope } from "effect"
import { Device } from "../../../src/common/log/Sealing.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { MessageKey } from "../../../src/common/wire/RequestId.ts"
import { ServerConfig } from "../../../src/server/config/ServerConfig.ts"
import { ungoverned } from "../../../src/server/governance/Governance.ts"
import { keyless } from "../../../src/server/governance/Sealing.ts"
import { Governances } from "../../../src/server/history/Governances.ts"
import { History } from "../../../src/server/history/History.ts"
import { SealedRooms } from "../../../src/server/history/SealedRooms.ts"
import type { Act } from "../../../src/server/rooms/Act.ts"
import * as Deciding from "../../../src/server/rooms/Deciding.ts"
import { AccountId, authorOfAccount } from "../../../src/server/session/AccountId.ts"
import { oneOf, wholeNumber } from "../../support/generators.ts"
import { sealedBytes } from "../../support/SealedBytes.ts"
import { isSame, type Seat, SealedModel, type Wish } from "./SealedModel.ts"

const conversation = { _tag: "Room", room: RoomName.make("vault") } as const
const users = [undefined, "ada", "ben", "cleo"].map((name) => UserName.make(name ?? "nobody"))
const seats: ReadonlyArray<Seat> = [1, 2, 3].flatMap((account) =>
  [1, 2].map((number) => ({ account, device: `${account}${number}` }))
)
const deviceOf = Schema.decodeSync(Device)
const owned = ({ account, device }: Seat) => ({ account: AccountId.make(account), device: deviceOf(device) })
const userOf = ({ account }: Pick<Seat, "account">): UserName => users[account] ?? UserName.make("nobody")
const named = (seat: Seat) => ({ user: userOf(seat), device: deviceOf(seat.device) })

export interface Step {
  readonly what: Wish["what"] | "again" | "comeOrGo" | "relist" | "restart"
  readonly by: number
  readonly late: number
  readonly adds: ReadonlyArray<number>
  readonly removes: ReadonlyArray<number>
  /** Whether it is what a client would ask for: by who is in the group, about those who wait and those who are to go. */
  readonly isSensible: boolean
  /** Whether it comes in one run with what comes next. */
  readonly isWithNext: boolean
}

const someSeats = Arbitrary.array(wholeNumber(0, seats.length - 1), { maxLength: 3 })
export const someSteps = Arbitrary.array(
  Arbitrary.all({
    what: oneOf<Step["what"]>(
      ...(["reset", "seal", "seal", "seal", "commit", "commit", "commit", "commit"] as const),
      ...(["kick", "again", "comeOrGo", "comeOrGo", "relist", "restart"] as const)
    ),
    by: wholeNumber(0, seats.length - 1),
    late: oneOf(0, 0, 0, 0, 0, -1, 1),
    adds: someSeats,
    removes: someSeats,
    isSensible: oneOf(true, true, true, false),
    isWithNext: oneOf(true, false, false)
  }),
  { minLength: 5, maxLength: 60 }
)

/** Of these, each once. */
const pick = (from: ReadonlyArray<Seat>, indices: ReadonlyArray<number>): ReadonlyArray<Seat> =>
  from.length === 0 ? [] : [...new Set(indices.flatMap((index) => from[index % from.length] ?? []))]

/** Who is there for what a client would ask for. */
const sensible = (model: SealedModel, { adds, by, removes }: Step) => {
  const { inside } = model.group()
  const pending = model.pending()
  const isIn = (seat: Seat) => inside.some((one) => isSame(one, seat))
  const sound = seats.filter((seat) => isIn(seat) && !pending.some((one) => isSame(one, seat)))
  const waiting = seats.filter(
    (seat) => model.members.has(seat.account) && model.entryOf(seat) !== undefined && !isIn(seat)
  )
  return { by: sound[by % (sound.length || 1)], adds: pick(waiting, adds), removes: pick(pending, removes) }
}

/** What a room's manager knows when a run begins. */
const seen = (model: SealedModel) => ({ members: new Set(model.members), inside: model.group().inside })

/** As a room's manager says it, with what it knows of the people and the devices. */
const actOf = (model: SealedModel, { inside, members }: ReturnType<typeof seen>, wish: Wish, key: string): Act => {
  const { adds, by, incarnation, keyEpoch, removes, what, whom } = wish
  const n = model.entryOf(by)
  const account = AccountId.make(by.account)
  const head = { from: userOf(by), author: authorOfAccount(account), account, key: MessageKey.make(key) }
  if (what === "kick") {
    const about = { user: userOf({ account: whom }), account: AccountId.make(whom), isAdmin: false }
    return {
      ...head,
      body: { _tag: "Kicked", user: about.user },
      about: { ...about, isMember: members.has(whom) }
    }
  }
  const gone = inside.filter((one) => !members.has(one.account) || model.entryOf(one) !== one.n).map(owned)
  const known = {
    ...(n !== undefined && { device: { device: deviceOf(by.device), n } }),
    ...(gone.length > 0 && { gone })
  }
  const device = deviceOf(by.device)
  const { room } = conversation
  if (what === "reset")
    return { ...head, body: { _tag: "KeysReset", device, incarnation: incarnation + 1 }, keys: known }
  if (what === "seal") {
    return {
      ...head,
      body: { _tag: "Sealed", device, keyEpoch, data: sealedBytes({ room, incarnation, keyEpoch }) },
      keys: known
    }
  }
  const data = sealedBytes({ room, incarnation, keyEpoch, contentType: "commit" })
  return {
    ...head,
    body: { _tag: "KeysCommitted", device, keyEpoch, data, adds: adds.map(named), removes: removes.map(named) },
    keys: {
      ...known,
      adds: adds.map((one) => {
        const entry = model.entryOf(one)
        const isMember = members.has(one.account)
        return { account: AccountId.make(one.account), isMember, ...(entry !== undefined && { n: entry }) }
      }),
      ...(adds.length > 0 && { welcome: "AAAA" })
    }
  }
}

const verdictOf = (answer: Deciding.Answer | undefined): string | undefined => {
  if (answer?._tag !== "Refused") return undefined
  const { reason } = answer
  return reason._tag === "StaleKeyEpoch" ? `StaleKeyEpoch ${reason.keyEpoch} ${reason.seq}` : reason._tag
}

type Stores = Governances | History | SealedRooms
const settings = ConfigProvider.layer(ConfigProvider.fromEnvRecord({}))
const by = Symbol("the only one")

/** `open` opens the store, for as long as the scope is open; the same again after a restart, or one that goes on. */
export const play = <E, R>(
  steps: ReadonlyArray<Step>,
  open: Effect.Effect<Context.Context<Stores>, E, R | Scope.Scope>,
  canRestart: boolean
) =>
  Effect.gen(function* () {
    const model = new SealedModel()
    for (const seat of seats) model.lists.set(`${seat.account} ${seat.device}`, Number(seat.device) % 10)
    const entries = new Map(seats.map(({ account }) => [account, 2]))
    let life = yield* Scope.make()
    const begin = Effect.gen(function* () {
      const stores = yield* open
      const deciding = yield* Deciding.make({ conversation }).pipe(
        Effect.provideContext(stores),
        Effect.provide(ServerConfig.layer.pipe(Layer.provide(settings)))
      )
      return { stores, deciding }
    })
    const start = Effect.suspend(() => Effect.provideService(begin, Scope.Scope, life))
    let { deciding, stores } = yield* start
    const owner = { user: userOf({ account: 1 }), account: AccountId.make(1) }
    yield* Context.get(stores, Governances).put(conversation, { ...ungoverned(1), owner, keys: keyless })
    let made = 0
    let run: Array<{
      readonly act: Act
      readonly expected: string | undefined
      readonly seq: number
      readonly why: string
    }> = []
    let view = seen(model)
    const putOut = new Set<number>()
    const carryOut = Effect.gen(function* () {
      const acts = run.map(({ act }) => act)
      const { answers } = Arr.isReadonlyArrayNonEmpty(acts) ? yield* deciding.carryOut(acts, by) : { answers: [] }
      for (const [index, { act, expected, seq, why }] of run.entries()) {
        assert.strictEqual(verdictOf(answers[index]), expected, why)
        if (expected !== undefined) continue
        assert.deepInclude(answers[index], { _tag: "Stored", seq, repeated: false })
        last = { act, seq }
      }
      run = []
      putOut.clear()
    })
    let last: { readonly act: Act; readonly seq: number } | undefined

    for (const step of steps) {
      const { adds, by: number, isSensible, late, removes, what } = step
      const good = isSensible ? sensible(model, step) : undefined
      const seat = (what === "relist" || what === "comeOrGo" ? undefined : good?.by) ?? seats[number] ?? seats[0]
      assert(seat !== undefined)
      const isAct = what === "commit" || what === "kick" || what === "reset" || what === "seal"
      if (!isAct) yield* carryOut
      if (run.length === 0) view = seen(model)
      // Of who is not in the room nothing comes here.
      if (isAct && !view.members.has(seat.account)) continue
      if (what === "restart") {
        if (!canRestart) continue
        yield* Scope.close(life, Exit.void)
        life = yield* Scope.make()
        ;({ deciding, stores } = yield* start)
      } else if (what === "comeOrGo") {
        if (seat.account !== 1 && !model.members.delete(seat.account)) model.members.add(seat.account)
      } else if (what === "relist") {
        const key = `${seat.account} ${seat.device}`
        const n = (entries.get(seat.account) ?? 0) + 1
        entries.set(seat.account, n)
        if (!model.lists.delete(key)) model.lists.set(key, n)
      } else if (what === "again") {
        if (last === undefined) continue
        const { answers } = yield* deciding.carryOut([last.act], by)
        assert.deepInclude(answers[0], { _tag: "Stored", seq: last.seq, repeated: true })
      } else {
        const group = model.group()
        const wish: Wish = {
          what,
          by: seat,
          incarnation: Math.max(0, group.incarnation + (what === "commit" ? 0 : late)),
          keyEpoch: Math.max(0, group.keyEpoch + (what === "commit" ? late : 0)),
          adds: good?.adds ?? adds.flatMap((index) => seats[index] ?? []),
          removes: good?.removes ?? removes.flatMap((index) => seats[index] ?? []),
          whom: seats[adds[0] ?? 0]?.account ?? 1
        }
        const act = actOf(model, view, wish, `the key of the act ${++made}`)
        const expected = putOut.has(seat.account) ? "NotInRoom" : model.ask(wish)
        if (what === "kick" && expected === undefined) putOut.add(wish.whom)
        const why = `${JSON.stringify(wish)} in ${JSON.stringify(group)}, as number ${run.length} of its run`
        run.push({ act, expected, seq: model.log.length, why })
      }
      if (isAct && step.isWithNext) continue
      yield* carryOut
      const { inside, incarnation, keyEpoch, since } = model.group()
      const keys = deciding.governance().keys
      assert.deepInclude(keys, { incarnation, keyEpoch, seq: since })
      assert.deepStrictEqual(
        keys?.devices.map(({ account, device, n, out }) => ({ account, device, n, out })),
        inside.map(({ account, device, n, out }) => Object.assign(owned({ account, device }), { n, out }))
      )
    }
    yield* carryOut
    const rooms = Context.get(stores, SealedRooms)
    for (const seat of seats) {
      const intervals = yield* rooms.intervals(conversation, owned(seat))
      const places = intervals.flatMap(({ since, until = model.log.length }) =>
        Array.from({ length: Math.max(0, until - since + 1) }, (_, index) => since + index)
      )
      assert.deepStrictEqual(places, model.readable(seat), `what ${seat.account}'s ${seat.device} may read`)
    }
    yield* Scope.close(life, Exit.void)
  })
