/** What a person is told of a refusal: which command to type instead. */
import { assert, describe, it } from "@effect/vitest"
import { explainRefusal } from "../../../src/client/command/Refusal.ts"
import type { Request } from "../../../src/client/core/Request.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { Rejection } from "../../../src/common/wire/Rejection.ts"

const room = RoomName.make("dev")
const bob = UserName.make("bob")
const notFound: Rejection = { _tag: "MessageNotFound", seq: 12 }
const edit: Request = { _tag: "EditMessage", room, target: 12, content: "new" }
const reaction: Request = { _tag: "React", target: 12, reaction: "👍" }

describe("a refusal", () => {
  it.each<readonly [Request, Rejection, string]>([
    [edit, notFound, "There is no message #12, or not any more. Type :history dev to see the numbers."],
    [reaction, notFound, "Type :history to see the numbers."],
    [{ ...reaction, remove: true }, notFound, "#12 has no such reaction of yours"],
    [{ _tag: "GlobalMessage", content: "x", replyTo: 12 }, notFound, "There is no message #12"],
    [{ _tag: "PrivateMessage", to: bob, content: "x", replyTo: 12 }, notFound, "those of the messages on your screen"],
    [edit, { _tag: "NotAllowed", action: "EditMessage" }, "not yours to edit"],
    [edit, { _tag: "NotAllowed", action: "EditMessage" }, "type :reply in:dev #12 <text>"],
    [{ _tag: "DeleteMessage", target: 12 }, { _tag: "NotAllowed", action: "DeleteMessage" }, "not yours to delete"],
    [reaction, { _tag: "TooManyReactions", limit: 50 }, "Type :react in:* #12 with one of those"],
    [{ ...edit, with: bob }, { _tag: "AccountRequired", action: "EditMessage" }, "Type :pm <user> <message>"],
    [edit, { _tag: "NotInRoom", room }, "Type :jr dev to join it"]
  ])("of %j for %j names a command", (request, reason, hint) => {
    assert.include(explainRefusal(request, reason), hint)
  })

  const refused = (request: Request, action: string, isOwn: boolean) =>
    explainRefusal(request, { _tag: "NotAllowed", action }, isOwn)
  const deletion: Request = { _tag: "DeleteMessage", target: 12 }

  it("of an edit that comes too late does not say that the message is somebody else's", () => {
    assert.include(refused(edit, "EditMessage", true), "#12 cannot be edited any more")
    assert.include(refused(edit, "EditMessage", false), "#12 is not yours to edit: only its author may.")
  })

  it("of a deletion says nothing of a time, for a deletion has none", () => {
    assert.notInclude(refused(deletion, "DeleteMessage", true), "more")
    assert.strictEqual(
      refused(deletion, "DeleteMessage", false),
      "#12 is not yours to delete: only its author may, or who moderates. To answer it, type :reply in:* #12 <text>."
    )
  })

  it("of anything else is told in the server's words", () => {
    assert.isUndefined(explainRefusal({ _tag: "GlobalMessage", content: "x" }, { _tag: "NotInRoom", room }))
    assert.isUndefined(explainRefusal(edit, { _tag: "StorageUnavailable" }))
  })
})
