/** Encrypted rooms over real sockets: what a server that cannot read them sees to all the same. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Exit, FileSystem, Scope } from "effect"
import * as Database from "../../src/server/store/Database.ts"
import * as Talk from "../support/AccountTalk.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as Sealed from "../support/SealedTalk.ts"
import * as TestServer from "../support/TestServer.ts"

/** A server on a file, which can be stopped and started again. */
const onFile = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
  const whole = yield* Effect.scope
  const settings = { DATABASE: `${folder}/chat.sqlite` }
  let running: Scope.Closeable | undefined
  const start = Effect.gen(function* () {
    if (running !== undefined) yield* Scope.close(running, Exit.void)
    running = yield* Scope.fork(whole)
    return yield* Scope.provide(TestServer.start({ settings, stores: Database.layer }), running)
  })
  return { start }
})

const room = "vault"

/** Ada's encrypted room, of which she has made the keys. */
const vaultOf = Effect.fnUntraced(function* (server: TestServer.TestServer) {
  const ada = yield* Sealed.newcomer(server, "ada")
  assert.strictEqual((yield* ada.client.ask({ _tag: "CreateRoom", room, encrypted: true }))._tag, "RoomCreated")
  const joined = yield* Sealed.join(ada, room)
  assert.deepInclude(joined, { encrypted: true, keys: { incarnation: 0, keyEpoch: 0, seq: 0 } })
  assert.strictEqual((yield* Sealed.reset(ada, room))._tag, "Sent")
  return ada
})

