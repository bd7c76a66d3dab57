/**
 * What has to be known to decide on a run of acts: one statement for the keys, one for the targets with the reactions to
 * them. Of a message with many reactions only their counts are read, and who is asked for.
 *
 * Bounds: a target costs a row, at most 50 counts, and a look for each user asked for, if anybody reacts to it. One that
 * cannot be read is no message; it does not hold up the others.
 */
import { Effect, Predicate, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { Seq, Timestamp } from "../../common/log/Cursor.ts"
import { AuthorId, Reaction } from "../../common/log/Entry.ts"
import { NameKey, nameKey } from "../../common/name/Name.ts"
import { type Facts, keyOf, type Question, type TargetFacts } from "../history/History.ts"
import { isDamagedPage, type ReadLog } from "./LogPages.ts"
import type * as LogTables from "./LogTables.ts"

const Author = Schema.NullOr(AuthorId)
const FoundTarget = Schema.Struct({
  seq: Seq,
  kind: Schema.String,
  at: Schema.Unknown,
  author: Schema.Unknown,
  reactions: Schema.fromJsonString(Schema.Array(Schema.Tuple([Reaction, Schema.Natural]))),
  reactors: Schema.fromJsonString(Schema.Array(Schema.Tuple([Reaction, NameKey, Author, Seq, Timestamp])))
})
const decodeTargets = Schema.decodeUnknownEffect(Schema.Array(FoundTarget))
const isTimestamp = Schema.is(Timestamp)
const isAuthor = Schema.is(AuthorId)

export const make = (sql: SqlClient.SqlClient, tables: ReturnType<typeof LogTables.make>) => {
  const readTargets = (id: number, targets: ReadonlyArray<Seq>, users: string) =>
    sql`
      SELECT wanted.value AS seq, messages.kind, at, author, (
          SELECT json_group_array(json_array(value ->> 0, value ->> 1))
          FROM json_each(CASE WHEN json_valid(reactions) THEN reactions ELSE '[]' END)
        ) AS reactions, (
          SELECT json_group_array(json_array(reaction, user, reactors.author, reactors.seq, reactors.at))
          FROM json_each(CASE WHEN reactions <> '[]' THEN ${users} ELSE '[]' END) AS asked
          CROSS JOIN reactors ON message = messages.id AND user = asked.value
        ) AS reactors
      FROM json_each(${JSON.stringify(targets)}) AS wanted
      JOIN messages ON messages.conversation = ${id} AND messages.seq = wanted.value
      LEFT JOIN standing ON standing.id = messages.id`.pipe(
      Effect.flatMap(decodeTargets),
      Effect.map((rows) => rows.map(factsOf))
    )

  const findTargets = (
    id: number,
    targets: ReadonlyArray<Seq>,
    users: string
  ): Effect.Effect<ReadonlyArray<TargetFacts>, LogTables.Problem> =>
    Effect.catchIf(readTargets(id, targets, users), isUnreadable, () =>
      targets.length > 1
        ? Effect.map(
            Effect.forEach(targets, (one) => findTargets(id, [one], users)),
            (found) => found.flat()
          )
        : Effect.succeed(targets.map((seq) => without("Other", seq)))
    )

  return {
    /** As `History.facts`. */
    read: Effect.fnUntraced(function* ({ id, newest }: ReadLog, { keys, targets, users }: Question) {
      const answered = new Map<string, Pick<TargetFacts, "at" | "seq">>()
      if (keys.length > 0) {
        const names = keys.map(({ from, key }) => keyOf(from, key))
        const earlier = yield* tables.earlierPlaces(names.map((name) => [id, name]))
        for (const name of names) {
          const stored = earlier(id, name)
          if (stored !== undefined) answered.set(name, { seq: stored.seq, at: stored.at })
        }
      }
      const wanted = [...new Set(targets)]
      const asked = JSON.stringify([...new Set(users.map(nameKey))])
      const found = wanted.length === 0 ? [] : yield* findTargets(id, wanted, asked)
      const known = new Map(found.map((facts) => [facts.seq, facts]))
      // A log has no gaps: what is missing before its newest place has gone.
      for (const seq of wanted) if (seq >= 1 && seq <= newest && !known.has(seq)) known.set(seq, without("Gone", seq))
      return { answered, targets: known } satisfies Facts
    })
  }
}

const isUnreadable = (problem: LogTables.Problem): boolean => problem._tag === "SchemaError" || isDamagedPage(problem)

const without = (is: TargetFacts["is"], seq: Seq): TargetFacts => ({
  seq,
  is,
  at: 0,
  author: undefined,
  reactions: [],
  reactors: []
})

const factsOf = ({ at, author, kind, reactions, reactors, seq }: typeof FoundTarget.Type): TargetFacts => ({
  seq,
  is: kind === "Said" ? "Message" : kind === "Tombstone" ? "Tombstone" : "Other",
  at: isTimestamp(at) ? at : 0,
  author: isAuthor(author) ? author : undefined,
  reactions: reactions.map(([reaction, count]) => ({ reaction, count })),
  reactors: reactors
    .map(([reaction, user, by, place, time]) => ({
      reaction,
      user,
      author: Predicate.isNull(by) ? undefined : by,
      seq: place,
      at: time
    }))
    .toSorted((one, other) => one.seq - other.seq)
})
