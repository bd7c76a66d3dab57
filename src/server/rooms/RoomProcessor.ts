/**
 * Which rooms there are: owns the directory, and hands each room's commands to its manager, if anybody is in.
 *
 * Bounds (invariant 3): `MAX_ROOMS` rooms in all; `MAX_ROOMS_PER_USER` rooms that one connection made, and as many that
 * a guest is in or an account a member of. A room nobody is in, nor a member of, goes away if its log is empty, because
 * nothing was written or RETENTION has taken it all; made again it has another epoch.
 *
 * A room that is deleted goes at once, with what was said in it; its manager says so.
 *
 * A room has a manager from the first Join until nobody is in and nothing is under way: a room nobody is in takes some
 * hundred bytes and no fiber. What others than members may ask of it is answered here.
 *
 * A room may be emptied while somebody's Join is on its way to its manager. So the manager says after how many commands
 * it was empty, and is ended only if it was sent no more than that: nothing is in its mailbox, and what comes next starts
 * another one, which finds in the log all that this one made (invariants 5 and 9). Managers are numbered, since what one
 * said last may be looked at when there is another.
 */
import { Clock, Context, Effect, Exit, Layer, PubSub, Queue, Schedule, Scope } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import { AccountNames } from "../accounts/AccountNames.ts"
import { AccountProcessor } from "../accounts/AccountProcessor.ts"
import { Blocks } from "../accounts/Blocks.ts"
import { Memberships } from "../accounts/Memberships.ts"
import { ServerConfig } from "../config/ServerConfig.ts"
import { Governances } from "../history/Governances.ts"
import { History } from "../history/History.ts"
import { HourlyLimits, type Limited } from "../limits/HourlyLimits.ts"
import { Announcements } from "../presence/Announcements.ts"
import * as Mailbox from "../processor/Mailbox.ts"
import { Turns } from "../processor/Turns.ts"
import { Reporting } from "../reports/Reporting.ts"
import { SearchProcessor } from "../search/SearchProcessor.ts"
import type { Asker, SessionId } from "../session/Asker.ts"
import { Sessions } from "../session/Sessions.ts"
import { makeAccountRooms } from "./AccountRooms.ts"
import { makeDirectory } from "./Directory.ts"
import type { GuestOwner } from "./Governing.ts"
import { retryInterval } from "./Newcomers.ts"
import { makeInvolvements, makeOpenRooms, type OpenRoom, type Running } from "./OpenRoom.ts"
import { RoomCommand } from "./RoomCommand.ts"
import { makeRoomMembers } from "./RoomMembers.ts"
import { makeRoomOwners } from "./RoomOwners.ts"
import { makeRoomsAsked } from "./RoomsAsked.ts"
import { RoomsCommand, type RoomsCommandOf } from "./RoomsCommand.ts"
import { type ManagerServices, makeStarting } from "./Starting.ts"
import { answerVacant, isForManager } from "./Vacant.ts"
import { makeVisibility } from "./Visibility.ts"

