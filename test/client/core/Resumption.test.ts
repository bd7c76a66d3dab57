/** What a client says, asks again and forgets: its rules one by one. ResumptionDelivery.test.ts has them together. */
import { assert, describe, it } from "@effect/vitest"
import { HashMap, Redacted } from "effect"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import type { Heard, HeardEntry, Whereabouts } from "../../../src/client/core/Heard.ts"
import * as Resumption from "../../../src/client/core/Resumption.ts"
import * as ResumptionState from "../../../src/client/core/ResumptionState.ts"
import { Epoch } from "../../../src/common/log/Cursor.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { DeviceId } from "../../../src/common/wire/AccountRequest.ts"
import type { ClientMessage } from "../../../src/common/wire/ClientMessage.ts"
import type { Rejection } from "../../../src/common/wire/Rejection.ts"
import type { ServerMessage, ServerMessageOf } from "../../../src/common/wire/ServerMessage.ts"
import { ada, bob, dev } from "./ModelServer.ts"

const epoch = Epoch.make("first")
const otherEpoch = Epoch.make("second")

const welcome = (seq: number, lobbyEpoch = epoch): ServerMessageOf<"Welcome"> => ({
  _tag: "Welcome",
  id: Resumption.handshakeId,
  user: ada,
  protocol: 1,
  server: { name: "parley", version: "1" },
  account: false,
  lobby: { epoch: lobbyEpoch, seq }
})

const joined = (id: string, seq: number, missed: number, roomEpoch = epoch, room = dev): ServerMessage => ({
  _tag: "RoomJoined",
  id,
  room,
  epoch: roomEpoch,
  seq,
  missed,
  truncated: false,
  users: [ada],
  count: 1
})

const inRoom = (seq: number, room = dev): ServerMessage => ({
  _tag: "RoomMessage",
  room,
  seq,
  at: 0,
  from: bob,
  content: `${seq}`
})

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

/** Ada, in the room dev at seq 4, in the lobby at seq 7. */
const settled = () => {
  const { resumption } = hearAll(ResumptionState.make(ada), [welcome(7)])
  const asked = Resumption.ask(resumption, { _tag: "JoinRoom", room: dev })
  return hearAll(asked.resumption, [joined(asked.id, 4, 0)]).resumption
}

const tags = (messages: ReadonlyArray<ClientMessage>) => messages.map(({ _tag }) => _tag)

