/** What a client makes of memberships that others end, and of invitations: told once, and nothing is tried again. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import type { Heard } from "../../../src/client/core/Heard.ts"
import * as Resumption from "../../../src/client/core/Resumption.ts"
import * as ResumptionState from "../../../src/client/core/ResumptionState.ts"
import { Epoch } from "../../../src/common/log/Cursor.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { maxInvitations } from "../../../src/common/wire/AccountMessage.ts"
import type { Rejection } from "../../../src/common/wire/Rejection.ts"
import type { ServerMessageOf } from "../../../src/common/wire/ServerMessage.ts"
import { ada, bob, dev } from "./ModelServer.ts"

const epoch = Epoch.make("first")
const ops = RoomName.make("ops")

const welcome = (more: Partial<ServerMessageOf<"Welcome">> = {}): ServerMessageOf<"Welcome"> => ({
  _tag: "Welcome",
  id: Resumption.handshakeId,
  user: ada,
  protocol: 1,
  server: { name: "parley", version: "1" },
  account: true,
  lobby: { epoch, seq: 7 },
  inbox: { epoch, seq: 0 },
  rooms: [],
  ...more
})
const inDev = { rooms: [{ room: dev, seq: 4, read: 4, unread: 0, mentions: 0, role: "member" as const }] }

const joined = (id: string, room = dev): Heard => ({
  _tag: "RoomJoined",
  id,
  room,
  epoch,
  seq: 4,
  missed: 0,
  truncated: false,
  users: [ada],
  count: 1
})
const by = { room: dev, at: 0, from: bob }
const kicked = (seq: number, user = ada): Heard => ({ _tag: "Kicked", ...by, seq, user, reason: "spam" })
const banned = (seq: number, user = ada): Heard => ({ _tag: "Banned", ...by, seq, user })
const left: Heard = { _tag: "RoomLeft", room: dev }
const deleted: Heard = { _tag: "RoomDeleted", room: dev, by: bob }

const hearAll = (resumption: ResumptionState.Resumption, messages: ReadonlyArray<Heard>) => {
  const events: Array<ClientEvent> = []
  let current = resumption
  for (const message of messages) {
    const step = Resumption.receive(current, message)
    current = step.resumption
    events.push(...step.events)
  }
  return { resumption: current, events }
}

/** Ada's account, in the room dev at seq 4, just arrived. */
const settled = () => {
  const { messages, resumption } = Resumption.resume(hearAll(ResumptionState.make(ada), [welcome(inDev)]).resumption)
  return hearAll(resumption, [joined(messages[0]?.id ?? "")]).resumption
}

/** In short: what was received, or what else happened. */
const brief = (event: ClientEvent) =>
  event._tag === "Received"
    ? [event.message._tag, event.putOutBy].filter((word) => word !== undefined).join(" by ")
    : event._tag

const rejoinedRooms = (resumption: ResumptionState.Resumption) => Resumption.resume(resumption).messages

describe("a JoinRoom from a place that is sent again", () => {
  it("goes on where one is by then, and never goes back for another log", () => {
    const after = (seq: number, log = epoch) => ({ epoch: log, seq })
    const again = (from: ReturnType<typeof after>) => {
      const asked = Resumption.ask(settled(), { _tag: "JoinRoom", room: dev, after: from })
      const said = { _tag: "RoomMessage", room: dev, seq: 5, at: 0, from: bob, content: "five" } as const
      const { messages } = Resumption.resume(hearAll(asked.resumption, [said]).resumption)
      const found = messages.find(({ id }) => id === asked.id)
      return found?._tag === "JoinRoom" ? found.after : undefined
    }
    assert.deepStrictEqual(again(after(0)), after(5))
    assert.deepStrictEqual(again(after(9)), after(9))
    const other = Epoch.make("another")
    assert.deepStrictEqual(again(after(0, other)), after(0, other))
  })
})

