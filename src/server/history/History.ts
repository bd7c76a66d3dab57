/**
 * The logs of all conversations: what was said, in which order, and since when.
 *
 * The one contract between the processors and whatever keeps messages. A layer of it decides where an entry stands
 * (`seq`), and what it answers as stored is stored (invariants 4 and 5). The in-memory layer is `MemoryHistory`.
 */
import { type Array, Context, type Effect, type Queue, Schema } from "effect"
import { Conversation } from "../../common/log/Conversation.ts"
import { type Cursor, Seq, Timestamp } from "../../common/log/Cursor.ts"
import { AuthorId, Body, type Entry, type Reaction, referringTo, targetOf } from "../../common/log/Entry.ts"
import type { Target } from "../../common/log/Permission.ts"
import { base64, maxWelcomeBytes } from "../../common/log/Sealing.ts"
import type { View } from "../../common/log/Timeline.ts"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import { UserName } from "../../common/name/UserName.ts"
import { MessageKey } from "../../common/wire/RequestId.ts"
import { Governance } from "../governance/Governance.ts"
import { Changes } from "../governance/Sealing.ts"
import { AccountId } from "../session/AccountId.ts"
import { Partner } from "./Partner.ts"
import type { Range, Search, StandingRange } from "./Query.ts"

/**
 * An entry to be stored. The same `key` from the same sender in the same conversation is stored once; in an inbox, between the
 * same two.
 */
export const NewEntry = Schema.Struct({
  conversation: Conversation,
  from: UserName,
  /** In an inbox, whom it is for. */
  to: Schema.optionalKey(UserName),
  /**
   * The other account's inbox, in which it stands as well: stored together or not at all, at a place of its own there. What
   * it is done or replies to is named by its place in `conversation`.
   */
  twin: Schema.optionalKey(Conversation.cases.Inbox),
  /** The account of the other inbox has blocked the sender: nothing is said there (see `twinBody`). */
  muffled: Schema.optionalKey(Schema.Literal(true)),
  /** Nobody's, if nobody is to change it any more. */
  author: Schema.UndefinedOr(AuthorId),
  body: Body,
  at: Timestamp,
  key: Schema.UndefinedOr(MessageKey),
  /** Of a room: how it is governed from this entry on, and the account that is no member any more. */
  governance: Schema.optionalKey(Governance),
  dismissed: Schema.optionalKey(AccountId),
  /** Of an encrypted room: who may read from there on, and who no more; and the welcome to those who are let in. */
  sealed: Schema.optionalKey(Schema.Struct({ ...Changes.fields, welcome: Schema.optionalKey(base64(maxWelcomeBytes)) }))
})
export type NewEntry = typeof NewEntry.Type

/**
 * How an entry stands in the other inbox, where what it refers to stands at `target`; nothing if it does not. What is done to a
 * message that stands in one inbox alone is done there alone. Of who is blocked nothing is heard but that a message is gone, which is
 * erased wherever it stands.
 */
export const twinBody = (
  { body, muffled }: Pick<NewEntry, "body" | "muffled">,
  target: Seq | undefined
): Body | undefined => {
  if (targetOf(body) !== undefined && target === undefined) return undefined
  if (muffled !== true) return referringTo(body, target)
  return body._tag === "Deleted" && target !== undefined ? { _tag: "Deleted", target } : undefined
}

/**
 * A key that is answered with the place of an entry which was not made under it, for what was asked had been done already:
 * from now on it is that entry's, as long as it is kept.
 */
export const AnsweredKey = Schema.Struct({
  conversation: Conversation,
  from: UserName,
  /** Of an inbox: who it was exchanged with. */
  with: Schema.optionalKey(Partner),
  key: MessageKey,
  seq: Seq
})
export type AnsweredKey = typeof AnsweredKey.Type

/** How an entry stands in the other inbox: where, and what it is done or replies to there, if that is still there. */
export const Twin = Schema.Struct({ seq: Seq, target: Schema.optionalKey(Seq) })
export type Twin = typeof Twin.Type

/** Where an entry stands. `repeated`: it was stored before, there and then. `twin`: if it is new and has one. */
export const Stored = Schema.Struct({
  seq: Seq,
  at: Timestamp,
  repeated: Schema.Boolean,
  twin: Schema.optionalKey(Twin)
})
export type Stored = typeof Stored.Type

