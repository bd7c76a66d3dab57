/**
 * Carries out what entries do to the messages before them (see Consequences): the statements on `standing`, `reactors`,
 * `erasures` and on the rows of deleted messages. All of it in the transaction that has stored the entries.
 *
 * Bounds: however many messages a run concerns, those are taken in pieces that have `pieceBytes` of reactions together, or
 * one; each piece is six statements at most, between which others have their turn of the event loop.
 */
import { Effect, Predicate, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { Seq } from "../../common/log/Cursor.ts"
import { targetOf } from "../../common/log/Entry.ts"
import { maxReactors } from "../../common/log/Timeline.ts"
import { nameKey } from "../../common/name/Name.ts"
import { checksum } from "./Checksum.ts"
import { type After, follow, reactorKey } from "./Consequences.ts"
import { fromText, inOrder, type KeptReaction, StoredName, toText } from "./KeptReactions.ts"
import type { Deed } from "./Placement.ts"

const pieceBytes = 65_536

const StoredTarget = Schema.Struct({
  ordinal: Schema.Int,
  id: Schema.Int,
  kind: Schema.String,
  // Damaged or not: it may be deleted.
  at: Schema.Unknown,
  sender: Schema.Unknown,
  receiver: Schema.Unknown,
  partner: Schema.Unknown,
  twin: Schema.Unknown,
  bytes: Schema.Natural,
  size: Schema.Natural
})
const decodeTargets = Schema.decodeUnknownEffect(Schema.Array(StoredTarget))
type Target = typeof StoredTarget.Type & { readonly deeds: ReadonlyArray<Deed> }
const decodeFirst = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({
      ordinal: Schema.Int,
      first: Schema.fromJsonString(Schema.Array(Schema.Tuple([StoredName, Seq])))
    })
  )
)

