/**
 * One conversation's fiber, the lobby's or a room's: the only owner of its members and of the order of its messages.
 *
 * It acts on its mailbox in order. A run of messages to publish is stored with one `History.append`, and only then
 * delivered (invariant 4): the members' outboxes, the log and the senders' `Sent`s take the order from that one array
 * (invariant 5). While it waits for the store, its mailbox collects the next run.
 *
 * How a slow room holds up nobody but its own senders (invariant 2): nobody waits for this fiber except the handler of
 * a connection that joins the lobby. A router hands a command over and goes on; replies go straight to the asker's
 * outbox; delivering never waits (invariant 1); who is in can be read from `roster` while the fiber is busy. And each
 * connection has a limited number of requests under way (see Session), so its backlog here is limited too.
 */
import { Array as Arr, Clock, Deferred, type Duration, Effect, Option, Queue, type Scope } from "effect"
import type { Seq } from "../common/Cursor.ts"
import type { ChatMessage } from "../common/ServerMessage.ts"
import type { UserName } from "../common/UserName.ts"
import { type Entry, History, type NewEntry, type StorageUnavailable, type Stored } from "./history/History.ts"
import * as Mailbox from "./Mailbox.ts"
import type { Asker, SessionId } from "./messages/Asker.ts"
import { RoomCommand, type RoomCommandOf } from "./messages/Commands.ts"
import type { SharedConversation } from "./messages/Conversation.ts"
import { makePresenceChanges, presenceWindow } from "./PresenceChanges.ts"
import * as Room from "./Room.ts"
import { ServerConfig } from "./ServerConfig.ts"
import { Sessions } from "./Sessions.ts"

/** What one run may hold, so that the frame it becomes stays small beside the limit of a member's outbox. */
const maxRunMessages = 1000
const maxRunCharacters = 256 * 1024

/** How many old messages a newcomer is sent at most. */
const maxReplay = 1000

/** How long after a failed commit the log is looked at again, if it could not be read at once either. */
const lookAgainInterval = "1 second"

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
  /**
   * Called when nobody is left in a conversation nothing was written to, with how many commands were handled so far of
   * those it was sent, and again after any more that leave it so.
   */
  readonly onVacated: (handled: number) => void
}

type Publish = RoomCommandOf<"Publish">
type Envelope = Mailbox.Envelope<RoomCommand, JoinAnswer>

