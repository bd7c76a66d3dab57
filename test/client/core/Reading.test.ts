/** What counts as read: what was shown, as far as nothing before it is unread. */
import { assert, describe, it } from "@effect/vitest"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import * as Reading from "../../../src/client/core/Reading.ts"
import { Epoch } from "../../../src/common/log/Cursor.ts"
import type { StandingMessage } from "../../../src/common/wire/EntryMessage.ts"
import type { ServerMessage, ServerMessageOf } from "../../../src/common/wire/ServerMessage.ts"
import { ada, bob, dev } from "./ModelServer.ts"

const epoch = Epoch.make("first")

const welcome = (more: Partial<ServerMessageOf<"Welcome">> = {}): ServerMessageOf<"Welcome"> => ({
  _tag: "Welcome",
  user: ada,
  protocol: 1,
  server: { name: "parley", version: "1" },
  account: true,
  lobby: { epoch, seq: 90 },
  inbox: { epoch, seq: 20 },
  lobbyRead: 40,
  ...more
})

const room = (seq: number, read: number, unread: number, mentions = 0) =>
  ({ room: dev, seq, read, unread, mentions, role: "member" }) as const

const connected = (more: Partial<ServerMessageOf<"Welcome">>): ClientEvent => ({
  _tag: "Connected",
  welcome: welcome(more)
})
const received = (message: ServerMessage): ClientEvent => ({ _tag: "Received", message })

const inRoom = (seq: number): StandingMessage & ServerMessage => ({
  _tag: "RoomMessage",
  room: dev,
  seq,
  at: 0,
  from: bob,
  content: "x"
})
const inPrivate = (seq: number): StandingMessage & ServerMessage => ({
  _tag: "PrivateMessage",
  seq,
  at: 0,
  from: bob,
  to: ada,
  content: "x"
})
const inLobby = (seq: number): ServerMessage => ({ _tag: "GlobalMessage", seq, at: 0, from: bob, content: "x" })
const page = (messages: ReadonlyArray<StandingMessage>, more: boolean): ClientEvent =>
  received({ _tag: "History", messages, more })

const after = (...events: ReadonlyArray<ClientEvent>) => Reading.follow(Reading.empty, events)
const due = (...events: ReadonlyArray<ClientEvent>) => Reading.due(after(...events))
const unread = (...events: ReadonlyArray<ClientEvent>) =>
  Reading.unread(after(...events)).map(({ mentions, unread, where }) => ({ where, unread, mentions }))

