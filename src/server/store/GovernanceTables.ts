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
  /** But for those whose names cannot be read. */
  all: Effect.map(sql`SELECT conversation_key, name, state FROM governance ORDER BY conversation_key`, (rows) =>
    rows.flatMap(({ conversation_key: key, name, state }): ReadonlyArray<StoredGovernance> => {
      const governance = Option.getOrUndefined(decodeState(state))
      if (key === conversationKey(lobby)) return [{ conversation: lobby, governance }]
      return Option.toArray(decodeRoom(name)).map((room) => ({
        conversation: { _tag: "Room" as const, room },
        governance
      }))
    })
  ),

  get: Effect.fnUntraced(function* (conversation: SharedConversation) {
    const [row] = yield* sql`SELECT state FROM governance WHERE conversation_key = ${conversationKey(conversation)}`
    return row === undefined ? undefined : Option.getOrUndefined(decodeState(row["state"]))
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