describe("An encrypted room", () => {
  layer(NodeServices.layer, { excludeTestServices: true })((it) => {
    it.effect("is for devices that are in the list of their account, which the server need not understand", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const guest = yield* server.join("guest")
        const ben = yield* Talk.register(server, "ben")
        for (const client of [guest, ben.client]) {
          const made = yield* client.ask({ _tag: "CreateRoom", room: "other", encrypted: true })
          assert.deepStrictEqual<unknown>(reasonOf(made), { _tag: "DeviceRequired" })
        }
        const ada = yield* vaultOf(server)
        for (const request of [
          { _tag: "JoinRoom", room },
          { _tag: "GetHistory", room },
          Sealed.sealRequest(room, 0, "hello")
        ]) {
          assert.deepStrictEqual<unknown>(reasonOf(yield* ben.client.ask(request)), { _tag: "DeviceRequired" })
        }
        const [first] = yield* Sealed.heard(ada)
        assert.strictEqual(first, "1 KeysReset")
        assert.deepInclude(yield* ben.client.ask({ _tag: "GetRoom", room }), { _tag: "RoomInfo", encrypted: true })
        const list = yield* ben.client.ask({ _tag: "ListRooms" })
        assert.deepInclude(Talk.listIn(list, "rooms")[0], { room, encrypted: true })
      }).pipe(Effect.scoped)
    )

    it.effect("takes nothing that others could read, in whichever way", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const ada = yield* vaultOf(server)
        yield* Sealed.seal(ada, room, 0, "the password is swordfish")
        for (const request of [
          { _tag: "RoomMessage", content: "in the open" },
          { _tag: "EditMessage", target: 2, content: "in the open" },
          { _tag: "React", target: 2, reaction: "👍" }
        ]) {
          const refused = yield* ada.client.ask({ ...request, room })
          assert.deepStrictEqual<unknown>(reasonOf(refused), { _tag: "EncryptionRequired", room })
        }
        yield* ada.client.ask({ _tag: "CreateRoom", room: "open" })
        yield* Sealed.join(ada, "open")
        const refused = yield* Sealed.seal(ada, "open", 0, "sealed in the open")
        assert.deepInclude(reasonOf(refused), { _tag: "NotAllowed", action: "SealedMessage" })
      }).pipe(Effect.scoped)
    )

    it.effect("gives each device what was said while it was in, live and later, over a restart", () =>
      Effect.gen(function* () {
        const { start } = yield* onFile
        let server = yield* start
        const ada = yield* vaultOf(server)
        const ben = yield* Sealed.newcomer(server, "ben")
        const waiting = yield* Sealed.join(ben, room)
        assert.deepInclude(waiting, { keys: { incarnation: 1, keyEpoch: 0, seq: 1 }, seq: 1, missed: 0 })
        yield* Sealed.seal(ada, room, 0, "before")
        assert.strictEqual((yield* Sealed.commit(ada, room, { keyEpoch: 0, adds: [ben] }))._tag, "Sent")
        yield* Sealed.seal(ada, room, 1, "together")
        assert.strictEqual((yield* Sealed.seal(ben, room, 1, "hello"))._tag, "Sent")
        const all = ["1 KeysReset", "2 before", "3 KeysCommitted", "4 together", "5 hello"]
        assert.deepStrictEqual(yield* Sealed.heard(ada), all)
        assert.deepStrictEqual(yield* Sealed.heard(ben), ["4 together", "5 hello"])
        const welcomes = Talk.listIn(yield* ben.client.ask({ _tag: "GetWelcomes" }), "welcomes")
        assert.deepStrictEqual(
          welcomes.map(({ room: to, seq }) => [to, seq]),
          [[room, 3]]
        )

        // Ben is put out while he is away, and let in again later.
        yield* ben.client.ask({ _tag: "Disconnect" })
        yield* TestServer.whenGone(ada.client, "ben")
        yield* Sealed.seal(ada, room, 1, "while he is away")
        yield* ada.client.ask({ _tag: "Kick", room, user: "ben" })
        const stale = yield* Sealed.seal(ada, room, 1, "not before he is removed")
        assert.deepStrictEqual<unknown>(reasonOf(stale), { _tag: "StaleKeyEpoch", keyEpoch: 1, seq: 7 })
        yield* Sealed.commit(ada, room, { keyEpoch: 1, removes: [ben] })
        yield* Sealed.seal(ada, room, 2, "about ben")
        server = yield* start
        const adaBack = yield* Sealed.comeBack(server, ada)
        const benBack = yield* Sealed.comeBack(server, ben)
        yield* Sealed.join(adaBack, room)
        assert.deepInclude(reasonOf(yield* benBack.client.ask({ _tag: "GetHistory", room })), { _tag: "NotInRoom" })
        yield* Sealed.join(benBack, room)
        assert.deepStrictEqual(yield* Sealed.history(benBack, room), [
          "4 together",
          "5 hello",
          "6 while he is away",
          "7 Kicked"
        ])
        yield* Sealed.commit(adaBack, room, { keyEpoch: 2, adds: [ben] })
        yield* Sealed.seal(adaBack, room, 3, "welcome back")
        const read = ["4 together", "5 hello", "6 while he is away", "7 Kicked", "11 welcome back"]
        for (const limit of [1, 2, 500]) {
          assert.deepStrictEqual(yield* Sealed.history(benBack, room, limit), read, `pages of ${limit}`)
          assert.deepStrictEqual(
            yield* Sealed.history(benBack, room, limit, false),
            read,
            `pages of ${limit}, backwards`
          )
        }
        assert.deepStrictEqual(yield* Sealed.heard(benBack), ["11 welcome back"])
        const { epoch } = Talk.cursorOf(waiting)
        let adaOnce: Sealed.Device = adaBack
        for (const [seq, missed] of [
          [0, 5],
          [4, 4],
          [7, 1],
          [9, 1],
          [11, 0]
        ] as const) {
          // Somebody who may read all of it comes back from the same place just before.
          adaOnce = yield* Sealed.comeBack(server, adaOnce)
          yield* Sealed.join(adaOnce, room, { epoch, seq })
          assert.lengthOf(yield* Sealed.heard(adaOnce), 11 - seq)
          const once = yield* Sealed.comeBack(server, benBack)
          const joined = yield* Sealed.join(once, room, { epoch, seq })
          assert.deepInclude(joined, { missed, truncated: false, seq: 11 }, `behind ${seq}`)
          assert.deepStrictEqual(yield* Sealed.heard(once), missed === 0 ? [] : read.slice(-missed), `behind ${seq}`)
        }
        assert.deepStrictEqual(
          (yield* Sealed.history(adaBack, room)).map((one) => one.split(" ")[0]),
          Array.from({ length: 11 }, (_, index) => `${index + 1}`)
        )
      }).pipe(Effect.scoped)
    )

    it.effect("takes one of three commits that are made at once, and tells the others where the keys stand", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const ada = yield* vaultOf(server)
        const [ben, cleo] = [yield* Sealed.newcomer(server, "ben"), yield* Sealed.newcomer(server, "cleo")]
        for (const one of [ben, cleo]) yield* Sealed.join(one, room)
        yield* Sealed.commit(ada, room, { keyEpoch: 0, adds: [ben, cleo] })
        const requests = [ada, ben, cleo].map((device) => ({
          device,
          request: Sealed.commitRequest(room, { keyEpoch: 1 })
        }))
        const answers = yield* Effect.forEach(requests, ({ device, request }) => device.client.ask(request), {
          concurrency: 3
        })
        const sent = answers.filter(({ _tag }) => _tag === "Sent")
        assert.lengthOf(sent, 1)
        for (const answer of answers) {
          if (answer._tag === "Sent") continue
          assert.deepStrictEqual<unknown>(reasonOf(answer), { _tag: "StaleKeyEpoch", keyEpoch: 2, seq: 3 })
        }
        // The one that was taken is answered again, whatever has become of the keys.
        const taken = requests[answers.findIndex(({ _tag }) => _tag === "Sent")]
        assert(taken !== undefined)
        yield* Sealed.commit(ben, room, { keyEpoch: 2 })
        assert.deepInclude(yield* taken.device.client.ask(taken.request), { _tag: "Sent", seq: 3, repeated: true })
      }).pipe(Effect.scoped)
    )

    it.effect("begins anew where a commit has taken everybody out of step, without whoever made it", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const ada = yield* vaultOf(server)
        const [ben, eve] = [yield* Sealed.newcomer(server, "ben"), yield* Sealed.newcomer(server, "eve")]
        for (const one of [ben, eve]) yield* Sealed.join(one, room)
        yield* Sealed.commit(ada, room, { keyEpoch: 0, adds: [ben] })
        const refused = yield* Sealed.reset(eve, room, 2)
        assert.deepInclude(reasonOf(refused), { _tag: "NotAllowed", action: "ResetKeys" })
        assert.strictEqual((yield* Sealed.reset(ben, room, 2))._tag, "Sent")
        const late = yield* Sealed.reset(ada, room, 2)
        assert.deepInclude(reasonOf(late), { _tag: "NotAllowed", action: "ResetKeys" })
        yield* Sealed.commit(ben, room, { incarnation: 2, keyEpoch: 0, adds: [ada] })
        yield* Sealed.seal(ada, room, 1, "in step again", 2)
        assert.deepStrictEqual(yield* Sealed.heard(ada), [
          "1 KeysReset",
          "2 KeysCommitted",
          "3 KeysReset",
          "5 in step again"
        ])
        assert.deepStrictEqual(yield* Sealed.heard(ben), ["3 KeysReset", "4 KeysCommitted", "5 in step again"])
        assert.deepStrictEqual(yield* Sealed.heard(eve), [])
        // What was sealed for the group before is not wrong, but late.
        const stale = yield* Sealed.seal(ada, room, 1, "for the first group", 1)
        assert.deepStrictEqual<unknown>(reasonOf(stale), { _tag: "StaleKeyEpoch", keyEpoch: 1, seq: 4 })
      }).pipe(Effect.scoped)
    )

    it.effect("tells who shares it of another device, and lets that in until it is taken off its list", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const ada = yield* vaultOf(server)
        const ben = yield* Sealed.newcomer(server, "ben")
        const cleo = yield* Sealed.newcomer(server, "cleo")
        yield* Sealed.join(ben, room)
        yield* Sealed.commit(ada, room, { keyEpoch: 0, adds: [ben] })
        const phone = yield* Sealed.another(server, ben, 2)
        assert.deepInclude(yield* ada.client.find("DevicesChanged"), { user: "ben", n: 2 })
        const list = yield* ada.client.ask({ _tag: "GetDevices", user: "BEN" })
        assert.deepStrictEqual(
          Talk.listIn(list, "entries").map(({ device, n }) => [n, device]),
          [
            [1, ben.device],
            [2, phone.device]
          ]
        )
        yield* Sealed.join(phone, room)
        assert.strictEqual((yield* Sealed.commit(ada, room, { keyEpoch: 1, adds: [phone] }))._tag, "Sent")
        const elsewhere = yield* Sealed.commit(ada, room, { keyEpoch: 2, adds: [cleo] })
        assert.deepStrictEqual<unknown>(reasonOf(elsewhere), { _tag: "UserNotFound", user: "cleo" })
        const unknown = yield* Sealed.commit(ada, room, { keyEpoch: 2, adds: [{ user: "ben", device: "99" }] })
        assert.deepStrictEqual<unknown>(reasonOf(unknown), { _tag: "DeviceNotFound", device: "99" })
        const still = yield* Sealed.commit(ada, room, { keyEpoch: 2, removes: [phone] })
        assert.deepInclude(reasonOf(still), { _tag: "NotAllowed", action: "CommitKeys" })
        yield* Sealed.publish(ben.client, 3, phone.device, { op: "remove", by: ben.device })
        const stale = yield* Sealed.seal(ada, room, 2, "not while it could read")
        assert.deepStrictEqual<unknown>(reasonOf(stale), { _tag: "StaleKeyEpoch", keyEpoch: 2, seq: 3 })
        yield* Sealed.commit(ada, room, { keyEpoch: 2, removes: [phone] })
        assert.strictEqual((yield* Sealed.seal(ada, room, 3, "without it"))._tag, "Sent")
        assert.deepStrictEqual(reasonOf(yield* Sealed.seal(phone, room, 3, "let me")), { _tag: "DeviceRequired" })
        for (const [client, by] of [
          [phone.client, phone.device],
          [phone.client, ben.device],
          [ben.client, phone.device]
        ] as const) {
          const foreign = yield* Sealed.publish(client, 4, "tablet", { by })
          assert.deepStrictEqual<unknown>(reasonOf(foreign), { _tag: "DeviceRequired" })
        }
        const outdated = yield* Sealed.publish(ben.client, 3, phone.device, { by: ben.device })
        assert.deepStrictEqual<unknown>(reasonOf(outdated), { _tag: "StaleDeviceList", n: 3 })
        // Cleo shares nothing with ben.
        assert.isFalse((yield* cleo.client.soFar).some(({ _tag }) => _tag === "DevicesChanged"))
      }).pipe(Effect.scoped)
    )

    it.effect("says nothing more before who has left is removed, and nothing of it to who comes back before", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const ada = yield* vaultOf(server)
        const ben = yield* Sealed.newcomer(server, "ben")
        yield* Sealed.join(ben, room)
        yield* Sealed.commit(ada, room, { keyEpoch: 0, adds: [ben] })
        yield* ben.client.ask({ _tag: "LeaveRoom", room })
        const stale = yield* Sealed.seal(ada, room, 1, "behind his back")
        assert.deepStrictEqual<unknown>(reasonOf(stale), { _tag: "StaleKeyEpoch", keyEpoch: 1, seq: 2 })
        yield* Sealed.commit(ada, room, { keyEpoch: 1, removes: [ben] })
        yield* Sealed.seal(ada, room, 2, "behind his back")
        yield* Sealed.join(ben, room)
        assert.deepStrictEqual(yield* Sealed.history(ben, room), ["3 KeysCommitted"])
        assert.deepInclude(reasonOf(yield* Sealed.seal(ben, room, 2, "hello")), { _tag: "NotAllowed" })
      }).pipe(Effect.scoped)
    )

    it.effect("lets a muted member commit and not speak, and nobody in who is banned", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const ada = yield* vaultOf(server)
        const ben = yield* Sealed.newcomer(server, "ben")
        yield* Sealed.join(ben, room)
        yield* Sealed.commit(ada, room, { keyEpoch: 0, adds: [ben] })
        yield* ada.client.ask({ _tag: "Mute", room, user: "ben" })
        assert.deepInclude(reasonOf(yield* Sealed.seal(ben, room, 1, "hush")), { _tag: "Muted", room })
        assert.strictEqual((yield* Sealed.commit(ben, room, { keyEpoch: 1 }))._tag, "Sent")
        yield* ada.client.ask({ _tag: "Ban", room, user: "ben" })
        const stale = yield* Sealed.seal(ada, room, 2, "not yet")
        assert.deepStrictEqual<unknown>(reasonOf(stale), { _tag: "StaleKeyEpoch", keyEpoch: 2, seq: 5 })
        const again = yield* Sealed.commit(ada, room, { keyEpoch: 2, removes: [ben], adds: [ben] })
        assert.deepStrictEqual<unknown>(reasonOf(again), { _tag: "UserNotFound", user: "ben" })
        assert.deepInclude(reasonOf(yield* Sealed.commit(ben, room, { keyEpoch: 2 })), { _tag: "NotInRoom" })
        yield* Sealed.commit(ada, room, { keyEpoch: 2, removes: [ben] })
        assert.strictEqual((yield* Sealed.seal(ada, room, 3, "now"))._tag, "Sent")
        const heard = yield* Sealed.heard(ben)
        assert.deepStrictEqual(heard, ["3 Muted", "4 KeysCommitted", "5 Banned"])
      }).pipe(Effect.scoped)
    )

    it.effect(
      "takes the longest list of devices that a commit may have, and an account's so many entries in an hour",
      () =>
        Effect.gen(function* () {
          const server = yield* TestServer.start()
          const ada = yield* vaultOf(server)
          const many = (count: number) =>
            Array.from({ length: count }, (_, index) => ({ user: "ada", device: `d${index}` }))
          const refused = yield* Sealed.commit(ada, room, { keyEpoch: 0, adds: many(8), removes: many(24) })
          assert.deepStrictEqual<unknown>(reasonOf(refused), {
            _tag: "InvalidMessage",
            issue: "removes: each must be a device of the group"
          })
          for (let n = 2; n <= 40; n++) {
            const op = n % 2 === 0 ? "add" : "remove"
            const published = yield* Sealed.publish(ada.client, n, "tablet", { op, by: ada.device })
            assert.strictEqual(published._tag, "DevicePublished")
          }
          const oneMore = yield* Sealed.publish(ada.client, 41, "tablet", { by: ada.device })
          assert.deepInclude(reasonOf(oneMore), { _tag: "RateLimited" })
        }).pipe(Effect.scoped)
    )

    it.effect("erases what is deleted, and knows that it was there", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const ada = yield* vaultOf(server)
        yield* Sealed.seal(ada, room, 0, "to be forgotten")
        const deleted = yield* ada.client.ask({ _tag: "DeleteMessage", room, target: 2 })
        assert.deepInclude(deleted, { _tag: "Sent", seq: 3 })
        assert.deepStrictEqual(yield* Sealed.history(ada, room), ["1 KeysReset", "2 Tombstone", "3 Deleted"])
        const again = yield* ada.client.ask({ _tag: "DeleteMessage", room, target: 1 })
        assert.deepStrictEqual<unknown>(reasonOf(again), { _tag: "MessageNotFound", seq: 1 })
      }).pipe(Effect.scoped)
    )

    it.effect("keeps of what is reported that it was said, and by whom", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const ada = yield* vaultOf(server)
        yield* Sealed.seal(ada, room, 0, "something rude")
        const reported = yield* ada.client.ask({ _tag: "Report", room, target: 2, reason: "Rude" })
        assert.strictEqual(reported._tag, "Reported")
        const [report] = yield* server.users.reports(undefined)
        assert.deepInclude(report?.said, {
          content: "(This message is encrypted: only the devices of its room can read it.)"
        })
        const nothing = yield* ada.client.ask({ _tag: "Report", room, target: 1, reason: "Rude" })
        assert.deepStrictEqual<unknown>(reasonOf(nothing), { _tag: "MessageNotFound", seq: 1 })
      }).pipe(Effect.scoped)
    )

    it.effect("begins anew so many times in an hour and no more for one account", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const ada = yield* vaultOf(server)
        for (let incarnation = 2; incarnation <= 60; incarnation++) {
          assert.strictEqual((yield* Sealed.reset(ada, room, incarnation))._tag, "Sent")
        }
        assert.deepInclude(reasonOf(yield* Sealed.reset(ada, room, 61)), { _tag: "RateLimited" })
        assert.strictEqual((yield* Sealed.seal(ada, room, 0, "and goes on", 60))._tag, "Sent")
      }).pipe(Effect.scoped)
    )

    it.effect("counts what was said as unread for others, whoever can read it, and finds none of it", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const ada = yield* vaultOf(server)
        const ben = yield* Sealed.newcomer(server, "ben")
        yield* Sealed.join(ben, room)
        yield* Sealed.commit(ada, room, { keyEpoch: 0, adds: [ben] })
        for (const content of ["@ben one", "two"]) yield* Sealed.seal(ada, room, 1, content)
        yield* ben.client.ask({ _tag: "Disconnect" })
        const back = yield* Sealed.comeBack(server, ben)
        const [standing] = Talk.listIn(back.welcome, "rooms")
        assert.deepInclude(standing, { room, encrypted: true, unread: 2, mentions: 0 })
        const found = yield* ada.client.ask({ _tag: "Search", query: "one", room })
        assert.deepInclude(found, { _tag: "SearchResults", messages: [] })
      }).pipe(Effect.scoped)
    )

    it.effect("refuses bytes whose header says something else than was asked", () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const ada = yield* vaultOf(server)
        const request = Sealed.sealRequest(room, 0, "hello")
        const commit = Sealed.commitRequest(room, { keyEpoch: 0 })
        const others: ReadonlyArray<readonly [object, RegExp]> = [
          [
            { ...request, data: Buffer.from("no message at all").toString("base64") },
            /^data: must be an MLS private message/
          ],
          [{ ...request, data: commit.data }, /^data: its content must be of the type application/],
          [{ ...commit, data: request.data }, /^data: its content must be of the type commit/],
          [{ ...request, data: Sealed.sealRequest("other", 0, "hello").data }, /^data: its group must be vault\/1/],
          [{ ...request, data: Sealed.sealRequest(room, 0, "hello", 2).data }, /^data: its group must be vault\/1/],
          [{ ...request, data: Sealed.sealRequest(room, 1, "hello").data }, /^data: its epoch/],
          [{ ...request, data: `${request.data}=` }, /^data: must be base64/],
          [{ ...commit, welcome: "AAAA" }, /^welcome: must be there if/],
          [{ ...commit, removes: [Sealed.named(ada)] }, /^removes: a device cannot remove itself/],
          [{ ...commit, adds: [Sealed.named(ada)], welcome: "AAAA" }, /^adds: no device may be in the group already/]
        ]
        for (const [wrong, issue] of others) {
          const reason = reasonOf(yield* ada.client.ask(wrong))
          assert.match(JSON.stringify(reason), /"InvalidMessage"/)
          assert.match("issue" in reason ? String(reason.issue) : "", issue)
        }
        assert.strictEqual((yield* ada.client.ask(request))._tag, "Sent")
      }).pipe(Effect.scoped)
    )
  })
})
