/** What a malicious server can do to lists of devices, and what people see of it: see src/client/crypto/SECURITY.md. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Exit, Fiber, Schema } from "effect"
import type { Device as Keys } from "../../../src/client/crypto/Device.ts"
import { makeDevice } from "../../../src/client/crypto/Device.ts"
import { join } from "../../../src/client/crypto/Join.ts"
import { makeKeyPackage } from "../../../src/client/crypto/KeyPackage.ts"
import { open } from "../../../src/client/crypto/Message.ts"
import * as DeviceChain from "../../../src/client/sealed/DeviceChain.ts"
import { conversationRoom } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import { DeviceEntry } from "../../../src/common/wire/SealingRequest.ts"
import type { Line } from "../../support/LyingServer.ts"
import { type Device, homeOf, isIn, say, signInBy, switchOn, until, vault } from "./Devices.ts"
import { converse, type Lying, told, two, untilLine, untilNews, world } from "./Lies.ts"

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64")
const bytesOf = (text: unknown) => new Uint8Array(Buffer.from(String(text), "base64"))
const deviceOf = (lying: Lying, user: string) => DeviceId.make(lying.talksOf(user)[0]?.device ?? "")
const entriesIn = Schema.decodeUnknownSync(Schema.Array(DeviceEntry))

/** The list of somebody as the server has it. */
const listOf = ({ overheard }: Lying, user: string) =>
  entriesIn(overheard.findLast((line) => line._tag === "DeviceList" && line["user"] === user)?.["entries"])

/** From now on the server gives somebody this for the list of somebody else, whatever was asked for. */
const giveList = (lying: Lying, to: string, user: string, entries: () => ReadonlyArray<DeviceEntry>) =>
  lying.told((line, talk) =>
    talk.user === to && line._tag === "DeviceList" && line["user"] === user
      ? [{ ...line, entries: entries(), more: false }]
      : undefined
  )

const saysChanged = (lying: Lying, to: string, user: string, n = 9) =>
  lying.talksOf(to)[0]?.tell({ _tag: "DevicesChanged", user, n })

/** A device of the server's own in somebody's name, and the list that it begins. */
const pretender = Effect.fnUntraced(function* (user: string, device: DeviceId) {
  const keys = yield* makeDevice({ user: UserName.make(user), device })
  return { keys, list: [yield* DeviceChain.beginning(keys, 1)] }
})

/** Ben's list with one more device, signed with these keys. */
const extended = Effect.fnUntraced(function* (first: DeviceEntry, keys: Keys) {
  const added = { op: "add", device: DeviceId.make("9"), publicKey: base64(keys.publicKey) } as const
  return [
    first,
    yield* DeviceChain.sign(keys, { n: 2, prev: yield* DeviceChain.hashOf(UserName.make("ben"), first), ...added })
  ]
})

/** Ada opens a conversation with ben, who is let in. */
const conversation = Effect.fnUntraced(function* (ada: Device, ben: Device) {
  for (const one of [ada, ben]) yield* one.rooms.ready
  const room = conversationRoom(ada.home.user, ben.home.user)
  yield* ada.client.request({ _tag: "OpenConversation", with: ben.home.user })
  return room
})

