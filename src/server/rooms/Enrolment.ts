/**
 * Which accounts are members of a room: what changes that is stored before it is answered, and one after the other for each
 * account, whichever of its connections ask. The room's manager is its only owner; this is the part of it that waits.
 *
 * While something is stored for a connection, what else it asks of this room waits behind; nobody else waits. Who leaves on
 * one connection is out on all of them. What another of them has said by then is still stored, and answered.
 *
 * What could not be stored may have been all the same. Of such an account it is not known whether it is a member until something
 * is stored for it: what it asks next is stored whatever is known (`isDoubtful`). As many as are members or have asked to be,
 * and no more than there were failures.
 */
import { Effect, HashMap, Option, Result, Schedule } from "effect"
import type { Seq } from "../../common/log/Cursor.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { UserName } from "../../common/name/UserName.ts"
import type { Rejection } from "../../common/wire/Rejection.ts"
import type { Member } from "../accounts/Memberships.ts"
import { joined, type Person } from "../governance/Governance.ts"
import type { StorageUnavailable } from "../history/History.ts"
import type { Handled } from "../processor/Mailbox.ts"
import type { AccountId } from "../session/AccountId.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import type { Sessions } from "../session/Sessions.ts"
import type { Deciding } from "./Deciding.ts"
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
  readonly deciding: Pick<Deciding, "admit" | "govern" | "whyNotEnter">
  /** As whom somebody is known to those who govern, and whether it comes into a private room uninvited. */
  readonly person: (from: Asker) => { readonly person: Person; readonly isKnown: boolean }
  readonly room: () => Room.Room
  readonly become: (room: Room.Room) => void
  /** Lets a connection in. */
  readonly letIn: (command: RoomCommandOf<"Join">, answer: Answer) => Effect.Effect<void>
  /** A connection may not come in. */
  readonly onRefused: (session: SessionId) => void
  /** Takes a connection out. */
  readonly putOut: (session: SessionId) => void
  /** Goes on without waiting for it, but nobody takes the room for vacant meanwhile. */
  readonly beside: (act: Effect.Effect<void>) => Effect.Effect<void>
  /** The same; what else this connection asks waits for it. */
  readonly holding: (session: SessionId, act: Effect.Effect<void>) => Effect.Effect<void>
}

