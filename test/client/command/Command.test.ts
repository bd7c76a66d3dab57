import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import type { Action } from "../../../src/client/command/Action.ts"
import { commands, parse, usage } from "../../../src/client/command/Command.ts"
import { help, helpRows } from "../../../src/client/command/Help.ts"
import { Reason } from "../../../src/common/log/Governing.ts"
import { Content } from "../../../src/common/text/Content.ts"
import { NastyText } from "../NastyText.ts"

const understood = (line: string): Action => {
  const action = parse(line)
  assert.isTrue(Result.isSuccess(action), `${line} is understood`)
  return Result.getOrThrow(action)
}

const complaint = (line: string): string => {
  const action = parse(line)
  assert.isTrue(Result.isFailure(action), `${line} is not understood`)
  return Result.isFailure(action) ? action.failure.message : ""
}

const isContent = Schema.is(Content)
const isReason = Schema.is(Reason)

const say = (content: string) => ({ _tag: "Say", content })

const ask = (request: object) => ({ _tag: "Ask", request })

describe("what a line asks for", () => {
  it.each([
    ["hello", say("hello")],
    ["  kept as  it is ", say("  kept as  it is ")],
    ["::) is no command", say(":) is no command")],
    ["//usr is a folder", say("/usr is a folder")],
    [" //usr", say("/usr")],
    ["/quit", { _tag: "Quit" }],
    ["  /Quit", { _tag: "Quit" }],
    ["/pm ada /quit", ask({ _tag: "PrivateMessage", to: "ada", content: "/quit" })],
    [":pm ada", { _tag: "Go", where: { with: "ada" } }],
    [":pm ada   ", { _tag: "Go", where: { with: "ada" } }],
    [":lobby", { _tag: "Go", where: {} }],
    ["/help /rm", { _tag: "Help", command: "rm" }],
    [":quit", { _tag: "Quit" }],
    [":QUIT", { _tag: "Quit" }],
    ["  :quit", { _tag: "Quit" }],
    [":ping", ask({ _tag: "Ping", nonce: 0 })],
    [":pm ada Are you there?", ask({ _tag: "PrivateMessage", to: "ada", content: "Are you there?" })],
    [":pm ada  two spaces", ask({ _tag: "PrivateMessage", to: "ada", content: " two spaces" })],
    [":users", ask({ _tag: "ListUsers" })],
    [":cr dev", ask({ _tag: "CreateRoom", room: "dev" })],
    [":cr dev Release on  Friday ", ask({ _tag: "CreateRoom", room: "dev", topic: "Release on  Friday" })],
    [":cr --private dev", ask({ _tag: "CreateRoom", room: "dev", private: true })],
    [":cr dev --PRIVATE all ours", ask({ _tag: "CreateRoom", room: "dev", private: true, topic: "all ours" })],
    [":cr dev ours --private", ask({ _tag: "CreateRoom", room: "dev", private: true, topic: "ours" })],
    [":block", ask({ _tag: "ListBlocked" })],
    [":block bob", ask({ _tag: "Block", user: "bob" })],
    [":unblock bob", ask({ _tag: "Unblock", user: "bob" })],
    [":room dev", ask({ _tag: "GetRoom", room: "dev" })],
    [":topic dev", ask({ _tag: "GetRoom", room: "dev" })],
    [":topic dev Ask 2 people", ask({ _tag: "SetTopic", room: "dev", topic: "Ask 2 people" })],
    [":topic dev -", ask({ _tag: "SetTopic", room: "dev", topic: "" })],
    [":invite dev bob", ask({ _tag: "InviteUser", room: "dev", user: "bob" })],
    [":kick dev bob", ask({ _tag: "Kick", room: "dev", user: "bob" })],
    [":kick dev bob 3 strikes ", ask({ _tag: "Kick", room: "dev", user: "bob", reason: "3 strikes" })],
    [":ban dev bob", ask({ _tag: "Ban", room: "dev", user: "bob" })],
    [":ban dev bob 2h", ask({ _tag: "Ban", room: "dev", user: "bob", seconds: 7200 })],
    [
      ":ban dev bob  2H  spam, 3 times",
      ask({ _tag: "Ban", room: "dev", user: "bob", seconds: 7200, reason: "spam, 3 times" })
    ],
    [":ban dev bob spam for 2h", ask({ _tag: "Ban", room: "dev", user: "bob", reason: "spam for 2h" })],
    [":ban dev bob 365d", ask({ _tag: "Ban", room: "dev", user: "bob", seconds: 31_536_000 })],
    [":ban dev bob 1y", ask({ _tag: "Ban", room: "dev", user: "bob", seconds: 31_536_000 })],
    [":unban dev bob", ask({ _tag: "Unban", room: "dev", user: "bob" })],
    [":mute dev bob 30m", ask({ _tag: "Mute", room: "dev", user: "bob", seconds: 1800 })],
    [":mute * bob 1s flood", ask({ _tag: "Mute", user: "bob", seconds: 1, reason: "flood" })],
    [":unmute dev bob", ask({ _tag: "Unmute", room: "dev", user: "bob" })],
    [":unmute * bob", ask({ _tag: "Unmute", user: "bob" })],
    [":op dev bob", ask({ _tag: "SetRole", room: "dev", user: "bob", role: "moderator" })],
    [":deop dev bob", ask({ _tag: "SetRole", room: "dev", user: "bob", role: "member" })],
    [
      ":owner dev bob",
      { ...ask({ _tag: "SetRole", room: "dev", user: "bob", role: "owner" }), sure: "hand the room dev over to bob" }
    ],
    [":private dev", ask({ _tag: "SetAccess", room: "dev", private: true })],
    [":open dev", ask({ _tag: "SetAccess", room: "dev", private: false })],
    [
      ":rmroom dev",
      {
        ...ask({ _tag: "DeleteRoom", room: "dev" }),
        sure: "delete the room dev with all that was said in it, for everybody"
      }
    ],
    [":audit", ask({ _tag: "GetHistory", only: "moderation" })],
    [":audit dev", ask({ _tag: "GetHistory", room: "dev", only: "moderation" })],
    [":audit dev 7", ask({ _tag: "GetHistory", room: "dev", only: "moderation", limit: 7 })],
    [":jr  dev ", ask({ _tag: "JoinRoom", room: "dev" })],
    [":jr ｄｅｖ", ask({ _tag: "JoinRoom", room: "dev" })],
    [":lr dev", ask({ _tag: "LeaveRoom", room: "dev" })],
    [":lrs", ask({ _tag: "ListRooms" })],
    [":lru dev", ask({ _tag: "ListRoomUsers", room: "dev" })],
    [":rm dev :wq", ask({ _tag: "RoomMessage", room: "dev", content: ":wq" })],
    [":history", ask({ _tag: "GetHistory" })],
    [":history 7", ask({ _tag: "GetHistory", limit: 7 })],
    [":history dev", ask({ _tag: "GetHistory", room: "dev" })],
    [":history 42 7", ask({ _tag: "GetHistory", room: "42", limit: 7 })],
    [":search ripe tomatoes ", ask({ _tag: "Search", query: "ripe tomatoes" })],
    [':search in:dev "release notes" ada', ask({ _tag: "Search", room: "dev", query: '"release notes" ada' })],
    [":search tomatoes In:dev ripe", ask({ _tag: "Search", room: "dev", query: "tomatoes ripe" })],
    [':search "in:dev" in:ops', ask({ _tag: "Search", room: "ops", query: '"in:dev"' })],
    [':search  say "a  in:dev b', ask({ _tag: "Search", query: 'say "a  in:dev b' })],
    [":search in: dev", ask({ _tag: "Search", query: "in: dev" })],
    [":more", { _tag: "More" }],
    [":help", { _tag: "Help", command: undefined }],
    [":help :rm", { _tag: "Help", command: "rm" }],
    [":edit  ", { _tag: "About", mention: {}, act: { _tag: "Edit" } }],
    ["", { _tag: "Nothing" }],
    [" \t", { _tag: "Nothing" }]
  ])("%j is read as meant", (line, action) => {
    assert.deepStrictEqual<unknown>(understood(line), action)
  })

  it.each([
    [":jion dev", "Did you mean :jr <room>?"],
    // An odd guess is worse than none.
    [":sort", "Type :help for a list."],
    [":away", "Type :help for a list."],
    [":me waves", "Type :help for a list."],
    [":hisotry", "Did you mean :history [room] [n]?"],
    [":exit", "Did you mean :quit?"],
    [":msg ada hi", "Did you mean :pm <user> [message]?"],
    [":)", "Type :help for a list."],
    [":", "Type :help for a list."],
    [":whatever", 'To send the line as text, begin it with "::"'],
    [
      "/jion dev",
      'There is no command "/jion". Did you mean :jr <room>? To send the line as text, begin it with "//".'
    ],
    ["/home/ada is full", 'begin it with "//"'],
    ["/", "Type :help for a list."],
    [":/", "Type :help for a list."],
    [":lobby now", 'there is no place for "now"'],
    [":rm", "<room> is missing"],
    [":rm dev", "<message> is missing"],
    [":pm ada!! hi", "<user> must start with a letter or digit"],
    [":jr my room", 'there is no place for "room"'],
    [":cr my! room", "<room> must"],
    [":cr --secret dev", "<room> must"],
    [":cr", "<room> is missing. Type :cr [--private] <room> [topic]"],
    [":room", "<room> is missing"],
    [
      ":kick dev",
      "<user> is missing. Type :kick <room> <user> [reason], for example :kick dev bob This is the wrong room."
    ],
    [
      ":ban dev bob 3 strikes",
      "<time> must be a time from 1 second to 1 year: a number and s, m, h, d, w or y, as 30m, 2h or 7d"
    ],
    [":ban dev bob 0s", "<time> must be a time from 1 second to 1 year"],
    [":ban dev bob 366d", "<time> must be a time from 1 second to 1 year"],
    [":ban dev bob 2y", "<time> must be a time from 1 second to 1 year"],
    [":ban dev bob 2hours", "<time> must be a time from 1 second to 1 year"],
    [":mute dev bob -5m", "<time> must be a time from 1 second to 1 year"],
    [":mute @bob bob", "<room> must"],
    [":kick * bob", "<room> must"],
    [":unban dev bob now", 'there is no place for "now"'],
    [`:topic dev ${"x".repeat(301)}`, "<topic> must have 0 to 300 characters"],
    [":kik dev bob", "Did you mean :kick <room> <user> [reason]?"],
    [":transfer dev bob", "Did you mean :owner <room> <user>?"],
    [":lrs now", 'there is no place for "now"'],
    [":history dev 501", "<n> must be a whole number from 1 to 500"],
    [":history dev many", "<n> must be a finite number"],
    [":search", "<words> is missing"],
    [":search in:dev", "<words> is missing"],
    [":search ?!", "<words> must hold a letter or a digit"],
    [":search in:dev! x", "<in:room> must"],
    [":search in:dev in:ops x", "<in:room> must"],
    [":delet", "Did you mean :delete [in:room] [#n] [reason]?"],
    [":answer x", "Did you mean :reply [in:room] [#n] <text>?"],
    [":reply #12", "<text> is missing"],
    [":reply  ", "<text> is missing"],
    [":reply #12  \t", "<text> is missing"],
    [":rm dev   ", "<message> is missing"],
    [":rm dev \u3000", "<message> is missing"],
    [":react #12", "<reaction> is missing"],
    [":react 12 👍", 'there is no place for "👍"'],
    [":react too-long-for-a-reaction-by-some-letters", "<reaction> must have 1 to 32 characters"],
    [":edit in:dev! #1 x", "<in:room> must be a room, @user for what was said in private, or * for the lobby"],
    [":edit in:@a! #1 x", "<in:room> must be a room"],
    [":find x", "Did you mean :search [in:room] <words>?"],
    [`:cr ${"x".repeat(65)}`, "<room> must have 1 to 64 characters"],
    ["bell\u0007", "must not hold control characters"],
    ["x".repeat(8193), "must have 1 to 8192 characters"]
  ])("%j is refused with a hint", (line, hint) => {
    assert.include(complaint(line), hint)
  })

  it.prop(
    "a mistyped command is never chat",
    { text: NastyText, sign: Schema.Literals([":", "/"]) },
    ({ sign, text }) => {
      const typo = text.join("")
      const action = parse(`${sign}${typo}`)
      const isChat = Result.isSuccess(action) && action.success._tag === "Say"
      assert.strictEqual(isChat, typo.startsWith(sign) && Result.isSuccess(action))
    }
  )

  it.prop(
    "a reason stands as it is typed behind whom it is about, and behind the time, if there is one",
    { text: NastyText, amount: Schema.Int, unit: Schema.Literals(["s", "m", "h", "d", "w", "y"]) },
    ({ amount, text, unit }) => {
      const reason = text.join("").trim()
      const time = `${amount}${unit}`
      const seconds = amount * { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 }[unit]
      const isTime = seconds >= 1 && seconds <= 31_536_000
      const typed = parse(`:ban dev bob ${time} ${reason}`)
      if (!isTime) return assert.include(complaint(`:ban dev bob ${time} ${reason}`), "<time> must be a time")
      if (reason !== "" && !isReason(reason)) return assert.isTrue(Result.isFailure(typed))
      const because = reason === "" ? {} : { reason }
      assert.deepStrictEqual<unknown>(
        Result.getOrThrow(typed),
        ask({ _tag: "Ban", room: "dev", user: "bob", seconds, ...because })
      )
      if (/^[-+.]?\d/.test(reason)) return
      assert.deepStrictEqual<unknown>(
        understood(`:mute dev bob ${reason}`),
        ask({ _tag: "Mute", room: "dev", user: "bob", ...because })
      )
    }
  )

  it.prop(
    "whatever can be sent is sent exactly, also with a colon or slash in front",
    { text: NastyText },
    ({ text }) => {
      const content = text.join("")
      if (!isContent(content)) return
      for (const sign of [":", "/"])
        assert.deepStrictEqual<unknown>(understood(`${sign}${sign}${content}`), say(`${sign}${content}`))
    }
  )
})

