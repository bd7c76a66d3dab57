/**
 * What the contract says of one line from a client, said anew and without the server's schemas: whether it is a message, and
 * under which `id` it is answered. A rule goes by the name of a field, since a name means the same in every request; a field
 * that has no rule here may be anything that every string must be.
 */
import { Predicate } from "effect"

export type Json = Readonly<Record<string, unknown>>

/** `Open`: the contract leaves it open. */
export type Verdict =
  | { readonly _tag: "Message" | "Open"; readonly id: string | undefined; readonly request: Json }
  | { readonly _tag: "Invalid"; readonly id: string | undefined; readonly why: string }
  | { readonly _tag: "TooLong" }

export const maxLineBytes = 65_536

type Rule = (value: unknown) => boolean

const text =
  (minimum: number, maximum: number): Rule =>
  (value) =>
    isWhole(value) && value.length >= minimum && value.length <= maximum
const isWhole = (value: unknown): value is string =>
  Predicate.isString(value) && value.isWellFormed() && !value.includes("\u0000")

const characters =
  (minimum: number, maximum: number, isOnOneLine: boolean): Rule =>
  (value) =>
    isWhole(value) &&
    [...value].length >= minimum &&
    [...value].length <= maximum &&
    ![...value].some((one) => isControl(one, isOnOneLine))
const isControl = (character: string, isOnOneLine: boolean): boolean => {
  const code = character.codePointAt(0) ?? 0
  if (code === 9 || code === 10) return isOnOneLine
  return code < 0x20 || (code >= 0x80 && code < 0xa0)
}

const name =
  (maximum: number, marks = 3): Rule =>
  (value) => {
    if (!isWhole(value) || value.length > 8 * maximum || /\p{M}{9}/u.test(value)) return false
    const kept = value.normalize("NFKC")
    const letter = String.raw`\p{L}\p{M}{0,${marks}}`
    const isSpelled = new RegExp(String.raw`^(?:${letter}|\p{Nd})(?:${letter}|[\p{Nd}_.-])*$`, "u").test(kept)
    return isSpelled && [...kept].length <= maximum && !/\p{Default_Ignorable_Code_Point}/u.test(kept)
  }

const whole =
  (minimum: number, maximum: number): Rule =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= minimum && Number(value) <= maximum
const natural = whole(0, Number.MAX_SAFE_INTEGER)

const among =
  (...values: ReadonlyArray<unknown>): Rule =>
  (value) =>
    values.includes(value)

const fields =
  (required: Readonly<Record<string, Rule>>, optional: Readonly<Record<string, Rule>> = {}): Rule =>
  (value) =>
    isObject(value) &&
    Object.entries(required).every(([field, rule]) => Object.hasOwn(value, field) && rule(value[field])) &&
    Object.entries(optional).every(([field, rule]) => !Object.hasOwn(value, field) || rule(value[field]))

export const isObject = (value: unknown): value is Json => Predicate.isObject(value) && !Array.isArray(value)

const userName = name(32)
const roomName = name(64)
/** A room, or the encrypted conversation of two. */
const anyRoom: Rule = (value) => {
  const [before, one, other, ...more] = isWhole(value) ? value.normalize("NFKC").split("~") : []
  return roomName(value) || (before === "" && more.length === 0 && [one, other].every(name(96, 4)))
}
const bytes =
  (maximum: number, minimum = 1): Rule =>
  (value) =>
    isWhole(value) &&
    value.length >= minimum &&
    Buffer.from(value, "base64").toString("base64") === value &&
    Buffer.from(value, "base64").length <= maximum
const list =
  (maximum: number, rule: Rule, minimum = 0): Rule =>
  (value) =>
    Array.isArray(value) && value.length >= minimum && value.length <= maximum && value.every(rule)
const secret = text(0, 1024)
const key = text(0, 4096)
const cursor = fields({ epoch: text(1, 64), seq: natural })

const proofs: Readonly<Record<string, Rule>> = {
  Password: fields({ password: secret }),
  Token: fields({ token: secret }),
  Key: fields({ publicKey: key }),
  KeyProof: fields({ publicKey: key, host: text(0, 255), signature: key })
}

const device = characters(1, 64, true)
const userDevice = fields({ user: userName, device })

/** What a field is in a request of one kind alone. */
const ofOne: Readonly<Record<string, Rule>> = {
  "CreateRoom.room": roomName,
  "SealedMessage.data": bytes(48_128),
  "CommitKeys.data": bytes(24_000)
}