layer(NodeServices.layer, { excludeTestServices: true })("A list of devices of a malicious server", (it) => {
  /** What the server makes of ben's list, whom ada knows; and what she is told of it. */
  const lies: ReadonlyArray<{
    readonly title: string
    readonly make: (
      first: DeviceEntry,
      keys: Keys,
      adas: ReadonlyArray<DeviceEntry>
    ) => Effect.Effect<ReadonlyArray<DeviceEntry>>
    readonly issue: RegExp
  }> = [
    {
      title: "with a device that none of the account's has signed is refused",
      make: (first, keys) => extended(first, { ...keys, identity: { ...keys.identity, device: first.by } }),
      issue: /^entry 2 is not signed by the device \w+$/
    },
    {
      title: "with a device that has signed itself is refused",
      make: (first, keys) => extended(first, keys),
      issue: /^entry 2 is by a device that is not in the list$/
    },
    {
      title: "that begins with what another list goes on with is refused",
      make: (first, keys) => Effect.map(extended(first, keys), (all) => all.slice(1)),
      issue: /^entry 2 does not begin a list$/
    },
    {
      title: "that is another account's is refused",
      make: (_first, _keys, adas) => Effect.succeed(adas),
      issue: /^entry 1 is not signed by the device \w+$/
    },
    {
      title: "that is shorter than it was is refused",
      make: () => Effect.succeed([]),
      issue: /^entry 1 of the list is gone$/
    }
  ]
  for (const { issue, make, title } of lies) {
    it.effect(title, () =>
      Effect.gen(function* () {
        const { ada, ben, lying } = yield* two
        const [first] = listOf(lying, "ben")
        assert(first !== undefined)
        const { keys } = yield* pretender("ben", DeviceId.make("9"))
        const list = yield* make(first, keys, listOf(lying, "ada"))
        giveList(lying, "ada", "ben", () => list)
        saysChanged(lying, "ada", "ben", 2)
        assert.match((yield* untilNews(ada, "ChainRefused")).issue, issue)
        assert.deepStrictEqual(told(ada, "DeviceAdded", "DeviceRemoved", "ChainReplaced"), [])
        yield* converse(ada, "to ben alone", ben)
        assert.isTrue(yield* isIn(ada, vault, 2))
      }).pipe(Effect.scoped)
    )
  }

  it.effect("of another account is refused by who has never seen one", () =>
    Effect.gen(function* () {
      const { lying, on } = yield* world
      const ada = yield* on("ada")
      const ben = yield* on("ben")
      for (const one of [ada, ben]) yield* one.rooms.ready
      giveList(lying, "ada", "ben", () => listOf(lying, "ada"))
      yield* ada.client.request({ _tag: "OpenConversation", with: ben.home.user })
      assert.strictEqual(
        (yield* untilNews(ada, "ChainRefused")).issue,
        `entry 1 is not signed by the device ${deviceOf(lying, "ada")}`
      )
      assert.isUndefined(yield* ada.rooms.safetyNumber(ben.home.user))
    }).pipe(Effect.scoped)
  )

  it.effect("that hides a removal is noticed with what its owner says next", () =>
    Effect.gen(function* () {
      const { ada, ben, lying, on } = yield* two
      const phone = yield* on("ben", "phone")
      yield* signInBy(ben, phone)
      yield* until("the phone is let in", isIn(ada, vault, 3))
      const stolen = DeviceId.make(String(lying.talksOf("ben")[1]?.device))
      const whole = listOf(lying, "ben")
      lying.told((line, { user }) => (user === "ada" && line._tag === "DevicesChanged" ? [] : undefined))
      giveList(lying, "ada", "ben", () => whole.slice(-1))
      yield* ben.rooms.signOut(stolen)
      yield* say(ben, "my phone was stolen")
      assert.deepInclude(yield* untilNews(ada, "Withheld"), { user: ben.home.user, what: "devices" })
    }).pipe(Effect.scoped)
  )

  it.effect("that begins anew is told loudly, and nothing is said to it before its owner is trusted", () =>
    Effect.gen(function* () {
      const { lying, on } = yield* world
      const ada = yield* on("ada")
      const ben = yield* on("ben")
      const room = yield* conversation(ada, ben)
      yield* until("ben is let in", isIn(ben, room, 2))
      const number = yield* ada.rooms.safetyNumber(ben.home.user)
      yield* ada.rooms.verified(ben.home.user)
      const mallory = yield* makeDevice({ user: ben.home.user, device: DeviceId.make("9") })
      const list = [yield* DeviceChain.beginning(mallory, 2)]
      giveList(lying, "ada", "ben", () => list)
      saysChanged(lying, "ada", "ben", 2)
      assert.deepInclude(yield* untilNews(ada, "ChainReplaced"), { user: ben.home.user, wasVerified: true })
      const refusal = yield* Effect.flip(say(ada, "a secret", room))
      assert.strictEqual(
        refusal.message,
        "The safety number of ben, which you compared, is not the same any more. " +
          "ben has all new devices, and you have not said that they are theirs. Nothing was sent. " +
          "Ask ben in another way, compare :verify ben, then :trust ben."
      )
      assert.isFalse(lying.overheard.some(({ _tag }) => _tag === "SealedMessage"))
      assert.notStrictEqual(yield* ada.rooms.safetyNumber(ben.home.user), number)
    }).pipe(Effect.scoped)
  )

  it.effect("that is another one with as many entries is told loudly, and nobody of it is let in or sent to", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      const number = yield* ada.rooms.safetyNumber(ben.home.user)
      const { keys } = yield* pretender("ben", DeviceId.make("9"))
      const list = [yield* DeviceChain.beginning(keys, 1)]
      giveList(lying, "ada", "ben", () => list)
      saysChanged(lying, "ada", "ben", 1)
      yield* untilNews(ada, "ChainReplaced")
      assert.notStrictEqual(yield* ada.rooms.safetyNumber(ben.home.user), number)
      assert.deepInclude(ada.rooms.pinned(ben.home.user), { isHeld: true })
      const claimed = lying.overheard.filter(({ _tag }) => _tag === "ClaimKeyPackages").length
      yield* say(ada, "to who was in before")
      yield* untilLine(ben, "ada: to who was in before")
      const members = (yield* ada.rooms.view(vault))?.members ?? []
      assert.deepStrictEqual(
        members.map(({ device, user }) => [user, device]),
        [ada, ben].map(({ home: { user } }) => [user, deviceOf(lying, user)])
      )
      assert.strictEqual(lying.overheard.filter(({ _tag }) => _tag === "ClaimKeyPackages").length, claimed)
    }).pipe(Effect.scoped)
  )

  it.effect("that is given in turns with others is told some times, and what was known of each stays so", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      const [first] = listOf(lying, "ben")
      const { keys } = yield* pretender("ben", DeviceId.make("9"))
      assert(first !== undefined)
      const other = yield* DeviceChain.beginning(keys, 1)
      const another = yield* makeDevice({ user: ben.home.user, device: DeviceId.make("10") })
      const whole = [
        other,
        yield* DeviceChain.sign(keys, {
          n: 2,
          prev: yield* DeviceChain.hashOf(ben.home.user, other),
          op: "add",
          device: DeviceId.make("10"),
          publicKey: base64(another.publicKey)
        })
      ]
      const lists = [whole, [first], [other]]
      let list: ReadonlyArray<DeviceEntry> = []
      let given = 0
      lying.told((line, talk) => {
        if (talk.user !== "ada" || line._tag !== "DeviceList" || line["user"] !== "ben") return undefined
        given += 1
        return [{ ...line, entries: list, more: false }]
      })
      for (let time = 0; time < 30; time++) {
        list = lists[time % lists.length] ?? []
        const before = given
        saysChanged(lying, "ada", "ben", time)
        yield* until(
          "it is asked for",
          Effect.sync(() => given > before)
        )
        yield* ada.rooms.safetyNumber(ben.home.user)
      }
      assert.isAtMost(told(ada, "ChainReplaced", "ChainRefused", "DeviceAdded", "DeviceRemoved").length, 6)
      const pin = (yield* ada.store.pins).find(({ user }) => user === ben.home.user)
      assert.isDefined(pin?.held)
      // The shorter one of two with one root is never taken for it.
      assert.notStrictEqual(pin?.held?.hash, yield* DeviceChain.hashOf(ben.home.user, other))
      assert.deepInclude(ada.rooms.pinned(ben.home.user), { isHeld: true })
    }).pipe(Effect.scoped)
  )

  /** Ada talks with ben, whose list of devices the server then says has begun anew: `anew` gives her another such list each time. */
  const begunAnew = Effect.gen(function* () {
    const { lying, on } = yield* world
    const ada = yield* on("ada")
    const ben = yield* on("ben")
    const room = yield* conversation(ada, ben)
    yield* until("ben is let in", isIn(ben, room, 2))
    const user = ben.home.user
    let n = 1
    let list: ReadonlyArray<DeviceEntry> = []
    const anew = Effect.gen(function* () {
      n += 1
      const keys = yield* makeDevice({ user, device: DeviceId.make(`new${n}`) })
      list = [yield* DeviceChain.beginning(keys, n)]
      if (n === 2) giveList(lying, "ada", "ben", () => list)
      saysChanged(lying, "ada", "ben", n)
      const before = told(ada, "ChainReplaced").length
      yield* until(
        "ada is told of it",
        Effect.sync(() => told(ada, "ChainReplaced").length > before)
      )
    })
    return { ada, user, room, anew }
  })

  it.effect("that comes between :verify and :trust is not trusted", () =>
    Effect.gen(function* () {
      const { ada, anew, room, user } = yield* begunAnew
      yield* anew
      yield* ada.rooms.safetyNumber(user)
      yield* anew
      const refusal = yield* Effect.flip(ada.rooms.trust(user))
      assert.strictEqual(
        refusal.message,
        "ben has another list of devices by now than the one that you were shown. Nothing was trusted. " +
          "Compare :verify ben again, then :trust ben."
      )
      assert.deepInclude(ada.rooms.pinned(user), { isHeld: true })
      assert.strictEqual((yield* Effect.flip(say(ada, "a secret", room)))._tag, "NotTrusted")
      // Shown again, it is the one that is meant.
      yield* ada.rooms.safetyNumber(user)
      yield* ada.rooms.trust(user)
      assert.deepInclude(ada.rooms.pinned(user), { isHeld: false })
    }).pipe(Effect.scoped)
  )

  it.effect("that comes behind the one that one was told of is not trusted before it is looked at", () =>
    Effect.gen(function* () {
      const { ada, anew, user } = yield* begunAnew
      yield* anew
      yield* anew
      assert.strictEqual((yield* Effect.flip(ada.rooms.trust(user)))._tag, "OtherList")
      assert.deepInclude(ada.rooms.pinned(user), { isHeld: true })
    }).pipe(Effect.scoped)
  )

  it.effect("that comes between :verify and what one says of it is not taken for the one that was compared", () =>
    Effect.gen(function* () {
      const { ada, anew, user } = yield* begunAnew
      assert.strictEqual(
        (yield* Effect.flip(ada.rooms.verified(user))).message,
        "You have not been shown the number of you and ben here. Type :verify ben, and compare it first."
      )
      yield* ada.rooms.safetyNumber(user)
      yield* anew
      assert.strictEqual(
        (yield* Effect.flip(ada.rooms.verified(user))).message,
        "The number of you and ben is another one by now than the one that you were shown. Compare :verify ben again."
      )
      assert.isFalse(ada.rooms.isVerified(user))
    }).pipe(Effect.scoped)
  )

  it.effect(
    "of its own is believed where it is the first that one sees, and the server reads along; the numbers differ",
    () =>
      Effect.gen(function* () {
        const { lying, on } = yield* world
        const ada = yield* on("ada")
        const ben = yield* on("ben")
        for (const one of [ada, ben]) yield* one.rooms.ready
        const { keys, list } = yield* pretender("ben", deviceOf(lying, "ben"))
        const keyPackage = yield* makeKeyPackage(keys, "once")
        giveList(lying, "ada", "ben", () => list)
        // He might be the one who makes the keys.
        lying.told((line, { user }) => (user === "ben" && line._tag === "ConversationOpened" ? [] : undefined))
        lying.told((line, { user }) =>
          user === "ada" && line._tag === "KeyPackages"
            ? [{ ...line, packages: [{ ...keys.identity, data: base64(keyPackage.publicBytes) }] }]
            : undefined
        )
        const room = yield* conversation(ada, ben)
        yield* until("the server is let in", isIn(ada, room, 2))
        yield* say(ada, "for ben alone", room)
        yield* until(
          "it is on its way",
          Effect.sync(() => lying.overheard.some(({ _tag }) => _tag === "SealedMessage"))
        )
        const text = yield* readAs(keys, keyPackage.privateBytes, room, lying)
        assert.include(text, "for ben alone")
        assert.deepInclude(told(ada, "FirstSeen"), { _tag: "FirstSeen", user: ben.home.user })
        const [adas, bens] = [
          yield* ada.rooms.safetyNumber(ben.home.user),
          yield* ben.rooms.safetyNumber(ada.home.user)
        ]
        assert(adas !== undefined && bens !== undefined)
        assert.notStrictEqual(adas, bens)
      }).pipe(Effect.scoped)
  )

  it.effect(
    "of its own, with one's new device in it, is not taken for one's own: the code is for the list it was shown in",
    () =>
      Effect.gen(function* () {
        const { lying, on } = yield* world
        const ada = yield* on("ada")
        yield* ada.rooms.ready
        const mallory = yield* pretender("ada", DeviceId.make("9"))
        let list: ReadonlyArray<DeviceEntry> = mallory.list
        lying.told((line, { device }) =>
          device !== deviceOf(lying, "ada") && line._tag === "DeviceList" && line["user"] === "ada"
            ? [{ ...line, entries: list.slice(Number(line["after"] ?? 0)), more: false }]
            : undefined
        )
        const phone = yield* on("ada", "phone")
        const { device } = yield* Effect.flip(phone.rooms.ready)
        const code = yield* ada.rooms.signIn(DeviceId.make(device))
        const published: Line | undefined = lying.overheard.findLast(({ _tag }) => _tag === "PublishDevice")
        const [real] = entriesIn([published?.["entry"]])
        const [begun] = mallory.list
        assert(real !== undefined && begun !== undefined)
        const prev = yield* DeviceChain.hashOf(ada.home.user, begun)
        list = [begun, yield* DeviceChain.sign(mallory.keys, { ...real, n: 2, prev })]
        const refusal = yield* Effect.flip(phone.rooms.link(code))
        assert.strictEqual(
          refusal.message,
          "That is not the code of this device. Look at the other device again: a code has 26 letters and digits, and is for one device."
        )
      }).pipe(Effect.scoped)
  )

  it.effect("of its own, with one's first device in it, is not taken for one's own, now or later", () =>
    Effect.gen(function* () {
      const { lying, path } = yield* world
      const home = homeOf(path, "ada", "desk")
      const mallory = yield* pretender("ada", DeviceId.make("9"))
      const published = () => lying.overheard.findLast(({ _tag }) => _tag === "PublishDevice")
      let list: ReadonlyArray<DeviceEntry> = []
      const held: Array<() => void> = []
      lying.told((line, talk) => {
        if (line._tag !== "DeviceList" || line["user"] !== "ada" || published() === undefined) return undefined
        const lie = () => ({ ...line, entries: list, more: false })
        if (list.length > 0) return [lie()]
        held.push(() => talk.tell(lie()))
        return []
      })
      const inTheList = Effect.fnUntraced(function* () {
        const ada = yield* switchOn(lying.port, home)
        const readiness = yield* Effect.forkScoped(Effect.exit(ada.rooms.ready))
        if (list.length === 0) {
          yield* until(
            "her list is asked for",
            Effect.sync(() => held.length > 0)
          )
          const [real] = entriesIn([published()?.["entry"]])
          const [begun] = mallory.list
          assert(real !== undefined && begun !== undefined)
          const prev = yield* DeviceChain.hashOf(ada.home.user, begun)
          list = [begun, yield* DeviceChain.sign(mallory.keys, { ...real, n: 2, prev })]
          for (const tell of held.splice(0)) tell()
        }
        return { ready: yield* Fiber.join(readiness), told: told(ada, "ChainRefused") }
      }, Effect.scoped)
      const first = yield* inTheList()
      assert.isTrue(Exit.isFailure(first.ready))
      assert.deepStrictEqual(
        first.told.map((one) => one._tag === "ChainRefused" && one.issue),
        ["it has this device in it, and was begun by another one"]
      )
      assert.isTrue(Exit.isFailure((yield* inTheList()).ready))
    }).pipe(Effect.scoped)
  )

  it.effect("of its own, behind a list that one began anew, is refused; and nobody is alarmed of one's own", () =>
    Effect.gen(function* () {
      const { lying, on } = yield* world
      const first = yield* on("ada")
      yield* first.rooms.ready
      const mallory = yield* makeDevice({ user: first.home.user, device: DeviceId.make("9") })
      const phone = yield* on("ada", "phone")
      yield* Effect.flip(phone.rooms.ready)
      let list: ReadonlyArray<DeviceEntry> = []
      const held: Array<() => void> = []
      const published = () => lying.overheard.filter(({ _tag }) => _tag === "PublishDevice").at(1)
      lying.told((line, talk) => {
        if (line._tag !== "DeviceList" || line["user"] !== "ada" || published() === undefined) return undefined
        const lie = () => ({ ...line, entries: list, more: false })
        if (list.length > 0) return [lie()]
        held.push(() => talk.tell(lie()))
        return []
      })
      const anew = yield* Effect.forkScoped(phone.rooms.beginAnew)
      yield* until(
        "the list is asked for",
        Effect.sync(() => held.length > 0)
      )
      const [real] = entriesIn([published()?.["entry"]])
      assert(real !== undefined)
      const begun = yield* DeviceChain.beginning(mallory, real.n)
      const prev = yield* DeviceChain.hashOf(first.home.user, begun)
      list = [begun, yield* DeviceChain.sign(mallory, { ...real, n: real.n + 1, prev })]
      for (const tell of held.splice(0)) tell()
      yield* Fiber.join(anew)
      const [pin] = yield* phone.store.pins
      assert.isUndefined(pin?.held)
      assert.deepStrictEqual(Object.keys(pin?.chain.devices ?? {}), [real.device])
      assert.lengthOf(told(phone, "ChainRefused"), 1)
      assert.lengthOf(told(phone, "ChainReplaced"), 0)
    }).pipe(Effect.scoped)
  )

  it.effect("costs as much as it is asked for, however many there are: strangers are not looked at", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      const asked = () => lying.overheard.filter(({ _tag }) => _tag === "GetDevices").length
      const before = asked()
      for (let n = 0; n < 500; n++) saysChanged(lying, "ada", `stranger${n}`)
      yield* ada.client.request({ _tag: "Ping", nonce: 1 })
      assert.strictEqual(asked(), before)
      let n = 1
      const fresh = yield* makeDevice({ user: ben.home.user, device: DeviceId.make("9") })
      let list: ReadonlyArray<DeviceEntry> = []
      giveList(lying, "ada", "ben", () => list)
      for (let time = 0; time < 20; time++) {
        list = [yield* DeviceChain.beginning(fresh, ++n)]
        for (let often = 0; often < 10; often++) saysChanged(lying, "ada", "ben", n)
        yield* ada.client.request({ _tag: "Ping", nonce: 1 })
      }
      yield* until(
        "the last one is known",
        Effect.sync(() => told(ada, "ChainReplaced").length > 0)
      )
      assert.isAtMost(told(ada, "ChainReplaced").length, 20)
      assert.deepStrictEqual(told(ada, "FirstSeen").length, 2, "one's own and ben's")
    }).pipe(Effect.scoped)
  )
})

/** What the server reads with keys of its own, that it was let in by. */
const readAs = Effect.fnUntraced(function* (keys: Keys, privateBytes: Uint8Array, room: string, { overheard }: Lying) {
  const welcome = bytesOf(overheard.findLast(({ _tag }) => _tag === "CommitKeys")?.["welcome"])
  const { group } = yield* join(keys, { groupId: `${room}/1`, welcome, privateBytes }, () => true)
  const { plaintext } = yield* open(
    group,
    bytesOf(overheard.findLast(({ _tag }) => _tag === "SealedMessage")?.["data"])
  )
  return Buffer.from(plaintext).toString()
})
