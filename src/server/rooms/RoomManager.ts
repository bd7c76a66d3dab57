/**
 * One conversation on this node, the lobby's or a room's: the delivering half, and the only owner of its members here.
 *
 * Two fibers, one owner. The first acts on the mailbox, in order, and waits for nothing: who comes, who goes, who asks. The
 * second hands what is to be done to the deciding half, run by run, and only when that is stored has it delivered (invariant
 * 4): the members' outboxes, the log and the senders' `Sent`s take the order from that one array (invariant 5). State changes
 * only between two waits, never across one.
 *
 * What is pure stands beside: who is in (Room), which acts make a run (Runs), what members have been told (Told), who hears it
 * (Hearers), where a newcomer goes on (CatchUp). Newcomers are given what they missed by Newcomers.
 *
 * Once the room is deleted (see Deletion) nobody is in, nothing is done, and nobody hears of its members.
 *
 * So a slow disk holds up the senders of the conversation it is slow for, and nobody else (invariant 2): replies go straight
 * to the asker's outbox, and delivering never waits (invariant 1). Each connection has a limited number of requests under way
 * (see Requests), so its backlog here is limited too.
 */
import { Array as Arr, Effect, Option, Queue, Schedule, type Scope } from "effect"
import type { SharedConversation } from "../../common/log/Conversation.ts"
import type { Epoch, Seq } from "../../common/log/Cursor.ts"
import type { UserName } from "../../common/name/UserName.ts"
import { ServerConfig } from "../config/ServerConfig.ts"
import { History } from "../history/History.ts"
import * as Mailbox from "../processor/Mailbox.ts"
import { Turns } from "../processor/Turns.ts"
import type { SessionId } from "../session/Asker.ts"
import { Sessions } from "../session/Sessions.ts"
import { makeAnnouncing } from "./Announcing.ts"
import { makeBesides } from "./Besides.ts"
import { makeComings } from "./Comings.ts"
import type { Deciding, DeliveringHalf } from "./Deciding.ts"
import { makeDeletion } from "./Deletion.ts"
import { makeEnrolment } from "./Enrolment.ts"
import { makeGoverning } from "./Governing.ts"
import { type Answer, type JoinAnswer, makeGreeting } from "./Greeting.ts"
import { makeHearers } from "./Hearers.ts"
import { makeHearing } from "./Hearing.ts"
import { LogReader } from "./LogReader.ts"
import { makeNewcomers, retryInterval } from "./Newcomers.ts"
import * as Room from "./Room.ts"
import { isForWhoIsHere, type RoomCommand } from "./RoomCommand.ts"
import { byDefault, type RoomManagerOptions } from "./RoomManagerOptions.ts"
import { makeRoomReplies } from "./RoomReplies.ts"
import { makeRuns, type Waiting } from "./Runs.ts"
import { makeStoring } from "./Storing.ts"
import { makeTelling } from "./Telling.ts"
import * as Told from "./Told.ts"
import { makeTyping } from "./Typing.ts"

export interface RoomManager {
  readonly conversation: SharedConversation
  readonly mailbox: Mailbox.Mailbox<RoomCommand, JoinAnswer>
  /** Changes how it is governed without an entry. */
  readonly govern: Deciding["govern"]
}

