import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Predicate, Schema } from "effect"
import { Content } from "../../../src/common/text/Content.ts"
import { ClientMessage, written } from "../../../src/common/wire/ClientMessage.ts"
import { describe as sentence, endsConnection, endsHandshake, Rejection } from "../../../src/common/wire/Rejection.ts"
import { ServerMessage } from "../../../src/common/wire/ServerMessage.ts"
import { lineText } from "../../../src/connection/Line.ts"
import { tries, troublesomeContent } from "../../support/generators.ts"

const decodeClient = Schema.decodeUnknownSync(ClientMessage)
const encodeClient = Schema.encodeSync(ClientMessage)
const decodeServer = Schema.decodeUnknownSync(ServerMessage)
const encodeServer = Schema.encodeSync(ServerMessage)

/** Messages whose content, where they have any, is of the kind that people paste; and JSON writes -0 as 0. */
const pasted = <Message>(arbitrary: Arbitrary.Arbitrary<Message>) =>
  Arbitrary.map(Arbitrary.all([arbitrary, troublesomeContent]), ([message, content]) => ({
    ...message,
    ...(Predicate.hasProperty(message, "content") ? { content } : {}),
    ...(Predicate.hasProperty(message, "nonce") && message.nonce === 0 ? { nonce: 0 } : {})
  }))
const clientMessage = pasted(Arbitrary.schema(ClientMessage))
const serverMessage = pasted(Arbitrary.schema(ServerMessage))

describe("Every message of the protocol", () => {
  it.prop(
    "is, when a client says it, decoded to what was encoded",
    [clientMessage],
    ([message]) => {
      assert.deepStrictEqual(decodeClient(JSON.parse(JSON.stringify(encodeClient(message)))), message)
    },
    tries(500)
  )

  it.prop(
    "is, when the server says it, decoded to what was encoded",
    [serverMessage],
    ([message]) => {
      assert.deepStrictEqual(decodeServer(JSON.parse(JSON.stringify(encodeServer(message)))), message)
    },
    tries(500)
  )

  it.prop(
    "is its own encoding, so that JSON.stringify alone writes it",
    [clientMessage, serverMessage],
    ([said, answered]) => {
      assert.deepStrictEqual<unknown>(encodeClient(said), written(said))
      assert.deepStrictEqual(encodeServer(answered), answered)
      assert.deepStrictEqual(decodeClient(JSON.parse(lineText(written(said)))), said)
      assert.deepStrictEqual(decodeServer(JSON.parse(lineText(answered))), answered)
    },
    tries(300)
  )

  it.prop(
    "is one line",
    [serverMessage],
    ([message]) => {
      const text = lineText(message)
      assert.strictEqual(text.indexOf("\n"), text.length - 1)
    },
    tries(300)
  )

  it.prop(
    "may carry fields that are not of this protocol, which are ignored",
    [clientMessage, Schema.JsonObject],
    ([message, unknown]) => {
      const known = new Set([
        "_tag",
        "id",
        "key",
        "user",
        "to",
        "room",
        "with",
        "content",
        "credentials",
        "register",
        "device"
      ])
      for (const name of ["nonce", "after", "before", "limit"]) known.add(name)
      const extra = Object.fromEntries(Object.entries(unknown).filter(([name]) => !known.has(name)))
      assert.deepStrictEqual(decodeClient({ ...extra, ...written(message) }), message)
    },
    tries(200)
  )

  it.prop(
    "has a content that reaches the others exactly as it was written",
    [troublesomeContent],
    ([content]) => {
      assert.strictEqual(Schema.decodeSync(Content)(content), content)
      assert.strictEqual(JSON.parse(lineText({ content })).content, content)
    },
    tries(200)
  )
})

describe("Every refusal", () => {
  it.prop(
    "has a sentence for a person, on one line and with a full stop",
    [Rejection],
    ([rejection]) => {
      const text = sentence({
        ...rejection,
        // The words in these two are the server's own, and one is said as it is.
        ...(rejection._tag === "InvalidMessage" ? { issue: "it is not JSON" } : {}),
        ...(rejection._tag === "NotAllowed" ? { action: "leave the lobby", why: "Only others may." } : {})
      })
      assert.match(text, /^[A-Z][^\n]*\.$/)
    },
    tries(200)
  )

  it.prop(
    "ends the connection exactly where the protocol says so",
    [Rejection],
    ([rejection]) => {
      const isFromServer = rejection._tag === "Banned" && rejection.room === undefined
      const ends = ending.has(rejection._tag) || isFromServer
      assert.strictEqual(endsConnection(rejection), ends)
      assert.strictEqual(endsHandshake(rejection), ends || endingHandshake.has(rejection._tag))
    },
    tries(300)
  )
})

const ending = new Set([
  "FrameTooLarge",
  "HandshakeRequired",
  "HandshakeTimeout",
  "PasswordRequired",
  "ServerStopping",
  "SlowConsumer",
  "TooManyConnections",
  "UserNameTaken"
])

const endingHandshake = new Set(["InvalidCredentials", "NameTooSimilar", "TooManyAttempts"])