describe("a client whose connection broke", () => {
  it("greets with its place in the lobby, and joins its rooms again before it repeats its requests", () => {
    const first = Resumption.ask(settled(), { _tag: "RoomMessage", room: dev, content: "hi", key: "0123456789abcdef" })
    const second = Resumption.ask(first.resumption, { _tag: "ListUsers" })
    const { resumption, lost } = Resumption.interrupt(second.resumption)
    assert.deepStrictEqual(lost, [])
    assert.deepInclude(Resumption.handshake(resumption), { user: ada, after: { lobby: { epoch, seq: 7 } } })
    const { messages } = Resumption.resume(hearAll(resumption, [welcome(9)]).resumption)
    assert.deepStrictEqual(tags(messages), ["JoinRoom", "RoomMessage", "ListUsers"])
    assert.deepInclude(messages[0], { room: dev, after: { epoch, seq: 4 } })
    assert.deepStrictEqual(messages.slice(1), [first.message, second.message])
  })

  it("tells how much it missed, as far as the server can say", () => {
    const { resumption } = Resumption.interrupt(settled())
    const back = hearAll(resumption, [welcome(10)])
    const resumed = Resumption.resume(back.resumption)
    const rejoined = hearAll(resumed.resumption, [joined(resumed.messages[0]?.id ?? "", 6, 2), inRoom(5), inRoom(6)])
    assert.deepStrictEqual(back.events, [{ _tag: "Reconnected", missed: 3, lobby: { epoch, seq: 10 } }])
    assert.deepStrictEqual(
      rejoined.events.map(({ _tag }) => _tag),
      ["Rejoined", "Received", "Received"]
    )
  })

  it("tells how much it missed also where the server leaves some out", () => {
    const resumed = Resumption.resume(Resumption.interrupt(settled()).resumption)
    const { events } = hearAll(resumed.resumption, [
      joined(resumed.messages[0]?.id ?? "", 10, 2),
      inRoom(9),
      inRoom(10)
    ])
    assert.deepInclude(events[0], { _tag: "Rejoined", missed: 6 })
    assert.deepInclude(events[1], { _tag: "Gap", missing: 4 })
    assert.strictEqual(events.length, 4)
  })

  it("repeats neither the creation of a room nor a goodbye, and names them as lost", () => {
    const created = Resumption.ask(settled(), { _tag: "CreateRoom", room: dev })
    const { resumption, lost } = Resumption.interrupt(created.resumption)
    assert.deepStrictEqual(lost, [created.message])
    assert.deepStrictEqual(tags(Resumption.resume(resumption).messages), ["JoinRoom"])
  })

  it("joins its rooms anew however often the connection breaks in between", () => {
    const once = Resumption.resume(Resumption.interrupt(settled()).resumption)
    const twice = Resumption.resume(Resumption.interrupt(once.resumption).resumption)
    assert.deepStrictEqual(tags(twice.messages), ["JoinRoom"])
  })

  it("says of no history that it is another one in which nothing was said yet", () => {
    const begun = Resumption.receive(ResumptionState.make(ada), welcome(0)).resumption
    const back = hearAll(Resumption.interrupt(begun).resumption, [welcome(0, otherEpoch)])
    assert.deepInclude(back.events[0], { _tag: "Reconnected", lobby: { epoch: otherEpoch, seq: 0 }, missed: 0 })
    const later = hearAll(Resumption.interrupt(begun).resumption, [welcome(3, otherEpoch)])
    assert.deepInclude(later.events[0], { _tag: "Reconnected", lobby: { epoch: otherEpoch, seq: 3 }, missed: 3 })
    assert.deepStrictEqual([back.events.length, later.events.length], [1, 1])
  })

  it("starts again where the history is another one, and says so", () => {
    const { resumption } = Resumption.interrupt(settled())
    const back = hearAll(resumption, [welcome(2, otherEpoch)])
    assert.deepStrictEqual(back.events, [
      { _tag: "Reconnected", missed: 0, lobby: { epoch: otherEpoch, seq: 2 } },
      { _tag: "Gap", conversation: { _tag: "Lobby" } }
    ])
    const resumed = Resumption.resume(back.resumption)
    const id = resumed.messages[0]?.id ?? ""
    const rejoined = hearAll(resumed.resumption, [joined(id, 0, 0, otherEpoch), inRoom(1)])
    assert.deepStrictEqual(
      rejoined.events.map(({ _tag }) => _tag),
      ["Rejoined", "Gap", "Received"]
    )
  })

  it("gives up a room that it may not enter again", () => {
    const resumed = Resumption.resume(Resumption.interrupt(settled()).resumption)
    const refused = hearAll(resumed.resumption, [
      {
        _tag: "Rejected",
        id: resumed.messages[0]?.id ?? "",
        reason: { _tag: "RoomNotFound", room: dev },
        message: "There is none."
      }
    ])
    assert.deepStrictEqual(refused.events, [{ _tag: "RejoinRefused", room: dev, message: "There is none." }])
    assert.deepStrictEqual(tags(Resumption.resume(refused.resumption).messages), [])
  })

  it("hears a guest's private messages anew, for their count starts again", () => {
    const secret = (seq: number): ServerMessage => ({
      _tag: "PrivateMessage",
      seq,
      at: 0,
      from: bob,
      to: ada,
      content: "psst"
    })
    const before = hearAll(settled(), [secret(1), secret(2)])
    const after = hearAll(Resumption.interrupt(before.resumption).resumption, [welcome(7), secret(1)])
    assert.strictEqual(after.events.filter(({ _tag }) => _tag === "Received").length, 1)
  })
})

