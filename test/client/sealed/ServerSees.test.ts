/** What a server sees of what people say to each other, by all that it is asked for: see src/client/crypto/SECURITY.md. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { conversationRoom } from "../../../src/common/name/RoomName.ts"
import { isIn, say, until, vault } from "./Devices.ts"
import { converse, newest, two, untilLine } from "./Lies.ts"

layer(NodeServices.layer, { excludeTestServices: true })("A server sees", (it) => {
  it.effect(
    "which device says something where, when and in which of nine lengths, and not what, how or about what",
    () =>
      Effect.gen(function* () {
        const { ada, ben, lying } = yield* two
        yield* converse(ada, "kingfisher", ben)
        const target = Number(newest(lying, "Sealed")["seq"])
        yield* ada.rooms.say(vault, { _tag: "Edited", target, content: "bittern" })
        yield* ada.rooms.say(vault, { _tag: "Reacted", target, reaction: "👍" })
        yield* ada.rooms.say(vault, { _tag: "Said", content: "@ben: an answer", replyTo: target })
        yield* untilLine(ben, "ada: @ben: an answer")
        yield* converse(ada, "a longer saga ".repeat(30), ben)

        const asked = lying.overheard.filter(({ _tag }) => _tag === "SealedMessage")
        const fields = new Set(asked.map((line) => Object.keys(line).toSorted().join(" ")))
        assert.deepStrictEqual([...fields], ["_tag data id key keyEpoch room"])
        const sizes = asked.map(({ data }) => Buffer.from(String(data), "base64").length)
        assert.strictEqual(new Set(sizes.slice(0, 4)).size, 1)
        assert.isAbove(sizes[4] ?? 0, sizes[0] ?? 0)
        const entry = lying.overheard.find(({ _tag }) => _tag === "Sealed")
        assert.deepStrictEqual(
          Object.keys(entry ?? {}).toSorted(),
          "_tag at data device from keyEpoch room seq".split(" ")
        )
        const everything = JSON.stringify(lying.overheard)
        const found = ["kingfisher", "bittern", "👍", "@ben", "saga"].filter((text) => everything.includes(text))
        assert.deepStrictEqual(found, [])
        assert.include(everything, "vault")
      }).pipe(Effect.scoped)
  )

  it.effect("who is in a room, with which devices, whom they let in, and who talks with whom in private", () =>
    Effect.gen(function* () {
      const { ada, ben, lying } = yield* two
      const room = conversationRoom(ada.home.user, ben.home.user)
      yield* ada.client.request({ _tag: "OpenConversation", with: ben.home.user })
      yield* until("ben is let in", isIn(ben, room, 2))
      yield* say(ada, "between us", room)
      yield* untilLine(ben, "ada: between us", room)
      const { adds, device } = newest(lying, "KeysCommitted", room)
      assert.deepStrictEqual(adds, [{ user: "ben", device: lying.talksOf("ben")[0]?.device }])
      assert.strictEqual(device, lying.talksOf("ada")[0]?.device)
      assert.deepInclude(newest(lying, "Sealed", room), { from: "ada", device })
      assert.isFalse(JSON.stringify(lying.overheard).includes("between us"))
      // Each looks at the other's keys.
      assert.isTrue(lying.overheard.some(({ _tag, user }) => _tag === "GetDevices" && user === "ben"))
    }).pipe(Effect.scoped)
  )
})
