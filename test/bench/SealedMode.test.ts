import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { tableOf } from "./Report.ts"
import { runMode } from "./Runner.ts"
import { sealedMode } from "./SealedMode.ts"

const measured = Effect.fnUntraced(function* (members: number) {
  const load = { ...sealedMode.load(members, 1), members, seconds: 1, bytes: 64, messages: 20 }
  const result = yield* runMode(sealedMode, load, { subjects: ["parley"], repeat: 1, cores: undefined })
  const [parley] = result.results
  assert.strictEqual(parley?.failure, undefined)
  return { figures: parley?.median ?? {}, table: tableOf(result) }
}, Effect.scoped)

const ofComing = ["addP50", "addMax", "removeP50", "removeMax"]

const above = (figures: Readonly<Record<string, number>>, keys: ReadonlyArray<string>) =>
  keys.filter((key) => !((figures[key] ?? Number.NaN) > 0))

describe("What encrypted conversations take", () => {
  it.live("is measured in a room: a message, who comes and goes, and what was missed, beside a plain room", () =>
    Effect.gen(function* () {
      const { figures, table } = yield* measured(3)
      // The server's processor time is counted in hundredths of a second.
      const keys = sealedMode.columns.map(({ key }) => key).filter((key) => !key.startsWith("server"))
      assert.deepStrictEqual(above(figures, keys), [])
      const of = (key: string) => figures[key] ?? Number.NaN
      for (const [less, more] of [
        ["storedP50", "storedP99"],
        ["openedP50", "openedP99"],
        ["addP50", "addMax"],
        ["removeP50", "removeMax"]
      ] as const) {
        assert.isAtMost(of(less), of(more))
      }
      // Sealing is more work than not sealing.
      assert.isAbove(of("clientToPlain"), 1)
      assert.closeTo(of("missed") / of("plainMissed"), of("missedToPlain"), 0.01)
      assert.match(
        table,
        /^sealed: 3 members, 3 talk, 20 messages, 64 bytes each\n.*let in p50.*taken out p50.*missed ms/
      )
    })
  )

  it.live("is measured in a conversation of two, to which nobody comes", () =>
    Effect.gen(function* () {
      const { figures } = yield* measured(2)
      assert.deepStrictEqual(above(figures, ofComing), ofComing)
      assert.deepStrictEqual(above(figures, ["storedP50", "openedP99", "clientMicros", "missed", "missedToPlain"]), [])
    })
  )
})
