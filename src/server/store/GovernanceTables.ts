/**
 * How rooms and the lobby are governed, as two tables: every statement on them, over any `SqlClient`. Bans and mutes are rows of
 * their own, so that an act writes no more than it changes: four hundred of them are 500 KiB, and written with each act they let
 * everybody's messages wait 9 ms longer while one person set a topic 50 times a second.
 */
import { Effect, Option, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { conversationKey, type SharedConversation } from "../../common/log/Conversation.ts"
import { nameKey } from "../../common/name/Name.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import { Bound, Governance, isPlain } from "../governance/Governance.ts"
import { keyless } from "../governance/Sealing.ts"

const { bans: _bans, mutes: _mutes, ...unbound } = Governance.fields
/** All but the bans and mutes. */
const State = Schema.fromJsonString(Schema.Struct(unbound))
const decodeState = Schema.decodeUnknownOption(State)
const encodeState = Schema.encodeSync(State)
const StoredBound = Schema.fromJsonString(Bound)
const decodeBound = Schema.decodeUnknownOption(StoredBound)
const encodeBound = Schema.encodeSync(StoredBound)
const decodeRoom = Schema.decodeUnknownOption(RoomName)
const lobby: SharedConversation = { _tag: "Lobby" }

/** What binds somebody, by what it is. */
const kinds = ["bans", "mutes"] as const
type Kind = (typeof kinds)[number]

export interface StoredGovernance {
  readonly conversation: SharedConversation
  /** Nothing if it cannot be read. */
  readonly governance: Governance | undefined
}

/** Whom a ban or a mute binds: one of each binds the same. */
const subjectKey = ({ account, user }: Bound): string =>
  account === undefined ? `guest:${nameKey(user)}` : `account:${account}`

/** From one list to the next; everything is written anew unless it is the same objects in the same order, and new ones behind them. */
const changed = (before: ReadonlyArray<Bound> | undefined, after: ReadonlyArray<Bound>) => {
  const still = new Set(after)
  const kept = before?.filter((bound) => still.has(bound)) ?? []
  const isInOrder = before !== undefined && before.length > 0 && kept.every((bound, index) => after[index] === bound)
  if (!isInOrder) return { removed: "all" as const, added: after }
  return { removed: before.filter((bound) => !still.has(bound)).map(subjectKey), added: after.slice(kept.length) }
}

/** Of one room, as rows give it; nothing if any of it cannot be read. */
const governanceOf = (
  state: unknown,
  bounds: ReadonlyArray<{ readonly kind: unknown; readonly state: unknown }>
): Governance | undefined => {
  const found = Option.getOrUndefined(decodeState(state))
  if (found === undefined) return undefined
  const all = { bans: new Array<Bound>(), mutes: new Array<Bound>() }
  for (const row of bounds) {
    const kind = kinds.find((one) => one === row.kind)
    const bound = Option.getOrUndefined(decodeBound(row.state))
    if (kind === undefined || bound === undefined) return undefined
    all[kind].push(bound)
  }
  return { ...found, ...all }
}

export const make = (sql: SqlClient.SqlClient) => {
  const forgetKey = (key: string) => sql`DELETE FROM governance WHERE conversation_key = ${key}`

  const putBounds = Effect.fnUntraced(function* (
    key: string,
    kind: Kind,
    before: ReadonlyArray<Bound> | undefined,
    after: ReadonlyArray<Bound>
  ) {
    // Where nothing is known there may be rows that could not be read.
    if (before === after && after.length > 0) return
    const { added, removed } = changed(before, after)
    if (removed === "all") yield* sql`DELETE FROM bounds WHERE conversation_key = ${key} AND kind = ${kind}`
    else if (removed.length > 0) {
      yield* sql`
        DELETE FROM bounds WHERE conversation_key = ${key} AND kind = ${kind}
        AND subject IN (SELECT value FROM json_each(${JSON.stringify(removed)}))`
    }
    for (const bound of added) {
      yield* sql`
        INSERT INTO bounds (conversation_key, kind, subject, state)
        VALUES (${key}, ${kind}, ${subjectKey(bound)}, ${encodeBound(bound)})`
    }
  })

  const putState = (key: string, name: string, governance: Governance) => sql`
    INSERT INTO governance (conversation_key, name, state) VALUES (${key}, ${name}, ${encodeState(governance)})
    ON CONFLICT (conversation_key) DO UPDATE SET state = excluded.state`

  return {
    /** A room whose name cannot be read has that of its key. */
    all: Effect.gen(function* () {
      const rows = yield* sql`SELECT conversation_key, name, state FROM governance ORDER BY conversation_key`
      const bounds = Map.groupBy(
        yield* sql`SELECT conversation_key, kind, state FROM bounds ORDER BY id`,
        ({ conversation_key: key }) => key
      )
      return rows.flatMap(({ conversation_key: key, name, state }): ReadonlyArray<StoredGovernance> => {
        const governance = governanceOf(state, (bounds.get(key) ?? []).map(asBound))
        if (key === conversationKey(lobby)) return [{ conversation: lobby, governance }]
        const room = Option.orElse(decodeRoom(name), () => decodeRoom(String(key).replace(/^room:/, "")))
        const isSound = Option.isSome(decodeRoom(name))
        return Option.toArray(room).map((found) => ({
          conversation: { _tag: "Room" as const, room: found },
          governance: isSound ? governance : undefined
        }))
      })
    }),

    /** None if nothing is kept; what cannot be read is nothing. */
    get: Effect.fnUntraced(function* (conversation: SharedConversation) {
      const key = conversationKey(conversation)
      const [row] = yield* sql`SELECT state FROM governance WHERE conversation_key = ${key}`
      if (row === undefined) return Option.none<Governance | undefined>()
      const bounds = yield* sql`SELECT kind, state FROM bounds WHERE conversation_key = ${key} ORDER BY id`
      return Option.some(governanceOf(row["state"], bounds.map(asBound)))
    }),

    /** `before` is what is stored; nothing if that is not certain. */
    put: Effect.fnUntraced(function* (
      conversation: SharedConversation,
      governance: Governance,
      before: Governance | undefined
    ) {
      const key = conversationKey(conversation)
      if (isPlain(governance)) {
        yield* forgetKey(key)
        return
      }
      yield* putState(key, conversation._tag === "Room" ? conversation.room : "", governance)
      for (const kind of kinds) yield* putBounds(key, kind, before?.[kind], governance[kind])
    }),

    /**
     * Of a room whose row cannot be read: whether it was encrypted, and with which group last. Nothing that others could read may go
     * into one that was.
     */
    keysLeft: Effect.fnUntraced(function* (conversation: SharedConversation) {
      const key = conversationKey(conversation)
      const [[isEncrypted, incarnation] = []] = yield* sql`
        SELECT EXISTS (SELECT 1 FROM intervals WHERE conversation_key = ${key}), (
          SELECT MAX(CAST(content ->> 'incarnation' AS INTEGER)) FROM messages
          JOIN conversations ON conversations.id = conversation AND conversation_key = ${key}
          WHERE messages.kind = 'KeysReset' AND json_valid(content)
        )`.values
      return isEncrypted === 1 ? { ...keyless, incarnation: Number(incarnation ?? 0) } : undefined
    }),

    forget: (room: RoomName) => forgetKey(conversationKey({ _tag: "Room", room }))
  }
}

const asBound = ({ kind, state }: Readonly<Record<string, unknown>>) => ({ kind, state })
