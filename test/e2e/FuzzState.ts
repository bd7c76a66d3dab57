/**
 * The whole state twice, in one shape: as the model has it, and as a database has it that no server uses any more. What only a
 * running server knows (who is in a room as a guest, what is left of a room nobody wrote in) is asked of that (see FuzzStanding).
 */
import { DatabaseSync } from "node:sqlite"
import { Schema } from "effect"
import { nameKey } from "../../src/common/name/Name.ts"
import { isObject, type Json } from "./FuzzContract.ts"
import type { Account, Log, Model } from "./FuzzModel.ts"

type State = Readonly<Record<"accounts" | "governed" | "logs" | "members" | "reports", unknown>>

const sorted = <Value>(pairs: Iterable<readonly [string, Value]>): Readonly<Record<string, Value>> =>
  Object.fromEntries([...pairs].toSorted(([one], [other]) => (one < other ? -1 : 1)))

const without = (fields: Json, ...names: ReadonlyArray<string>): Json =>
  Object.fromEntries(Object.entries(fields).filter(([name, value]) => value !== undefined && !names.includes(name)))

export const modelled = (model: Model): State => {
  const accounts = [...model.accounts.values()]
  const logs: ReadonlyArray<readonly [string, Log]> = [
    ["lobby", model.lobby],
    ...[...model.rooms.values()].map(({ log, name }) => [`room:${nameKey(name)}`, log] as const),
    ...accounts.map(({ inbox, name }) => [`inbox of ${name}`, inbox] as const)
  ]
  return {
    logs: sorted(
      logs.filter(([, { entries }]) => entries.size > 0).map(([key, log]) => [key, entriesOf(log)] as const)
    ),
    governed: sorted(
      [...model.rooms.values()]
        .filter(({ log }) => log.entries.size > 0)
        .map(
          (room) =>
            [
              nameKey(room.name),
              without({
                topic: room.topic,
                isPrivate: room.isPrivate,
                owner: typeof room.owner === "object" ? room.owner.name : undefined,
                moderators: [...room.moderators].map(({ name }) => name).toSorted(),
                bans: [...room.bans.values()],
                mutes: [...room.mutes.values()],
                invited: [...room.invited].map(([{ name: user }, by]) => ({ user, by }))
              })
            ] as const
        )
        .filter(([, governance]) => !isPlain(governance))
    ),
    members: [...model.rooms.values()]
      .filter((room) => room.log.entries.size > 0)
      .flatMap((room) => [...room.accounts].map(({ name }) => `${nameKey(room.name)}: ${name}`))
      .toSorted(),
    accounts: sorted(accounts.map((account) => [account.name, accountOf(account)])),
    reports: model.reports
  }
}

/** Of what says nothing it is open whether it is kept. */
const isPlain = ({ bans, invited, isPrivate, moderators, mutes, owner, topic }: Json): boolean =>
  isPrivate === false &&
  topic === undefined &&
  owner === undefined &&
  [bans, invited, moderators, mutes].every((all) => Array.isArray(all) && all.length === 0)

const accountOf = ({ blocked, devices, isAdmin, isDeleted, keys }: Account) => ({
  isAdmin,
  isDeleted,
  devices: [...devices.values()],
  keys: sorted([...keys].map(([fingerprint, name]) => [fingerprint, name ?? null])),
  blocked: [...blocked.values()].toSorted()
})

const entriesOf = ({ entries }: Log) =>
  [...entries.values()]
    .toSorted((one, other) => one.seq - other.seq)
    .map(({ at, fields, from, kind, seq, target, to }) =>
      without({ seq, at, from, to, kind, target: kind === "Tombstone" ? undefined : target, ...fields })
    )

const fieldsFrom = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))

type Row = Readonly<Record<string, unknown>>

