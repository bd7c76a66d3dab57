import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Stream } from "effect"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import * as EventBuffer from "../../../src/client/link/EventBuffer.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { ServerMessage } from "../../../src/common/wire/ServerMessage.ts"

const dev = RoomName.make("dev")
const ada = UserName.make("ada")
const sentence = "x".repeat(2000)
const names = Array.from({ length: 1000 }, (_, index) => UserName.make(`user${index}`.padEnd(32, "x")))

const chat = { _tag: "GlobalMessage" as const, seq: 1, at: 0, from: ada, content: "漢".repeat(8192) }
const popular = {
  ...chat,
  content: "x",
  reactions: Array.from({ length: 50 }, (_, index) => ({
    reaction: `${index}`.padEnd(32, "x"),
    users: names.slice(0, 20),
    count: 20
  }))
}
const received = (message: ServerMessage): ClientEvent => ({ _tag: "Received", message })

/** Events that are large in different places, and how many characters each has at least. */
const large: ReadonlyArray<readonly [string, ClientEvent, number]> = [
  ["a message", received(chat), 8192],
  ["a refusal", received({ _tag: "Rejected", reason: { _tag: "StorageUnavailable" }, message: sentence }), 2000],
  [
    "a refusal's reason",
    received({ _tag: "Rejected", reason: { _tag: "InvalidMessage", issue: sentence }, message: "" }),
    2000
  ],
  ["being taken out of a room", received({ _tag: "RoomLeft", room: dev, reason: sentence }), 2000],
  ["a goodbye", received({ _tag: "Goodbye", reason: sentence }), 2000],
  ["who came and went", received({ _tag: "Presence", joined: names, left: names }), 64_000],
  ["a list", received({ _tag: "UserList", users: names, count: 1000 }), 32_000],
  ["a history", received({ _tag: "History", messages: [chat, chat], more: false }), 16_384],
  ["an edit", received({ _tag: "Edited", seq: 2, at: 0, from: ada, target: 1, content: chat.content }), 8192],
  ["a deletion", received({ _tag: "Deleted", seq: 2, at: 0, from: ada, target: 1, reason: "漢".repeat(300) }), 300],
  ["a reaction", received({ _tag: "Reacted", seq: 2, at: 0, from: ada, target: 1, reaction: "漢".repeat(32) }), 150],
  ["a tombstone", received({ _tag: "Tombstone", seq: 2, at: 0, from: ada, deletedBy: ada, deletedAt: 0 }), 150],
  ["a message with all its reactions", received({ _tag: "History", messages: [popular], more: false }), 32_000],
  ["a lost connection", { _tag: "Disconnected", cause: sentence }, 2000],
  ["a room that is closed", { _tag: "RejoinRefused", room: dev, message: sentence }, 2000]
]

describe("a buffer of events", () => {
  it.effect.each(large)("holds 32 MiB of %s and counts what does not fit", ([, event, characters]) =>
    Effect.gen(function* () {
      const buffer = yield* EventBuffer.make
      const fitting = Math.floor((32 * 1024 * 1024) / (2 * characters))
      for (let offered = 0; offered < 2 * fitting; offered++) buffer.offer(event)
      buffer.end()
      const events = yield* Stream.runCollect(buffer.events)
      const last = events.at(-1)
      assert.isAtMost(events.length - 1, fitting)
      assert.isAbove(events.length, fitting / 2)
      assert.deepStrictEqual(last, { _tag: "Skipped", events: 2 * fitting - (events.length - 1) })
    })
  )

  it.effect("hands on what it holds a piece at a time, each event once and in order", () =>
    Effect.gen(function* () {
      const buffer = yield* EventBuffer.make
      for (let seq = 1; seq <= 100; seq++) buffer.offer(received({ ...chat, seq }))
      buffer.end()
      const sizes: Array<number> = []
      const seqs: Array<number> = []
      yield* Stream.runForEachArray(buffer.events, (events) =>
        Effect.sync(() => {
          sizes.push(events.length)
          for (const event of events) {
            if (event._tag === "Received" && event.message._tag === "GlobalMessage") seqs.push(event.message.seq)
          }
        })
      )
      assert.isAtMost(Math.max(...sizes), 17)
      assert.deepStrictEqual(
        seqs,
        Array.from({ length: 100 }, (_, index) => index + 1)
      )
    })
  )

  it.effect(
    "goes on behind a gap only when half of it is free, so that there is not a gap between any two events",
    () =>
      Effect.gen(function* () {
        const buffer = yield* EventBuffer.make
        for (let seq = 1; seq <= 3000; seq++) buffer.offer(received({ ...chat, seq }))
        yield* buffer.events.pipe(Stream.take(100), Stream.runDrain)
        for (let seq = 3001; seq <= 3010; seq++) buffer.offer(received({ ...chat, seq }))
        buffer.end()
        const rest = yield* Stream.runCollect(buffer.events)
        assert.strictEqual(rest.filter(({ _tag }) => _tag === "Skipped").length, 1)
        assert.strictEqual(rest.at(-1)?._tag, "Skipped")
      })
  )

  it.effect("tells where events are missing, and goes on behind that", () =>
    Effect.gen(function* () {
      const buffer = yield* EventBuffer.make
      for (let seq = 1; seq <= 3000; seq++) buffer.offer(received({ ...chat, seq }))
      const first = yield* buffer.events.pipe(
        Stream.takeUntil(({ _tag }) => _tag === "Skipped"),
        Stream.runCollect
      )
      const skipped = first.at(-1)
      assert.isTrue(skipped?._tag === "Skipped" && skipped.events + first.length - 1 === 3000)
      buffer.offer(received({ ...chat, seq: 3001 }))
      buffer.end()
      assert.strictEqual((yield* Stream.runCollect(buffer.events)).length, 1)
    })
  )

  it.effect("tells when its reader has dealt with what was held, and not when it was only handed out", () =>
    Effect.gen(function* () {
      const buffer = yield* EventBuffer.make
      yield* buffer.caughtUp
      buffer.offer(received(chat))
      const isDealtWith = yield* Deferred.make<void>()
      yield* buffer.events.pipe(
        Stream.runForEachArray(() => Deferred.await(isDealtWith)),
        Effect.forkChild({ startImmediately: true })
      )
      const waiting = yield* Effect.forkChild(buffer.caughtUp, { startImmediately: true })
      yield* Effect.yieldNow
      assert.isUndefined(waiting.pollUnsafe())
      yield* Deferred.succeed(isDealtWith, undefined)
      yield* Fiber.join(waiting)
      yield* buffer.caughtUp
      buffer.offer(received(chat))
      yield* Effect.sync(() => buffer.end())
      yield* buffer.caughtUp
    })
  )
})
