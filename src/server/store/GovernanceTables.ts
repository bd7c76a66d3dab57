/** How rooms and the lobby are governed, as a table: every statement on it, over any `SqlClient`. */
import { Effect, Option, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { conversationKey, type SharedConversation } from "../../common/log/Conversation.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import { Governance, isPlain } from "../governance/Governance.ts"

const decodeState = Schema.decodeUnknownOption(Schema.fromJsonString(Governance))
const decodeRoom = Schema.decodeUnknownOption(RoomName)
const encode = Schema.encodeSync(Schema.fromJsonString(Governance))
const lobby: SharedConversation = { _tag: "Lobby" }

export interface StoredGovernance {
  readonly conversation: SharedConversation
  /** Nothing if it cannot be read. */
  readonly governance: Governance | undefined
}

export const make = (sql: SqlClient.SqlClient) => ({
  /** A room whose name cannot be read has that of its key. */
  all: Effect.map(sql`SELECT conversation_key, name, state FROM governance ORDER BY conversation_key`, (rows) =>
    rows.flatMap(({ conversation_key: key, name, state }): ReadonlyArray<StoredGovernance> => {
      const governance = Option.getOrUndefined(decodeState(state))
      if (key === conversationKey(lobby)) return [{ conversation: lobby, governance }]
      const room = Option.orElse(decodeRoom(name), () => decodeRoom(String(key).replace(/^room:/, "")))
      const isSound = Option.isSome(decodeRoom(name))
      return Option.toArray(room).map((found) => ({
        conversation: { _tag: "Room" as const, room: found },
        governance: isSound ? governance : undefined
      }))
    })
  ),

  /** None if nothing is kept; what cannot be read is nothing. */
  get: Effect.fnUntraced(function* (conversation: SharedConversation) {
    const [row] = yield* sql`SELECT state FROM governance WHERE conversation_key = ${conversationKey(conversation)}`
    return Option.map(Option.fromUndefinedOr(row), ({ state }) => Option.getOrUndefined(decodeState(state)))
  }),

  put: (conversation: SharedConversation, governance: Governance) =>
    isPlain(governance)
      ? sql`DELETE FROM governance WHERE conversation_key = ${conversationKey(conversation)}`
      : sql`
          INSERT INTO governance (conversation_key, name, state)
          VALUES (
            ${conversationKey(conversation)}, ${conversation._tag === "Room" ? conversation.room : ""}, ${encode(governance)}
          )
          ON CONFLICT (conversation_key) DO UPDATE SET state = excluded.state`,

  forget: (room: RoomName) =>
    sql`DELETE FROM governance WHERE conversation_key = ${conversationKey({ _tag: "Room", room })}`
})
