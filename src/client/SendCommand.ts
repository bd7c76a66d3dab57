/** `parley send`: its flags and its help; what it does is in `script/Sending`. */
import { Effect, Stdio, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { SecureRandom } from "effect/crypto"
import { usage } from "./script/ScriptError.ts"
import { send } from "./script/Sending.ts"
import { Patience } from "./script/Since.ts"
import * as Text from "./script/Text.ts"
import { exitCodes, jsonFlag, roomFlag, userFlag, whereOf } from "./ScriptFlags.ts"
import { arrive, begin, inTurn, isMemberOf, visit } from "./ScriptVisit.ts"

const standardInput = Effect.gen(function* () {
  const { stdin } = yield* Stdio.Stdio
  let size = 0
  const chunks: Array<Uint8Array> = []
  yield* stdin.pipe(
    Stream.runForEachWhile((chunk) =>
      Effect.sync(() => {
        chunks.push(chunk)
        size += chunk.length
        return size <= Text.maxBytes
      })
    ),
    Effect.mapError(({ message }) => usage(`Standard input cannot be read: ${message}. Nothing was sent.`))
  )
  return yield* Effect.fromResult(Text.ofInput(Buffer.concat(chunks), size > Text.maxBytes))
})

const newKey = Effect.gen(function* () {
  const random = yield* SecureRandom.SecureRandom
  return yield* random.uuidV7()
}).pipe(Effect.provide(SecureRandom.layerWebCrypto))

export const sendCommand = Command.make(
  "send",
  {
    room: roomFlag,
    to: userFlag("to", "Somebody, in private"),
    stdin: Flag.Boolean("stdin").pipe(
      Flag.withDescription("Send all of standard input as one message"),
      Flag.withDefault(false)
    ),
    wait: Flag.Boolean("wait").pipe(
      Flag.withDescription("Wait for as long as the server asks to, instead of being refused as too fast"),
      Flag.withDefault(false)
    ),
    timeout: Flag.String("timeout").pipe(
      Flag.withMetavar("TIME"),
      Flag.withDescription("How long to try, as 10s or 5m (1m)"),
      Flag.withDefault("1m"),
      Flag.withSchema(Patience)
    ),
    json: jsonFlag("Print the server's Sent, with the message's seq"),
    text: Argument.String("text").pipe(
      Argument.withDescription(
        "What to say; several words are joined by spaces, and -- goes before one that begins with -"
      ),
      Argument.variadic()
    )
  },
  Effect.fnUntraced(function* ({ json, room, stdin, text, timeout, to, wait }) {
    const where = yield* whereOf(room, to, "to")
    if (stdin && text.length > 0) return yield* usage("Give the text or --stdin, not both.")
    if (!stdin && text.length === 0) {
      return yield* usage(`Nothing to send. Give a text: pnpm -s client send "text"; or --stdin.`)
    }
    const content = yield* stdin ? standardInput : Effect.fromResult(Text.ofArguments(text))
    const begun = yield* begin()
    const key = yield* newKey
    yield* inTurn(begun, where)
    const sending = Effect.gen(function* () {
      const welcome = yield* arrive
      const { user } = welcome
      const isMember = isMemberOf(welcome, where)
      yield* send({ where, content, user, isMember, isJson: json, waits: wait, patience: timeout, key })
    })
    yield* visit(begun, Effect.scoped(sending))
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    [
      "Send one message, and end when the server has stored it: to everybody in the lobby, to a room, or in private.",
      "",
      "A lost connection is tried again, and the message sent again under the same key: it is stored once. After",
      "--timeout (or 30 s without a connection) that ends with exit code 3: it may have been stored or not.",
      "--stdin sends a whole file as one message: the last line break is taken off, CRLF becomes LF, and what is",
      "longer than a message (8192 characters), or no UTF-8 text, is not sent at all.",
      "A room is joined for the message and left again, unless the account was a member, or the room is private.",
      'Nothing is printed, unless --json asks for the server\'s answer, {"_tag":"Sent","seq":…,"at":…}.',
      "",
      exitCodes
    ].join("\n")
  ),
  Command.withShortDescription("Send one message"),
  Command.withExamples([
    { command: "pnpm -s client send --user bot 'Good morning.'", description: "Tell everybody" },
    { command: "pnpm -s client send --room dev 'The build is done.'", description: "Tell a room" },
    { command: "pnpm -s client send --to ada 'It is late.'", description: "Tell ada in private" },
    { command: "git log -3 | pnpm -s client send --room dev --stdin", description: "Send output as one message" },
    {
      command: "seq 1000 | pnpm -s client --user bot --wait",
      description: "Send each line as a message: that is the chat's"
    }
  ])
)