describe("a client of an account", () => {
  const standing = (room: RoomName, seq: number) =>
    ({ room, seq, read: seq, unread: 0, mentions: 0, role: "member" }) as const
  const welcomed = (...rooms: ReadonlyArray<ReturnType<typeof standing>>): ServerMessage => ({
    ...welcome(7),
    account: true,
    inbox: { epoch, seq: 3 },
    rooms
  })
  const ops = RoomName.make("ops")

  it("joins the rooms of its account on arrival, and tells what came between", () => {
    const arrived = hearAll(ResumptionState.make(ada), [welcomed(standing(dev, 4))])
    assert.deepStrictEqual(
      arrived.events.map(({ _tag }) => _tag),
      ["Connected"]
    )
    const { messages, resumption } = Resumption.resume(arrived.resumption)
    const [join] = messages
    assert.deepStrictEqual(messages, [{ _tag: "JoinRoom", id: "1", room: dev }])
    const { events } = hearAll(resumption, [joined(join?.id ?? "", 6, 0), inRoom(7)])
    assert.deepStrictEqual(
      events.map(({ _tag }) => _tag),
      ["Rejoined", "Gap", "Received"]
    )
    assert.deepStrictEqual(events[1], { _tag: "Gap", conversation: { _tag: "Room", room: dev }, missing: 2 })
  })

  it("misses nothing of a room in which others have not been told yet of what its account was", () => {
    const { messages, resumption } = Resumption.resume(
      hearAll(ResumptionState.make(ada), [welcomed(standing(dev, 4))]).resumption
    )
    const { events } = hearAll(resumption, [joined(messages[0]?.id ?? "", 3, 0), inRoom(4), inRoom(5)])
    assert.deepStrictEqual(
      events.map(({ _tag }) => _tag),
      ["Rejoined", "Received", "Received"]
    )
  })

  it("goes on where it was in its rooms, joins those it came into elsewhere, and none that it left there", () => {
    const before = hearAll(settled(), [welcomed(standing(dev, 4))]).resumption
    const left = Resumption.ask(before, { _tag: "JoinRoom", room: ops })
    const both = hearAll(left.resumption, [joined(left.id, 1, 0, epoch, ops)]).resumption
    const { resumption } = Resumption.interrupt(both)
    const other = RoomName.make("other")
    const back = hearAll(resumption, [welcomed(standing(dev, 9), standing(other, 2))])
    assert.deepStrictEqual(
      back.events.map((event) => [event._tag, "room" in event && event.room]),
      [
        ["Reconnected", false],
        ["RejoinRefused", ops]
      ]
    )
    const { messages } = Resumption.resume(back.resumption)
    assert.sameDeepMembers(
      messages.map(({ id: _id, ...message }) => message),
      [
        { _tag: "JoinRoom", room: dev, after: { epoch, seq: 4 } },
        { _tag: "JoinRoom", room: other }
      ]
    )
  })

  it("asks for nothing twice that changes the account", () => {
    const password = Redacted.make("correct horse battery")
    const asked = Resumption.ask(settled(), { _tag: "ChangePassword", current: password, next: password })
    assert.deepStrictEqual(tags(Resumption.interrupt(asked.resumption).lost), ["ChangePassword"])
  })

  it("takes the private messages of the account that a guest has become for others than the guest's", () => {
    const told = (seq: number): ServerMessage => ({
      _tag: "PrivateMessage",
      seq,
      at: 0,
      from: bob,
      to: ada,
      content: "x"
    })
    const asGuest = hearAll(settled(), [told(1), told(2)]).resumption
    const registered = Resumption.ask(asGuest, { _tag: "Register", password: Redacted.make("correct horse battery") })
    const { events } = hearAll(registered.resumption, [
      { _tag: "Registered", id: registered.id, token: "t", device: DeviceId.make("d") },
      told(1)
    ])
    assert.deepStrictEqual(
      events.map(({ _tag }) => _tag),
      ["Received", "Received"]
    )
  })
})

describe("a quiet request", () => {
  const history = (id: string): ServerMessage => ({ _tag: "History", id, messages: [], more: false })
  const refusal = (id: string): ServerMessage => ({
    _tag: "Rejected",
    id,
    reason: { _tag: "StorageUnavailable" },
    message: "Not now."
  })

  it.each([
    ["a reply", history],
    ["a refusal", refusal]
  ])("has %s that is no event, also when nobody waits for it any more", (_, replyTo) => {
    const asked = Resumption.askQuietly(settled(), { _tag: "GetHistory" })
    const loud = Resumption.ask(asked.resumption, { _tag: "GetHistory" })
    const forgotten = Resumption.forget(loud.resumption, asked.id)
    for (const resumption of [loud.resumption, forgotten]) {
      assert.deepStrictEqual(hearAll(resumption, [replyTo(asked.id)]).events, [])
      assert.strictEqual(hearAll(resumption, [replyTo(loud.id)]).events.length, 1)
    }
  })

  it("is asked again on the next connection, after the room is joined", () => {
    const asked = Resumption.askQuietly(settled(), { _tag: "GetHistory", room: dev })
    const { messages } = Resumption.resume(Resumption.interrupt(asked.resumption).resumption)
    assert.deepStrictEqual(tags(messages), ["JoinRoom", "GetHistory"])
    assert.deepStrictEqual(messages[1], asked.message)
  })
})

