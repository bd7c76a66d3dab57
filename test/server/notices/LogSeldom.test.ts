import { assert, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { TestClock } from "effect/testing"
import { LogSeldom } from "../../../src/server/notices/LogSeldom.ts"

it.effect("tells of each thing once an hour, and of no more than fifty", () => {
  const lines: Array<string> = []
  const logger = Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))
  const seldom = new LogSeldom("and more")
  const meet = (count: number) =>
    Effect.forEach(Array.from({ length: 3 * count }), (_, index) =>
      seldom.warning(`${index % count}`, "met", { thing: `${index % count}` })
    )
  return Effect.gen(function* () {
    yield* meet(50)
    assert.lengthOf(lines, 50)
    assert.isTrue(lines.every((line, index) => line.endsWith(`message=met thing=${index}`)))
    yield* meet(1000)
    assert.lengthOf(lines, 51)
    assert.match(lines.at(-1) ?? "", /message="and more"$/)
    yield* TestClock.adjust("59 minutes")
    yield* meet(1000)
    assert.lengthOf(lines, 51)
    yield* TestClock.adjust("1 minute")
    yield* meet(2)
    assert.lengthOf(lines, 53)
  }).pipe(Effect.provide(Logger.layer([logger])))
})