/** What a file holds. */
export const stored = (file: string): State => {
  const database = new DatabaseSync(file, { readOnly: true })
  const all = (sql: string): ReadonlyArray<Row> => database.prepare(sql).all()
  const accounts = all("SELECT * FROM accounts ORDER BY id")
  const nameOf = (id: unknown) => String(accounts.find((account) => account["id"] === id)?.["name"])
  const messages = all("SELECT * FROM messages ORDER BY conversation, seq")
  const conversations = all("SELECT * FROM conversations WHERE kind NOT IN ('Erased', 'Gone')")
  const keyOf = (key: string) => (key.startsWith("inbox:#") ? `inbox of ${nameOf(Number(key.slice(7)))}` : key)
  const logs = conversations.flatMap(({ conversation_key: key, id }) => {
    const rows = messages.filter(({ conversation }) => conversation === id)
    return rows.length === 0 ? [] : [[keyOf(String(key)), rows.map((row) => entryOf(row, rows))] as const]
  })
  const spoken = new Set(logs.map(([key]) => key))
  const isSpoken = (key: unknown) => spoken.has(`room:${String(key)}`)
  const state = {
    logs: sorted(logs),
    governed: sorted(
      all("SELECT * FROM governance")
        .map(({ conversation_key: key, state: governance }) => [String(key), fieldsFrom(governance)] as const)
        .filter(([key]) => key.startsWith("room:") && spoken.has(key))
        .map(([key, governance]) => {
          const bound = (kind: string) =>
            all("SELECT * FROM bounds ORDER BY id")
              .filter((row) => row["conversation_key"] === key && row["kind"] === kind)
              .map(({ state: found }) => fieldsFrom(found))
          const whole = { ...governance, bans: bound("bans"), mutes: bound("mutes") }
          return [key.slice("room:".length), governanceOf(whole)] as const
        })
        .filter(([, governance]) => !isPlain(governance))
    ),
    members: all("SELECT * FROM memberships")
      .filter(({ room_key: key }) => isSpoken(key))
      .map(({ account, room_key: key }) => `${String(key)}: ${nameOf(account)}`)
      .toSorted(),
    accounts: sorted(
      accounts.map(({ id, is_admin: isAdmin, name, state: standing }) => {
        const own = (table: string) => all(`SELECT * FROM ${table} WHERE account = ${Number(id)}`)
        return [
          String(name),
          {
            isAdmin: isAdmin === 1,
            isDeleted: standing === "Deleted",
            devices: own("devices").map((device) => device["name"]),
            keys: sorted(own("keys").map(({ fingerprint, name }) => [String(fingerprint), name])),
            blocked: own("blocks")
              .map((block) => block["name"])
              .toSorted()
          }
        ] as const
      })
    ),
    reports: all("SELECT * FROM reports ORDER BY id").map(({ report }) => reportOf(fieldsFrom(report)))
  }
  database.close()
  return state
}

/** An edit of what was deleted may not have been erased yet. */
const entryOf = ({ at, content, kind, receiver, sender, seq, target }: Row, log: ReadonlyArray<Row>): Json => {
  const isText = kind === "Said" || kind === "Edited"
  const isOfTombstone = kind === "Edited" && log.some((row) => row["seq"] === target && row["kind"] === "Tombstone")
  return without({
    seq,
    at,
    from: sender,
    to: receiver ?? undefined,
    kind,
    target: kind === "Tombstone" ? undefined : (target ?? undefined),
    ...(isText ? { content: isOfTombstone ? "" : content } : without(fieldsFrom(content), "bytes"))
  })
}

const listed = Schema.decodeUnknownSync(Schema.Array(Schema.Record(Schema.String, Schema.Unknown)))
const one = Schema.decodeUnknownSync(Schema.Record(Schema.String, Schema.Unknown))

const governanceOf = ({ bans, invited, isPrivate, moderators, mutes, owner, topic }: Json): Json => {
  const plainly = (all: unknown) => listed(all).map((each) => without(each, "account", "network"))
  return without({
    topic,
    isPrivate,
    owner: owner === undefined ? undefined : one(owner)["user"],
    moderators: listed(moderators)
      .map(({ user }) => String(user))
      .toSorted(),
    bans: plainly(bans),
    mutes: plainly(mutes),
    invited: plainly(listed(invited).filter(({ isUnheard }) => isUnheard !== true))
  })
}

const reportOf = ({ by, reason, said, seq, where }: Json): Json => {
  const { content, from } = one(said)
  return { by: one(by)["user"], reason, where, seq, from: one(from)["user"], content }
}

/** Where two values differ, each place with what is found and what is expected there. */
export const differences = (found: unknown, expected: unknown, place = ""): ReadonlyArray<string> => {
  if (Array.isArray(found) && Array.isArray(expected)) return differences({ ...found }, { ...expected }, place)
  if (isObject(found) && isObject(expected)) {
    const names = new Set([...Object.keys(found), ...Object.keys(expected)])
    return [...names].flatMap((name) => differences(found[name], expected[name], `${place}/${name}`))
  }
  // It is decided a little before it is stored, and bound from there.
  const isAsLong = place.endsWith("/until") && Math.abs(Number(found) - Number(expected)) < 5000
  return Object.is(found, expected) || isAsLong
    ? []
    : [`${place}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`]
}
