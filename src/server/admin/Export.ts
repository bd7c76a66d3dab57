/**
 * `pnpm admin export`: writes a conversation out, oldest message first, one line each, as it stands and reads on the wire; a
 * deleted one as its tombstone, and of an encrypted room what was sealed, which only its members can read.
 *
 * Read page by page, each a short read of its own, up to the message that is the newest at the start: memory stays flat,
 * and a running server's WAL can be reset in between. RETENTION may delete messages that have not been read yet, and
 * others may be damaged; how many of both is told, and the rest is written all the same.
 */
import { Console, Effect, FileSystem, Option, Schema, Stdio } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { PlatformError } from "effect/PlatformError"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import { standingMessage } from "../../common/wire/EntryMessage.ts"
import { isDamaged } from "../sql/SqliteProblem.ts"
import { viewsOf } from "../store/StandingRows.ts"
import { AdminError, NotSound, type OutputClosed, sqlProblem, systemProblem } from "./AdminError.ts"
import * as ChatDatabase from "./ChatDatabase.ts"
import { databaseFlag, forceFlag, named } from "./Flags.ts"
import { isAsStored } from "./MessageCheck.ts"
import * as NewFile from "./NewFile.ts"
import { Output } from "./Output.ts"
import { Progress } from "./Progress.ts"
import { plural } from "./Report.ts"
import * as RoomNames from "./RoomNames.ts"

const pageMessages = 1000

const decodeRoomName = Schema.decodeUnknownEffect(RoomName)

/** A room's name as it was typed, or the lobby, which is no room: a room may be called so. */
type Wanted = { readonly room: string } | "lobby"

/**
 * Finds the room by its name, in whatever case, or the lobby; hands its lines to `write`, many at once.
 * Answers how many there were, how many were `skipped`, since they were deleted before they could be read, and how many
 * are `damaged`.
 */
const exportLog = Effect.fn("exportLog")(
  function* (
    database: string,
    wanted: Wanted,
    write: (text: string) => Effect.Effect<void, AdminError | OutputClosed>
  ) {
    const sql = yield* ChatDatabase.open(database)
    const { conversation, id } = yield* find(sql, database, wanted)
    const [[first, newest] = []] = yield* sql`
      SELECT (SELECT seq FROM messages WHERE conversation = ${id} ORDER BY seq LIMIT 1),
        (SELECT seq FROM messages WHERE conversation = ${id} ORDER BY seq DESC LIMIT 1)`.values
    const told = { messages: 0, skipped: 0, damaged: 0 }
    if (typeof first !== "number" || typeof newest !== "number") return told
    const toMessage = standingMessage(conversation)
    const { during } = yield* Progress
    const readRows = reader(sql, id)
    /** Up to which place all is written, or told of. */
    let behind = first - 1
    const page = Effect.gen(function* () {
      const upTo = Math.min(behind + pageMessages, newest)
      const { rows, unread } = yield* readRows(behind, upTo)
      const messages = rows.filter(({ kind }) => kind === "Said" || kind === "Sealed" || kind === "Tombstone")
      const stand = viewsOf(messages.map((row) => ({ ...row, content: row["now"] ?? row["content"] })))
      const whole = stand.filter(({ problem }, index) => problem === undefined && isAsStored(messages[index] ?? {}))
      if (whole.length > 0) yield* write(whole.map(({ given }) => `${JSON.stringify(toMessage(given))}\n`).join(""))
      told.messages += whole.length
      told.damaged += messages.length - whole.length + unread
      told.skipped += upTo - behind - rows.length - unread
      behind = upTo
      return behind < newest
    })
    yield* during({
      label: "Exporting",
      progress: { total: newest - first + 1, done: Effect.sync(() => behind - first + 1) }
    })(Effect.repeat(page, { while: (hasMore) => hasMore }))
    return told
  },
  (effect, database) =>
    effect.pipe(
      Effect.scoped,
      Effect.catchTags({
        SqlError: (error) => new AdminError({ message: `Cannot read ${database}: ${sqlProblem(error)}` }),
        SchemaError: ({ message }) =>
          new AdminError({
            message: `Cannot read ${database}: it holds what parley did not write (${message.replaceAll(/\s*\n\s*/g, " ")}). "pnpm admin verify" tells more.`
          })
      })
    )
)

type Rows = { readonly rows: ReadonlyArray<Readonly<Record<string, unknown>>>; readonly unread: number }

/** Reads the rows of some places; where the file is damaged, ever fewer at once, so that only those are lost that are in it. */
const reader = (sql: SqlClient.SqlClient, conversation: number) => {
  const readRows = (behind: number, upTo: number): Effect.Effect<Rows, SqlError> =>
    sql`
      SELECT messages.*, sender AS "from", receiver AS "to", standing.content AS now, edited, reactions
      FROM messages LEFT JOIN standing ON standing.id = messages.id
      WHERE conversation = ${conversation} AND seq > ${behind} AND seq <= ${upTo} ORDER BY seq`.pipe(
      Effect.map((rows) => ({ rows, unread: 0 })),
      Effect.catchIf(
        ({ reason }) => isDamaged(reason.cause),
        () => {
          if (upTo - behind === 1) return Effect.succeed({ rows: [], unread: 1 })
          const middle = Math.floor((behind + upTo) / 2)
          return Effect.zipWith(readRows(behind, middle), readRows(middle, upTo), (one, other) => ({
            rows: [...one.rows, ...other.rows],
            unread: one.unread + other.unread
          }))
        }
      )
    )
  return readRows
}

