/** Rooms and what was done to them, as people and scripts are shown it. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Schema } from "effect"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import type { Style } from "../../../src/client/screen/Layout.ts"
import { render } from "../../../src/client/screen/Render.ts"
import { lasting } from "../../../src/client/screen/RenderGoverning.ts"
import { colourless } from "../../../src/client/text/Palette.ts"
import * as Timestamp from "../../../src/client/text/Timestamp.ts"
import { ServerMessage } from "../../../src/common/wire/ServerMessage.ts"
import { NastyText } from "../NastyText.ts"

const noon = Date.UTC(2026, 10, 23, 12, 4)
const hour = 3_600_000
const common = { now: noon, palette: colourless, tagsLobby: false }
const terminal: Style = {
  ...common,
  layout: "terminal",
  columns: 80,
  timestamp: Timestamp.make(DateTime.zoneMakeOffset(0))
}
const plain: Style = { ...common, layout: "plain", columns: Infinity, timestamp: Timestamp.utc }

const decode = Schema.decodeUnknownSync(ServerMessage)
const received = (message: object, beside: object = {}): ClientEvent => ({
  _tag: "Received",
  message: decode(message),
  ...beside
})
const rowsOf = (event: ClientEvent, style: Style) =>
  render(event, style).flatMap(({ text }) => text.split("\n").map((row) => row.trimEnd()))
const shown = (message: object, beside?: object) => rowsOf(received(message, beside), terminal).map((row) => row.trim())

const by = { room: "dev", seq: 9, at: noon, from: "ada" }
const deeds = [
  [{ _tag: "TopicSet", topic: "Release" }, "set the topic: Release"],
  [{ _tag: "TopicSet", topic: "" }, "took the topic away"],
  [{ _tag: "RoleSet", user: "bob", role: "owner" }, "made bob the owner"],
  [{ _tag: "RoleSet", user: "bob", role: "moderator" }, "made bob a moderator"],
  [{ _tag: "RoleSet", user: "bob", role: "member" }, "made bob a plain member"],
  [{ _tag: "AccessSet", private: false }, "opened the room to everybody"],
  [{ _tag: "Invited", user: "bob" }, "invited bob"],
  [{ _tag: "Kicked", user: "bob" }, "kicked bob"],
  [{ _tag: "Kicked", user: "bob", reason: "wrong room" }, "kicked bob: wrong room"],
  [{ _tag: "Banned", user: "bob" }, "banned bob for good"],
  [{ _tag: "Banned", user: "bob", until: noon + 2 * hour, reason: "spam" }, "banned bob for 2 h (until 14:04): spam"],
  [{ _tag: "Unbanned", user: "bob" }, "lifted the ban of bob"],
  [{ _tag: "Muted", user: "bob", until: noon + 48 * hour }, "muted bob for 2 days (until 2026-11-25 12:04)"],
  [{ _tag: "Unmuted", user: "bob" }, "lifted the mute of bob"]
] as const

describe("what was done to a room", () => {
  it.each(deeds)("%j is told in one line: %s", (deed, words) => {
    assert.deepStrictEqual(shown({ ...by, ...deed }), [`12:04 [dev] ada ${words}`])
  })

  it.each(deeds)("%j is told in the same words in a history, live and in an audit", (deed, words) => {
    const page = { _tag: "History", messages: [{ ...by, ...deed }], more: true }
    assert.deepStrictEqual(shown(page), [`12:04 [dev] ada ${words}`, "1 message of history; :more shows older ones"])
    assert.deepStrictEqual(shown(page, { isAudit: true }), [
      `12:04 [dev] ada ${words}`,
      "1 deed of moderation; :more shows older ones"
    ])
  })

  it("is one line for scripts, with the end of a ban in UTC", () => {
    const ban = { ...by, _tag: "Banned", user: "bob", until: noon + 2 * hour, reason: "spam" }
    const line = "[dev] ada banned bob for 2 h (until 2026-11-23T14:04:00Z): spam"
    assert.deepStrictEqual(rowsOf(received(ban), plain), [line])
    assert.deepStrictEqual(rowsOf(received({ _tag: "History", messages: [ban], more: false }), plain), [
      `2026-11-23T12:04:00Z ${line}`,
      "1 message of history"
    ])
  })

  it("has a deletion by a moderator in an audit, and is told if there is nothing", () => {
    const deleted = { ...by, _tag: "Deleted", target: 4, reason: "rude", moderated: true }
    assert.deepStrictEqual(shown({ _tag: "History", messages: [deleted], more: false }, { isAudit: true }), [
      "12:04 [dev] ada deleted #4: rude",
      "1 deed of moderation"
    ])
    assert.deepStrictEqual(shown({ _tag: "History", messages: [], more: false }, { isAudit: true }), [
      "nothing was done by moderators"
    ])
  })

  it("in the lobby stands without a room", () => {
    const { room: _, ...everywhere } = by
    assert.deepStrictEqual(shown({ ...everywhere, _tag: "Muted", user: "bob" }), ["12:04 ada muted bob for good"])
  })
})

describe("how long something binds", () => {
  it.each([
    [1000, "1 s"],
    [45_000, "45 s"],
    [60_000, "1 min"],
    [90_000, "90 s"],
    [30 * 60_000, "30 min"],
    [90 * 60_000, "90 min"],
    [2 * hour, "2 h"],
    [36 * hour, "36 h"],
    [24 * hour, "1 day"],
    [168 * hour, "7 days"],
    [8760 * hour, "365 days"],
    [2 * hour - 40, "2 h"],
    [0, "1 s"]
  ])("%i ms is told as %s", (milliseconds, words) => {
    assert.strictEqual(lasting(milliseconds), words)
  })

  it.prop("is within a twentieth of what is told", { seconds: Schema.Int }, ({ seconds }) => {
    const time = ((Math.abs(seconds) % 31_536_000) + 1) * 1000
    const [amount = "", unit = ""] = lasting(time).split(" ")
    const told = Number(amount) * ({ s: 1000, min: 60_000, h: hour }[unit] ?? 24 * hour)
    assert.isAtMost(Math.abs(told - time), time / 20)
  })
})

describe("a room", () => {
  const info = { _tag: "RoomInfo", room: "dev", private: true, moderators: ["bob"], members: 3, createdAt: noon }

  it("is told of in a few lines, and to moderators who is bound there, until when and why", () => {
    assert.deepStrictEqual(
      shown({
        ...info,
        topic: "Release",
        owner: "ada",
        bans: [{ user: "eve", by: "bob", until: noon + hour, reason: "spam" }],
        mutes: [{ user: "cy", by: "ada" }]
      }),
      [
        "[dev] topic: Release",
        "[dev] private, by invitation, since 12:04, 3 members",
        "[dev] owner ada; moderators bob",
        "[dev] banned: eve by bob, until 13:04: spam",
        "[dev] muted: cy by ada, for good"
      ]
    )
    assert.deepStrictEqual(shown({ ...info, private: false, members: 1, moderators: [] }), [
      "[dev] no topic",
      "[dev] open to everybody, since 12:04, 1 member",
      "[dev] no owner; no moderators"
    ])
  })

  it("is told of to who joins, with the role and the topic", () => {
    const joined = {
      _tag: "RoomJoined",
      id: "1",
      room: "dev",
      epoch: "e",
      seq: 0,
      missed: 0,
      truncated: false,
      count: 1
    }
    assert.deepStrictEqual(shown({ ...joined, users: ["ada"], role: "member" }), ["[dev] → you joined; here: ada"])
    assert.deepStrictEqual(shown({ ...joined, users: ["ada"], role: "moderator", private: true, topic: "Release" }), [
      "[dev] → you joined as moderator, a private room; here: ada",
      "[dev] topic: Release"
    ])
  })

  it("is listed with its topic, and as private", () => {
    const rooms = [
      { room: "dev", users: 2, member: true, private: true, topic: "Release" },
      { room: "ops", users: 0 }
    ]
    assert.deepStrictEqual(shown({ _tag: "RoomList", rooms, count: 2 }), [
      "2 rooms: dev (2, private), ops (0)",
      "[dev] topic: Release"
    ])
  })

  it("has its topic listed among the first 20", () => {
    const rooms = Array.from({ length: 25 }, (_, index) => ({ room: `r${index}`, users: 0, topic: "x" }))
    const rows = rowsOf(received({ _tag: "RoomList", rooms, count: 25 }), plain)
    assert.strictEqual(rows.filter((row) => row.includes("topic: x")).length, 20)
    assert.strictEqual(rows.at(-1), "… and 5 topics more; :topic <room> shows one")
  })

  it("that is over for somebody is told in plain words, with the way back", () => {
    const left = { _tag: "RoomLeft", room: "dev", reason: "spam" }
    const words = (beside?: object, message: object = left) => shown(message, beside).join(" ")
    assert.strictEqual(
      words({ putOutBy: "Kicked" }),
      "[dev] ← you were kicked out: spam; :jr dev joins again, a private room with a new invitation"
    )
    assert.strictEqual(
      words({ putOutBy: "Banned" }),
      "[dev] ← you were banned: spam; who moderates the room can lift that, :room dev tells who they are"
    )
    assert.strictEqual(words(), "[dev] ← you are out of it: spam; :jr dev joins again")
    assert.strictEqual(words({}, { _tag: "RoomLeft", id: "1", room: "dev" }), "[dev] ← you left")
    assert.strictEqual(
      words({}, { _tag: "RoomDeleted", room: "dev", by: "ada" }),
      "[dev] ← ada deleted the room, with all that was said in it"
    )
    assert.strictEqual(
      words({}, { _tag: "RoomDeleted", id: "1", room: "dev", by: "ada" }),
      "you deleted the room dev, with all that was said in it"
    )
  })

  it("that one is invited to is told with the command to type", () => {
    assert.deepStrictEqual(shown({ _tag: "Invitation", room: "dev", by: "ada" }), [
      "ada invites you to the room dev; :jr dev joins it"
    ])
  })
})

describe("what somebody says of a room", () => {
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\p{Bidi_Control}\u2028\u2029]/u
  const about = (text: string): ReadonlyArray<object> => [
    { ...by, _tag: "TopicSet", topic: text },
    { ...by, _tag: "Kicked", user: "bob", reason: text },
    { ...by, _tag: "Banned", user: "bob", reason: text, until: noon },
    { ...by, _tag: "Muted", user: "bob", reason: text },
    { _tag: "RoomLeft", room: "dev", reason: text },
    { _tag: "RoomList", rooms: [{ room: "dev", users: 1, topic: text }], count: 1 },
    {
      _tag: "RoomJoined",
      room: "dev",
      epoch: "e",
      seq: 0,
      missed: 0,
      truncated: false,
      users: [],
      count: 0,
      topic: text
    },
    {
      _tag: "RoomInfo",
      room: "dev",
      private: false,
      topic: text,
      moderators: [],
      members: 1,
      createdAt: noon,
      bans: [{ user: "eve", by: "ada", reason: text }],
      mutes: [{ user: "eve", by: "ada", reason: text }]
    }
  ]

  it.prop("is never an escape sequence, nor a line of its own for scripts", { text: NastyText }, ({ text }) => {
    // Whatever a server sends, and so not only what may be a topic.
    const events = about("x").map((message) =>
      JSON.parse(JSON.stringify(message).replaceAll('"x"', JSON.stringify(text.join(""))))
    )
    for (const message of events) {
      for (const style of [terminal, plain]) {
        for (const { text: line } of render({ _tag: "Received", message }, style)) {
          assert.notMatch(line, unsafe)
          if (style === plain) assert.notInclude(line, "\n")
        }
      }
    }
  })

  it("never stands where a message begins, however long it is", () => {
    const topic = `x${" ".repeat(80)}12:05 #1 bob: I owe ada 100`
    for (const message of about(topic)) {
      for (const row of rowsOf(received(message), terminal)) {
        assert.isFalse(row.startsWith("12:05"), row)
      }
    }
  })
})
