/** Messages of a sealed group: opened once, by who is in, and not otherwise. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createApplicationMessage } from "ts-mls/createMessage.js"
import { encodeMlsMessage } from "ts-mls/message.js"
import { create, decodeGroup, encodeGroup, type Group, withConfig } from "../../../src/client/crypto/Group.ts"
import { maxPlaintextBytes, open, seal } from "../../../src/client/crypto/Message.ts"
import { suite } from "../../../src/client/crypto/Suite.ts"
import { retention, trusting } from "../../../src/client/crypto/Trust.ts"
import { maxAuthenticatedBytes, maxSealedBytes, parseSealedHeader } from "../../../src/common/wire/SealedHeader.ts"
import { Chance } from "../../simulation/Chance.ts"
import { bytesOf, commits, following, groupId, hex, pair, textOf, three } from "./Crowd.ts"

/** So many messages, "0", "1" and so on, one after another. */
const sealMany = Effect.fnUntraced(function* (group: Group, count: number) {
  const sealed: Array<Uint8Array> = []
  const generations: Array<number> = []
  let now = group
  for (let index = 0; index < count; index++) {
    const next = yield* seal(now, bytesOf(`${index}`))
    now = next.group
    sealed.push(next.bytes)
    generations.push(next.generation)
  }
  return { group: now, sealed, generations }
})

/** Opens these in this order: what came out, in order, the tags of errors among it. */
const openAll = Effect.fnUntraced(function* (group: Group, sealed: ReadonlyArray<Uint8Array | undefined>) {
  const outcomes: Array<string> = []
  let now = group
  for (const bytes of sealed) {
    const opened = yield* Effect.match(open(now, bytes ?? new Uint8Array(0)), {
      onFailure: ({ _tag }) => ({ outcome: _tag as string, group: now }),
      onSuccess: ({ group, plaintext }) => ({ outcome: textOf(plaintext), group })
    })
    outcomes.push(opened.outcome)
    now = opened.group
  }
  return outcomes
})

const tagOf = <A, R>(effect: Effect.Effect<A, { readonly _tag: string }, R>) =>
  Effect.map(Effect.flip(effect), ({ _tag }) => _tag)