/** The conversation as the database knows it. */
const find = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, database: string, wanted: Wanted) {
  const found = yield* RoomNames.find(sql, wanted)
  if (found !== undefined) {
    const conversation: SharedConversation =
      wanted === "lobby" ? { _tag: "Lobby" } : { _tag: "Room", room: yield* decodeRoomName(found.name) }
    return { conversation, id: found.id }
  }
  if (wanted === "lobby") {
    return yield* new AdminError({ message: `Nothing was ever said in the lobby of ${database}.` })
  }
  const known = yield* RoomNames.suggest(sql, wanted.room)
  return yield* new AdminError({
    message: `Nothing was ever said in a room ${JSON.stringify(wanted.room)} of ${database}. ${known}`
  })
})

const wantedOf = (lobby: boolean, room: Option.Option<string>): Effect.Effect<Wanted, AdminError> => {
  if (lobby && Option.isSome(room)) {
    return new AdminError({
      message: "Cannot export both a room and the lobby at once. Leave out the room or --lobby."
    })
  }
  if (lobby) return Effect.succeed("lobby")
  if (Option.isSome(room)) return Effect.succeed({ room: room.value })
  return new AdminError({ message: "Cannot export without a room. Name one, or give --lobby for the lobby." })
}

const toFile = Effect.fnUntraced(function* (database: string, wanted: Wanted, partial: string, shownAs: string) {
  const files = yield* FileSystem.FileSystem
  const encoder = new TextEncoder()
  const failed = Effect.mapError(
    ({ reason }: PlatformError) => new AdminError({ message: `Cannot write ${shownAs}: ${systemProblem(reason)}` })
  )
  const file = yield* failed(files.open(partial, { flag: "w" }))
  return yield* exportLog(database, wanted, (text) => failed(file.writeAll(encoder.encode(text))))
}, Effect.scoped)

/** What is not in the export. */
const tellLost = Effect.fnUntraced(function* (lost: { readonly damaged: number; readonly skipped: number }) {
  if (lost.skipped > 0) {
    yield* Console.error(
      `${plural(lost.skipped, "message")} in between were deleted (RETENTION) before they could be read.`
    )
  }
  if (lost.damaged === 0) return
  yield* Console.error(
    `${plural(lost.damaged, "message")} could not be read and ${lost.damaged === 1 ? "is" : "are"} left out. "pnpm admin verify" tells more.`
  )
  return yield* new NotSound()
})

export const exportCommand = Command.make(
  "export",
  {
    room: Argument.String("room").pipe(
      Argument.withDescription("The room, by its name, in whatever case"),
      Argument.optional
    ),
    lobby: Flag.Boolean("lobby").pipe(
      Flag.withDescription("Write out the lobby instead of a room"),
      Flag.withDefault(false)
    ),
    format: Flag.Literals("format", ["jsonl"]).pipe(
      Flag.withDescription("How: jsonl is one JSON object per line, as the message reads on the wire (the default)"),
      Flag.withDefault("jsonl")
    ),
    output: Flag.String("output").pipe(
      Flag.withDescription("The file to write; standard output if left out"),
      Flag.optional
    ),
    database: databaseFlag,
    force: forceFlag
  },
  Effect.fnUntraced(function* ({ database: given, force, lobby, output: file, room }) {
    const output = yield* Output
    const database = yield* named(given)
    const wanted = yield* wantedOf(lobby, room)
    if (Option.isNone(file)) {
      const stdio = yield* Stdio.Stdio
      const progress = (yield* stdio.stdoutIsTerminal) ? Progress.silent : yield* Progress
      const exporting = exportLog(database, wanted, output.write)
      return yield* Effect.flatMap(Effect.provideService(exporting, Progress, progress), tellLost)
    }
    const exported = yield* NewFile.write({ file: file.value, isForced: force, database }, (partial) =>
      toFile(database, wanted, partial, file.value)
    )
    yield* output.write(`${plural(exported.messages, "message")} written to ${file.value}.\n`)
    yield* tellLost(exported)
  })
).pipe(
  Command.withDescription(
    [
      "Write a room, or the lobby, out: one message per line, the oldest first.",
      "",
      "The server may be running; what is said after the start is left out. Messages that cannot be read any more are left",
      "out, too: how many is told, and the exit code is 1. Only you may read the file that --output names."
    ].join("\n")
  ),
  Command.withShortDescription("Write a room out"),
  Command.withExamples([
    { command: "pnpm -s admin export garden > garden.jsonl", description: "Write the room garden into a file" },
    { command: "pnpm admin export garden --output garden.jsonl", description: "The same, as a whole or not at all" },
    { command: "pnpm -s admin export --lobby | jq -r .content", description: "Read what was said in the lobby" }
  ])
)
