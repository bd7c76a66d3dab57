/** What a tail does about what it hears, whatever that is: nothing skipped, nothing twice, all in order. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import type { Whereabouts } from "../../../src/client/core/Heard.ts"
import type { StoredCursor } from "../../../src/client/script/CursorFile.ts"
import * as Following from "../../../src/client/script/Following.ts"
import { Epoch } from "../../../src/common/log/Cursor.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { ServerMessage } from "../../../src/common/wire/ServerMessage.ts"
import { dev, inLobby, inRoom } from "../ClientTalk.ts"
import { ada, epoch, welcome } from "../FakeServer.ts"

const bob = UserName.make("bob")
const later = Epoch.make("later")

const received = (message: ServerMessage): ClientEvent => ({ _tag: "Received", message })
const joined = (seq: number, missed = 0, now = epoch): ClientEvent =>
  received({ _tag: "RoomJoined", id: "1", room: dev, epoch: now, seq, missed, truncated: false, users: [], count: 0 })

const begin = (where: Whereabouts, place?: StoredCursor, since?: number): Following.Following => ({
  where,
  user: ada,
  place,
  since
})
const at = (seq: number, time = 0, now = epoch): StoredCursor => ({ epoch: now, seq, at: time })

/** What is done about these events, in short. */
const done = (following: Following.Following, ...events: ReadonlyArray<ClientEvent>): ReadonlyArray<string> => {
  let now = following
  return events.flatMap((event) => {
    const [next, steps] = Following.follow(now, event)
    now = next
    return steps.map((step) => {
      switch (step._tag) {
        case "Print":
          return `print ${step.entry.seq}`
        case "Move":
          return `at ${step.place.seq}`
        case "Fill":
          return step.from._tag === "After"
            ? `fill ${step.from.seq}-${step.place.seq}`
            : `since ${step.from.at}-${step.place.seq}`
        default:
          return "sentence" in step ? `${step._tag}: ${step.sentence}` : step._tag
      }
    })
  })
}

describe("A tail", () => {
  it("begins with what comes, where it has no place, and keeps where that is", () => {
    assert.deepStrictEqual(done(begin({ room: dev }), joined(7), inRoomEvent(8)), ["at 7", "print 8"])
  })

  it("begins with what was said since a time, if that is said and it has no place", () => {
    assert.deepStrictEqual(done(begin({ room: dev }, undefined, 500), joined(7), inRoomEvent(8)), [
      "since 500-7",
      "print 8"
    ])
    assert.deepStrictEqual(done(begin({ room: dev }, at(7), 500), joined(7)), [])
  })

  it("fetches what the server does not send by itself, and tells so", () => {
    const [told, ...rest] = done(begin({ room: dev }, at(7)), joined(3000, 1000), inRoomEvent(2001))
    assert.include(told, "Tell: 1993 entries of the room dev were missed")
    assert.deepStrictEqual(rest, ["fill 7-2000", "print 2001"])
  })

  it("fills a hole before what stands behind it, and passes over what it had", () => {
    const events = [joined(7), inRoomEvent(7), inRoomEvent(9), inRoomEvent(9), inRoomEvent(8), inRoomEvent(10)]
    assert.deepStrictEqual(done(begin({ room: dev }, at(7)), ...events), ["fill 7-8", "print 9", "print 10"])
  })

  it("goes on from shortly before its last message in a log that begins anew, and tells so", () => {
    const [told, ...rest] = done(begin({ room: dev }, at(7, 3_600_000)), joined(4, 0, later))
    assert.include(told, "begins anew")
    assert.deepStrictEqual(rest, ["since 3000000-4"])
    assert.include(done(begin({ room: dev }, at(7)), joined(6))[0], "begins anew")
    // Also where the new log is as long already.
    assert.deepStrictEqual(done(begin({ room: dev }, at(7, 3_600_000)), joined(9, 0, later)).slice(1), [
      "since 3000000-9"
    ])
  })

  it("looks up how far the log is when events were lost, and fills what is missing", () => {
    assert.deepStrictEqual(done(begin({}, at(7)), { _tag: "Skipped", events: 3 }), ["LookUp"])
    const [next, steps] = Following.reach(begin({}, at(7)), 9)
    assert.strictEqual(next.place?.seq, 9)
    assert.deepStrictEqual(
      steps.map(({ _tag }) => _tag),
      ["Tell", "Fill"]
    )
    assert.deepStrictEqual(Following.reach(begin({}, at(7)), 7)[1], [])
  })

  it("prints nothing of other conversations, but is further by what others say in private", () => {
    const said = (seq: number, from: UserName): ClientEvent =>
      received({ _tag: "PrivateMessage", seq, at: 0, from, to: ada, content: "psst" })
    const arrived: ClientEvent = { _tag: "Connected", welcome: { ...welcome(1), inbox: { epoch, seq: 3 } } }
    const eve = UserName.make("eve")
    assert.deepStrictEqual(
      done(begin({ with: bob }, at(3)), arrived, said(4, eve), received(inLobby(2)), inRoomEvent(1), said(5, bob)),
      ["at 4", "print 5"]
    )
  })

  it("prints what is said in private to a guest as it comes, also when the count begins anew", () => {
    const said = (seq: number): ClientEvent =>
      received({ _tag: "PrivateMessage", seq, at: 0, from: bob, to: ada, content: "psst" })
    const back: ClientEvent = { _tag: "Reconnected", missed: 0 }
    assert.deepStrictEqual(
      done(begin({ with: bob }), { _tag: "Connected", welcome: welcome(1) }, said(1), said(2), back, said(1)),
      ["print 1", "print 2", "Tell: the connection is back", "print 1"]
    )
  })

  it("ends when it is out of the room, and tells why", () => {
    const left = received({ _tag: "RoomLeft", room: dev })
    assert.include(done(begin({ room: dev }), joined(1), left).at(-1), "End: You are not in the room dev any more")
    assert.deepStrictEqual(done(begin({}), left), [])
  })

  it.prop(
    "prints or fetches every entry behind its place once and in order, however they come",
    { gaps: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4 }))) },
    ({ gaps }) => {
      let seq = 5
      const events: Array<ClientEvent> = [joined(5)]
      // A connection that broke is come back from as often as not, with what is sent again.
      for (const gap of gaps) {
        if (gap === 4) events.push({ _tag: "Rejoined", joined: rejoined(seq), missed: 0 })
        else events.push(inRoomEvent((seq += gap)))
      }
      let next = 6
      for (const step of done(begin({ room: dev }, at(5)), ...events)) {
        const [, kind, from, to] = /^(print|fill) (\d+)(?:-(\d+))?$/.exec(step) ?? []
        if (kind === undefined) continue
        assert.strictEqual(Number(from) + (kind === "fill" ? 1 : 0), next)
        next = Number(to ?? from) + 1
      }
      assert.strictEqual(next, seq + 1)
    }
  )
})

const rejoined = (seq: number) =>
  ({
    _tag: "RoomJoined",
    room: dev,
    epoch,
    seq,
    missed: 0,
    truncated: false,
    users: [],
    count: 0
  }) as const

const inRoomEvent = (seq: number): ClientEvent => received(inRoom(seq))
