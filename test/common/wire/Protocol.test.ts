/**
 * PROTOCOL.md, held against the schemas: each of its examples is a message of this protocol as it says, each message has
 * examples and a section that names all its fields, and each rejection has one with the sentence the server says.
 */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Option, Result, Schema } from "effect"
import { maxReactions } from "../../../src/common/log/Entry.ts"
import { Topic } from "../../../src/common/log/Governing.ts"
import {
  maxAdds,
  maxCommitBytes,
  maxRemoves,
  maxRoomDevices,
  maxSealedBytes,
  maxWelcomeBytes
} from "../../../src/common/log/Sealing.ts"
import { maxReactors } from "../../../src/common/log/Timeline.ts"
import { maxContentCodePoints } from "../../../src/common/text/Content.ts"
import {
  maxConversations,
  maxDevices,
  maxInvitations,
  maxKeys,
  maxUnread
} from "../../../src/common/wire/AccountMessage.ts"
import { ClientMessage, defaultHistoryLimit, maxHistoryLimit, written } from "../../../src/common/wire/ClientMessage.ts"
import { describe as sentence, endsConnection, Rejection } from "../../../src/common/wire/Rejection.ts"
import { maxSeconds } from "../../../src/common/wire/RoomRequest.ts"
import {
  maxDeviceEntries,
  maxEntriesAtOnce,
  maxKeyPackageBytes,
  maxKeyPackages,
  maxPackagesAtOnce
} from "../../../src/common/wire/SealingRequest.ts"
import { maxNames, protocolVersion, ServerMessage } from "../../../src/common/wire/ServerMessage.ts"
import { maxBans, maxInvited, maxModerators, maxMutes } from "../../../src/server/governance/Governance.ts"

const document = readFileSync(new URL("../../../src/common/wire/PROTOCOL.md", import.meta.url), "utf8")

/** The text below a heading, up to the next of its rank or above. */
const section = (text: string, rank: string, heading: string): string => {
  const [, behind = ""] = `\n${text}`.split(`\n${rank} ${heading}\n`)
  return behind.split(new RegExp(`\\n#{1,${rank.length}} `))[0] ?? ""
}

const blocks = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/^```\w*\n([\s\S]*?)^```$/gm), ([, block = ""]) => block)

/** The lines that one side says in the code blocks of a text, as JSON. */
const saidBy = (side: "C" | "S", text: string): ReadonlyArray<unknown> =>
  blocks(text)
    .flatMap((block) => block.split("\n"))
    .filter((line) => line.startsWith(`${side}: `))
    .map((line) => JSON.parse(line.slice(3)))

const exactly = { onExcessProperty: "error" } as const
const decodeClient = Schema.decodeUnknownResult(ClientMessage, exactly)
const decodeServer = Schema.decodeUnknownResult(ServerMessage, exactly)
const decode = {
  C: (json: unknown): Result.Result<ClientMessage | ServerMessage, Schema.SchemaError> => decodeClient(json),
  S: (json: unknown): Result.Result<ClientMessage | ServerMessage, Schema.SchemaError> => decodeServer(json)
}
const messages = {
  C: (text: string) =>
    saidBy("C", text).flatMap((json) =>
      Option.toArray(Result.map(decodeClient(json), written).pipe(Result.getSuccess))
    ),
  S: (text: string) => saidBy("S", text).flatMap((json) => Option.toArray(Result.getSuccess(decodeServer(json))))
}
const rejected = messages.S(document).flatMap((message) => (message._tag === "Rejected" ? [message] : []))

const isTopic = Schema.is(Topic)
const longestTopic = Array.from({ length: 1000 }, (_, length) => length).findLast((length) =>
  isTopic("x".repeat(length))
)

/** Fields that a section does not name, neither in its text nor in an example. */
const unnamed = (text: string, fields: object): ReadonlyArray<string> =>
  Object.keys(fields).filter((name) => name !== "_tag" && !text.includes(`\`${name}`) && !text.includes(`"${name}":`))

describe("An example in PROTOCOL.md", () => {
  it("is said by the client or by the server", () => {
    const others = blocks(document)
      .flatMap((block) => block.trimEnd().split("\n"))
      .filter((line) => !/^[CS]: \{.*\}$/.test(line))
    assert.deepStrictEqual(others, [])
  })

  it.each(["C", "S"] as const)(
    "is a message as it stands there, with no field this protocol does not have: %s",
    (side) => {
      const examples = saidBy(side, document)
      assert.isAbove(examples.length, 30)
      const others = examples.flatMap((json) => {
        const message = decode[side](json)
        return Result.isFailure(message) ? [`${JSON.stringify(json)}: ${message.failure}`] : []
      })
      assert.deepStrictEqual(others, [])
      assert.deepStrictEqual<unknown>(messages[side](document), examples)
    }
  )
})

