/** What `pnpm admin` makes of accounts' inboxes: verify and backup. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Inbox } from "../../src/common/log/Conversation.ts"
import type { Body } from "../../src/common/log/Entry.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { backup } from "../../src/server/admin/Backup.ts"
import { Progress } from "../../src/server/admin/Progress.ts"
import { inspectUnused } from "../../src/server/admin/Verify.ts"
import type { NewEntry } from "../../src/server/history/History.ts"
import { folder, makeDatabase, sqlite } from "./AdminProcess.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const inbox = (user: string, account: number): Inbox => ({ _tag: "Inbox", user: UserName.make(user), account })
const ada = inbox("Ada", 1)
const bob = inbox("bob", 2)

const exchange = (from: Inbox, to: Inbox, body: Body): NewEntry => ({
  conversation: from,
  twin: to,
  from: from.user,
  to: to.user,
  author: undefined,
  body,
  at: 1_790_000_000_000,
  key: undefined
})

const said = (content: string): Body => ({ _tag: "Said", content })
const exchanged = (file: string) =>
  makeDatabase(file, [
    exchange(inbox("cleo", 3), bob, said("psst")),
    exchange(ada, bob, said("a terrible secret")),
    exchange(bob, ada, said("tea?")),
    exchange(ada, bob, { _tag: "Edited", target: 1, content: "a horrible secret" }),
    exchange(ada, bob, { _tag: "Deleted", target: 1 }),
    exchange(ada, bob, { _tag: "Reacted", target: 2, reaction: "ok" })
  ])

const inspected = (file: string) => Effect.provideService(inspectUnused(file, file), Progress, Progress.silent)

realTime("pnpm admin, of inboxes,", (it) => {
  it.effect(
    "finds both sides of every exchange as they were stored, and so in a backup, without what was deleted",
    () =>
      Effect.gen(function* () {
        const { path } = yield* folder
        const [database, copy] = [`${path}/chat.sqlite`, `${path}/copy.sqlite`]
        yield* exchanged(database)
        assert.deepStrictEqual((yield* inspected(database)).problems, [])
        const report = yield* Effect.provideService(
          backup({ database, file: copy, isForced: false }),
          Progress,
          Progress.silent
        )
        assert.deepStrictEqual(report.problems, [])
        const inCopy = yield* sqlite(copy, "SELECT group_concat(content, ' ') AS text FROM messages")
        assert.notInclude(JSON.stringify(inCopy), "secret")
        const columns = "SELECT conversation, seq, sender, receiver, partner, twin, kind FROM messages ORDER BY id"
        assert.deepStrictEqual(yield* sqlite(copy, columns), yield* sqlite(database, columns))
      })
  )

  it.effect.each([
    { what: "a receiver", change: "UPDATE messages SET receiver = 'eve' WHERE seq = 2 AND partner = '#1'", tells: 2 },
    { what: "a partner", change: "UPDATE messages SET partner = '#3' WHERE seq = 1 AND sender = 'Ada'", tells: 2 },
    { what: "a twin", change: "UPDATE messages SET twin = 9 WHERE seq = 2 AND partner = '#1'", tells: 2 }
  ])("tells when $what is another one, by the checksum and by the other side", ({ change, tells }) =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const database = `${path}/chat.sqlite`
      yield* exchanged(database)
      yield* sqlite(database, change)
      const { problems } = yield* inspected(database)
      assert.isAtLeast(problems.length, tells)
      assert.match(problems.join("\n"), /its checksum is another/)
      assert.match(problems.join("\n"), /does not stand in the inbox of the other/)
    })
  )

  it.effect("tells when one side of an exchange is missing", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const database = `${path}/chat.sqlite`
      yield* exchanged(database)
      yield* sqlite(
        database,
        "DELETE FROM messages WHERE partner = '#1' AND seq = (SELECT MAX(seq) FROM messages WHERE partner = '#1')"
      )
      const { problems } = yield* inspected(database)
      assert.match(problems.join("\n"), /does not stand in the inbox of the other/)
    })
  )
})
