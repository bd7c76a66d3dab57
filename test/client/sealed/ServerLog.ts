/**
 * An encrypted room as the server's file has it, read without any of the server's code: what was accepted, in its order, and from
 * that alone who was in when. It is what all devices are judged by.
 */
import { DatabaseSync } from "node:sqlite"
import { Schema } from "effect"

const Named = Schema.Struct({ user: Schema.String, device: Schema.String })

const Fields = Schema.Struct({
  device: Schema.optionalKey(Schema.String),
  keyEpoch: Schema.optionalKey(Schema.Int),
  incarnation: Schema.optionalKey(Schema.Int),
  data: Schema.optionalKey(Schema.String),
  adds: Schema.optionalKey(Schema.Array(Named)),
  removes: Schema.optionalKey(Schema.Array(Named)),
  user: Schema.optionalKey(Schema.String)
})
const decodeFields = Schema.decodeUnknownSync(Schema.fromJsonString(Fields))

const Row = Schema.Struct({
  seq: Schema.Int,
  at: Schema.Int,
  from: Schema.String,
  kind: Schema.String,
  content: Schema.String
})
const decodeRows = Schema.decodeUnknownSync(Schema.Array(Row))

interface LoggedEntry extends Omit<typeof Row.Type, "content"> {
  readonly fields: typeof Fields.Type
}

/** Both included. */
interface Span {
  readonly since: number
  readonly until: number
}

export interface ServerLog {
  readonly entries: ReadonlyArray<LoggedEntry>
  /** When a device was in: it is to have read what was sealed then, and nothing else. Names as `nameOf` has them. */
  readonly spans: ReadonlyMap<string, ReadonlyArray<Span>>
}

export const nameOf = (user: string, device: string): string => `${user} ${device}`

export const read = (file: string, room: string): ServerLog => {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 10_000 })
  const rows = database
    .prepare(
      `SELECT seq, at, sender AS "from", messages.kind, content
       FROM messages JOIN conversations ON conversations.id = messages.conversation
       WHERE conversations.kind = 'Room' AND name = ? ORDER BY seq`
    )
    .all(room)
  database.close()
  const entries = decodeRows(rows).map(({ at, content, from, kind, seq }) => ({
    seq,
    at,
    from,
    kind,
    fields: decodeFields(content)
  }))
  return { entries, spans: spansOf(entries) }
}

const spansOf = (entries: ReadonlyArray<LoggedEntry>) => {
  const open = new Map<string, number>()
  const closed = new Map<string, Array<Span>>()
  const end = (name: string, until: number) => {
    const since = open.get(name)
    if (since === undefined) return
    open.delete(name)
    closed.set(name, [...(closed.get(name) ?? []), { since, until }])
  }
  for (const { fields, from, kind, seq } of entries) {
    const { adds = [], device = "", removes = [], user } = fields
    if (kind === "KeysReset") {
      const own = nameOf(from, device)
      for (const name of open.keys()) if (name !== own) end(name, seq)
      if (!open.has(own)) open.set(own, seq)
    } else if (kind === "KeysCommitted") {
      for (const one of removes) end(nameOf(one.user, one.device), seq)
      for (const one of adds) open.set(nameOf(one.user, one.device), seq + 1)
    } else if (kind === "Kicked" || kind === "Banned") {
      for (const name of open.keys()) if (name.startsWith(`${user} `)) end(name, seq)
    }
  }
  for (const name of open.keys()) end(name, Infinity)
  return closed
}

/** What was sealed while this device was in. */
export const givenTo = ({ entries, spans }: ServerLog, name: string): ReadonlyArray<LoggedEntry> => {
  const own = spans.get(name) ?? []
  return entries.filter(
    ({ kind, seq }) => kind === "Sealed" && own.some(({ since, until }) => seq >= since && seq <= until)
  )
}

/** The log as a person follows it: what was done to the keys and the room, a line each, and how much was sealed in between. */
export const outline = ({ entries }: ServerLog, called: (name: string) => string): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let sealed = 0
  const named = (all: ReadonlyArray<typeof Named.Type>, sign: string) =>
    all.map(({ device, user }) => ` ${sign}${called(nameOf(user, device))}`).join("")
  for (const { fields, from, kind, seq } of entries) {
    if (kind === "Sealed") {
      sealed += 1
      continue
    }
    if (sealed > 0) lines.push(`      ${sealed} sealed`)
    sealed = 0
    const { adds = [], device = "", removes = [], user } = fields
    const whom = user === undefined ? "" : ` ${user}`
    const by = device === "" ? from : called(nameOf(from, device))
    lines.push(`${String(seq).padStart(5)} ${kind}${whom} by ${by}${named(removes, "-")}${named(adds, "+")}`)
  }
  return sealed > 0 ? [...lines, `      ${sealed} sealed`] : lines
}
