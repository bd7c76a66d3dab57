/**
 * The text of a state file: how far each conversation was read, by server, user and conversation. Pure.
 *
 * JSON, so that it can be looked at: `{ "parley": "cursors", "version": 1, "cursors": { … } }`. What is anything else is not
 * written over.
 */
import { createHash } from "node:crypto"
import { Result, Schema } from "effect"
import { Epoch, Seq, Timestamp } from "../../common/log/Cursor.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { Whereabouts } from "../core/Heard.ts"
import { keyOf } from "./Where.ts"

/** The entry written last, and when it was made; 0 where none was. */
export const StoredCursor = Schema.Struct({ epoch: Epoch, seq: Seq, at: Timestamp })
export type StoredCursor = typeof StoredCursor.Type

const CursorFile = Schema.Struct({
  parley: Schema.Literal("cursors"),
  version: Schema.Literal(1),
  cursors: Schema.Record(Schema.String, StoredCursor)
})

export type Cursors = Readonly<Record<string, StoredCursor>>

const Text = Schema.fromJsonString(CursorFile)
const decode = Schema.decodeUnknownResult(Text)
const isFile = Schema.is(CursorFile)

/** Undefined if it is no such file. */
export const read = (text: string): Cursors | undefined => {
  const file = decode(text)
  return Result.isSuccess(file) ? file.success.cursors : undefined
}

export const write = (cursors: Cursors): string => {
  const file = { parley: "cursors", version: 1, cursors }
  return isFile(file) ? `${JSON.stringify(file, undefined, 2)}\n` : ""
}

export interface Reader {
  readonly host: string
  readonly port: number
  readonly user: UserName
  readonly where: Whereabouts
}

/** Under which a conversation stands in the file. */
export const entryOf = ({ host, port, user, where }: Reader): string =>
  `${host.toLowerCase()}:${port} ${nameKey(user)} ${keyOf(where)}`

/** Most file systems allow 255 bytes; a few are for what is written beside. */
const maxNameBytes = 200

/** The name of the file that one conversation has for itself. */
export const fileNameOf = (reader: Reader, suffix: string): string => {
  const name = entryOf(reader).split(" ").map(encodeURIComponent).join("_")
  const isLong = Buffer.byteLength(name) > maxNameBytes
  return `${isLong ? createHash("sha256").update(name).digest("hex") : name}${suffix}`
}
