import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import type { Action } from "../../../src/client/command/Action.ts"
import { commands, parse, usage } from "../../../src/client/command/Command.ts"
import { help } from "../../../src/client/command/Help.ts"
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

const ask = (request: object) => ({ _tag: "Ask", request })

describe("what a line asks for", () => {
  it.each([
    ["hello", ask({ _tag: "GlobalMessage", content: "hello" })],
    ["  kept as  it is ", ask({ _tag: "GlobalMessage", content: "  kept as  it is " })],
    ["::) is no command", ask({ _tag: "GlobalMessage", content: ":) is no command" })],
    [":quit", { _tag: "Quit" }],
    [":QUIT", { _tag: "Quit" }],
    ["  :quit", { _tag: "Quit" }],
    [":ping", ask({ _tag: "Ping", nonce: 0 })],
    [":pm ada Are you there?", ask({ _tag: "PrivateMessage", to: "ada", content: "Are you there?" })],
    [":pm ada  two spaces", ask({ _tag: "PrivateMessage", to: "ada", content: " two spaces" })],
    [":users", ask({ _tag: "ListUsers" })],
    [":cr dev", ask({ _tag: "CreateRoom", room: "dev" })],
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
    [":hisotry", "Did you mean :history [room] [n]?"],
    [":exit", "Did you mean :quit?"],
    [":msg ada hi", "Did you mean :pm <user> <message>?"],
    [":)", "Type :help for a list."],
    [":", "Type :help for a list."],
    [":whatever", 'To send the line as text, begin it with "::"'],
    [":rm", "<room> is missing"],
    [":rm dev", "<message> is missing"],
    [":pm ada!! hi", "<user> must start with a letter or digit"],
    [":cr my room", 'there is no place for "room"'],
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
    [":pm ada   ", "<message> is missing"],
    [":pm ada \u3000", "<message> is missing"],
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

  it.prop("a mistyped command is never chat", { text: NastyText }, ({ text }) => {
    const typo = text.join("")
    const action = parse(`:${typo}`)
    const isChat =
      Result.isSuccess(action) && action.success._tag === "Ask" && action.success.request._tag === "GlobalMessage"
    assert.strictEqual(isChat, typo.startsWith(":") && Result.isSuccess(action))
  })

  it.prop("whatever can be sent is sent exactly, also with a colon in front", { text: NastyText }, ({ text }) => {
    const content = text.join("")
    if (!isContent(content)) return
    assert.deepStrictEqual<unknown>(understood(`::${content}`), ask({ _tag: "GlobalMessage", content: `:${content}` }))
  })
})

describe("the table of commands", () => {
  it("has an example that is understood for each command", () => {
    for (const { example } of commands) assert.isTrue(Result.isSuccess(parse(example)))
  })

  it("shows every command in the help, with its usage and what it does", () => {
    const lines = help()
    for (const command of commands) {
      assert.isTrue(lines.some((line) => line.includes(usage(command)) && line.includes(command.summary)))
    }
  })

  it("explains one command with an example", () => {
    assert.strictEqual(help("foo")[0], 'There is no command ":foo". These there are:')
    assert.deepStrictEqual(help("pm"), [
      ":pm <user> <message>  tell one user something in private",
      "for example: :pm ada Are you there?"
    ])
  })
})