describe("what was read", () => {
  it("is not what a page of moderation alone was shown around", () => {
    const arrived = connected({ rooms: [room(9, 5, 3)] })
    const audit: ClientEvent = {
      _tag: "Received",
      message: { _tag: "History", messages: [{ ...inRoom(9), _tag: "Unbanned", user: bob }], more: false },
      isAudit: true
    }
    assert.deepStrictEqual(unread(arrived, audit), unread(arrived))
    assert.deepStrictEqual(due(arrived, audit), [])
  })

  it("is of no room that was deleted", () => {
    const arrived = connected({ rooms: [room(9, 5, 3)] })
    assert.deepStrictEqual(unread(arrived, received({ _tag: "RoomDeleted", room: dev, by: bob })), [])
    assert.isTrue(Reading.isIn(after(arrived), dev))
    assert.isFalse(Reading.isIn(after(arrived, received({ _tag: "RoomDeleted", room: dev, by: bob })), dev))
  })

  it("is what is shown in a room where nothing was unread", () => {
    assert.deepStrictEqual(due(connected({ rooms: [room(7, 5, 0)] })), [{ where: { room: dev }, seq: 7 }])
    assert.deepStrictEqual(due(connected({ rooms: [room(7, 7, 0)] }), received(inRoom(8)), received(inRoom(9))), [
      { where: { room: dev }, seq: 9 }
    ])
  })

  it("is not what is shown behind what is unread, until a page has shown that", () => {
    const arrived = [connected({ rooms: [room(7, 5, 2, 1)] }), received(inRoom(8))]
    assert.deepStrictEqual(due(...arrived), [])
    assert.deepStrictEqual(unread(...arrived), [{ where: { room: dev }, unread: 2, mentions: 1 }])
    const late = page([inRoom(7), inRoom(8)], true)
    assert.deepStrictEqual(due(...arrived, late), [])
    const whole = page([inRoom(6), inRoom(7)], true)
    assert.deepStrictEqual(due(...arrived, whole), [{ where: { room: dev }, seq: 8 }])
    assert.deepStrictEqual(unread(...arrived, whole), [])
  })

  it("is all that is unread, once a page has shown it, also where edits and reactions stand behind", () => {
    const arrived = connected({ rooms: [room(14, 10, 2, 1)] })
    assert.deepStrictEqual(unread(arrived, page([inRoom(9), inRoom(11), inRoom(12)], true)), [])
    assert.deepStrictEqual(unread(arrived, page([inRoom(12)], true)), unread(arrived))
  })

  it("is all of a log whose first message was shown", () => {
    const arrived = connected({ rooms: [room(7, 0, 3)] })
    assert.deepStrictEqual(due(arrived, page([inRoom(4), inRoom(7)], false)), [{ where: { room: dev }, seq: 7 }])
  })

  it("ends where something was left out", () => {
    const gap: ClientEvent = { _tag: "Gap", conversation: { _tag: "Room", room: dev }, missing: 3 }
    const events = [connected({ rooms: [room(7, 7, 0)] }), gap, received(inRoom(11))]
    assert.deepStrictEqual(due(...events), [])
    assert.deepStrictEqual(unread(...events), [{ where: { room: dev }, unread: 3, mentions: 0 }])
  })

  it("in private is what a page has shown, whoever's messages stand in between", () => {
    const arrived = connected({ conversations: [{ with: bob, seq: 20, read: 5, unread: 2 }] })
    assert.deepStrictEqual(unread(arrived), [{ where: { with: bob }, unread: 2, mentions: 0 }])
    assert.deepStrictEqual(due(arrived, page([inPrivate(9), inPrivate(20)], true)), [])
    assert.deepStrictEqual(due(arrived, page([inPrivate(4), inPrivate(9), inPrivate(20)], true)), [
      { where: { with: bob }, seq: 20 }
    ])
    assert.deepStrictEqual(due(connected({}), received(inPrivate(21))), [{ where: { with: bob }, seq: 21 }])
  })

  it("in the lobby is whatever was shown last", () => {
    assert.deepStrictEqual(due(connected({}), received(inLobby(91))), [{ where: {}, seq: 91 }])
  })

  it("is told to the server once", () => {
    const reading = Reading.told(after(connected({}), received(inLobby(91))))
    assert.deepStrictEqual(Reading.due(reading), [])
    assert.deepStrictEqual(Reading.due(Reading.follow(reading, [received(inLobby(92))])), [{ where: {}, seq: 92 }])
  })

  it("on another device is read here, and a mark never goes back", () => {
    const arrived = connected({ rooms: [room(7, 5, 2)] })
    const mark = (seq: number) => received({ _tag: "ReadMarked", room: dev, seq })
    assert.deepStrictEqual(unread(arrived, mark(6)), [{ where: { room: dev }, unread: 2, mentions: 0 }])
    assert.deepStrictEqual(unread(arrived, mark(7)), [])
    assert.deepStrictEqual(due(arrived, mark(7), mark(3)), [])
  })

  it("goes on after a lost connection with what follows", () => {
    const back = (more: Partial<ServerMessageOf<"Welcome">>): ClientEvent => ({
      _tag: "Reconnected",
      missed: 0,
      welcome: welcome(more)
    })
    const arrived = [connected({ rooms: [room(7, 7, 0)] }), received(inPrivate(21))]
    const missed = back({
      inbox: { epoch, seq: 23, missed: 2 },
      rooms: [room(9, 7, 2)],
      conversations: [{ with: bob, seq: 23, read: 21, unread: 2 }]
    })
    const events = [...arrived, missed, received(inRoom(8)), received(inRoom(9)), received(inPrivate(23))]
    assert.deepStrictEqual(unread(...events), [])
    assert.sameDeepMembers(
      [...due(...events)],
      [
        { where: { room: dev }, seq: 9 },
        { where: { with: bob }, seq: 23 }
      ]
    )
    assert.deepStrictEqual(unread(...arrived, missed, received(inRoom(8))), [
      { where: { room: dev }, unread: 2, mentions: 0 }
    ])
  })

  it("is nothing of a room that was left, and all of one that one comes into", () => {
    const left = received({ _tag: "RoomLeft", room: dev })
    assert.deepStrictEqual(unread(connected({ rooms: [room(7, 5, 2)] }), left), [])
    const joined = received({
      _tag: "RoomJoined",
      room: dev,
      epoch,
      seq: 7,
      missed: 0,
      truncated: false,
      users: [ada],
      count: 1
    })
    assert.deepStrictEqual(due(connected({}), joined), [])
    assert.deepStrictEqual(due(connected({}), joined, received(inRoom(8))), [{ where: { room: dev }, seq: 8 }])
  })

  it("is nobody's business where there is no account", () => {
    assert.deepStrictEqual(due(connected({ account: false }), received(inLobby(91))), [])
  })
})
