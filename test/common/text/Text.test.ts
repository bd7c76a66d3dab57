/**
 * What no string of the protocol may hold, in whichever field of whichever message it stands, and what every string may:
 * the other half of "refused at the edge, or stored and found again" (see HistoryContract).
 */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Predicate, Result, Schema } from "effect"
import { ClientMessage } from "../../../src/common/wire/ClientMessage.ts"
import { ServerMessage } from "../../../src/common/wire/ServerMessage.ts"
import { oneOf, tries } from "../../support/generators.ts"

/** Halves of a surrogate pair, alone and the wrong way round, and NUL. */
const unstorable = oneOf("\ud83d", "\ude00", "\ude00\ud83d", "a\ud83db", "\u0000", "a\u0000b", "\u0000\ud83d")

type Path = ReadonlyArray<string>

/** Where in a message strings stand that are not one of a few the schema names. */
const stringPaths = (value: unknown, path: Path = []): ReadonlyArray<Path> => {
  if (typeof value === "string") return ["_tag", "kind"].includes(path.at(-1) ?? "") ? [] : [path]
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, part]) => stringPaths(part, [...path, key]))
}

const replaced = (value: unknown, [key, ...rest]: Path, change: (text: string) => string): unknown => {
  if (key === undefined) return typeof value === "string" ? change(value) : value
  if (Array.isArray(value))
    return value.map((part, index) => (String(index) === key ? replaced(part, rest, change) : part))
  if (!Predicate.isObject(value)) return value
  return { ...value, [key]: replaced(Reflect.get(value, key), rest, change) }
}

const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const isClientMessage = (value: unknown) => Result.isSuccess(Schema.decodeUnknownResult(ClientMessage)(value))
const isServerMessage = (value: unknown) => Result.isSuccess(Schema.decodeUnknownResult(ServerMessage)(value))

describe.each([
  { who: "a client", said: Arbitrary.schema(ClientMessage), isMessage: isClientMessage },
  { who: "the server", said: Arbitrary.schema(ServerMessage), isMessage: isServerMessage }
])("No string that $who says", ({ isMessage, said }) => {
  it.prop(
    "may hold half a surrogate pair or a NUL, wherever it stands",
    [said, unstorable],
    ([message, bad]) => {
      for (const path of stringPaths(message)) {
        for (const change of [(text: string) => text + bad, (text: string) => bad + text, () => bad]) {
          const changed = replaced(message, path, change)
          assert.isFalse(isMessage(json(changed)), `${path.join(".")} of ${JSON.stringify(changed)}`)
        }
      }
    },
    tries(300)
  )
})

it("finds strings in the messages it looks at", () => {
  const paths = stringPaths({ _tag: "History", messages: [{ content: "a" }], with: "b" })
  assert.deepStrictEqual(paths, [["messages", "0", "content"], ["with"]])
})
