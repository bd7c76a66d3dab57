/** What scripts are given: texts, times and state files. */
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { entryOf, fileNameOf, read, write } from "../../../src/client/script/CursorFile.ts"
import { json } from "../../../src/client/script/Output.ts"
import { momentOf, Since } from "../../../src/client/script/Since.ts"
import * as Text from "../../../src/client/script/Text.ts"
import { Epoch } from "../../../src/common/log/Cursor.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const ofInput = (text: string) => Text.ofInput(bytes(text), false)
const issueOf = (text: Result.Result<string, { readonly message: string }>) =>
  Result.isFailure(text) ? text.failure.message : "none"

describe("A text of standard input", () => {
  it("is one message, without its last line break, with line breaks as on Unix", () => {
    assert.deepStrictEqual(ofInput("a\r\nb\n\n"), Result.succeed("a\nb\n"))
    assert.deepStrictEqual(ofInput("x".repeat(8192) + "\r\n"), Result.succeed("x".repeat(8192)))
  })

  it("is refused, with the limit, if it is too long", () => {
    assert.include(issueOf(ofInput("🍅".repeat(8193))), "8193 characters, and a message 8192 at most")
    assert.include(issueOf(Text.ofInput(bytes("x"), true)), "8192 at most")
  })

  it("is refused if it is empty, no UTF-8, or holds what no message may, with the line", () => {
    assert.include(issueOf(ofInput("\n")), "no text")
    assert.include(issueOf(Text.ofInput(new Uint8Array([0xff]), false)), "not UTF-8")
    assert.include(issueOf(ofInput("a\n\u001b[1mb")), "Line 2 of the text holds the control character U+001B")
  })

  it("is what a command line gives, joined by spaces", () => {
    assert.deepStrictEqual(Text.ofArguments(["hello", "world"]), Result.succeed("hello world"))
    assert.include(issueOf(Text.ofArguments([""])), "empty")
  })
})

describe("A time since when", () => {
  const decode = Schema.decodeUnknownResult(Since)
  const moment = (typed: string) =>
    Result.getOrUndefined(Result.map(decode(typed), (since) => momentOf(since, 10 ** 12)))

  it("is so long ago, or a moment", () => {
    assert.strictEqual(moment("90s"), 10 ** 12 - 90_000)
    assert.strictEqual(moment("1h"), 10 ** 12 - 3_600_000)
    assert.strictEqual(moment("2w"), 10 ** 12 - 14 * 86_400_000)
    assert.strictEqual(moment("2026-11-28T10:00Z"), Date.UTC(2026, 10, 28, 10))
    assert.strictEqual(moment("2026-11-28"), Date.UTC(2026, 10, 28))
  })

  it("is nothing else", () => {
    for (const typed of ["", "1", "h", "-1h", "1y", "yesterday", "2026-13-01"]) assert.isUndefined(moment(typed))
  })
})

describe("A state file", () => {
  const cursor = { epoch: Epoch.make("e"), seq: 7, at: 9 }
  const reader = { host: "Chat.Example", port: 1, user: UserName.make("Ada"), where: { room: RoomName.make("Dev") } }

  it("is read as it was written, and nothing else is taken for one", () => {
    assert.deepStrictEqual(read(write({ one: cursor })), { one: cursor })
    for (const text of ["", "{}", "hello", '{"parley":"cursors","version":2,"cursors":{}}'])
      assert.isUndefined(read(text))
  })

  it("has one place for each server, user and conversation, however they are spelled", () => {
    const same = { ...reader, host: "chat.example", user: UserName.make("ada"), where: { room: RoomName.make("dev") } }
    assert.strictEqual(entryOf(reader), entryOf(same))
    const others = [{ port: 2 }, { where: {} }, { where: { with: UserName.make("dev") } }, { user: UserName.make("b") }]
    for (const other of others) assert.notStrictEqual(entryOf({ ...same, ...other }), entryOf(same))
    assert.match(fileNameOf(reader, ".cursor"), /^[\w.%-]+\.cursor$/)
    assert.isBelow(fileNameOf({ ...reader, host: "ä".repeat(200) }, ".cursor").length, 100)
  })
})

describe("JSON", () => {
  it("holds nothing on a terminal that is more than text there, and means the same", () => {
    const message = { content: "a\u202eb\u009bc\u{e0041}d é 👩‍🚀" }
    const shown = json(message, true)
    assert.deepStrictEqual(JSON.parse(shown), message)
    assert.notMatch(shown, /[\u202e\u009b\u{e0041}]/u)
    assert.strictEqual(json(message, false), JSON.stringify(message))
  })
})
