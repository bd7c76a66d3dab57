/**
 * What has to be known to decide on a run of acts: one statement for the keys, one for the targets with the counts of their
 * reactions, one for the reactors that are asked for.
 *
 * Bounds: each look-up is that of a row by its key; a target has 50 counts at most. One that
 * cannot be read is no message; it does not hold up the others.
 */
import { Effect, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { Seq, Timestamp } from "../../common/log/Cursor.ts"
import { AuthorId, Reaction } from "../../common/log/Entry.ts"
import { nameKey } from "../../common/name/Name.ts"
import { type Facts, keyOf, type Question, type TargetFacts } from "../history/History.ts"
import { Partner } from "../history/Partner.ts"
import { isDamagedPage, type ReadLog } from "./LogPages.ts"
import type * as LogTables from "./LogTables.ts"

const Author = Schema.NullOr(AuthorId)
const FoundTarget = Schema.Struct({
  seq: Seq,
  kind: Schema.String,
  at: Schema.Unknown,
  author: Schema.Unknown,
  partner: Schema.NullOr(Partner),
  reactions: Schema.fromJsonString(Schema.Array(Schema.Tuple([Reaction, Schema.Natural])))
})
const FoundReactor = Schema.Struct({ ordinal: Schema.Int, author: Author, seq: Seq, at: Timestamp })
const decodeReactors = Schema.decodeUnknownEffect(Schema.Array(FoundReactor))
const decodeTargets = Schema.decodeUnknownEffect(Schema.Array(FoundTarget))
const isTimestamp = Schema.is(Timestamp)
const isAuthor = Schema.is(AuthorId)

export const make = (sql: SqlClient.SqlClient, tables: ReturnType<typeof LogTables.make>) => {
  // CROSS JOIN, or SQLite looks through the whole log for the few that are asked for.
  const readTargets = (id: number, targets: ReadonlyArray<Seq>) =>
    sql`
      SELECT wanted.value AS seq, messages.kind, at, author, partner, (
          SELECT json_group_array(json_array(value ->> 0, value ->> 1))
          FROM json_each(CASE WHEN json_valid(reactions) THEN reactions ELSE '[]' END)
        ) AS reactions
      FROM json_each(${JSON.stringify(targets)}) AS wanted
      CROSS JOIN messages ON messages.conversation = ${id} AND messages.seq = wanted.value
      LEFT JOIN standing ON standing.id = messages.id`.pipe(
      Effect.flatMap(decodeTargets),
      Effect.map((rows) => rows.map(factsOf))
    )

  const findTargets = (
    id: number,
    targets: ReadonlyArray<Seq>
  ): Effect.Effect<ReadonlyArray<TargetFacts>, LogTables.Problem> =>
    Effect.catchIf(readTargets(id, targets), isUnreadable, () =>
      targets.length > 1
        ? Effect.map(
            Effect.forEach(targets, (one) => findTargets(id, [one])),
            (found) => found.flat()
          )
        : Effect.succeed(targets.map((seq) => without("Other", seq)))
    )

  /** By target, in the order of their places. What cannot be read is not there. */
  const findReactors = Effect.fnUntraced(function* (id: number, questions: Question["reactors"]) {
    const asked = questions.map(({ reaction, target, user }) => [target, nameKey(user), reaction] as const)
    const rows = yield* sql`
      SELECT DISTINCT MIN(asked.key) AS ordinal, reactors.author, reactors.seq, reactors.at
      FROM json_each(${JSON.stringify(asked)}) AS asked
      CROSS JOIN messages ON messages.conversation = ${id} AND messages.seq = asked.value ->> 0
      CROSS JOIN reactors ON message = messages.id AND user = asked.value ->> 1 AND reaction = asked.value ->> 2
      GROUP BY reactors.seq ORDER BY reactors.seq`.pipe(
      Effect.flatMap(decodeReactors),
      Effect.catchIf(isUnreadable, () => Effect.succeed([]))
    )
    return Map.groupBy(
      rows.flatMap(({ at, author, ordinal, seq }) => {
        const [target, user, reaction] = asked[ordinal] ?? []
        if (target === undefined || user === undefined || reaction === undefined) return []
        return [{ target, reactor: { reaction, user, author: author ?? undefined, seq, at } }]
      }),
      ({ target }) => target
    )
  })

  return {
    /** As `History.facts`. */
    read: Effect.fnUntraced(function* ({ id, newest }: ReadLog, { keys, reactors, targets }: Question) {
      const answered = new Map<string, Pick<TargetFacts, "at" | "seq">>()
      if (keys.length > 0) {
        const names = keys.map(({ from, key, with: partner }) => keyOf(from, key, partner))
        const earlier = yield* tables.earlierPlaces(names.map((name) => [id, name]))
        for (const name of names) {
          const stored = earlier(id, name)
          if (stored !== undefined) answered.set(name, { seq: stored.seq, at: stored.at })
        }
      }
      const wanted = [...new Set(targets)]
      const found = wanted.length === 0 ? [] : yield* findTargets(id, wanted)
      const reacted = reactors.length === 0 ? undefined : yield* findReactors(id, reactors)
      const known = new Map(
        found.map((facts): [Seq, TargetFacts] => {
          const theirs = facts.is === "Message" ? reacted?.get(facts.seq) : undefined
          return [
            facts.seq,
            theirs === undefined ? facts : { ...facts, reactors: theirs.map(({ reactor }) => reactor) }
          ]
        })
      )
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

const factsOf = ({ at, author, kind, partner, reactions, seq }: typeof FoundTarget.Type): TargetFacts => ({
  seq,
  is: kind === "Said" || kind === "Sealed" ? "Message" : kind === "Tombstone" ? "Tombstone" : "Other",
  at: isTimestamp(at) ? at : 0,
  author: isAuthor(author) ? author : undefined,
  reactions: reactions.map(([reaction, count]) => ({ reaction, count })),
  reactors: [],
  ...(partner !== null && { with: partner })
})
