/**
 * Which accounts are members of a room: what changes that is stored before it is answered, and one after the other for each
 * account, whichever of its connections ask. The room's manager is its only owner; this is the part of it that waits.
 *
 * While something is stored for a connection, what else it asks of this room waits behind; nobody else waits. Who leaves on
 * one connection is out on all of them. What another of them has said by then is still stored, and answered. If it cannot be
 * told whether a leaving was stored, who joins is stored as a member again.
 */
import { Effect, Option, Schedule } from "effect"
import type { Seq } from "../../common/log/Cursor.ts"
import type { Member } from "../accounts/Memberships.ts"
import type { StorageUnavailable } from "../history/History.ts"
import type { Handled } from "../processor/Mailbox.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import type { Sessions } from "../session/Sessions.ts"
import type { Answer } from "./Greeting.ts"
import * as Lanes from "./Lanes.ts"
import { type Newcomers, retryInterval } from "./Newcomers.ts"
import * as Room from "./Room.ts"
import type { RoomCommandOf } from "./RoomCommand.ts"
import type { Telling } from "./Telling.ts"

/** Where a room's members are kept. The lobby has none: in it is who is connected. */
export interface KeptMembers {
  /** In the order of their names. */
  readonly all: Effect.Effect<ReadonlyArray<Member>, StorageUnavailable>
  /** Who is a member for the first time has read everything up to `newest`. */
  readonly join: (member: Member, newest: Seq) => Effect.Effect<unknown, StorageUnavailable>
  readonly leave: (account: AccountId) => Effect.Effect<void, StorageUnavailable>
  /** Called when it was stored, or could not be; `members`: how many are. */
  readonly onChanged: (changed: Membership) => void
}

interface Membership {
  readonly account: AccountId
  readonly isMember: boolean
  readonly members: number
}

interface Services {
  readonly kept: KeptMembers | undefined
  readonly newcomers: Newcomers
  readonly sessions: Sessions["Service"]
  readonly telling: Telling
  readonly told: () => Seq
  readonly room: () => Room.Room
  readonly become: (room: Room.Room) => void
  /** Lets a connection in. */
  readonly letIn: (command: RoomCommandOf<"Join">, answer: Answer) => Effect.Effect<void>
  /** Takes a connection out. */
  readonly putOut: (session: SessionId) => void
  /** Goes on without waiting for it, but nobody takes the room for vacant meanwhile. */
  readonly beside: (act: Effect.Effect<void>) => Effect.Effect<void>
  /** The same; what else this connection asks waits for it. */
  readonly holding: (session: SessionId, act: Effect.Effect<void>) => Effect.Effect<void>
}

