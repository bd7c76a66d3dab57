/**
 * What a device keeps of its encrypted conversations, and the transactions by which it changes. Each function that writes is one of
 * them, on the disk when it is done; what is sent is sent afterwards.
 *
 * 1. `sealed`: the group that has used up a key, with the bytes that were sealed with it.
 * 2. `received`: what was read of a page, the group and the cursor behind it, and the rows whose echo it had. A row that is there
 *    already fails: nothing is read twice.
 * 3. `joined`: the group, the cursor, and the key package's private half gone.
 * 4. `renewed`: this device's keys, its groups and what was on its way are gone, and another device's are in their place.
 * 5. `committing`: the group that has used up a key, with the commit that waits for its echo. A second one fails.
 */
import { Effect, Schema } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import { DeviceId } from "../../common/wire/AccountRequest.ts"
import type { MessageKey } from "../../common/wire/RequestId.ts"
import type { StateUnreadable } from "../crypto/CryptoError.ts"
import type { Device } from "../crypto/Device.ts"
import { decodeGroup, encodeGroup } from "../crypto/Group.ts"
import type { OwnKeyPackage } from "../crypto/KeyPackage.ts"
import {
  type Kept,
  KeptMore,
  OutboxContent,
  type OutboxRow,
  type Pending,
  PendingChange,
  PlainLine,
  type PlainRow,
  targetOf
} from "./Kept.ts"
import type { Saying } from "./Payload.ts"
import { Pin } from "./Pin.ts"
import type { StateFailed, WrongKey } from "./StateError.ts"
import { cell, type Row, type StateFile, type Statement } from "./StateFile.ts"

export type StoreError = StateFailed | WrongKey | StateUnreadable
type Writing = Effect.Effect<void, StateFailed>

/** What a page of the log has made of a conversation. */
interface Received {
  readonly kept: Kept
  readonly rows: ReadonlyArray<PlainRow>
  /** Rows of the outbox that have come. */
  readonly echoes: ReadonlyArray<MessageKey>
  /** The change of keys that waited has come, or cannot come any more. */
  readonly dropsPending: boolean
  /** Rows that were deleted by this page: what stands in their place. */
  readonly erased: ReadonlyArray<PlainRow>
}

type PlainWhere = Pick<Kept, "room" | "log">

export interface SealedStore {
  /** What a screen is to find again, in base64. */
  readonly sealText: (text: string) => Effect.Effect<string>
  readonly openText: (sealed: string) => Effect.Effect<string, WrongKey>
  readonly device: Effect.Effect<Device | undefined, StoreError>
  readonly keepDevice: (device: Device) => Writing
  /** Whether a copy of this state was met: see `markCopied`. */
  readonly isCopied: Effect.Effect<boolean, StoreError>
  readonly markCopied: Writing
  /** This device in place of the one before, whose keys are of no use any more; gives what that one had said and not sent. */
  readonly renewed: (device: Device) => Effect.Effect<ReadonlyArray<Unsent>, StoreError>
  /** Private halves; the one of last resort among them. */
  readonly packages: Effect.Effect<ReadonlyArray<KeptPackage>, StoreError>
  readonly keepPackages: (packages: ReadonlyArray<OwnKeyPackage>) => Writing
  readonly pins: Effect.Effect<ReadonlyArray<Pin>, StoreError>
  readonly keepPin: (pin: Pin) => Writing
  readonly rooms: Effect.Effect<ReadonlyArray<RoomName>, StoreError>
  /** Where its rows are, without its keys: a page needs none. */
  readonly where: (room: RoomName) => Effect.Effect<(PlainWhere & Pick<Kept, "cursor">) | undefined, StateFailed>
  readonly kept: (room: RoomName) => Effect.Effect<Kept | undefined, StoreError>
  /** In the order in which they were said. */
  readonly outbox: (room: RoomName) => Effect.Effect<ReadonlyArray<OutboxRow>, StoreError>
  readonly pending: (room: RoomName) => Effect.Effect<Pending | undefined, StoreError>
  /** Oldest first, behind a place. */
  readonly plain: (
    where: PlainWhere,
    after?: number,
    limit?: number
  ) => Effect.Effect<ReadonlyArray<PlainRow>, StoreError>
  readonly plainAt: (where: PlainWhere, seq: number) => Effect.Effect<PlainRow | undefined, StoreError>
  /** The newest place there of which something is kept; 0 if nothing is. */
  readonly readOf: (where: PlainWhere) => Effect.Effect<number, StoreError>
  /** Of what stands for something by itself: the first behind a place, or else the newest before one; oldest first. */
  readonly shown: (
    where: PlainWhere,
    range: { readonly before?: number | undefined; readonly after?: number | undefined },
    limit: number
  ) => Effect.Effect<ReadonlyArray<PlainRow>, StoreError>
  /** The others, about places from one to another, in their own order. */
  readonly changes: (where: PlainWhere, from: number, to: number) => Effect.Effect<ReadonlyArray<PlainRow>, StoreError>
  readonly sealed: (kept: Kept, row: OutboxRow) => Writing
  readonly resealed: (kept: Kept, row: OutboxRow) => Writing
  readonly refused: (key: MessageKey) => Writing
  readonly committing: (kept: Kept, pending: Pending) => Writing
  readonly dropPending: (room: RoomName) => Writing
  readonly received: (received: Received) => Writing
  readonly joined: (kept: Kept, rows: ReadonlyArray<PlainRow>, spent: string | undefined) => Writing
}