describe("A sealed message", () => {
  it.live("is opened by the others, with who sealed it and what stood beside it in the clear", () =>
    Effect.gen(function* () {
      const { ada, ofAda, ofBob, ofCy } = yield* three
      const { bytes } = yield* seal(ofAda, bytesOf("hello"), bytesOf("beside"))
      for (const group of [ofBob, ofCy]) {
        const { authenticatedData, plaintext, sender } = yield* open(group, bytes)
        assert.strictEqual(textOf(plaintext), "hello")
        assert.strictEqual(textOf(authenticatedData), "beside")
        assert.deepStrictEqual(sender, { ...ada.identity, leaf: 0, publicKey: ada.publicKey })
      }
      assert.deepStrictEqual(parseSealedHeader(bytes), { groupId, keyEpoch: 2, contentType: "application" })
    })
  )

  it.live("is opened once", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob } = yield* pair
      const { sealed } = yield* sealMany(ofAda, 2)
      const twice = [sealed[0], sealed[0], sealed[1], sealed[1], sealed[0]]
      const outcomes = yield* openAll(ofBob, twice)
      assert.deepStrictEqual(outcomes, ["0", "AlreadyOpened", "1", "AlreadyOpened", "AlreadyOpened"])
    })
  )

  it.live("is opened in any order with its neighbours", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob } = yield* pair
      const { retainKeysForGenerations } = retention
      const { sealed } = yield* sealMany(ofAda, retainKeysForGenerations + 1)
      for (let seed = 1; seed <= 8; seed++) {
        const chance = new Chance(seed)
        const order = sealed
          .map((_, index) => [chance.next(), index] as const)
          .toSorted((one, other) => one[0] - other[0])
        const outcomes = yield* openAll(
          ofBob,
          order.map(([, index]) => sealed[index])
        )
        assert.deepStrictEqual(
          outcomes,
          order.map(([, index]) => `${index}`),
          `seed ${seed}`
        )
      }
    })
  )

  it.live(
    "is too late behind more others than keys are kept for, and too early before more than are stepped over",
    () =>
      Effect.gen(function* () {
        const { ofAda, ofBob } = yield* pair
        const { maximumForwardRatchetSteps, retainKeysForGenerations } = retention
        const { sealed } = yield* sealMany(ofAda, maximumForwardRatchetSteps + 2)
        const late = yield* openAll(ofBob, [sealed[retainKeysForGenerations + 1], sealed[0], sealed[1]])
        assert.deepStrictEqual(late, [`${retainKeysForGenerations + 1}`, "AlreadyOpened", "1"])
        const farthest = maximumForwardRatchetSteps
        const early = yield* openAll(ofBob, [sealed[farthest + 1], sealed[farthest], sealed[farthest + 1]])
        assert.deepStrictEqual(early, ["TooFarAhead", `${farthest}`, `${farthest + 1}`])
      })
  )

  it.live("opens behind more that are missing where the log has had so many places, and not behind any number", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob } = yield* pair
      const { maximumForwardRatchetSteps } = retention
      const { sealed } = yield* sealMany(ofAda, 502)
      const [last, next] = [sealed.at(-2) ?? new Uint8Array(0), sealed.at(-1) ?? new Uint8Array(0)]
      const placed = 500 - maximumForwardRatchetSteps
      assert.strictEqual((yield* Effect.flip(open(ofBob, last, placed - 1)))._tag, "TooFarAhead")
      const { group } = yield* open(ofBob, last, placed)
      yield* open(group, next)
    })
  )

  it.live("uses a key of its own each, over a restart too, unless somebody goes back", () =>
    Effect.gen(function* () {
      const { ofAda } = yield* pair
      const before = yield* sealMany(ofAda, 5)
      const after = yield* sealMany(yield* decodeGroup(encodeGroup(before.group)), 5)
      assert.deepStrictEqual([...before.generations, ...after.generations], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      const again = yield* seal(before.group, bytesOf("again"))
      assert.strictEqual(again.generation, after.generations[0])
    })
  )

  it.live("is not for another group, nor for one before or after a commit", () =>
    Effect.gen(function* () {
      const { ada, ofAda, ofBob } = yield* pair
      const { sealed } = yield* sealMany(ofAda, 1)
      const other = yield* create(ada, "dev/2")
      assert.strictEqual(yield* tagOf(open(other, sealed[0] ?? bytesOf(""))), "NotForThisGroup")
      const { bytes, next } = yield* commits(ofBob)
      assert.strictEqual(yield* tagOf(open(next, sealed[0] ?? bytesOf(""))), "StaleEpoch")
      const later = yield* seal(yield* following(ofAda, bytes), bytesOf("later"))
      assert.strictEqual(yield* tagOf(open(ofBob, later.bytes)), "EpochAhead")
      assert.strictEqual(textOf((yield* open(next, later.bytes)).plaintext), "later")
    })
  )

  it.live("is not opened by who sealed it, nor by who was removed", () =>
    Effect.gen(function* () {
      const { cy, ofAda, ofBob, ofCy } = yield* three
      const own = yield* seal(ofAda, bytesOf("own"))
      assert.deepInclude(yield* Effect.flip(open(own.group, own.bytes)), { _tag: "FromThisDevice", generation: 0 })
      const { bytes, next } = yield* commits(ofAda, { removes: [cy.identity] })
      const without = yield* seal(next, bytesOf("without Cy"))
      assert.strictEqual(yield* tagOf(open(ofCy, without.bytes)), "EpochAhead")
      // Also if it is told to be of the epoch that Cy has.
      const group = yield* following(ofBob, bytes)
      assert.strictEqual(textOf((yield* open(group, without.bytes)).plaintext), "without Cy")
      const epochAt = 4 + 1 + groupId.length + 7
      const lied = without.bytes.with(epochAt, ofCy.keyEpoch)
      assert.strictEqual(yield* tagOf(open(ofCy, lied)), "Damaged")
    })
  )

  it.live("is refused if a byte of it was changed or is missing, and the group goes on", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob } = yield* pair
      const { bytes } = yield* seal(ofAda, bytesOf("hello"), bytesOf("beside"))
      const tags = new Set<string>()
      for (let index = 0; index < bytes.length; index += 3) {
        tags.add(yield* tagOf(open(ofBob, bytes.with(index, (bytes[index] ?? 0) ^ 1))))
        tags.add(yield* tagOf(open(ofBob, bytes.subarray(0, index))))
      }
      assert.isEmpty(
        [...tags].filter((tag) => !["Damaged", "NotForThisGroup", "EpochAhead", "StaleEpoch"].includes(tag))
      )
      assert.strictEqual(textOf((yield* open(ofBob, bytes)).plaintext), "hello")
    })
  )

  it.live("in the name of another member has a bad signature", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob, ofCy } = yield* three
      // Bob has all keys that Ada seals with, but for the one she signs with.
      const asAda = {
        ...withConfig(
          ofBob,
          trusting(() => true)
        ),
        privatePath: { leafIndex: 0, privateKeys: {} }
      }
      const cs = yield* suite
      const { privateMessage } = yield* Effect.promise(() => createApplicationMessage(asAda, bytesOf("I am Ada"), cs))
      const forged = encodeMlsMessage({ version: "mls10", wireformat: "mls_private_message", privateMessage })
      const error = yield* Effect.flip(open(ofCy, forged))
      assert.deepInclude(error, { _tag: "BadSignature", user: "ada", device: "desk" })
      // It has used up no key of Ada's.
      const { bytes } = yield* seal(ofAda, bytesOf("it is me"))
      assert.strictEqual(textOf((yield* open(ofCy, bytes)).plaintext), "it is me")
    })
  )

  it.live("has one of nine lengths, none of which is too long for a frame", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob } = yield* pair
      const lengths = new Map<number, number>()
      const plain = [0, 1, 2, 50, 186, 187, 200, 442, 443, 1000, 2000, 4000, 8000, 16_000, 32_000, maxPlaintextBytes]
      for (const bytes of plain) {
        const sealed = yield* seal(ofAda, new Uint8Array(bytes).fill(7))
        lengths.set(bytes, sealed.bytes.length)
        const { plaintext } = yield* open(ofBob, sealed.bytes)
        assert.strictEqual(hex(plaintext), "07".repeat(bytes))
      }
      assert.strictEqual(new Set(lengths.values()).size, 9)
      assert.strictEqual(lengths.get(0), lengths.get(186))
      assert.notStrictEqual(lengths.get(186), lengths.get(187))
      const longest = yield* seal(ofAda, new Uint8Array(maxPlaintextBytes), new Uint8Array(maxAuthenticatedBytes))
      assert.isAtMost(longest.bytes.length, maxSealedBytes)
      assert.isDefined(parseSealedHeader(longest.bytes))
      assert.strictEqual(yield* tagOf(seal(ofAda, new Uint8Array(maxPlaintextBytes + 1))), "TooLarge")
      const beside = new Uint8Array(maxAuthenticatedBytes + 1)
      assert.strictEqual(yield* tagOf(seal(ofAda, bytesOf(""), beside)), "TooLarge")
      assert.strictEqual(yield* tagOf(open(ofAda, new Uint8Array(maxSealedBytes + 1))), "TooLarge")
    })
  )

  it.live("shares no bytes with what was given or is given back", () =>
    Effect.gen(function* () {
      const { ofAda, ofBob } = yield* pair
      const [text, beside] = [bytesOf("hello"), bytesOf("beside")]
      const kept = [encodeGroup(ofAda), encodeGroup(ofBob)].map(hex)
      const { bytes, group } = yield* seal(ofAda, text, beside)
      assert.deepStrictEqual([textOf(text), textOf(beside)], ["hello", "beside"])
      const sent = bytes.slice()
      const opened = yield* open(ofBob, bytes)
      assert.strictEqual(hex(bytes), hex(sent))
      // The groups from before are as they were.
      assert.deepStrictEqual([encodeGroup(ofAda), encodeGroup(ofBob)].map(hex), kept)
      const after = [encodeGroup(group), encodeGroup(opened.group)].map(hex)
      const mine = [text, beside, bytes, opened.plaintext, opened.authenticatedData, opened.sender.publicKey]
      // Nothing stands beside them in memory: no padding, no signature, no keys.
      for (const array of mine.slice(2)) assert.strictEqual(array.buffer.byteLength, array.length)
      for (const array of mine) array.fill(0)
      assert.deepStrictEqual([encodeGroup(group), encodeGroup(opened.group)].map(hex), after)
      const blob = encodeGroup(opened.group)
      const read = yield* decodeGroup(blob)
      blob.fill(0)
      assert.strictEqual(hex(encodeGroup(read)), after[1])
    })
  )
})
