/** Rooms that are erased, on a real database: what a start finds, and what is known after a commit whose answer was lost. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { silently } from "../../support/FaultyServer.ts"
import { textOf } from "../history/HistoryAsked.ts"
import { entry, everything, fresh, newFile, open } from "./OpenLog.ts"

const dev = { _tag: "Room", room: RoomName.make("dev") } as const
const inRoom = (content: string) => entry(content, { conversation: dev })

/** The connection of a client, but what says that a room was taken away is lost while `isLosing`. */
const losing = (isLosing: () => boolean) =>
  Effect.fnUntraced(function* (inner: SqlClient.SqlClient) {
    const connection = yield* inner.reserve
    const lost = new SqlError({ reason: classifySqliteError(new Error("The answer was lost")) })
    let isTakenAway = false
    const behind = <A>(sql: string, answer: Effect.Effect<A, SqlError>) =>
      Effect.tap(answer, () => {
        if (sql.includes("kind = 'Erased'")) isTakenAway = true
        if (!sql.startsWith("COMMIT") || !isTakenAway) return Effect.void
        isTakenAway = false
        return isLosing() ? Effect.fail(lost) : Effect.void
      })
    const between: Connection = {
      ...connection,
      execute: (sql, parameters, transform) => behind(sql, connection.execute(sql, parameters, transform)),
      executeUnprepared: (sql, parameters, transform) =>
        behind(sql, connection.executeUnprepared(sql, parameters, transform))
    }
    return yield* SqlClient.make({
      acquirer: Effect.succeed(between),
      compiler: Statement.makeCompilerSqlite(),
      driver: "losing",
      spanAttributes: []
    }).pipe(Effect.provide(Reactivity.layer))
  })

layer(NodeFileSystem.layer)("a room that is erased", (it) => {
  it.effect("is no room after a start, whether anything of it is left or not, and its number is not given again", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const epochs = new Set<string>()
      const live = Effect.gen(function* () {
        const { history, sql } = yield* open(file)
        assert.deepStrictEqual(history.rooms, [])
        epochs.add((yield* history.newest(dev)).epoch)
        assert.strictEqual((yield* history.append([inRoom("a")]))[0]?.seq, 1)
        yield* sql`INSERT INTO governance (conversation_key, name, state) VALUES ('room:dev', 'dev', '{}')`
        yield* history.erase(dev)
        for (const table of ["governance", "memberships", "marks"])
          assert.deepStrictEqual(yield* sql`SELECT * FROM ${sql(table)}`, [])
        epochs.add((yield* history.newest(dev)).epoch)
      }).pipe(Effect.scoped)
      yield* Effect.repeat(live, { times: 2 })
      assert.isAtLeast(epochs.size, 4)
    })
  )

  it.effect("by a commit whose answer was lost is known to be gone by whoever asks next", () =>
    Effect.gen(function* () {
      let isLosing = false
      const { history } = yield* fresh(losing(() => isLosing))
      yield* history.append([inRoom("a"), entry("b")])
      const before = yield* history.newest(dev)
      isLosing = true
      assert.strictEqual((yield* Effect.flip(history.erase(dev)))._tag, "StorageUnavailable")
      isLosing = false
      const after = yield* history.newest(dev)
      assert.strictEqual(after.seq, 0)
      assert.notStrictEqual(after.epoch, before.epoch)
      assert.deepInclude((yield* history.append([inRoom("c")]))[0], { seq: 1 })
      assert.deepStrictEqual((yield* history.read(dev, everything)).entries.map(textOf), ["c"])
      assert.deepStrictEqual(yield* history.newest(dev), { epoch: after.epoch, seq: 1 })
    }).pipe(silently)
  )

  it.effect("by a commit whose answer was lost is known to be gone by whoever writes next", () =>
    Effect.gen(function* () {
      let isLosing = false
      const { history } = yield* fresh(losing(() => isLosing))
      yield* history.append([inRoom("a"), inRoom("b")])
      isLosing = true
      yield* Effect.flip(history.erase(dev))
      isLosing = false
      assert.deepInclude((yield* history.append([inRoom("c")]))[0], { seq: 1 })
      assert.deepStrictEqual((yield* history.read(dev, everything)).entries.map(textOf), ["c"])
    }).pipe(silently)
  )
})
