/**
 * Reads logs for whoever asked: what was missed, and pages of history.
 *
 * Everything is read and encoded in pieces, in turns (see Turns), outside the fibers that publish (invariant 10). Pieces of
 * what was missed are kept for a moment: after a restart or a broken network many come back from the same place, and are
 * sent the same bytes. Kept are `maxKeptBytes` at most, for `keepMillis`.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { type Conversation, conversationKey } from "../../common/log/Conversation.ts"
import type { Epoch, Seq } from "../../common/log/Cursor.ts"
import type { Entry } from "../../common/log/Entry.ts"
import { entryMessage, standingMessage } from "../../common/wire/EntryMessage.ts"
import { ServerConfig } from "../config/ServerConfig.ts"
import { History, type StorageUnavailable } from "../history/History.ts"
import type { Range, StandingRange } from "../history/Query.ts"
import { monotonicMillis } from "../processor/MonotonicTime.ts"
import { Turns } from "../processor/Turns.ts"
import { isGivenTo, partsOfPage, type Readable } from "./Readable.ts"

/** What is read at once: 64 KiB of content, or so many short entries that they are as long on the wire. */
const pieceBytes = 64 * 1024
const pieceEntries = 500

/** No reply is larger than this, nor than MAILBOX_BYTES. */
const maxReplyBytes = 1024 * 1024
/** For what stands around the messages of a reply. */
const frameBytes = 256

const maxKeptBytes = 4 * 1024 * 1024
const keepMillis = 1000

/** Entries of a log as lines: those behind some place, up to `upTo`. */
export interface Piece {
  readonly lines: Uint8Array
  /** The first place that has an entry; behind `upTo` if there is none, for the oldest may have been deleted. */
  readonly first: Seq
  readonly upTo: Seq
}

export class LogReader extends Context.Service<
  LogReader,
  {
    /**
     * The next entries behind `after`, up to `upTo` at most, of one incarnation of a log. Nothing is read if they are not
     * wanted any more when their turn has come. `part`: others may read more of it, and this one may not.
     */
    piece(
      log: Log,
      after: Seq,
      upTo: Seq,
      isWanted?: () => boolean,
      part?: Omit<Readable, "intervals">
    ): Effect.Effect<Piece | undefined, StorageUnavailable>
    /**
     * A `History` reply, encoded but for its beginning (see Requests), in pieces. As soon as it is not wanted any more, nothing more is read.
     * `readable`: of an encrypted room, what may be read; unless only some are asked for, it has all entries there, as they were made.
     */
    historyReply(
      conversation: Conversation,
      range: StandingRange,
      isWanted: () => boolean,
      readable?: Readable
    ): Effect.Effect<ReadonlyArray<Uint8Array>, StorageUnavailable>
    /** Something was deleted: what was read before is not given again. */
    forget(conversation: Conversation): void
    /**
     * All entries between two places. For the few that a failed commit left, if it was carried out all the same: they are
     * wanted at once, and are no more than a run.
     */
    between(
      conversation: Conversation,
      after: Seq,
      before: Seq
    ): Effect.Effect<ReadonlyArray<Entry>, StorageUnavailable>
  }
