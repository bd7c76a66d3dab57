/**
 * `pnpm admin rmroom`: removes a room with all that was said in it, while no server runs.
 *
 * It is gone from the file, too, not only from the tables: deleted rows are overwritten, the file is written anew, and the
 * search index, which holds the words, is removed before; a server makes it again. The room's number is not given
 * again, so that a room made later under this name is another one.
 */
import { resolve } from "node:path"
import { Effect, FileSystem, Stdio } from "effect"
import { Argument, Command, Flag, Prompt } from "effect/cli"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { AdminError, sqlProblem, systemProblem } from "./AdminError.ts"
import * as ChatDatabase from "./ChatDatabase.ts"
import { databaseFlag, named } from "./Flags.ts"
import { isInUse, openAlone } from "./InUse.ts"
import { Output } from "./Output.ts"
import { Progress } from "./Progress.ts"
import { plural, printable } from "./Report.ts"
import * as RoomNames from "./RoomNames.ts"

interface Removal {
  readonly database: string
  readonly room: string
}

const cannotRemove = (room: string, problem: string) =>
  new AdminError({ message: `Cannot remove the room ${JSON.stringify(room)}: ${problem}` })

const used = ({ database, room }: Removal) =>
  cannotRemove(room, `the server is running on ${database}, or a command reads it. Stop it, and try again.`)

const failing = ({ database, room }: Removal) =>
  Effect.mapError((error: SqlError) => cannotRemove(room, `${database}: ${sqlProblem(error)}`))

/** The room's name as it is written, and how many messages it has. */
const look = Effect.fnUntraced(function* (removal: Removal) {
  yield* ChatDatabase.find(removal.database)
  if (yield* failing(removal)(isInUse(removal.database))) return yield* used(removal)
  const sql = yield* ChatDatabase.openHere(removal.database)
  return yield* findRoom(sql, removal)
}, Effect.scoped)

const findRoom = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, removal: Removal) {
  const failed = failing(removal)
  const found = yield* failed(RoomNames.find(sql, removal))
  if (found === undefined) {
    const known = yield* failed(RoomNames.suggest(sql, removal.room))
    return yield* cannotRemove(removal.room, `there is no such room in ${removal.database}. ${known}`)
  }
  const [[messages] = []] = yield* failed(
    sql`SELECT COUNT(*) FROM messages WHERE conversation = ${found.id} AND kind IN ('Said', 'Sealed')`.values
  )
  return { id: found.id, name: printable(found.name), messages: Number(messages) }
})

/** By the name as it is given and by the one behind symbolic links: a server may be started with either. */
const removeIndex = Effect.fnUntraced(function* (files: FileSystem.FileSystem, database: string) {
  for (const path of new Set([resolve(database), yield* files.realPath(database)])) {
    for (const suffix of ["", "-wal", "-shm"]) yield* files.remove(`${path}-search${suffix}`, { force: true })
  }
})

/** Removes it; answers its name and how many messages it had. Fails if the database is in use. */
export const removeRoom = Effect.fn("removeRoom")(function* (removal: Removal) {
  const { database, room } = removal
  const files = yield* FileSystem.FileSystem
  const { during } = yield* Progress
  const failed = failing(removal)
  const sql = yield* failed(openAlone(database))
  if (sql === undefined) return yield* used(removal)
  const found = yield* findRoom(sql, removal)
  // First: should we be killed, a room that is still there can be removed again.
  yield* Effect.mapError(removeIndex(files, database), ({ reason }) =>
    cannotRemove(room, `the search index, which holds its words, stays: ${systemProblem(reason)}`)
  )
  yield* failed(
    sql.withTransaction(
      Effect.gen(function* () {
        for (const [table, id] of [
          ["standing", "id"],
          ["reactors", "message"]
        ] as const) {
          yield* sql`
            DELETE FROM ${sql(table)} WHERE ${sql(id)} IN (SELECT id FROM messages WHERE conversation = ${found.id})`
        }
        yield* sql`DELETE FROM erasures WHERE conversation = ${found.id}`
        yield* sql`DELETE FROM answered_keys WHERE conversation = ${found.id}`
        const [[key] = []] = yield* sql`SELECT conversation_key FROM conversations WHERE id = ${found.id}`.values
        yield* sql`DELETE FROM memberships WHERE 'room:' || room_key = ${key}`
        yield* sql`DELETE FROM marks WHERE place = ${key}`
        yield* sql`DELETE FROM governance WHERE conversation_key = ${key}`
        yield* sql`DELETE FROM messages WHERE conversation = ${found.id}`
        yield* sql`DELETE FROM conversations WHERE id = ${found.id}`
      })
    )
  )
  yield* during({ label: "Writing the file anew" })(
    Effect.andThen(sql`VACUUM`.unprepared, sql`PRAGMA wal_checkpoint(TRUNCATE)`.unprepared)
  ).pipe(
    Effect.mapError(
      (error) =>
        new AdminError({
          message: `The room ${found.name} is removed, but the file may still hold what was said in it: ${sqlProblem(error)} Then take a copy with "pnpm admin backup", which does not hold it, and restore that.`
        })
    )
  )
  return found
}, Effect.scoped)

/** Asks, if there is somebody to be asked. */
const confirm = Effect.fnUntraced(function* (room: string, name: string, messages: number) {
  const stdio = yield* Stdio.Stdio
  if (!((yield* stdio.stdinIsTerminal) && (yield* stdio.stdoutIsTerminal))) {
    return yield* cannotRemove(room, "nobody can be asked whether that is meant. Say so with --yes.")
  }
  const message = `Remove the room ${name} and its ${plural(messages, "message")} for ever?`
  const isMeant = yield* Effect.catchTag(
    Prompt.run(Prompt.Confirm({ message, initial: false })),
    "QuitError",
    () => Effect.interrupt
  )
  if (!isMeant) return yield* new AdminError({ message: `The room ${name} stays.` })
})

export const removeRoomCommand = Command.make(
  "rmroom",
  {
    room: Argument.String("room").pipe(Argument.withDescription("The room, by its name, in whatever case")),
    yes: Flag.Boolean("yes").pipe(Flag.withDescription("Do not ask whether that is meant"), Flag.withDefault(false)),
    database: databaseFlag
  },
  Effect.fnUntraced(function* ({ database: given, room, yes }) {
    const output = yield* Output
    const database = yield* named(given)
    const { messages, name } = yield* look({ database, room })
    if (!yes) yield* confirm(room, name, messages)
    const removed = yield* removeRoom({ database, room })
    const lost = plural(removed.messages, "message")
    yield* output.write(`The room ${removed.name} and its ${lost} are removed from ${database}.\n`)
  })
).pipe(
  Command.withDescription(
    [
      "Remove a room and all that was said in it, for ever. The server must be stopped.",
      "",
      "Nothing of it stays in the database's file or in the search index, which a server makes anew when it starts; backups",
      "taken before still hold it. Asks whether that is meant, unless --yes says so. The names of the rooms: pnpm admin",
      "rooms."
    ].join("\n")
  ),
  Command.withShortDescription("Remove a room and all that was said in it"),
  Command.withExamples([
    { command: "pnpm admin rmroom garden", description: "Remove the room garden, if you say yes" },
    { command: "pnpm admin rmroom garden --yes", description: "Without being asked, as in a script" },
    { command: "pnpm admin rmroom garden --database /srv/chat.sqlite", description: "From another database" }
  ])
)
