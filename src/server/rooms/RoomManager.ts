/**
 * One conversation, the lobby's or a room's: the only owner of its members and of the order of its messages.
 *
 * Two fibers, one owner. The first acts on the mailbox, in order, and waits for nothing: who comes, who goes, who asks. The
 * second stores what is to be said, a run with one `History.append`, and only then has it delivered (invariant 4): the
 * members' outboxes, the log and the senders' `Sent`s take the order from that one array (invariant 5). State changes only
 * between two waits, never across one.
 *
 * Whoever is given old messages has a fiber meanwhile (`catchUp`) and hears nothing else of the conversation: it is given the
 * log, a piece whenever its peer has taken the last, however slowly that reads, until it stands where everybody stands.
 *
 * So a slow disk holds up the senders of the conversation it is slow for, and nobody else (invariant 2): replies go straight
 * to the asker's outbox, delivering never waits (invariant 1), and who is in can be read from `roster` at any time. Each
 * connection has a limited number of requests under way (see Session), so its backlog here is limited too.
 */
import { Array as Arr, Clock, type Duration, Effect, Option, Queue, Schedule, type Scope } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import type { Cursor, Epoch, Seq } from "../../common/log/Cursor.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { ServerConfig } from "../config/ServerConfig.ts"
import { History, type NewEntry, type Stored } from "../history/History.ts"
import * as Mailbox from "../processor/Mailbox.ts"
import { Turns } from "../processor/Turns.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import type { Delivery } from "../session/Delivery.ts"
import { Sessions } from "../session/Sessions.ts"
import { LogReader, type Piece } from "./LogReader.ts"
import { makePublishing, type Publish } from "./Publishing.ts"
import * as Room from "./Room.ts"
import { RoomCommand, type RoomCommandOf } from "./RoomCommand.ts"
import { makeRoomPresence } from "./RoomPresence.ts"
import { makeRoomReplies } from "./RoomReplies.ts"
import { gather, makeTelling } from "./Telling.ts"

/** How many old messages a newcomer is sent at most. */
const maxReplay = 1000

/** How long after a log could not be read it is tried again. */
const retryInterval = "1 second"

/** Answers a Join: whether the asker is a member now. */
export type JoinAnswer = boolean

export interface RoomManager {
  readonly conversation: SharedConversation
  readonly mailbox: Mailbox.Mailbox<RoomCommand, JoinAnswer>
  /** Who is in, as of the last command handled. */
  readonly roster: () => ReadonlyArray<UserName>
  /** Whether a connection is in, as of the last command handled. */
  readonly isMember: (session: SessionId) => boolean
}

export interface RoomManagerOptions {
  readonly conversation: SharedConversation
  /** Called when nobody is in, with how many commands were handled so far of those it was sent. */
  readonly onVacated: (handled: number) => void
  /** Called when the roster has changed. */
  readonly onRoster?: () => void
}

/** Where a newcomer with a cursor goes on: behind `from`, for `asked` may be too far back. */
interface Start {
  readonly from: Seq
  readonly asked: Seq
  readonly fits: boolean
}

type Answer = (answer: JoinAnswer) => void
type Join = RoomCommandOf<"Join">