describe("a room that was left", () => {
  it("is not joined again", () => {
    const left = hearAll(settled(), [{ _tag: "RoomLeft", id: "x", room: dev }])
    assert.deepStrictEqual(tags(Resumption.resume(left.resumption).messages), [])
  })
})

const roomNumber = (index: number) => RoomName.make(`room${index}`)

describe("a client whose server lies", () => {
  it("is in no room that it did not ask for", () => {
    const asked = Resumption.ask(settled(), { _tag: "CreateRoom", room: roomNumber(0) })
    const lies = Array.from({ length: 1000 }, (_, index) => joined("x", 1, 0, epoch, roomNumber(index)))
    const heard = hearAll(asked.resumption, [...lies, joined(asked.id, 1, 0, epoch, roomNumber(0))])
    assert.deepStrictEqual(heard.events, [])
    assert.strictEqual(HashMap.size(heard.resumption.rooms), 1)
    assert.deepStrictEqual(tags(Resumption.resume(heard.resumption).messages), ["JoinRoom"])
  })

  it("is not in another room than the one it asked for", () => {
    const asked = Resumption.ask(settled(), { _tag: "JoinRoom", room: roomNumber(1) })
    const heard = hearAll(asked.resumption, [joined(asked.id, 1, 0, epoch, roomNumber(2))])
    assert.deepStrictEqual(heard.events, [])
    assert.strictEqual(HashMap.size(heard.resumption.rooms), 1)
  })

  it("hears nothing of leaving a room that it is not in, and has no place there", () => {
    const other = roomNumber(1)
    const before = settled()
    const heard = hearAll(before, [{ _tag: "RoomLeft", room: other, reason: "out" }, inRoom(9, other)])
    assert.deepStrictEqual(
      heard.events.map(({ _tag }) => _tag),
      ["Received"]
    )
    assert.deepStrictEqual(heard.resumption, before)
  })
})

describe("a client whose asker does not wait", () => {
  const join = (resumption: ResumptionState.Resumption, room = dev) =>
    Resumption.ask(resumption, { _tag: "JoinRoom", room })
  const welcomed = () => hearAll(ResumptionState.make(ada), [welcome(7)]).resumption

  it("is in the room it was entering all the same", () => {
    const asked = join(welcomed())
    const heard = hearAll(Resumption.forget(asked.resumption, asked.id), [joined(asked.id, 4, 0), inRoom(5)])
    assert.strictEqual(heard.events.length, 2)
    assert.deepInclude(Resumption.resume(heard.resumption).messages[0], { _tag: "JoinRoom", after: { epoch, seq: 5 } })
  })

  it("does not ask again on the next connection", () => {
    const asked = join(welcomed())
    const forgotten = Resumption.forget(asked.resumption, asked.id)
    const { resumption } = Resumption.resume(forgotten)
    assert.deepStrictEqual(Resumption.resume(forgotten).messages, [])
    assert.deepStrictEqual(Resumption.interrupt(forgotten).lost, [])
    assert.strictEqual(HashMap.size(resumption.open), 0)
  })

  it("remembers 100 such rooms at most", () => {
    let resumption = welcomed()
    for (let index = 0; index < 500; index++) {
      const asked = join(resumption, roomNumber(index))
      resumption = Resumption.forget(asked.resumption, asked.id)
    }
    assert.strictEqual(HashMap.size(resumption.open), 100)
  })
})

describe("a room that cannot be entered again just now", () => {
  const refusal = (id: string, reason: Rejection): ServerMessage => ({
    _tag: "Rejected",
    id,
    reason,
    message: "Not now."
  })

  it.each<Rejection>([{ _tag: "StorageUnavailable" }, { _tag: "RateLimited", retryAfter: 100 }])(
    "is tried again later after %j, and that is told once",
    (reason) => {
      const resumed = Resumption.resume(Resumption.interrupt(settled()).resumption)
      const first = Resumption.receive(resumed.resumption, refusal(resumed.messages[0]?.id ?? "", reason))
      assert.deepStrictEqual(first.events, [{ _tag: "Retrying", cause: "dev: Not now." }])
      assert.strictEqual(first.rejoinLater, dev)
      const again = Resumption.rejoin(first.resumption, dev)
      assert.deepInclude(again?.message, { _tag: "JoinRoom", room: dev, after: { epoch, seq: 4 } })
      if (again === undefined) return
      assert.isUndefined(Resumption.rejoin(again.resumption, dev))
      const second = Resumption.receive(again.resumption, refusal(again.id, reason))
      assert.deepStrictEqual([second.events, second.rejoinLater], [[], dev])
      const third = Resumption.rejoin(second.resumption, dev)
      assert.isDefined(third)
      if (third === undefined) return
      const rejoined = hearAll(third.resumption, [joined(third.id, 6, 2), inRoom(5)])
      assert.deepStrictEqual(
        rejoined.events.map(({ _tag }) => _tag),
        ["Rejoined", "Received"]
      )
      assert.isUndefined(Resumption.rejoin(rejoined.resumption, dev))
    }
  )

  it("is not tried again once one has left", () => {
    const resumed = Resumption.resume(Resumption.interrupt(settled()).resumption)
    const id = resumed.messages[0]?.id ?? ""
    const refused = hearAll(resumed.resumption, [
      refusal(id, { _tag: "StorageUnavailable" }),
      { _tag: "RoomLeft", room: dev }
    ])
    assert.isUndefined(Resumption.rejoin(refused.resumption, dev))
  })
})

