import { DatabaseSync } from "node:sqlite"
/** Edges of governing that were wrong once: of the rules, the decider, what is stored, and what is told over the wire. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { mayGovern } from "../../../src/common/log/RoomPermission.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { AccountNames } from "../../../src/server/accounts/AccountNames.ts"
import { ungoverned } from "../../../src/server/governance/Governance.ts"
import { Governances } from "../../../src/server/history/Governances.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import * as Database from "../../../src/server/store/Database.ts"
import { GovernedRooms } from "../../../src/server/store/GovernedRooms.ts"
import * as Talk from "../../support/AccountTalk.ts"
import * as TestServer from "../../support/TestServer.ts"
import { newFile } from "../store/OpenLog.ts"
import { act, ada, against, ban, ben, cyd, eve, GovernedRoom, kick, mal, mod, role, root, topic } from "./Governed.ts"
import { person, running, type Services, type Store, withStore } from "./Household.ts"

const room = RoomName.make("dev")
const user = UserName.make("ben")

describe("the rules", () => {
  const moderator = { role: "moderator", isAdmin: false, isGuest: false } as const
  const bound = { isOneself: false, isMember: true, isBanned: true, isMuted: true, isGuest: false }
  it("lifting is as Kick: a moderator lifts nothing from a moderator, the owner or an admin", () => {
    for (const _tag of ["Unbanned", "Unmuted"] as const) {
      for (const object of [
        { ...bound, role: "moderator", isAdmin: false },
        { ...bound, role: "owner", isAdmin: false },
        { ...bound, role: "member", isAdmin: true }
      ] as const) {
        const refusal = mayGovern(moderator, { _tag, user }, object, { isLobby: false, isPrivate: false })
        assert.strictEqual(refusal?._tag, "NotAllowed")
      }
    }
  })
})

describe("the decider", () => {
  it("who was put out by this run is not put out again by it", () => {
    assert.deepStrictEqual(new GovernedRoom().verdicts([against(mod, kick(ben), ben), against(ada, kick(ben), ben)]), [
      "Accepted",
      "UserNotFound"
    ])
  })
  it("who was put out by this run can be invited by it", () => {
    const room = new GovernedRoom()
    room.run([against(mod, kick(cyd), cyd), against(ada, { _tag: "Invited", user: cyd.user }, cyd)])
    assert.deepStrictEqual(
      room.governance.invited.map(({ user }) => user),
      [cyd.user]
    )
  })
  it("an admin who was put out by this run acts on, as one who need not be in", () => {
    assert.deepStrictEqual(new GovernedRoom().verdicts([against(ada, kick(root), root), act(root, topic("tea"))]), [
      "Accepted",
      "Accepted"
    ])
  })
  it("lifting the ban of a guest who is bound by its network alone lifts something, or is UserNotFound", () => {
    const room = new GovernedRoom()
    room.run([against(mod, ban(eve), eve)])
    const before = room.governance.bans
    const [verdict] = room.verdicts([against(mod, { _tag: "Unbanned", user: mal.user }, mal, false)])
    assert.isTrue(verdict === "UserNotFound" || room.governance.bans.length < before.length)
  })
  it("lifting a ban lifts all that binds this name", () => {
    const room = new GovernedRoom()
    const later = { user: eve.user, account: AccountId.make(9), author: cyd.author }
    room.run([against(mod, ban(eve), eve), against(mod, ban(later), later, false)])
    room.run([against(mod, { _tag: "Unbanned", user: eve.user }, later, false)])
    assert.deepStrictEqual(room.governance.bans, [])
  })
  it("a guest who made a room and is made a member by an admin, or hands it over, is not its owner", () => {
    const room = new GovernedRoom(ungoverned(1))
    const byEve = { guestOwner: eve.author }
    room.run([against(root, role(ben, "owner"), ben)], byEve)
    assert.deepStrictEqual(room.verdicts([against(eve, kick(ben), ben)], byEve), ["NotAllowed"])
  })
  it("a private room is made by an account only: not by a guest's SetAccess either", () => {
    const room = new GovernedRoom(ungoverned(1))
    assert.notStrictEqual(
      room.verdicts([act(eve, { _tag: "AccessSet", private: true })], { guestOwner: eve.author })[0],
      "Accepted"
    )
  })
})

describe("what is known in memory", () => {
  it.effect("invitations are told with the newest last", () =>
    Effect.gen(function* () {
      const rooms = yield* GovernedRooms
      const invited = { ...ungoverned(1), invited: [{ user, account: AccountId.make(2), by: user }] }
      const [first, second] = ["first", "second"].map((name) => ({ _tag: "Room" as const, room: RoomName.make(name) }))
      if (first === undefined || second === undefined) return
      rooms.set(first, invited)
      rooms.set(second, invited)
      rooms.set(first, { ...invited, topic: "tea" })
      assert.deepStrictEqual(
        rooms.invitations(AccountId.make(2)).map(({ room }) => String(room)),
        ["first", "second"]
      )
    }).pipe(Effect.provide(GovernedRooms.layer, { local: true }))
  )
})

layer(NodeFileSystem.layer, { excludeTestServices: true })("a damaged database", (it) => {
  const dev = { _tag: "Room" as const, room }
  it.effect("a room whose row became unreadable is private also after another look", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const governances = Context.get(
        yield* Layer.build(Database.layerFile({ file, retention: "forever" })),
        Governances
      )
      yield* governances.put(dev, { ...ungoverned(1), isPrivate: true })
      const database = new DatabaseSync(file)
      database.exec("UPDATE governance SET state = 'x'")
      database.close()
      yield* governances.lookAgain(dev)
      assert.isTrue(governances.get(dev)?.isPrivate)
    }).pipe(Effect.scoped)
  )
  it.effect("a room whose name in the row cannot be read is private, and that is logged", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const open = Layer.build(Database.layerFile({ file, retention: "forever" }))
      yield* Effect.scoped(
        Effect.flatMap(open, (services) =>
          Context.get(services, Governances).put(dev, { ...ungoverned(1), isPrivate: true })
        )
      )
      const database = new DatabaseSync(file)
      database.exec("UPDATE governance SET name = 'no name'")
      database.close()
      const governances = Context.get(yield* open, Governances)
      assert.isTrue(governances.get(dev)?.isPrivate)
    }).pipe(Effect.scoped)
  )
})

const ADA = AccountId.make(1)
const BEN = AccountId.make(2)
const household = <A, E>(use: Effect.Effect<A, E, Services>) =>
  withStore((store: Store) =>
    running(
      store,
      Effect.gen(function* () {
        const names = yield* AccountNames
        names.set({ id: ADA, user: UserName.make("ada"), state: "Active", isAdmin: true })
        names.set({ id: BEN, user: UserName.make("ben"), state: "Active" })
        return yield* use
      })
    )
  )

describe("the processors", () => {
  it.effect("a moderator who left a private room finds it or does not, but not both", () =>
    household(
      Effect.gen(function* () {
        const ada = yield* person("ada", ADA)
        const ben = yield* person("ben", BEN)
        yield* ada.ask({ _tag: "CreateRoom", room, private: true })
        yield* ada.ask({ _tag: "InviteUser", room, user: ben.user })
        yield* ben.ask({ _tag: "JoinRoom", room })
        yield* ada.ask({ _tag: "SetRole", room, user: ben.user, role: "moderator" })
        yield* ben.ask({ _tag: "LeaveRoom", room })
        const shown = yield* ben.ask({ _tag: "GetRoom", room })
        const joined = yield* ben.ask({ _tag: "JoinRoom", room })
        const listed = yield* ben.ask({ _tag: "ListRooms" })
        assert.deepStrictEqual(
          [shown._tag === "RoomInfo", joined._tag === "RoomJoined"],
          listed.rooms?.length === 1 ? [true, true] : [false, false],
          JSON.stringify([shown, joined, listed])
        )
      })
    )
  )
  it.effect("a guest who made a room and is banned from it is not its owner, nor told of its bans", () =>
    household(
      Effect.gen(function* () {
        const guest = yield* person("eve")
        const ada = yield* person("ada", ADA)
        yield* guest.ask({ _tag: "CreateRoom", room })
        yield* guest.ask({ _tag: "JoinRoom", room })
        const banned = yield* ada.ask({ _tag: "Ban", room, user: guest.user })
        assert.strictEqual(banned._tag, "Sent")
        assert.strictEqual((yield* guest.ask({ _tag: "JoinRoom", room })).reason?._tag, "Banned")
        const shown = yield* guest.ask({ _tag: "GetRoom", room })
        assert.notProperty(shown, "owner", JSON.stringify(shown))
        assert.notProperty(shown, "bans")
      })
    )
  )
  it.effect("who is invited to a private room is not told who is in it before joining", () =>
    household(
      Effect.gen(function* () {
        const ada = yield* person("ada", ADA)
        const ben = yield* person("ben", BEN)
        yield* ada.ask({ _tag: "CreateRoom", room, private: true })
        yield* ada.ask({ _tag: "JoinRoom", room })
        yield* ada.ask({ _tag: "InviteUser", room, user: ben.user })
        const users = yield* ben.ask({ _tag: "ListRoomUsers", room })
        assert.strictEqual(users.reason?._tag, "NotInRoom", JSON.stringify(users))
      })
    )
  )
  it.live("a guest who made a room, registered and handed it over, is its moderator", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const ben = (yield* Talk.register(server, "ben")).client
      const gus = yield* server.join("gus")
      yield* gus.ask({ _tag: "CreateRoom", room })
      for (const client of [gus, ben]) yield* client.ask({ _tag: "JoinRoom", room })
      yield* gus.ask({ _tag: "Register", password: Talk.password })
      assert.strictEqual((yield* gus.ask({ _tag: "SetRole", room, user: "ben", role: "owner" }))._tag, "Sent")
      assert.deepInclude(yield* ben.ask({ _tag: "GetRoom", room }), { owner: "ben", moderators: ["gus"] })
      const again = yield* gus.ask({ _tag: "SetRole", room, user: "ben", role: "member" })
      assert.strictEqual(again._tag, "Rejected", JSON.stringify(again))
    })
  )
  it.live("a kick and an invitation on one connection, one behind the other at once, both count", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const [ada, ben] = [(yield* Talk.register(server, "ada")).client, (yield* Talk.register(server, "ben")).client]
      yield* ada.ask({ _tag: "CreateRoom", room, private: true })
      yield* ada.ask({ _tag: "JoinRoom", room })
      yield* ada.ask({ _tag: "InviteUser", room, user: "ben" })
      yield* ben.ask({ _tag: "JoinRoom", room })
      yield* ada.send(
        { _tag: "RoomMessage", id: "1", room, content: "x" },
        { _tag: "RoomMessage", id: "2", room, content: "x" },
        { _tag: "Kick", id: "3", room, user: "ben" },
        { _tag: "InviteUser", id: "4", room, user: "ben" }
      )
      yield* ada.ask({ _tag: "ListRoomUsers", room })
      const sent = (yield* ada.soFar).filter(({ id }) => id === "3" || id === "4")
      assert.deepStrictEqual(
        sent.map((line) => line["repeated"]),
        [undefined, undefined],
        JSON.stringify(sent)
      )
    })
  )
})