export const makeEnrolment = (services: Services) => {
  const { become, beside, holding, kept, letIn, newcomers, putOut, room, sessions, telling, told } = services
  const lanes = Lanes.make<AccountId>()
  /** Those whose leaving could not be stored, or was and nobody was told: members here, and perhaps nowhere else. */
  const doubtful = new Set<AccountId>()
  const isKept = (member: Member) => Room.isEnrolled(room(), member) && !doubtful.has(member.account)

  const tellChanged = (member: Member) =>
    kept?.onChanged({
      account: member.account,
      isMember: Room.isEnrolled(room(), member),
      members: Room.countEnrolled(room())
    })

  /** Carried out when all that was to be changed for this account before has been; `refuse` answers if it cannot be stored. */
  const inLane = (member: Member, change: Effect.Effect<void, StorageUnavailable>, refuse: () => void) =>
    lanes.take(
      member.account,
      change.pipe(
        Effect.catch(() => Effect.sync(refuse)),
        Effect.catchDefect((defect) => {
          refuse()
          return Effect.logError("A membership could not be changed", defect)
        }),
        Effect.andThen(Effect.sync(() => tellChanged(member)))
      )
    )

  const enrol = Effect.fnUntraced(function* (keptIn: KeptMembers, member: Member) {
    if (isKept(member)) return
    yield* keptIn.join(member, told())
    doubtful.delete(member.account)
    become(Room.enrol(room(), member))
  })

  /** Its membership is over: all its connections are out, and those that did not ask for it are told. */
  const end = (member: Member, asker: SessionId | undefined) => {
    const before = room()
    doubtful.delete(member.account)
    become(Room.dismiss(before, member))
    const others = Room.sessionsOf(before, member.user).filter((session) => session !== asker)
    const left = others.filter((session) => !refuseNewcomer(session))
    if (asker !== undefined) putOut(asker)
    for (const session of others) putOut(session)
    const { conversation } = before
    if (conversation._tag === "Lobby" || left.length === 0) return
    sessions.deliver([{ _tag: "Tell", to: left, messages: [{ _tag: "RoomLeft", room: conversation.room }] }])
  }

  /** Whether its Join has not been answered yet: it is not in, and answered so. */
  const refuseNewcomer = (session: SessionId): boolean => {
    const asked = newcomers.unanswered(session)
    const { conversation } = room()
    if (asked === undefined || conversation._tag === "Lobby") return false
    newcomers.drop(session, true)
    sessions.refuse(asked, { _tag: "NotInRoom", room: conversation.room })
    return true
  }

  const sayLeft = (from: Asker) => {
    const { conversation } = room()
    if (conversation._tag === "Room") sessions.reply(from, { _tag: "RoomLeft", room: conversation.room })
  }

  const afterwards = (act: () => Handled) => Effect.suspend(() => telling.afterwards(act) ?? Effect.void)

  return {
    join: (command: RoomCommandOf<"Join">, answer: Answer): Handled => {
      const { from } = command
      const member = memberOf(from)
      if (kept === undefined || member === undefined) return letIn(command, answer)
      if (isKept(member) && lanes.isFree(member.account)) return letIn(command, answer)
      const refuse = () => {
        sessions.refuse(from, { _tag: "StorageUnavailable" })
        answer(Option.none())
      }
      const coming = Effect.gen(function* () {
        // It may have gone while this waited; its Gone waits behind.
        if (!sessions.isHere(from.session)) return answer(Option.none())
        yield* enrol(kept, member)
        yield* afterwards(() => letIn(command, answer))
      })
      return holding(from.session, inLane(member, coming, refuse))
    },

    leave: (command: RoomCommandOf<"Leave">): Handled => {
      const { from } = command
      const member = memberOf(from)
      if (kept === undefined || member === undefined) {
        putOut(from.session)
        return sayLeft(from)
      }
      const leaving = Effect.gen(function* () {
        // Another connection may have been faster.
        const refusal = Room.refusal(room(), command)
        if (Option.isSome(refusal)) return sessions.refuse(from, refusal.value)
        doubtful.add(member.account)
        yield* kept.leave(member.account)
        yield* afterwards(() => {
          end(member, from.session)
          sayLeft(from)
        })
      })
      return holding(
        from.session,
        inLane(member, leaving, () => sessions.refuse(from, { _tag: "StorageUnavailable" }))
      )
    },

    /** A guest who is in has become an account. Tried until it is stored, or the connection is gone. */
    own: ({ account, session, user }: RoomCommandOf<"Own">): Handled => {
      const member = { account, user }
      if (kept === undefined || !Room.isMember(room(), session)) return
      const owning = enrol(kept, member).pipe(
        Effect.retry({ schedule: Schedule.spaced(retryInterval), while: () => sessions.isHere(session) })
      )
      return holding(
        session,
        inLane(member, owning, () => {})
      )
    },

    /** An account is gone, and with it what was kept of it. */
    dismiss: ({ account, user }: RoomCommandOf<"Dismiss">): Handled => {
      const member = { account, user }
      if (!Room.isEnrolled(room(), member) && lanes.isFree(account)) return
      const ending = afterwards(() => {
        if (Room.isEnrolled(room(), member)) end(member, undefined)
      })
      return beside(inLane(member, ending, () => {}))
    }
  }
}

const memberOf = ({ account, user }: Asker): Member | undefined =>
  account === undefined ? undefined : { account, user }
