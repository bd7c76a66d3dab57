/**
 * Which rooms there are: owns the directory, and hands each room's commands to its manager.
 *
 * Bounds (invariant 3): `MAX_ROOMS` rooms in all; `MAX_ROOMS_PER_USER` rooms that one connection made, and as many that
 * it is in. A room nobody is in goes away if its log is empty, because nothing was written or RETENTION has taken it all;
 * made again it has another epoch.
 *
 * A room may be emptied while somebody's Join is on its way to its manager. So the manager says after how many commands
 * it was empty, and it goes only if it was sent no more than that.
 */
import { Context, Effect, Exit, Layer, PubSub, Queue, Scope } from "effect"
import { type NameKey, nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import { ServerConfig } from "../config/ServerConfig.ts"
import { History } from "../history/History.ts"
import { makeListReplies } from "../lists/ListReplies.ts"
import { pageOf, placeOf } from "../lists/NamePage.ts"
import { Announcements } from "../presence/Announcements.ts"
import * as Mailbox from "../processor/Mailbox.ts"
import { Turns } from "../processor/Turns.ts"
import { SearchProcessor } from "../search/SearchProcessor.ts"
import type { SessionId } from "../session/Asker.ts"
import { Sessions } from "../session/Sessions.ts"
import * as Deciding from "./Deciding.ts"
import type { LogReader } from "./LogReader.ts"
import type { RoomCommand } from "./RoomCommand.ts"
import * as RoomManager from "./RoomManager.ts"
import { RoomsCommand, type RoomsCommandOf } from "./RoomsCommand.ts"

interface OpenRoom {
  readonly name: RoomName
  readonly key: NameKey
  /** Unknown of rooms that were there before the server started. */
  readonly madeBy: SessionId | undefined
  readonly manager: RoomManager.RoomManager
  readonly scope: Scope.Closeable
  /** How many commands its manager was sent. */
  sent: number
  /** How many are in, as its manager told last. */
  users: number
}

/** The rooms that concern one connection. */
interface Involvement {
  readonly made: Set<NameKey>
  /** Those it asked to be in and did not leave, and those it is in, as their managers told. */
  readonly joined: Set<NameKey>
  readonly isIn: Set<NameKey>
}

export class RoomProcessor extends Context.Service<RoomProcessor, Mailbox.Mailbox<RoomsCommand>>()(
  "parley/server/rooms/RoomProcessor"
) {
  static readonly layer = Layer.effect(
    RoomProcessor,
    Effect.gen(function* () {
      const { maxRooms, maxRoomsPerUser } = yield* ServerConfig
      const announcements = yield* Announcements
      const searches = yield* SearchProcessor
      const sessions = yield* Sessions
      const turns = yield* Turns
      const history = yield* History
      const managerServices = yield* Effect.context<History | LogReader | Sessions | ServerConfig | Turns>()
      const scope = yield* Effect.scope
      const mailbox = yield* Mailbox.make<RoomsCommand>()

      const rooms = new Map<NameKey, OpenRoom>()
      /** The same, in the order of their names. */
      const sorted: Array<OpenRoom> = []
      const lists = makeListReplies("RoomList", (after) => {
        const [page, numbered] = pageOf(sorted, ({ key }) => key, after)
        const rooms = page.map(({ name, users }) => ({ room: name, users }))
        return { rooms, ...numbered }
      })
      const involvements = new Map<SessionId, Involvement>()

      const involvementOf = (session: SessionId): Involvement => {
        const known = involvements.get(session)
        if (known !== undefined) return known
        const none: Involvement = { made: new Set(), joined: new Set(), isIn: new Set() }
        involvements.set(session, none)
        return none
      }

      const send = (room: OpenRoom, command: RoomCommand) => {
        room.sent++
        Mailbox.tellUnsafe(room.manager.mailbox, command)
      }

      const open = Effect.fnUntraced(function* (name: RoomName, madeBy: SessionId | undefined) {
        const key = nameKey(name)
        const roomScope = yield* Scope.fork(scope)
        const conversation = { _tag: "Room", room: name } as const
        const making = Effect.flatMap(Deciding.make(conversation), (deciding) =>
          RoomManager.make({
            conversation,
            deciding,
            onMembers: (changed) => Mailbox.tellUnsafe(mailbox, { _tag: "MembersChanged", room: key, ...changed }),
            onVacated: (handled) => Mailbox.tellUnsafe(mailbox, { _tag: "Vacated", room: key, handled })
          })
        )
        const manager = yield* making.pipe(Scope.provide(roomScope), Effect.provideContext(managerServices))
        const room: OpenRoom = { name, key, madeBy, manager, scope: roomScope, sent: 0, users: 0 }
        rooms.set(key, room)
        sorted.splice(
          placeOf(sorted, ({ key }) => key, key),
          0,
          room
        )
        lists.forget()
      })

      const create = Effect.fnUntraced(function* ({ from, room }: RoomsCommandOf<"Create">) {
        const key = nameKey(room)
        const { made } = involvementOf(from.session)
        const existing = rooms.get(key)
        if (existing !== undefined) return sessions.refuse(from, { _tag: "RoomExists", room: existing.name })
        if (made.size >= maxRoomsPerUser) {
          return sessions.refuse(from, { _tag: "TooManyRooms", limit: maxRoomsPerUser })
        }
        if (rooms.size >= maxRooms) return sessions.refuse(from, { _tag: "TooManyRooms", limit: maxRooms })

        yield* open(room, from.session)
        made.add(key)
        sessions.reply(from, { _tag: "RoomCreated", room, by: from.user })
        PubSub.publishUnsafe(announcements, { _tag: "RoomCreated", room, by: from })
      })

      const list = ({ after, from }: RoomsCommandOf<"List">) =>
        turns.memory
          .take(
            "rooms",
            Effect.sync(() => sessions.replyEncoded(from, lists.piecesFor(from, after)))
          )
          .pipe(
            (answering) => sessions.orRefuse(from, answering),
            Effect.forkIn(scope, { startImmediately: true }),
            Effect.asVoid
          )

      const search = ({ from, room, search }: RoomsCommandOf<"Search">) => {
        const { session } = from
        if (room === undefined) {
          const isIn = Array.from(involvements.get(session)?.isIn ?? [], (key) => rooms.get(key)?.manager.conversation)
          const conversations = isIn.flatMap((conversation) => conversation ?? [])
          const { account, user } = from
          const own = account === undefined ? [] : [{ _tag: "Inbox" as const, user, account }]
          const everywhere = [{ _tag: "Lobby" as const }, ...conversations, ...own] as const
          return Mailbox.tellUnsafe(searches, { from, conversations: everywhere, search })
        }
        const open = rooms.get(nameKey(room))
        if (open === undefined) return sessions.refuse(from, { _tag: "RoomNotFound", room })
        if (involvements.get(session)?.isIn.has(open.key) !== true)
          return sessions.refuse(from, { _tag: "NotInRoom", room: open.name })
        Mailbox.tellUnsafe(searches, { from, conversations: [open.manager.conversation], search })
      }

      const pass = ({ command, from, room }: RoomsCommandOf<"InRoom">) => {
        const key = nameKey(room)
        const open = rooms.get(key)
        if (open === undefined) return sessions.refuse(from, { _tag: "RoomNotFound", room })
        if (command._tag === "Join") {
          const { joined } = involvementOf(from.session)
          if (!joined.has(key) && joined.size >= maxRoomsPerUser) {
            return sessions.refuse(from, { _tag: "TooManyRooms", limit: maxRoomsPerUser })
          }
          joined.add(key)
        }
        if (command._tag === "Leave") involvements.get(from.session)?.joined.delete(key)
        send(open, command)
      }

      const vanish = ({ session }: RoomsCommandOf<"Gone">) => {
        const involvement = involvements.get(session)
        if (involvement === undefined) return
        involvements.delete(session)
        for (const key of involvement.made.union(involvement.joined)) {
          const room = rooms.get(key)
          if (room !== undefined) send(room, { _tag: "Gone", session })
        }
      }

      const note = ({ isIn, room: key, session, users }: RoomsCommandOf<"MembersChanged">) => {
        const room = rooms.get(key)
        if (room !== undefined) room.users = users
        lists.forget()
        // Who is gone is in nothing, whatever was told before its room heard of it.
        if (isIn) involvements.get(session)?.isIn.add(key)
        else involvements.get(session)?.isIn.delete(key)
      }

      const close = ({ handled, room: key }: RoomsCommandOf<"Vacated">) => {
        const room = rooms.get(key)
        if (room === undefined || room.sent !== handled || !history.forgetUnsafe(room.manager.conversation)) return
        rooms.delete(key)
        sorted.splice(
          placeOf(sorted, ({ key }) => key, key),
          1
        )
        lists.forget()
        if (room.madeBy !== undefined) involvements.get(room.madeBy)?.made.delete(key)
        return Scope.close(room.scope, Exit.void)
      }

      /** In turns, since who goes may leave a hundred rooms behind. Until then a room can be used again. */
      const closeInTime = (vacated: RoomsCommandOf<"Vacated">) =>
        turns.memory
          .take(
            "vacated",
            Effect.suspend(() => close(vacated) ?? Effect.void)
          )
          .pipe(Effect.forkIn(scope), Effect.asVoid)

      const lookAt = ({ room }: RoomsCommandOf<"Emptied">) => {
        const open = rooms.get(nameKey(room))
        if (open !== undefined) send(open, { _tag: "CheckVacancy" })
      }

      for (const name of history.rooms) yield* open(name, undefined)
      yield* Queue.take(history.emptied).pipe(
        Effect.map((room) => Mailbox.tellUnsafe(mailbox, { _tag: "Emptied", room })),
        Effect.forever,
        Effect.forkScoped
      )

      yield* Mailbox.process(mailbox, {
        handle: RoomsCommand.match({
          Create: create,
          List: list,
          InRoom: pass,
          Search: search,
          Gone: vanish,
          MembersChanged: note,
          Emptied: lookAt,
          Vacated: closeInTime
        }),
        refuse: (command) => {
          if ("from" in command) sessions.refuse(command.from, { _tag: "StorageUnavailable" })
        }
      }).pipe(Effect.forkScoped)
      return mailbox
    })
  )
}
