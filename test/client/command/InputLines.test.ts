import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema, Stream } from "effect"
import { maxLineLength, parse } from "../../../src/client/command/Command.ts"
import { cutLines } from "../../../src/client/command/InputLines.ts"

const cut = (chunks: ReadonlyArray<string>) => Stream.runCollect(cutLines(Stream.fromIterable(chunks)))

describe("a script's input", () => {
  it.effect.prop(
    "has the same lines however it was split on its way",
    { chunks: Schema.Array(Schema.Literals(["a", "漢字", "\n", "\r\n", "\r", "", "two\nlines", "three\r\nmore\n"])) },
    ({ chunks }) =>
      Effect.gen(function* () {
        const text = chunks.join("")
        const lines = text
          .split("\n")
          .map((line, index, all) => (index < all.length - 1 ? line.replace(/\r$/, "") : line))
        assert.deepStrictEqual(yield* cut(chunks), lines.at(-1) === "" ? lines.slice(0, -1) : lines)
      })
  )

  it.effect("keeps of a line that is too long only enough to refuse it, and goes on behind it", () =>
    Effect.gen(function* () {
      const pieces = Array.from({ length: 1000 }, () => "x".repeat(1000))
      const lines = yield* cut(["first\n", ...pieces, "\nlast"])
      assert.deepStrictEqual([lines[0], lines[2], lines.length], ["first", "last", 3])
      const long = lines[1] ?? ""
      assert.isAtMost(long.length, maxLineLength + 2)
      const message = Result.isFailure(parse(long)) ? Result.getOrThrow(Result.flip(parse(long))).message : ""
      assert.strictEqual(message, `A line may have ${maxLineLength} characters at most; this one was passed over.`)
    })
  )

  it.effect("may have lines of the longest message", () =>
    Effect.gen(function* () {
      const longest = `:rm ${"𠀀".repeat(64)} ${"𠀀".repeat(8192)}`
      const [line = ""] = yield* cut([`${longest}\r\n`])
      assert.strictEqual(line, longest)
      assert.isTrue(Result.isSuccess(parse(line)))
    })
  )
})
