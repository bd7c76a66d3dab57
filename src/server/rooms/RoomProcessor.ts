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
import { Clock, Context, Effect, Exit, Layer, PubSub, Queue, Scope } from "effect"
import { nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import { AccountNames } from "../accounts/AccountNames.ts"
import { AccountProcessor } from "../accounts/AccountProcessor.ts"
import type { AccountsCommand } from "../accounts/AccountsCommand.ts"
import { Blocks } from "../accounts/Blocks.ts"
import { Memberships } from "../accounts/Memberships.ts"
import { PublishedDevices } from "../accounts/PublishedDevices.ts"
import { ServerConfig } from "../config/ServerConfig.ts"
import { Governances } from "../history/Governances.ts"
import { History } from "../history/History.ts"
import { HourlyLimits } from "../limits/HourlyLimits.ts"
import { Announcements } from "../presence/Announcements.ts"
import * as Mailbox from "../processor/Mailbox.ts"
import { Turns } from "../processor/Turns.ts"
import { Reporting } from "../reports/Reporting.ts"
import { SearchProcessor } from "../search/SearchProcessor.ts"
import type { SessionId } from "../session/Asker.ts"
import { Sessions } from "../session/Sessions.ts"
import { makeAccountRooms } from "./AccountRooms.ts"
import { begin } from "./Beginning.ts"
import { makeConversations } from "./Conversations.ts"
import { makeCreating } from "./Creating.ts"
import { makeDirectory } from "./Directory.ts"
import type { GuestOwner } from "./Governing.ts"
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
      const devices = yield* PublishedDevices
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
      const tellAccounts = (command: AccountsCommand) => Mailbox.tellUnsafe(accountProcessor, command)
      const start = makeStarting({
        blocks,
        members,
        names,
        scope,
        sessions,
        services: yield* Effect.context<ManagerServices>(),
        onGoverned: forgetLists,
        tell: (command) => Mailbox.tellUnsafe(mailbox, command),
        tellAccounts,
        devices
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

      const { create, isTooOften } = makeCreating({
        announcements,
        forgetLists,
        involvements,
        isPublished: (from) => conversations.isPublished(from),
        later: (act) => later(act),
        limits,
        maxRooms,
        maxRoomsPerUser,
        members,
        owners,
        register,
        rooms,
        sessions,
        undo: (room) => inTurn(() => forget(room))
      })

      const conversations = makeConversations({
        blocks,
        clock,
        devices,
        governances,
        history,
        involvements,
        members,
        names,
        sessions,
        count: rooms.countConversations,
        find: (key) => rooms.get(key),
        register,
        strike: (room) => strike(room),
        onMember: (account, key) => accounts.changed(account, key, true),
        tellAccounts,
        roomsOf: memberships.rooms,
        end: ({ running }, from) => running && send(running, { _tag: "Delete", from, isOutlived: true }),
        join: (from, room) => {
          const command: RoomCommand = { _tag: "Join", from, after: undefined }
          Mailbox.tellUnsafe(mailbox, { _tag: "InRoom", from, room, command })
        }
      })

      const pass = ({ command, from, room }: RoomsCommandOf<"InRoom">): Mailbox.Handled => {
        const key = nameKey(room)
        const open = rooms.get(key)
        if (open === undefined || !isVisible(open, from)) return sessions.refuse(from, { _tag: "RoomNotFound", room })
        const refusal = conversations.whyNot(open, command, from)
        if (refusal !== undefined) return sessions.refuse(from, refusal)
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
        for (const { running } of rooms.all()) if (running !== undefined) send(running, command)
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
        return later(
          Effect.ensuring(
            members.forgetErased(room),
            Effect.sync(() => conversations.erased(key))
          )
        )
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

      yield* begin({ governances, history, members, memberships, names, owners, register, rooms })
      const facts = yield* PubSub.subscribe(announcements)
      yield* PubSub.take(facts).pipe(
        Effect.map((fact) => {
          if (fact._tag === "AccountDeleted") Mailbox.tellUnsafe(mailbox, { ...fact, _tag: "Dismiss" })
          else if (fact._tag === "DevicesChanged") Mailbox.tellUnsafe(mailbox, fact)
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
        Open: (command) => later(conversations.open(command)),
        DevicesChanged: (changed) => later(conversations.tellChanged(changed)),
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

const isForWhoGoes = RoomCommand.isAnyOf(["Leave", "Gone", "Dismiss"])