describe("the table of commands", () => {
  it("has an example that is understood for each command", () => {
    for (const { example } of commands) assert.isTrue(Result.isSuccess(parse(example)))
  })

  it("shows every command in the help, with its usage and what it does", () => {
    const lines = help()
    for (const command of commands) {
      assert.isTrue(lines.some((line) => line.usage === usage(command) && line.text === command.summary))
    }
  })

  it.each([30, 60, 80, 120])("is written in %d columns without a word that is cut", (width) => {
    const rows = helpRows(help(), width)
    for (const row of rows) assert.isAtMost(row.length, width)
    const words = (text: string) => text.split(/\s+/).filter((word) => word !== "")
    const all = help().flatMap(({ text, usage: typed = "" }) => words(`${typed} ${text}`))
    assert.deepStrictEqual(words(rows.join(" ")).toSorted(), all.toSorted())
  })

  it("explains one command with an example", () => {
    assert.strictEqual(help("foo")[0]?.text, 'There is no command ":foo". These there are:')
    assert.deepStrictEqual(helpRows(help("pm"), Infinity), [
      "  :pm <user> [message]  tell one user something in private, or talk to them from now on",
      "for example: :pm ada Are you there?",
      "Without a message, plain text goes to them from now on, at a terminal. :lobby goes back."
    ])
    assert.include(helpRows(help("ban"), Infinity).join("\n"), "from 1 second to 1 year; without one it is for good")
  })
})
