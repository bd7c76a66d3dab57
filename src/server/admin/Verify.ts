/**
 * `pnpm admin verify`: checks a database of parley's, a server's own or a backup. That SQLite finds it whole, that it has the tables
 * and indexes a server needs (see SchemaCheck), that names are valid and keys belong to them, and the messages (see
 * MessageCheck) and how they stand (see StandingCheck), the rooms that are governed or deleted (see RoomCheck), and the accounts (see AccountCheck). It only reads.
 */
import { Effect, Option, Result, Schema } from "effect"
import { Argument, Command } from "effect/cli"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { conversationKey } from "../../common/log/Conversation.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import { erasedKey } from "../store/ErasedRooms.ts"
import { checkAccounts, checkMemberships } from "./AccountCheck.ts"
import { NotSound, sqlProblem } from "./AdminError.ts"
import * as ChatDatabase from "./ChatDatabase.ts"
import { Findings, issueOf } from "./Findings.ts"
import { databaseFlag, jsonFlag, named } from "./Flags.ts"
import { abandonable } from "./Interruption.ts"
import { checkMessages } from "./MessageCheck.ts"
import { Output } from "./Output.ts"
import { Progress } from "./Progress.ts"
import * as Report from "./Report.ts"
import { checkErasedRooms, checkGovernance } from "./RoomCheck.ts"
import { checkEpoch, checkMigrations, checkSchema } from "./SchemaCheck.ts"
import { checkSealing } from "./SealingCheck.ts"
import { checkStanding } from "./StandingCheck.ts"

const inspecting = (open: typeof ChatDatabase.open) => (file: string, shownAs: string) =>
  abandonable(Effect.scoped(Effect.flatMap(open(file, shownAs), (sql) => inspectLog(sql, shownAs))))

/** Checks the file, which is called `shownAs` in what is said of it. Fails only if it cannot be read at all. */
export const inspect = inspecting(ChatDatabase.open)

/** The same for a file that nobody else has. */
export const inspectUnused = inspecting(ChatDatabase.openHere)

const inspectLog = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, file: string) {
  const findings = new Findings()
  const reading = <A, R>(what: string, otherwise: A, check: Effect.Effect<A, SqlError, R>) =>
    Effect.catchTag(check, "SqlError", (error) => {
      findings.isIntact = false
      findings.add(`${what} cannot be read: ${sqlProblem(error)}`)
      return Effect.succeed(otherwise)
    })
  const bytes = yield* reading("the size", 0, ChatDatabase.bytesOf(sql))
  yield* reading("the file", undefined, checkFile(sql, findings))
  const missing = yield* reading("the tables", new Set<string>(), checkSchema(sql, findings))
  /** That a table is missing has been said. */
  const readingTable = <A, R>(table: string, what: string, otherwise: A, check: Effect.Effect<A, SqlError, R>) =>
    missing.has(table) ? Effect.succeed(otherwise) : reading(what, otherwise, check)
  yield* readingTable("effect_sql_migrations", "the migrations", undefined, checkMigrations(sql, findings))
  const epoch = yield* readingTable("incarnation", "the epoch", null, checkEpoch(sql, findings))
  const names = yield* readingTable(
    "conversations",
    "the conversations",
    new Map<number, string>(),
    checkConversations(sql, findings)
  )
  if (!missing.has("conversations")) {
    yield* readingTable("messages", "the messages", undefined, checkMessages(sql, names, findings))
    if (!["messages", "reactors", "erasures"].some((table) => missing.has(table))) {
      const standing = checkStanding(sql, names, findings)
      yield* readingTable("standing", "how the messages stand", undefined, standing)
    }
  }
  if (!["conversations", "messages"].some((table) => missing.has(table))) {
    yield* reading("the deleted rooms", undefined, checkErasedRooms(sql, findings))
  }
  yield* readingTable("governance", "how rooms are governed", undefined, checkGovernance(sql, findings))
  if (!["accounts", "blocks", "devices", "invites", "keys"].some((table) => missing.has(table))) {
    yield* reading("the accounts", undefined, checkAccounts(sql, findings))
  }
  if (!["conversations", "marks", "memberships", "messages"].some((table) => missing.has(table))) {
    yield* reading("the memberships", undefined, checkMemberships(sql, findings))
  }
  if (!["device_entries", "governance", "intervals", "welcomes"].some((table) => missing.has(table))) {
    yield* reading("the encrypted rooms", undefined, checkSealing(sql, findings))
  }
  const { accounts, isIntact, messages, newest, oldest, problems, remarks, rooms } = findings
  const report: Report.Report = {
    file,
    isSound: problems.length === 0,
    isIntact,
    problems,
    moreProblems: findings.count - problems.length,
    remarks,
    epoch,
    rooms,
    accounts,
    messages,
    oldest: messages === 0 ? null : oldest,
    newest: messages === 0 ? null : newest,
    bytes
  }
  return report
})

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
  for (const [table, row, parent] of strays) {
    // Some tables have no numbers for their rows.
    findings.add(
      `${row === null ? "a row" : `row ${row}`} of ${Report.printable(table)} belongs to none of ${Report.printable(parent)}`
    )
  }
})

