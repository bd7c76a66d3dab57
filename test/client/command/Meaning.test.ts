/** Which message a command means, and what is asked of the server: from the line that was typed to the request. */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { About } from "../../../src/client/command/Action.ts"
import { parse } from "../../../src/client/command/Command.ts"
import { pin, requestFor, textToEdit } from "../../../src/client/command/Meaning.ts"
import type { ClientEvent } from "../../../src/client/core/ClientEvent.ts"
import * as Recent from "../../../src/client/core/Recent.ts"
import type { ServerMessage } from "../../../src/common/wire/ServerMessage.ts"
import { ada, bob, dev } from "../core/ModelServer.ts"

const shown = (...messages: ReadonlyArray<ServerMessage>) =>
  Recent.follow(
    { ...Recent.empty, user: ada },
    messages.map((message): ClientEvent => ({ _tag: "Received", message }))
  )
const inLobby = (seq: number, from = bob) => ({ _tag: "GlobalMessage", seq, at: 0, from, content: `${seq}` }) as const
const inRoom = (seq: number, from = bob) =>
  ({ _tag: "RoomMessage", room: dev, seq, at: 0, from, content: `${seq}` }) as const
const fromBob = { _tag: "PrivateMessage", seq: 3, at: 0, from: bob, to: ada, content: "psst" } as const

const aboutIn = (line: string): About => {
  const action = Result.getOrThrow(parse(line))
  if (action._tag !== "About") throw new Error(`${line} is about no message`)
  return action
}
const asked = (line: string, recent: Recent.Recent) => Result.getOrThrow(requestFor(recent, aboutIn(line)))
const complaint = (line: string, recent: Recent.Recent) =>
  Result.getOrThrow(Result.flip(requestFor(recent, aboutIn(line)))).message

/** Ada wrote 4 in the lobby and, last of all, 12 in dev; bob wrote 12 in the lobby, and 3 in private behind that. */
const recent = Recent.sent(
  shown(inLobby(4, ada), inRoom(12, ada), inLobby(12), fromBob),
  { _tag: "RoomMessage", room: dev, content: "12" },
  12
)

