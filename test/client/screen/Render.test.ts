import { assert, describe, it } from "@effect/vitest"
import { DateTime, Schema } from "effect"
import { CliOutput } from "effect/cli"
import { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import * as Recent from "../../../src/client/core/Recent.ts"
import type { Style } from "../../../src/client/screen/Layout.ts"
import { render } from "../../../src/client/screen/Render.ts"
import { cellsOf } from "../../../src/client/text/Grapheme.ts"
import { colourful, colourless } from "../../../src/client/text/Palette.ts"
import { safeLine } from "../../../src/client/text/SafeText.ts"
import * as Timestamp from "../../../src/client/text/Timestamp.ts"
import { Epoch } from "../../../src/common/log/Cursor.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { ServerMessage } from "../../../src/common/wire/ServerMessage.ts"
import { NastyText } from "../NastyText.ts"

const noon = Date.UTC(2026, 10, 23, 12, 4)
const common = { timestamp: Timestamp.make(DateTime.zoneMakeOffset(0)), now: noon, columns: 40, tagsLobby: false }
const plain: Style = { ...common, layout: "plain", palette: colourless, columns: Infinity }
const terminal: Style = { ...common, layout: "terminal", palette: colourless }
const wide: Style = { ...terminal, columns: 100 }
const coloured: Style = { ...terminal, palette: colourful }

const decode = Schema.decodeUnknownSync(ServerMessage)
const received = (message: object): ClientEvent => ({ _tag: "Received", message: decode(message) })
const ada = UserName.make("ada")
const said = (content: string): ClientEvent => ({
  _tag: "Received",
  message: { _tag: "GlobalMessage", seq: 1, at: noon, from: ada, content }
})
const texts = (event: ClientEvent, style: Style) => render(event, style).map(({ text }) => text)

// eslint-disable-next-line no-control-regex -- the client's own colours
const withoutColours = (text: string) => text.replaceAll(/\u001b\[\d+m/g, "")
const unsafe = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/u

describe("what is shown", () => {
  it.each([
    [{ _tag: "GlobalMessage", seq: 1, at: noon, from: "ada", content: "hi" }, "#1 ada: hi", "12:04 #1 ada: hi"],
    [
      { _tag: "RoomMessage", room: "dev", seq: 1, at: noon, from: "ada", content: "hi" },
      "#1 [dev] ada: hi",
      "12:04 #1 [dev] ada: hi"
    ],
    [
      { _tag: "PrivateMessage", seq: 1, at: noon - 86_400_000, from: "ada", to: "bob", content: "hi" },
      "#1 (private) ada → bob: hi",
      "2026-11-22 12:04 #1 (private) ada → bob: hi"
    ],
    [
      { _tag: "Edited", room: "dev", seq: 9, at: noon, from: "ada", target: 1, content: "hello" },
      "[dev] ada edited #1: hello",
      "12:04 [dev] ada edited #1: hello"
    ],
    [{ _tag: "Deleted", seq: 9, at: noon, from: "ada", target: 1 }, "ada deleted #1", "12:04 ada deleted #1"],
    [
      { _tag: "Deleted", with: "bo", seq: 9, at: noon, from: "ada", target: 1, reason: "no" },
      "(private) ada → bo deleted #1: no",
      "12:04 (private) ada → bo deleted #1: no"
    ],
    [
      { _tag: "Reacted", with: "bob", seq: 9, at: noon, from: "bob", target: 1, reaction: "👍" },
      "(private) bob reacted 👍 to #1",
      "12:04 (private) bob reacted 👍 to #1"
    ],
    [
      { _tag: "Reacted", seq: 9, at: noon, from: "bob", target: 1, reaction: "👍", removed: true },
      "bob took back 👍 from #1",
      "12:04 bob took back 👍 from #1"
    ],
    [
      { _tag: "Tombstone", room: "dev", seq: 9, at: noon, from: "ada", deletedBy: "Ada", deletedAt: noon },
      "#9 [dev] ada, deleted",
      "12:04 #9 [dev] ada, deleted"
    ],
    [
      { _tag: "Tombstone", seq: 9, at: noon, from: "ada", deletedBy: "bob", deletedAt: noon },
      "#9 ada, deleted by bob",
      "12:04 #9 ada, deleted by bob"
    ],
    [{ _tag: "Presence", joined: ["ada", "bob"], left: [] }, "→ ada, bob joined", "      → ada, bob joined"],
    [{ _tag: "RoomPresence", room: "dev", joined: [], left: ["bob"] }, "[dev] ← bob left", "      [dev] ← bob left"],
    [
      {
        _tag: "RoomJoined",
        room: "dev",
        epoch: "e",
        seq: 7,
        missed: 2,
        truncated: false,
        users: ["ada", "bob"],
        count: 2
      },
      "[dev] → you joined; here: ada, bob; 2 messages to catch up",
      "      [dev] → you joined; here: ada, bob; 2 messages to catch up"
    ],
    [
      { _tag: "Presence", joined: ["ada", "bob"], left: [], all: true },
      "here now: ada, bob",
      "      here now: ada, bob"
    ],
    [
      { _tag: "RoomPresence", room: "dev", joined: ["bob"], left: [], all: true },
      "[dev] here now: bob",
      "      [dev] here now: bob"
    ],
    [
      { _tag: "RoomUsers", room: "dev", users: ["ada"], more: true, count: 12 },
      "[dev] 12 users: ada … and 11 more",
      "      [dev] 12 users: ada … and 11 more"
    ],
    [
      { _tag: "RoomUsers", room: "dev", users: ["ada"], away: ["bob", "cyd"], count: 3 },
      "[dev] 3 users: ada; away: bob, cyd",
      "      [dev] 3 users: ada; away: bob, cyd"
    ],
    [
      { _tag: "KeyAdded", fingerprint: "SHA256:abc" },
      "the key SHA256:abc lets you in from now on, with --key FILE",
      "      the key SHA256:abc lets you in from now on, with --key FILE"
    ],
    [
      { _tag: "UserInfo", user: "bob", account: false, connected: true },
      "bob: a guest, here now",
      "      bob: a guest, here now"
    ],
    [
      { _tag: "Blocked", id: "1", users: ["bob", "mal"] },
      "blocked: bob, mal; :unblock <user> ends that",
      "      blocked: bob, mal; :unblock <user> ends that"
    ],
    [
      { _tag: "Blocked", id: "1", users: [] },
      "nobody is blocked; :block <user> blocks somebody",
      "      nobody is blocked; :block <user> blocks somebody"
    ],
    [
      { _tag: "Reported", id: "1" },
      "reported; whoever runs the server can read what was said, unless it was encrypted",
      "      reported; whoever runs the server can read what was said, unless it was encrypted"
    ],
    [{ _tag: "UserList", users: ["ada"], count: 1 }, "1 user: ada", "      1 user: ada"],
    [
      {
        _tag: "RoomList",
        rooms: [
          { room: "dev", users: 2 },
          { room: "ops", users: 0 }
        ],
        count: 2
      },
      "2 rooms: dev (2), ops (0)",
      "      2 rooms: dev (2), ops (0)"
    ],
    [
      { _tag: "GlobalMessage", seq: 1, at: 9e15, from: "ada", content: "from beyond the calendar" },
      "#1 ada: from beyond the calendar",
      "??:?? #1 ada: from beyond the calendar"
    ]
  ])("of %j is the same for people and for scripts, but for the time", (message, forScripts, forPeople) => {
    assert.deepStrictEqual(texts(received(message), plain), [forScripts])
    assert.deepStrictEqual(texts(received(message), wide), [forPeople])
  })

  it("of devices has the names by which commands call them, for people and for scripts", () => {
    const device = (name: string, more: object) => ({ device: name[0], name, since: noon, lastSeen: noon, ...more })
    const devices = [device("laptop", { connected: true, here: true }), device("phone\u202e", { connected: false })]
    assert.deepStrictEqual(texts(received({ _tag: "Devices", devices }), wide), [
      "      l. laptop, since 12:04, this one",
      "      p. phone, since 12:04, last here 12:04",
      "      2 devices"
    ])
    assert.match(texts(received({ _tag: "Devices", devices }), plain)[1] ?? "", /^p\. phone, since /)
    assert.deepStrictEqual(texts(received({ _tag: "Keys", keys: [] }), terminal), [
      "      no keys; :key add <file> adds one"
    ])
  })

  it("of an account tells its rooms and what is unread where, mentions and private conversations too", () => {
    const standing = (room: string, unread: number, mentions: number) => ({
      room,
      seq: 9,
      read: 2,
      unread,
      mentions,
      role: "member"
    })
    const welcome = {
      _tag: "Welcome",
      user: "ada",
      protocol: 1,
      server: { name: "parley", version: "1" },
      account: true,
      lobby: { epoch: "e", seq: 1 },
      rooms: [standing("dev", 1000, 3), standing("ops", 0, 0)],
      conversations: [{ with: "bob", seq: 9, read: 2, unread: 4 }]
    }
    const event = ClientEvent.cases.Connected.make({
      welcome: Schema.decodeUnknownSync(ServerMessage.cases.Welcome)(welcome)
    })
    assert.deepStrictEqual(texts(event, { ...terminal, columns: 120 }), [
      "— connected to parley 1 as ada, logged in; :help lists the commands —",
      "      in dev, ops again",
      "      unread: 1000+ in dev (3 name you), 4 from bob; :history dev shows them"
    ])
  })

  it("of several lines is one line for scripts, and marked behind the first for people", () => {
    const event = said("one\ntwo\r\nthree\u2028four")
    assert.deepStrictEqual(texts(event, plain), ["#1 ada: one ⏎ two ⏎ three ⏎ four"])
    assert.deepStrictEqual(texts(event, terminal), ["12:04 #1 ada: one\n      ┊ two\n      ┊ three\n      ┊ four"])
  })

  it("names a few of many who come or go at once, where one is brief, and else all", () => {
    const many = Array.from({ length: 7 }, (_, index) => `u${index}`)
    const event = received({ _tag: "Presence", joined: many, left: many.slice(0, 5) })
    const all = { ...terminal, columns: 200 }
    assert.deepStrictEqual(texts(event, { ...all, isBrief: true }), [
      "      → u0, u1, u2, u3 and 3 more joined",
      "      ← u0, u1, u2, u3, u4 left"
    ])
    for (const style of [all, plain]) assert.include(texts(event, style)[0], "u4, u5, u6 joined")
  })

  describe("of a reply and a reaction", () => {
    const replying = { _tag: "GlobalMessage", seq: 2, at: noon, from: "bob", content: "yes", replyTo: 1 }
    const reacting = { _tag: "Reacted", seq: 3, at: noon, from: "bob", target: 1, reaction: "👍" }
    const knowing = (content: string) => Recent.follow(Recent.empty, [said(content)])
    const textsKnowing = (message: object, style: Style, recent: Recent.Recent) =>
      render(received(message), style, recent).map(({ text }) => text)

    it("tells people what they are about, if that was shown lately", () => {
      const recent = knowing("who waters them?")
      assert.deepStrictEqual(textsKnowing(replying, terminal, recent), [
        "      ↳ #1 ada: who waters them?\n12:04 #2 bob: yes"
      ])
      assert.deepStrictEqual(textsKnowing(reacting, { ...terminal, columns: 80 }, recent), [
        "12:04 bob reacted 👍 to #1 “who waters them?”"
      ])
      assert.deepStrictEqual(texts(received(replying), terminal), ["      ↳ #1\n12:04 #2 bob: yes"])
    })

    it("tells scripts the number alone, behind which nothing is to be guessed", () => {
      const recent = knowing("who waters them?")
      assert.deepStrictEqual(textsKnowing(replying, plain, recent), ["#2 bob ↳ #1: yes"])
      assert.deepStrictEqual(textsKnowing(reacting, plain, recent), ["bob reacted 👍 to #1"])
    })

    it("forgets the words once they are deleted", () => {
      const deleted = received({ _tag: "Deleted", seq: 2, at: noon, from: "ada", target: 1 })
      const recent = Recent.follow(knowing("a secret"), [deleted])
      for (const message of [replying, reacting]) {
        assert.notInclude(textsKnowing(message, terminal, recent).join(""), "secret")
      }
    })

    it.prop("has of the words one row, whatever they are", { text: NastyText }, ({ text }) => {
      const recent = knowing(`x${text.join("")}`)
      for (const style of [terminal, coloured]) {
        const [quote = "", reply = ""] = textsKnowing(replying, style, recent).join("").split("\n")
        assert.isTrue(withoutColours(quote).startsWith("      ↳ #1 ada: x"))
        assert.isAtMost(cellsOf(withoutColours(quote)), 40)
        assert.strictEqual(withoutColours(reply), "12:04 #2 bob: yes")
        assert.notMatch(withoutColours(quote), unsafe)
      }
    })
  })

  describe("of a message that names the reader", () => {
    const recent = Recent.follow(Recent.empty, [
      {
        _tag: "Connected",
        welcome: {
          _tag: "Welcome",
          user: ada,
          protocol: 1,
          server: { name: "parley", version: "1" },
          account: false,
          lobby: { epoch: Epoch.make("e"), seq: 0 }
        }
      }
    ])
    const from = (user: string, content: string) => ({ _tag: "GlobalMessage", seq: 1, at: noon, from: user, content })
    const line = (message: object, style: Style) => render(received(message), style, recent)[0]

    it("has a mark in front of its number, in colours and without, and rings", () => {
      assert.deepStrictEqual(line(from("bob", "hi @Ada."), terminal), {
        kind: "said",
        text: "12:04 * #1 bob: hi @Ada.",
        rings: true
      })
      assert.include(line(from("bob", "hi @Ada."), coloured)?.text, "\u001b[7m*\u001b[0m")
      const edited = { _tag: "Edited", seq: 2, at: noon, from: "bob", target: 1, content: "hi @ada!" }
      for (const other of [from("bob", "hi @adam"), from("ADA", "I, @ada"), edited]) {
        assert.notInclude(line(other, terminal)?.text, "*")
        assert.isUndefined(line(other, terminal)?.rings)
      }
    })

    it("is marked in a history, too, where it does not ring; and is no other for scripts", () => {
      const old = line({ _tag: "History", messages: [from("bob", "hi @ada")], more: false }, terminal)
      assert.deepStrictEqual(old, { kind: "said", text: "12:04 * #1 bob: hi @ada" })
      assert.strictEqual(line(from("bob", "hi @ada"), plain)?.text, "#1 bob: hi @ada")
    })
  })

  describe("of a message in a history", () => {
    const message = {
      _tag: "GlobalMessage",
      seq: 1,
      at: noon,
      from: "ada",
      content: "hi",
      edited: noon,
      reactions: [
        { reaction: "👍", users: ["bob"], count: 1 },
        { reaction: "❤", users: ["bob", "cy", "dan", "eve"], count: 21 }
      ]
    }
    const history = (content: string) => received({ _tag: "History", messages: [{ ...message, content }], more: false })

    it("tells behind it that it was edited, and who reacted", () => {
      assert.strictEqual(texts(history("hi"), terminal)[0], "12:04 #1 ada: hi  (edited)  👍 bob  ❤ 21")
    })

    it("has that on rows of its own where it does not fit", () => {
      assert.strictEqual(
        texts(history("as long as a row can be"), terminal)[0],
        "12:04 #1 ada: as long as a row can be\n      ┊ (edited)  👍 bob  ❤ 21"
      )
    })

    it("tells scripts the same behind tabs, which no text holds", () => {
      const [line = ""] = texts(history("hi\t(edited)\t👍 9"), { ...plain, timestamp: Timestamp.utc })
      assert.deepStrictEqual(line.split("\t"), [
        "2026-11-23T12:04:00Z #1 ada: hi (edited) 👍 9",
        "edited",
        "👍 1",
        "❤ 21"
      ])
    })
  })

  it("of a long line is broken behind a mark, so that padding cannot fake a message", () => {
    const event = said(`so${" ".repeat(26)}12:05 bob: I owe ada 100`)
    assert.deepStrictEqual(
      texts(event, terminal).flatMap((text) => text.split("\n").map((row) => row.trimEnd())),
      ["12:04 #1 ada: so", "      ┊ 12:05 bob: I owe ada 100"]
    )
  })

  it("of the connection's fate goes beside the chat", () => {
    const events: ReadonlyArray<ClientEvent> = [
      { _tag: "Disconnected", cause: "the connection was cut" },
      { _tag: "Reconnected", missed: 12 },
      { _tag: "Gap", conversation: { _tag: "Lobby" }, missing: 3 },
      { _tag: "Skipped", events: 5 }
    ]
    assert.deepStrictEqual(
      events.flatMap((event) => render(event, plain)),
      [
        { kind: "notice", text: "— connection lost (the connection was cut), reconnecting… —" },
        { kind: "notice", text: "— 12 new —" },
        { kind: "notice", text: "— in the lobby, 3 older messages left out; :history 500 and :more go back to them —" },
        { kind: "notice", text: "— 5 events skipped: they came faster than they could be shown —" }
      ]
    )
  })

  it.each([
    [0, 0, ["— back —"]],
    [12, 0, ["— 12 new —"]],
    [0, 3, ["— back —", "— 3 new in dev —"]],
    [12, 3, ["— 12 new —", "— 3 new in dev —"]]
  ])("of a return tells that %i in the lobby and %i in a room are new", (missed, missedInRoom, notices) => {
    const dev = { room: RoomName.make("dev"), epoch: Epoch.make("e"), seq: 7, truncated: false, users: [ada], count: 1 }
    const events: ReadonlyArray<ClientEvent> = [
      { _tag: "Reconnected", missed },
      { _tag: "Rejoined", joined: { _tag: "RoomJoined", ...dev, missed: missedInRoom }, missed: missedInRoom }
    ]
    assert.deepStrictEqual<unknown>(
      events.flatMap((event) => texts(event, terminal)),
      notices
    )
  })

  it.each([
    ["History", [], false, ["nothing was said yet"]],
    ["History", [1], false, ["12:04 #1 ada: 1", "1 message of history"]],
    ["History", [1, 2], true, ["12:04 #1 ada: 1", "12:04 #2 ada: 2", "2 messages of history; :more shows older ones"]],
    ["SearchResults", [], false, ["nothing found"]],
    ["SearchResults", [2], false, ["12:04 #2 ada: 2", "1 message found"]],
    ["SearchResults", [2, 1], true, ["12:04 #1 ada: 1", "12:04 #2 ada: 2", "2 messages found; :more shows older ones"]]
  ])("of a page, %s %j, is oldest first, with what there is to say about it", (_tag, seqs, more, shown) => {
    const messages = seqs.map((seq) => ({ _tag: "GlobalMessage", seq, at: noon, from: "ada", content: `${seq}` }))
    assert.deepStrictEqual<unknown>(
      texts(received({ _tag, messages, more }), wide).map((text) => text.trimStart()),
      shown
    )
  })

  it("of a list of many names cuts no name and no word, with colours and without", () => {
    const users = ["alexandria", "bartholomew", "constantine", "dorothea"]
    const list = received({ _tag: "UserList", users, count: 4 })
    assert.deepStrictEqual(texts(list, terminal), [
      "      4 users: alexandria, bartholomew,\n      constantine, dorothea"
    ])
    assert.deepStrictEqual(texts(list, coloured).map(withoutColours), texts(list, terminal))
  })

  it("of the lobby names it where another conversation is before the reader", () => {
    const elsewhere: Style = { ...wide, tagsLobby: true }
    assert.deepStrictEqual(texts(said("hi"), elsewhere), ["12:04 #1 [lobby] ada: hi"])
    const deletion = received({ _tag: "Deleted", seq: 2, at: noon, from: "ada", target: 1 })
    assert.deepStrictEqual(texts(deletion, elsewhere), ["12:04 [lobby] ada deleted #1"])
    const room = { _tag: "RoomMessage", room: "Lobby", seq: 1, at: noon, from: "ada", content: "hi" }
    assert.deepStrictEqual(texts(received(room), elsewhere), ["12:04 #1 [room Lobby] ada: hi"])
  })

  it("of old messages tells the time also to a script, so that it takes none for a new one", () => {
    const message = { _tag: "RoomMessage", room: "dev", seq: 1, at: noon, from: "ada", content: "hi" }
    const forScripts: Style = { ...plain, timestamp: Timestamp.utc }
    assert.deepStrictEqual(texts(received({ _tag: "History", messages: [message], more: false }), forScripts), [
      "2026-11-23T12:04:00Z #1 [dev] ada: hi",
      "1 message of history"
    ])
    assert.deepStrictEqual(texts(received(message), forScripts), ["#1 [dev] ada: hi"])
    assert.strictEqual(Timestamp.utc(9e15, noon), "????-??-??T??:??:??Z")
  })

  it("has the time dim and each user in one colour of its own", () => {
    assert.strictEqual(
      texts(said("hi"), coloured)[0],
      "\u001b[2m12:04\u001b[0m \u001b[2m#1\u001b[0m \u001b[33mada\u001b[0m: hi"
    )
  })

  it.prop("has every name as it is", { user: UserName, room: RoomName }, ({ user, room }) => {
    for (const name of [user, room]) assert.strictEqual(safeLine(name), name)
  })

  it.each([
    ["हिन्दी", 5],
    ["שָׁלוֹם", 4],
    ["é", 1],
    ["漢字", 4]
  ])("has of the name %s, with its marks, %i cells", (name, cells) => {
    assert.strictEqual(safeLine(UserName.make(name)), name)
    assert.strictEqual(cellsOf(name), cells)
  })

  it.prop("has a user's colour whatever the case of the name", { name: UserName }, ({ name }) => {
    const sgr = (text: string) => text.slice(0, text.indexOf("m"))
    assert.strictEqual(sgr(colourful.user(name)), sgr(colourful.user(name.toUpperCase())))
  })
})

describe("text from others", () => {
  it.each([
    ["\u009b2Jgone", "2Jgone", "a C1 control sequence"],
    ["\u202egnp.exe", "gnp.exe", "a bidirectional override"],
    ["a\u00adb\u200bc\ufeffd", "abcd", "characters nobody sees"],
    ["👩\u200d💻 ❤\ufe0f", "👩\u200d💻 ❤\ufe0f", "emoji made of several characters"],
    [`e${"\u0301".repeat(40)}f`, `e${"\u0301".repeat(4)}f`, "a tower of marks"],
    [`e${"\u0301\u200d".repeat(9)}`, `e${"\u0301\u200d".repeat(4)}`, "a tower with joiners"],
    ["\t日本語 नमस्ते", " 日本語 नमस्ते", "scripts of the world"]
  ])("%j is shown as %j: %s", (content, shown) => {
    assert.deepStrictEqual(texts(said(content), plain), [`#1 ada: ${shown}`])
  })

  const nastyEvents = (text: string): ReadonlyArray<ClientEvent> => [
    said(text),
    {
      _tag: "Received",
      message: { _tag: "RoomMessage", room: RoomName.make("dev"), seq: 1, at: noon, from: ada, content: text }
    },
    { _tag: "Received", message: { _tag: "PrivateMessage", seq: 1, at: noon, from: ada, to: ada, content: text } },
    { _tag: "Received", message: { _tag: "Rejected", reason: { _tag: "CannotMessageYourself" }, message: text } },
    { _tag: "Received", message: { _tag: "RoomLeft", room: RoomName.make("dev"), reason: text } },
    {
      _tag: "Received",
      message: { _tag: "Edited", seq: 2, at: noon, from: ada, target: 1, content: text }
    },
    { _tag: "Received", message: { _tag: "Deleted", seq: 2, at: noon, from: ada, target: 1, reason: text } },
    { _tag: "Received", message: { _tag: "Reacted", seq: 2, at: noon, from: ada, target: 1, reaction: text } },
    { _tag: "Disconnected", cause: text },
    { _tag: "RejoinRefused", room: RoomName.make("dev"), message: text }
  ]

  it.prop("never reaches the screen as a control character", { text: NastyText }, ({ text }) => {
    for (const event of nastyEvents(text.join(""))) {
      for (const style of [terminal, coloured]) {
        for (const shown of texts(event, style)) assert.notMatch(withoutColours(shown).replaceAll("\n", ""), unsafe)
      }
    }
  })

  it.prop("is one line a script can read", { text: NastyText }, ({ text }) => {
    for (const event of nastyEvents(text.join(""))) {
      assert.strictEqual(texts(event, plain).length, 1)
      for (const shown of texts(event, plain)) assert.notMatch(shown, unsafe)
    }
  })

  it.prop("stays behind the mark in every row but its first", { text: NastyText }, ({ text }) => {
    const [, ...rows] = texts(said(text.join("")), terminal).flatMap((shown) => shown.split("\n"))
    for (const row of rows) {
      assert.isTrue(row.startsWith("      ┊ "))
      // An address that is wider than the row is left to the terminal.
      // A selector with no character before it is seen by nobody, and counted by the library.
      const seen = row.replaceAll(/(?<=\s)\ufe0f/g, "")
      assert.isTrue(CliOutput.displayWidth(seen) <= 40 || /^ +┊ https?:\S+$/.test(row.trimEnd()))
    }
  })
})

describe("every event", () => {
  it.prop("can be shown, to people and to scripts", { event: ClientEvent }, ({ event }) => {
    for (const style of [plain, terminal, coloured]) assert.isArray(texts(event, style))
  })
})
