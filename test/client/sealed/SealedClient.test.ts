/** What screens and scripts have of encrypted rooms, with the real client, state and server. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Deferred, Effect, Redacted, Stream } from "effect"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import { conversationRoom } from "../../../src/common/name/RoomName.ts"
import { MessageKey } from "../../../src/common/wire/RequestId.ts"
import * as LyingServer from "../../support/LyingServer.ts"
import * as TestServer from "../../support/TestServer.ts"
import { homeOf, until } from "./Devices.ts"
import { folder } from "./Folder.ts"
import { come, gather, received, says, vault } from "./Sealing.ts"

const begin = Effect.gen(function* () {
  const { port } = yield* TestServer.start()
  const path = yield* folder
  const adaAtHome = homeOf(path, "ada", "desk")
  const benAtHome = homeOf(path, "ben", "desk")
  return { port, path, adaAtHome, benAtHome }
})

describe("A client that seals", () => {
  layer(NodeServices.layer, { excludeTestServices: true })((it) => {
    it.effect("says, edits and reacts as in the open, and its pages show how messages stand", () =>
      Effect.gen(function* () {
        const { adaAtHome, benAtHome, port } = yield* begin
        const ada = yield* come(port, adaAtHome)
        const ben = yield* come(port, benAtHome)
        yield* gather(ada, ben)
        const first = yield* ada.client.send({ _tag: "RoomMessage", room: vault, content: "one" })
        const second = yield* ada.client.send({ _tag: "RoomMessage", room: vault, content: "two" })
        yield* ada.client.send({ _tag: "EditMessage", room: vault, target: first.seq, content: "one, edited" })
        yield* ben.hears("both", says("two"))
        yield* ben.client.send({ _tag: "React", room: vault, target: second.seq, reaction: "👍" })
        yield* ben.client.send({ _tag: "RoomMessage", room: vault, content: "three", replyTo: second.seq })
        yield* ada.hears("the answer", says("three"))
        for (const { client } of [ada, ben]) {
          const { messages, more } = yield* client.quietly({ _tag: "GetHistory", room: vault, only: "messages" })
          assert.isFalse(more)
          assert.deepStrictEqual(
            messages.map((message) => ("content" in message ? message.content : message._tag)),
            ["one, edited", "two", "three"]
          )
          const [one, two] = messages
          assert.isTrue(one?._tag === "RoomMessage" && one.edited !== undefined)
          assert.deepStrictEqual(two?._tag === "RoomMessage" ? two.reactions : [], [
            { reaction: "👍", users: [ben.user], count: 1 }
          ])
          const found = yield* client.quietly({ _tag: "Search", query: "EDITED", room: vault })
          assert.deepStrictEqual(
            found.messages.map(({ seq }) => seq),
            [first.seq]
          )
          const everywhere = yield* client.quietly({ _tag: "Search", query: "edited" })
          assert.deepStrictEqual(
            everywhere.messages.map(({ seq }) => seq),
            [first.seq]
          )
        }
        const page = yield* ben.client.quietly({ _tag: "GetHistory", room: vault, only: "messages", limit: 2 })
        assert.isTrue(page.more)
        assert.strictEqual(page.messages[0]?.seq, second.seq)
      }).pipe(Effect.scoped)
    )

    it.effect("tells each message once, in the order of the log, and nothing of what the server sent sealed", () =>
      Effect.gen(function* () {
        const { adaAtHome, benAtHome, port } = yield* begin
        const ada = yield* come(port, adaAtHome)
        const ben = yield* come(port, benAtHome)
        yield* gather(ada, ben)
        for (let n = 0; n < 20; n++) {
          yield* (n % 2 === 0 ? ada : ben).client.send({ _tag: "RoomMessage", room: vault, content: `${n}` })
        }
        for (const { events, hears } of [ada, ben]) {
          yield* hears("the last", says("19"))
          const told = events.flatMap((event) =>
            event._tag === "Received" && event.message._tag === "RoomMessage" ? [event.message.content] : []
          )
          assert.deepStrictEqual(
            told,
            Array.from({ length: 20 }, (_, n) => `${n}`)
          )
          assert.isFalse(
            events.some(received((message) => message._tag === "Sealed" && message.data !== "")),
            "nothing sealed goes up"
          )
        }
      }).pipe(Effect.scoped)
    )

    it.effect("makes what two say to each other encrypted from the first message on, and the other reads it", () =>
      Effect.gen(function* () {
        const { adaAtHome, benAtHome, port } = yield* begin
        const ada = yield* come(port, adaAtHome)
        const ben = yield* come(port, benAtHome)
        yield* ben.client.encryption.ready
        const room = conversationRoom(ada.user, ben.user)
        yield* ada.client.send({ _tag: "PrivateMessage", to: ben.user, content: "for you alone" })
        yield* ben.hears("the message", says("for you alone"))
        assert.deepStrictEqual(yield* ben.client.encryption.placeFor(ada.user), { room })
        yield* ben.client.send({ _tag: "PrivateMessage", to: ada.user, content: "and for you" })
        yield* ada.hears("the answer", says("and for you"))
        const plain = yield* ada.raw.quietly({ _tag: "GetHistory", with: ben.user })
        assert.deepStrictEqual(plain.messages, [])
      }).pipe(Effect.scoped)
    )

    it.effect(
      "seals what is said to somebody as soon as they have a device; what cannot be looked up is not said",
      () =>
        Effect.gen(function* () {
          const { adaAtHome, benAtHome, port } = yield* begin
          const lying = yield* LyingServer.start(port)
          const unsealed = lying.asked(({ _tag }, { user }) =>
            user === "ben" && _tag === "PublishDevice" ? [] : undefined
          )
          yield* Effect.scoped(come(lying.port, benAtHome))
          unsealed()
          const ada = yield* come(lying.port, adaAtHome)
          yield* ada.client.encryption.ready
          const tell = (content: string) => ada.client.send({ _tag: "PrivateMessage", to: benAtHome.user, content })
          yield* tell("in the open, as it has to be")
          const refusing = lying.asked((line, talk) => {
            if (line._tag !== "GetDevices") return undefined
            talk.tell({
              _tag: "Rejected",
              id: line["id"],
              reason: { _tag: "StorageUnavailable" },
              message: "Try again."
            })
            return []
          })
          yield* Effect.flip(tell("a secret"))
          refusing()
          const ben = yield* come(lying.port, benAtHome)
          yield* ben.client.encryption.ready
          yield* tell("for you alone")
          yield* ben.hears("it", says("for you alone"))
          const open = lying.overheard.filter(({ _tag }) => _tag === "PrivateMessage").map(({ content }) => content)
          assert.deepStrictEqual(new Set(open), new Set(["in the open, as it has to be"]))
        }).pipe(Effect.scoped)
    )

    it.effect("tells what was not sent of what was said before a restart", () =>
      Effect.gen(function* () {
        const { adaAtHome, benAtHome, port } = yield* begin
        const lying = yield* LyingServer.start(port)
        const ada = yield* come(lying.port, adaAtHome)
        const unanswered = lying.asked(({ _tag }) => (_tag === "SealedMessage" ? [] : undefined))
        const key = MessageKey.make("a key of tests, once alone")
        yield* Effect.gen(function* () {
          const ben = yield* come(lying.port, benAtHome)
          yield* gather(ada, ben)
          assert.isFalse(yield* ben.client.encryption.isKept(key))
          yield* Effect.forkScoped(
            Effect.ignore(ben.client.send({ _tag: "RoomMessage", room: vault, content: "a message of before", key }))
          )
          yield* until("it is kept, and is not to be said again", ben.client.encryption.isKept(key))
        }).pipe(Effect.scoped)
        yield* ada.client.request({ _tag: "Mute", room: vault, user: benAtHome.user })
        unanswered()
        const ben = yield* come(lying.port, benAtHome)
        const isTold = (event: ClientEvent) =>
          event._tag === "EncryptionTold" &&
          event.message.startsWith("Not sent in vault, and said before: a message of before.")
        yield* ben.hears("that it was not sent", isTold)
        assert.isFalse(yield* ben.client.encryption.isKept(key))
      }).pipe(Effect.scoped)
    )

    it.effect("says nothing in the open to whom has a list of devices that is none", () =>
      Effect.gen(function* () {
        const { adaAtHome, benAtHome, port } = yield* begin
        const lying = yield* LyingServer.start(port)
        const [ada, ben] = [yield* come(lying.port, adaAtHome), yield* come(lying.port, benAtHome)]
        for (const { client } of [ada, ben]) yield* client.encryption.ready
        lying.told((line, { user }) => {
          if (user !== "ada" || line._tag !== "DeviceList" || line["user"] !== "ben") return undefined
          const entries: ReadonlyArray<object> = Array.isArray(line["entries"]) ? line["entries"] : []
          return [{ ...line, entries: entries.map((entry) => Object.assign(entry, { prev: "AAAA" })) }]
        })
        yield* Effect.forkScoped(
          Effect.ignore(ada.client.send({ _tag: "PrivateMessage", to: ben.user, content: "a secret" }))
        )
        yield* until(
          "it goes to their encrypted conversation",
          Effect.sync(() => lying.overheard.some(({ _tag }) => _tag === "OpenConversation"))
        )
        assert.notInclude(JSON.stringify(lying.overheard), "a secret")
      }).pipe(Effect.scoped)
    )

    it.effect("takes part as soon as a guest has become an account", () =>
      Effect.gen(function* () {
        const { adaAtHome, benAtHome, port } = yield* begin
        const ada = yield* come(port, { ...adaAtHome, login: undefined })
        yield* Effect.flip(ada.client.encryption.ready)
        yield* ada.client.request({ _tag: "Register", password: Redacted.make("seven green bicycles") })
        yield* ada.client.encryption.ready
        const ben = yield* come(port, benAtHome)
        yield* gather(ada, ben)
        yield* ada.client.send({ _tag: "RoomMessage", room: vault, content: "from an account" })
        yield* ben.hears("it", says("from an account"))
      }).pipe(Effect.scoped)
    )

    it.effect("lets a script that joins quietly, when it needs its keys, say and read", () =>
      Effect.gen(function* () {
        const { adaAtHome, benAtHome, port } = yield* begin
        const ada = yield* come(port, adaAtHome)
        yield* Effect.gen(function* () {
          yield* gather(ada, yield* come(port, benAtHome))
        }).pipe(Effect.scoped)
        const script = yield* come(port, benAtHome, "script")
        yield* script.client.quietly({ _tag: "JoinRoom", room: vault })
        yield* script.client.send({ _tag: "RoomMessage", room: vault, content: "the build is done" })
        yield* ada.hears("it", says("the build is done"))
        const { messages } = yield* script.client.quietly({ _tag: "GetHistory", room: vault, only: "messages" })
        assert.strictEqual(messages.length, 1)
      }).pipe(Effect.scoped)
    )

    it.effect("goes on after a restart with what was said meanwhile in its pages, told once", () =>
      Effect.gen(function* () {
        const { adaAtHome, benAtHome, port } = yield* begin
        const ada = yield* come(port, adaAtHome)
        yield* Effect.gen(function* () {
          const ben = yield* come(port, benAtHome)
          yield* gather(ada, ben)
          yield* ada.client.send({ _tag: "RoomMessage", room: vault, content: "before" })
          yield* ben.hears("it", says("before"))
        }).pipe(Effect.scoped)
        yield* ada.client.send({ _tag: "RoomMessage", room: vault, content: "meanwhile" })
        const ben = yield* come(port, benAtHome)
        yield* ben.hears("the room", (event) => event._tag === "EncryptionStands" && event.state === "in")
        const { messages } = yield* ben.client.quietly({ _tag: "GetHistory", room: vault, only: "messages" })
        assert.deepStrictEqual(
          messages.map((message) => "content" in message && message.content),
          ["before", "meanwhile"]
        )
        assert.isFalse(ben.events.some(says("meanwhile")), "what stood there before one came is no news")
        yield* ada.client.send({ _tag: "RoomMessage", room: vault, content: "after" })
        yield* ben.hears("what is new", says("after"))
        assert.isFalse(ben.events.some(says("before")))
      }).pipe(Effect.scoped)
    )

    it.effect("tells what a page did not have that was asked for before one had come to the room", () =>
      Effect.gen(function* () {
        const { adaAtHome, benAtHome, port } = yield* begin
        const ada = yield* come(port, adaAtHome)
        yield* Effect.gen(function* () {
          const ben = yield* come(port, benAtHome)
          yield* gather(ada, ben)
          yield* ada.client.send({ _tag: "RoomMessage", room: vault, content: "before" })
          yield* ben.hears("it", says("before"))
        }).pipe(Effect.scoped)
        yield* ada.client.send({ _tag: "RoomMessage", room: vault, content: "meanwhile" })
        const mayCome = yield* Deferred.make<void>()
        const mayRead = yield* Deferred.make<void>()
        const isArrival = (event: ClientEvent) =>
          event._tag === "Rejoined" || received(({ _tag }) => _tag === "RoomJoined")(event)
        const untilItMayCome = (event: ClientEvent) => (isArrival(event) ? Deferred.await(mayCome) : Effect.void)
        const ben = yield* come(port, benAtHome, "person", (raw) => ({
          ...raw,
          events: Stream.tap(raw.events, untilItMayCome),
          quietly: (request) =>
            Effect.andThen(request._tag === "GetHistory" ? Deferred.await(mayRead) : Effect.void, raw.quietly(request))
        }))
        yield* ben.hears("who one is", (event) => event._tag === "Connected")
        yield* ben.client.encryption.ready
        const { messages } = yield* ben.client.quietly({ _tag: "GetHistory", room: vault, only: "messages" })
        assert.deepStrictEqual(
          messages.map((message) => "content" in message && message.content),
          ["before"]
        )
        yield* Deferred.succeed(mayCome, undefined)
        yield* ben.hears("that one has come", isArrival)
        yield* Deferred.succeed(mayRead, undefined)
        yield* ben.hears("the rest", says("meanwhile"))
        assert.isFalse(ben.events.some(says("before")))
      }).pipe(Effect.scoped)
    )

    it.effect("leaves a room in the open what it is, if an encrypted one of that name cannot be made", () =>
      Effect.gen(function* () {
        const { adaAtHome, benAtHome, port } = yield* begin
        const ada = yield* come(port, adaAtHome)
        const ben = yield* come(port, benAtHome)
        yield* ben.client.request({ _tag: "CreateRoom", room: vault })
        const refused = yield* Effect.flip(ada.client.request({ _tag: "CreateRoom", room: vault, encrypted: true }))
        assert.isTrue(refused._tag === "RequestRejected" && refused.reason._tag === "RoomExists")
        yield* ada.client.request({ _tag: "JoinRoom", room: vault })
        yield* ada.client.send({ _tag: "RoomMessage", room: vault, content: "in the open" })
        yield* ada.hears("it", says("in the open"))
      }).pipe(Effect.scoped)
    )

    it.effect("says nothing more in the open to whom it is encrypted: no edit, and no answer to another log", () =>
      Effect.gen(function* () {
        const { adaAtHome, benAtHome, port } = yield* begin
        const ada = yield* come(port, adaAtHome)
        const guest = yield* Effect.scoped(
          Effect.gen(function* () {
            const ben = yield* come(port, benAtHome, "script")
            const { seq } = yield* ada.raw.send({ _tag: "PrivateMessage", to: ben.user, content: "before" })
            return { seq, user: ben.user }
          })
        )
        const ben = yield* come(port, benAtHome)
        yield* ben.client.encryption.ready
        const { seq } = yield* ada.client.send({
          _tag: "PrivateMessage",
          to: guest.user,
          content: "sealed",
          replyTo: guest.seq
        })
        yield* ben.hears(
          "it, as no answer",
          received(
            (message) => message._tag === "RoomMessage" && message.content === "sealed" && message.replyTo === undefined
          )
        )
        assert.isAbove(seq, 0)
        const refused = yield* Effect.flip(
          ada.client.send({ _tag: "EditMessage", with: guest.user, target: guest.seq, content: "a secret" })
        )
        assert.match(refused.message, /a change of it would go in the open. Nothing was sent.$/)
      }).pipe(Effect.scoped)
    )

    it.effect("lets two who begin a conversation at the same time read each other, and alarms nobody", () =>
      Effect.gen(function* () {
        const { path, port } = yield* begin
        for (let n = 0; n < 6; n++) {
          const one = yield* come(port, homeOf(path, `one${n}`, "desk"))
          const other = yield* come(port, homeOf(path, `other${n}`, "desk"))
          yield* Effect.all([one.client.encryption.ready, other.client.encryption.ready])
          yield* Effect.all(
            [
              one.client.send({ _tag: "PrivateMessage", to: other.user, content: "from one" }),
              other.client.send({ _tag: "PrivateMessage", to: one.user, content: "from the other" })
            ],
            { concurrency: 2 }
          )
          yield* one.hears("it", says("from the other"))
          yield* other.hears("it", says("from one"))
          for (const { events } of [one, other]) {
            assert.deepStrictEqual(
              events.filter((event) => event._tag === "EncryptionTold" && event.isAlarm),
              []
            )
          }
        }
      }).pipe(Effect.scoped)
    )

    it.effect("says what is typed right behind the making of a room", () =>
      Effect.gen(function* () {
        const { adaAtHome, port } = yield* begin
        const ada = yield* come(port, adaAtHome)
        yield* ada.client.request({ _tag: "CreateRoom", room: vault, encrypted: true })
        yield* ada.client.request({ _tag: "JoinRoom", room: vault })
        yield* ada.client.send({ _tag: "RoomMessage", room: vault, content: "at once" })
        yield* ada.hears("it", says("at once"))
      }).pipe(Effect.scoped)
    )

    it.effect(
      "gives pages at once where nothing was missed",
      () =>
        Effect.gen(function* () {
          const { adaAtHome, port } = yield* begin
          yield* Effect.gen(function* () {
            const ada = yield* come(port, adaAtHome)
            yield* gather(ada)
            yield* ada.client.send({ _tag: "RoomMessage", room: vault, content: "before" })
          }).pipe(Effect.scoped)
          const ada = yield* come(port, adaAtHome)
          yield* ada.hears("the room", (event) => event._tag === "EncryptionStands" && event.state === "in")
          // As many as would take longer than the test may, if each waited for what has come already.
          for (let n = 0; n < 20; n++) {
            const { messages } = yield* ada.client.quietly({ _tag: "GetHistory", room: vault, only: "messages" })
            assert.strictEqual(messages.length, 1)
          }
        }).pipe(Effect.scoped),
      15_000
    )

    it.effect("says nothing in the open in a room that was encrypted once, though another program has the keys", () =>
      Effect.gen(function* () {
        const { adaAtHome, benAtHome, port } = yield* begin
        const ada = yield* come(port, adaAtHome)
        const ben = yield* come(port, benAtHome)
        yield* gather(ada, ben)
        const script = yield* come(port, adaAtHome, "script")
        const refused = yield* Effect.flip(
          script.client.send({ _tag: "RoomMessage", room: vault, content: "from a script" })
        )
        assert.match(refused.message, /^Another parley uses the keys in /)
        const toBen = yield* Effect.flip(
          script.client.send({ _tag: "PrivateMessage", to: ben.user, content: "from a script" })
        )
        assert.match(toBen.message, /^Another parley uses the keys in /)
      }).pipe(Effect.scoped)
    )
  })
})
