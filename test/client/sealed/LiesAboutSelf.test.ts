/** What screens and scripts make of a malicious server, and of a member who would change what is not theirs: the whole client over the proxy. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import { isEntry } from "../../../src/client/core/Heard.ts"
import { isNoted } from "../../../src/client/core/Noted.ts"
import * as LyingServer from "../../support/LyingServer.ts"
import * as TestServer from "../../support/TestServer.ts"
import { homeOf } from "./Devices.ts"
import { folder } from "./Folder.ts"
import { come, gather, received, says, type Sealing, vault } from "./Sealing.ts"

const world = Effect.gen(function* () {
  const { port } = yield* TestServer.start()
  const path = yield* folder
  const lying = yield* LyingServer.start(port)
  const homes = { ada: homeOf(path, "ada", "desk"), ben: homeOf(path, "ben", "desk") }
  return { lying, homes }
})

const alarms = ({ events }: Sealing) =>
  events.flatMap((event) => (event._tag === "EncryptionTold" && event.isAlarm ? [event.message] : []))

const notes = (events: ReadonlyArray<ClientEvent>) =>
  events.flatMap((event) =>
    event._tag === "Received" && isEntry(event.message) && event.message._tag === "Sealed" && isNoted(event.message)
      ? [event.message.note]
      : []
  )

layer(NodeServices.layer, { excludeTestServices: true })("Under a malicious server", (it) => {
  it.effect("a room that is said to be encrypted no more has nothing said or shown in it", () =>
    Effect.gen(function* () {
      const { homes, lying } = yield* world
      const ada = yield* come(lying.port, homes.ada)
      yield* Effect.gen(function* () {
        const ben = yield* come(lying.port, homes.ben)
        yield* gather(ada, ben)
      }).pipe(Effect.scoped)
      lying.told((line, { user }) => {
        if (user !== "ben" || line["room"] !== "vault") return undefined
        if (line._tag !== "RoomJoined") return undefined
        const { encrypted: _, keys: __, ...plain } = line
        return [plain]
      })
      const ben = yield* come(lying.port, homes.ben)
      yield* ben.hears("the alarm", (event) => event._tag === "EncryptionTold" && event.isAlarm)
      assert.deepStrictEqual(alarms(ben), [
        "The server says that vault is not encrypted, and it was. Nothing is said or shown there in the open. " +
          "If it was made anew without encryption, use a room of another name; if not, the server lies: ask who runs it."
      ])
      for (const talk of lying.talksOf("ben")) {
        const said = {
          _tag: "RoomMessage",
          room: "vault",
          seq: 900,
          at: 1,
          from: "ada",
          content: "what is the password?"
        }
        talk.tell(said)
      }
      const refused = yield* Effect.flip(ben.client.send({ _tag: "RoomMessage", room: vault, content: "a secret" }))
      assert.strictEqual(
        refused.message,
        "vault was encrypted, and the server says that it is not any more. Nothing was sent. Use a room of another name."
      )
      assert.isFalse(ben.events.some(says("what is the password?")))
      assert.isFalse(lying.overheard.some((line) => JSON.stringify(line).includes("a secret")))
    }).pipe(Effect.scoped)
  )

  it.effect("a log that ends before what was read of it has nothing said into it", () =>
    Effect.gen(function* () {
      const { homes, lying } = yield* world
      const ada = yield* come(lying.port, homes.ada)
      yield* Effect.gen(function* () {
        const ben = yield* come(lying.port, homes.ben)
        yield* gather(ada, ben)
        yield* ada.client.send({ _tag: "RoomMessage", room: vault, content: "one" })
        yield* ben.hears("it", says("one"))
      }).pipe(Effect.scoped)
      lying.told((line, { user }) =>
        user === "ben" && line._tag === "RoomJoined" && line["room"] === "vault"
          ? [{ ...line, seq: 1, missed: 0 }]
          : undefined
      )
      const ben = yield* come(lying.port, homes.ben)
      yield* ben.hears("the alarm", (event) => event._tag === "EncryptionTold" && event.isAlarm)
      const refused = yield* Effect.flip(ben.client.send({ _tag: "RoomMessage", room: vault, content: "a secret" }))
      assert.match(refused.message, /^The server has less of vault than this device has read: /)
      assert.isTrue(alarms(ben).some((line) => line.includes("The server has less of vault than this device has read")))
    }).pipe(Effect.scoped)
  )

  it.effect(
    "what goes to whom one has never met is said in the open, if the server says that they have no device",
    () =>
      Effect.gen(function* () {
        const { homes, lying } = yield* world
        const ada = yield* come(lying.port, homes.ada)
        const ben = yield* come(lying.port, homes.ben)
        yield* ben.client.encryption.ready
        const honestly = lying.told((line, { user }) =>
          user === "ada" && line._tag === "DeviceList" && line["user"] === "ben"
            ? [{ ...line, entries: [], more: false }]
            : undefined
        )
        assert.deepStrictEqual(yield* ada.client.encryption.placeFor(ben.user), { with: ben.user })
        yield* ada.client.send({ _tag: "PrivateMessage", to: ben.user, content: "in the open" })
        yield* ben.hears(
          "it",
          received((message) => message._tag === "PrivateMessage")
        )
        honestly()
        // Once it has been encrypted, nobody can say that it is not.
        yield* ben.client.send({ _tag: "PrivateMessage", to: ada.user, content: "sealed" })
        yield* ada.hears("it", says("sealed"))
        lying.told((line, { user }) =>
          user === "ada" && line._tag === "DeviceList" && line["user"] === "ben"
            ? [{ ...line, entries: [], more: false }]
            : undefined
        )
        for (const talk of lying.talksOf("ada")) talk.tell({ _tag: "DevicesChanged", user: "ben", n: 1 })
        const place = yield* ada.client.encryption.placeFor(ben.user)
        assert.deepStrictEqual(place.with, undefined)
        assert.isString(place.room)
      }).pipe(Effect.scoped)
  )

  it.effect("an edit of what somebody else said is a line that says so, and changes nothing", () =>
    Effect.gen(function* () {
      const { homes, lying } = yield* world
      const ada = yield* come(lying.port, homes.ada)
      const ben = yield* come(lying.port, homes.ben)
      yield* gather(ada, ben)
      const { seq } = yield* ada.client.send({ _tag: "RoomMessage", room: vault, content: "I owe you nothing" })
      yield* ben.hears("it", says("I owe you nothing"))
      yield* ben.client.send({ _tag: "EditMessage", room: vault, target: seq, content: "I owe you all" })
      yield* ada.hears("the attempt", (event) => notes([event]).some((note) => note.startsWith("tried to change")))
      assert.isTrue(notes(ada.events).includes(`tried to change what ada said (#${seq}): it is as it was`))
      const { messages } = yield* ada.client.quietly({ _tag: "GetHistory", room: vault, only: "messages" })
      assert.deepStrictEqual(
        messages.map((message) => "content" in message && message.content),
        ["I owe you nothing"]
      )
    }).pipe(Effect.scoped)
  )
})