describe("the entries of a log", () => {
  const by = { at: 0, from: bob }
  const kinds: ReadonlyArray<(place: Whereabouts & { readonly seq: number }) => HeardEntry> = [
    (place) => ({ _tag: "Edited", ...place, ...by, target: 1, content: "new" }),
    (place) => ({ _tag: "Deleted", ...place, ...by, target: 1 }),
    (place) => ({ _tag: "Reacted", ...place, ...by, target: 1, reaction: "👍" }),
    (place) => ({ _tag: "Tombstone", ...place, ...by, deletedBy: bob, deletedAt: 0 }),
    (place) => ({ _tag: "LaterEntry", kind: "PollOpened", ...place, ...by })
  ]
  const conversations: ReadonlyArray<readonly [string, Whereabouts, number]> = [
    ["a room", { room: dev }, 4],
    ["the lobby", {}, 7],
    ["private", { with: bob }, 0]
  ]
  const allIn = (where: Whereabouts, place: number) =>
    kinds.map((make, index) => make(Object.assign({ seq: place + 1 + index }, where)))
  const received = (events: ReadonlyArray<ClientEvent>) =>
    events.flatMap((event) => (event._tag === "Received" ? [event.message._tag] : [event._tag]))

  it.each(conversations)("count in %s, whatever their kind, and are told of once", (_, where, place) => {
    const entries = allIn(where, place)
    const { events, resumption } = hearAll(settled(), entries)
    assert.deepStrictEqual(received(events), ["Edited", "Deleted", "Reacted", "Tombstone"])
    assert.deepStrictEqual(hearAll(resumption, entries), { resumption, events: [] })
  })

  it.each(conversations)("show in %s what is missing before them, also those that are not known", (_, where, place) => {
    for (const entry of allIn(where, place + 2)) {
      const [gap] = hearAll(settled(), [{ ...entry, seq: place + 3 }]).events
      assert.deepInclude(gap, { _tag: "Gap", missing: 2 })
    }
  })

  it("of another room, of the lobby and of the inbox move no place in this one", () => {
    const others = [...allIn({ room: roomNumber(1) }, 4), ...allIn({}, 7), ...allIn({ with: bob }, 0)]
    const { events } = hearAll(hearAll(settled(), others).resumption, [inRoom(5)])
    assert.deepStrictEqual(received(events), ["RoomMessage"])
  })

  it("are asked for behind the last of them, also if that one is not known", () => {
    const { resumption } = hearAll(settled(), [...allIn({ room: dev }, 4), ...allIn({}, 7)])
    assert.deepInclude(Resumption.handshake(resumption), { after: { lobby: { epoch, seq: 12 } } })
    assert.deepInclude(Resumption.resume(resumption).messages[0], { room: dev, after: { epoch, seq: 9 } })
  })
})

