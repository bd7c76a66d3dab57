/**
 * What a fuzzing client says: requests of every kind that the schema of ClientMessage knows, as they should be or with one thing
 * wrong, and bytes that are no request at all. All from one seed.
 */
import { Arbitrary, Effect, Schema } from "effect"
import { ClientMessage } from "../../src/common/wire/ClientMessage.ts"
import type { Chance } from "../simulation/Chance.ts"
import type { Json } from "./FuzzContract.ts"
import { maxLineBytes } from "./FuzzContract.ts"

/** All requests there are, with their fields. */
export const kinds: ReadonlyMap<string, ReadonlyArray<string>> = new Map(
  Object.entries(ClientMessage.cases).map(([tag, { fields }]) => [
    tag,
    Object.keys(fields).filter((field) => field !== "_tag")
  ])
)

const samplesOfEach = 16
const encode = Schema.encodeSync(ClientMessage)

/** Valid requests of every kind, as they are written. */
export const samples = Effect.fnUntraced(function* (seed: number) {
  const all = new Map<string, ReadonlyArray<Json>>()
  for (const [tag, schema] of Object.entries(ClientMessage.cases)) {
    const made: ReadonlyArray<ClientMessage> = yield* Arbitrary.sampleEffect(
      Arbitrary.schema(Schema.toType<Schema.Schema<ClientMessage>>(schema)),
      {
        count: samplesOfEach,
        size: 8,
        seed
      }
    )
    all.set(
      tag,
      made.map((message): Json => Object.fromEntries(Object.entries(encode(message))))
    )
  }
  return all
})

/** What there is, for requests to name. */
export interface Words {
  users: ReadonlyArray<string>
  rooms: ReadonlyArray<string>
  readonly passwords: ReadonlyArray<string>
  readonly publicKeys: ReadonlyArray<string>
  devices: ReadonlyArray<string>
  fingerprints: ReadonlyArray<string>
  tokens: ReadonlyArray<string>
}

const strangeNames = ["nobody", "Ａｄａ", "OLGA", "аda", "__proto__", "constructor", "a", "x".repeat(32), "nowhere"]
const contents = [
  "hello",
  "@mia look",
  "\u202eevil\u202c",
  "a\nb\tc",
  "😀👩‍👩‍👧",
  "\ufeff\ufffd",
  "é e\u0301",
  "漢字",
  '"\\"',
  "' OR 1=1; --",
  "\u2028"
]

/** What each field is often made, so that it names something that is there. */
const substitute = (chance: Chance, words: Words, field: string, tag: string): unknown => {
  const pick = (all: ReadonlyArray<string>) => all[chance.between(0, all.length - 1)]
  switch (field) {
    case "user":
    case "to":
    case "with":
      return pick(chance.is(0.15) ? strangeNames : words.users)
    case "room":
      return pick(chance.is(0.1) ? strangeNames : words.rooms)
    case "target":
    case "replyTo":
    case "seq":
    case "before":
      return chance.between(0, chance.is(0.7) ? 12 : 60)
    case "after":
      return tag === "GetHistory" ? chance.between(0, 30) : undefined
    case "limit":
      return chance.between(1, 20)
    case "content":
      return pick(contents)
    case "query":
      return pick(["hello", "look", "secret", '"a b"', "漢"])
    case "reaction":
      return pick(["👍", "ok", "\u202e"])
    case "key":
      return `key-${String(chance.between(0, 40)).padStart(16, "0")}`
    case "device":
      return tag === "RemoveDevice" ? pick([...words.devices, "d0"]) : pick(["laptop", "a phone"])
    case "fingerprint":
      return pick([...words.fingerprints, "SHA256:nothing"])
    case "publicKey":
      return pick(words.publicKeys)
    case "password":
    case "current":
    case "next":
      return pick(words.passwords)
    case "register":
      return { password: pick(words.passwords) }
    case "credentials":
      return chance.is(0.6)
        ? { _tag: "Token", token: pick([...words.tokens, "stale"]) }
        : chance.is(0.5)
          ? { _tag: "Key", publicKey: pick(words.publicKeys) }
          : { _tag: "Password", password: pick(words.passwords) }
    default:
      return undefined
  }
}

