/** What a person is told of a refusal: which command to type instead. */
import { assert, describe, it } from "@effect/vitest"
import { explainOtherRefusal } from "../../../src/client/command/OtherRefusal.ts"
import type { Request } from "../../../src/client/core/Request.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { Rejection } from "../../../src/common/wire/Rejection.ts"

const room = RoomName.make("dev")
const user = UserName.make("bob")
const pm: Request = { _tag: "PrivateMessage", to: user, content: "x" }

describe("any other refusal", () => {
  it.each<readonly [Request, Rejection, string]>([
    [pm, { _tag: "UserNotFound", user }, "No user called bob is here. :users lists who is."],
    [{ _tag: "GetUser", user }, { _tag: "UserNotFound", user }, "There is no account bob, and no guest"],
    [pm, { _tag: "CannotMessageYourself" }, ":pm <user> <message>"],
    [{ _tag: "CreateRoom", room }, { _tag: "RoomExists", room }, ":jr dev joins it"],
    [{ _tag: "JoinRoom", room }, { _tag: "AlreadyInRoom", room }, ":rm dev <message>"],
    [{ _tag: "JoinRoom", room }, { _tag: "TooManyRooms", limit: 100 }, ":lr <room> leaves one"],
    [{ _tag: "Search", query: "x" }, { _tag: "SearchTooSlow", limit: 1000 }, ":search in:dev <words>"],
    [{ _tag: "Report", target: 7, reason: "x" }, { _tag: "MessageNotFound", seq: 7 }, "Type :history"],
    [{ _tag: "ListKeys" }, { _tag: "AccountRequired", action: "ListKeys" }, ":register makes"],
    [{ _tag: "ListKeys" }, { _tag: "KeyNotFound", fingerprint: "x" }, ":key lists"],
    [{ _tag: "ListDevices" }, { _tag: "DeviceNotFound", device: "x" }, ":devices lists"],
    [{ _tag: "ListKeys" }, { _tag: "AccountExists", user }, ":login bob"],
    [{ _tag: "AddKey", publicKey: "x" }, { _tag: "NotAllowed", action: "AddKey" }, ":key remove 2"]
  ])("of %j for %j names a command", (request, reason, hint) => {
    assert.include(explainOtherRefusal(request, reason), hint)
  })

  it("is told in the server's words where those say it all", () => {
    assert.isUndefined(explainOtherRefusal(pm, { _tag: "StorageUnavailable" }))
    assert.isUndefined(explainOtherRefusal(pm, { _tag: "NotAllowed", action: "AddKey" }))
  })
})