>()("parley/server/rooms/LogReader") {
  static readonly layer = Layer.effect(
    LogReader,
    Effect.gen(function* () {
      const history = yield* History
      const turns = yield* Turns
      const clock = yield* Clock.Clock
      const { mailboxBytes } = yield* ServerConfig
      const kept = makeKept(clock)
      const maxBytes = Math.min(mailboxBytes, maxReplyBytes) - frameBytes

      const read = (conversation: Conversation, range: Range) =>
        history.read(conversation, { ...range, limit: Math.min(range.limit, pieceEntries) }, pieceBytes)

      const piece = Effect.fnUntraced(function* (
        { conversation, epoch }: Log,
        after: Seq,
        upTo: Seq,
        isWanted: () => boolean = () => true,
        part?: Omit<Readable, "intervals">
      ) {
        const name = part === undefined ? `${epoch} ${after}` : `${epoch} ${after} ${upTo} ${part.as ?? ""}`
        const isGiven = isGivenTo(part?.as)
        const group = conversationKey(conversation)
        const made = Effect.suspend(() => {
          if (!isWanted()) return Effect.undefined
          const known = kept.find(`${group} ${name}`)
          return known === undefined ? Effect.map(fresh, keep) : Effect.succeed(known)
        })
        const fresh = Effect.gen(function* () {
          const range = { after, before: upTo + 1, limit: pieceEntries }
          const { entries, more } = yield* read(conversation, range)
          const last = entries.at(-1)?.seq ?? upTo
          const say = entryMessage(conversation)
          const given = part === undefined ? entries : entries.filter(isGiven)
          const text = given.map((entry) => `${JSON.stringify(say(entry))}\n`).join("")
          return { lines: Buffer.from(text), first: entries[0]?.seq ?? upTo + 1, upTo: more ? last : upTo }
        })
        const edition = kept.edition()
        const keep = (piece: Piece) => kept.add(`${group} ${name}`, piece, edition)
        return yield* turns.log.take(group, made)
      })

      /** What stands there; or, of an encrypted room, all entries as they were made. */
      const finder = (conversation: Conversation, readable: Readable | undefined, { only }: StandingRange) => {
        const say = standingMessage(conversation)
        const sayEntry = entryMessage(conversation)
        const isGiven = isGivenTo(readable?.as)
        return (range: StandingRange) =>
          readable !== undefined && only === undefined
            ? Effect.map(history.read(conversation, range, pieceBytes), ({ entries, more }) => ({
                said: entries.map((entry) => saidOf(entry.seq, isGiven(entry), () => sayEntry(entry))),
                more
              }))
            : Effect.map(history.standing(conversation, range, pieceBytes), ({ messages, more }) => ({
                said: messages.map((view) => {
                  const isShown = view._tag !== "Sealed" || isGiven({ from: view.from, body: view })
                  return saidOf(view.seq, isShown, () => say(view))
                }),
                more
              }))
      }

      const page = Effect.fnUntraced(function* (
        conversation: Conversation,
        range: StandingRange,
        isWanted: () => boolean,
        readable: Readable | undefined
      ) {
        const isForwards = range.after !== undefined
        const find = finder(conversation, readable, range)
        const parts = [...partsOfPage(readable?.intervals, range)]
        const group = conversationKey(conversation)
        const pages: Array<Uint8Array> = []
        let { limit } = range
        let room = maxBytes
        let more = parts.length > 0

        const next = Effect.gen(function* () {
          const [part] = parts
          if (part === undefined || !isWanted()) return false
          const { after, before } = part
          const found = yield* find({
            ...range,
            after: isForwards ? after : undefined,
            before,
            limit: Math.min(limit, pieceEntries)
          })
          // Backwards, what lies before this part is found as well.
          const within = isForwards ? found.said : found.said.filter(({ seq }) => seq > (after ?? 0))
          const nearest = isForwards ? within : within.toReversed()
          const fitting = fit(nearest, room, pages.length === 0)
          const furthest = nearest[fitting.texts.length - 1]
          const inOrder = isForwards ? fitting.texts : fitting.texts.toReversed()
          const texts = inOrder.filter((text) => text !== "")
          if (texts.length > 0) pages.push(Buffer.from(texts.join(",")))
          room -= fitting.bytes
          limit -= texts.length
          const isFull = fitting.texts.length < nearest.length
          const isOver = !isFull && (!found.more || within.length < found.said.length)
          if (isOver) parts.shift()
          else if (furthest !== undefined) {
            parts[0] = isForwards ? { ...part, after: furthest.seq } : { ...part, before: furthest.seq }
          }
          more = parts.length > 0
          return more && !isFull && limit > 0
        })
        while (yield* turns.log.take(group, next)) {
          // Between two pieces, it is the others' turn.
        }
        const encoded: EncodedPage = { messages: isForwards ? pages : pages.toReversed(), more }
        return encoded
      })

      const between = Effect.fnUntraced(function* (conversation: Conversation, after: Seq, before: Seq) {
        const entries: Array<Entry> = []
        for (let more = true; more;) {
          const page = yield* read(conversation, { after: entries.at(-1)?.seq ?? after, before, limit: pieceEntries })
          entries.push(...page.entries)
          more = page.more
        }
        return entries
      })

      const historyReply = Effect.fnUntraced(function* (
        conversation: Conversation,
        range: StandingRange,
        isWanted: () => boolean,
        readable?: Readable
      ) {
        const { messages, more } = yield* page(conversation, range, isWanted, readable)
        return [
          Buffer.from('"messages":['),
          ...messages.flatMap((part, index) => (index === 0 ? [part] : [comma, part])),
          Buffer.from(`],"more":${more}}\n`)
        ]
      })

      return LogReader.of({
        piece,
        historyReply,
        between,
        forget: (conversation) => kept.forget(conversationKey(conversation))
      })
    })
  )
}

const comma = Buffer.from(",")

export interface Log {
  readonly conversation: Conversation
  readonly epoch: Epoch
}

/** Nothing is said of what somebody is not given, but it is passed over. */
interface Said {
  readonly seq: Seq
  readonly message: object | undefined
}
const saidOf = (seq: Seq, isGiven: boolean, say: () => object): Said => ({
  seq,
  message: isGiven ? say() : undefined
})

interface EncodedPage {
  /** JSON values separated by commas, oldest first; a comma belongs between two of these, too. */
  readonly messages: ReadonlyArray<Uint8Array>
  readonly more: boolean
}

/** As many as fit into so many bytes, the first in any case if `isFirst`. */
const fit = (said: ReadonlyArray<Said>, room: number, isFirst: boolean) => {
  const texts: Array<string> = []
  let bytes = 0
  for (const { message } of said) {
    const text = message === undefined ? "" : JSON.stringify(message)
    const size = message === undefined ? 0 : Buffer.byteLength(text) + 1
    if (bytes + size > room && !(isFirst && bytes === 0)) break
    texts.push(text)
    bytes += size
  }
  return { texts, bytes }
}

/** Pieces that were made a moment ago, oldest first. */
const makeKept = (clock: Clock.Clock) => {
  const pieces = new Map<string, { readonly piece: Piece; readonly until: number }>()
  let bytes = 0
  let edition = 0
  const drop = (name: string, piece: Piece) => {
    pieces.delete(name)
    bytes -= piece.lines.length
  }
  return {
    find: (name: string): Piece | undefined => {
      const known = pieces.get(name)
      return known !== undefined && known.until >= monotonicMillis(clock) ? known.piece : undefined
    },
    /** How often something was forgotten. */
    edition: () => edition,
    forget: (group: string) => {
      edition++
      for (const [name, { piece }] of pieces) if (name.startsWith(`${group} `)) drop(name, piece)
    },
    /** Unless something was forgotten since it was begun. */
    add: (name: string, piece: Piece, begun: number): Piece => {
      if (begun !== edition) return piece
      const now = monotonicMillis(clock)
      const before = pieces.get(name)
      if (before !== undefined) drop(name, before.piece)
      pieces.set(name, { piece, until: now + keepMillis })
      bytes += piece.lines.length
      for (const [oldest, { piece: old, until }] of pieces) {
        if (until >= now && bytes <= maxKeptBytes) break
        drop(oldest, old)
      }
      return piece
    }
  }
}