/** Those that a server answers with a hash of a password: dear, so that most of them are made to cost none. */
const isDear = ({ _tag, credentials, register }: Json): boolean =>
  ["Register", "ChangePassword", "DeleteAccount"].includes(String(_tag)) ||
  register !== undefined ||
  (typeof credentials === "object" && credentials !== null && "_tag" in credentials && credentials._tag === "Password")
const cheapness = 0.9

/** What stands for a value until the line is text, where JSON has no way to say it. */
const placeholder = "\uE000raw\uE000"
const rawValues = [
  "-0",
  "NaN",
  "Infinity",
  "1e400",
  "-1",
  "1.5",
  "9007199254740993",
  "123456789012345678901234567890",
  "1E2",
  "01",
  "undefined",
  "null",
  "true",
  "false",
  "{}",
  "[]",
  '"\\ud800"',
  '"a\\udc00b"',
  '"\\u0000"',
  '"nul\\u0000nul"',
  '"\\u202etxt\\u202c"',
  '"\\u0007"',
  '"\\u009b"',
  '"a\\nb"',
  '"a\\tb"',
  '""',
  '" "',
  '"ㅤ"',
  '"e\\u0301\\u0301\\u0301\\u0301"',
  `"${"x".repeat(65)}"`,
  `"${"y".repeat(301)}"`,
  `"${"z".repeat(1025)}"`,
  `"${"w".repeat(8193)}"`,
  `"${"😀".repeat(33)}"`,
  "31536001",
  "501",
  '{"_tag":"Password"}',
  '{"_tag":"Token","token":null}',
  '{"epoch":"","seq":1}',
  '{"epoch":"e","seq":-1}',
  '{"__proto__":{"seq":1},"epoch":"e"}',
  "[[[[[[[[]]]]]]]]",
  `${"[".repeat(120)}${"]".repeat(120)}`,
  `${"[".repeat(300)}${"]".repeat(300)}`
]

/** How long a text may be, and how large a number. */
const lengths: Readonly<Record<string, number>> = {
  id: 64,
  key: 64,
  user: 32,
  to: 32,
  with: 32,
  room: 64,
  content: 8192,
  reaction: 32,
  topic: 300,
  reason: 300,
  device: 64,
  name: 64,
  fingerprint: 128,
  query: 256,
  publicKey: 4096
}
const sizes: Readonly<Record<string, number>> = {
  limit: 500,
  seconds: 31_536_000,
  target: Number.MAX_SAFE_INTEGER,
  replyTo: Number.MAX_SAFE_INTEGER,
  seq: Number.MAX_SAFE_INTEGER,
  nonce: Number.MAX_SAFE_INTEGER
}

/** What is just allowed in a field, or just not any more. */
const edgeOf = (chance: Chance, field: string): string | undefined => {
  const [length, size] = [lengths[field], sizes[field]]
  const excess = chance.between(0, 1)
  if (length !== undefined) return `"${"x".repeat(length + excess)}"`
  return size === undefined ? undefined : `${size + excess}`
}

/** Fields that no request has. */
const strangers = [
  '"extra":1',
  '"__proto__":{"admin":true}',
  '"constructor":null',
  '"from":"root"',
  '"account":1',
  '"at":0',
  '"isAdmin":true',
  '"x":"\\ud800"'
]

const encoder = new TextEncoder()
const bytesOf = (text: string): Uint8Array => encoder.encode(text)

export class Requests {
  readonly #chance: Chance
  readonly #samples: ReadonlyMap<string, ReadonlyArray<Json>>
  readonly words: Words
  #ids = 0

  constructor(chance: Chance, made: ReadonlyMap<string, ReadonlyArray<Json>>, words: Words) {
    this.#chance = chance
    this.#samples = made
    this.words = words
  }