describe("PROTOCOL.md", () => {
  const asked = section(document, "##", "What a client says")
  const told = section(document, "##", "What the server says")

  it.each(Object.entries(ClientMessage.cases))("has a section on what a client says with %s", (tag, { fields }) => {
    const text = section(asked, "###", tag)
    assert.deepStrictEqual(unnamed(text, fields), [])
    const examples = messages.C(text).map((message) => "_tag" in message && message._tag)
    assert.isNotEmpty(examples)
    assert.deepStrictEqual(new Set(examples), new Set([tag]))
  })

  it.each(Object.entries(ServerMessage.cases))("has a section on what the server says with %s", (tag, { fields }) => {
    const text = section(told, "###", tag)
    assert.deepStrictEqual(unnamed(text, fields), [])
    // Those of Rejected are the rejections', which have a chapter of their own.
    const examples = tag === "Rejected" ? rejected : messages.S(text)
    assert.deepStrictEqual(new Set(examples.map(({ _tag }) => _tag)), new Set([tag]))
  })

  it("has no section on what nobody says", () => {
    const headings = (text: string) => Array.from(text.matchAll(/^### (.*)$/gm), ([, heading]) => heading)
    assert.sameMembers(headings(asked), Object.keys(ClientMessage.cases))
    assert.sameMembers(headings(told), Object.keys(ServerMessage.cases))
  })

  it.each(Object.keys(Rejection.cases))("shows %s with the sentence the server says", (tag) => {
    const examples = rejected.filter(({ reason }) => reason._tag === tag)
    assert.isNotEmpty(examples)
    for (const { message, reason } of examples) assert.strictEqual(message, sentence(reason))
  })

  it("lists every rejection, and marks those that end the connection", () => {
    const rows = Array.from(
      section(document, "##", "Rejections").matchAll(/^\| `(\w+)` \|.*\| (\*\*ends\*\* )?\|$/gm),
      ([, tag, ends]) => ({ tag, ends: ends !== undefined })
    )
    const all = rejected.map(({ reason }) => reason)
    // Banned ends a connection only where it is not about a room.
    const ending = new Set(all.filter(endsConnection).map(({ _tag }) => _tag))
    const expected = [...new Set(all.map(({ _tag }) => _tag))].map((tag) => ({ tag, ends: ending.has(tag) }))
    assert.deepStrictEqual<unknown>(rows, expected)
  })

  it("says the bounds that the code has", () => {
    const bounds: ReadonlyArray<readonly [string, number | undefined]> = [
      ["characters of a content", maxContentCodePoints],
      ["names in one message", maxNames],
      ["messages in one page", maxHistoryLimit],
      ["messages in one page, unless `limit` says otherwise", defaultHistoryLimit],
      ["different reactions to a message", maxReactions],
      ["users named for each reaction", maxReactors],
      ["devices of an account", maxDevices],
      ["keys of an account", maxKeys],
      ["private conversations in a Welcome", maxConversations],
      ["messages counted as unread", maxUnread],
      ["characters of a topic", longestTopic],
      ["moderators of a room", maxModerators],
      ["bans of a room", maxBans],
      ["mutes of a room, and of the lobby", maxMutes],
      ["invitations to a room", maxInvited],
      ["invitations in a Welcome", maxInvitations],
      ["`seconds` of a ban or a mute, at most", maxSeconds],
      ["bytes sealed in one message", maxSealedBytes],
      ["bytes of a commit", maxCommitBytes],
      ["bytes of a welcome", maxWelcomeBytes],
      ["bytes of a key package", maxKeyPackageBytes],
      ["devices in an encrypted room", maxRoomDevices],
      ["devices that one commit lets in", maxAdds],
      ["devices that one commit removes", maxRemoves],
      ["key packages published at once", maxPackagesAtOnce],
      ["key packages of a device that wait", maxKeyPackages],
      ["entries of a list of devices", maxDeviceEntries],
      ["entries of a list of devices in one reply", maxEntriesAtOnce],
      ["version of the protocol", protocolVersion]
    ]
    assert.include(document, bounds.map(([what, value]) => `| ${what} | ${value} |\n`).join(""))
  })

  it("leads nowhere that is not there", () => {
    const headings = Array.from(document.matchAll(/^#+ (.*)$/gm), ([, heading = ""]) => heading)
    const anchors = new Set(headings.map((heading) => heading.toLowerCase().replaceAll(" ", "-")))
    const links = Array.from(document.matchAll(/\]\(#([^)]*)\)/g), ([, anchor = ""]) => anchor)
    assert.isNotEmpty(links)
    assert.deepStrictEqual(
      links.filter((anchor) => !anchors.has(anchor)),
      []
    )
  })
})
