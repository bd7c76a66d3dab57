/**
 * Entries as rows of a database, with all that follows from each in the same commit: how its target stands afterwards, the
 * tombstone of what was deleted, and what is left to be erased. Written from the tables' description, without the server.
 */
import { Effect } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { Entry } from "../../../src/common/log/Entry.ts"
import * as Timeline from "../../../src/common/log/Timeline.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { Content } from "../../../src/common/text/Content.ts"

const ada = UserName.make("ada")

export const said = (seq: number, content: string, at = 999 + seq): Entry => ({
  seq,
  at,
  from: ada,
  body: { _tag: "Said", content: Content.make(content) }
})

export const edited = (seq: number, target: number, content: string): Entry => ({
  seq,
  at: 999 + seq,
  from: ada,
  body: { _tag: "Edited", target, content: Content.make(content) }
})

export const deleted = (seq: number, target: number): Entry => ({
  seq,
  at: 999 + seq,
  from: ada,
  body: { _tag: "Deleted", target }
})

export const reacted = (seq: number, target: number, reaction: string): Entry => ({
  seq,
  at: 999 + seq,
  from: ada,
  body: { _tag: "Reacted", target, reaction }
})

/** A log, to which entries are stored in a conversation of this number. */
export const make = (sql: SqlClient.SqlClient, conversation = 1) => {
  const log: Array<Entry> = []

  const rowOf = ({ at, body, from, seq }: Entry) => {
    const { _tag: kind, ...fields } = body
    const content = "content" in body ? body.content : JSON.stringify({ ...fields, target: undefined })
    return [conversation, seq, at, from, content, kind, "target" in body ? body.target : null]
  }

  const insert = (rows: ReadonlyArray<unknown>) => sql`
    INSERT INTO messages (conversation, seq, at, sender, content, kind, target)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
    FROM json_each(${JSON.stringify(rows)})`

  const idOf = (seq: number) =>
    sql.literal(`(SELECT id FROM messages WHERE conversation = ${conversation} AND seq = ${seq})`)

  /** What follows from an entry for what stands at its target. */
  const follow = Effect.fnUntraced(function* (target: number, before: Timeline.Timeline, after: Timeline.Timeline) {
    const standing = after.get(target)
    if (standing === undefined || standing === before.get(target)) return
    if (standing._tag === "Message") {
      const reactions = standing.reactions.map(({ by, reaction }) => [
        reaction,
        by.length,
        by.slice(0, Timeline.maxReactors).map(({ seq, user }) => [user, seq])
      ])
      const content = standing.edited === undefined ? null : standing.content
      yield* sql`
        INSERT INTO standing (id, content, edited, reactions)
        VALUES (${idOf(target)}, ${content}, ${standing.edited ?? null}, ${JSON.stringify(reactions)})
        ON CONFLICT (id) DO UPDATE SET content = excluded.content, edited = excluded.edited, reactions = excluded.reactions`
      for (const { by, reaction } of standing.reactions)
        for (const { seq, user } of by)
          yield* sql`
            INSERT OR IGNORE INTO reactors (message, reaction, user, name, seq, at)
            VALUES (${idOf(target)}, ${reaction}, ${user}, ${user}, ${seq}, 1)`
      return
    }
    // What was done to a room stands as it was made.
    if (standing._tag !== "Tombstone") return
    yield* sql`
      UPDATE messages SET kind = 'Tombstone', target = NULL, content =
        json_object('deletedBy', ${standing.deletedBy}, 'deletedAt', ${standing.deletedAt}, 'bytes', octet_length(content))
      WHERE id = ${idOf(target)}`
    yield* sql`INSERT INTO erasures (id, conversation, target) VALUES (${idOf(target)}, ${conversation}, ${target})`
  })

  return {
    log,
    open: sql`
      INSERT INTO conversations (id, conversation_key, kind, name)
      VALUES (${conversation}, ${conversation === 1 ? "lobby" : `room:${conversation}`}, 'Lobby', '')`,
    append: (entries: ReadonlyArray<Entry>) =>
      sql.withTransaction(
        Effect.gen(function* () {
          yield* insert(entries.map(rowOf))
          for (const entry of entries) {
            const { body } = entry
            if (body._tag === "Said") {
              log.push(entry)
              continue
            }
            const before = Timeline.of(log)
            log.push(entry)
            const target = Timeline.placeOf(entry)
            if (target !== undefined) yield* follow(target, before, Timeline.follow(before, [entry]))
          }
        })
      )
  }
}
