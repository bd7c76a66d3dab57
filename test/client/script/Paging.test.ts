import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Ask, placeSince } from "../../../src/client/script/Paging.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { StandingMessage } from "../../../src/common/wire/EntryMessage.ts"

const said = (seq: number, at: number): StandingMessage => ({
  _tag: "GlobalMessage",
  seq,
  at,
  from: UserName.make("bob"),
  content: "x"
})
const pageOf = (messages: ReadonlyArray<StandingMessage>) => Effect.succeed({ messages, more: true })

describe("the place since when all was said", () => {
  it.effect("is in front of the first that is not older", () =>
    Effect.gen(function* () {
      const ask: Ask<never> = ({ after = 0 }) => pageOf(after < 1000 ? [said(after + 1, (after + 1) * 10)] : [])
      assert.strictEqual(yield* placeSince(ask, {}, 7000, 1000), 699)
    })
  )

  it.effect("is looked for no longer where a server answers with what was not asked for", () =>
    Effect.gen(function* () {
      let asked = 0
      const ask: Ask<string> = () => {
        asked += 1
        return asked > 100 ? Effect.fail("asked again and again") : pageOf([said(3, 1)])
      }
      assert.isAtMost(yield* placeSince(ask, {}, 7000, 1_000_000), 3)
    })
  )
})
