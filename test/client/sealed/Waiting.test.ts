/** A device that waits to be let in where nobody is who could. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { enter, makeVault, type SwitchOptions, until, vault } from "./Devices.ts"
import { world } from "./Lies.ts"

/** Ada has made the vault, and is away. Ben waits. */
const waiting = Effect.fnUntraced(function* (options: SwitchOptions) {
  const { lying, on } = yield* world
  yield* Effect.scoped(Effect.flatMap(on("ada"), makeVault))
  const count = (tag: string) => {
    let asked = 0
    lying.asked((line, { user }) => {
      if (user === "ben" && line._tag === tag) asked += 1
      return undefined
    })
    return () => asked
  }
  const [looks, resets] = [count("GetWelcomes"), count("ResetKeys")]
  const ben = yield* on("ben", "desk", options)
  yield* enter(ben)
  return { ben, lying, looks, resets }
})

layer(NodeServices.layer, { excludeTestServices: true })("Who waits to be let in", (it) => {
  it.effect("asks for no fresh keys before a minute is over, however many come and go", () =>
    Effect.gen(function* () {
      const { lying, looks, resets } = yield* waiting({ patience: 400 })
      for (let n = 0; n < 40; n++) {
        const before = looks()
        lying.talksOf("ben")[0]?.tell({ _tag: "RoomPresence", room: vault, joined: [`somebody${n}`], left: [] })
        yield* until(
          "ben looks again",
          Effect.sync(() => looks() > before)
        )
      }
      assert.strictEqual(resets(), 0)
    }).pipe(Effect.scoped)
  )

  it.effect("asks for them then, and less and less often", () =>
    Effect.gen(function* () {
      const { looks, resets } = yield* waiting({ patience: 1 })
      yield* until(
        "ben asks",
        Effect.sync(() => resets() > 1)
      )
      // Of so short pauses: it looks for a welcome several times for each.
      assert.isAbove(looks(), 10)
    }).pipe(Effect.scoped)
  )
})
