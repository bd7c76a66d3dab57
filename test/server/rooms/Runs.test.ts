import { assert, describe, it } from "@effect/vitest"
import type { Intent } from "../../../src/common/log/Entry.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { makeRuns, type Waiting } from "../../../src/server/rooms/Runs.ts"
import { SessionId } from "../../../src/server/session/Asker.ts"

const say = (content: string, session = 1): Waiting => {
  const body: Intent = { _tag: "Said", content }
  const from = { session: SessionId.make(session), user: UserName.make("ada"), request: 1 }
  return { _tag: "Act", from, body, key: undefined }
}

const runLengths = (acts: ReadonlyArray<Waiting>) => {
  const runs = makeRuns()
  for (const act of acts) runs.add(act)
  const lengths: Array<number> = []
  for (let run = runs.nextRun(); run.length > 0; run = runs.nextRun()) {
    lengths.push(run.length)
    runs.answered(run)
  }
  assert.isTrue(runs.isIdle())
  return lengths
}

describe("A run", () => {
  it("holds a thousand acts at most", () => {
    assert.deepStrictEqual(runLengths(Array.from({ length: 2500 }, () => say("x"))), [1000, 1000, 500])
  })

  it("ends with the act by which its texts have 64 Ki characters", () => {
    assert.deepStrictEqual(runLengths(Array.from({ length: 20 }, () => say("x".repeat(8192)))), [9, 9, 2])
  })

  it("holds a hundred acts at most that depend on what stands", () => {
    const react: Waiting = { ...say("x"), body: { _tag: "Reacted", target: 1, reaction: "👍" } }
    const acts = Array.from({ length: 300 }, (_, index) => (index % 2 === 0 ? react : say("x")))
    assert.deepStrictEqual(runLengths(acts), [199, 101])
  })

  it("counts the reasons and the reactions among its texts", () => {
    const remove: Waiting = { ...say("x"), body: { _tag: "Deleted", target: 1, reason: "x".repeat(30_000) } }
    assert.deepStrictEqual(runLengths([remove, remove, remove, remove]), [3, 1])
  })

  it("is answered before anything else that its senders asked of the conversation, which holds up nobody else", () => {
    const runs = makeRuns<{ readonly command: Waiting | { readonly _tag: "Gone"; readonly session: SessionId } }>()
    const act = say("first")
    const gone = { _tag: "Gone", session: SessionId.make(1) } as const
    const other = { _tag: "Gone", session: SessionId.make(2) } as const
    runs.add(act)
    assert.isTrue(runs.postpone(gone, { command: gone }))
    assert.isFalse(runs.postpone(other, { command: other }))
    const run = runs.nextRun()
    assert.deepStrictEqual(run, [act])
    assert.isUndefined(runs.nextPostponed(SessionId.make(1)))
    assert.deepStrictEqual(runs.answered(run), [SessionId.make(1)])
    assert.deepStrictEqual(runs.nextPostponed(SessionId.make(1)), { command: gone })
    assert.isTrue(runs.isIdle())
  })
})
