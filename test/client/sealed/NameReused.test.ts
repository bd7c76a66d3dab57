/** A name that is somebody else's: its account was deleted, the name freed, and registered again; with a server that does not lie. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import { MessageKey } from "../../../src/common/wire/RequestId.ts"
import * as TestServer from "../../support/TestServer.ts"
import { homeOf, until } from "./Devices.ts"
import { folder } from "./Folder.ts"
import { come, gather, says, type Sealing, vault } from "./Sealing.ts"

const alarms = ({ events }: Sealing) =>
  events.flatMap((event) => (event._tag === "EncryptionTold" && event.isAlarm ? [event.message] : []))

const password = Redacted.make("seven green bicycles")

const tell = (from: Sealing, to: Sealing, content: string) =>
  from.client.send({ _tag: "PrivateMessage", to: to.user, content })

/** Ada and ben have talked, and been in a room; ben's list had two entries. Then ben is gone, and somebody else is called so. */
const reused = Effect.gen(function* () {
  const server = yield* TestServer.start()
  const path = yield* folder
  const ada = yield* come(server.port, homeOf(path, "ada", "desk"))
  const number = yield* Effect.scoped(
    Effect.gen(function* () {
      const ben = yield* come(server.port, homeOf(path, "ben", "desk"))
      yield* ben.client.encryption.ready
      const phone = yield* come(server.port, homeOf(path, "ben", "phone"))
      const { message } = yield* Effect.flip(phone.client.encryption.ready)
      const device = /\((.+?)\)/.exec(message)?.[1] ?? ""
      yield* phone.client.encryption.link(yield* ben.client.encryption.signIn(DeviceId.make(device)))
      yield* gather(ada, ben)
      yield* tell(ada, ben, "before")
      yield* ben.hears("it", says("before"))
      const before = yield* ada.client.encryption.safetyNumber(ben.user)
      yield* ben.client.request({ _tag: "DeleteAccount", password })
      yield* server.users.free(ben.user)
      return before?.digits
    })
  )
  const ben = yield* come(server.port, homeOf(path, "ben", "new", true))
  yield* ben.client.encryption.ready
  return { ada, ben, number }
})

layer(NodeServices.layer, { excludeTestServices: true })("A name that is somebody else's by now", (it) => {
  it.effect("is told as all new devices, and nothing is said to them before they are trusted", () =>
    Effect.gen(function* () {
      const { ada, ben, number } = yield* reused
      const refusal = yield* Effect.flip(Effect.timeout(tell(ada, ben, "a secret"), "8 seconds"))
      assert.include(refusal.message, "ben has all new devices")
      assert.include(refusal.message, ":trust ben")
      assert.isTrue(alarms(ada).some((one) => one.startsWith("ben has all new devices")))
      const shown = yield* ada.client.encryption.safetyNumber(ben.user)
      assert.notStrictEqual(shown?.digits, number)
      assert.strictEqual(shown?.digits, (yield* ben.client.encryption.safetyNumber(ada.user))?.digits)
      yield* ada.client.encryption.trust(ben.user)
      yield* tell(ada, ben, "to you, then")
      yield* ben.hears("it", says("to you, then"))
      yield* tell(ben, ada, "yes, to me")
      yield* ada.hears("it", says("yes, to me"))
      assert.isFalse(
        alarms(ada).some((one) => one.includes("lies")),
        JSON.stringify(alarms(ada))
      )
      assert.isFalse(ben.events.some(says("a secret")))
    }).pipe(Effect.scoped)
  )

  it.effect("is told so, too, where nobody was here meanwhile", () =>
    Effect.gen(function* () {
      const { port, users } = yield* TestServer.start()
      const path = yield* folder
      const home = homeOf(path, "ada", "desk")
      const user = homeOf(path, "ben", "desk").user
      yield* Effect.scoped(
        Effect.gen(function* () {
          const ada = yield* come(port, home)
          const ben = yield* come(port, homeOf(path, "ben", "desk"))
          yield* ben.client.encryption.ready
          yield* tell(ada, ben, "before")
          yield* ben.client.request({ _tag: "DeleteAccount", password })
        })
      )
      yield* users.free(user)
      const ben = yield* come(port, homeOf(path, "ben", "new", true))
      yield* ben.client.encryption.ready
      const ada = yield* come(port, home)
      const refusal = yield* Effect.flip(Effect.timeout(tell(ada, ben, "a secret"), "8 seconds"))
      assert.include(refusal.message, ":trust ben")
      yield* ada.client.encryption.safetyNumber(user)
      yield* ada.client.encryption.trust(user)
      yield* tell(ada, ben, "to you, then")
      yield* ben.hears("it", says("to you, then"))
    }).pipe(Effect.scoped)
  )

  it.effect("or nobody's: what is said to them is refused, and does not wait for ever", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const path = yield* folder
      const ada = yield* come(port, homeOf(path, "ada", "desk"))
      const ben = yield* come(port, homeOf(path, "ben", "desk"))
      yield* ben.client.encryption.ready
      yield* tell(ada, ben, "before")
      yield* ben.client.request({ _tag: "DeleteAccount", password })
      const key = MessageKey.make("a key that a script has given")
      const refusal = yield* ada.client
        .send({ _tag: "PrivateMessage", to: ben.user, content: "hello?", key })
        .pipe(Effect.timeout("15 seconds"), Effect.flip)
      assert.include(refusal.message, "ben has no account any more")
    }).pipe(Effect.scoped)
  )

  it.effect("is let into a room that both are in, once they are trusted there", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* reused
      yield* ben.client.request({ _tag: "JoinRoom", room: vault })
      yield* until(
        "ada is told",
        Effect.sync(() => alarms(ada).some((one) => one.startsWith("ben has all new devices")))
      )
      yield* ada.client.send({ _tag: "RoomMessage", room: vault, content: "among us" })
      yield* ada.client.encryption.trust(ben.user)
      yield* ben.hears("they are let in", (event) => event._tag === "EncryptionStands" && event.state === "in")
      yield* ada.client.send({ _tag: "RoomMessage", room: vault, content: "with you" })
      yield* ben.hears("it", says("with you"))
      assert.isFalse(ben.events.some(says("among us")))
    }).pipe(Effect.scoped)
  )

  it.effect("writes first, and is read once they are trusted; until then they are told that they wait", () =>
    Effect.gen(function* () {
      const { ada, ben } = yield* reused
      const saying = yield* Effect.forkScoped(Effect.exit(Effect.timeout(tell(ben, ada, "hello"), "15 seconds")))
      yield* until(
        "ada is told",
        Effect.sync(() => alarms(ada).some((one) => one.startsWith("ben has all new devices")))
      )
      yield* ada.client.encryption.safetyNumber(ben.user)
      yield* ada.client.encryption.trust(ben.user)
      assert.strictEqual((yield* Fiber.join(saying))._tag, "Success")
      yield* ada.hears("it", says("hello"))
    }).pipe(Effect.scoped)
  )
})
