/** What is missing in a log, or cannot be kept, without anybody's lie: found by an attacker, each once. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Duration, Effect, Exit, Scope } from "effect"
import { StateFailed } from "../../../src/client/sealed/StateError.ts"
import { conversationRoom } from "../../../src/common/name/RoomName.ts"
import * as Database from "../../../src/server/store/Database.ts"
import * as TestServer from "../../support/TestServer.ts"
import { type Device, enter, homeOf, isIn, makeVault, say, switchOn, texts, until, vault } from "./Devices.ts"
import { folder } from "./Folder.ts"
import { told, untilNews } from "./Lies.ts"

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

  it.effect(
    "who was away until a change of keys was too old to be kept is told so, says nothing in vain, and makes new ones",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        const retention = Duration.millis(1500)
        const { port } = yield* TestServer.start({
          stores: Database.layerFile({ file: `${path}/chat.sqlite`, retention })
        })
        const ada = yield* switchOn(port, homeOf(path, "ada", "desk"))
        yield* makeVault(ada)
        const benHome = homeOf(path, "ben", "desk")
        const scope = yield* Scope.fork(yield* Effect.scope)
        const away = yield* Scope.provide(switchOn(port, benHome), scope)
        yield* enter(away)
        yield* until("ben is let in", isIn(away, vault, 2))
        yield* Scope.close(scope, Exit.void)
        const cyd = yield* switchOn(port, homeOf(path, "cyd", "desk"))
        yield* enter(cyd)
        yield* until("cyd is let in", isIn(cyd, vault, 3))
        const entries = ada.client.quietly({ _tag: "GetHistory", room: vault })
        yield* until(
          "that is too old",
          Effect.map(entries, ({ messages }) => messages.length === 0)
        )

        const ben = yield* switchOn(port, benHome)
        const isThere = Effect.map(ben.rooms.view(vault), (view) => view?.state === "in" || view?.state === "outOfStep")
        yield* until("ben is back", isThere)
        yield* say(ada, "with keys that he does not have")
        const { message } = yield* untilNews(ben, "OutOfStep")
        assert.strictEqual(message, "A change of keys is missing here (2, now 1): this device is out of step.")
        assert.strictEqual((yield* Effect.flip(say(ben, "and this?")))._tag, "KeysOutOfStep")
        yield* ben.rooms.rekey(vault)
        for (const one of [ada, cyd]) yield* until("all are in again", isIn(one, vault, 3))
        yield* say(ada, "welcome back")
        yield* until(
          "it is read",
          Effect.map(texts(ben), (all) => all.includes("welcome back"))
        )
        assert.lengthOf(told(ben, "OutOfStep"), 1)
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
})
