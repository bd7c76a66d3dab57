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
