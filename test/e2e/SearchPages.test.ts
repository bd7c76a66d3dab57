/** The pages of a search on the real server: each result once, in order, within the bounds. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Line, RawClient } from "../support/RawClient.ts"
import * as TestServer from "../support/TestServer.ts"
import { contentsOf, createAndJoin, say, sayIn, search, teaTime } from "./SearchTalk.ts"

describe("The pages of a search", () => {
  /** All pages, each of so many messages at most, by the way of `next`. */
  const pages = Effect.fnUntraced(function* (client: RawClient, limit: number, options: object = {}) {
    const all: Array<ReadonlyArray<string>> = []
    let next: unknown = undefined
    do {
      const before = next === undefined ? {} : { before: next }
      const page = yield* client.ask({ _tag: "Search", query: "tea", limit, ...before, ...options })
      assert.strictEqual(page["more"], "next" in page)
      all.push(contentsOf(page))
      next = page["next"]
    } while (next !== undefined)
    return all
  })

  it.effect("give everything once, in order, however large they are", () =>
    Effect.gen(function* () {
      const { ada } = yield* teaTime
      const all = yield* search(ada, "tea")
      for (const limit of [1, 2, 3, 4, 500]) {
        const found = yield* pages(ada, limit)
        assert.deepStrictEqual(found.flat(), all)
        assert.lengthOf(found, Math.ceil(all.length / limit))
      }
    })
  )

  it.effect("do not shift when more is said between them", () =>
    Effect.gen(function* () {
      const { ada } = yield* teaTime
      const all = yield* search(ada, "tea")
      const first = yield* ada.ask({ _tag: "Search", query: "tea", limit: 2 })
      yield* say(ada, "late tea")
      const rest = yield* search(ada, "tea", { before: first["next"] })
      assert.deepStrictEqual([...contentsOf(first), ...rest], all)
    })
  )

  it.effect("of one room go by seq, so that any message's seq can be given as before", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* createAndJoin(ada, "dev")
      yield* say(ada, "tea elsewhere")
      yield* sayIn(ada, "dev", "tea 1", "no", "tea 3", "tea 4", "no", "tea 6")
      assert.deepStrictEqual(yield* pages(ada, 2, { room: "dev" }), [
        ["tea 6", "tea 4"],
        ["tea 3", "tea 1"]
      ])
      const page = yield* ada.ask({ _tag: "Search", query: "tea", room: "dev", limit: 2 })
      assert.strictEqual(page["next"], 4)
      assert.deepStrictEqual(yield* search(ada, "tea", { room: "dev", before: 4 }), ["tea 3", "tea 1"])
      assert.deepStrictEqual(yield* search(ada, "tea", { room: "dev", before: 1 }), [])
    })
  )

  it.effect("hold the newest 50 where no limit is given", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ada = yield* server.join("Ada")
      yield* ada.send(...Array.from({ length: 60 }, (_, n) => ({ _tag: "GlobalMessage", content: `tea ${n + 1}` })))
      yield* ada.findMany("Sent", 60)
      const page = yield* ada.ask({ _tag: "Search", query: "tea" })
      assert.deepStrictEqual(
        contentsOf(page),
        Array.from({ length: 50 }, (_, n) => `tea ${60 - n}`)
      )
      assert.isTrue(page["more"])
    })
  )
})

describe("The size of a page of results", () => {
  const bytesOf = ({ _tag, ...line }: Line) => Buffer.byteLength(JSON.stringify({ _tag, ...line }))

  it.effect("is bounded by MAILBOX_BYTES, however long the texts are as JSON, and the pages give everything once", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAILBOX_BYTES: "64 KiB" } })
      const ada = yield* server.join("Ada")
      for (let n = 0; n < 40; n++) yield* say(ada, `tea ${n} ${(n % 2 === 0 ? "x" : '"').repeat(4000)}`)
      const sizes: Array<number> = []
      const found: Array<string> = []
      let next: unknown
      do {
        const before = next === undefined ? {} : { before: next }
        const page = yield* ada.ask({ _tag: "Search", query: "tea", limit: 500, ...before })
        sizes.push(bytesOf(page))
        found.push(...contentsOf(page).map((content) => content.split(" ", 2).join(" ")))
        next = page["next"]
      } while (next !== undefined)
      // Half of it: another large reply may be waiting beside this one.
      assert.isAtMost(Math.max(...sizes), 32_768)
      assert.isAtMost(sizes.length, 16)
      assert.deepStrictEqual(
        found,
        Array.from({ length: 40 }, (_, n) => `tea ${39 - n}`)
      )
    })
  )

  it.effect("is one message where not even that would fit", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start({ settings: { MAILBOX_BYTES: "1024" } })
      const ada = yield* server.join("Ada")
      yield* say(ada, `tea ${"x".repeat(3000)}`, `tea ${"y".repeat(3000)}`)
      const page = yield* ada.ask({ _tag: "Search", query: "tea" })
      assert.lengthOf(contentsOf(page), 1)
      assert.strictEqual(page["next"], 2)
    })
  )
})
