/**
 * Members who are given what they missed, and hear nothing else of the conversation meanwhile: each is given the log, a piece
 * whenever its peer has taken the last, however slowly that reads, until it stands where everybody stands.
 *
 * Owns who is behind; at most as many as there are members. What is read for one who leaves is not given, and for who is gone
 * nothing more is read (invariant 10).
 */
import { Effect, Schedule } from "effect"
import type { Conversation } from "../../common/log/Conversation.ts"
import type { Cursor, Seq } from "../../common/log/Cursor.ts"
import type { StorageUnavailable } from "../history/History.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import type { Sessions } from "../session/Sessions.ts"
import { type Standing, standingOf, startOf } from "./CatchUp.ts"
import type { LogReader, Piece } from "./LogReader.ts"
import { partsOf, placesIn, type Readable } from "./Readable.ts"

/** How long after a log could not be read it is tried again. */
export const retryInterval = "1 second"

/** What a join gives back: what to tell the newcomer first, and what follows behind it. */
export interface CatchUp extends Standing {
  /** Gives what was missed and lets the newcomer hear what is said; over when it does, or is gone. To be run once. */
  readonly follow: Effect.Effect<void>
}

export interface Newcomers {
  /** Somebody came: behind from now on. */
  readonly add: (from: Asker) => void
  /** Whether it is the same who came then: neither gone, nor away and back. */
  readonly isBehind: (from: Asker) => boolean
  /** Whether nothing has been said to it yet. */
  readonly isSilent: (session: SessionId) => boolean
  /** What it asked, if it came and nothing has been said to it yet. */
  readonly unanswered: (session: SessionId) => Asker | undefined
  /** Nothing more is given: it has left, or what it asked for was refused, and so answered. */
  readonly drop: (session: SessionId, isAnswered?: boolean) => void
  /** Where one goes on. Reads nothing if nothing was missed; what cannot be read is refused before anything is said. */
  readonly begin: (from: Asker, after: Cursor | undefined) => Effect.Effect<CatchUp, StorageUnavailable>
}

interface Services {
  readonly conversation: Conversation
  readonly reader: LogReader["Service"]
  readonly sessions: Sessions["Service"]
  /** How far members have been told, and of which log. */
  readonly told: () => Cursor
  /** Of an encrypted room, what somebody may read of it; of any other nothing is said. */
  readonly readable?: (from: Asker) => Effect.Effect<Readable, StorageUnavailable> | undefined
  /** It has all there is, and hears what is said from now on. */
  readonly onCaughtUp: (session: SessionId) => void
  /** Its request is over; what is given as a part of another one's answer says so itself. */
  readonly onGiven?: (from: Asker) => void
}

export const makeNewcomers = ({
  conversation,
  onCaughtUp,
  onGiven = (from) => sessions.deliver([{ _tag: "Given", to: from }]),
  readable = () => undefined,
  reader,
  sessions,
  told
}: Services): Newcomers => {
  const behind = new Map<SessionId, Asker>()
  const silent = new Set<SessionId>()
  const isBehind = (from: Asker) => behind.get(from.session) === from

  /** The next entries behind `after` that it may read; those between are passed over. */
  const readPiece = (
    from: Asker,
    after: Seq,
    { epoch, seq }: Cursor,
    readable: Readable | undefined
  ): Effect.Effect<Piece | undefined, StorageUnavailable> => {
    const log = { conversation, epoch }
    if (readable === undefined) return reader.piece(log, after, seq, () => isBehind(from))
    const { intervals, ...part } = readable
    const [next, further] = partsOf(intervals, { after, before: seq + 1 })
    if (next === undefined) return Effect.succeed({ lines: new Uint8Array(0), first: seq + 1, upTo: seq })
    const upTo = next.before - 1
    return Effect.map(
      reader.piece(log, next.after, upTo, () => isBehind(from), part),
      (piece) => (piece?.upTo === upTo && further === undefined ? { ...piece, upTo: seq } : piece)
    )
  }

  const pieceFor = (from: Asker, after: Seq, now: Cursor) =>
    // It may have gone while this waited for the next attempt.
    Effect.suspend(() =>
      isBehind(from)
        ? Effect.flatMap(readable(from) ?? Effect.undefined, (found) => readPiece(from, after, now, found))
        : Effect.undefined
    ).pipe(Effect.retry(Schedule.spaced(retryInterval)), Effect.orDie)

  const arrive = (from: Asker) => {
    if (!isBehind(from)) return
    behind.delete(from.session)
    onCaughtUp(from.session)
    onGiven(from)
  }

  const catchUp = Effect.fnUntraced(function* (from: Asker, position: Seq) {
    let at = position
    while (isBehind(from) && at < told().seq) {
      yield* sessions.taken(from.session)
      const piece = yield* pieceFor(from, at, told())
      if (piece === undefined || !isBehind(from)) return
      sessions.give(from.session, piece.lines)
      at = piece.upTo
    }
    arrive(from)
  })

  return {
    add: (from) => {
      behind.set(from.session, from)
      silent.add(from.session)
    },
    isBehind,
    isSilent: (session) => silent.has(session),
    unanswered: (session) => (silent.has(session) ? behind.get(session) : undefined),
    drop: (session, isAnswered = false) => {
      const asked = behind.get(session)
      behind.delete(session)
      silent.delete(session)
      // Nobody is left to be given the rest.
      if (asked !== undefined && !isAnswered) onGiven(asked)
    },
    begin: Effect.fnUntraced(function* (from, after) {
      const now = told()
      const start = startOf(now, after)
      const found = yield* readable(from) ?? Effect.undefined
      const first = start.from < now.seq ? yield* readPiece(from, start.from, now, found) : undefined
      const countBehind =
        found && ((place: Seq) => placesIn(partsOf(found.intervals, { after: place, before: now.seq + 1 })))
      const standing = standingOf(now, start, first?.first, countBehind)
      return {
        ...standing,
        follow: Effect.suspend(() => {
          if (!isBehind(from)) return Effect.void
          silent.delete(from.session)
          if (first !== undefined && standing.missed > 0) sessions.give(from.session, first.lines)
          return catchUp(from, first?.upTo ?? now.seq)
        })
      }
    })
  }
}
