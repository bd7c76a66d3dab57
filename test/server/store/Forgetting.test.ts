/** Rooms of which RETENTION leaves nothing, in a real database: they can be forgotten, and their numbers never come again. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Queue } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import * as OldestMessages from "../../../src/server/store/OldestMessages.ts"
import { entry, everything, fresh, lobby, newFile, open, room } from "./OpenLog.ts"

const inRoom = (name: string, content = "a", at = 1) => entry(content, { conversation: room(name), at })
const dev = RoomName.make("dev")

/** What RETENTION does, up to this time. */
const deleteBefore = (sql: SqlClient.SqlClient, cutoff: number) =>
  sql.withTransaction(OldestMessages.make(sql).deleteOldest(cutoff, 1000))

const rowsOf = (sql: SqlClient.SqlClient) =>
  Effect.map(sql`SELECT name FROM conversations`.values, (rows) => rows.flat())
const untilRows = (sql: SqlClient.SqlClient, names: ReadonlyArray<string>) =>
  rowsOf(sql).pipe(Effect.repeat({ until: (rows) => rows.toSorted().join() === names.join() }))

layer(NodeFileSystem.layer)("a room that RETENTION emptied", (it) => {
  it.effect("is told of, can be forgotten then, and is another one when it is made again", () =>
    Effect.gen(function* () {
      const { emptied, history, sql } = yield* fresh()
      yield* history.append([inRoom("dev"), inRoom("ops"), entry("a")])
      const before = yield* history.newest(room("dev"))
      assert.isFalse(history.forgetUnsafe(room("dev")))
      yield* history.append([inRoom("ops", "b", 50)])
      yield* deleteBefore(sql, 10)
      // Told of both, twice; the history looks for itself.
      Queue.offerAllUnsafe(emptied, [RoomName.make("ops"), dev, dev])
      assert.strictEqual(yield* Queue.take(history.emptied), dev)
      // As long as nobody listens, it waits once.
      Queue.offerUnsafe(emptied, dev)
      yield* Queue.size(history.emptied).pipe(Effect.repeat({ until: (size) => size === 1 }))
      Queue.offerAllUnsafe(emptied, [dev, RoomName.make("ops")])
      yield* Queue.size(emptied).pipe(Effect.repeat({ until: (size) => size === 0 }))
      assert.deepStrictEqual(yield* Queue.takeAll(history.emptied), [dev])
      assert.isFalse(history.forgetUnsafe(room("ops")))
      assert.isFalse(history.forgetUnsafe(lobby))
      assert.deepStrictEqual(yield* history.newest(room("dev")), before)

      assert.isTrue(history.forgetUnsafe(room("DEV")))
      yield* untilRows(sql, ["", "ops"])
      const after = yield* history.newest(room("dev"))
      assert.notStrictEqual(after.epoch, before.epoch)
      assert.strictEqual(after.seq, 0)
      assert.strictEqual((yield* history.append([inRoom("dev", "again")]))[0]?.seq, 1)
      assert.deepStrictEqual(yield* history.newest(room("dev")), { epoch: after.epoch, seq: 1 })
      assert.lengthOf((yield* history.read(room("dev"), everything)).entries, 1)
    })
  )

  it.effect("is not forgotten once it was written to again, or while it is", () =>
    Effect.gen(function* () {
      const { emptied, history, sql } = yield* fresh()
      yield* history.append([inRoom("dev"), entry("a", { at: 50 })])
      yield* deleteBefore(sql, 10)
      Queue.offerUnsafe(emptied, dev)
      yield* Queue.take(history.emptied)
      const storing = yield* Effect.forkChild(history.append([inRoom("dev", "b", 50)]), { startImmediately: true })
      assert.isFalse(history.forgetUnsafe(room("dev")))
      yield* Fiber.join(storing)
      assert.isFalse(history.forgetUnsafe(room("dev")))
      assert.strictEqual((yield* history.newest(room("dev"))).seq, 2)
    })
  )

  it.effect("can be made again and written to before its row is gone", () =>
    Effect.gen(function* () {
      const { emptied, history, sql } = yield* fresh()
      yield* history.append([inRoom("dev"), inRoom("ops", "a", 50)])
      const old = yield* history.newest(room("dev"))
      yield* deleteBefore(sql, 10)
      Queue.offerUnsafe(emptied, dev)
      yield* Queue.take(history.emptied)
      assert.isTrue(history.forgetUnsafe(room("dev")))
      assert.deepStrictEqual((yield* history.append([inRoom("dev", "again")]))[0], { seq: 1, at: 1, repeated: false })
      assert.notStrictEqual((yield* history.newest(room("dev"))).epoch, old.epoch)
      assert.deepStrictEqual((yield* rowsOf(sql)).toSorted(), ["dev", "ops"])
    })
  )

  it.effect("is no room any more after a restart, and its number is not given again", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const epochs = new Set<string>()
      /** Makes the room, and lets RETENTION take it; each time it is the one with the greatest number. */
      const live = Effect.gen(function* () {
        const { history, sql } = yield* open(file)
        assert.deepStrictEqual(history.rooms, [])
        yield* untilRows(sql, [""])
        const unwritten = yield* history.newest(room("unwritten"))
        assert.isTrue(history.forgetUnsafe(room("unwritten")))
        const { epoch } = yield* history.newest(room("dev"))
        assert.isFalse(epochs.has(epoch))
        assert.notStrictEqual(unwritten.epoch, epoch)
        epochs.add(epoch)
        assert.strictEqual((yield* history.append([inRoom("dev")]))[0]?.seq, 1)
        yield* history.append([entry("lobby")])
        yield* deleteBefore(sql, 10)
      }).pipe(Effect.scoped)
      yield* Effect.scoped(Effect.flatMap(open(file), ({ history }) => history.append([entry("first")])))
      yield* Effect.repeat(live, { times: 2 })
      assert.strictEqual(epochs.size, 3)
    })
  )

  it.effect("keeps its epoch over a restart while something is left of it", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const life = Effect.gen(function* () {
        const { history } = yield* open(file)
        // Asked for in another order each time.
        yield* history.newest(room(`other${(yield* history.newest(lobby)).seq}`))
        yield* history.append([inRoom("dev", "a", 9), entry("a")])
        assert.include([[], ["dev"]].map(String), String(history.rooms))
        return (yield* history.newest(room("dev"))).epoch
      }).pipe(Effect.scoped)
      assert.strictEqual(yield* life, yield* life)
    })
  )

  it.effect("has times that do not go back over a restart", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const write = (at: number) =>
        Effect.scoped(Effect.flatMap(open(file), ({ history }) => history.append([inRoom("dev", "a", at)])))
      yield* write(90)
      assert.deepStrictEqual(yield* write(20), [{ seq: 2, at: 90, repeated: false }])
    })
  )
})