/** Said, sealed, and not in the log as far as was read. */
export interface Unsent {
  readonly room: RoomName
  readonly key: MessageKey
  readonly saying: Saying
}

interface KeptPackage {
  /** In hex. */
  readonly ref: string
  readonly privateBytes: Uint8Array
}

const Base64 = Schema.Uint8ArrayFromBase64
const deviceCell = cell(Schema.Struct({ user: UserName, device: DeviceId, publicKey: Base64, privateKey: Base64 }))
const pinCell = cell(Pin)
const moreCell = cell(KeptMore)
const outboxCell = cell(OutboxContent)
const pendingCell = cell(PendingChange)
const plainCell = cell(PlainLine)

const insertPlain = "INSERT INTO plain (sealed, room, log, seq, target) VALUES (?1, ?2, ?3, ?4, ?5)"
/** An edit that was deleted stays one: its `target` is as it was. */
const replacePlain = "UPDATE plain SET sealed = ?1 WHERE room = ?2 AND log = ?3 AND seq = ?4 AND ?5 IS ?5"

const screenWords = "screen/words"

const roomKey = (room: RoomName) => nameKey(room)
const numberIn = (row: Row, name: string): number => Number(row[name])
const textIn = (row: Row, name: string): string => String(row[name])
const isRoom = Schema.is(RoomName)

export const refOf = (ref: Uint8Array): string => Buffer.from(ref).toString("hex")