/** Starts the manager of a conversation, for as long as the scope is open. */
export const make = Effect.fnUntraced(function* ({
  blockedBy = byDefault.blockedBy,
  conversation,
  deciding,
  devices = byDefault.devices,
  guestOwner = () => undefined,
  intervals = byDefault.intervals,
  kept: keptMembers,
  onDeleted = () => {},
  onGoverned = () => {},
  onInvited = () => {},
  onMembers = () => {},
  onVacated,
  people = byDefault.people
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
  const scope = yield* Effect.scope
  const mailbox = yield* Mailbox.make<RoomCommand, JoinAnswer>()
  const self: DeliveringHalf = Symbol("delivering half")
  const announcing = makeAnnouncing(conversation)
  const telling = makeTelling(sessions)
  const hearers = makeHearers({ conversation, governance: deciding.governance, intervals })
  const { readable } = hearers
  const replies = makeRoomReplies({ conversation, readable, reader, room: () => room, sessions, turns })
  const runs = makeRuns<{ readonly command: RoomCommand; readonly answer: Answer }>()
  /** Something waits to be stored or told, or a failed commit to be looked at. */
  const called = yield* Queue.sliding<void>(1)

  let room = Room.make(conversation)
  let epoch: Epoch
  /** The place of the newest entry that members were told of, or that was there when the manager started. */
  let told: Seq = 0
  /** Something may have been stored that members were not told of. */
  let isDoubtful = false
  let handled = 0

  const { beside, holding, isIdle, later } = makeBesides({
    runs,
    scope,
    actOnPostponed: (waited) => actOnPostponed(waited),
    onDone: () => tellIfVacant()
  })

  const become = (next: Room.Room) => {
    room = next
    replies.forget()
  }

  const newcomers = makeNewcomers({
    conversation,
    reader,
    sessions,
    readable,
    told: () => ({ epoch, seq: told }),
    onCaughtUp: (session) => {
      room = Room.caughtUp(room, session)
    }
  })

  const governing = yield* makeGoverning({
    blockedBy,
    conversation,
    deciding,
    devices,
    guestOwner,
    onGoverned,
    onInvited,
    people,
    room: () => room,
    sessions,
    expel: (user, reason) => expel(user, reason)
  })

  const typing = yield* makeTyping({
    conversation,
    blockedBy,
    governance: deciding.governance,
    people,
    presenceMax,
    room: () => room,
    sessions
  })

  const greet = makeGreeting({
    about: governing.about,
    conversation,
    newcomers,
    room: () => room,
    sessions,
    turns,
    putOut: (session) => {
      leave(session)
      // Nothing else may come that would say so.
      tellIfVacant()
    }
  })

  const deletion = makeDeletion({
    conversation,
    deciding,
    newcomers,
    onDeleted,
    sessions,
    telling,
    actorOf: governing.actorOf,
    room: () => room,
    become: (next) => {
      reader.forget(conversation)
      become(next)
    },
    takeBack: (refuseOne) => {
      const waiting = runs.takeAllBack()
      for (const { from } of waiting) refuseOne(from)
      return actOnPostponed(runs.answered(waiting))
    },
    onDoubt: () => {
      isDoubtful = true
      call()
    }
  })

  const kept = keptMembers && deletion.keeping(keptMembers)

  const enrolment = makeEnrolment({
    kept,
    newcomers,
    sessions,
    telling,
    told: () => told,
    deciding,
    person: governing.person,
    onRefused: (session) => onMembers({ users: room.roster.length, session, isIn: Room.isMember(room, session) }),
    room: () => room,
    become,
    letIn: (command, answer) => join(command, answer),
    putOut: (session) => leave(session),
    beside,
    holding
  })

  /** Members are told of these entries, and of what stands before them in the log; then others are answered. */
  const tell = Effect.fnUntraced(function* (
    { entries, gap, seq }: Told.News,
    answers: ReturnType<typeof Room.answered> = []
  ) {
    const missed = gap === undefined ? [] : yield* reader.between(conversation, gap.after, gap.before)
    const all = [...missed, ...entries]
    if (all.some(({ body }) => body._tag === "Deleted")) reader.forget(conversation)
    const deliveries = [...hearers.told(room, all), ...answers]
    told = seq
    yield* telling.tell(deliveries)
    yield* governing.follow(all)
  })

  /** What it waits for is answered, and then it is out. */
  const expel = Effect.fnUntraced(function* (user: UserName, reason: string | undefined) {
    if (deletion.isDone()) return
    const member = people.find(user)
    const sent = runs.takeBack(Room.sessionsOf(room, user))
    if (conversation._tag === "Room") {
      for (const { from } of sent) sessions.refuse(from, { _tag: "NotInRoom", room: conversation.room })
    }
    enrolment.expel(user, reason)
    if (member !== undefined) yield* enrolment.forget({ account: member.id, user: member.user }) ?? Effect.void
    yield* actOnPostponed(runs.answered(sent))
  })

  const store = Effect.fnUntraced(
    function* (run: Arr.NonEmptyReadonlyArray<Waiting>) {
      const acts = Arr.map(run, governing.actOf)
      const { answers, entries } = yield* deciding.carryOut(acts, self)
      const places = answers.flatMap((answer) => (answer._tag === "Stored" ? [answer.seq] : []))
      yield* tell(Told.news(told, entries, places), Room.answered(run, answers))
    },
    Effect.tapError(() =>
      Effect.sync(() => {
        isDoubtful = true
      })
    )
  )

  const lookAgain = Effect.gen(function* () {
    const { epoch: now, seq } = yield* history.newest(conversation)
    isDoubtful = false
    if (now !== epoch) yield* deletion.found
    else if (seq > told) yield* tell(Told.news(told, [], [seq]))
  }).pipe(
    // Nobody may be in any more, and until now it could not be said that nothing was written.
    Effect.andThen(Effect.sync(() => tellIfVacant())),
    Effect.catch(() => {
      isDoubtful = true
      return later(Effect.sync(call), retryInterval)
    })
  )

  const hearing = yield* makeHearing({
    deciding,
    self,
    call: () => call(),
    doubt: () => {
      isDoubtful = true
    },
    tell: (entries) => tell(Told.news(told, entries))
  })

  const { join, leave } = makeComings({
    onJoined: hearers.joined,
    onLeft: hearers.left,
    announcing,
    deletion,
    greet,
    newcomers,
    onMembers,
    scope,
    room: () => room,
    become,
    onNews: () => Mailbox.tellUnsafe(mailbox, { _tag: "Announce" })
  })

  /** Thousands are told in turns; nobody leaves the lobby and stays. */
  const announce = Effect.suspend(() => {
    const deliveries = announcing.announce(room, presenceMax, (session) => !newcomers.isSilent(session))
    if (announcing.isDue()) Mailbox.tellUnsafe(mailbox, { _tag: "Announce" })
    if (conversation._tag === "Lobby") return sessions.deliverInTurns(deliveries)
    return Effect.sync(() => sessions.deliver(deliveries))
  })
  const call = () => Queue.offerUnsafe(called, undefined)

  const act = (command: RoomCommand, answer: Answer): Mailbox.Handled => {
    // Its own reminders to itself are nothing that was sent.
    if (command._tag !== "Announce") handled++
    if (deletion.isDone()) return deletion.refuse(command, answer)
    // It may have gone while this waited for a message of its own to be stored; its Gone waits behind.
    if (isForWhoIsHere(command) && !sessions.isHere(command.from.session)) return answer(Option.none())
    const refusal = Room.refusal(room, command)
    const isExempt =
      governing.isFromOutside(command) || (command._tag === "Leave" && enrolment.isDoubtful(command.from))
    if (Option.isSome(refusal) && !isExempt) {
      if ("from" in command) sessions.refuse(command.from, refusal.value)
      return answer(Option.none())
    }
    switch (command._tag) {
      case "Join":
        return enrolment.join(command, answer)
      case "Leave":
        return enrolment.leave(command)
      case "Gone":
        return leave(command.session)
      case "Own":
        return enrolment.own(command)
      case "Dismiss":
        return enrolment.dismiss(command)
      case "Delete":
        return holding(command.from.session, deletion.carryOut(command))
      case "Typing":
        return typing(command.from)
      case "Describe":
        return beside(governing.describe(command))
      case "ListMembers":
        return beside(replies.members(command))
      case "ReadHistory":
        return beside(replies.history(command, told, deletion))
      case "RoomMade":
        if (announcing.noteRoom(command)) Mailbox.tellUnsafe(mailbox, { _tag: "Announce" })
        return
      case "Announce":
        return later(announce, announcing.pause())
      case "Act":
        runs.add(command)
        call()
    }
  }

  const refuse = (command: RoomCommand, answer: Answer) => {
    if ("from" in command) sessions.refuse(command.from, { _tag: "StorageUnavailable" })
    answer(Option.none())
  }

  const tellIfVacant = () => {
    // What failed may have been stored, and whoever came after this manager would not look for it.
    const isQuiet = runs.isIdle() && isIdle() && !isDoubtful
    // Again after every command, for one that came between may have kept it from being ended.
    if (isQuiet && Room.isEmpty(room)) onVacated(handled)
  }

  const acting = Mailbox.process(mailbox, {
    handle: (command, answer) =>
      telling.afterwards(() => {
        if (!runs.postpone(command, { command, answer })) return act(command, answer)
      }),
    refuse,
    afterwards: tellIfVacant
  })

  /** What waited for a run to be answered, or for a membership to be stored. */
  const actOnPostponed = Effect.fnUntraced(function* (waited: ReadonlyArray<SessionId>) {
    for (const session of waited) {
      for (let next = runs.nextPostponed(session); next; next = runs.nextPostponed(session)) {
        yield* Mailbox.carryOut(next.command, next.answer, { handle: act, refuse }) ?? Effect.void
      }
    }
    tellIfVacant()
  })

  const lookAround = Effect.andThen(
    hearing.hear,
    Effect.suspend(() => (isDoubtful ? lookAgain : Effect.void))
  )
  const storing = makeStoring({ actOnPostponed, called, lookAround, runs, sessions, store })

  // Which log it is is known before anything is done; that waits only where the database has lost an answer.
  const begin = Effect.all([history.newest(conversation), kept?.all ?? Effect.succeed([])]).pipe(
    Effect.retry(Schedule.spaced(retryInterval)),
    Effect.map(([newest, members]) => {
      epoch = newest.epoch
      told = newest.seq
      hearers.begin()
      room = Room.make(conversation, members)
    }),
    Effect.orDie
  )

  yield* begin.pipe(
    Effect.andThen(
      Effect.all([acting, storing, hearing.listen], {
        concurrency: "unbounded",
        discard: true
      })
    ),
    Effect.forkScoped
  )
  return { conversation, mailbox, govern: deciding.govern }
})
