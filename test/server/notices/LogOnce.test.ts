import { assert, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { LogOnce } from "../../../src/server/notices/LogOnce.ts"

it.effect("tells of each thing once, and of no more than a thousand", () => {
  const lines: Array<unknown> = []
  const logger = Logger.make<unknown, void>(({ message }) => {
    lines.push(message)
  })
  const once = new LogOnce("and more")
  const things = Array.from({ length: 3000 }, (_, index) => index % 1500)
  return Effect.gen(function* () {
    yield* Effect.forEach(things, (thing) => once.error(`${thing}`, `thing ${thing}`))
    assert.lengthOf(lines, 1001)
    assert.strictEqual(new Set(lines.map(String)).size, 1001)
    assert.strictEqual(String(lines.at(-1)), "and more")
  }).pipe(Effect.provide(Logger.layer([logger])))
})
