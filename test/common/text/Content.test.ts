import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Result, Schema, SchemaIssue } from "effect"
import { Content, maxContentCodePoints } from "../../../src/common/text/Content.ts"
import { oneOf, tries, troublesomeContent, wholeNumber } from "../../support/generators.ts"

const decode = Schema.decodeUnknownResult(Content)
const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()
const refusals = (content: unknown): ReadonlyArray<string> => {
  const result = decode(content)
  return Result.isFailure(result) ? formatIssue(result.failure.issue).issues.map(({ message }) => message) : []
}

const tooLong = "must have 1 to 8192 characters"
const notPrintable = "must not hold control characters other than newline and tab, or half a surrogate pair"

/** DEL is a control character to Unicode, but in neither of the sets of ECMA-48. */
const allowedControls = new Set(["\n", "\t", "\u007f"])
const controls = Array.from({ length: 0xa0 }, (_, codePoint) => String.fromCodePoint(codePoint)).filter(
  (text) => /\p{Cc}/u.test(text) && !allowedControls.has(text)
)

describe("The content of a message", () => {
  it.prop("that was generated from its schema is accepted as it is", [Content], ([content]) => {
    assert.deepStrictEqual(decode(content), Result.succeed(content))
  })

  it.prop("may hold whatever people paste, and is not changed", [troublesomeContent], ([content]) => {
    assert.deepStrictEqual(decode(content), Result.succeed(content))
  })

  it.prop(
    "has at most 8192 characters, counted in code points",
    [wholeNumber(-3, 3), oneOf("a", "é", "漢", "😀"), oneOf("", "a", "😀", "😀😀😀")],
    ([beyond, filling, start]) => {
      const count = maxContentCodePoints + beyond
      const content = start + filling.repeat(count - Array.from(start).length)
      assert.deepStrictEqual(refusals(content), beyond > 0 ? [tooLong] : [])
    },
    tries(100)
  )

  it("is not empty", () => {
    assert.deepStrictEqual(refusals(""), [tooLong])
  })

  it("is measured without reading all of an enormous text", () => {
    assert.deepStrictEqual(refusals("😀".repeat(8193)), [tooLong])
    assert.deepStrictEqual(refusals("a".repeat(1_000_000)), [tooLong])
  })

  it("holds none of the 62 C0 and C1 control characters that are neither newline nor tab", () => {
    assert.lengthOf(controls, 62)
    for (const control of controls)
      assert.deepStrictEqual(refusals(`a${control}b`), [notPrintable], JSON.stringify(control))
  })

  it.prop(
    "holds no control character anywhere in it",
    [troublesomeContent, troublesomeContent, Arbitrary.schema(Schema.Literals(controls))],
    ([before, after, control]) => {
      assert.deepStrictEqual(refusals(before + control + after), [notPrintable])
    },
    tries(200)
  )

  it.each(["\ud800", "\udc00", "a\ud800b", "\udc00\ud800", "\ud83d", "\ude00😀"])(
    "holds no half of a surrogate pair (%j)",
    (content) => {
      assert.deepStrictEqual(refusals(content), [notPrintable])
    }
  )

  it.each([5, null, [], {}, false])("that is %j instead of text is refused", (content) => {
    assert.lengthOf(refusals(content), 1)
  })
})