/** Part of a log, oldest first. `more`: the log holds more in the direction that was asked for. */
export interface Page {
  readonly entries: ReadonlyArray<Entry>
  readonly more: boolean
}

/** Messages of a log as they stand, oldest first. `more`: as in a `Page`. */
export interface StandingPage {
  readonly messages: ReadonlyArray<View>
  readonly more: boolean
}

/** What a search found, newest first. `next`: there is more, to be asked for with this as `before`. */
export interface Findings<Searched extends Conversation> {
  readonly found: ReadonlyArray<{ readonly conversation: Searched; readonly message: View }>
  readonly next: number | undefined
}

/** What has to be known to decide on a run of acts. */
export interface Question {
  /** Those that may have been answered before. */
  readonly keys: ReadonlyArray<{ readonly from: UserName; readonly key: MessageKey; readonly with?: Partner }>
  readonly targets: ReadonlyArray<Seq>
  /** Whether these people react to their targets in these ways. */
  readonly reactors: ReadonlyArray<ReactorQuestion>
}

interface ReactorQuestion {
  readonly target: Seq
  readonly user: UserName
  readonly reaction: Reaction
}

/** Names one reaction of one user to one message, inside its conversation. */
export const reactorName = (target: Seq, user: UserName, reaction: Reaction): string =>
  `${target} ${nameKey(user)} ${reaction}`

/** What is known of the entry at some place. Of `Message`s also what was reacted to them. */
export interface TargetFacts extends Target {
  /** In an inbox, with whom it was exchanged; nothing if it is gone. */
  readonly with?: Partner
  /** All ways in which somebody reacts. */
  readonly reactions: ReadonlyArray<ReactionCount>
  /** Those that were asked for. */
  readonly reactors: ReadonlyArray<ReactorFacts>
}

interface ReactionCount {
  readonly reaction: Reaction
  readonly count: number
}

/** Who reacted in which way, by the entry at `seq`. */
export interface ReactorFacts {
  readonly reaction: Reaction
  readonly user: NameKey
  readonly author: AuthorId | undefined
  readonly seq: Seq
  readonly at: Timestamp
}

export interface Facts {
  /** Where the entries stand that these keys were answered with, by `keyOf`. */
  readonly answered: ReadonlyMap<string, Pick<Stored, "at" | "seq">>
  /** One for each target that is no place behind the newest. */
  readonly targets: ReadonlyMap<Seq, TargetFacts>
}

/** Names the entry of one sender by a key it was answered with, inside its conversation; in an inbox also by the partner. */
export const keyOf = (from: UserName, key: MessageKey, partner?: Partner): string =>
  partner === undefined ? `${nameKey(from)} ${key}` : `${nameKey(from)} ${partner} ${key}`

/** What stands for an entry that cannot be read any more: its row is damaged. */
export const unreadableText = "(This message is damaged on the server's disk and cannot be read.)"

/** Stands for an entry that cannot be read any more, at its place. */
export const unreadable = (seq: Seq, at: Timestamp, from: UserName | undefined): Entry => ({
  seq,
  at,
  from: from ?? nobody,
  body: { _tag: "Said", content: unreadableText }
})

const nobody = Schema.decodeSync(UserName)("unknown")

/** Nothing was stored or read, for instance because the disk is full. Trying again later may succeed. */
export class StorageUnavailable extends Schema.TaggedError<StorageUnavailable>()("StorageUnavailable", {
  cause: Schema.Defect()
}) {}

/** A room's log. */
export type RoomConversation = Extract<Conversation, { readonly _tag: "Room" }>

/** A search took longer than it may, `limit` milliseconds, and was ended. */
export class SearchTooSlow extends Schema.TaggedError<SearchTooSlow>()("SearchTooSlow", { limit: Schema.Natural }) {}