  /** A request of this kind as it should be. */
  valid(tag: string): Json {
    const chance = this.#chance
    const all = this.#samples.get(tag) ?? []
    const request: Record<string, unknown> = { ...all[chance.between(0, all.length - 1)] }
    for (const field of kinds.get(tag) ?? []) {
      const value = chance.is(0.85) ? substitute(chance, this.words, field, tag) : undefined
      // What need not be there is there less often: each narrows what a request may meet.
      if (value !== undefined && (field in request || chance.is(0.1))) request[field] = value
    }
    if (request["with"] !== undefined && request["room"] !== undefined && chance.is(0.9))
      delete request[chance.is(0.5) ? "with" : "room"]
    request["id"] = `${++this.#ids}${chance.is(0.1) ? ' "\\😀\u202e' : ""}`
    if (isDear(request) && chance.is(cheapness)) {
      // Nobody's password is so long: refused before it is looked at, or not a request at all.
      for (const field of ["password", "next", "current"]) if (field in request) request[field] = null
      for (const field of ["register", "credentials"])
        if (field in request) request[field] = { _tag: "Password", password: 7 }
    }
    return request
  }

  /** A request of this kind with one thing wrong, or strange. */
  nearlyValid(tag: string): Uint8Array {
    const chance = this.#chance
    const request: Record<string, unknown> = { ...this.valid(tag) }
    const fields = kinds.get(tag) ?? []
    const field = fields[chance.between(0, fields.length - 1)] ?? "id"
    const edge = chance.is(0.4) ? edgeOf(chance, field) : undefined
    const raw = edge ?? chance.pick(["null", ...rawValues])
    switch (edge === undefined ? chance.between(0, 7) : 7) {
      case 0:
        delete request[field]
        return this.#line(request)
      case 1:
        return bytesOf(
          this.#text(request)
            .replace("{", `{${chance.pick(["", ...strangers])},`)
            .replace("{,", "{")
        )
      case 2:
        // Of two fields of one name the last counts.
        return bytesOf(this.#text(request).replace(/\}$/, `,${JSON.stringify(field)}:${raw}}`))
      case 3:
        return bytesOf(`${this.#text(request)}${chance.pick(["\r", " ", "}", ",", "\u0000"])}`)
      case 4:
        return bytesOf(
          this.#text({
            ...request,
            _tag: chance.pick([tag.toLowerCase(), `${tag} `, "__proto__", "toString", 7, null])
          })
        )
      default:
        return bytesOf(this.#text({ ...request, [field]: placeholder }).replace(JSON.stringify(placeholder), () => raw))
    }
  }

  line(request: Json): Uint8Array {
    return this.#line(request)
  }

  /** Bytes that are no request, or one that is as long as a line may be, or one byte longer. */
  bytes(): Uint8Array {
    const chance = this.#chance
    switch (chance.between(0, 8)) {
      case 0:
        return Uint8Array.from({ length: chance.between(1, 200) }, () =>
          chance.pick([0, 9, 0x22, 0x7b, 0x7d, 0x80, 0xc0, 0xed, 0xff, chance.between(11, 255)])
        )
      case 1:
        return Uint8Array.from([
          ...bytesOf('{"_tag":"GlobalMessage","content":"'),
          ...chance.pick([[0xc0, 0xaf], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xff]]),
          ...bytesOf('"}')
        ])
      case 2:
        return this.#long(chance.is(0.7) ? 0 : 1)
      case 3:
        return this.#line(this.valid("GlobalMessage")).slice(0, chance.between(1, 30))
      case 4:
        return bytesOf(
          chance.pick(["", "\r", "null", "42", "[]", '"text"', "\ufeff{}", "{}", '{"_tag":null}', '{"id":"x"}'])
        )
      case 5:
        return bytesOf(`${'{"a":'.repeat(chance.between(1, 400))}1`)
      case 6:
        return bytesOf(`{"_tag":"Ping","id":"${++this.#ids}","nonce":${"9".repeat(chance.between(1, 9000))}}`)
      case 7:
        return bytesOf(`{"_tag":"Ping","id":"${++this.#ids}","nonce":1,"x":[${"0,".repeat(chance.between(1, 300))}0]}`)
      default:
        return bytesOf(`PROXY TCP4 10.0.0.1 10.0.0.2 1 2${chance.is(0.5) ? "\r" : ""}`)
    }
  }

  #long(excess: number): Uint8Array {
    const empty = this.#text({ _tag: "Ping", nonce: 1, id: `${++this.#ids}`, padding: "" })
    return bytesOf(empty.replace('"padding":""', `"padding":"${"x".repeat(maxLineBytes + excess - empty.length)}"`))
  }

  #text(request: object): string {
    return JSON.stringify(request)
  }

  #line(request: object): Uint8Array {
    return bytesOf(this.#text(request))
  }
}