export const make = (sql: SqlClient.SqlClient) => {
  /** The messages among the targets, each with what is done to it. What is something else, or not there, is left alone. */
  const targetsOf = Effect.fnUntraced(function* (deeds: ReadonlyArray<Deed>) {
    const backwards = deeds.filter(({ body, seq }) => (targetOf(body) ?? seq) < seq)
    const byPlace = Map.groupBy(backwards, ({ body, conversation }) =>
      JSON.stringify([conversation, targetOf(body) ?? 0])
    )
    const groups = [...byPlace.values()]
    const rows = yield* sql`
      SELECT wanted.key AS ordinal, messages.id, messages.kind, at, sender, receiver, partner, twin,
        CASE messages.kind WHEN 'Said' THEN COALESCE(octet_length(messages.content), 0) ELSE 0 END AS bytes,
        COALESCE(octet_length(reactions), 0) AS size
      FROM json_each(${`[${[...byPlace.keys()].join(",")}]`}) AS wanted
      JOIN messages ON messages.conversation = wanted.value ->> 0 AND seq = wanted.value ->> 1
      LEFT JOIN standing ON standing.id = messages.id
      WHERE messages.kind IN ('Said', 'Sealed')`
    return (yield* decodeTargets(rows)).flatMap((row): ReadonlyArray<Target> => {
      const all = groups[row.ordinal] ?? []
      // What is sealed is deleted at most.
      const done = row.kind === "Sealed" ? all.filter(({ body }) => body._tag === "Deleted") : all
      return done.length === 0 ? [] : [{ ...row, deeds: done }]
    })
  })

  const reactionsOf = Effect.fnUntraced(function* (targets: ReadonlyArray<Target>) {
    const ids = targets.filter(({ size }) => size > 0).map(({ id }) => id)
    if (ids.length === 0) return new Map<unknown, ReadonlyArray<KeptReaction>>()
    const rows = yield* sql`
      SELECT id, reactions FROM standing WHERE id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`.values
    return new Map(rows.map(([id, reactions]) => [id, fromText(reactions)]))
  })

  /** Which of those who react to these now did so before, in the same way. */
  const knownReactors = Effect.fnUntraced(function* (targets: ReadonlyArray<Target>) {
    const asked = targets
      .filter(({ size }) => size > 0)
      .flatMap(({ deeds, id }) =>
        deeds.flatMap(({ body, from }) =>
          body._tag === "Reacted" ? [{ id, reaction: body.reaction, key: nameKey(from) }] : []
        )
      )
    if (asked.length === 0) return new Set<string>()
    const rows = yield* sql`
      SELECT wanted.key FROM json_each(${JSON.stringify(asked.map(({ id, key, reaction }) => [id, key, reaction]))}) AS wanted
      JOIN reactors ON message = wanted.value ->> 0 AND user = wanted.value ->> 1 AND reaction = wanted.value ->> 2`
      .values
    return new Set(
      rows.flatMap(([ordinal]) => {
        const one = asked[Number(ordinal)]
        return one === undefined ? [] : [`${one.id} ${reactorKey(one.reaction, one.key)}`]
      })
    )
  })

  const keepReactors = Effect.fnUntraced(function* (after: ReadonlyArray<After>) {
    const gone = after.flatMap(({ gone, id }) => gone.map(({ key, reaction }) => [id, key, reaction]))
    const come = after.flatMap(({ come, id }) =>
      come.map(({ at, author, key, reaction, seq, user }) => [id, reaction, key, user, author, seq, at])
    )
    if (gone.length > 0) {
      yield* sql`
        DELETE FROM reactors WHERE (message, user, reaction) IN (
          SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(${JSON.stringify(gone)}))`
    }
    if (come.length > 0) {
      yield* sql`
        INSERT INTO reactors (message, reaction, user, name, author, seq, at)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
        FROM json_each(${JSON.stringify(come)})`
    }
  })

  /** The reactions with the first of those of whom some went. */
  const refilled = Effect.fnUntraced(function* (after: ReadonlyArray<After>) {
    const wanted = after.flatMap(({ id, refill }) => Array.from(refill, (reaction) => [id, reaction] as const))
    const first = new Map<string, KeptReaction["first"]>()
    if (wanted.length > 0) {
      const rows = yield* sql`
        SELECT wanted.key AS ordinal, (
          SELECT json_group_array(json_array(name, seq)) FROM (
            SELECT name, seq FROM reactors WHERE message = wanted.value ->> 0 AND reaction = wanted.value ->> 1
            ORDER BY seq LIMIT ${maxReactors}
          )
        ) AS first FROM json_each(${JSON.stringify(wanted)}) AS wanted`
      for (const { first: found, ordinal } of yield* decodeFirst(rows)) {
        const [id, reaction] = wanted[ordinal] ?? []
        first.set(
          `${id} ${reaction}`,
          found.map(([user, seq]) => ({ user, seq })).toSorted((a, b) => a.seq - b.seq)
        )
      }
    }
    return after.flatMap(({ id, reactions }) =>
      reactions === undefined
        ? []
        : [
            [
              id,
              toText(
                inOrder(reactions.map((one) => ({ ...one, first: first.get(`${id} ${one.reaction}`) ?? one.first })))
              )
            ]
          ]
    )
  })

  const erase = Effect.fnUntraced(function* (after: ReadonlyArray<After>, targets: ReadonlyMap<number, Target>) {
    const tombstones = after.flatMap(({ deleted, id }) => {
      const target = targets.get(id)
      const [deed] = target?.deeds ?? []
      const seq = deed === undefined ? undefined : targetOf(deed.body)
      if (deleted === undefined || target === undefined || deed === undefined || seq === undefined) return []
      const content = JSON.stringify({ deletedBy: deleted.by, deletedAt: deleted.at, bytes: target.bytes })
      const sum = tombstoneSum(deed.conversation, seq, target, content)
      return [[id, content, sum, deed.conversation, seq]]
    })
    if (tombstones.length === 0) return
    const given = JSON.stringify(tombstones)
    yield* sql`
      UPDATE messages
      SET kind = 'Tombstone', target = NULL, author = NULL, content = given.value ->> 1, checksum = given.value ->> 2
      FROM json_each(${given}) AS given WHERE messages.id = given.value ->> 0`
    yield* sql`DELETE FROM standing WHERE id IN (SELECT value ->> 0 FROM json_each(${given}))`
    yield* sql`
      INSERT INTO erasures (id, conversation, target)
      SELECT value ->> 0, value ->> 3, value ->> 4 FROM json_each(${given}) WHERE true
      ON CONFLICT DO NOTHING`
  })

  const carryOutSome = Effect.fnUntraced(function* (targets: ReadonlyArray<Target>) {
    const reactions = yield* reactionsOf(targets)
    const reactors = yield* knownReactors(targets)
    const after = targets.map(({ deeds, id }) =>
      follow({ id, reactions: reactions.get(id) ?? [] }, deeds, (key) => reactors.has(`${id} ${key}`))
    )
    const edits = after.flatMap(({ edited, id }) => (edited === undefined ? [] : [[id, edited.content, edited.at]]))
    if (edits.length > 0) {
      yield* sql`
        INSERT INTO standing (id, content, edited)
        SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(${JSON.stringify(edits)}) WHERE true
        ON CONFLICT (id) DO UPDATE SET content = excluded.content, edited = excluded.edited`
    }
    yield* keepReactors(after)
    const reacted = yield* refilled(after)
    if (reacted.length > 0) {
      yield* sql`
        INSERT INTO standing (id, reactions)
        SELECT value ->> 0, value ->> 1 FROM json_each(${JSON.stringify(reacted)}) WHERE true
        ON CONFLICT (id) DO UPDATE SET reactions = excluded.reactions`
    }
    yield* erase(after, new Map(targets.map((target) => [target.id, target])))
  })

  return {
    /** What follows from these, which are stored already. To be run in the same transaction. */
    carryOut: Effect.fnUntraced(function* (deeds: ReadonlyArray<Deed>) {
      if (deeds.length === 0) return
      for (const piece of pieces(yield* targetsOf(deeds))) yield* carryOutSome(piece)
    })
  }
}

const tombstoneSum = (
  conversation: number,
  seq: Seq,
  { at, partner, receiver, sender, twin }: Target,
  content: string
) =>
  checksum(
    conversation,
    seq,
    Number(at),
    String(sender),
    content,
    "Tombstone",
    null,
    null,
    textOrNull(receiver),
    textOrNull(partner),
    Predicate.isNumber(twin) ? twin : null
  )

const textOrNull = (value: unknown): string | null => (Predicate.isString(value) ? value : null)

/** As many of these as have so many bytes of reactions together, one at least, again and again. */
const pieces = (targets: ReadonlyArray<Target>): ReadonlyArray<ReadonlyArray<Target>> => {
  const all: Array<Array<Target>> = []
  let bytes = Infinity
  for (const target of targets) {
    if (bytes + target.size > pieceBytes) {
      all.push([])
      bytes = 0
    }
    all.at(-1)?.push(target)
    bytes += target.size
  }
  return all
}
