/** Encrypted conversations of two, and the packages and welcomes by which devices are let in, over real sockets. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Array as Arr, Effect, Exit, FileSystem, Scope } from "effect"
import { UserName } from "../../src/common/name/UserName.ts"
import * as Database from "../../src/server/store/Database.ts"
import * as Talk from "../support/AccountTalk.ts"
import type { Line } from "../support/RawClient.ts"
import { issueOf, reasonOf } from "../support/Rejections.ts"
import * as Sealed from "../support/SealedTalk.ts"
import * as TestServer from "../support/TestServer.ts"

const room = "~ada~ben"

let keys = 0
const newKey = (): string => `a key of private talk ${++keys}`

const open = ({ client }: Sealed.Device, user: string) => client.ask({ _tag: "OpenConversation", with: user })

/** Two accounts, each on a device of its list. */
const twoOf = Effect.fnUntraced(function* (server: TestServer.TestServer) {
  return [yield* Sealed.newcomer(server, "ada"), yield* Sealed.newcomer(server, "Ben")] as const
})

const roomsIn = (welcome: Line) => Talk.listIn(welcome, "rooms").map(({ room: name, with: partner }) => [name, partner])

describe("An encrypted conversation", () => {
  layer(NodeServices.layer, { excludeTestServices: true })((it) => {
    it.effect("is one room of both, whoever opens it and when, and both are told", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const [ada, ben] = yield* twoOf(server)
        const tablet = yield* Sealed.another(server, ada, 2)
        const [one, other] = yield* Effect.all([open(ada, "BEN"), open(ben, "ada")], { concurrency: 2 })
        assert.deepInclude(one, {
          _tag: "RoomJoined",
          room,
          with: "Ben",
          encrypted: true,
          private: true,
          role: "member"
        })
        assert.deepInclude(other, { _tag: "RoomJoined", room, with: "ada" })
        assert.strictEqual(one["epoch"], other["epoch"])
        assert.deepInclude(yield* tablet.client.find("ConversationOpened"), { room, with: "Ben" })
        const again = yield* open(tablet, "ben")
        assert.deepInclude(again, {
          _tag: "RoomJoined",
          epoch: one["epoch"],
          keys: { incarnation: 0, keyEpoch: 0, seq: 0 }
        })
        assert.deepStrictEqual<unknown>(reasonOf(yield* open(tablet, "ben")), { _tag: "AlreadyInRoom", room })
        yield* Sealed.reset(ada, room)
        yield* Sealed.commit(ada, room, { keyEpoch: 0, adds: [ben, tablet] })
        yield* Sealed.seal(ben, room, 1, "nobody else can read this")
        for (const device of [ben, tablet]) {
          assert.deepStrictEqual(yield* Sealed.heard(device), ["3 nobody else can read this"])
        }
      }).pipe(Effect.scoped)
    )

    it.effect("is there for nobody else, admins too, in no list, and nobody's to leave or to govern", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start({ settings: { MAX_ROOMS_PER_USER: "1" } })
        const [ada, ben] = yield* twoOf(server)
        const eve = yield* Sealed.newcomer(server, "eve")
        yield* server.users.setAdmin(UserName.make("eve"), true)
        yield* open(ada, "ben")
        yield* open(ben, "ada")
        for (const request of [
          { _tag: "JoinRoom" },
          { _tag: "GetRoom" },
          { _tag: "GetHistory" },
          { _tag: "ListRoomUsers" },
          { _tag: "Kick", user: "ben" },
          { _tag: "DeleteRoom" },
          { _tag: "RoomMessage", content: "hello" }
        ]) {
          const refused = yield* eve.client.ask({ ...request, room })
          assert.deepStrictEqual<unknown>(reasonOf(refused), { _tag: "RoomNotFound", room }, request._tag)
        }
        for (const { client } of [ada, eve]) {
          assert.deepInclude(yield* client.ask({ _tag: "ListRooms" }), { rooms: [], count: 0 })
        }
        for (const request of [
          { _tag: "LeaveRoom" },
          { _tag: "DeleteRoom" },
          { _tag: "Kick", user: "ben" },
          { _tag: "InviteUser", user: "eve" },
          { _tag: "SetAccess", private: false },
          { _tag: "SetTopic", topic: "Tea" }
        ]) {
          const refused = yield* ada.client.ask({ ...request, room })
          assert.deepInclude(reasonOf(refused), { _tag: "NotAllowed", action: request._tag })
        }
        assert.match(issueOf(yield* ada.client.ask({ _tag: "CreateRoom", room })), /^room: must start with a letter/)
        // It counts against no limit.
        yield* ada.client.ask({ _tag: "CreateRoom", room: "garden" })
        yield* Sealed.join(ada, "garden")
        assert.strictEqual((yield* open(ada, "eve"))._tag, "RoomJoined")
        assert.deepInclude(yield* ada.client.ask({ _tag: "ListRooms" }), { count: 1 })
      }).pipe(Effect.scoped)
    )

    it.effect("takes the place of what was said in the open, of which no more comes, whatever was under way", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const [ada, ben] = yield* twoOf(server)
        const eve = yield* Sealed.newcomer(server, "eve")
        const first = { _tag: "PrivateMessage", to: "ben", content: "in the open", key: "the one of before" }
        const sent = yield* ada.client.ask(first)
        assert.strictEqual(sent._tag, "Sent")
        yield* open(ben, "ada")
        for (const request of [
          { _tag: "PrivateMessage", to: "ben", content: "hello" },
          { _tag: "PrivateMessage", to: "ben", content: "a reply", replyTo: sent["seq"] },
          { _tag: "EditMessage", with: "ben", target: sent["seq"], content: "edited" },
          { _tag: "React", with: "ben", target: sent["seq"], reaction: "👍" }
        ]) {
          const refused = yield* ada.client.ask(request)
          assert.deepStrictEqual<unknown>(reasonOf(refused), { _tag: "EncryptionRequired" }, request._tag)
        }
        assert.deepInclude(yield* ada.client.ask(first), { _tag: "Sent", seq: sent["seq"], repeated: true })
        const deleted = yield* ada.client.ask({ _tag: "DeleteMessage", with: "ben", target: sent["seq"] })
        assert.strictEqual(deleted._tag, "Sent")
        assert.strictEqual((yield* eve.client.ask({ ...first, key: newKey() }))._tag, "Sent")
      }).pipe(Effect.scoped)
    )

    it.effect("takes two accounts with devices, other than oneself", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const ada = yield* Sealed.newcomer(server, "ada")
        const cleo = yield* Talk.register(server, "cleo")
        const guest = yield* server.join("guest")
        assert.deepInclude(reasonOf(yield* open(ada, "cleo")), { _tag: "NotAllowed", action: "OpenConversation" })
        assert.deepStrictEqual<unknown>(reasonOf(yield* open(ada, "ADA")), { _tag: "CannotMessageYourself" })
        assert.deepStrictEqual<unknown>(reasonOf(yield* open(ada, "guest")), { _tag: "UserNotFound", user: "guest" })
        for (const client of [cleo.client, guest]) {
          const refused = yield* client.ask({ _tag: "OpenConversation", with: "ada" })
          assert.deepStrictEqual<unknown>(reasonOf(refused), { _tag: "DeviceRequired" })
        }
      }).pipe(Effect.scoped)
    )

    it.effect("is found again in the Welcome, over a restart of the server", () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
        const settings = { DATABASE: `${folder}/chat.sqlite` }
        const first = yield* Scope.make()
        const server = yield* Scope.provide(TestServer.start({ settings, stores: Database.layer }), first)
        const [ada, ben] = yield* Scope.provide(twoOf(server), first)
        const opened = yield* open(ada, "ben")
        yield* Sealed.reset(ada, room)
        yield* Sealed.commit(ada, room, { keyEpoch: 0, adds: [ben] })
        yield* Sealed.seal(ada, room, 1, "good night")
        yield* Scope.close(first, Exit.void)
        const again = yield* TestServer.start({ settings, stores: Database.layer })
        const benBack = yield* Sealed.comeBack(again, ben)
        assert.deepStrictEqual(roomsIn(benBack.welcome), [[room, "ada"]])
        assert.deepInclude(Talk.listIn(benBack.welcome, "rooms")[0], {
          encrypted: true,
          private: true,
          unread: 1,
          seq: 3
        })
        const joined = yield* Sealed.join(benBack, room, { epoch: opened["epoch"], seq: 0 })
        assert.deepInclude(joined, {
          epoch: opened["epoch"],
          missed: 1,
          keys: { incarnation: 1, keyEpoch: 1, seq: 2, letIn: true }
        })
        assert.deepStrictEqual(yield* Sealed.heard(benBack), ["3 good night"])
      }).pipe(Effect.scoped)
    )

    it.effect("is not told of to who has blocked whoever opens it, which that one cannot tell", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const [ada, ben] = yield* twoOf(server)
        yield* ben.client.ask({ _tag: "Block", user: "ada" })
        const opened = yield* open(ada, "ben")
        assert.deepInclude(opened, { _tag: "RoomJoined", with: "Ben" })
        const users = yield* ada.client.ask({ _tag: "ListRoomUsers", room })
        assert.deepInclude(users, { users: ["ada"], away: ["Ben"] })
        assert.isFalse((yield* ben.client.soFar).some(({ _tag }) => _tag === "ConversationOpened"))
        const back = yield* Sealed.comeBack(server, ben)
        assert.deepStrictEqual(roomsIn(back.welcome), [])
        yield* back.client.ask({ _tag: "Unblock", user: "ada" })
        assert.deepStrictEqual(roomsIn((yield* Sealed.comeBack(server, back)).welcome), [[room, "ada"]])
      }).pipe(Effect.scoped)
    )

    it.effect(
      "gives nothing of what somebody seals who is blocked, then or later, and goes on when that is lifted",
      () =>
        Effect.gen(function* () {
          const server = yield* TestServer.start()
          const [ada, ben] = yield* twoOf(server)
          const tablet = yield* Sealed.another(server, ada, 2)
          const opened = yield* open(ada, "ben")
          for (const device of [ben, tablet]) yield* Sealed.join(device, room)
          yield* Sealed.reset(ada, room)
          yield* Sealed.commit(ada, room, { keyEpoch: 0, adds: [ben, tablet] })
          yield* Sealed.seal(ada, room, 1, "before")
          yield* ben.client.ask({ _tag: "Block", user: "ada" })
          for (const content of ["one", "two"]) {
            assert.strictEqual((yield* Sealed.seal(ada, room, 1, content))._tag, "Sent")
          }
          yield* Sealed.seal(ben, room, 1, "mine")
          yield* Sealed.commit(ada, room, { keyEpoch: 1 })
          yield* ben.client.ask({ _tag: "Unblock", user: "ada" })
          yield* Sealed.seal(ada, room, 2, "after")
          const [all, given] = [
            ["3 before", "4 one", "5 two", "6 mine", "7 KeysCommitted", "8 after"],
            ["3 before", "6 mine", "7 KeysCommitted", "8 after"]
          ]
          assert.deepStrictEqual(yield* Sealed.heard(tablet), all)
          assert.deepStrictEqual(yield* Sealed.heard(ben), given)
          for (const limit of [1, 2, 500]) {
            for (const isForwards of [true, false]) {
              assert.deepStrictEqual(yield* Sealed.history(ben, room, limit, isForwards), given)
              assert.deepStrictEqual(yield* Sealed.history(tablet, room, limit, isForwards), all)
            }
          }
          const cursor = { epoch: opened["epoch"], seq: 2 }
          for (const [device, lines] of [
            [tablet, all],
            [ben, given]
          ] as const) {
            const back = yield* Sealed.comeBack(server, device)
            yield* Sealed.join(back, room, cursor)
            assert.deepStrictEqual(yield* Sealed.heard(back), lines)
            assert.notInclude(back.client.receivedText(), "unheard")
          }
        }).pipe(Effect.scoped)
    )

    it.effect("stays with the other where one is deleted, and is another with who has that name later", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const [ada, ben] = yield* twoOf(server)
        const opened = yield* open(ada, "ben")
        yield* Sealed.reset(ada, room)
        yield* Sealed.commit(ada, room, { keyEpoch: 0, adds: [ben] })
        yield* ben.client.ask({ _tag: "DeleteAccount", password: Talk.password })
        const stale = yield* Sealed.seal(ada, room, 1, "to nobody")
        assert.deepStrictEqual<unknown>(reasonOf(stale), { _tag: "StaleKeyEpoch", keyEpoch: 1, seq: 2 })
        yield* Sealed.commit(ada, room, { keyEpoch: 1, removes: [{ user: "Ben", device: ben.device }] })
        assert.strictEqual((yield* Sealed.seal(ada, room, 2, "to nobody"))._tag, "Sent")
        assert.deepStrictEqual<unknown>(reasonOf(yield* open(ada, "ben")), { _tag: "UserNotFound", user: "ben" })
        yield* server.users.free(UserName.make("Ben"))
        const second = yield* Sealed.newcomer(server, "Ben")
        const hidden = yield* second.client.ask({ _tag: "GetHistory", room })
        assert.deepStrictEqual<unknown>(reasonOf(hidden), { _tag: "RoomNotFound", room })
        // Whoever is in is put out of it.
        const anew = yield* open(second, "ada")
        assert.deepInclude(anew, { _tag: "RoomJoined", seq: 0, keys: { incarnation: 0, keyEpoch: 0, seq: 0 } })
        assert.notStrictEqual(anew["epoch"], opened["epoch"])
        assert.deepInclude(yield* ada.client.find("RoomDeleted"), { room, by: "Ben" })
        assert.deepInclude(yield* ada.client.find("ConversationOpened"), { room, with: "Ben" })
        assert.deepInclude(yield* Sealed.join(ada, room), { epoch: anew["epoch"], with: "Ben" })
        assert.deepStrictEqual(yield* Sealed.history(ada, room), [])
      }).pipe(Effect.scoped)
    )
  })
})

