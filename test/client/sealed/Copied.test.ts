/** A state that was copied or put back: noticed, still from then on, and left behind by becoming a new device. */
import { cpSync, rmSync } from "node:fs"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import { MessageKey } from "../../../src/common/wire/RequestId.ts"
import * as TestServer from "../../support/TestServer.ts"
import {
  type Device,
  enter,
  type Home,
  homeOf,
  isIn,
  makeVault,
  say,
  signInBy,
  switchOn,
  type SwitchOptions,
  texts,
  until,
  vault
} from "./Devices.ts"
import { folder } from "./Folder.ts"

const hasRead = (device: Device, text: string) =>
  until(
    `${device.home.name} has read "${text}"`,
    Effect.map(texts(device), (all) => all.includes(text))
  )

/** Switched on until it is switched off. */
const on = Effect.fnUntraced(function* (port: number, home: Home, options?: SwitchOptions) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  const device = yield* Scope.provide(switchOn(port, home, options), scope)
  return { ...device, off: Scope.close(scope, Exit.void) }
})

/** Everything that this device seals from now on. */
const counting = () => {
  const sealed: Array<string> = []
  const options: SwitchOptions = {
    store: (store) => ({
      ...store,
      sealed: (kept, row) => Effect.tap(store.sealed(kept, row), () => Effect.sync(() => sealed.push(row.key))),
      resealed: (kept, row) => Effect.tap(store.resealed(kept, row), () => Effect.sync(() => sealed.push(row.key))),
      committing: (kept, made) =>
        Effect.tap(store.committing(kept, made), () => Effect.sync(() => sealed.push(made.key)))
    })
  }
  return { sealed, options }
}

const start = Effect.fnUntraced(function* () {
  const { port } = yield* TestServer.start()
  const path = yield* folder
  const ada = yield* switchOn(port, homeOf(path, "ada", "desk"))
  const home = homeOf(path, "ben", "desk")
  const ben = yield* on(port, home)
  yield* makeVault(ada)
  yield* enter(ben)
  yield* until("ben is let in", isIn(ben, vault, 2))
  yield* say(ada, "hello")
  yield* hasRead(ben, "hello")
  return { port, path, ada, home, ben }
})

