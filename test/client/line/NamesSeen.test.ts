import { assert, describe, it } from "@effect/vitest"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import * as NamesSeen from "../../../src/client/line/NamesSeen.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { ServerMessage } from "../../../src/common/wire/ServerMessage.ts"

const user = (name: string) => UserName.make(name)
const room = (name: string) => RoomName.make(name)

const known = (...messages: ReadonlyArray<ServerMessage>) => {
  const events = messages.map((message): ClientEvent => ({ _tag: "Received", message }))
  return NamesSeen.knownNames(events.reduce(NamesSeen.follow, NamesSeen.empty))
}
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

describe("the names that can be completed", () => {
  it("are those of who came, without who left", () => {
    const { users } = known(
      { _tag: "Presence", joined: [user("ada"), user("bob")], left: [] },
      { _tag: "Presence", joined: [], left: [user("Bob")] }
    )
    assert.deepStrictEqual(users, ["ada"])
  })

  it("are forgotten for those of everybody who is here", () => {
    const { users } = known(
      { _tag: "Presence", joined: [user("ada"), user("bob")], left: [] },
      { _tag: "Presence", joined: [user("bob"), user("हिन्दी")], left: [], all: true }
    )
    assert.deepStrictEqual(users, ["bob", "हिन्दी"])
  })

  it("are not forgotten for those of a room", () => {
    const { users, rooms } = known(
      { _tag: "Presence", joined: [user("ada")], left: [] },
      { _tag: "RoomPresence", room: room("dev"), joined: [user("bob")], left: [], all: true }
    )
    assert.deepStrictEqual(users, ["ada", "bob"])
    assert.deepStrictEqual(rooms, ["dev"])
  })

  it("are in a room those of its members, here and away, and of who is banned or muted there", () => {
    const [dev, ops] = [room("dev"), room("ops")]
    const by = { seq: 1, at: 0, from: user("ada") }
    const list: ServerMessage = { _tag: "RoomUsers", room: dev, users: [user("ada")], away: [user("zoe")], count: 2 }
    const joined: ServerMessage = { _tag: "RoomPresence", room: dev, joined: [user("bob"), user("cy")], left: [] }
    const deeds: ReadonlyArray<ServerMessage> = [
      { _tag: "Banned", room: dev, ...by, user: user("bob") },
      { _tag: "Kicked", room: dev, ...by, user: user("CY") },
      { _tag: "Muted", room: dev, ...by, user: user("zoe") },
      { _tag: "Muted", ...by, user: user("everywhere") }
    ]
    const { boundIn, membersOf } = known(list, joined, ...deeds)
    assert.deepStrictEqual(membersOf("DEV"), ["ada", "zoe"])
    assert.deepStrictEqual(boundIn("dev"), ["bob", "zoe"])
    assert.deepStrictEqual([membersOf("ops"), boundIn("ops")], [[], []])

    const lifted = known(list, joined, ...deeds, { _tag: "Unbanned", room: dev, ...by, user: user("bob") })
    assert.deepStrictEqual(lifted.boundIn("dev"), ["zoe"])
    const left = known(list, { _tag: "RoomLeft", room: dev })
    assert.deepStrictEqual([left.membersOf("dev"), left.rooms], [[], ["dev"]])
    const deleted = known(
      list,
      { _tag: "RoomUsers", room: ops, users: [], count: 0 },
      { _tag: "RoomDeleted", room: dev, by: by.from }
    )
    assert.deepStrictEqual([deleted.membersOf("dev"), deleted.rooms], [[], ["ops"]])
  })

  it("are in a room what its moderators are told of bans and mutes", () => {
    const [dev, bob] = [room("dev"), user("bob")]
    const info = { _tag: "RoomInfo" as const, room: dev, private: false, moderators: [], members: 1, createdAt: 0 }
    const banned: ServerMessage = { _tag: "Banned", room: dev, seq: 1, at: 0, from: bob, user: user("old") }
    const { boundIn } = known(banned, { ...info, bans: [{ user: bob, by: bob }], mutes: [] })
    assert.deepStrictEqual(boundIn("dev"), ["bob"])
    assert.deepStrictEqual(known(banned, info).boundIn("dev"), ["old"])
  })

  it("are those of 100 rooms, and 1000 members of each, at most", () => {
    const rooms = upTo(150).map((index): ServerMessage => ({
      _tag: "RoomPresence",
      room: room(`room${index}`),
      joined: [user("ada")],
      left: []
    }))
    const crowd = upTo(2).map((part): ServerMessage => ({
      _tag: "RoomPresence",
      room: room("room0"),
      joined: upTo(700).map((index) => user(`user${part}-${index}`)),
      left: []
    }))
    const { membersOf } = known(...rooms, ...crowd)
    assert.strictEqual(upTo(150).filter((index) => membersOf(`room${index}`).length > 0).length, 100)
    assert.strictEqual(membersOf("room0").length, 1000)
  })

  it("are 1000 users and 1000 rooms at most", () => {
    const { users, rooms } = known(
      ...upTo(3).map((part): ServerMessage => ({
        _tag: "Presence",
        joined: upTo(700).map((index) => user(`user${part}-${index}`)),
        left: []
      })),
      ...upTo(1500).map((index): ServerMessage => ({ _tag: "RoomCreated", room: room(`room${index}`), by: user("x") }))
    )
    assert.strictEqual(users.length, 1000)
    assert.strictEqual(rooms.length, 1000)
  })
})
