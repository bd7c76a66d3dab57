/**
 * `pnpm admin rooms`: which rooms there are, how much was said in each, and when last.
 *
 * Counted in steps, each a short read of its own, so that a running server's WAL can be reset in between; what is said
 * meanwhile is left out.
 */
import { Effect, Schema } from "effect"
import { Command } from "effect/cli"
import { AdminError, sqlProblem } from "./AdminError.ts"
import * as ChatDatabase from "./ChatDatabase.ts"
import { databaseFlag, jsonFlag, named } from "./Flags.ts"
import { Output } from "./Output.ts"
import { Progress } from "./Progress.ts"
import { grouped, plural, printable, sizeOf, timeOf } from "./Report.ts"

const stepMessages = 10_000

const byName = new Intl.Collator("en", { numeric: true }).compare

interface RoomSize {
  readonly name: string
  readonly messages: number
  /** When the newest message was said, in milliseconds since 1970. */
  readonly newest: number | null
  /** Of the contents in UTF-8. */
  readonly bytes: number
  /** Nobody can read it but its members; `between` two alone, if it is a private conversation. */
  readonly encrypted?: true
}

const decodeSizes = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({ conversation: Schema.Int, messages: Schema.Int, newest: Schema.Finite, bytes: Schema.Finite })
  )
)

/** Every room, in the order of their names. */
const listRooms = Effect.fn("listRooms")(
  function* (database: string) {
    const { during } = yield* Progress
    const sql = yield* ChatDatabase.open(database)
    const rooms = new Map<unknown, RoomSize>(
      (yield* sql`
        SELECT id, conversations.name, json_valid(state) AND state ->> 'keys' IS NOT NULL
        FROM conversations LEFT JOIN governance USING (conversation_key) WHERE kind = 'Room'`.values).map(
        ([id, name, isEncrypted]) => [
          id,
          { name: printable(name), messages: 0, newest: null, bytes: 0, ...(isEncrypted === 1 && { encrypted: true }) }
        ]
      )
    )
    const [[first, last] = []] = yield* sql`SELECT MIN(id), MAX(id) FROM messages`.values
    if (typeof first === "number" && typeof last === "number") {
      let behind = first - 1
      const step = Effect.gen(function* () {
        const upTo = Math.min(behind + stepMessages, last)
        const rows = yield* sql`
          SELECT conversation, SUM(kind IN ('Said', 'Sealed')) AS messages, MAX(at) AS newest, SUM(OCTET_LENGTH(content)) AS bytes
          FROM messages WHERE id > ${behind} AND id <= ${upTo} GROUP BY conversation`
        for (const { bytes, conversation, messages, newest } of yield* decodeSizes(rows)) {
          const room = rooms.get(conversation)
          if (room === undefined) continue
          rooms.set(conversation, {
            ...room,
            messages: room.messages + messages,
            newest: Math.max(room.newest ?? newest, newest),
            bytes: room.bytes + bytes
          })
        }
        behind = upTo
        return behind < last
      })
      yield* during({
        label: "Counting messages",
        progress: { total: last - first + 1, done: Effect.sync(() => behind - first + 1) }
      })(Effect.repeat(step, { while: (hasMore) => hasMore }))
    }
    return [...rooms.values()].toSorted((one, other) => byName(one.name, other.name))
  },
  (effect, database) =>
    effect.pipe(
      Effect.scoped,
      Effect.catchTags({
        SqlError: (error) => new AdminError({ message: `Cannot read ${database}: ${sqlProblem(error)}` }),
        SchemaError: () =>
          new AdminError({
            message: `Cannot read ${database}: it holds what parley did not write. "pnpm admin verify" tells more.`
          })
      })
    )
)

const toText = (rooms: ReadonlyArray<RoomSize>): string => {
  if (rooms.length === 0) return "There are no rooms.\n"
  const cells = rooms.map(({ bytes, encrypted, messages, name, newest }) => [
    plural(messages, "message"),
    sizeOf(bytes),
    newest === null ? "-" : timeOf(newest),
    encrypted === true ? `${name} (encrypted)` : name
  ])
  const width = (column: number) => Math.max(...cells.map((row) => row[column]?.length ?? 0))
  const widths = [width(0), width(1), width(2)] as const
  const lines = cells.map(([messages = "", size = "", time = "", name = ""]) =>
    [messages.padStart(widths[0]), size.padStart(widths[1]), time.padEnd(widths[2]), name].join("  ")
  )
  return `${lines.join("\n")}\n${grouped(rooms.length)} ${rooms.length === 1 ? "room" : "rooms"} in all.\n`
}

export const roomsCommand = Command.make(
  "rooms",
  { database: databaseFlag, json: jsonFlag },
  Effect.fnUntraced(function* ({ database, json }) {
    const output = yield* Output
    const rooms = yield* listRooms(yield* named(database))
    yield* output.write(json ? `${JSON.stringify(rooms)}\n` : toText(rooms))
  })
).pipe(
  Command.withDescription(
    [
      "List the rooms of a server, which may be running: how many messages each has, how large they are, and when the newest",
      "was said.",
      "",
      "With --json: an array of { name, messages, newest, bytes, encrypted }, newest in milliseconds since 1970 or null;",
      "encrypted is there, and true, where only members can read what was said. ~ada~ben is a conversation of two."
    ].join("\n")
  ),
  Command.withShortDescription("List the rooms and what is in them"),
  Command.withExamples([
    { command: "pnpm admin rooms", description: "List the rooms" },
    {
      command: "pnpm -s admin rooms --json | jq -r 'sort_by(-.bytes)[:10][].name'",
      description: "The ten largest"
    }
  ])
)
