/**
 * Checks a database of parley's: that SQLite finds it whole, and that the logs in it are what a server would have
 * written. It only reads, page by page, so that a running server is not held up, and its WAL can be reset in between.
 *
 * Of each conversation: its name is valid and its key belongs to it; its messages, in the order of storing, stand at
 * consecutive places, the first behind what RETENTION has deleted; each has a valid sender, content and time.
 */
import { Clock, Effect, Result, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { Epoch } from "../../common/Cursor.ts"
import { RoomName } from "../../common/RoomName.ts"
import { UserName } from "../../common/UserName.ts"
import { Entry } from "../history/History.ts"
import { Conversation, conversationKey } from "../messages/Conversation.ts"
import { sqlProblem } from "./AdminError.ts"
import { abandonable } from "./Interruption.ts"
import * as LogFile from "./LogFile.ts"
import { Progress } from "./Progress.ts"
import { maxListed, plural, type Report, timeOf } from "./Report.ts"

const pageMessages = 2000

/** A day ahead is no clock that is a little off; and there was no parley before 2020. */
const maxAheadMillis = 86_400_000
const earliestMillis = 1_577_836_800_000

/** Checks the file, which is called `shownAs` in what is said of it. Fails only if it cannot be read at all. */
export const inspect = (file: string, shownAs = file) =>
  abandonable(Effect.scoped(Effect.flatMap(LogFile.open(file, shownAs), (sql) => inspectLog(sql, shownAs))))

const inspectLog = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, file: string) {
  const findings = new Findings()
  const reading = <A, R>(what: string, otherwise: A, check: Effect.Effect<A, SqlError, R>) =>
    Effect.catchTag(check, "SqlError", (error) => {
      findings.isIntact = false
      findings.add(`${what} cannot be read: ${sqlProblem(error)}`)
      return Effect.succeed(otherwise)
    })
  const bytes = yield* reading("the size", 0, LogFile.bytesOf(sql))
  yield* reading("the file", undefined, checkFile(sql, findings))
  const epoch = yield* reading("the epoch", null, checkEpoch(sql, findings))
  const names = yield* reading("the conversations", new Map<number, string>(), checkConversations(sql, findings))
  yield* reading("the messages", undefined, checkMessages(sql, names, findings))
  const { isIntact, messages, newest, oldest, problems, remarks, rooms } = findings
  const report: Report = {
    file,
    isSound: problems.length === 0,
    isIntact,
    problems,
    moreProblems: findings.count - problems.length,
    remarks,
    epoch,
    rooms,
    messages,
    oldest: messages === 0 ? null : oldest,
    newest: messages === 0 ? null : newest,
    bytes
  }
  return report
})

/** What was found so far. */
class Findings {
  readonly problems: Array<string> = []
  readonly remarks: Array<string> = []
  count = 0
  isIntact = true
  rooms = 0
  messages = 0
  oldest = Infinity
  newest = -Infinity

  add(problem: string) {
    this.count++
    if (this.problems.length < maxListed) this.problems.push(problem)
  }
}

/** SQLite's own checks: pages, order, indexes against tables, UNIQUE, NOT NULL; and REFERENCES. */
const checkFile = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, findings: Findings) {
  const { during } = yield* Progress
  const lines = yield* during({ label: "Checking the file" })(sql`PRAGMA integrity_check(100)`.values)
  for (const text of lines.flatMap(([text]) => String(text).split("\n"))) {
    // A heading over what follows.
    if (text === "ok" || text.startsWith("***")) continue
    findings.isIntact = false
    findings.add(`the file is damaged: ${text}`)
  }
  const strays = yield* during({ label: "Checking references" })(
    sql`SELECT "table", rowid, parent FROM pragma_foreign_key_check LIMIT 100`.values
  )
  for (const [table, row, parent] of strays) findings.add(`row ${row} of ${table} belongs to none of ${parent}`)
})

const checkEpoch = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, findings: Findings) {
  const rows = yield* sql`SELECT epoch FROM incarnation`.values
  const epoch = Schema.decodeUnknownResult(Epoch)(rows[0]?.[0])
  if (rows.length !== 1) findings.add(`there are ${rows.length} epochs instead of one`)
  if (Result.isFailure(epoch) && rows.length > 0) findings.add("the epoch is not valid")
  return Result.getOrNull(epoch)
})

const StoredConversation = Schema.Struct({
  id: Schema.Int,
  key: Schema.String,
  deletedThrough: Schema.Natural,
  conversation: Schema.Union([
    Schema.Struct({ kind: Schema.Literal("Lobby"), name: Schema.Literal("") }),
    Schema.Struct({ kind: Schema.Literal("Room"), name: RoomName }),
    Schema.Struct({ kind: Schema.Literal("Inbox"), name: UserName })
  ])
})
const decodeConversation = Schema.decodeUnknownResult(StoredConversation)