describe("a command about a message", () => {
  it.each([
    [":report #12 rude", { _tag: "Report", target: 12, reason: "rude" }],
    [":report in:@bob #3 spam again", { _tag: "Report", with: "bob", target: 3, reason: "spam again" }],
    [":edit now", { _tag: "EditMessage", room: "dev", target: 12, content: "now" }],
    [":edit #4 now", { _tag: "EditMessage", target: 4, content: "now" }],
    [":edit #12 now", { _tag: "EditMessage", room: "dev", target: 12, content: "now" }],
    [":edit in:* #12 now", { _tag: "EditMessage", target: 12, content: "now" }],
    [":edit in:ops #7  now", { _tag: "EditMessage", room: "ops", target: 7, content: " now" }],
    [":edit #4 in:ops is quiet", { _tag: "EditMessage", target: 4, content: "in:ops is quiet" }],
    [":reply #4 in:ops #7", { _tag: "GlobalMessage", content: "in:ops #7", replyTo: 4 }],
    [":reply in:dev #12 in:ops", { _tag: "RoomMessage", room: "dev", content: "in:ops", replyTo: 12 }],
    [":reply see in:ops", { _tag: "PrivateMessage", to: "bob", content: "see in:ops", replyTo: 3 }],
    [":edit #4 #5 in:dev", { _tag: "EditMessage", target: 4, content: "#5 in:dev" }],
    [":delete", { _tag: "DeleteMessage", room: "dev", target: 12 }],
    [":delete #4 wrong room ", { _tag: "DeleteMessage", target: 4, reason: "wrong room" }],
    [":delete in:@bob #3", { _tag: "DeleteMessage", with: "bob", target: 3 }],
    [":react 👍", { _tag: "React", with: "bob", target: 3, reaction: "👍" }],
    [":react heart", { _tag: "React", with: "bob", target: 3, reaction: "❤️" }],
    [":react :Heart:", { _tag: "React", with: "bob", target: 3, reaction: "❤️" }],
    [":react hearth", { _tag: "React", with: "bob", target: 3, reaction: "hearth" }],
    [":react :heart", { _tag: "React", with: "bob", target: 3, reaction: ":heart" }],
    [":unreact #4 tada", { _tag: "React", target: 4, reaction: "🎉", remove: true }],
    [":react #12 👍", { _tag: "React", target: 12, reaction: "👍" }],
    [":unreact in:dev #12 👍", { _tag: "React", room: "dev", target: 12, reaction: "👍", remove: true }],
    [":reply yes", { _tag: "PrivateMessage", to: "bob", content: "yes", replyTo: 3 }],
    [":reply #12 yes", { _tag: "GlobalMessage", content: "yes", replyTo: 12 }],
    [":reply in:dev #12 yes", { _tag: "RoomMessage", room: "dev", content: "yes", replyTo: 12 }]
  ])("%j asks for %j", (line, request) => {
    assert.deepStrictEqual<unknown>(asked(line, recent), request)
  })

  it.each([
    [":edit now", "not known for certain which message you sent last"],
    [":delete", "not known for certain which message you sent last"],
    [":edit #12 now", "#12 is by bob, and only its author can edit a message. To answer it, type :reply in:* #12"],
    [":edit #7 now", "no message #7 was shown lately. Say where it is: :edit in:dev #7"],
    [":reply #7 yes", "no message #7 was shown lately"],
    [":delete #12 in:ops", "say the place before the number"],
    [":reply in:ops is quiet", "Text that begins with in: goes behind a number"],
    [":edit in:dev now", "say which message of that place by its number"],
    [":delete wrong room", "say which message by its number"],
    [":edit #12", "#12 is by bob"],
    [":edit in:dev #12", "the new text is missing"]
  ])("%j is refused rather than guessed, where only others' messages were shown", (line, hint) => {
    assert.include(complaint(line, shown(inLobby(12), inRoom(11))), hint)
  })

  it.each([":reply yes", ":react 👍"])("%j has nothing to be about at first", (line) => {
    assert.include(complaint(line, Recent.empty), "no message was shown yet")
  })

  it("is about the message shown last when it was typed, whatever is shown until its turn", () => {
    const typed = Result.getOrThrow(pin(recent, recent, aboutIn(":react 👍")))
    const later = Recent.follow(recent, [{ _tag: "Received", message: inRoom(13) }])
    assert.deepInclude(Result.getOrThrow(requestFor(later, typed)), { with: bob, target: 3 })
    const edit = aboutIn(":edit now")
    assert.deepStrictEqual(Result.getOrThrow(pin(recent, recent, edit)), edit)
  })

  const meanwhile = Recent.follow(
    recent,
    [inLobby(13), inRoom(4)].map((message) => ({ _tag: "Received", message }))
  )
  it.each([
    [":reply  to you", ":reply in:@bob #3  to you", "in:dev #4 came while you typed, bob: “4”"],
    [":react 👍", ":react in:@bob #3 👍", "in:dev #4 came"],
    [":unreact 👍", ":unreact in:@bob #3 👍", "in:dev #4 came"],
    [":reply #4 yes", ":reply in:* #4 yes", "in:dev #4 came"]
  ])("%j is not sent to what came since it was begun, but can be typed as %j", (line, instead, news) => {
    const refused = Result.getOrThrow(Result.flip(pin(recent, meanwhile, aboutIn(line))))
    assert.strictEqual(refused.instead, instead)
    assert.include(refused.message, news)
    assert.deepStrictEqual(asked(instead, meanwhile), asked(line, recent))
  })

  it.each([":edit #4 now", ":reply #13 yes", ":reply in:dev #4 yes", ":reply #12 yes", ":edit now"])(
    "%j means the same whatever came since it was begun",
    (line) => {
      const pinned = Result.getOrThrow(pin(recent, meanwhile, aboutIn(line)))
      assert.deepStrictEqual(requestFor(meanwhile, pinned), requestFor(meanwhile, aboutIn(line)))
    }
  )

  it("is not sent where nothing had been shown when it was begun, or the message is gone", () => {
    const first = Result.getOrThrow(Result.flip(pin(Recent.empty, recent, aboutIn(":reply yes"))))
    assert.isUndefined(first.instead)
    const deleted = Recent.follow(recent, [
      { _tag: "Received", message: { _tag: "Deleted", with: bob, seq: 4, at: 0, from: bob, target: 3 } }
    ])
    const gone = Result.getOrThrow(Result.flip(pin(recent, deleted, aboutIn(":reply yes"))))
    assert.include(gone.message, "is gone since you began to type")
  })

  it("that edits without a text has the old one to be changed, if that is known and is one line", () => {
    assert.deepStrictEqual(Result.getOrThrow(textToEdit(recent, aboutIn(":edit"))), {
      where: { room: dev },
      seq: 12,
      content: "12"
    })
    const lines = Recent.sent(recent, { _tag: "GlobalMessage", content: "a\nb" }, 13)
    for (const known of [lines, shown(inLobby(4, ada))]) {
      assert.isTrue(Result.isFailure(textToEdit(known, aboutIn(":edit #4"))))
      assert.isTrue(Result.isFailure(textToEdit(known, aboutIn(":edit"))))
    }
  })
})
