/**
 * What a client hears: the messages it knows, and of later protocols the entries it does not know yet.
 *
 * Whatever carries a `seq` counts, known or not: a client that drops the entry of a kind it has never heard of takes the
 * next one for a sign that something is missing. So a message with an unknown `_tag` that is an entry comes through as
 * data, by its place alone: what it says is not kept, and nothing is shown of it. In a page it is left out, but counts
 * where the next page begins. A refusal for a reason that is not known is NotAllowed of that name, in the server's words.
 */
import { Schema, SchemaTransformation } from "effect"
import type { Conversation } from "../../common/log/Conversation.ts"
import { Seq, Timestamp } from "../../common/log/Cursor.ts"
import { nameKey } from "../../common/name/Name.ts"
import { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import { line } from "../../common/text/Content.ts"
import { text } from "../../common/text/Text.ts"
import { maxHistoryLimit } from "../../common/wire/ClientMessage.ts"
import { EntryMessage, StandingMessage, whereabouts } from "../../common/wire/EntryMessage.ts"
import { Rejection } from "../../common/wire/Rejection.ts"
import { ServerMessage } from "../../common/wire/ServerMessage.ts"

const known: ReadonlySet<string> = new Set(Object.keys(ServerMessage.cases))

/** The `_tag` of a message that this client does not know. */
const UnknownTag = text(1, 64).check(
  Schema.makeFilter<string>((tag) => !known.has(tag), { message: "there is a message of this kind" })
)

const place = { seq: Seq, at: Timestamp, from: UserName, ...whereabouts }

/** An entry of a kind that a later protocol has. A reply is none: only replies carry an `id`. */
const LaterEntry = Schema.TaggedStruct("LaterEntry", { kind: UnknownTag, ...place })
type LaterEntry = typeof LaterEntry.Type

const OnTheWire = Schema.Struct({ _tag: UnknownTag, id: Schema.optionalKey(Schema.Never), ...place })

const LaterEntryMessage = OnTheWire.pipe(
  Schema.decodeTo(
    Schema.toType(LaterEntry),
    SchemaTransformation.transform<LaterEntry, typeof OnTheWire.Type>({
      decode: ({ _tag: kind, id: _id, ...entry }) => ({ ...entry, _tag: "LaterEntry", kind }),
      encode: ({ kind, ...entry }) => ({ ...entry, _tag: kind })
    })
  )
)

/** What a page would be with the entries that were left out. There if any were. */
const span = Schema.optionalKey(Schema.Struct({ oldest: Seq, newest: Seq, count: Schema.Natural }))

const messages = Schema.Array(Schema.Union([StandingMessage, OnTheWire])).check(Schema.isMaxLength(maxHistoryLimit))

const { History, Rejected, SearchResults } = ServerMessage.cases
const LaterHistory = Schema.Struct({ ...History.fields, span })
const LaterFindings = Schema.Struct({ ...SearchResults.fields, span })

type PageEntry = (typeof messages.Type)[number]
const isStanding = Schema.is(StandingMessage)

/** The known entries of a page, and what it spans. */
const withoutLater = (entries: ReadonlyArray<PageEntry>) => {
  const seqs = entries.map(({ seq }) => seq)
  return {
    messages: entries.filter(isStanding),
    ...(seqs.length > 0 && { span: { oldest: Math.min(...seqs), newest: Math.max(...seqs), count: seqs.length } })
  }
}

const HistoryOnTheWire = Schema.Struct({ ...History.fields, messages })
const LaterHistoryMessage = HistoryOnTheWire.pipe(
  Schema.decodeTo(
    Schema.toType(LaterHistory),
    SchemaTransformation.transform<typeof LaterHistory.Type, typeof HistoryOnTheWire.Type>({
      decode: (page) => ({ ...page, ...withoutLater(page.messages) }),
      encode: (page) => page
    })
  )
)

const FindingsOnTheWire = Schema.Struct({ ...SearchResults.fields, messages })
const LaterFindingsMessage = FindingsOnTheWire.pipe(
  Schema.decodeTo(
    Schema.toType(LaterFindings),
    SchemaTransformation.transform<typeof LaterFindings.Type, typeof FindingsOnTheWire.Type>({
      decode: (page) => ({ ...page, ...withoutLater(page.messages) }),
      encode: (page) => page
    })
  )
)

const knownReasons: ReadonlySet<string> = new Set(Object.keys(Rejection.cases))
const UnknownReason = Schema.Struct({
  _tag: line(64).check(
    Schema.makeFilter<string>((tag) => !knownReasons.has(tag), { message: "there is a reason of this kind" })
  )
})
const NotAllowed = Schema.toType(Rejection.cases.NotAllowed)
const LaterRejectedMessage = Schema.Struct({
  ...Rejected.fields,
  reason: UnknownReason.pipe(
    Schema.decodeTo(
      NotAllowed,
      SchemaTransformation.transform<typeof NotAllowed.Type, typeof UnknownReason.Type>({
        decode: ({ _tag: action }) => ({ _tag: "NotAllowed", action }),
        encode: ({ action }) => ({ _tag: action })
      })
    )
  )
})

/** Known messages first: what is wrong with one of those is told as what is wrong with it. */
export const Heard = Schema.Union([
  ServerMessage,
  LaterEntryMessage,
  LaterHistoryMessage,
  LaterFindingsMessage,
  LaterRejectedMessage
])
export type Heard = typeof Heard.Type

export type HeardEntry = EntryMessage | LaterEntry

const entryTags: ReadonlySet<string> = new Set(Object.keys(EntryMessage.cases))

export const isEntry = (message: Heard): message is HeardEntry =>
  message._tag === "LaterEntry" || entryTags.has(message._tag)

/** Where a message stands, as requests and entries say it: in a room, in private with somebody, or else in the lobby. */
export interface Whereabouts {
  readonly room?: RoomName
  readonly with?: UserName
}

/** The log of what `user` reads there. */
export const conversationAt = ({ room, with: other }: Whereabouts, user: UserName): Conversation => {
  if (room !== undefined) return { _tag: "Room", room }
  return other === undefined ? { _tag: "Lobby" } : { _tag: "Inbox", user }
}

/** Where an entry that `user` was sent stands. */
export const whereaboutsOf = (entry: HeardEntry, user: UserName): Whereabouts => {
  switch (entry._tag) {
    case "GlobalMessage":
      return {}
    case "RoomMessage":
      return { room: entry.room }
    case "PrivateMessage":
      return { with: nameKey(entry.from) === nameKey(user) ? entry.to : entry.from }
    default: {
      const { room, with: other } = entry
      return room === undefined ? (other === undefined ? {} : { with: other }) : { room }
    }
  }
}