/** Starts the manager of a conversation, for as long as the scope is open. */
export const make = Effect.fnUntraced(function* ({
  conversation,
  onVacated
}: RoomManagerOptions): Effect.fn.Return<RoomManager, never, History | Sessions | ServerConfig | Scope.Scope> {
  const history = yield* History
  const sessions = yield* Sessions
  const { presenceMax } = yield* ServerConfig
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const mailbox = yield* Mailbox.make<RoomCommand, JoinAnswer>()
  const presence = makePresenceChanges()

  let room = Room.make(conversation)
  /** The place of the newest entry that members were told of, or that was there when the first of them joined. */
  let told: Seq = 0
  let willLookAgain = false
  /**
   * What the last newcomer missed, while commands that came together are handled: after a restart or a broken network many
   * come back from the same place, and are sent the same bytes.
   */
  let lastReplay: { readonly from: Seq; readonly seq: Seq; readonly missed: ReadonlyArray<ChatMessage> } | undefined
  let handled = 0
  /** Somebody left, and then nobody was in and nothing written. */
  let isVacant = false

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
      sessions.deliver(Room.published(room, run, stored, yield* untold(stored)))
      told = Math.max(told, ...stored.map(({ seq }) => seq))
    },
    Effect.tapError(() => lookAgainLater("0 millis"))
  )

  /**
   * What the log holds between the last entry members were told of and the first of these. There is something only after
   * a commit that was taken for failed and had been carried out all the same: its senders were told to try again, and
   * its entries have their place.
   */
  const untold = Effect.fnUntraced(function* (stored: ReadonlyArray<Stored>) {
    const first = stored.find(({ repeated }) => !repeated)?.seq ?? Math.max(...stored.map(({ seq }) => seq)) + 1
    return first <= told + 1 ? [] : yield* readBetween(told, first)
  })

  const tellUpTo = Effect.fnUntraced(function* (seq: Seq) {
    if (seq <= told) return
    sessions.deliver(Room.published(room, [], [], yield* readBetween(told, seq + 1)))
    told = seq
  })

  const lookAgain = Effect.gen(function* () {
    willLookAgain = false
    const { seq } = yield* history.newest(conversation)
    if (!Room.isEmpty(room)) yield* tellUpTo(seq)
  }).pipe(Effect.catch(() => lookAgainLater(lookAgainInterval)))

  const lookAgainLater = (delay: Duration.Input) =>
    Effect.suspend(() => {
      if (willLookAgain) return Effect.void
      willLookAgain = true
      return remindLater({ _tag: "LookAgain" }, delay)
    })

  const readBetween = Effect.fnUntraced(function* (after: Seq, before: Seq) {
    const entries: Array<Entry> = []
    for (let more = true; more;) {
      const last = entries.at(-1)?.seq ?? after
      const page = yield* history.read(conversation, { after: last, before, limit: maxReplay })
      entries.push(...page.entries)
      more = page.more
    }
    return entries
  })

  /** What a newcomer missed: at most `maxReplay` entries, the newest. A cursor that fits no log counts as none. */
  const catchUp = Effect.fnUntraced(function* ({ after }: RoomCommandOf<"Join">) {
    const { epoch, seq } = yield* history.newest(conversation)
    if (after === undefined) return { epoch, seq, missed: [], truncated: false }
    if (after.epoch !== epoch || after.seq > seq) return { epoch, seq, missed: [], truncated: true }
    const from = Math.max(after.seq, seq - maxReplay)
    const missed = lastReplay?.from === from && lastReplay.seq === seq ? lastReplay.missed : yield* readMissed(from)
    lastReplay = { from, seq, missed }
    return { epoch, seq, missed, truncated: missed.length < seq - after.seq }
  })

  const readMissed = Effect.fnUntraced(function* (from: Seq) {
    const { entries } = yield* history.read(conversation, { after: from, before: undefined, limit: maxReplay })
    return entries.map(Room.toChatMessage(conversation))
  })

  const join = Effect.fnUntraced(function* (command: RoomCommandOf<"Join">) {
    const caughtUp = yield* catchUp(command)
    if (!Room.isEmpty(room)) yield* tellUpTo(caughtUp.seq)
    const [joined, deliveries] = Room.join(room, command.from, caughtUp)
    sessions.deliver(deliveries)
    room = joined
    told = caughtUp.seq
    yield* notePresence(command.from.session, command.from.user, "joined")
  })

  const leave = Effect.fnUntraced(function* (session: SessionId) {
    const left = Room.leave(room, session)
    if (Option.isSome(left)) {
      const [rest, user] = left.value
      room = rest
      yield* notePresence(session, user, "left")
    }
    isVacant = Room.isEmpty(room) && (yield* wasNeverWritten)
  })

  /** While the store does not say, a room stays. */
  const wasNeverWritten = history.newest(conversation).pipe(
    Effect.map(({ seq }) => seq === 0),
    Effect.orElseSucceed(() => false)
  )

  const readHistory = Effect.fnUntraced(function* ({ from, range }: RoomCommandOf<"ReadHistory">) {
    const { entries, more } = yield* history.read(conversation, range)
    sessions.reply(from, { _tag: "History", messages: entries.map(Room.toChatMessage(conversation)), more })
  })

  const notePresence = (session: SessionId, user: UserName, change: "joined" | "left") =>
    conversation._tag === "Room" && presence.note(session, user, change) ? announcePresenceSoon : Effect.void

  /** Hands itself a command after a while. */
  const remindLater = (command: RoomCommand, delay: Duration.Input) =>
    Effect.sleep(delay).pipe(
      Effect.andThen(Effect.sync(() => Mailbox.tellUnsafe(mailbox, command))),
      Effect.forkIn(scope),
      Effect.asVoid
    )

  const announcePresenceSoon = remindLater({ _tag: "AnnouncePresence" }, presenceWindow)

  const announcePresence = () => {
    const changes = presence.take()
    if (changes === undefined || conversation._tag !== "Room" || room.roster.length > presenceMax) return
    const { isNewsTo, joined, left } = changes
    const to = Room.sessions(room).filter(isNewsTo)
    sessions.deliver([
      { _tag: "Tell", to, messages: [{ _tag: "RoomPresence", room: conversation.room, joined, left }] }
    ])
  }

  const act = RoomCommand.match({
    Join: join,
    Leave: ({ from }) =>
      Effect.andThen(
        leave(from.session),
        Effect.sync(() => {
          if (conversation._tag === "Room") sessions.reply(from, { _tag: "RoomLeft", room: conversation.room })
        })
      ),
    Vanish: ({ session }) => leave(session),
    ListMembers: ({ after, from }) =>
      Effect.sync(() => {
        if (conversation._tag === "Room") {
          sessions.reply(from, { _tag: "RoomUsers", room: conversation.room, ...Room.usersOf(room, after) })
        }
      }),
    ReadHistory: readHistory,
    AnnouncePresence: () => Effect.sync(announcePresence),
    LookAgain: () => lookAgain,
    Publish: (command) => store([command])
  })

  /** A request that fails or dies is answered, and the manager lives on with the state it had (invariant 6). */
  const orRefuse = (commands: ReadonlyArray<RoomCommand>) => {
    const refuse = () => {
      for (const from of askersOf(commands)) sessions.refuse(from, { _tag: "StorageUnavailable" })
    }
    return (effect: Effect.Effect<void, StorageUnavailable>) =>
      effect.pipe(
        // Whoever keeps the log says what is wrong with it, once and not for every request.
        Effect.catch(() => Effect.sync(refuse)),
        Effect.catchDefect((defect) => {
          refuse()
          return Effect.logError("A conversation could not carry out a request", defect)
        })
      )
  }

  const actOn = Effect.fnUntraced(function* ({ answer, command }: Envelope) {
    const refusal = Room.refusal(room, command)
    if (Option.isNone(refusal)) yield* act(command).pipe(orRefuse([command]))
    else for (const from of askersOf([command])) sessions.refuse(from, refusal.value)
    if (answer !== undefined && command._tag === "Join") {
      yield* Deferred.succeed(answer, Room.isMember(room, command.from.session))
    }
  })

  const publish = (run: ReadonlyArray<Publish>) =>
    Arr.isReadonlyArrayNonEmpty(run) ? store(run).pipe(orRefuse(run)) : Effect.void

  const actOnAll = Effect.fnUntraced(function* (envelopes: ReadonlyArray<Envelope>) {
    let run: Array<Publish> = []
    let characters = 0
    for (const envelope of envelopes) {
      const { command } = envelope
      const isForRun = command._tag === "Publish" && Option.isNone(Room.refusal(room, command))
      if (!isForRun || run.length === maxRunMessages || characters > maxRunCharacters) {
        yield* publish(run)
        run = []
        characters = 0
      }
      // Its own reminders to itself are nothing that was sent.
      if (command._tag !== "AnnouncePresence" && command._tag !== "LookAgain") handled++
      if (isForRun) {
        run.push(command)
        characters += command.content.length
      } else yield* actOn(envelope)
    }
    yield* publish(run)
    lastReplay = undefined
    if (isVacant && Room.isEmpty(room)) onVacated(handled)
  })

  yield* Queue.takeAll(mailbox.queue).pipe(
    Effect.flatMap(actOnAll),
    Effect.andThen(gather),
    Effect.forever({ disableYield: true }),
    Effect.forkScoped
  )
  return { conversation, mailbox, roster: () => room.roster, isMember: (session) => Room.isMember(room, session) }
})

/**
 * After a delivery, which under load takes milliseconds, the messages that came in meanwhile are on their way through
 * the handler, the ServerProcessor and the RoomProcessor, each a turn of the event loop away. Letting those turns pass
 * makes them one run: at 2,000 messages/s to 500 members the median latency fell from 41 to 14 ms.
 */
const gather = Effect.repeat(Effect.yieldNow, { times: 3 })

const askersOf = (commands: ReadonlyArray<RoomCommand>): ReadonlyArray<Asker> =>
  commands.flatMap((command) => ("from" in command ? [command.from] : []))
