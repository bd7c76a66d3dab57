/**
 * Memberships and read marks in a database, over any `SqlClient`: beside the log, on its connections. What is asked is read by
 * the connection that reads; what is changed is committed before it is answered (see Changes), in the order in which it came.
 *
 * A mark counts for one log, by its number in the database: a room that is gone and made again begins unread. So nothing is wrong
 * if a crash comes between the end of a log and that of its marks.
 */
import { Array as Arr, Effect, Layer } from "effect"
import type { ConversationStanding, RoomStanding } from "../../common/wire/AccountMessage.ts"
import { type Member, Memberships } from "../accounts/Memberships.ts"
import { StorageUnavailable } from "../history/History.ts"
import { LogOnce } from "../notices/LogOnce.ts"
import * as Outage from "../notices/Outage.ts"
import type { AccountId } from "../session/AccountId.ts"
import { Changes } from "./Changes.ts"
import * as ConversationTables from "./ConversationTables.ts"
import type { Problem } from "./GroupCommit.ts"
import { isDamagedPage } from "./LogPages.ts"
import * as MembershipTables from "./MembershipTables.ts"
import { Connections } from "./SqlHistory.ts"
import * as UnreadTables from "./UnreadTables.ts"

/** The tables must be up to date (see Migrations). */
export const layer = Layer.effect(
  Memberships,
  Effect.gen(function* () {
    const { reader, writer } = yield* Connections
    const changes = yield* Changes
    const read = MembershipTables.make(reader)
    const unread = UnreadTables.make(reader)
    const conversations = ConversationTables.make(reader)
    const tables = MembershipTables.make(writer)
    const damaged = new LogOnce("More logs are damaged. Check the database with: pnpm admin verify")
    const reading = Outage.make("Memberships cannot be read", "Memberships are read again")
    const asking = <A>(question: Effect.Effect<A, Problem>) =>
      Effect.mapError(reading.watch(question), (cause) => new StorageUnavailable({ cause }))

    const count = Effect.fnUntraced(function* (member: Member, after: string, limit: number) {
      const rooms = yield* unread.rooms(member, after, limit)
      return yield* Effect.forEach(rooms, (room) =>
        Effect.map(room.unread === 0 ? Effect.succeed(0) : unread.mentions(member, room), (mentions) => ({
          ...room,
          mentions
        }))
      )
    })
    /** Of a room whose log cannot be read nothing is told but that one is in it. */
    const countReadable = Effect.fnUntraced(function* (member: Member, after: string) {
      const [room] = yield* unread.rooms(member, after, 1, false)
      if (room === undefined) return []
      return yield* Effect.catchIf(count(member, after, 1), isDamagedPage, (problem) =>
        Effect.as(damaged.error(room.roomKey, `What is unread in ${room.room} cannot be counted: ${problem.message}`), [
          { ...room, mentions: 0 }
        ])
      )
    })

    const roomsOf = Effect.fnUntraced(function* (member: Member) {
      const all: Array<RoomStanding> = []
      let after = ""
      let limit = UnreadTables.pieceRooms
      const piece = Effect.gen(function* () {
        const counted = yield* Effect.catchIf(
          limit > 1 ? count(member, after, limit) : countReadable(member, after),
          isDamagedPage,
          () => Effect.undefined
        )
        if (counted === undefined) {
          // From here on one by one.
          limit = 1
          return true
        }
        for (const { mentions, read, room, seq, unread } of counted) {
          all.push({ room, seq, read, unread, mentions, role: "member" })
        }
        after = counted.at(-1)?.roomKey ?? after
        return counted.length === limit
      })
      yield* Effect.repeat(piece, { while: (hasMore) => hasMore })
      return all
    })

    const conversationsOf = Effect.fnUntraced(function* (account: AccountId) {
      const all: Array<ConversationStanding> = []
      for (const piece of Arr.chunksOf(yield* conversations.list(account), UnreadTables.pieceRooms)) {
        const unread = yield* conversations.unread(account, piece)
        all.push(
          ...piece.map(({ read, seq, with: user }, index) => ({ with: user, seq, read, unread: unread[index] ?? 0 }))
        )
      }
      return all
    })
    const readableConversationsOf = (account: AccountId) =>
      Effect.catchIf(conversationsOf(account), isDamagedPage, (problem) =>
        Effect.as(
          damaged.error(`inbox ${account}`, `The inbox of account ${account} cannot be read: ${problem.message}`),
          []
        )
      )

    return Memberships.of({
      rooms: (account) => asking(read.rooms(account)),
      inhabited: asking(read.inhabited),
      members: (room) => asking(read.members(room)),
      join: ({ account }, room, newest) => changes.make(tables.join(account, room, newest)),
      leave: (account, room) => changes.make(Effect.asVoid(tables.leave(account, room))),
      forget: (room) => changes.make(tables.forget(room)),
      mark: (account, place, seq) => changes.make(tables.mark(account, place, seq)),
      standing: (member) =>
        asking(
          Effect.gen(function* () {
            const lobbyRead = yield* read.markOf(member.account, "lobby")
            const rooms = yield* roomsOf(member)
            return { rooms, conversations: yield* readableConversationsOf(member.account), lobbyRead }
          })
        )
    })
  })
)
