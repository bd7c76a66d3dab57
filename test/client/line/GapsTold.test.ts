import { assert, describe, it } from "@effect/vitest"
import { Array as Arr } from "effect"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import * as GapsTold from "../../../src/client/line/GapsTold.ts"
import type { Conversation } from "../../../src/common/log/Conversation.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"

const lobby: Conversation = { _tag: "Lobby" }
const room = RoomName.make("dev")
const dev: Conversation = { _tag: "Room", room }
const gapIn = (conversation: Conversation): ClientEvent => ({ _tag: "Gap", conversation, missing: 1 })

const tellingsOf = (events: ReadonlyArray<ClientEvent>) => {
  let told = GapsTold.empty
  return events.map((event) => {
    told = GapsTold.follow(told, event)
    return GapsTold.tellingOf(told, event)
  })
}

const four = Arr.replicate(gapIn(lobby), 4)

describe("That messages are missing", () => {
  it("is told three times, once more that it goes on, and then no more, however often it happens", () => {
    const tellings = tellingsOf(Arr.replicate(gapIn(lobby), 10_000))
    assert.deepStrictEqual(tellings.slice(0, 5), ["Tell", "Tell", "Tell", "TellOfMore", "Nothing"])
    assert.deepStrictEqual(Arr.dedupe(tellings.slice(5)), ["Nothing"])
  })

  it("in one conversation is told whatever is missing in another", () => {
    assert.deepStrictEqual(tellingsOf([...four, gapIn(dev)]).at(-1), "Tell")
  })

  it("is told again once everything, or the room, was come back to", () => {
    assert.deepStrictEqual(tellingsOf([...four, { _tag: "Reconnected", missed: 0 }, gapIn(lobby)]).at(-1), "Tell")
    const inDev = Arr.replicate(gapIn(dev), 4)
    const left: ClientEvent = { _tag: "Received", message: { _tag: "RoomLeft", room } }
    assert.deepStrictEqual(tellingsOf([...inDev, left, gapIn(dev)]).at(-1), "Tell")
  })

  it("takes nothing from what else is told", () => {
    assert.deepStrictEqual(tellingsOf([...four, gapIn(lobby), { _tag: "Retrying", cause: "down" }]).at(-1), "Tell")
  })
})
