/**
 * What is kept of encrypted rooms beside their logs, as tables (see SealedRooms): every statement on them, over any `SqlClient`.
 */
import { Effect, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { conversationKey } from "../../common/log/Conversation.ts"
import { Seq } from "../../common/log/Cursor.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import type { OwnedDevice } from "../governance/Sealing.ts"
import type { NewEntry, RoomConversation } from "../history/History.ts"
import { maxIntervals, maxWelcomes } from "../history/SealedRooms.ts"
import { deviceNumber } from "./DeviceTables.ts"

const decodeIntervals = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ since: Seq, until: Schema.NullOr(Seq) }))
)
const decodeWelcomes = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ number: Schema.Natural, room: RoomName, seq: Seq, data: Schema.String }))
)

const asRows = (devices: ReadonlyArray<OwnedDevice>) =>
  JSON.stringify(devices.map(({ account, device }) => [account, device]))

export const make = (sql: SqlClient.SqlClient) => {
  const end = (key: string, seq: Seq, ended: ReadonlyArray<OwnedDevice>) => sql`
    UPDATE intervals SET until = ${seq} WHERE conversation_key = ${key} AND until IS NULL
    AND (account, device) IN (SELECT value ->> 0, value ->> 1 FROM json_each(${asRows(ended)}))`

  const begin = Effect.fnUntraced(function* (key: string, since: Seq, begun: ReadonlyArray<OwnedDevice>) {
    yield* sql`
      INSERT INTO intervals (conversation_key, account, device, since)
      SELECT ${key}, value ->> 0, value ->> 1, ${since} FROM json_each(${asRows(begun)}) WHERE true
      ON CONFLICT DO NOTHING`
    for (const { account, device } of begun) {
      yield* sql`
        DELETE FROM intervals WHERE conversation_key = ${key} AND account = ${account} AND device = ${device}
        AND since NOT IN (
          SELECT since FROM intervals WHERE conversation_key = ${key} AND account = ${account} AND device = ${device}
          ORDER BY since DESC LIMIT ${maxIntervals}
        )`
    }
  })

  const forgetTaken = sql`
    DELETE FROM welcomes WHERE NOT EXISTS (SELECT 1 FROM welcomed WHERE welcome = welcomes.id)`

  const welcome = Effect.fnUntraced(function* (
    { room }: RoomConversation,
    key: string,
    seq: Seq,
    data: string,
    devices: ReadonlyArray<OwnedDevice>
  ) {
    const numbers = devices.flatMap(({ device }) => deviceNumber(device) ?? [])
    yield* sql`
      INSERT INTO welcomes (conversation_key, room, seq, data) VALUES (${key}, ${room}, ${seq}, ${data})`
    yield* sql`
      INSERT INTO welcomed (device, welcome)
      SELECT devices.id, (SELECT id FROM welcomes WHERE conversation_key = ${key} AND seq = ${seq})
      FROM devices WHERE id IN (SELECT value FROM json_each(${JSON.stringify(numbers)}))`
    for (const number of numbers) {
      yield* sql`
        DELETE FROM welcomed WHERE device = ${number} AND welcome IN (
          SELECT welcomes.id FROM welcomed JOIN welcomes ON welcomes.id = welcome
          WHERE device = ${number} AND conversation_key = ${key} ORDER BY seq DESC LIMIT -1 OFFSET ${maxWelcomes}
        )`
    }
    yield* forgetTaken
  })

  return {
    /** What follows from an entry at this place. To be run in the transaction that stores it, behind how the room is governed. */
    carryOut: Effect.fnUntraced(function* (
      conversation: RoomConversation,
      seq: Seq,
      { begun, ended, from, welcome: data }: NonNullable<NewEntry["sealed"]>
    ) {
      const key = conversationKey(conversation)
      if (ended.length > 0) yield* end(key, seq, ended)
      if (begun.length > 0) yield* begin(key, from === "here" ? seq : seq + 1, begun)
      if (data !== undefined) yield* welcome(conversation, key, seq, data, begun)
    }),

    intervals: Effect.fnUntraced(function* (conversation: RoomConversation, { account, device }: OwnedDevice) {
      const rows = yield* sql`
        SELECT since, until FROM intervals
        WHERE conversation_key = ${conversationKey(conversation)} AND account = ${account} AND device = ${device}
        ORDER BY since`
      return (yield* decodeIntervals(rows)).map(({ since, until }) => ({ since, until: until ?? undefined }))
    }),

    welcomes: Effect.fnUntraced(function* ({ device }: OwnedDevice, after: number, limit: number) {
      return yield* decodeWelcomes(
        yield* sql`
        SELECT welcomes.id AS number, room, seq, data FROM welcomed JOIN welcomes ON welcomes.id = welcome
        WHERE device = ${deviceNumber(device) ?? 0} AND welcome > ${after} ORDER BY welcome LIMIT ${limit}`
      )
    }),

    acknowledge: Effect.fnUntraced(function* ({ device }: OwnedDevice, room: RoomName, seq: Seq) {
      const key = conversationKey({ _tag: "Room", room })
      yield* sql`
        DELETE FROM welcomed WHERE device = ${deviceNumber(device) ?? 0}
        AND welcome IN (SELECT id FROM welcomes WHERE conversation_key = ${key} AND seq = ${seq})`
      yield* forgetTaken
    })
  }
}
