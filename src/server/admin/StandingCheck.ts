/**
 * Checks that the messages of a database stand as its log says: each with its text as last edited, with the reactions that
 * were not taken back, and that nothing is left of what was deleted but what a server still has to erase.
 *
 * Read page by page, each what one moment shows, so that a running server is not held up. Edits have an index. Reactions have
 * none: one that is in the log but does not stand is kept in mind until it turns out to have been taken back, `maxPending` of
 * them at most, which bounds the memory.
 */
import { Effect, Predicate, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { maxReactions } from "../../common/log/Entry.ts"
import { maxReactors } from "../../common/log/Timeline.ts"
import { nameKey } from "../../common/name/Name.ts"
import { areErased } from "../store/ErasedRooms.ts"
import type { Findings } from "./Findings.ts"
import { Progress } from "./Progress.ts"
import { plural } from "./Report.ts"

const pageMessages = 2000
const maxPending = 100_000

const decodeReacted = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({
      id: Schema.Int,
      conversation: Schema.Int,
      seq: Schema.Int,
      sender: Schema.String,
      message: Schema.NullOr(Schema.Int),
      reaction: Schema.NullOr(Schema.String),
      removed: Schema.NullOr(Schema.Int),
      kinds: Schema.Int
    })
  )
)
type Reacted = Effect.Success<ReturnType<typeof decodeReacted>>[number]

/** Of these places, what is wrong there. */
interface Fault {
  readonly conversation: number
  readonly of: string
  readonly is: string
}

const notAsLogged = "A server on it shows something else than was said. Restore a backup."

