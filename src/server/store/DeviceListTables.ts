/** The lists of devices and their key packages as tables (see DeviceLists): every statement on them, over any `SqlClient`. */
import { Effect, Result, Schema } from "effect"
import type * as SqlClient from "effect/sql/SqlClient"
import { maxDevices } from "../../common/wire/AccountMessage.ts"
import { DeviceEntry, maxDeviceEntries, maxKeyPackages } from "../../common/wire/SealingRequest.ts"
import { type Claim, type DeviceList, emptyList, listed, type NotPublished } from "../accounts/DeviceLists.ts"
import type { OwnedDevice } from "../governance/Sealing.ts"
import { AccountId } from "../session/AccountId.ts"
import { deviceNumber } from "./DeviceTables.ts"

const Stored = Schema.Struct({ account: AccountId, entry: Schema.fromJsonString(DeviceEntry) })
const decodeEntries = Schema.decodeUnknownEffect(Schema.Array(Stored))
const decodePackages = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ id: Schema.Int, kind: Schema.String, package: Schema.String }))
)
const encodeEntry = Schema.encodeSync(Schema.fromJsonString(DeviceEntry))

/** So many entries are read at once. */
const pieceEntries = 2000

export const make = (sql: SqlClient.SqlClient) => {
  const entriesOf = Effect.fnUntraced(function* (account: AccountId, after: number, limit: number) {
    const rows = yield* sql`
      SELECT account, entry FROM device_entries WHERE account = ${account} AND n > ${after} ORDER BY n LIMIT ${limit}`
    return (yield* decodeEntries(rows)).map(({ entry }) => entry)
  })

  const waiting = Effect.fnUntraced(function* (device: number) {
    const [[count] = []] = yield* sql`
      SELECT COUNT(*) FROM key_packages WHERE device = ${device} AND kind = 'Once'`.values
    return Number(count)
  })

  /** Of the list before nothing is left; and none of what its devices have left is handed out: their keys are in it no more. */
  const beginAnew = Effect.fnUntraced(function* (account: AccountId) {
    yield* sql`DELETE FROM device_entries WHERE account = ${account}`
    const isTheirs = sql`device IN (SELECT id FROM devices WHERE account = ${account})`
    yield* sql`DELETE FROM key_packages WHERE kind = 'Last' AND ${isTheirs}`
    yield* sql`UPDATE key_packages SET kind = 'Claimed' WHERE kind = 'Once' AND ${isTheirs}`
  })

  return {
    entries: entriesOf,

    /** To be run in a transaction. */
    publish: Effect.fnUntraced(function* (account: AccountId, entry: DeviceEntry) {
      const entries = yield* entriesOf(account, 0, maxDeviceEntries)
      const list = entries.reduce(listed, emptyList)
      if (entry.n !== list.n + 1) return Result.fail<NotPublished>({ _tag: "Stale", n: list.n })
      const isNew = entry.prev === ""
      if (!isNew && entries.length >= maxDeviceEntries) return Result.fail<NotPublished>({ _tag: "TooManyEntries" })
      if (listed(list, entry).devices.size > maxDevices) return Result.fail<NotPublished>({ _tag: "TooManyDevices" })
      if (isNew) yield* beginAnew(account)
      yield* sql`
        INSERT INTO device_entries (account, n, entry)
        SELECT id, ${entry.n}, ${encodeEntry(entry)} FROM accounts WHERE id = ${account} AND state <> 'Deleted'`
      return Result.void
    }),

    all: Effect.gen(function* () {
      const lists = new Map<AccountId, DeviceList>()
      let [account, n] = [0, 0]
      for (let isMore = true; isMore;) {
        const found = yield* decodeEntries(
          yield* sql`
          SELECT account, entry FROM device_entries WHERE (account, n) > (${account}, ${n})
          ORDER BY account, n LIMIT ${pieceEntries}`
        )
        for (const one of found) lists.set(one.account, listed(lists.get(one.account) ?? emptyList, one.entry))
        const last = found.at(-1)
        if (last !== undefined) [account, n] = [last.account, last.entry.n]
        isMore = found.length === pieceEntries
      }
      return lists
    }),

    /** To be run in a transaction. */
    addPackages: Effect.fnUntraced(function* (
      { account, device: id }: OwnedDevice,
      packages: ReadonlyArray<string>,
      lastResort: string | undefined
    ) {
      const device = deviceNumber(id) ?? 0
      const owned = sql`FROM devices WHERE devices.id = ${device} AND devices.account = ${account}`
      const room = Math.max(0, maxKeyPackages - (yield* waiting(device)))
      // One that is there, or was, is there once.
      yield* sql`
        INSERT INTO key_packages (device, kind, package)
        SELECT devices.id, 'Once', given.value
        FROM devices CROSS JOIN json_each(${JSON.stringify(packages)}) AS given
        WHERE devices.id = ${device} AND devices.account = ${account} AND NOT EXISTS (
          SELECT 1 FROM key_packages WHERE key_packages.device = ${device} AND package = given.value
        )
        GROUP BY given.value ORDER BY given.key LIMIT ${room}`
      if (lastResort !== undefined) {
        yield* sql`DELETE FROM key_packages WHERE device = ${device} AND kind = 'Last'`
        yield* sql`
          INSERT INTO key_packages (device, kind, package) SELECT devices.id, 'Last', ${lastResort} ${owned}
          ON CONFLICT (device, package) DO UPDATE SET kind = 'Last'`
      }
      yield* sql`
        DELETE FROM key_packages WHERE id IN (
          SELECT id FROM key_packages WHERE device = ${device} AND kind = 'Claimed'
          ORDER BY id DESC LIMIT -1 OFFSET ${maxKeyPackages}
        )`
      return yield* waiting(device)
    }),

    /** To be run in a transaction. */
    claim: Effect.fnUntraced(function* (claims: ReadonlyArray<Claim>) {
      const found: Array<string | undefined> = []
      for (const { account, device, isLastResort } of claims) {
        const rows = yield* decodePackages(
          yield* sql`
          SELECT key_packages.id, kind, package FROM key_packages JOIN devices ON devices.id = device
          WHERE device = ${deviceNumber(device) ?? 0} AND account = ${account}
          AND (kind = 'Last' OR kind = 'Once' AND ${isLastResort ? 0 : 1})
          ORDER BY kind = 'Last', key_packages.id LIMIT 1`
        )
        const [first] = rows
        if (first?.kind === "Once") yield* sql`UPDATE key_packages SET kind = 'Claimed' WHERE id = ${first.id}`
        found.push(first?.package)
      }
      return found
    }),

    /** Part of the commit that deletes an account; its packages go with its devices. */
    forgetAccount: (account: AccountId) => sql`DELETE FROM device_entries WHERE account = ${account}`
  }
}
