/**
 * Memberships and read marks that live as long as the server does, beside the log that is in memory.
 *
 * Bounds (invariant 3): an account is in no more rooms than it may be, and has a mark for each room that there is, of which
 * MAX_ROOMS bounds the number: 100 bytes each. What is unread is counted among the entries that MemoryHistory holds.
 */
import { Effect, Layer, Option } from "effect"
import { type Conversation, conversationKey } from "../../common/log/Conversation.ts"
import type { Seq } from "../../common/log/Cursor.ts"
import { mentions } from "../../common/log/Mentions.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import { maxUnread, type RoomStanding } from "../../common/wire/AccountMessage.ts"
import { Accounts } from "../accounts/Accounts.ts"
import { maxLooked, type Member, Memberships, type ReadPlace } from "../accounts/Memberships.ts"
import { History } from "../history/History.ts"
import { type AccountId, authorOfAccount } from "../session/AccountId.ts"
import { byCodePoints } from "./NameOrder.ts"

interface Held {
  /** By their keys. */
  readonly rooms: Map<string, RoomName>
  /** By `placeOf`. */
  readonly marks: Map<string, Seq>
}

export const layer = Layer.effect(
  Memberships,
  Effect.gen(function* () {
    const history = yield* History
    const accounts = yield* Accounts
    const byAccount = new Map<AccountId, Held>()
    const byRoom = new Map<string, Map<AccountId, Member>>()

    const heldOf = (account: AccountId): Held => {
      const held = byAccount.get(account) ?? { rooms: new Map(), marks: new Map() }
      byAccount.set(account, held)
      return held
    }
    const removeMember = (account: AccountId, key: string) => {
      const members = byRoom.get(key)
      members?.delete(account)
      if (members?.size === 0) byRoom.delete(key)
    }

    /** Where a mark in this place may be moved at most. */
    const newestOf = Effect.fnUntraced(function* (account: AccountId, place: ReadPlace) {
      if (place._tag !== "With") return (yield* history.newest(place)).seq
      const found = yield* accounts.get(account)
      if (Option.isNone(found)) return 0
      return (yield* history.newest({ _tag: "Inbox", user: found.value.account.user })).seq
    })

    const standingOf = Effect.fnUntraced(function* ({ account, user }: Member, room: RoomName, read: Seq) {
      yield* Effect.yieldNow
      const conversation: Conversation = { _tag: "Room", room }
      const { seq } = yield* history.newest(conversation)
      const lowest = Math.max(read, seq - maxLooked)
      const page = yield* history.standing(conversation, { after: lowest, before: undefined, limit: maxLooked })
      const said = page.messages.filter((message) => message._tag === "Message")
      const { targets } = yield* history.facts(conversation, {
        keys: [],
        targets: said.map((message) => message.seq),
        reactors: []
      })
      const own = authorOfAccount(account)
      const unread = said.filter((message) => {
        const author = targets.get(message.seq)?.author
        return author !== own && (author?.startsWith("account.") === true || nameKey(message.from) !== nameKey(user))
      })
      const named = unread.filter(({ content }) => mentions(content, user))
      return {
        room,
        seq,
        read,
        unread: Math.min(unread.length, maxUnread),
        mentions: Math.min(named.length, maxUnread),
        role: "member"
      } satisfies RoomStanding
    })

    const roomsOf = (account: AccountId) =>
      [...(byAccount.get(account)?.rooms ?? [])]
        .toSorted(([one], [other]) => byCodePoints(one, other))
        .map(([, room]) => room)

    return Memberships.of({
      rooms: (account) => Effect.sync(() => roomsOf(account)),
      inhabited: Effect.sync(() => {
        const found = new Map([...byAccount.values()].flatMap(({ rooms }) => [...rooms]))
        return [...found].toSorted(([one], [other]) => byCodePoints(one, other)).map(([, room]) => room)
      }),
      members: (room) =>
        Effect.sync(() =>
          [...(byRoom.get(nameKey(room))?.values() ?? [])].toSorted((one, other) =>
            byCodePoints(nameKey(one.user), nameKey(other.user))
          )
        ),
      join: (member, room, newest) =>
        Effect.sync(() => {
          const { marks, rooms } = heldOf(member.account)
          const key = nameKey(room)
          if (!rooms.has(key)) rooms.set(key, room)
          const members = byRoom.get(key) ?? new Map<AccountId, Member>()
          byRoom.set(key, members)
          members.set(member.account, member)
          const place = placeOf({ _tag: "Room", room })
          const mark = marks.get(place) ?? newest
          marks.set(place, mark)
          return mark
        }),
      leave: (account, room) =>
        Effect.sync(() => {
          byAccount.get(account)?.rooms.delete(nameKey(room))
          removeMember(account, nameKey(room))
        }),
      forget: (room) =>
        Effect.sync(() => {
          byRoom.delete(nameKey(room))
          for (const { marks, rooms } of byAccount.values()) {
            rooms.delete(nameKey(room))
            marks.delete(placeOf({ _tag: "Room", room }))
          }
        }),
      forgetAccount: (account) =>
        Effect.sync(() => {
          for (const key of byAccount.get(account)?.rooms.keys() ?? []) removeMember(account, key)
          byAccount.delete(account)
        }),
      mark: (account, place, seq) =>
        Effect.map(newestOf(account, place), (newest) => {
          const { marks } = heldOf(account)
          const key = placeOf(place)
          const mark = Math.max(marks.get(key) ?? 0, Math.min(seq, newest))
          marks.set(key, mark)
          return mark
        }),
      standing: (member) =>
        Effect.gen(function* () {
          const marks = byAccount.get(member.account)?.marks
          const rooms = yield* Effect.forEach(roomsOf(member.account), (room) =>
            standingOf(member, room, marks?.get(placeOf({ _tag: "Room", room })) ?? 0)
          )
          return { rooms, conversations: [], lobbyRead: marks?.get("lobby") ?? 0 }
        })
    })
  })
)

const placeOf = (place: ReadPlace): string =>
  place._tag === "With" ? `with:${nameKey(place.user)}` : conversationKey(place)