layer(NodeServices.layer, { excludeTestServices: true })((it) => {
  it.effect(
    "a state that was put back is noticed, sends nothing, and goes on as a new device with what it has read",
    () =>
      Effect.gen(function* () {
        const { ada, ben: first, home, path, port } = yield* start()
        const phone = yield* switchOn(port, homeOf(path, "ben", "phone"))
        yield* signInBy(first, phone)
        yield* until("the phone is let in", isIn(phone, vault, 3))
        yield* first.off
        const backup = `${path}/backup`
        cpSync(home.folder, backup, { recursive: true })
        const ben = yield* on(port, home)
        yield* until("ben is back", isIn(ben, vault, 3))
        yield* say(ben, "after the copy")
        yield* hasRead(ada, "after the copy")
        yield* ben.off
        rmSync(home.folder, { recursive: true })
        cpSync(backup, home.folder, { recursive: true })

        const { options, sealed } = counting()
        const restored = yield* on(port, home, options)
        yield* until(
          "it is noticed",
          Effect.sync(() => restored.news.some(({ _tag }) => _tag === "Cloned"))
        )
        const told = restored.news.find((one) => one._tag === "Cloned")
        assert.match(
          told?.message ?? "",
          /Nothing is sent with them any more; what was read stays\. Become a new device: :logout/
        )
        assert.strictEqual((yield* Effect.flip(say(restored, "not this")))._tag, "Copied")
        // It goes on reading, and stays as it is over a restart.
        yield* say(ada, "for all")
        yield* hasRead(restored, "for all")
        yield* restored.off
        const again = yield* on(port, home, options)
        assert.strictEqual((yield* Effect.flip(again.rooms.ready))._tag, "Copied")
        yield* until("it is there", isIn(again, vault))
        assert.strictEqual((yield* Effect.flip(say(again, "nor this")))._tag, "Copied")
        const device = DeviceId.make((yield* Effect.flip(again.rooms.ready)).device)
        assert.strictEqual((yield* Effect.flip(phone.rooms.signIn(device)))._tag, "DeviceSpent")
        assert.strictEqual((yield* Effect.flip(again.rooms.link("0000")))._tag, "Copied")
        assert.strictEqual((yield* Effect.flip(again.rooms.beginAnew))._tag, "Copied")
        assert.deepStrictEqual(sealed, [])
        assert.strictEqual(again.news.filter(({ _tag }) => _tag === "Cloned").length, 0)
        yield* again.off

        // Logged out and in again, this folder is another device's.
        const fresh = { ...homeOf(path, "ben", "desk", false), folder: home.folder }
        const renewed = yield* on(port, fresh)
        yield* signInBy(phone, renewed)
        yield* until("it is let in", isIn(renewed, vault, 4))
        yield* say(renewed, "with new keys")
        yield* hasRead(ada, "with new keys")
        yield* hasRead(renewed, "with new keys")
        const all = yield* texts(renewed)
        assert.include(all, "hello", "what was read stays")
        assert.include(all, "for all")
        yield* renewed.off
        const settled = yield* on(port, fresh)
        yield* settled.rooms.ready
      }).pipe(Effect.scoped)
  )

  it.effect(
    "a state that was put back, with what was said since gone from the log, says nothing with a key that was used",
    () =>
      Effect.gen(function* () {
        const { ada, ben: first, home, path, port } = yield* start()
        yield* first.off
        const backup = `${path}/backup`
        cpSync(home.folder, backup, { recursive: true })
        const ben = yield* on(port, home)
        yield* until("ben is back", isIn(ben, vault, 2))
        for (const text of ["after the copy", "and more"]) {
          yield* say(ben, text)
          yield* hasRead(ada, text)
        }
        const { messages } = yield* ben.client.quietly({ _tag: "GetHistory", room: vault })
        const own = messages.filter((one) => one._tag === "Sealed" && one.from === home.user)
        assert.lengthOf(own, 2)
        for (const { seq } of own) {
          yield* ben.client.send({
            _tag: "DeleteMessage",
            room: vault,
            target: seq,
            key: MessageKey.make(`a key of tests, to delete ${seq}`)
          })
        }
        yield* ben.off
        rmSync(home.folder, { recursive: true })
        cpSync(backup, home.folder, { recursive: true })

        const restored = yield* on(port, home)
        yield* until("ben is back again", isIn(restored, vault, 2))
        for (const text of ["with other keys", "and on"]) {
          yield* say(restored, text)
          yield* hasRead(ada, text)
        }
        const told = [...ada.news, ...restored.news].filter(({ _tag }) =>
          ["Cloned", "OutOfStep", "Withheld"].includes(_tag)
        )
        assert.deepStrictEqual(told, [])
      }).pipe(Effect.scoped)
  )

  it.effect("of two copies that run at the same time, the one that hears the other says nothing any more", () =>
    Effect.gen(function* () {
      const { ada, ben: first, home, path, port } = yield* start()
      yield* first.off
      const copy: Home = { ...home, folder: `${path}/copy` }
      cpSync(home.folder, copy.folder, { recursive: true })
      const one = yield* on(port, home)
      const { options, sealed } = counting()
      const other = yield* on(port, copy, options)
      yield* until(
        "both are in",
        Effect.zipWith(isIn(one, vault, 2), isIn(other, vault, 2), (left, right) => left && right)
      )
      yield* say(one, "said by one")
      yield* hasRead(ada, "said by one")
      yield* until(
        "the other one notices",
        Effect.sync(() => other.news.some(({ _tag }) => _tag === "Cloned"))
      )
      assert.strictEqual((yield* Effect.flip(say(other, "said by the other")))._tag, "Copied")
      assert.deepStrictEqual(sealed, [])
      assert.notInclude(yield* texts(ada), "said by the other")
    }).pipe(Effect.scoped)
  )
})
