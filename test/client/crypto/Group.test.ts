/** Groups of devices: made, kept, changed by commits, joined by welcomes. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { apply, isPending } from "../../../src/client/crypto/Apply.ts"
import { commit, maxAdds } from "../../../src/client/crypto/Commit.ts"
import { makeDevice } from "../../../src/client/crypto/Device.ts"
import {
  authenticatorOf,
  create,
  decodeGroup,
  encodeGroup,
  maxDevices,
  memberOf,
  membersOf
} from "../../../src/client/crypto/Group.ts"
import { readIncoming } from "../../../src/client/crypto/Incoming.ts"
import { join } from "../../../src/client/crypto/Join.ts"
import { makeKeyPackage, readKeyPackage } from "../../../src/client/crypto/KeyPackage.ts"
import { open, seal } from "../../../src/client/crypto/Message.ts"
import { retention } from "../../../src/client/crypto/Trust.ts"
import { parseSealedHeader } from "../../../src/common/wire/SealedHeader.ts"
import {
  adding,
  bytesOf,
  commits,
  deviceOf,
  following,
  groupId,
  hex,
  identity,
  packageOf,
  pair,
  textOf,
  three,
  trustingAll
} from "./Crowd.ts"

const tagOf = <A, R>(effect: Effect.Effect<A, { readonly _tag: string }, R>) =>
  Effect.map(Effect.flip(effect), ({ _tag }) => _tag)

const empty = new Uint8Array(0)

describe("A sealed group", () => {
  it.live("is made by one device, which is alone in it", () =>
    Effect.gen(function* () {
      const ada = yield* deviceOf("ada")
      const group = yield* create(ada, "dev/1")
      assert.deepInclude(group, { groupId: "dev/1", keyEpoch: 0 })
      assert.deepStrictEqual(membersOf(group), [{ ...ada.identity, leaf: 0, publicKey: ada.publicKey }])
    })
  )

  it.live("has the same members and the same authenticator for all who are in, another one in each epoch", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob, ofCy } = yield* three
      const groups = [ofAda, ofBob, ofCy]
      assert.deepStrictEqual(
        groups.map((group) => membersOf(group).map(({ user }) => user)),
        groups.map(() => ["ada", "bob", "cy"])
      )
      assert.strictEqual(new Set(groups.map((group) => hex(authenticatorOf(group)))).size, 1)
      const { next } = yield* commits(ofBob)
      assert.notStrictEqual(hex(authenticatorOf(next)), hex(authenticatorOf(ofBob)))
      assert.strictEqual(authenticatorOf(next).length, 32)
    })
  )

  it.live("is the same after it was kept, and keeps nothing of former epochs", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob } = yield* pair
      const blob = encodeGroup(ofAda)
      const read = yield* decodeGroup(blob)
      assert.deepStrictEqual(read, ofAda)
      let [mine, theirs] = [ofBob, read]
      for (let epoch = 0; epoch < 6; epoch++) {
        const { bytes, next } = yield* commits(mine)
        ;[mine, theirs] = [yield* following(theirs, bytes), next]
      }
      // Parents' keys come with the first commits, and then no more.
      assert.isAtMost(encodeGroup(mine).length, blob.length + 200)
      assert.deepStrictEqual([...mine.state.historicalReceiverData], [])
    })
  )

  it.live("is not read from what another version or nobody kept", () =>
    Effect.gen(function* () {
      const { ofAda } = yield* pair
      const blob = encodeGroup(ofAda)
      const others = [empty, blob.with(0, 2), blob.subarray(0, -1), Uint8Array.from([...blob, 0]), Uint8Array.of(1)]
      for (const bytes of others) assert.strictEqual(yield* tagOf(decodeGroup(bytes)), "StateUnreadable")
    })
  )

  it.live("is reset by another one, of another incarnation", () =>
    Effect.gen(function* () {
      const { ada, bob, ofBob } = yield* pair
      const { added, adder } = yield* adding(yield* create(ada, "dev/2"), bob)
      assert.strictEqual(added.groupId, "dev/2")
      const { bytes } = yield* seal(adder, bytesOf("anew"))
      assert.strictEqual(textOf((yield* open(added, bytes)).plaintext), "anew")
      assert.strictEqual(yield* tagOf(open(ofBob, bytes)), "NotForThisGroup")
    })
  )
})

describe("A commit", () => {
  it.live("is a header for the server, adopted by its committer only once it is in the log", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob } = yield* pair
      const { group, pending } = yield* commit(ofAda, {})
      assert.deepStrictEqual(parseSealedHeader(pending.bytes), { groupId, keyEpoch: 1, contentType: "commit" })
      assert.isTrue(isPending(pending, pending.bytes.slice()))
      assert.isFalse(isPending(pending, pending.bytes.with(9, 9)))
      assert.strictEqual(group.keyEpoch, ofAda.keyEpoch)
      assert.strictEqual(pending.next.keyEpoch, ofAda.keyEpoch + 1)
      // Bob's came first: Ada follows him, and what she had pending is of an epoch that is over.
      const first = yield* commits(ofBob)
      const followed = yield* following(group, first.bytes)
      assert.strictEqual(hex(authenticatorOf(followed)), hex(authenticatorOf(first.next)))
      assert.strictEqual(yield* tagOf(apply(first.next, pending.bytes, trustingAll)), "StaleEpoch")
    })
  )

  it.live("tells who made it, whom it adds and removes, and what stood beside it in the clear", () =>
    Effect.gen(function* () {
      const { bob, cy, ofAda, ofBob, ofCy } = yield* three
      const { read } = yield* packageOf(yield* deviceOf("dan"))
      const change = { adds: [read], removes: [bob.identity], authenticatedData: bytesOf("beside") }
      const { bytes } = yield* commits(ofAda, change)
      const applied = yield* apply(ofCy, bytes, trustingAll)
      assert.strictEqual(applied.by.user, "ada")
      assert.deepStrictEqual(applied.added, [identity("dan")])
      assert.deepStrictEqual(applied.removed, [{ ...bob.identity, leaf: 1, publicKey: bob.publicKey }])
      assert.strictEqual(textOf(applied.authenticatedData), "beside")
      assert.deepStrictEqual(applied.group && membersOf(applied.group).map(({ user }) => user), ["ada", "dan", "cy"])
      // Bob's leaf is Dan's now, and still Bob knows that he is out.
      assert.isUndefined((yield* apply(ofBob, bytes, trustingAll)).group)
      assert.isDefined(memberOf(ofCy, cy.identity))
    })
  )

  it.live("removes a device and adds it again with other keys", () =>
    Effect.gen(function* () {
      const { bob, ofAda, ofBob, ofCy } = yield* three
      const { own, read } = yield* packageOf(bob)
      const { bytes, next, welcome = empty } = yield* commits(ofAda, { adds: [read], removes: [bob.identity] })
      assert.isUndefined((yield* apply(ofBob, bytes, trustingAll)).group)
      const { group } = yield* join(bob, { groupId, welcome, privateBytes: own.privateBytes }, trustingAll)
      const ofCyNow = yield* following(ofCy, bytes)
      assert.strictEqual(hex(authenticatorOf(group)), hex(authenticatorOf(next)))
      assert.strictEqual(hex(authenticatorOf(ofCyNow)), hex(authenticatorOf(next)))
    })
  )

  it.live("leaves no private key of a node that it made blank", () =>
    Effect.gen(function* () {
      const { cy, ofAda, ofBob, ofCy } = yield* three
      const first = yield* commits(ofCy)
      const bob = yield* following(ofBob, first.bytes)
      const ada = yield* following(ofAda, first.bytes)
      const { bytes, next } = yield* commits(ada, { removes: [cy.identity] })
      const after = yield* following(bob, bytes)
      assert.deepStrictEqual(Object.keys(bob.state.privatePath.privateKeys), ["2", "3"])
      // The tree has grown smaller by it: its root is another node.
      assert.deepStrictEqual(Object.keys(after.state.privatePath.privateKeys), ["1", "2"])
      assert.deepStrictEqual(Object.keys(next.state.privatePath.privateKeys), ["0", "1"])
    })
  )

  it.live("uses another key than the one before it in the same epoch", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob } = yield* pair
      const first = yield* commit(ofAda, {})
      const second = yield* commit(yield* decodeGroup(encodeGroup(first.group)), {})
      const generations = yield* Effect.forEach([first, second], ({ pending }) =>
        Effect.map(readIncoming(ofBob, pending.bytes, "commit"), ({ generation }) => generation)
      )
      assert.deepStrictEqual(generations, [0, 1])
      const followed = yield* following(ofBob, second.pending.bytes)
      assert.strictEqual(hex(authenticatorOf(followed)), hex(authenticatorOf(second.pending.next)))
    })
  )

  it.live("cannot be made of what is not so", () =>
    Effect.gen(function* () {
      const { ada, bob, ofAda } = yield* pair
      const bobs = yield* packageOf(bob)
      const cys = yield* packageOf(yield* deviceOf("cy"))
      const tags = yield* Effect.forEach(
        [
          commit(ofAda, { adds: [bobs.read] }),
          commit(ofAda, { adds: [cys.read, cys.read] }),
          commit(ofAda, { removes: [identity("cy")] }),
          commit(ofAda, { removes: [ada.identity] }),
          commit(ofAda, { adds: Array.from({ length: maxAdds + 1 }, () => cys.read) }),
          commit(ofAda, { authenticatedData: new Uint8Array(2000) })
        ],
        tagOf
      )
      const expected = [
        "AlreadyMember",
        "AlreadyMember",
        "NotAMember",
        "CannotRemoveItself",
        "TooManyDevices",
        "TooLarge"
      ]
      assert.deepStrictEqual(tags, expected)
    })
  )

  it.live("of this device itself, which is not pending, is told apart", () =>
    Effect.gen(function* () {
      const { ofAda } = yield* pair
      const { bytes } = yield* commits(ofAda)
      assert.strictEqual(yield* tagOf(apply(ofAda, bytes, trustingAll)), "FromThisDevice")
    })
  )

  it.live("that adds a device nobody knows is refused by who does not know it", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob } = yield* pair
      const { read } = yield* packageOf(yield* deviceOf("cy"))
      const { bytes } = yield* commits(ofAda, { adds: [read] })
      const error = yield* Effect.flip(apply(ofBob, bytes, ({ user }) => user !== "cy"))
      assert.deepInclude(error, { _tag: "Untrusted", user: "cy", device: "desk" })
      // Once the device is known, the same bytes hold.
      assert.strictEqual((yield* following(ofBob, bytes)).keyEpoch, ofBob.keyEpoch + 1)
    })
  )
})

describe("A welcome", () => {
  it.live("spends a key package, but for one of last resort", () =>
    Effect.gen(function* () {
      const ada = yield* deviceOf("ada")
      const bob = yield* deviceOf("bob")
      for (const kind of ["once", "lastResort"] as const) {
        const own = yield* makeKeyPackage(bob, kind)
        for (const groupId of ["dev/1", "ops/1"]) {
          const adds = [yield* readKeyPackage(own.publicBytes, trustingAll)]
          const { welcome = empty } = yield* commits(yield* create(ada, groupId), { adds })
          const joined = yield* join(bob, { groupId, welcome, privateBytes: own.privateBytes }, trustingAll)
          assert.deepStrictEqual([joined.isSpent, joined.group.groupId], [kind === "once", groupId])
        }
      }
    })
  )

  it.live("is refused for other keys, another room, another device, or among strangers", () =>
    Effect.gen(function* () {
      const { ofAda } = yield* pair
      const cy = yield* deviceOf("cy")
      const { own, read } = yield* packageOf(cy)
      const other = yield* packageOf(cy)
      const { welcome = empty } = yield* commits(ofAda, { adds: [read] })
      const { privateBytes } = own
      const asked: Array<string> = []
      yield* join(cy, { groupId, welcome, privateBytes }, ({ user }) => asked.push(user) > 0)
      assert.includeMembers(asked, ["ada", "bob", "cy"])
      const tags = yield* Effect.forEach(
        [
          join(cy, { groupId, welcome, privateBytes: other.own.privateBytes }, trustingAll),
          join(cy, { groupId: "ops/1", welcome, privateBytes }, trustingAll),
          join(yield* makeDevice(cy.identity), { groupId, welcome, privateBytes }, trustingAll),
          join(yield* deviceOf("dan"), { groupId, welcome, privateBytes }, trustingAll),
          join(cy, { groupId, welcome, privateBytes }, ({ user }) => user !== "bob"),
          join(cy, { groupId, welcome: own.publicBytes, privateBytes }, trustingAll),
          join(cy, { groupId, welcome: new Uint8Array(50_000), privateBytes }, trustingAll),
          join(cy, { groupId, welcome, privateBytes: privateBytes.with(0, 2) }, trustingAll)
        ],
        tagOf
      )
      const unreadable = "StateUnreadable"
      const refusals = ["NotInvited", "NotForThisGroup", unreadable, unreadable, "Untrusted", "Damaged", "TooLarge"]
      assert.deepStrictEqual(tags, [...refusals, unreadable])
    })
  )

  it.live("is refused if a byte of it was changed", () =>
    Effect.gen(function* () {
      const { ofAda } = yield* pair
      const cy = yield* deviceOf("cy")
      const { own, read } = yield* packageOf(cy)
      const { welcome = empty } = yield* commits(ofAda, { adds: [read] })
      for (let index = 0; index < welcome.length; index += 7) {
        const changed = welcome.with(index, (welcome[index] ?? 0) ^ 0x10)
        yield* Effect.flip(join(cy, { groupId, welcome: changed, privateBytes: own.privateBytes }, trustingAll))
      }
    })
  )

  it.live("shares no bytes with the group that it made, nor do commits", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob } = yield* pair
      const cy = yield* deviceOf("cy")
      const { own, read } = yield* packageOf(cy)
      const pending = yield* commits(ofAda, { adds: [read] })
      const { welcome = empty } = pending
      const given = [welcome, own.privateBytes, pending.bytes, cy.privateKey, cy.publicKey, own.publicBytes]
      const before = given.map(hex)
      const ofCy = (yield* join(cy, { groupId, welcome, privateBytes: own.privateBytes }, trustingAll)).group
      const followed = yield* following(ofBob, pending.bytes)
      assert.deepStrictEqual(given.map(hex), before)
      const groups = [pending.next, ofCy, followed]
      const after = groups.map((group) => hex(encodeGroup(group)))
      for (const bytes of [...given, read.publicKey, read.ref]) bytes.fill(0)
      for (const group of groups) authenticatorOf(group).fill(0)
      assert.deepStrictEqual(
        groups.map((group) => hex(encodeGroup(group))),
        after
      )
    })
  )
})

describe("The bounds of a group", () => {
  it("are those of the server, and of what is kept", () => {
    assert.deepStrictEqual([maxDevices, maxAdds], [100, 8])
    assert.deepStrictEqual(Object.values(retention), [10, 1, 200])
  })
})