export class History extends Context.Service<
  History,
  {
    /**
     * Stores all of them or none, `answered` with them, and answers where each stands, in the order given. Entries of one conversation get
     * consecutive places, and times that never go back: that of the entry before, if theirs is an earlier one. Answers
     * only once they would survive a crash, as far as this layer can survive one. An entry that could not be read back as
     * it is (half a surrogate pair, NUL) refuses its own append, and nothing of any other. One with a twin has the same time
     * at both its places, and follows the newest of both; if it stands there (see `twinBody`).
     *
     * What follows from an entry is part of the same commit (invariant 12): what stands at its target afterwards, as
     * `Timeline.step` says, how its room is governed (see Governances), who is no member any more, and which devices may read of it and are
     * welcomed (see SealedRooms). Whether it may be made was decided before, with `facts`.
     */
    append(
      entries: ReadonlyArray<NewEntry>,
      answered?: ReadonlyArray<AnsweredKey>
    ): Effect.Effect<ReadonlyArray<Stored>, StorageUnavailable>
    /**
     * With `after`: the oldest entries behind that place. Otherwise the newest, or the newest before `before`. With
     * `maxBytes`: as many as have so much content in UTF-8 together, but one at least; `more` says so too, and what is not
     * given is not read. An entry that cannot be read any more is given as a placeholder at its place (see `unreadable`);
     * its time is that of the entry before if its own is lost. One whose checksum does not fit is given as it is.
     */
    read(conversation: Conversation, range: Range, maxBytes?: number): Effect.Effect<Page, StorageUnavailable>
    /**
     * The same part of a log as its messages stand: `limit` counts messages, tombstones of messages and what was done to the
     * room (see `Only`). A deleted message is a tombstone in `read` and here; in `read`, so are its edits. What was exchanged with one partner is found without
     * looking at the rest of the inbox.
     */
    standing(
      conversation: Conversation,
      range: StandingRange,
      maxBytes?: number
    ): Effect.Effect<StandingPage, StorageUnavailable>
    /**
     * What has to be known to decide on a run. True until somebody appends to the conversation: whoever decides is the only
     * one who does.
     */
    facts(conversation: Conversation, question: Question): Effect.Effect<Facts, StorageUnavailable>
    /**
     * The log's incarnation and the place of its newest entry; 0 if it has none. Each room's incarnation is its own: a room
     * that was forgotten and made again has another, and so has one after a restart to which nobody had written. An account's inbox
     * is one log for good, whether anybody has written to it or not. Remembers
     * the conversation until it is forgotten. Waits for nothing but after a commit that failed.
     */
    newest(conversation: Conversation): Effect.Effect<Cursor, StorageUnavailable>
    /**
     * The newest messages of these conversations, as they stand, in which all words of the query occur (see SearchWords); what was stored
     * a moment ago may be missing. `before` is a seq where one conversation is searched, and otherwise the `next` of the
     * page before. With `maxBytes`: as many as have so much content in UTF-8 together, but one at least. May take a second:
     * nothing that others wait for should wait for it.
     */
    search<Searched extends Conversation>(
      conversations: Array.NonEmptyReadonlyArray<Searched>,
      search: Search,
      maxBytes?: number
    ): Effect.Effect<Findings<Searched>, StorageUnavailable | SearchTooSlow>
    /**
     * Forgets a room whose log is empty, since nothing was written or RETENTION took it all: its name is as if it
     * had never been, and if it is asked for or written to again it is another incarnation, whose places begin at 1.
     * False, and nothing done, if there are entries, or if RETENTION took the last a moment ago and `emptied` has not
     * told yet; while something is being stored in it, or may have been by a commit that failed; and of what is no room, always.
     * Waits for nothing.
     */
    forgetUnsafe(conversation: Conversation): boolean
    /**
     * Erases a room: its log, how it is governed and, where they are kept beside it, its members and how far they have read.
     * Answers once that would survive a crash, and however much there is of it. From then on its name is as if it had never
     * been, as when it is forgotten; it is another incarnation that whoever asks for it or writes to it finds. Within a
     * minute nothing of it is in any file. One that failed may have been carried out all the same: then `newest` tells
     * another epoch. Nobody else appends to it meanwhile.
     */
    erase(conversation: RoomConversation): Effect.Effect<void, StorageUnavailable>
    /** The rooms of which something is left from before this server started. */
    readonly rooms: ReadonlyArray<RoomName>
    /**
     * Rooms whose last entry RETENTION has taken, as it happens; each can be forgotten from then on, unless it was written
     * to since. At most one waiting for each room.
     */
    readonly emptied: Queue.Dequeue<RoomName>
  }
>()("parley/server/history/History") {}