describe("A device", () => {
  layer(NodeServices.layer, { excludeTestServices: true })((it) => {
    it.effect("is let in by a package of its own, which nobody drains", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const [ada, ben] = yield* twoOf(server)
        const eve = yield* Sealed.newcomer(server, "eve")
        const guest = yield* server.join("guest")
        const bytes = (text: string) => Buffer.from(text).toString("base64")
        const packages = Arr.makeBy(20, (index) => bytes(`package ${index}`))
        const published = yield* ben.client.ask({ _tag: "PublishKeyPackages", packages, lastResort: bytes("the last") })
        assert.deepInclude(published, { _tag: "KeyPackagesPublished", left: 20 })
        const claim = ({ client }: Sealed.Device, ...devices: ReadonlyArray<object>) =>
          Effect.map(client.ask({ _tag: "ClaimKeyPackages", devices }), (line) =>
            Talk.listIn(line, "packages").map(({ data }) => Buffer.from(String(data), "base64").toString())
          )
        const wanted = Sealed.named({ user: "ben", device: ben.device })
        assert.deepStrictEqual(yield* claim(ada, wanted, Sealed.named(ada), { user: "nobody", device: "1" }, wanted), [
          "package 0",
          "package 1"
        ])
        const drained = yield* Effect.forEach(Arr.range(1, 12), () => claim(eve, wanted))
        assert.deepStrictEqual(drained.flat(), [
          ...Arr.makeBy(10, (index) => `package ${index + 2}`),
          "the last",
          "the last"
        ])
        assert.deepStrictEqual(yield* claim(ada, wanted), ["package 12"])
        const left = yield* ben.client.ask({ _tag: "PublishKeyPackages", packages: packages.slice(0, 13) })
        assert.deepInclude(left, { left: 7 })
        const refused = yield* guest.ask({ _tag: "ClaimKeyPackages", devices: [wanted] })
        assert.deepInclude(reasonOf(refused), { _tag: "AccountRequired" })
      }).pipe(Effect.scoped)
    )

    it.effect("finds welcomes in pages that fit into a line of 64 KiB, until it has taken them", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const ada = yield* Sealed.newcomer(server, "ada")
        const ben = yield* Sealed.newcomer(server, "ben")
        const welcome = Buffer.alloc(30_000, 7).toString("base64")
        const rooms = ["one", "two", "three"]
        for (const name of rooms) {
          yield* ada.client.ask({ _tag: "CreateRoom", room: name, encrypted: true })
          for (const device of [ada, ben]) yield* Sealed.join(device, name)
          yield* Sealed.reset(ada, name)
          const sent = yield* Sealed.commit(ada, name, { keyEpoch: 0, adds: [ben], more: { welcome } })
          assert.strictEqual(sent._tag, "Sent")
        }
        const found: Array<unknown> = []
        let after: unknown = 0
        for (let pages = 0; after !== undefined; pages++) {
          assert.isBelow(pages, 4)
          const page: Line = yield* ben.client.ask({ _tag: "GetWelcomes", after })
          assert.isBelow(Buffer.byteLength(JSON.stringify(page)), 65_536)
          found.push(...Talk.listIn(page, "welcomes").map(({ room: name }) => name))
          after = page["next"]
        }
        assert.deepStrictEqual(found, rooms)
        for (const name of rooms.slice(0, 2)) {
          assert.deepInclude(yield* ben.client.ask({ _tag: "AckWelcome", room: name, seq: 2 }), {
            _tag: "WelcomeAcknowledged"
          })
        }
        const rest = Talk.listIn(yield* ben.client.ask({ _tag: "GetWelcomes" }), "welcomes")
        assert.deepStrictEqual(rest, [{ room: "three", seq: 2, data: welcome }] as unknown)
      }).pipe(Effect.scoped)
    )

    it.effect("is one of a hundred in a room, each line of which fits into 64 KiB", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start({ settings: { ACCOUNTS_PER_HOUR: "1000" } })
        const ada = yield* Sealed.newcomer(server, "ada")
        yield* ada.client.ask({ _tag: "CreateRoom", room: "hall", encrypted: true })
        yield* Sealed.join(ada, "hall")
        yield* Sealed.reset(ada, "hall")
        // Devices need not be connected to be in lists: only their accounts to be members.
        const numbers = Arr.range(1, 4)
        const members = yield* Effect.forEach(numbers, (number) => Sealed.newcomer(server, `member${number}`))
        const devices: Array<Pick<Sealed.Device, "device" | "user">> = []
        for (const member of members) {
          yield* Sealed.join(member, "hall")
          devices.push(member)
          for (let n = 2; n <= 26; n++) {
            const device = `${member.user} ${n}`
            yield* Sealed.publish(member.client, n, device, { by: member.device })
            devices.push({ user: member.user, device })
          }
        }
        const data = Buffer.alloc(15_000, 7)
        let keyEpoch = 0
        for (const adds of Arr.chunksOf(devices.slice(0, 99), 8)) {
          const request = Sealed.commitRequest("hall", {
            keyEpoch,
            adds,
            more: { welcome: Buffer.alloc(30_000, 9).toString("base64") }
          })
          const padded = { ...request, data: Sealed.padded("hall", { keyEpoch, contentType: "commit" }, data) }
          assert.isBelow(Buffer.byteLength(JSON.stringify(padded)), 65_536)
          assert.strictEqual((yield* ada.client.ask(padded))._tag, "Sent")
          keyEpoch++
        }
        const oneMore = yield* Sealed.commit(ada, "hall", { keyEpoch, adds: devices.slice(99, 100) })
        assert.deepInclude(reasonOf(oneMore), { _tag: "NotAllowed", action: "CommitKeys" })
        const longest = Sealed.padded("hall", { keyEpoch }, Buffer.alloc(48_000, 7))
        const sent = yield* ada.client.ask({ ...Sealed.sealRequest("hall", keyEpoch, ""), data: longest })
        assert.strictEqual(sent._tag, "Sent")
        for (const line of ada.client.receivedText().split("\n")) assert.isBelow(Buffer.byteLength(line), 65_536)
      }).pipe(Effect.scoped)
    )
  })
})
