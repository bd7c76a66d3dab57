/** What belongs to an account, as tables: the statements on `devices` and `keys`, over any `SqlClient`. */
import { Effect, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { Statement } from "effect/sql/Statement"
import { Timestamp } from "../../common/log/Cursor.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { maxDevices, maxKeys } from "../../common/wire/AccountMessage.ts"
import { DeviceId, DeviceName, Fingerprint } from "../../common/wire/AccountRequest.ts"
import type { Device, Key, NewDevice, SecretHash } from "../accounts/Account.ts"
import { AccountId } from "../session/AccountId.ts"

const StoredDevice = Schema.Struct({
  id: Schema.Int,
  account: AccountId,
  name: DeviceName,
  since: Timestamp,
  lastSeen: Timestamp
})
const decodeDevices = Schema.decodeUnknownEffect(Schema.Array(StoredDevice))
const decodeIds = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id: Schema.Int })))
const StoredKey = Schema.Struct({
  fingerprint: Fingerprint,
  publicKey: Schema.String,
  name: Schema.NullOr(DeviceName),
  since: Timestamp
})
const decodeKeys = Schema.decodeUnknownEffect(Schema.Array(StoredKey))

/** A device's number in the tables, if the id can be one's. */
export const deviceNumber = (device: DeviceId): number | undefined =>
  /^[1-9]\d{0,14}$/.test(device) ? Number(device) : undefined
const idOf = (number: number): DeviceId => DeviceId.make(`${number}`)

/** A device, and whose it is. */
export interface Owned {
  readonly account: AccountId
  readonly device: Device
}

export const make = (sql: SqlClient.SqlClient) => {
  const read = (rows: Statement<unknown>) =>
    Effect.map(Effect.flatMap(rows, decodeDevices), (stored) =>
      stored.map(({ account, id, ...device }): Owned => ({ account, device: { ...device, id: idOf(id) } }))
    )
  const removed = (rows: Statement<unknown>) =>
    Effect.map(Effect.flatMap(rows, decodeIds), (stored) =>
      stored
        .map(({ id }) => id)
        .toSorted((a, b) => a - b)
        .map(idOf)
    )
  const columns = sql.literal(`devices.id, account, devices.name, devices.since, devices.last_seen AS "lastSeen"`)

  return {
    /** Nothing if the account has too many. */
    add: Effect.fnUntraced(function* (account: AccountId, { name, token }: NewDevice, at: Timestamp) {
      const rows = yield* sql`
        INSERT INTO devices (account, name, since, last_seen, newest)
        SELECT ${account}, ${name}, ${at}, ${at}, ${token}
        WHERE (SELECT COUNT(*) FROM devices WHERE account = ${account}) < ${maxDevices}
        RETURNING id`
      const [first] = yield* decodeIds(rows)
      return first === undefined ? undefined : idOf(first.id)
    }),

    /** The device of this name's account with such a token. */
    find: (user: UserName, token: SecretHash) =>
      read(sql`
        SELECT ${columns} FROM devices JOIN accounts ON accounts.id = account
        WHERE (newest = ${token} OR before = ${token}) AND name_key = ${nameKey(user)}`),

    /** Takes the next token, if its account is active; the device as it is then. */
    useToken: (user: UserName, token: SecretHash, next: SecretHash, at: Timestamp, name: DeviceName | undefined) =>
      read(sql`
        UPDATE devices SET newest = ${next}, before = ${token}, name = COALESCE(${name ?? null}, name),
          last_seen = CASE WHEN last_seen < ${at} THEN ${at} ELSE last_seen END
        WHERE (newest = ${token} OR before = ${token})
        AND account IN (SELECT accounts.id FROM accounts WHERE name_key = ${nameKey(user)} AND state = 'Active')
        RETURNING id, account, name, since, last_seen AS "lastSeen"`),

    list: (account: AccountId) =>
      Effect.map(read(sql`SELECT ${columns} FROM devices WHERE account = ${account} ORDER BY since, id`), (owned) =>
        owned.map(({ device }) => device)
      ),

    ids: (account: AccountId) => removed(sql`SELECT id FROM devices WHERE account = ${account}`),

    /** All but one; answers which. */
    removeAll: (account: AccountId, except?: DeviceId) =>
      removed(sql`
        DELETE FROM devices WHERE account = ${account} AND id <> ${except === undefined ? 0 : (deviceNumber(except) ?? 0)}
        RETURNING id`),

    remove: Effect.fnUntraced(function* (account: AccountId, device: DeviceId) {
      const rows = yield* sql`
        DELETE FROM devices WHERE id = ${deviceNumber(device) ?? 0} AND account = ${account} RETURNING id`.values
      return rows.length > 0
    }),

    seen: (times: ReadonlyArray<readonly [DeviceId, Timestamp]>) => sql`
      UPDATE devices SET last_seen = given.value ->> 1 FROM json_each(${JSON.stringify(times)}) AS given
      WHERE devices.id = CAST(given.value ->> 0 AS INTEGER) AND last_seen < given.value ->> 1`,

    /** Whether it is there now; it is not if the account has too many. */
    addKey: Effect.fnUntraced(function* (account: AccountId, { fingerprint, name, publicKey, since }: Key) {
      const rows = yield* sql`
        INSERT INTO keys (account, fingerprint, public_key, name, since)
        SELECT ${account}, ${fingerprint}, ${publicKey}, ${name ?? null}, ${since}
        WHERE EXISTS (SELECT 1 FROM keys WHERE account = ${account} AND fingerprint = ${fingerprint})
        OR (SELECT COUNT(*) FROM keys WHERE account = ${account}) < ${maxKeys}
        ON CONFLICT (account, fingerprint) DO UPDATE SET name = COALESCE(excluded.name, keys.name)
        RETURNING id`.values
      return rows.length > 0
    }),

    keys: Effect.fnUntraced(function* (account: AccountId) {
      const rows = yield* sql`
        SELECT fingerprint, public_key AS "publicKey", name, since FROM keys WHERE account = ${account}
        ORDER BY since, id`
      const stored = yield* decodeKeys(rows)
      return stored.map(({ name, ...key }): Key => Object.assign(key, { name: name ?? undefined }))
    }),

    removeKey: Effect.fnUntraced(function* (account: AccountId, fingerprint: Fingerprint) {
      const rows = yield* sql`
        DELETE FROM keys WHERE account = ${account} AND fingerprint = ${fingerprint} RETURNING id`.values
      return rows.length > 0
    }),

    removeKeys: (account: AccountId) => sql`DELETE FROM keys WHERE account = ${account}`
  }
}
