/** What a person is told of a refusal about a room: who could do it, until when it holds, and what to type. */
import { assert, describe, it } from "@effect/vitest"
import { explainRoomRefusal } from "../../../src/client/command/RoomRefusal.ts"
import type { Request } from "../../../src/client/core/Request.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { Rejection } from "../../../src/common/wire/Rejection.ts"

const room = RoomName.make("dev")
const user = UserName.make("bob")
const reader = { user: UserName.make("ada"), isAccount: true, moment: (at: number) => `at ${at}` }
const join: Request = { _tag: "JoinRoom", room }
const speak: Request = { _tag: "RoomMessage", room, content: "x" }
const invite: Request = { _tag: "InviteUser", room, user }
const kick: Request = { _tag: "Kick", room, user }
const onlyModerators = "Only the owner and the moderators of the room can do that, or an admin of the server."

describe("a refusal about a room", () => {
  it.each<readonly [Request, Rejection, string]>([
    [join, { _tag: "RoomNotFound", room }, "a private one takes an invitation. :lrs lists the rooms, :cr dev creates"],
    [speak, { _tag: "NotInRoom", room }, "You are not in the room dev. Type :jr dev to join it."],
    [
      join,
      { _tag: "Banned", room, until: 7, reason: "spam" },
      "You are banned from the room dev until at 7 (spam). Who moder"
    ],
    [
      join,
      { _tag: "Banned", room },
      "You are banned from the room dev for good. Who moderates it can lift that; :room dev tells"
    ],
    [
      speak,
      { _tag: "Muted", room, until: 7 },
      "You may only read in the room dev until at 7. Who moderates it can lift that"
    ],
    [
      { _tag: "GlobalMessage", content: "x" },
      { _tag: "Muted", reason: "flood" },
      "in the lobby for good (flood). Whoever runs"
    ],
    [
      kick,
      { _tag: "NotAllowed", action: "Kick", why: onlyModerators },
      `${onlyModerators} :room dev tells who they are.`
    ],
    [
      invite,
      { _tag: "NotAllowed", action: "InviteUser", why: "bob is banned from this room. Lift that first (Unban)." },
      "Lift that first (:unban dev bob)."
    ],
    [
      { _tag: "SetRole", room, user, role: "member" },
      { _tag: "NotAllowed", action: "SetRole", why: "You cannot change your own role. Hand the room over." },
      ":room dev tells who owns it; an owner hands it over with :owner dev <user>."
    ],
    [
      kick,
      { _tag: "NotAllowed", action: "Kick", why: "You cannot kick yourself. Leave it." },
      "Leave it. Type :lr dev."
    ],
    [
      { _tag: "DeleteRoom", room },
      { _tag: "NotAllowed", action: "DeleteRoom" },
      "Only the owner of a room can delete it, or whoever runs the server. :room dev tells who owns it."
    ],
    [invite, { _tag: "AccountRequired", action: "InviteUser" }, "bob is a guest. They can type :register"],
    [
      { _tag: "CreateRoom", room, private: true },
      { _tag: "AccountRequired", action: "CreateRoom" },
      "Type :register first"
    ],
    [kick, { _tag: "UserNotFound", user }, "bob is not in the room dev. Type :lru dev"],
    [
      { _tag: "Unban", room, user },
      { _tag: "UserNotFound", user },
      "bob is not banned in the room dev. Type :room dev"
    ],
    [{ _tag: "Unmute", user }, { _tag: "UserNotFound", user }, "bob is not muted in the lobby. Type :audit"],
    [{ _tag: "Ban", room, user }, { _tag: "UserNotFound", user }, "There is no account bob, and no guest of that name"]
  ])("%j, %j, says who could do it and what to type", (request, reason, sentence) => {
    assert.include(explainRoomRefusal(request, reason, reader), sentence)
  })

  it("for want of an account says whose", () => {
    const reason: Rejection = { _tag: "AccountRequired", action: "SetRole" }
    const request: Request = { _tag: "SetRole", room, user, role: "moderator" }
    assert.include(explainRoomRefusal(request, reason, reader), "Roles are for accounts, and bob is a guest")
    assert.include(explainRoomRefusal(request, reason, { ...reader, isAccount: false }), "and you are a guest")
  })

  it.each<readonly [Request, Rejection]>([
    [kick, { _tag: "NotAllowed", action: "Hibernating" }],
    [
      { _tag: "DeleteRoom", room },
      { _tag: "NotAllowed", action: "Hibernating" }
    ],
    [kick, { _tag: "StorageUnavailable" }],
    [
      { _tag: "PrivateMessage", to: user, content: "x" },
      { _tag: "UserNotFound", user }
    ],
    [{ _tag: "ListUsers" }, { _tag: "Banned", reason: "spam" }]
  ])("%j, %j, is else told in the server's words", (request, reason) => {
    assert.isUndefined(explainRoomRefusal(request, reason, reader))
  })
})