describe("an edit, a deletion or a reaction under way", () => {
  const key = "0123456789abcdef"
  const requests: ReadonlyArray<Parameters<typeof Resumption.ask>[1]> = [
    { _tag: "EditMessage", room: dev, target: 1, content: "new", key },
    { _tag: "DeleteMessage", room: dev, target: 1, key },
    { _tag: "React", room: dev, target: 1, reaction: "👍", key }
  ]

  it.each(requests)("is asked for again on the next connection, under its key: %j", (request) => {
    const asked = Resumption.ask(settled(), request)
    const { lost, resumption } = Resumption.interrupt(asked.resumption)
    assert.deepStrictEqual(lost, [])
    assert.deepStrictEqual(Resumption.resume(resumption).messages.slice(1), [asked.message])
  })

  it.each(requests)("waits while its room cannot be entered again yet: %j", (request) => {
    const asked = Resumption.ask(settled(), request)
    const resumed = Resumption.resume(Resumption.interrupt(asked.resumption).resumption)
    const refuse = (id: string | undefined, reason: Rejection): ServerMessage => ({
      _tag: "Rejected",
      id: id ?? "",
      reason,
      message: "Not now."
    })
    const away = hearAll(resumed.resumption, [refuse(resumed.messages[0]?.id, { _tag: "StorageUnavailable" })])
    const held = Resumption.receive(away.resumption, refuse(asked.id, { _tag: "NotInRoom", room: dev }))
    assert.deepStrictEqual([held.isHeld, held.events], [true, []])
    const again = Resumption.rejoin(held.resumption, dev)
    assert.isDefined(again)
    if (again === undefined) return
    assert.deepStrictEqual(Resumption.receive(again.resumption, joined(again.id, 4, 0)).resend, [asked.message])
  })

  it.each([
    ["is tried again if that is refused for a while", { _tag: "StorageUnavailable" }, dev, 0],
    [
      "is over if that is refused for good, and all that waited is told so",
      { _tag: "RoomNotFound", room: dev },
      undefined,
      1
    ]
  ] as const)("waits for its room, and the joining that one asks for meanwhile %s", (_, reason, later, resent) => {
    const refuse = (id: string | undefined, reason: Rejection): ServerMessage => ({
      _tag: "Rejected",
      id: id ?? "",
      reason,
      message: "Not now."
    })
    const asked = Resumption.ask(settled(), { _tag: "DeleteMessage", room: dev, target: 1, key })
    const resumed = Resumption.resume(Resumption.interrupt(asked.resumption).resumption)
    const away = hearAll(resumed.resumption, [refuse(resumed.messages[0]?.id, { _tag: "StorageUnavailable" })])
    const held = Resumption.receive(away.resumption, refuse(asked.id, { _tag: "NotInRoom", room: dev }))
    const own = Resumption.ask(held.resumption, { _tag: "JoinRoom", room: dev })
    assert.isUndefined(Resumption.rejoin(own.resumption, dev), "it is being asked for")
    const step = Resumption.receive(own.resumption, refuse(own.id, reason))
    assert.strictEqual(step.rejoinLater, later)
    assert.lengthOf(step.resend ?? [], resent)
    assert.deepStrictEqual(
      step.events.map(({ _tag }) => _tag),
      ["Received"]
    )
  })
})

describe("a client in an encrypted room", () => {
  it("misses nothing between the parts that its device may read, live or when it comes back", () => {
    const sealedIn = (id: string, seq: number, missed: number): ServerMessage => {
      const plain = joined(id, seq, missed)
      return plain._tag === "RoomJoined" ? { ...plain, encrypted: true } : plain
    }
    const { resumption } = hearAll(ResumptionState.make(ada), [welcome(7)])
    const asked = Resumption.ask(resumption, { _tag: "JoinRoom", room: dev })
    const live = hearAll(asked.resumption, [sealedIn(asked.id, 4, 0), inRoom(5), inRoom(9)])
    assert.deepStrictEqual(
      live.events.map(({ _tag }) => _tag),
      ["Received", "Received", "Received"]
    )
    const back = Resumption.resume(Resumption.interrupt(live.resumption).resumption)
    const id = back.messages[0]?.id ?? "none"
    const rejoined = hearAll(back.resumption, [sealedIn(id, 20, 2), inRoom(11), inRoom(20)])
    assert.deepStrictEqual(
      rejoined.events.map(({ _tag }) => _tag),
      ["Rejoined", "Received", "Received"]
    )
  })

  it("is in a conversation of two by the reply to its opening", () => {
    const { resumption } = hearAll(ResumptionState.make(ada), [welcome(7)])
    const asked = Resumption.ask(resumption, { _tag: "OpenConversation", with: bob })
    const reply = joined(asked.id, 4, 0)
    assert(reply._tag === "RoomJoined")
    const opened = hearAll(asked.resumption, [{ ...reply, encrypted: true, with: bob }])
    assert.deepStrictEqual(ResumptionState.placeIn(opened.resumption, dev)?.seq, 4)
    const other = hearAll(asked.resumption, [{ ...reply, encrypted: true, with: ada }])
    assert.isUndefined(ResumptionState.placeIn(other.resumption, dev))
  })
})
