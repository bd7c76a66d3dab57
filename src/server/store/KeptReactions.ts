/**
 * The reactions to a message as its row in `standing` has them: of each how many there are and the first `maxReactors` of
 * them, in the order of the earliest of each that still stands. All who reacted are in `reactors`.
 *
 * A row has `maxReactions` of them at most, so its JSON is 150 KB at the very most, and usually 100 bytes. Each is a tuple,
 * since the names of fields would be half of it.
 */
import { Schema } from "effect"
import { Seq } from "../../common/log/Cursor.ts"
import { Reaction } from "../../common/log/Entry.ts"
import type { ReactionSummary, Reactor } from "../../common/log/Timeline.ts"

export interface KeptReaction {
  readonly reaction: Reaction
  readonly count: number
  readonly first: ReadonlyArray<Reactor>
}

/**
 * Read as they were written, for to look at each of a thousand names and 50 reactions takes 10 ms, and they were looked at when
 * they were stored. `verify` looks again.
 */
export const StoredName = Schema.String.pipe(Schema.brand("UserName"))
const Tuples = Schema.fromJsonString(
  Schema.Array(Schema.Tuple([Schema.String, Schema.Natural, Schema.Array(Schema.Tuple([StoredName, Seq]))]))
)
const decodeTuples = Schema.decodeUnknownOption(Tuples)

/** As it is stored. */
export const toText = (reactions: ReadonlyArray<KeptReaction>): string =>
  JSON.stringify(
    reactions.map(({ count, first, reaction }) => [reaction, count, first.map(({ seq, user }) => [user, seq])])
  )

/** None, where there is no row or what it holds is damaged: a message matters more than what was put beside it. */
export const fromText = (text: unknown): ReadonlyArray<KeptReaction> => {
  if (text === null || text === undefined || text === "[]") return []
  const tuples = decodeTuples(text)
  return tuples._tag === "None"
    ? []
    : tuples.value.map(([reaction, count, first]) => ({
        reaction,
        count,
        first: first.map(([user, seq]) => ({ user, seq }))
      }))
}

/** As others are shown them. */
export const summaryOf = (reactions: ReadonlyArray<KeptReaction>): ReadonlyArray<ReactionSummary> =>
  reactions.map(({ count, first, reaction }) => ({ reaction, users: first.map(({ user }) => user), count }))

/** In the order of the earliest of each. */
export const inOrder = (reactions: Iterable<KeptReaction>): ReadonlyArray<KeptReaction> =>
  [...reactions].toSorted((one, other) => (one.first[0]?.seq ?? 0) - (other.first[0]?.seq ?? 0))
