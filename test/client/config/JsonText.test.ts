import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { read } from "../../../src/client/config/JsonText.ts"

const brokenIn = (text: string): string => {
  const result = read(text)
  return Result.isFailure(result) ? `${result.failure.line}:${result.failure.column} ${result.failure.message}` : "read"
}

describe("JSON with places", () => {
  it.prop("is read as Node reads it, and each field of it is found again", { value: Schema.Json }, ({ value }) => {
    const text = JSON.stringify({ value, "": [value] }, undefined, 2)
    const result = Result.getOrThrow(read(text))
    assert.deepStrictEqual(result.value, JSON.parse(text))
    const lines = text.split("\n")
    const startAt = (path: ReadonlyArray<PropertyKey>): string => {
      const { column, line } = result.placeOf(path)
      return lines[line - 1]?.slice(column - 1) ?? ""
    }
    assert.isTrue(startAt(["value"]).startsWith('"value": '))
    assert.isTrue(startAt([""]).startsWith('"": ['))
    assert.isTrue(startAt(["", 0]).startsWith((JSON.stringify(value, undefined, 2).split("\n")[0] ?? "").slice(0, 1)))
    // What is not there would have to be in what is.
    assert.strictEqual(startAt(["value", "nowhere", "x"]).slice(0, 1), startAt(["value", "nowhere"]).slice(0, 1))
  })

  it("tells where it is none, and why", () => {
    assert.strictEqual(brokenIn('{"a": 1,\n}'), "2:1 the comma before this } is one too many")
    assert.strictEqual(brokenIn('{"a" 1}'), '1:6 a colon has to follow the name "a", but "1" stands here')
    assert.strictEqual(brokenIn('{"a": 1\n  "b": 2}'), '2:3 a comma or } has to follow, but "\\"" stands here')
    assert.strictEqual(brokenIn("{'a': 1}"), "1:2 a name has to follow, but texts stand in double quotes")
    assert.strictEqual(brokenIn('{\n // mine\n"a": 1}'), "2:2 a name has to follow, but a comment is no JSON")
    assert.strictEqual(brokenIn('{"a": ['), "1:8 a value has to follow, but the file ends here")
    assert.strictEqual(brokenIn('{"a": 1, "a": 2}'), '1:10 "a" stands here a second time')
    assert.strictEqual(brokenIn("{} {}"), '1:4 nothing may follow, but "{" stands here')
    assert.strictEqual(brokenIn('{"a": 01}'), '1:8 a comma or } has to follow, but "1" stands here')
    assert.match(brokenIn("[".repeat(100)), /nested too deeply/)
  })
})