export class RoomProcessor extends Context.Service<RoomProcessor, Mailbox.Mailbox<RoomsCommand>>()(
  "parley/server/rooms/RoomProcessor"
) {
  static readonly layer = Layer.effect(
    RoomProcessor,
    Effect.gen(function* () {
      const { maxRooms, maxRoomsPerUser } = yield* ServerConfig
      const accountProcessor = yield* AccountProcessor
      const clock = yield* Clock.Clock
      const governances = yield* Governances
      const names = yield* AccountNames
      const blocks = yield* Blocks
      const announcements = yield* Announcements
      const reporting = yield* Reporting
      const limits = yield* HourlyLimits
      const searches = yield* SearchProcessor
      const sessions = yield* Sessions
      const turns = yield* Turns
      const history = yield* History
      const memberships = yield* Memberships
      const scope = yield* Effect.scope
      const mailbox = yield* Mailbox.make<RoomsCommand>()

      const rooms = makeOpenRooms()
      const directory = makeDirectory(() => rooms.sorted, governances)
      const forgetLists = () => {
        directory.forget()
        asked.forget()
      }
      const accounts = makeAccountRooms({
        scope,
        maxRooms: maxRoomsPerUser,
        read: (account) => memberships.rooms(account),
        onRead: (account) => Mailbox.tellUnsafe(mailbox, { _tag: "RoomsRead", account })
      })
      const members = makeRoomMembers(memberships, governances, (command) => Mailbox.tellUnsafe(mailbox, command))
      const involvements = makeInvolvements()
      /** The managers of rooms that are deleted, which still answer what they were sent. */
      const ending = new Map<number, Running>()
      const owners = makeRoomOwners({ clock, governances })
      const { hiddenFrom, isVisible, mayListUsers } = makeVisibility({
        clock,
        governances,
        isAdmin: names.isAdmin,
        hidden: () => directory.hidden(),
        roomsOf: (account) => accounts.of(account),
        involvementOf: (session) => involvements.get(session),
        networkOf: (from) => sessions.authorsOf(from).network,
        find: (key) => rooms.get(key)
      })
      const asked = makeRoomsAsked({
        directory,
        find: (key) => rooms.get(key),
        hiddenFrom,
        isVisible,
        isIn: (session) => involvements.get(session)?.isIn ?? new Set(),
        memberOf: (account) => accounts.of(account),
        scope,
        reporting,
        searches,
        sessions,
        turns
      })
      const start = makeStarting({
        blocks,
        members,
        names,
        scope,
        sessions,
        services: yield* Effect.context<ManagerServices>(),
        onGoverned: forgetLists,
        tell: (command) => Mailbox.tellUnsafe(mailbox, command),
        tellAccounts: (command) => Mailbox.tellUnsafe(accountProcessor, command)
      })

      const send = (running: Running, command: RoomCommand) => {
        running.sent++
        if (isForWhoGoes(command)) running.isLeft = true
        Mailbox.tellUnsafe(running.manager.mailbox, command)
      }

      const register = (name: RoomName, madeBy?: SessionId, guestOwner?: GuestOwner) => {
        const room = rooms.add(name, madeBy, guestOwner)
        forgetLists()
        return room
      }

      /** Whether there were too many in this hour; then that was the answer. */
      const isTooOften = (what: Limited, from: Asker): boolean => {
        const { address } = sessions.peerOf(from.session)
        const retryAfter = limits.take(what, { account: from.account, address })
        if (retryAfter !== undefined) sessions.refuse(from, { _tag: "RateLimited", retryAfter })
        return retryAfter !== undefined
      }

      const create = ({ from, isPrivate, room, topic }: RoomsCommandOf<"Create">): Mailbox.Handled => {
        const key = nameKey(room)
        const { made } = involvements.of(from.session)
        const existing = rooms.get(key)
        if (existing !== undefined) return sessions.refuse(from, { _tag: "RoomExists", room: existing.name })
        if (Math.max(made.size, owners.count(from.account)) >= maxRoomsPerUser) {
          return sessions.refuse(from, { _tag: "TooManyRooms", limit: maxRoomsPerUser })
        }
        if (rooms.count() >= maxRooms) return sessions.refuse(from, { _tag: "TooManyRooms", limit: maxRooms })
        if (isTooOften("Room", from)) return

        const { account, user } = from
        const opened = register(room, from.session, account === undefined ? { user, from } : undefined)
        made.add(key)
        const tell = Effect.sync(() => {
          opened.isBeingMade = false
          forgetLists()
          sessions.reply(from, { _tag: "RoomCreated", room, by: user })
          if (!isPrivate) PubSub.publishUnsafe(announcements, { _tag: "RoomCreated", room, by: from })
        })
        const kept = owners.found(opened.conversation, { from, isPrivate, topic })
        if (kept === undefined) return tell
        opened.isBeingMade = true
        forgetLists()
        const keptAlone = Effect.andThen(members.settled(room), kept)
        const undone = Effect.tapCause(keptAlone, () => inTurn(() => forget(opened)))
        return later(sessions.orRefuse(from, Effect.andThen(undone, tell)))
      }

      const pass = ({ command, from, room }: RoomsCommandOf<"InRoom">): Mailbox.Handled => {
        const key = nameKey(room)
        const open = rooms.get(key)
        if (open === undefined || !isVisible(open, from)) return sessions.refuse(from, { _tag: "RoomNotFound", room })
        if (command._tag === "ListMembers" && !mayListUsers(open, from)) {
          return sessions.refuse(from, { _tag: "NotInRoom", room: open.name })
        }
        if (command._tag === "Join") {
          const { joined } = involvements.of(from.session)
          const mayJoin =
            from.account === undefined
              ? joined.has(key) || joined.size < maxRoomsPerUser
              : accounts.mayJoin(from.account, key)
          if (!mayJoin) return sessions.refuse(from, { _tag: "TooManyRooms", limit: maxRoomsPerUser })
          joined.add(key)
        }
        if (command._tag === "Leave") {
          const leaving = from.account === undefined ? [from.session] : accounts.sessionsOf(from.account)
          for (const session of leaving) involvements.get(session)?.joined.delete(key)
        }
        if (command._tag === "Act" && command.body._tag === "Invited" && isTooOften("Invitation", from)) return
        if (open.running !== undefined) return send(open.running, command)
        if (!isForManager(open, command, names.isAdmin)) return answerVacant(sessions, open, command)
        return Effect.map(start(open), (running) => send(running, command))
      }

      const vanish = ({ session }: RoomsCommandOf<"Gone">): Mailbox.Handled => {
        accounts.gone(session)
        const involvement = involvements.get(session)
        if (involvement === undefined) return
        involvements.delete(session)
        const vacant: Array<OpenRoom> = []
        // It may still be in where it asked to leave, if that could not be stored.
        for (const key of involvement.made.union(involvement.joined).union(involvement.isIn)) {
          const room = rooms.get(key)
          if (room?.guestOwner?.from.session === session) room.guestOwner = undefined
          if (room?.running !== undefined) send(room.running, { _tag: "Gone", session })
          else if (room !== undefined) vacant.push(room)
        }
        if (vacant.length > 0) return later(Effect.forEach(vacant, (room) => inTurn(() => forget(room))))
      }

      const note = ({ isIn, room: key, session, users }: RoomsCommandOf<"MembersChanged">) => {
        const room = rooms.get(key)
        if (room !== undefined) room.users = users
        forgetLists()
        const involvement = involvements.get(session)
        if (!isIn) {
          involvement?.isIn.delete(key)
          involvement?.joined.delete(key)
        } else if (involvement !== undefined) involvement.isIn.add(key)
        // Who is gone is in nothing, whatever was told before its room heard of it.
        else if (room?.running !== undefined) send(room.running, { _tag: "Gone", session })
      }

      const noteMembership = ({ account, isMember, members, room: key }: RoomsCommandOf<"MembershipChanged">) => {
        accounts.changed(account, key, isMember)
        noteMembers({ room: key, members })
      }

      const noteMembers = ({ members, room: key }: Omit<RoomsCommandOf<"MembersRead">, "_tag">) => {
        const room = rooms.get(key)
        if (room !== undefined) room.isInhabited = members > 0
      }

      const own = (command: RoomsCommandOf<"Own">): Mailbox.Handled => {
        for (const key of involvements.get(command.session)?.joined ?? []) {
          const running = rooms.get(key)?.running
          if (running !== undefined) send(running, command)
        }
        const made = [...(involvements.get(command.session)?.made ?? [])].flatMap((key) => rooms.get(key) ?? [])
        return later(Effect.andThen(owners.own(made, command), Effect.sync(forgetLists)))
      }

      /** Where nobody is in, nothing is known of it: the next manager finds that it is gone. */
      const dismiss = (command: RoomsCommandOf<"Dismiss">): Mailbox.Handled => {
        for (const { running } of rooms.sorted) if (running !== undefined) send(running, command)
        const governed = [...governances.rooms()].flatMap((name) => rooms.get(nameKey(name)) ?? [])
        return later(Effect.andThen(owners.forget(governed, command), Effect.sync(forgetLists)))
      }

      const resume = ({ account }: RoomsCommandOf<"RoomsRead">): Mailbox.Handled =>
        Effect.forEach(
          accounts.resume(account),
          (command) => {
            if (accounts.isAnswerable(command))
              return Mailbox.carryOut(command, () => {}, { handle, refuse }) ?? Effect.void
            return Effect.sync(() => refuse(command))
          },
          { discard: true }
        )

      /** Takes it out of the directory. */
      const strike = ({ key, madeBy }: OpenRoom) => {
        rooms.delete(key)
        forgetLists()
        if (madeBy !== undefined) involvements.get(madeBy)?.made.delete(key)
      }

      /** Its manager answers what it was sent, and then ends. A room made under this name is another one. */
      const discard = ({ manager, room: key }: RoomsCommandOf<"Deleted">): Mailbox.Handled => {
        const room = rooms.get(key)
        const running = room?.running
        if (room === undefined || running?.number !== manager) return
        room.running = undefined
        ending.set(manager, running)
        strike(room)
        involvements.putOut(key)
        accounts.deleted(key)
        return later(members.forgetErased(room))
      }

      /** A room goes if nobody is in or a member, and its log is empty. */
      const forget = (room: OpenRoom): Mailbox.Handled => {
        const { conversation, key } = room
        if (rooms.get(key) !== room || room.running !== undefined || room.isInhabited) return
        if (!history.forgetUnsafe(conversation)) return
        strike(room)
        if (room.isKept || governances.get(conversation) !== undefined) return later(members.forget(room))
      }

      const end = ({ handled, manager, room: key }: RoomsCommandOf<"Vacated">): Mailbox.Handled => {
        const discarded = ending.get(manager)
        if (discarded?.sent === handled) {
          ending.delete(manager)
          return Scope.close(discarded.scope, Exit.void)
        }
        const room = rooms.get(key)
        const running = room?.running
        if (room === undefined || running?.number !== manager || running.sent !== handled) return
        room.running = undefined
        const gone = running.isLeft ? forget(room) : undefined
        return Effect.andThen(gone ?? Effect.void, Scope.close(running.scope, Exit.void))
      }

      /** In turns, since who goes may leave a hundred rooms behind. Until then a room can be used again. */
      const inTurn = (act: () => Mailbox.Handled) =>
        turns.memory.take(
          "vacated",
          Effect.suspend(() => act() ?? Effect.void)
        )

      const later = (acts: Effect.Effect<unknown>) => Effect.asVoid(Effect.forkIn(acts, scope))

      const lookAt = ({ room }: RoomsCommandOf<"Emptied">) => {
        const open = rooms.get(nameKey(room))
        if (open !== undefined) return forget(open)
      }

      for (const name of history.rooms) register(name)
      const inhabited = yield* memberships.inhabited.pipe(Effect.retry(Schedule.spaced(retryInterval)), Effect.orDie)
      for (const name of inhabited) (rooms.get(nameKey(name)) ?? register(name)).isInhabited = true
      // Of a room that was made and never used nothing else is left.
      const unused = [...governances.rooms()].filter((name) => !rooms.has(nameKey(name)))
      // Before anybody is let in, for who makes one again is to keep it.
      yield* Effect.forEach(unused, (name) => members.forget({ name, isInhabited: false, isKept: true }), {
        concurrency: atOnce,
        discard: true
      })
      // A server that ended just then may not have taken the roles from an account that was deleted.
      yield* owners.forgetMissing(rooms.sorted, (account) => names.isThere(account))
      const facts = yield* PubSub.subscribe(announcements)
      yield* PubSub.take(facts).pipe(
        Effect.map((fact) => {
          if (fact._tag !== "AccountDeleted") return
          Mailbox.tellUnsafe(mailbox, { _tag: "Dismiss", account: fact.account, user: fact.user })
        }),
        Effect.forever,
        Effect.forkScoped
      )
      yield* Queue.take(history.emptied).pipe(
        Effect.map((room) => Mailbox.tellUnsafe(mailbox, { _tag: "Emptied", room })),
        Effect.forever,
        Effect.forkScoped
      )

      const handle: (command: RoomsCommand) => Mailbox.Handled = RoomsCommand.match({
        Create: create,
        List: asked.list,
        InRoom: pass,
        Search: asked.search,
        Report: asked.report,
        Gone: vanish,
        Own: own,
        Dismiss: dismiss,
        MembersChanged: note,
        MembershipChanged: noteMembership,
        MembersRead: (read) => {
          noteMembers(read)
          const running = rooms.get(read.room)?.running
          // They were members, and went with their accounts.
          if (read.members === 0 && running !== undefined) running.isLeft = true
        },
        RoomsRead: resume,
        Deleted: discard,
        Emptied: lookAt,
        Vacated: (vacated) => later(inTurn(() => end(vacated)))
      })
      const refuse = (command: RoomsCommand) => {
        if ("from" in command) sessions.refuse(command.from, { _tag: "StorageUnavailable" })
      }
      yield* Mailbox.process(mailbox, {
        handle: (command) => accounts.postpone(command) ?? handle(command),
        refuse
      }).pipe(Effect.forkScoped)
      return mailbox
    })
  ).pipe(Layer.provide(HourlyLimits.layer))
}

/** What is forgotten at the start, in commits of several. */
const atOnce = 64

const isForWhoGoes = RoomCommand.isAnyOf(["Leave", "Gone", "Dismiss"])
