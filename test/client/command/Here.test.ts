import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { NotUnderstood } from "../../../src/client/command/Action.ts"
import { commands, parse, usage } from "../../../src/client/command/Command.ts"
import type { Here } from "../../../src/client/command/Here.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"

/** In dev and ops, with ada and bob. */
const known = {
  isRoom: (word: string) => ["dev", "ops"].includes(word),
  isUser: (word: string) => ["ada", "bob"].includes(word)
}
const dev: Here = { ...known, where: Result.succeed({ room: RoomName.make("dev") }) }
const lobby: Here = { ...known, where: Result.succeed({}) }
const ada: Here = { ...known, where: Result.succeed({ with: UserName.make("ada") }) }

const asked = (line: string, here?: Here): object => {
  const action = Result.getOrThrow(parse(line, here))
  return action._tag === "Ask" ? action.request : action
}
const complaint = (line: string, here?: Here): string => {
  const action = parse(line, here)
  return Result.isFailure(action) ? action.failure.message : "none"
}

describe("A command that names no room, at a terminal", () => {
  it.each([
    [":lr", { _tag: "LeaveRoom", room: "dev" }],
    [":lru", { _tag: "ListRoomUsers", room: "dev" }],
    [":room", { _tag: "GetRoom", room: "dev" }],
    [":topic", { _tag: "GetRoom", room: "dev" }],
    [":history", { _tag: "GetHistory", room: "dev" }],
    [":history 20", { _tag: "GetHistory", room: "dev", limit: 20 }],
    [":audit", { _tag: "GetHistory", room: "dev", only: "moderation" }],
    [":invite bob", { _tag: "InviteUser", room: "dev", user: "bob" }],
    [":kick bob", { _tag: "Kick", room: "dev", user: "bob" }],
    [":kick bob 3 strikes", { _tag: "Kick", room: "dev", user: "bob", reason: "3 strikes" }],
    [":mute bob 30m flood", { _tag: "Mute", room: "dev", user: "bob", seconds: 1800, reason: "flood" }],
    [":unmute carl", { _tag: "Unmute", room: "dev", user: "carl" }],
    [":ban carl", { _tag: "Ban", room: "dev", user: "carl" }],
    [":op bob", { _tag: "SetRole", room: "dev", user: "bob", role: "moderator" }],
    [":private", { _tag: "SetAccess", room: "dev", private: true }]
  ])("%s is about the room before the person", (line, request) => {
    assert.deepStrictEqual<object>(asked(line, dev), request)
  })

  it("is about the lobby, or what is said with somebody, where that has such a thing", () => {
    assert.deepStrictEqual<object>(asked(":history 20", lobby), { _tag: "GetHistory", limit: 20 })
    assert.deepStrictEqual<object>(asked(":history", ada), { _tag: "GetHistory", with: "ada" })
    assert.deepStrictEqual<object>(asked(":mute bob", lobby), { _tag: "Mute", user: "bob" })
    assert.deepStrictEqual<object>(asked(":history *", dev), { _tag: "GetHistory" })
  })

  it("is told what is missing where there is no room", () => {
    assert.strictEqual(
      complaint(":lr", lobby),
      ":lr: <room> is missing, and the lobby is none. Type :lr [room], for example :lr dev"
    )
    assert.include(complaint(":invite bob", ada), "<room> is missing, and what you say to ada is in none.")
  })

  it("is not guessed at: what may name a room, does", () => {
    assert.deepStrictEqual<object>(asked(":kick ops bob", dev), { _tag: "Kick", room: "ops", user: "bob" })
    assert.deepStrictEqual<object>(asked(":kick there bob", dev), { _tag: "Kick", room: "there", user: "bob" })
    // A room may have the name of somebody who is here.
    assert.deepStrictEqual<object>(asked(":kick ada bob", dev), { _tag: "Kick", room: "ada", user: "bob" })
    assert.deepStrictEqual<object>(asked(":kick carl spam", dev), { _tag: "Kick", room: "carl", user: "spam" })
    assert.include(complaint(":kick ops", dev), "<user> is missing")
    assert.include(complaint(":jr", dev), "<room> is missing")
    assert.include(complaint(":rm hello", dev), "<message> is missing")
  })

  it("before free text is about the room shown, unless that or in: names one", () => {
    const set = (room: string, topic: string) => ({ _tag: "SetTopic", room, topic })
    assert.deepStrictEqual<object>(asked(":topic ops are asleep", dev), set("dev", "ops are asleep"))
    assert.deepStrictEqual<object>(asked(":topic Release", dev), set("dev", "Release"))
    assert.deepStrictEqual<object>(asked(":topic dev Release", dev), set("dev", "Release"))
    assert.deepStrictEqual<object>(asked(":topic dev", dev), { _tag: "GetRoom", room: "dev" })
    assert.deepStrictEqual<object>(asked(":topic in:ops They sleep", dev), set("ops", "They sleep"))
    assert.deepStrictEqual<object>(asked(":topic in:ops", dev), { _tag: "GetRoom", room: "ops" })
    for (const here of [lobby, ada, undefined]) {
      assert.deepStrictEqual<object>(asked(":topic ops are asleep", here), set("ops", "are asleep"))
      assert.deepStrictEqual<object>(asked(":topic in:ops They sleep", here), set("ops", "They sleep"))
    }
  })

  it("is refused where a name may be a room or what else is meant there", () => {
    assert.strictEqual(
      complaint(":topic ops", dev),
      ":topic: ops is a room that you are in, too. Type :topic in:dev ops, or :topic in:ops"
    )
    const both: Here = { ...dev, isUser: (word) => ["ops", "bob"].includes(word) }
    for (const command of ["kick", "ban", "mute"]) {
      assert.include(complaint(`:${command} ops spam`, both), `Type :${command} in:dev ops spam, or`)
      assert.propertyVal(asked(`:${command} in:dev ops spam`, both), "room", "dev")
      assert.propertyVal(asked(`:${command} ops bob`, both), "room", "ops")
    }
  })

  it("is refused where another conversation is before the person by now", () => {
    const where = Result.fail(new NotUnderstood({ message: "moved" }))
    assert.strictEqual(complaint(":lr", { ...known, where }), "moved")
    assert.deepStrictEqual<object>(asked(":lr ops", { ...known, where }), { _tag: "LeaveRoom", room: "ops" })
  })
})

describe("A command that names no room, in a pipe", () => {
  it("is about the lobby, or an error, and says that a room is needed", () => {
    assert.deepStrictEqual<object>(asked(":history"), { _tag: "GetHistory" })
    assert.strictEqual(complaint(":lr"), ":lr: <room> is missing. Type :lr <room>, for example :lr dev")
    assert.include(complaint(":kick bob"), "<user> is missing. Type :kick <room> <user> [reason]")
  })

  it("is written with a room that one can leave out for people alone", () => {
    const leave = commands.find(({ name }) => name === "lr")
    assert.isDefined(leave)
    if (leave === undefined) return
    assert.strictEqual(usage(leave), ":lr [room]")
    assert.strictEqual(usage(leave, false), ":lr <room>")
  })
})
