/** What a conversation does next, held to its rules wherever it stands, and over runs with a server that refuses and crashes in between. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { decide, isBehind, type Standing } from "../../../src/client/sealed/Decision.ts"
import { Chance } from "../../simulation/Chance.ts"

const small = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 }))
const Place = Schema.Struct({ incarnation: small, keyEpoch: small })
const AnyStanding = Schema.Struct({
  isJoined: Schema.Boolean,
  cursor: small,
  heard: small,
  group: Schema.UndefinedOr(Place),
  incarnation: small,
  isOutOfStep: Schema.Boolean,
  isUnsure: Schema.Boolean,
  pending: Schema.UndefinedOr(Schema.Struct({ isAnswered: Schema.Boolean })),
  outbox: Schema.Array(Schema.Struct({ ...Place.fields, key: Schema.String, isSent: Schema.Boolean })),
  isWelcomeDue: Schema.Boolean,
  isTendingDue: Schema.Boolean,
  hasWish: Schema.Boolean,
  isResetWished: Schema.Boolean,
  isHeldBack: Schema.Boolean,
  isCopied: Schema.Boolean
})

describe("What is done next", () => {
  it.prop(
    "sends nothing before all is read that was heard of, and no change of keys beside another",
    [AnyStanding],
    ([standing]) => {
      const { _tag } = decide(standing)
      if (!standing.isJoined) return assert.strictEqual(_tag, "Rest")
      if (standing.heard > standing.cursor) return assert.strictEqual(_tag, "Read")
      if (standing.isCopied) return assert.strictEqual(_tag, "Rest")
      if (standing.isHeldBack) return assert.include(["Rest", "TakeWelcome"], _tag)
      if (standing.pending !== undefined) return assert.include(["Rest", "SendChange"], _tag)
      if (standing.isResetWished) return assert.strictEqual(_tag, "Reset")
      if (standing.group === undefined) return assert.include(["Rest", "Reset", "TakeWelcome"], _tag)
      if (standing.isOutOfStep) return assert.strictEqual(_tag, "Rest")
      if (standing.isTendingDue) assert.strictEqual(_tag, "Tend")
    }
  )

  it.prop(
    "seals again only what was sealed with keys that are gone, and new things only behind all that waits; nothing with keys that may have been used",
    [AnyStanding],
    ([standing]) => {
      const action = decide(standing)
      const { group } = standing
      if (standing.isUnsure) assert.notInclude(["Seal", "SealAgain"], action._tag)
      if (action._tag === "Seal") {
        assert(group !== undefined)
        assert.isTrue(standing.outbox.every((row) => row.isSent && !isBehind(row, group)))
      }
      if (action._tag !== "SealAgain" && action._tag !== "Send") return
      const row = standing.outbox.find(({ key }) => key === action.key)
      assert(row !== undefined && group !== undefined)
      assert.strictEqual(isBehind(row, group), action._tag === "SealAgain")
    }
  )

  it("comes to rest with everything said once, whatever is refused, lost or forgotten in between", () => {
    for (let seed = 1; seed <= 500; seed++) {
      const { log, texts } = sayAll(seed)
      assert.deepStrictEqual(log.toSorted(), texts, `seed ${seed}`)
    }
  })
})

interface Row {
  readonly key: string
  readonly incarnation: number
  readonly keyEpoch: number
}

/** A model of a server that knows keys and the newest key epoch, and of one device that loses its memory, but not its store. */
const sayAll = (seed: number) => {
  const chance = new Chance(seed)
  const log: Array<string | undefined> = []
  let serverEpoch = 0
  const texts = Array.from({ length: 5 }, (_, index) => `text ${index}`)
  // What is stored.
  let cursor = 0
  let keyEpoch = 0
  let rows: Array<Row> = []
  let wishes = [...texts]
  // What is remembered.
  let heard = 0
  let sent = new Set<string>()
  for (let step = 0; step < 2000; step++) {
    if (chance.is(0.05)) {
      sent = new Set()
      heard = log.length
    }
    if (chance.is(0.1) && wishes.length > 0) {
      log.push(undefined)
      serverEpoch += 1
    }
    if (chance.is(0.5)) heard = log.length
    const standing: Standing = {
      isJoined: true,
      cursor,
      heard,
      group: { incarnation: 1, keyEpoch },
      incarnation: 1,
      isOutOfStep: false,
      isUnsure: false,
      pending: undefined,
      outbox: rows.map((row) => ({ ...row, isSent: sent.has(row.key) })),
      isWelcomeDue: false,
      isTendingDue: false,
      hasWish: wishes.length > 0,
      isResetWished: false,
      isHeldBack: false,
      isCopied: false
    }
    const action = decide(standing)
    if (action._tag === "Read") {
      const entry = log[cursor]
      cursor += 1
      if (entry === undefined) keyEpoch += 1
      rows = rows.filter(({ key }) => key !== entry)
    } else if (action._tag === "Seal") {
      const [key = "", ...rest] = wishes
      rows.push({ key, incarnation: 1, keyEpoch })
      wishes = rest
    } else if (action._tag === "SealAgain") {
      rows = rows.map((row) => (row.key === action.key ? { ...row, keyEpoch } : row))
      sent.delete(action.key)
    } else if (action._tag === "Send") {
      const row = rows.find(({ key }) => key === action.key)
      const isKnown = log.includes(action.key)
      const isTaken = !isKnown && row?.keyEpoch === serverEpoch
      if (isTaken) log.push(action.key)
      // The answer may be lost.
      if (chance.is(0.2)) continue
      if (isKnown || isTaken) sent.add(action.key)
      else heard = log.length
    } else if (wishes.length === 0 && rows.length === 0) break
    else heard = log.length
  }
  return { log: log.filter((entry) => entry !== undefined), texts }
}