const conversationOf = (stored: (typeof StoredConversation.Type)["conversation"]): Conversation => {
  switch (stored.kind) {
    case "Lobby":
      return { _tag: "Lobby" }
    case "Room":
      return { _tag: "Room", room: stored.name }
    case "Inbox":
      return { _tag: "Inbox", user: stored.name }
  }
}

/** Answers what each is called in what is said of it. */
const checkConversations = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, findings: Findings) {
  const rows = yield* sql`SELECT id, conversation_key, kind, name, deleted_through FROM conversations ORDER BY id`
    .values
  const names = new Map<number, string>()
  for (const [id, key, kind, name, deletedThrough] of rows) {
    const called = kind === "Lobby" ? "the lobby" : kind === "Room" ? `room ${name}` : `${kind} ${name}`
    names.set(Number(id), called)
    if (kind === "Room") findings.rooms++
    const stored = decodeConversation({ id, key, deletedThrough, conversation: { kind, name } })
    if (Result.isFailure(stored)) {
      findings.add(`conversation ${id} is not valid: ${issueOf(stored.failure)}`)
      continue
    }
    const expected = conversationKey(conversationOf(stored.success.conversation))
    if (expected !== key)
      findings.add(`${called} has the key ${JSON.stringify(key)} instead of ${JSON.stringify(expected)}`)
  }
  return names
})

const decodeEntries = Schema.decodeUnknownResult(Schema.Array(Entry))
const decodeEntry = Schema.decodeUnknownResult(Entry)

const PlacedMessage = Schema.Struct({
  id: Schema.Int,
  conversation: Schema.Int,
  deletedThrough: Schema.NullOr(Schema.Finite),
  seq: Schema.Finite,
  at: Schema.Finite
})
const decodePlaces = Schema.decodeUnknownResult(Schema.Array(PlacedMessage))

/** In the order of storing, which is that of the places in every conversation: RETENTION deletes by it. */
const checkMessages = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  names: ReadonlyMap<number, string>,
  findings: Findings
) {
  const { during } = yield* Progress
  const [[first, last] = []] = yield* sql`SELECT MIN(id), MAX(id) FROM messages`.values
  if (typeof first !== "number" || typeof last !== "number") return
  const latest = (yield* Clock.currentTimeMillis) + maxAheadMillis
  /** The newest place seen in each conversation. */
  const places = new Map<number, number>()
  let behind = first - 1
  let untimely = 0
  let firstUntimely = ""

  const look = (rows: ReadonlyArray<Row>) => {
    for (const { at, conversation, deletedThrough, seq } of rows) {
      const called = names.get(conversation) ?? `conversation ${conversation}`
      // What was deleted while we read is no gap.
      const expected = Math.max(places.get(conversation) ?? 0, deletedThrough ?? 0) + 1
      if (seq > expected) {
        const missing = seq - expected
        const where = missing === 1 ? `${expected}` : `${expected} to ${seq - 1}`
        findings.add(`${called}: ${plural(missing, "message")} missing: ${where}`)
      }
      if (seq < expected) findings.add(`${called}: message ${seq} is not in its place, which is behind ${expected - 1}`)
      places.set(conversation, Math.max(seq, expected))
      findings.oldest = Math.min(findings.oldest, at)
      findings.newest = Math.max(findings.newest, at)
      if (at > latest || at < earliestMillis) {
        if (untimely++ === 0) firstUntimely = `message ${seq} of ${called}, ${timeOf(at)}`
      }
    }
    findings.messages += rows.length
  }

  const page = Effect.gen(function* () {
    const rows = yield* sql`
      SELECT messages.id, conversation, deleted_through AS deletedThrough, seq, at, sender AS "from", content
      FROM messages LEFT JOIN conversations ON conversations.id = conversation
      WHERE messages.id > ${behind} AND messages.id <= ${last} ORDER BY messages.id LIMIT ${pageMessages}`
    const placed = decodePlaces(rows)
    if (Result.isFailure(placed)) {
      findings.add(`the messages behind number ${behind} are not valid: ${issueOf(placed.failure)}`)
      behind += pageMessages
      return behind < last
    }
    look(placed.success)
    if (Result.isFailure(decodeEntries(rows))) {
      for (const [index, { conversation, seq }] of placed.success.entries()) {
        const entry = decodeEntry(rows[index])
        if (Result.isSuccess(entry)) continue
        const called = names.get(conversation) ?? `conversation ${conversation}`
        findings.add(`${called}: message ${seq} is not valid: ${issueOf(entry.failure)}`)
      }
    }
    behind = placed.success.at(-1)?.id ?? last
    return behind < last
  })

  yield* during({
    label: "Checking messages",
    progress: { total: last - first, done: Effect.sync(() => behind - first) }
  })(Effect.repeat(page, { while: (hasMore) => hasMore }))
  if (untimely > 0) {
    findings.remarks.push(
      `${plural(untimely, "message")} with a time that can hardly be right; the first is ${firstUntimely}`
    )
  }
})

type Row = typeof PlacedMessage.Type

const issueOf = ({ message }: Schema.SchemaError): string => message.replaceAll(/\s*\n\s*/g, " ")
