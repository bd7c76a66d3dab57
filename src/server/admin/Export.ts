/**
 * Writes a conversation out, oldest message first, one line each, as it reads on the wire.
 *
 * Read page by page, each a short read of its own, up to the message that is the newest at the start: memory stays flat,
 * and a running server's WAL can be reset in between. RETENTION may delete messages that have not been read yet; how
 * many is told.
 */
import { Effect, Schema } from "effect"
import { nameKey } from "../../common/Name.ts"
import { RoomName } from "../../common/RoomName.ts"
import * as LogTables from "../history/LogTables.ts"
import type { SharedConversation } from "../messages/Conversation.ts"
import { toChatMessage } from "../Room.ts"
import { AdminError, type OutputClosed, sqlProblem } from "./AdminError.ts"
import * as LogFile from "./LogFile.ts"
import { Progress } from "./Progress.ts"

const pageMessages = 1000

/** How many rooms an error lists. */
const maxListed = 20

const byName = new Intl.Collator("en", { numeric: true }).compare

const decodeRoomName = Schema.decodeUnknownEffect(RoomName)

/** A room's name as it was typed, or the lobby, which is no room: a room may be called so. */
export type Wanted = { readonly room: string } | "lobby"

/**
 * Finds the room by its name, in whatever case, or the lobby; hands its lines to `write`, many at once.
 * Answers how many there were, and how many were `skipped`, since they were deleted before they could be read.
 */
export const exportLog = Effect.fn("exportLog")(
  function* (
    database: string,
    wanted: Wanted,
    write: (text: string) => Effect.Effect<void, AdminError | OutputClosed>
  ) {
    const tables = LogTables.make(yield* LogFile.open(database))
    const { conversation, id, newest } = yield* find(tables, database, wanted)
    const toMessage = toChatMessage(conversation)
    const { during } = yield* Progress
    let behind = 0
    let messages = 0
    let skipped = 0
    const page = Effect.gen(function* () {
      const found = yield* tables.page(id, { after: behind, before: newest + 1, limit: pageMessages }, true)
      const entries = found.slice(0, pageMessages)
      const [first] = entries
      if (first === undefined) return false
      if (behind > 0) skipped += first.seq - behind - 1
      yield* write(entries.map((entry) => `${JSON.stringify(toMessage(entry))}\n`).join(""))
      messages += entries.length
      behind = entries.at(-1)?.seq ?? newest
      return found.length > pageMessages
    })
    yield* during({ label: "Exporting", progress: { total: newest, done: Effect.sync(() => behind) } })(
      Effect.repeat(page, { while: (hasMore) => hasMore })
    )
    return { messages, skipped }
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

/** The conversation as the database knows it. */
const find = Effect.fnUntraced(function* (tables: ReturnType<typeof LogTables.make>, database: string, wanted: Wanted) {
  const key = wanted === "lobby" ? "lobby" : `room:${nameKey(wanted.room.normalize("NFKC"))}`
  const [found] = yield* tables.standing([key])
  if (found !== undefined) {
    const { id, name, newest } = found
    const conversation: SharedConversation =
      wanted === "lobby" ? { _tag: "Lobby" } : { _tag: "Room", room: yield* decodeRoomName(name) }
    return { conversation, id, newest }
  }
  if (wanted === "lobby") {
    return yield* new AdminError({ message: `Nothing was ever said in the lobby of ${database}.` })
  }
  const rooms = (yield* tables.conversations)
    .flatMap(({ kind, name }) => (kind === "Room" ? [name] : []))
    .toSorted(byName)
  const listed = rooms.slice(0, maxListed).join(", ")
  const others = rooms.length > maxListed ? `, and ${rooms.length - maxListed} more` : ""
  const known = rooms.length === 0 ? "It has none." : `It has these: ${listed}${others}.`
  return yield* new AdminError({
    message: `Nothing was ever said in a room ${JSON.stringify(wanted.room)} of ${database}. ${known}`
  })
})
