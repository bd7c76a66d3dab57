/** How much is stored together: a commit keeps the disk busy, and everybody who comes behind it waiting. */
import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Deferred, Effect, Fiber } from "effect"
import { type Append, make, maxCommitCharacters, maxCommitEntries } from "../../../src/server/store/GroupCommit.ts"
import { entry } from "../history/HistoryAsked.ts"

/** Stores nothing, but says how much it was to store; the first commit lasts until all others wait. */
const recording = Effect.gen(function* () {
  const commits: Array<ReadonlyArray<Append>> = []
  const begun = yield* Deferred.make<void>()
  const released = yield* Deferred.make<void>()
  const append = yield* make(
    (appends) =>
      Effect.gen(function* () {
        commits.push(appends)
        yield* Deferred.succeed(begun, undefined)
        yield* Deferred.await(released)
        return appends.flatMap(({ entries }) => entries.map((_, index) => ({ seq: index, at: 0, repeated: false })))
      }),
    () => {}
  )
  const appendAll = Effect.fnUntraced(function* (contents: ReadonlyArray<string>) {
    const one = (content: string) => append({ entries: [entry(content)], answered: [], conversations: new Map() })
    const first = yield* Effect.forkChild(one("first"), { startImmediately: true })
    yield* Deferred.await(begun)
    const all = yield* Effect.forEach(contents, (content) => Effect.forkChild(one(content), { startImmediately: true }))
    yield* Deferred.succeed(released, undefined)
    yield* Effect.forEach([first, ...all], Fiber.await, { discard: true })
    return commits.slice(1).map((appends) => appends.flatMap(({ entries }) => entries))
  })
  return appendAll
})

describe("a commit", () => {
  it.effect("takes no more entries than it may, however many wait", () =>
    Effect.gen(function* () {
      const appendAll = yield* recording
      const commits = yield* appendAll(Arr.makeBy(maxCommitEntries * 2 + 1, String))
      assert.deepStrictEqual(
        commits.map(({ length }) => length),
        [maxCommitEntries, maxCommitEntries, 1]
      )
    })
  )

  it.effect("takes no more text than it may, but one entry at least", () =>
    Effect.gen(function* () {
      const appendAll = yield* recording
      const half = "x".repeat(maxCommitCharacters / 2)
      const commits = yield* appendAll([half, half, half, "y".repeat(maxCommitCharacters + 1), half])
      assert.deepStrictEqual(
        commits.map((entries) => entries.length),
        [2, 1, 1, 1]
      )
    })
  )
})