const StoredConversation = Schema.Struct({
  id: Schema.Int,
  key: Schema.String,
  deletedThrough: Schema.Natural,
  conversation: Schema.Union([
    Schema.Struct({ kind: Schema.Literal("Lobby"), name: Schema.Literal("") }),
    Schema.Struct({ kind: Schema.Literal("Room"), name: RoomName }),
    Schema.Struct({ kind: Schema.Literal("Inbox"), name: UserName }),
    Schema.Struct({ kind: Schema.Literals(["Erased", "Gone"]), name: Schema.Literal("") })
  ])
})
const decodeConversation = Schema.decodeUnknownResult(StoredConversation)

/** An account's inbox has its number for a key. */
const accountIn = (key: string) => {
  const [, account] = /^inbox:#(0|[1-9]\d{0,14})$/.exec(key) ?? []
  return account === undefined ? {} : { account: Number(account) }
}

const keyOf = ({ conversation: stored, id, key }: typeof StoredConversation.Type): string => {
  switch (stored.kind) {
    case "Lobby":
      return conversationKey({ _tag: "Lobby" })
    case "Room":
      return conversationKey({ _tag: "Room", room: stored.name })
    case "Inbox":
      return conversationKey({ _tag: "Inbox", user: stored.name, ...accountIn(key) })
    default:
      return erasedKey(id)
  }
}

const calledSo = (kind: unknown, name: unknown): string => {
  if (kind === "Lobby") return "the lobby"
  if (kind === "Erased" || kind === "Gone") return "a deleted room"
  return kind === "Room" ? `room ${Report.printable(name)}` : Report.printable(`${String(kind)} ${String(name)}`)
}

/** Answers what each is called in what is said of it. */
const checkConversations = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, findings: Findings) {
  const rows = yield* sql`SELECT id, conversation_key, kind, name, deleted_through FROM conversations ORDER BY id`
    .values
  const names = new Map<number, string>()
  for (const [id, key, kind, name, deletedThrough] of rows) {
    const called = calledSo(kind, name)
    names.set(Number(id), called)
    if (kind === "Room") findings.rooms++
    const stored = decodeConversation({ id, key, deletedThrough, conversation: { kind, name } })
    if (Result.isFailure(stored)) {
      findings.add(`conversation ${id} is not valid: ${issueOf(stored.failure)}`)
      continue
    }
    const expected = keyOf(stored.success)
    if (expected !== key)
      findings.add(`${called} has the key "${Report.printable(key)}" instead of "${Report.printable(expected)}"`)
  }
  return names
})

export const verifyCommand = Command.make(
  "verify",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription("The file to check: a backup, or a database in use; the server's own if left out"),
      Argument.optional
    ),
    database: databaseFlag,
    json: jsonFlag
  },
  Effect.fnUntraced(function* ({ database, file, json }) {
    const output = yield* Output
    const checked = Option.isSome(file) ? file.value : yield* named(database)
    const report = yield* inspect(checked, checked)
    yield* output.write(json ? Report.toJson(report) : Report.toText(report))
    if (!report.isSound) return yield* new NotSound()
  })
).pipe(
  Command.withDescription(
    [
      "Check a backup, or the database of a server, which may be running; the file is only read.",
      "",
      "Looks whether the file is whole and has all tables and indexes, whether every conversation has its messages without",
      "gaps and in order, whether names, times and texts are valid, and whether each message is, by its checksum, the one",
      "that was stored; whether it stands as it was edited last, with the reactions to it, and nothing is left of what was",
      "deleted; and the accounts with their devices, rooms and read marks. What is wrong is listed, and the exit code is 1."
    ].join("\n")
  ),
  Command.withShortDescription("Check a backup, or the database of a running server"),
  Command.withExamples([
    { command: "pnpm admin verify backups/monday.sqlite", description: "Check a backup" },
    { command: "pnpm admin verify", description: "Check the server's own database" },
    { command: "pnpm -s admin verify --json | jq .messages", description: "Let a script read the result" }
  ])
)