const rules: Readonly<Record<string, Rule>> = {
  id: text(1, 64),
  key: text(16, 64),
  user: userName,
  to: userName,
  with: userName,
  room: anyRoom,
  content: characters(1, 8192, false),
  reaction: characters(1, 32, true),
  topic: characters(0, 300, true),
  reason: characters(1, 300, true),
  device,
  name: characters(1, 64, true),
  fingerprint: characters(1, 128, true),
  target: natural,
  replyTo: natural,
  seq: natural,
  before: natural,
  limit: whole(1, 500),
  nonce: whole(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  seconds: whole(1, 31_536_000),
  only: among("messages", "moderation"),
  role: among("owner", "moderator", "member"),
  private: among(true, false),
  encrypted: among(true, false),
  keyEpoch: natural,
  incarnation: natural,
  welcome: bytes(46_000),
  adds: list(8, userDevice),
  removes: list(24, userDevice),
  devices: list(8, userDevice, 1),
  packages: list(20, bytes(2048)),
  lastResort: bytes(2048),
  entry: fields({
    n: whole(1, Number.MAX_SAFE_INTEGER),
    prev: bytes(48, 0),
    op: among("add", "remove"),
    device,
    publicKey: bytes(64, 0),
    by: device,
    signature: bytes(128)
  }),
  remove: among(true),
  query: (value) => text(1, 256)(value) && /[\p{L}\p{N}]/u.test(String(value)),
  publicKey: key,
  password: secret,
  current: secret,
  next: secret,
  invite: text(0, 128),
  register: fields({ password: secret }, { invite: text(0, 128) }),
  credentials: (value) =>
    isObject(value) && Predicate.isString(value["_tag"]) && proofs[value["_tag"]]?.(value) === true
}

/** `after` alone is another thing in each request. */
const afters: Readonly<Record<string, Rule>> = {
  Handshake: fields({}, { lobby: cursor, inbox: cursor }),
  JoinRoom: cursor,
  ListUsers: userName,
  ListRoomUsers: userName,
  ListRooms: roomName,
  GetHistory: natural,
  GetDevices: natural,
  GetWelcomes: natural
}

const optional = new Set(
  "id key replyTo after before limit only reason remove seconds with invite credentials register name welcome lastResort".split(
    " "
  )
)
/** Which others a request need not have, and which of those above it must. */
const needless = new Set([
  "Handshake.device",
  "CreateRoom.private",
  "CreateRoom.encrypted",
  "CreateRoom.topic",
  ..."EditMessage DeleteMessage React Typing Report GetHistory Search MarkRead Mute Unmute"
    .split(" ")
    .map((tag) => `${tag}.room`)
])
const needful = new Set([
  "Report.reason",
  "OpenConversation.with",
  "SealedMessage.key",
  "CommitKeys.key",
  "ResetKeys.key"
])

/** Whether a request of this kind is none without this field. */
const isRequired = (tag: string, field: string): boolean =>
  needful.has(`${tag}.${field}`) || (!optional.has(field) && !needless.has(`${tag}.${field}`))

/** Those of which a request names one conversation at most. */
const isInOnePlace = ({ _tag, room, with: partner }: Json): boolean =>
  ["Mute", "Unmute"].includes(String(_tag)) || room === undefined || partner === undefined

/** Why a request is none; `known` are the fields of its kind. */
const breachOf = (tag: string, request: Json, known: ReadonlyArray<string>): string | undefined => {
  for (const field of known) {
    if (!Object.hasOwn(request, field)) {
      if (isRequired(tag, field)) return `no ${field}`
      continue
    }
    const rule = field === "after" ? afters[tag] : (ofOne[`${tag}.${field}`] ?? rules[field])
    if (rule !== undefined && !rule(request[field])) return `a bad ${field}`
  }
  return known.includes("with") && !isInOnePlace(request) ? "two places" : undefined
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
/** A line with more than that outside of strings is not looked at. */
const maxMarks = 256
const maxDigits = 8192

const isCostly = (line: string): boolean => {
  const outside = line.replaceAll(/"(?:[^"\\]|\\.)*"?/gsu, "")
  return outside.replaceAll(/[^{}[\]:,]/g, "").length > maxMarks || outside.length > maxDigits
}

/** What the contract makes of a line; `kinds` are all requests, each with its fields. */
export const judge = (bytes: Uint8Array, kinds: ReadonlyMap<string, ReadonlyArray<string>>): Verdict => {
  if (bytes.length > maxLineBytes) return { _tag: "TooLong" }
  const json = parse(bytes)
  if (json === undefined) return { _tag: "Invalid", id: undefined, why: "no JSON" }
  if (!isObject(json)) return { _tag: "Invalid", id: undefined, why: "no object" }
  const { _tag: tag, id: given } = json
  const id = Object.hasOwn(json, "id") && rules["id"]?.(given) === true ? String(given) : undefined
  const known = Predicate.isString(tag) ? kinds.get(tag) : undefined
  if (!Predicate.isString(tag) || known === undefined) return { _tag: "Invalid", id, why: "no such request" }
  const why = breachOf(tag, json, known)
  if (why !== undefined) return { _tag: "Invalid", id, why }
  return { _tag: isWholeThroughout(json) ? "Message" : "Open", id, request: json }
}

const parse = (bytes: Uint8Array): unknown => {
  try {
    const line = utf8.decode(bytes)
    return isCostly(line) ? undefined : JSON.parse(line)
  } catch {
    return undefined
  }
}

/** "No string anywhere" has half a surrogate pair; whether that is so of fields that are ignored is left open. */
const isWholeThroughout = (value: unknown): boolean => {
  if (Predicate.isString(value)) return isWhole(value)
  if (!Predicate.isObject(value)) return true
  return Object.entries(value).every(([field, part]) => isWhole(field) && isWholeThroughout(part))
}