export const checkStanding = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  names: ReadonlyMap<number, string>,
  findings: Findings
) {
  const { during } = yield* Progress
  const [[first, last] = []] = yield* sql`SELECT MIN(id), MAX(id) FROM messages`.values
  if (typeof first !== "number" || typeof last !== "number") return
  const called = (conversation: unknown) => names.get(Number(conversation)) ?? `conversation ${conversation}`
  const tell = (rows: ReadonlyArray<ReadonlyArray<unknown>>, problem: string) => {
    for (const [conversation, seq] of rows) findings.add(`${called(conversation)}: message ${seq} ${problem}`)
  }

  const checkEdits = (behind: number, upTo: number) =>
    sql`
    SELECT message.conversation, message.seq FROM messages AS message
    LEFT JOIN standing ON standing.id = message.id
    LEFT JOIN messages AS edit ON edit.id = (
      SELECT MAX(id) FROM messages AS one
      WHERE one.kind = 'Edited' AND one.conversation = message.conversation AND one.target = message.seq
    )
    WHERE message.id > ${behind} AND message.id <= ${upTo} AND message.kind = 'Said'
    AND (standing.content IS NOT edit.content OR standing.edited IS NOT edit.at)`.values

  const checkReactions = (behind: number, upTo: number) =>
    sql`
    SELECT message.conversation, message.seq FROM messages AS message LEFT JOIN standing ON standing.id = message.id
    WHERE message.id > ${behind} AND message.id <= ${upTo} AND message.kind = 'Said'
    AND COALESCE(standing.reactions, '[]') IS NOT (
      SELECT json_group_array(json_array(reaction, count, json(named))) FROM (
        SELECT reaction, COUNT(*) AS count, (
          SELECT json_group_array(json_array(name, seq)) FROM (
            SELECT name, seq FROM reactors AS one
            WHERE one.message = message.id AND one.reaction = reactors.reaction ORDER BY seq LIMIT ${maxReactors}
          )
        ) AS named
        FROM reactors WHERE reactors.message = message.id GROUP BY reaction ORDER BY MIN(seq)
      )
    )`.values

  const checkErased = (behind: number, upTo: number) =>
    sql`
    SELECT edit.conversation, edit.target FROM messages AS edit
    JOIN messages AS message ON message.conversation = edit.conversation AND message.seq = edit.target
    WHERE edit.id > ${behind} AND edit.id <= ${upTo} AND edit.kind = 'Edited' AND edit.content <> ''
    AND message.kind = 'Tombstone'
    AND NOT EXISTS (SELECT 1 FROM erasures WHERE conversation = edit.conversation AND target = edit.target)`.values

  /** Entries that do not stand in the other inbox as in this one. RETENTION may have taken the one and not the other. */
  const checkTwins = (behind: number, upTo: number) =>
    sql`
    SELECT one.conversation, one.seq FROM messages AS one
    LEFT JOIN conversations AS theirs ON theirs.conversation_key = 'inbox:' || one.partner
    LEFT JOIN messages AS other ON other.conversation = theirs.id AND other.seq = one.twin
    WHERE one.id > ${behind} AND one.id <= ${upTo} AND one.twin IS NOT NULL
    AND one.twin > COALESCE(theirs.deleted_through, 0)
    AND (
      other.twin IS NOT one.seq OR other.at IS NOT one.at OR other.kind IS NOT one.kind
      OR other.sender IS NOT one.sender OR other.receiver IS NOT one.receiver
    )`.values

  /** What was reacted to messages that are there, and how many reactions those have. */
  const readReacted = (behind: number, upTo: number) =>
    sql`
      SELECT entry.id, entry.conversation, entry.seq, entry.sender, message.id AS message,
        entry.content ->> 'reaction' AS reaction, entry.content ->> 'removed' AS removed,
        (SELECT COUNT(DISTINCT reaction) FROM reactors WHERE message = message.id) AS kinds
      FROM messages AS entry
      JOIN messages AS message ON message.conversation = entry.conversation AND message.seq = entry.target
      WHERE entry.id > ${behind} AND entry.id <= ${upTo} AND entry.kind = 'Reacted' AND json_valid(entry.content)
      AND message.kind = 'Said' AND message.seq < entry.seq
      ORDER BY entry.id`.pipe(
      Effect.flatMap(decodeReacted),
      Effect.catchTag("SchemaError", () => Effect.succeed([]))
    )

  const standingReactions = Effect.fnUntraced(function* (reacted: ReadonlyArray<Reacted>) {
    const asked = JSON.stringify(reacted.map(({ message, reaction, sender }) => [message, nameKey(sender), reaction]))
    const rows = yield* sql`
      SELECT asked.key, seq FROM json_each(${asked}) AS asked
      JOIN reactors ON message = asked.value ->> 0 AND user = asked.value ->> 1 AND reaction = asked.value ->> 2`.values
    return new Map(rows.map(([ordinal, seq]) => [Number(ordinal), Number(seq)]))
  })

  /** Reactions that do not stand, and may yet turn out to have been taken back: by message, user and reaction. */
  const pending = new Map<string, Fault>()
  const walk = Effect.fnUntraced(function* (behind: number, upTo: number, isNew: boolean) {
    const reacted = yield* readReacted(behind, upTo)
    if (reacted.length === 0) return
    const stand = yield* standingReactions(reacted)
    for (const [index, { conversation, kinds, message, reaction, removed, sender, seq }] of reacted.entries()) {
      const key = JSON.stringify([message, nameKey(sender), reaction])
      const standsSince = stand.get(index)
      if (removed !== null) {
        pending.delete(key)
        if (standsSince !== undefined && standsSince < seq) {
          findings.add(`${called(conversation)}: a reaction that entry ${seq} takes back still stands. ${notAsLogged}`)
        }
      } else if (isNew && standsSince === undefined && kinds < maxReactions && pending.size < maxPending) {
        pending.set(key, { conversation, of: called(conversation), is: `the reaction of entry ${seq} does not stand` })
      }
    }
  })

  let behind = first - 1
  const page = Effect.gen(function* () {
    const upTo = Math.min(behind + pageMessages, last)
    tell(yield* checkEdits(behind, upTo), `does not stand as it was edited last. ${notAsLogged}`)
    tell(yield* checkReactions(behind, upTo), `does not stand with the reactions to it. ${notAsLogged}`)
    tell(
      yield* checkErased(behind, upTo),
      "was deleted, but an edit of it still holds its text, and no server will erase that. Restore a backup, and delete it there."
    )
    tell(
      yield* checkTwins(behind, upTo),
      "does not stand in the inbox of the other as in this one. One of them is shown something else. Restore a backup."
    )
    yield* walk(behind, upTo, true)
    behind = upTo
    return behind < last
  })
  yield* during({
    label: "Checking how messages stand",
    progress: { total: last - first, done: Effect.sync(() => behind - first) }
  })(Effect.repeat(page, { while: (hasMore) => hasMore }))

  // Somebody may have taken back, meanwhile, what was looked at.
  const [[newest] = []] = yield* sql`SELECT MAX(id) FROM messages`.values
  for (; behind < Number(newest); behind += pageMessages) yield* walk(behind, behind + pageMessages, false)
  // Nor does anything stand any more where somebody deleted the room meanwhile.
  const erased = yield* sql`SELECT id FROM conversations WHERE ${sql.literal(areErased)}`.values
  const gone = new Set(erased.map(([id]) => Number(id)))
  for (const { conversation, is, of } of pending.values()) {
    if (!gone.has(conversation)) findings.add(`${of}: ${is}. ${notAsLogged}`)
  }

  const [[strays] = []] = yield* sql`
    SELECT COUNT(*) FROM standing LEFT JOIN messages ON messages.id = standing.id WHERE messages.kind IS NOT 'Said'`
    .values
  if (Predicate.isNumber(strays) && strays > 0) {
    findings.remarks.push(
      `${plural(strays, "row")} in standing that ${strays === 1 ? "belongs" : "belong"} to no message`
    )
  }
  const [[foreign] = []] = yield* sql`
    SELECT COUNT(*) FROM answered_keys JOIN messages ON messages.id = answered_keys.message
    WHERE messages.conversation <> answered_keys.conversation`.values
  if (Predicate.isNumber(foreign) && foreign > 0) {
    findings.add(`${plural(foreign, "key")} answered with entries of other conversations. ${notAsLogged}`)
  }
  const [[waiting] = []] = yield* sql`SELECT COUNT(*) FROM erasures`.values
  if (Predicate.isNumber(waiting) && waiting > 0) {
    findings.remarks.push(`${plural(waiting, "deleted message")} of which a server still has something to erase`)
  }
})