/** Starts the manager of a conversation, for as long as the scope is open. */
export const make = Effect.fnUntraced(function* ({
  conversation,
  onRoster = () => {},
  onVacated
}: RoomManagerOptions): Effect.fn.Return<
  RoomManager,
  never,
  History | LogReader | Sessions | ServerConfig | Turns | Scope.Scope
> {
  const history = yield* History
  const reader = yield* LogReader
  const sessions = yield* Sessions
  const turns = yield* Turns
  const { presenceMax } = yield* ServerConfig
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const mailbox = yield* Mailbox.make<RoomCommand, JoinAnswer>()
  const presence = makeRoomPresence()
  const telling = makeTelling(sessions)
  const replies = makeRoomReplies({ conversation, reader, sessions, turns })
  const publishing = makePublishing<{ readonly command: RoomCommand; readonly answer: Answer }>()
  /** Something waits to be stored, or a failed commit to be looked at. */
  const called = yield* Queue.sliding<void>(1)

  let room = Room.make(conversation)
  let epoch: Epoch
  /** The place of the newest entry that members were told of, or that was there when the manager started. */
  let told: Seq = 0
  /** A commit failed, and may have been carried out all the same. */
  let isDoubtful = false
  /** Who is given old messages, and what asked for them. */
  const behind = new Map<SessionId, Asker>()
  /** Members whose names are those of later connections. */
  const superseded = new Set<SessionId>()
  let handled = 0
  let mayBeVacant = false

  const store = Effect.fnUntraced(
    function* (run: Arr.NonEmptyReadonlyArray<Publish>) {
      const at = clock.currentTimeMillisUnsafe()
      const entries = Arr.map(run, ({ content, from, key }): NewEntry => ({
        conversation,
        from: from.user,
        content,
        at,
        key
      }))
      const stored = yield* history.append(entries)
      const missed = yield* untold(stored)
      yield* tell(Room.published(room, run, stored, missed), Math.max(told, ...stored.map(({ seq }) => seq)))
    },
    Effect.tapError(() =>
      Effect.sync(() => {
        isDoubtful = true
      })
    )
  )

  /** Members are told of what is new, up to `seq`. */
  const tell = (deliveries: ReadonlyArray<Delivery>, seq: Seq) => {
    told = seq
    return telling.tell(deliveries)
  }

  /**
   * What the log holds between the last entry members were told of and the first of these. There is something only after
   * a commit that was taken for failed and had been carried out all the same: its senders were told to try again, and
   * its entries have their place.
   */
  const untold = Effect.fnUntraced(function* (stored: ReadonlyArray<Stored>) {
    const first = stored.find(({ repeated }) => !repeated)?.seq ?? Math.max(...stored.map(({ seq }) => seq)) + 1
    return first <= told + 1 ? [] : yield* reader.between(conversation, told, first)
  })

  const lookAgain = Effect.gen(function* () {
    const { seq } = yield* history.newest(conversation)
    isDoubtful = false
    if (seq <= told) return
    const entries = yield* reader.between(conversation, told, seq + 1)
    yield* tell(Room.published(room, [], [], entries), seq)
  }).pipe(
    // Nobody may be in any more, and until now it could not be said that nothing was written.
    Effect.andThen(Effect.sync(() => tellIfVacant())),
    Effect.catch(() => {
      isDoubtful = true
      return later(Effect.sync(call), retryInterval)
    })
  )

  /** Where a newcomer with this cursor goes on. One that fits no log counts as none. */
  const startOf = (after: Cursor | undefined): Start => {
    if (after === undefined) return { from: told, asked: told, fits: true }
    if (after.epoch !== epoch || after.seq > told) return { from: told, asked: told, fits: false }
    return { from: Math.max(after.seq, told - maxReplay), asked: after.seq, fits: true }
  }

  const join = ({ after, from }: Join, answer: Answer): Effect.Effect<void> =>
    Effect.suspend(() => {
      for (const earlier of Room.namesakes(room, from)) superseded.add(earlier)
      room = Room.join(room, from)
      mayBeVacant = false
      behind.set(from.session, from)
      onRoster()
      notePresence(from.session, from.user, "joined")
      // A login waits for no turn, unless something was missed.
      const start = startOf(after)
      if (conversation._tag === "Lobby" && start.from === told) {
        greet(from, start, undefined, told)
        answer(true)
        arrive(from)
        return Effect.void
      }
      return Effect.forkIn(newcomer({ after, from }, answer), scope, { startImmediately: true }).pipe(Effect.asVoid)
    })

  /** A member, who was not until now, is told where it stands, given what it missed, and then hears what is said. */
  const newcomer = ({ after, from }: Pick<Join, "after" | "from">, answer: Answer) =>
    Effect.gen(function* () {
      const seq = told
      const start = startOf(after)
      // Read before anything is said: what cannot be had is refused.
      const first = start.from < seq ? yield* reader.piece({ conversation, epoch }, start.from, seq) : undefined
      const isIn = yield* turns.memory.take(
        "newcomers",
        Effect.sync(() => {
          if (behind.get(from.session) !== from) return false
          greet(from, start, first, seq)
          return true
        })
      )
      answer(isIn)
      if (isIn) yield* catchUp(from, first?.upTo ?? seq)
    }).pipe(
      Effect.catch(() => Effect.sync(() => turnAway(from, answer))),
      Effect.catchDefect((defect) => {
        turnAway(from, answer)
        return Effect.logError("A newcomer could not be let in", defect)
      })
    )

  const greet = (from: Asker, { asked, fits }: Start, first: Piece | undefined, seq: Seq) => {
    const missed = first === undefined ? 0 : Math.max(0, seq - first.first + 1)
    const truncated = !fits || missed < seq - asked
    const message = Room.greeting(room, from, { epoch, seq, missed, truncated })
    sessions.deliver([{ _tag: "Begin", to: from, message }])
    if (first !== undefined && missed > 0) sessions.give(from.session, first.lines)
  }

  const catchUp = Effect.fnUntraced(function* (from: Asker, position: Seq) {
    const { session } = from
    let at = position
    while (behind.get(session) === from && at < told) {
      yield* sessions.taken(session)
      if (behind.get(session) !== from) return
      const read = Effect.suspend(() =>
        // It may have gone while it waited for the next attempt.
        behind.get(session) === from ? reader.piece({ conversation, epoch }, at, told) : Effect.undefined
      )
      const piece = yield* Effect.retry(read, Schedule.spaced(retryInterval))
      if (piece === undefined || behind.get(session) !== from) return
      sessions.give(session, piece.lines)
      at = piece.upTo
    }
    arrive(from)
  })

  /** Has all there is, and from now on hears what is said. */
  const arrive = (from: Asker) => {
    if (behind.get(from.session) !== from) return
    behind.delete(from.session)
    room = Room.caughtUp(room, from.session)
    sessions.deliver([{ _tag: "Given", to: from }])
  }

  const turnAway = (from: Asker, answer: Answer) => {
    if (behind.get(from.session) === from) {
      behind.delete(from.session)
      removeMember(from.session)
      sessions.refuse(from, { _tag: "StorageUnavailable" })
    }
    answer(false)
  }

  const removeMember = (session: SessionId) => {
    const keepsName = superseded.delete(session)
    const left = Room.leave(room, session, keepsName)
    if (Option.isSome(left)) {
      const [rest, user] = left.value
      room = rest
      if (!keepsName) {
        onRoster()
        notePresence(session, user, "left")
      }
    }
    mayBeVacant = true
  }

  const leave = (session: SessionId) => {
    const asked = behind.get(session)
    behind.delete(session)
    // Nobody is left to be given the rest.
    if (asked !== undefined) sessions.deliver([{ _tag: "Given", to: asked }])
    removeMember(session)
  }

  /** Goes on without waiting for it. */
  const beside = (effect: Effect.Effect<void>) =>
    Effect.asVoid(Effect.forkIn(effect, scope, { startImmediately: true }))

  const later = (effect: Effect.Effect<void>, delay: Duration.Input) => beside(Effect.delay(effect, delay))

  const notePresence = (session: SessionId, user: UserName, change: "joined" | "left") => {
    if (presence.note(session, user, change)) Mailbox.tellUnsafe(mailbox, { _tag: "AnnouncePresence" })
  }

  const announcePresence = Effect.sync(() => sessions.deliver(presence.announce(room, presenceMax)))
  const call = () => Queue.offerUnsafe(called, undefined)

  const act = (command: RoomCommand, answer: Answer): Mailbox.Handled => {
    // Its own reminders to itself are nothing that was sent.
    if (command._tag !== "AnnouncePresence") handled++
    // It may have gone while this waited for a message of its own to be stored; its Vanish waits behind.
    if (isForWhoIsHere(command) && !sessions.isHere(command.from.session)) return answer(false)
    const refusal = Room.refusal(room, command)
    if (Option.isSome(refusal)) {
      if ("from" in command) sessions.refuse(command.from, refusal.value)
      return answer(false)
    }
    switch (command._tag) {
      case "Join":
        return join(command, answer)
      case "Leave":
        leave(command.from.session)
        if (conversation._tag === "Room") sessions.reply(command.from, { _tag: "RoomLeft", room: conversation.room })
        return
      case "Gone":
        return leave(command.session)
      case "ListMembers":
        return beside(replies.members(command, () => room))
      case "ReadHistory":
        return beside(replies.history(command, told))
      case "AnnouncePresence":
        return later(announcePresence, presence.pause())
      case "CheckVacancy":
        mayBeVacant = true
        return
      case "Publish":
        publishing.add(command)
        call()
    }
  }

  const refuse = (command: RoomCommand, answer: Answer) => {
    if ("from" in command) sessions.refuse(command.from, { _tag: "StorageUnavailable" })
    answer(false)
  }

  const tellIfVacant = () => {
    // Again after every command, for one that came between may have kept the room from being closed.
    if (mayBeVacant && publishing.isIdle() && Room.isEmpty(room)) onVacated(handled)
  }

  const acting = Mailbox.process(mailbox, {
    handle: (command, answer) =>
      telling.afterwards(() => {
        if (!publishing.postpone(command, { command, answer })) return act(command, answer)
      }),
    refuse,
    afterwards: tellIfVacant
  })

  /** What waited for a run to be answered. */
  const actOnPostponed = Effect.fnUntraced(function* (run: ReadonlyArray<Publish>) {
    for (const session of publishing.answered(run)) {
      for (let next = publishing.nextPostponed(session); next; next = publishing.nextPostponed(session)) {
        yield* Mailbox.carryOut(next.command, next.answer, { handle: act, refuse }) ?? Effect.void
      }
    }
    tellIfVacant()
  })

  /** A run that fails or dies is answered, and the next one is stored (invariant 6). */
  const publish = (run: Arr.NonEmptyReadonlyArray<Publish>) => {
    const refuseAll = () => {
      for (const { from } of run) sessions.refuse(from, { _tag: "StorageUnavailable" })
    }
    return store(run).pipe(
      // Whoever keeps the log says what is wrong with it, once and not for every request.
      Effect.catch(() => Effect.sync(refuseAll)),
      Effect.catchDefect((defect) => {
        refuseAll()
        return Effect.logError("A conversation could not carry out a request", defect)
      }),
      Effect.andThen(actOnPostponed(run))
    )
  }

  const storing = Effect.gen(function* () {
    yield* Queue.take(called)
    if (isDoubtful) yield* lookAgain
    for (let run = publishing.nextRun(); Arr.isReadonlyArrayNonEmpty(run); run = publishing.nextRun()) {
      yield* publish(run)
      if (isDoubtful) yield* lookAgain
      yield* gather
    }
  })

  // Which log it is is known before anything is done; that waits only where the database has lost an answer.
  const begin = history.newest(conversation).pipe(
    Effect.retry(Schedule.spaced(retryInterval)),
    Effect.map((newest) => {
      epoch = newest.epoch
      told = newest.seq
    }),
    Effect.orDie
  )

  yield* begin.pipe(
    Effect.andThen(
      Effect.all([acting, Effect.forever(storing, { disableYield: true })], { concurrency: "unbounded", discard: true })
    ),
    Effect.forkScoped
  )
  return { conversation, mailbox, roster: () => room.roster, isMember: (session) => Room.isMember(room, session) }
})

/** Nothing is begun or read for who is gone. A Leave is carried out: behind it comes no Vanish. */
const isForWhoIsHere = RoomCommand.isAnyOf(["Join", "ListMembers", "ReadHistory"])
