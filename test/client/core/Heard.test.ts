/** What a client takes for an entry: what it knows, and what a later protocol may have. */
import { assert, describe, it } from "@effect/vitest"
import { Heard, isEntry } from "../../../src/client/core/Heard.ts"
import { EntryMessage } from "../../../src/common/wire/EntryMessage.ts"
import { encodeLine, makeDecoder } from "../../../src/connection/Line.ts"

const decode = makeDecoder(Heard)
const hear = (message: object) => decode(encodeLine(message).subarray(0, -1))
const topic = { _tag: "PollOpened", seq: 12, at: 3, from: "ada", room: "dev", topic: "tomatoes" }

describe("an entry of a kind that is not known", () => {
  it("is heard by its place, and nothing that it says is kept", () => {
    assert.deepStrictEqual<unknown>(hear(topic), {
      _tag: "Message",
      message: { _tag: "LaterEntry", kind: "PollOpened", seq: 12, at: 3, from: "ada", room: "dev" }
    })
  })

  it.each([
    ["has an id, for then it is a reply", { ...topic, id: "1" }],
    ["has no seq", { ...topic, seq: undefined }],
    ["has no time", { ...topic, at: undefined }],
    ["is by nobody", { ...topic, from: undefined }],
    ["is by somebody who cannot be", { ...topic, from: "x".repeat(33) }],
    ["is in a room that cannot be", { ...topic, room: "~ada" }],
    ["has a tag that is too long", { ...topic, _tag: "T".repeat(65) }]
  ])("is none if it %s", (_, message) => {
    assert.deepInclude(hear(message), { _tag: "Malformed", issue: "_tag: there is no message of this kind" })
  })
})

describe("an entry of a known kind", () => {
  it.prop("is heard as what it is", { entry: EntryMessage }, ({ entry }) => {
    const heard = hear(entry)
    assert.deepStrictEqual<unknown>(heard, { _tag: "Message", message: entry })
    assert.isTrue(heard._tag === "Message" && isEntry(heard.message))
  })

  it("with something wrong in it does not count as one that is not known", () => {
    const edited = { _tag: "Edited", seq: 1, at: 0, from: "ada", target: 1, content: "" }
    assert.deepInclude(hear(edited), { _tag: "Malformed", issue: "content: must have 1 to 8192 characters" })
  })
})

const hello = { _tag: "RoomMessage", room: "dev", seq: 11, at: 2, from: "bob", content: "hello" }

describe("a page with entries of a kind that is not known", () => {
  it.each(["History", "SearchResults"])("is heard without them, and with what they span (%s)", (_tag) => {
    const page = { _tag, id: "1", more: true }
    assert.deepStrictEqual<unknown>(hear({ ...page, messages: [topic, hello] }), {
      _tag: "Message",
      message: { ...page, messages: [hello], span: { oldest: 11, newest: 12, count: 2 } }
    })
  })

  it.each([
    ["an entry of no place", [{ _tag: "PollOpened", topic: "tomatoes" }]],
    ["a known one with something wrong in it", [{ ...hello, content: "" }]],
    ["more entries than a page has", Array.from({ length: 501 }, () => topic)]
  ])("is none with %s", (_, messages) => {
    assert.deepInclude(hear({ _tag: "History", id: "1", more: true, messages }), { _tag: "Malformed", id: "1" })
  })

  it("is not what a page is heard as that has none", () => {
    const page = { _tag: "History", id: "1", more: true, messages: [hello] }
    assert.deepStrictEqual<unknown>(hear(page), { _tag: "Message", message: page })
  })
})

describe("a refusal for a reason that is not known", () => {
  const refusal = { _tag: "Rejected", id: "1", message: "The garden sleeps. Come back in spring." }

  it("is NotAllowed of that name, and keeps the server's words", () => {
    const heard = hear({ ...refusal, reason: { _tag: "Hibernating", until: 7 } })
    const reason = { _tag: "NotAllowed", action: "Hibernating" }
    assert.deepStrictEqual<unknown>(heard, { _tag: "Message", message: { ...refusal, reason } })
  })

  it.each([{ _tag: "RateLimited" }, { _tag: "x".repeat(65) }, {}])("is none for %j", (reason) => {
    assert.deepInclude(hear({ ...refusal, reason }), { _tag: "Malformed" })
  })
})