describe("a membership that others end", () => {
  it.each<readonly [string, ReadonlyArray<Heard>, ReadonlyArray<string>]>([
    ["a kick", [kicked(5), left], ["Kicked", "RoomLeft by Kicked"]],
    ["a ban", [banned(5), left], ["Banned", "RoomLeft by Banned"]],
    ["a deletion", [deleted], ["RoomDeleted"]],
    ["another device", [left], ["RoomLeft"]],
    ["a kick of somebody else, and another device", [kicked(5, bob), left], ["Kicked", "RoomLeft"]]
  ])("by %s is told once, and the room is not joined again", (_, messages, told) => {
    const { events, resumption } = hearAll(settled(), messages)
    assert.deepStrictEqual(events.map(brief), told)
    // Whoever says it twice is not heard twice.
    assert.deepStrictEqual(hearAll(resumption, [left]).events, [])
    const back = hearAll(Resumption.interrupt(resumption).resumption, [welcome()])
    assert.deepStrictEqual(back.events.map(brief), ["Reconnected"])
    assert.deepStrictEqual(rejoinedRooms(back.resumption), [])
  })

  it("while one is away is found in the next Welcome, told once", () => {
    const back = hearAll(Resumption.interrupt(settled()).resumption, [welcome()])
    assert.deepStrictEqual(back.events.map(brief), ["Reconnected", "RejoinRefused"])
    assert.deepInclude(back.events[1], {
      room: dev,
      message:
        "you left it on another device or were put out, or it was deleted. :jr dev joins it again, if it is there."
    })
    assert.deepStrictEqual(rejoinedRooms(back.resumption), [])
    const again = hearAll(Resumption.interrupt(back.resumption).resumption, [welcome()])
    assert.deepStrictEqual(again.events.map(brief), ["Reconnected"])
  })

  it.each<Rejection>([
    { _tag: "Banned", room: dev, until: 9, reason: "spam" },
    { _tag: "RoomNotFound", room: dev }
  ])("is over when the way back is refused with %j, told once and not tried again", (reason) => {
    const { messages, resumption } = Resumption.resume(Resumption.interrupt(settled()).resumption)
    const refusal: Heard = { _tag: "Rejected", id: messages[0]?.id ?? "", reason, message: "no" }
    const refused = Resumption.receive(resumption, refusal)
    assert.deepStrictEqual(refused.events, [{ _tag: "RejoinRefused", room: dev, message: "no" }])
    assert.isUndefined(refused.rejoinLater)
    assert.deepStrictEqual(rejoinedRooms(Resumption.interrupt(refused.resumption).resumption), [])
  })

  it("lets one come back who asks to, with nothing of the old place", () => {
    const out = hearAll(settled(), [kicked(5), left]).resumption
    const asked = Resumption.ask(out, { _tag: "JoinRoom", room: dev })
    assert.deepStrictEqual(asked.message, { _tag: "JoinRoom", id: asked.id, room: dev })
    const { events, resumption } = hearAll(asked.resumption, [joined(asked.id), left])
    assert.deepStrictEqual(events.map(brief), ["RoomJoined", "RoomLeft"])
    assert.deepStrictEqual(rejoinedRooms(resumption), [])
  })

  it("is not deleted twice for one who did not hear that it was", () => {
    const asked = Resumption.ask(settled(), { _tag: "DeleteRoom", room: dev })
    assert.deepStrictEqual(Resumption.interrupt(asked.resumption).lost, [asked.message])
  })

  it("of a room one deleted oneself is over with the reply", () => {
    const asked = Resumption.ask(settled(), { _tag: "DeleteRoom", room: dev })
    const { events, resumption } = hearAll(asked.resumption, [{ ...deleted, id: asked.id }])
    assert.deepStrictEqual(events.map(brief), ["RoomDeleted"])
    assert.deepStrictEqual(rejoinedRooms(resumption), [])
  })

  it("asks for what is to be done to a room again, under its key, in a room one is still in", () => {
    const kick = { _tag: "Kick", room: dev, user: bob, key: "0123456789abcdef" } as const
    const asked = Resumption.ask(settled(), kick)
    const { lost, resumption } = Resumption.interrupt(asked.resumption)
    assert.deepStrictEqual(lost, [])
    assert.deepInclude(rejoinedRooms(resumption), { ...kick, id: asked.id })
  })
})

describe("an invitation", () => {
  const invitation = (room = dev) => ({ room, by: bob })
  const live = (room = dev): Heard => ({ _tag: "Invitation", ...invitation(room) })
  const arrived = (...rooms: ReadonlyArray<RoomName>) => welcome({ invitations: rooms.map(invitation) })

  it("is told on arrival, and not again with every return", () => {
    const first = hearAll(ResumptionState.make(ada), [arrived(dev)])
    assert.deepStrictEqual(first.events.map(brief), ["Connected", "Invitation"])
    const second = hearAll(Resumption.interrupt(first.resumption).resumption, [arrived(dev, ops)])
    assert.deepStrictEqual(second.events.map(brief), ["Reconnected", "Invitation"])
    assert.deepInclude(second.events[1], { message: { _tag: "Invitation", ...invitation(ops) } })
  })

  it("that came live is not told again by a Welcome, but anew once one has been in", () => {
    const told = hearAll(ResumptionState.make(ada), [welcome(), live()])
    assert.deepStrictEqual(told.events.map(brief), ["Connected", "Invitation"])
    const back = hearAll(Resumption.interrupt(told.resumption).resumption, [arrived(dev)])
    assert.deepStrictEqual(back.events.map(brief), ["Reconnected"])
    const asked = Resumption.ask(back.resumption, { _tag: "JoinRoom", room: dev })
    const out = hearAll(asked.resumption, [joined(asked.id), kicked(5), left]).resumption
    const anew = hearAll(Resumption.interrupt(out).resumption, [arrived(dev)])
    assert.deepStrictEqual(anew.events.map(brief), ["Reconnected", "Invitation"])
  })

  it.prop(
    "is remembered of so many rooms at most, the newest",
    { names: Schema.Array(Schema.Natural) },
    ({ names }) => {
      const many = [...names, ...Array.from({ length: maxInvitations }, (_, index) => index)]
      const { resumption } = hearAll(ResumptionState.make(ada), [
        welcome(),
        ...many.map((name) => live(RoomName.make(`r${name}`)))
      ])
      assert.isAtMost(resumption.invitations.length, maxInvitations)
      assert.strictEqual(resumption.invitations.at(-1), `r${maxInvitations - 1}`)
    }
  )
})