export const make = (file: StateFile): SealedStore => {
  const { read, safe, write } = file

  const putKept = Effect.fnUntraced(function* ({ cursor, group, incarnation, log, more, room }: Kept) {
    const key = roomKey(room)
    const sealedBlob = group === undefined ? null : yield* safe.seal(`groups/blob/${key}`, encodeGroup(group))
    const sealed = yield* moreCell.seal(file, `groups/more/${key}`, more)
    return {
      sql: `INSERT INTO groups VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room) DO UPDATE SET
        log = excluded.log, cursor = excluded.cursor, incarnation = excluded.incarnation,
        key_epoch = excluded.key_epoch, blob = excluded.blob, sealed = excluded.sealed`,
      values: [room, log, cursor, incarnation, group?.keyEpoch ?? null, sealedBlob, sealed]
    } satisfies Statement
  })

  const putPlain = ({ log, room }: Kept, rows: ReadonlyArray<PlainRow>, sql = insertPlain) =>
    Effect.forEach(rows, (row) =>
      Effect.map(plainCell.seal(file, `plain/${roomKey(room)}/${log}/${row.seq}`, row.line), (sealed): Statement => ({
        sql,
        values: [sealed, room, log, row.seq, targetOf(row) ?? null]
      }))
    )

  const rowsOf = ({ log, room }: PlainWhere, rows: ReadonlyArray<Row>) =>
    Effect.forEach(rows, (row) => {
      const seq = numberIn(row, "seq")
      const opened = plainCell.open(file, `plain/${roomKey(room)}/${log}/${seq}`, row["sealed"])
      return Effect.map(opened, (line): PlainRow => ({ seq, line }))
    })

  const dropPending = (room: RoomName): Statement => ({ sql: "DELETE FROM pending WHERE room = ?", values: [room] })

  return {
    sealText: (text) =>
      Effect.map(safe.seal(screenWords, Buffer.from(text)), (sealed) => Buffer.from(sealed).toString("base64")),
    openText: (sealed) =>
      Effect.map(safe.open(screenWords, Buffer.from(sealed, "base64")), (bytes) => Buffer.from(bytes).toString()),
    device: Effect.gen(function* () {
      const [row] = yield* read("SELECT sealed FROM device")
      if (row === undefined) return undefined
      const { device, privateKey, publicKey, user } = yield* deviceCell.open(file, "device", row["sealed"])
      return { identity: { user, device }, publicKey, privateKey }
    }),
    keepDevice: ({ identity, privateKey, publicKey }) =>
      Effect.flatMap(deviceCell.seal(file, "device", { ...identity, privateKey, publicKey }), (sealed) =>
        write([{ sql: "INSERT INTO device VALUES (1, ?)", values: [sealed] }])
      ),
    isCopied: Effect.map(read("SELECT name FROM meta WHERE name = 'copied'"), (rows) => rows.length > 0),
    markCopied: write([{ sql: "INSERT OR IGNORE INTO meta VALUES ('copied', ?)", values: [Uint8Array.of(1)] }]),
    renewed: Effect.fnUntraced(function* ({ identity, privateKey, publicKey }) {
      const unsent = yield* Effect.forEach(yield* read("SELECT * FROM outbox ORDER BY n"), (row) => {
        const [key, room] = [textIn(row, "key"), textIn(row, "room")]
        return Effect.map(outboxCell.open(file, `outbox/${key}`, row["sealed"]), ({ payload }) =>
          isRoom(room) ? [{ room, key, saying: payload.saying }] : []
        )
      })
      const groups = (yield* read("SELECT room FROM groups")).map((row) => textIn(row, "room"))
      const forgotten = yield* Effect.forEach(groups.filter(isRoom), (room) =>
        Effect.map(moreCell.seal(file, `groups/more/${roomKey(room)}`, {}), (sealed): Statement => ({
          sql: "UPDATE groups SET key_epoch = NULL, blob = NULL, sealed = ? WHERE room = ?",
          values: [sealed, room]
        }))
      )
      const sealed = yield* deviceCell.seal(file, "device", { ...identity, privateKey, publicKey })
      yield* write([
        ...["device", "key_packages", "outbox", "pending"].map((table) => ({
          sql: `DELETE FROM ${table}`,
          values: []
        })),
        { sql: "DELETE FROM meta WHERE name = 'copied'", values: [] },
        ...forgotten,
        { sql: "INSERT INTO device VALUES (1, ?)", values: [sealed] }
      ])
      return unsent.flat()
    }),
    packages: Effect.flatMap(read("SELECT ref, sealed FROM key_packages"), (rows) =>
      Effect.forEach(rows, (row) => {
        const ref = textIn(row, "ref")
        const sealed = row["sealed"]
        return Effect.map(
          safe.open(`key_packages/${ref}`, sealed instanceof Uint8Array ? sealed : new Uint8Array(0)),
          (privateBytes) => ({ ref, privateBytes })
        )
      })
    ),
    keepPackages: Effect.fnUntraced(function* (packages) {
      yield* write(
        yield* Effect.forEach(packages, ({ privateBytes, ref }) =>
          Effect.map(safe.seal(`key_packages/${refOf(ref)}`, privateBytes), (sealed): Statement => ({
            sql: "INSERT INTO key_packages VALUES (?, ?)",
            values: [refOf(ref), sealed]
          }))
        )
      )
    }),
    pins: Effect.flatMap(read("SELECT user, sealed FROM pins"), (rows) =>
      Effect.forEach(rows, (row) => pinCell.open(file, `pins/${textIn(row, "user")}`, row["sealed"]))
    ),
    keepPin: Effect.fnUntraced(function* (pin) {
      const user = nameKey(pin.user)
      const sealed = yield* pinCell.seal(file, `pins/${user}`, pin)
      const sql = "INSERT INTO pins VALUES (?, ?) ON CONFLICT (user) DO UPDATE SET sealed = excluded.sealed"
      yield* write([{ sql, values: [user, sealed] }])
    }),
    rooms: Effect.map(read("SELECT room FROM groups"), (rows) => rows.map((row) => textIn(row, "room")).filter(isRoom)),
    where: (room) =>
      Effect.map(read("SELECT log, cursor FROM groups WHERE room = ?", room), ([row]) =>
        row === undefined ? undefined : { room, log: textIn(row, "log"), cursor: numberIn(row, "cursor") }
      ),
    kept: Effect.fnUntraced(function* (room) {
      const [row] = yield* read("SELECT * FROM groups WHERE room = ?", room)
      if (row === undefined) return undefined
      const key = roomKey(room)
      const { blob } = row
      const group =
        blob instanceof Uint8Array
          ? yield* Effect.flatMap(safe.open(`groups/blob/${key}`, blob), decodeGroup)
          : undefined
      return {
        room,
        log: textIn(row, "log"),
        cursor: numberIn(row, "cursor"),
        incarnation: numberIn(row, "incarnation"),
        group,
        more: yield* moreCell.open(file, `groups/more/${key}`, row["sealed"])
      }
    }),
    outbox: Effect.fnUntraced(function* (room) {
      const rows = yield* read("SELECT * FROM outbox WHERE room = ? ORDER BY n", room)
      return yield* Effect.forEach(rows, (row) => {
        const key = textIn(row, "key")
        const at = { key, incarnation: numberIn(row, "incarnation"), keyEpoch: numberIn(row, "key_epoch") }
        return Effect.map(outboxCell.open(file, `outbox/${key}`, row["sealed"]), (content) => ({ ...at, content }))
      })
    }),
    pending: Effect.fnUntraced(function* (room) {
      const [row] = yield* read("SELECT * FROM pending WHERE room = ?", room)
      if (row === undefined) return undefined
      const change = yield* pendingCell.open(file, `pending/${roomKey(room)}`, row["sealed"])
      return {
        key: textIn(row, "key"),
        incarnation: numberIn(row, "incarnation"),
        keyEpoch: numberIn(row, "key_epoch"),
        change
      }
    }),
    plain: (where, after = -1, limit = -1) =>
      Effect.flatMap(
        read(
          "SELECT seq, sealed FROM plain WHERE room = ? AND log = ? AND seq > ? ORDER BY seq LIMIT ?",
          where.room,
          where.log,
          after,
          limit
        ),
        (rows) => rowsOf(where, rows)
      ),
    plainAt: (where, seq) =>
      Effect.flatMap(
        read("SELECT seq, sealed FROM plain WHERE room = ? AND log = ? AND seq = ?", where.room, where.log, seq),
        (rows) => Effect.map(rowsOf(where, rows), ([row]) => row)
      ),
    readOf: ({ log, room }) =>
      Effect.map(
        read("SELECT coalesce(max(seq), 0) AS seq FROM plain WHERE room = ? AND log = ?", room, log),
        ([row]) => (row === undefined ? 0 : numberIn(row, "seq"))
      ),
    shown: (where, { after, before }, limit) =>
      Effect.flatMap(
        read(
          `SELECT seq, sealed FROM plain WHERE room = ? AND log = ? AND seq > ? AND seq < ? AND target IS NULL
           ORDER BY seq ${after === undefined ? "DESC" : "ASC"} LIMIT ?`,
          where.room,
          where.log,
          after ?? -1,
          before ?? Number.MAX_SAFE_INTEGER,
          limit
        ),
        (rows) => rowsOf(where, after === undefined ? rows.toReversed() : rows)
      ),
    changes: (where, from, to) =>
      Effect.flatMap(
        read(
          "SELECT seq, sealed FROM plain WHERE room = ? AND log = ? AND target BETWEEN ? AND ? ORDER BY seq",
          where.room,
          where.log,
          from,
          to
        ),
        (rows) => rowsOf(where, rows)
      ),
    sealed: Effect.fnUntraced(function* (kept, { content, incarnation, key, keyEpoch }) {
      const sealed = yield* outboxCell.seal(file, `outbox/${key}`, content)
      const sql = "INSERT INTO outbox (room, key, incarnation, key_epoch, sealed) VALUES (?, ?, ?, ?, ?)"
      yield* write([yield* putKept(kept), { sql, values: [kept.room, key, incarnation, keyEpoch, sealed] }])
    }),
    resealed: Effect.fnUntraced(function* (kept, { content, incarnation, key, keyEpoch }) {
      const sealed = yield* outboxCell.seal(file, `outbox/${key}`, content)
      const sql = "UPDATE outbox SET incarnation = ?, key_epoch = ?, sealed = ? WHERE key = ?"
      yield* write([yield* putKept(kept), { sql, values: [incarnation, keyEpoch, sealed, key] }])
    }),
    refused: (key) => write([{ sql: "DELETE FROM outbox WHERE key = ?", values: [key] }]),
    committing: Effect.fnUntraced(function* (kept, { change, incarnation, key, keyEpoch }) {
      const sealed = yield* pendingCell.seal(file, `pending/${roomKey(kept.room)}`, change)
      const sql = "INSERT INTO pending VALUES (?, ?, ?, ?, ?)"
      yield* write([yield* putKept(kept), { sql, values: [kept.room, key, incarnation, keyEpoch, sealed] }])
    }),
    dropPending: (room) => write([dropPending(room)]),
    received: Effect.fnUntraced(function* ({ dropsPending, echoes, erased, kept, rows }) {
      yield* write([
        ...(yield* putPlain(kept, rows)),
        ...(yield* putPlain(kept, erased, replacePlain)),
        yield* putKept(kept),
        ...echoes.map((key): Statement => ({ sql: "DELETE FROM outbox WHERE key = ?", values: [key] })),
        ...(dropsPending ? [dropPending(kept.room)] : [])
      ])
    }),
    joined: Effect.fnUntraced(function* (kept, rows, spent) {
      yield* write([
        ...(yield* putPlain(kept, rows)),
        yield* putKept(kept),
        dropPending(kept.room),
        ...(spent === undefined ? [] : [{ sql: "DELETE FROM key_packages WHERE ref = ?", values: [spent] }])
      ])
    })
  }
}
