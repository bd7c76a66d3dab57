/** The last of a hundred devices is let in where the tree is as large as it gets, in a line that the server takes. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { maxDevices, membersOf } from "../../../src/client/crypto/Group.ts"
import { fitting } from "../../../src/client/sealed/Tender.ts"
import { maxCommitBytes, maxWelcomeBytes } from "../../../src/common/log/Sealing.ts"
import { committedBy, full, longestRoom, newcomer, type Newcomer } from "./FullTree.ts"

const frameBytes = 65_536
const base64 = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("base64")

const readOf = (those: ReadonlyArray<Newcomer>) => those.map(({ read }) => read)

describe("A group at its largest", () => {
  it.live("lets in as many at once as fit a line of 64 KiB, and so the hundredth", () =>
    Effect.gen(function* () {
      const before = process.cpuUsage()
      let group = yield* full(maxDevices - 8)
      const those = yield* Effect.forEach(Array.from({ length: 8 }), (_, index) => newcomer(maxDevices + index))
      const counts: Array<number> = []
      for (let waiting: ReadonlyArray<Newcomer> = those; waiting.length > 0;) {
        const { adds, pending } = yield* fitting(group, readOf(waiting), [])
        const { bytes, next, welcome } = pending
        assert.isAtMost(bytes.length, maxCommitBytes)
        assert.isAtMost(welcome?.length ?? 0, maxWelcomeBytes)
        const line = JSON.stringify({
          _tag: "CommitKeys",
          id: "i".repeat(64),
          room: longestRoom,
          keyEpoch: Number.MAX_SAFE_INTEGER,
          data: base64(bytes),
          adds: adds.map(({ identity: { device, user } }) => ({ user, device })),
          removes: [],
          welcome: base64(welcome),
          key: "k".repeat(64)
        })
        assert.isAtMost(Buffer.byteLength(line), frameBytes)
        const reply = {
          _tag: "Welcomes",
          id: "i".repeat(64),
          welcomes: [{ room: longestRoom, seq: Number.MAX_SAFE_INTEGER, data: base64(welcome) }],
          next: Number.MAX_SAFE_INTEGER
        }
        assert.isAtMost(Buffer.byteLength(JSON.stringify(reply)), frameBytes)
        counts.push(adds.length)
        const come = waiting.slice(0, adds.length)
        group = yield* committedBy(next, come)
        waiting = waiting.slice(adds.length)
      }
      assert.strictEqual(membersOf(group).length, maxDevices)
      // Of so long names not all fit at once, which is what is tried here.
      assert.isBelow(counts[0] ?? 0, 8)
      const { system, user } = process.cpuUsage(before)
      yield* Effect.log(`${counts.join(", ")} at once; ${Math.round((user + system) / 1000)} ms`)
    })
  )
})
