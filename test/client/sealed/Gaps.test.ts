/** What is missing in a log, or cannot be kept, without anybody's lie: found by an attacker, each once. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { StateFailed } from "../../../src/client/sealed/StateError.ts"
import { maxAdds } from "../../../src/common/log/Sealing.ts"
import { conversationRoom, RoomName } from "../../../src/common/name/RoomName.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import * as TestServer from "../../support/TestServer.ts"
import { type Device, enter, homeOf, isIn, makeVault, say, switchOn, texts, until, vault } from "./Devices.ts"
import { folder } from "./Folder.ts"

const isSent = ({ rooms }: Device, room = vault) => Effect.map(rooms.view(room), (view) => view?.underway === 0)

/** How many a ratchet goes further without asking how much there was in between, and a few. */
const many = 203

layer(NodeServices.layer, { excludeTestServices: true })((it) => {
  it.effect("who was blocked while they said hundreds of things is read again when they are not any more", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const path = yield* folder
      const ada = yield* switchOn(port, homeOf(path, "ada", "desk"))
      const ben = yield* switchOn(port, homeOf(path, "ben", "desk"))
      for (const one of [ada, ben]) yield* one.rooms.ready
      const room = conversationRoom(ada.home.user, ben.home.user)
      yield* ada.client.request({ _tag: "OpenConversation", with: ben.home.user })
      yield* until("ben is let in", isIn(ben, room, 2))
      yield* ada.client.request({ _tag: "Block", user: ben.home.user })
      for (let n = 0; n < many; n++) yield* say(ben, `unheard ${n}`, room)
      yield* until("all is sent", isSent(ben, room))
      yield* ada.client.request({ _tag: "Unblock", user: ben.home.user })
      for (const text of ["do you read me", "and now"]) yield* say(ben, text, room)
      yield* until(
        "he is read",
        Effect.map(texts(ada, room), (all) => all.slice(-2).join() === "do you read me,and now")
      )
    }).pipe(Effect.scoped)
  )

  it.effect("what cannot be kept, on a disk that is full, is refused, and nobody waits for it", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const path = yield* folder
      let isFull = false
      const full = Effect.fail(new StateFailed({ path, issue: "database or disk is full" }))
      const ada = yield* switchOn(port, homeOf(path, "ada", "desk"), {
        file: (file) => ({ ...file, write: (all) => (isFull ? full : file.write(all)) })
      })
      yield* makeVault(ada)
      isFull = true
      assert.strictEqual((yield* Effect.flip(say(ada, "on a full disk")))._tag, "Stopped")
      assert.strictEqual((yield* Effect.flip(say(ada, "and again")))._tag, "Stopped")
    }).pipe(Effect.scoped)
  )

  it.effect("a conversation of which the state cannot be read is told, and keeps no other from going on", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const path = yield* folder
      const home = homeOf(path, "ada", "desk")
      const other = RoomName.make("other")
      const damage = { sql: "UPDATE groups SET blob = x'00' WHERE room = 'vault'", values: [] }
      yield* Effect.gen(function* () {
        const ada = yield* switchOn(port, home, {
          file: (file) => ({ ...file, write: (all) => file.write([...all, damage]) })
        })
        for (const room of [vault, other]) {
          yield* makeVault(ada, room)
          yield* until("she is in", isIn(ada, room, 1))
        }
      }).pipe(Effect.scoped)
      const ada = yield* switchOn(port, home)
      yield* until("she is in the other one", isIn(ada, other, 1))
      yield* say(ada, "here", other)
      assert.deepInclude(
        ada.news.find(({ _tag }) => _tag === "Stopped"),
        { _tag: "Stopped", room: vault }
      )
    }).pipe(Effect.scoped)
  )

  it.effect("whose list names devices that there are not keeps nobody else out", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const path = yield* folder
      const owner = yield* switchOn(port, homeOf(path, "owner", "desk"))
      yield* makeVault(owner)
      const first = yield* switchOn(port, homeOf(path, "aaa", "desk"))
      yield* first.rooms.ready
      for (let n = 0; n < maxAdds; n++) yield* first.rooms.signIn(DeviceId.make(`ghost${n}`))
      yield* enter(first)
      const ben = yield* switchOn(port, homeOf(path, "ben", "desk"))
      yield* enter(ben)
      for (const one of [first, ben]) yield* until("they are let in", isIn(one, vault, 3))
    }).pipe(Effect.scoped)
  )

  it.effect("a login that is in no list puts nothing into the list of its account that nobody could follow", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const path = yield* folder
      const ada = yield* switchOn(port, homeOf(path, "ada", "desk"))
      yield* ada.rooms.ready
      const stolen = yield* switchOn(port, homeOf(path, "ada", "stolen"))
      const { device } = yield* Effect.flip(stolen.rooms.ready)
      for (const by of [device, (yield* ada.rooms.ready).identity.device]) {
        const entry = { n: 2, prev: "AAAA", op: "add" as const, publicKey: "AAAA", signature: "AAAA" }
        const asked = {
          _tag: "PublishDevice" as const,
          entry: { ...entry, device: DeviceId.make(device), by: DeviceId.make(by) }
        }
        const refusal = yield* Effect.flip(stolen.client.request(asked))
        assert.isTrue(refusal._tag === "RequestRejected" && refusal.reason._tag === "DeviceRequired")
      }
      yield* ada.rooms.signIn(DeviceId.make(device))
    }).pipe(Effect.scoped)
  )
})