export const makeEnrolment = (services: Services) => {
  const {
    become,
    beside,
    deciding,
    holding,
    kept,
    letIn,
    newcomers,
    onRefused,
    person,
    putOut,
    room,
    sessions,
    telling,
    told
  } = services
  const lanes = Lanes.make<AccountId>()
  const doubtful = new Set<AccountId>()

  const tellChanged = (member: Member) =>
    kept?.onChanged({
      account: member.account,
      isMember: Room.isEnrolled(room(), member),
      // Whoever looks at the room next has to look at what is stored.
      members: Room.countEnrolled(room()) + doubtful.size
    })

  /** Whether this account is a member from then on, or is not, is known only if it could be stored. */
  const storing = <A, E>({ account }: Member, stored: Effect.Effect<A, E>) =>
    stored.pipe(
      Effect.onError(() => Effect.sync(() => void doubtful.add(account))),
      Effect.tap(() => Effect.sync(() => void doubtful.delete(account)))
    )

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
    if (Room.isEnrolled(room(), member) && !doubtful.has(member.account)) return
    yield* storing(member, keptIn.join(member, told()))
    become(Room.enrol(room(), member))
  })

  /** The same, if it may come in: whoever is put out meanwhile is out. */
  const admit = Effect.fnUntraced(function* (keptIn: KeptMembers, member: Member, from: Asker) {
    const { isKnown, person: who } = person(from)
    const admitted = yield* deciding.admit(who, isKnown, enrol(keptIn, member))
    if (Result.isSuccess(admitted)) yield* deciding.govern((governance) => joined(governance, who))
    return admitted
  })

  const whyNot = (from: Asker) => {
    const { isKnown, person: who } = person(from)
    return deciding.whyNotEnter(who, isKnown)
  }

  /** Its membership is over: all its connections are out, and those that did not ask for it are told. */
  const end = (member: Member, asker: SessionId | undefined) => {
    become(Room.dismiss(room(), member))
    const others = Room.sessionsOf(room(), member.user).filter((session) => session !== asker)
    if (asker !== undefined) putOut(asker)
    putAllOut(others)
  }

  /** They are told so, why if there is something to say. */
  const putAllOut = (all: ReadonlyArray<SessionId>, reason?: string) => {
    const left = all.filter((session) => !refuseNewcomer(session))
    for (const session of all) putOut(session)
    const { conversation } = room()
    if (conversation._tag === "Lobby" || left.length === 0) return
    const message = { _tag: "RoomLeft" as const, room: conversation.room, ...(reason !== undefined && { reason }) }
    sessions.deliver([{ _tag: "Tell", to: left, messages: [message] }])
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

  /** The lobby keeps no members. */
  const notIn = (): Rejection => {
    const { conversation } = room()
    return conversation._tag === "Room"
      ? { _tag: "NotInRoom", room: conversation.room }
      : { _tag: "StorageUnavailable" }
  }

  const sayLeft = (from: Asker) => {
    const { conversation } = room()
    if (conversation._tag === "Room") sessions.reply(from, { _tag: "RoomLeft", room: conversation.room })
  }

  const afterwards = (act: () => Handled) => Effect.suspend(() => telling.afterwards(act) ?? Effect.void)

  const isDoubtful = ({ account }: Pick<Asker, "account">) => account !== undefined && doubtful.has(account)

  return {
    /** Whether it may be a member, or not be one, whatever is known. */
    isDoubtful,

    join: (command: RoomCommandOf<"Join">, answer: Answer): Handled => {
      const { from } = command
      const member = memberOf(from)
      const refusal = whyNot(from)
      if (Option.isSome(refusal)) {
        onRefused(from.session)
        if (member !== undefined) tellChanged(member)
        sessions.refuse(from, refusal.value)
        return answer(Option.none())
      }
      if (kept === undefined || member === undefined) return letIn(command, answer)
      const isKnown = lanes.isFree(member.account) && !doubtful.has(member.account)
      if (Room.isEnrolled(room(), member) && isKnown) return letIn(command, answer)
      const refuse = () => {
        sessions.refuse(from, { _tag: "StorageUnavailable" })
        answer(Option.none())
      }
      const coming = Effect.gen(function* () {
        // It may have gone while this waited; its Gone waits behind.
        if (!sessions.isHere(from.session)) return answer(Option.none())
        const admitted = yield* admit(kept, member, from)
        if (Result.isFailure(admitted)) {
          onRefused(from.session)
          sessions.refuse(from, admitted.failure)
          return answer(Option.none())
        }
        yield* afterwards(() => {
          if (Room.isEnrolled(room(), member)) return letIn(command, answer)
          // It was put out since, and as none of its connections was in, there was nobody to be told.
          onRefused(from.session)
          sessions.refuse(from, Option.getOrElse(whyNot(from), notIn))
          return answer(Option.none())
        })
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
        if (Option.isSome(refusal) && !isDoubtful(from)) return sessions.refuse(from, refusal.value)
        yield* storing(member, kept.leave(member.account))
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
      // It may have been put out while this waited.
      const enrolled = Effect.suspend(() => (Room.isMember(room(), session) ? enrol(kept, member) : Effect.void))
      const owning = deciding
        .admit(member, true, enrolled)
        .pipe(Effect.retry({ schedule: Schedule.spaced(retryInterval), while: () => sessions.isHere(session) }))
      return holding(
        session,
        inLane(member, owning, () => {})
      )
    },

    /**
     * Somebody is put out for what others decided; it is stored with that. An account is no member any more. Answers which of
     * its connections were in.
     */
    expel: (user: UserName, reason: string | undefined): ReadonlyArray<SessionId> => {
      const member = Option.getOrUndefined(HashMap.get(room().enrolled, nameKey(user)))
      if (member !== undefined) {
        become(Room.dismiss(room(), member))
        // Now: who was told that it is out finds the room as others do.
        tellChanged(member)
      }
      const sessions = Room.sessionsOf(room(), user)
      putAllOut(sessions, reason)
      return sessions
    },

    /** Where it is not stored with that, it is now; and whoever comes again comes behind. */
    forget: ({ account, user }: Member): Handled =>
      kept === undefined ? undefined : beside(inLane({ account, user }, kept.leave(account), () => {})),

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
