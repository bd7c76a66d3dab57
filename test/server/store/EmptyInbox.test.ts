/** An account's inbox in a real database, before anybody has written to it: the log it will be, over any restart. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Conversation } from "../../../src/common/log/Conversation.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { entry, newFile, open, room } from "./OpenLog.ts"

const inbox = (account: number): Conversation => ({ _tag: "Inbox", user: UserName.make("ada"), account })

layer(NodeFileSystem.layer)("an inbox that nobody has written to", (it) => {
  it.effect("is the same log after a restart, so that who saw it empty is given what came meanwhile", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const newest = (account: number) =>
        Effect.scoped(Effect.flatMap(open(file), ({ history }) => history.newest(inbox(account))))
      const before = yield* newest(7)
      const written = Effect.gen(function* () {
        const { history } = yield* open(file)
        yield* history.newest(room("dev"))
        assert.notStrictEqual((yield* history.newest(inbox(8))).epoch, before.epoch)
        assert.strictEqual((yield* history.newest(inbox(7))).epoch, before.epoch)
        const message = entry("hi", { conversation: inbox(7), to: UserName.make("ada") })
        yield* history.append([message])
        return yield* history.newest(inbox(7))
      })
      assert.deepStrictEqual(yield* Effect.scoped(written), { epoch: before.epoch, seq: 1 })
      assert.deepStrictEqual(yield* newest(7), { epoch: before.epoch, seq: 1 })
    })
  )
})
