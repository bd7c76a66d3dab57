/**
 * Memberships and read marks that live as long as the server does, beside the log that is in memory.
 *
 * Bounds (invariant 3): an account is in no more rooms than it may be, and has a mark for each room that there is, of which
 * MAX_ROOMS bounds the number: 100 bytes each. What is unread is counted among the entries that MemoryHistory holds.
 */
import { Effect, Layer, Option } from "effect"
import { type Conversation, conversationKey, type Inbox } from "../../common/log/Conversation.ts"
import type { Seq } from "../../common/log/Cursor.ts"
import { mentions } from "../../common/log/Mentions.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import type { UserName } from "../../common/name/UserName.ts"
import {
  type ConversationStanding,
  maxConversations,
  maxUnread,
  type RoomStanding
} from "../../common/wire/AccountMessage.ts"
import { Accounts } from "../accounts/Accounts.ts"
import { maxLooked, type Member, Memberships, type ReadPlace } from "../accounts/Memberships.ts"
import { History } from "../history/History.ts"
import { isFromOwner, Partner, partnerOf } from "../history/Partner.ts"
import { type AccountId, authorOfAccount } from "../session/AccountId.ts"
import { type Held, HeldMemberships } from "./HeldMemberships.ts"
import { byCodePoints } from "./NameOrder.ts"

export const layer = Layer.effect(
  Memberships,
  Effect.gen(function* () {
    const history = yield* History
    const accounts = yield* Accounts
    const { byAccount, byRoom, removeMember } = yield* HeldMemberships

    const heldOf = (account: AccountId): Held => {
      const held = byAccount.get(account) ?? { rooms: new Map(), marks: new Map() }
      byAccount.set(account, held)
      return held
    }
    /** What is deleted becomes a member of nothing, and has no marks. */
    const isThere = (account: AccountId) =>
      Effect.map(accounts.get(account), (found) => Option.isSome(found) && found.value.account.state !== "Deleted")

    const inboxOf = Effect.fnUntraced(function* (account: AccountId) {
      const found = yield* accounts.get(account)
      const inbox = (user: UserName): Inbox => ({ _tag: "Inbox", user, account })
      return Option.map(found, (one) => inbox(one.account.user))
    })
    const partnerNamed = Effect.fnUntraced(function* (user: UserName) {
      const found = yield* accounts.find(user)
      return Option.match(found, {
        onNone: () => ({ user, partner: partnerOf({ user }) }),
        onSome: ({ account }) => ({ user: account.user, partner: partnerOf({ user, account: account.id }) })
      })
    })
    const placeOf = Effect.fnUntraced(function* (place: ReadPlace) {
      return place._tag === "With" ? `with:${(yield* partnerNamed(place.user)).partner}` : conversationKey(place)
    })

    /** Where a mark in this place may be moved at most. Undefined if there is nothing to read. */
    const newestOf = Effect.fnUntraced(function* (account: AccountId, place: ReadPlace) {
      if (place._tag !== "With") return (yield* history.newest(place)).seq
      const inbox = yield* inboxOf(account)
      if (Option.isNone(inbox)) return undefined
      const { partner } = yield* partnerNamed(place.user)
      const range = { before: undefined, after: 0, limit: 1, with: partner }
      const { messages } = yield* history.standing(inbox.value, range)
      return messages.length === 0 ? undefined : (yield* history.newest(inbox.value)).seq
    })

    /** In whatever order. */
    const conversationsOf = Effect.fnUntraced(function* (account: AccountId, marks: Held["marks"]) {
      const inbox = yield* inboxOf(account)
      if (Option.isNone(inbox)) return []
      const { entries } = yield* history.read(inbox.value, { before: undefined, after: 0, limit: Infinity })
      const others = entries.flatMap(({ from, to }) => (isFromOwner(inbox.value, from) ? (to ?? []) : from))
      const named = yield* Effect.forEach(new Map(others.map((user) => [nameKey(user), user])).values(), partnerNamed)
      return yield* Effect.forEach(named, ({ partner, user }) =>
        Effect.map(
          history.standing(inbox.value, { before: undefined, after: 0, limit: Infinity, with: partner }),
          ({ messages }): ReadonlyArray<ConversationStanding> => {
            const read = marks.get(`with:${partner}`) ?? 0
            const unread = messages
              .filter(({ seq }) => seq > read)
              .slice(-maxLooked)
              .filter((message) => message._tag === "Message" && !isFromOwner(inbox.value, message.from)).length
            const newest = messages.at(-1)
            return newest === undefined
              ? []
              : [{ with: user, seq: newest.seq, read, unread: Math.min(unread, maxUnread) }]
          }
        )
      ).pipe(Effect.map((all) => all.flat()))
    })

    const standingOf = Effect.fnUntraced(function* ({ account, user }: Member, room: RoomName, read: Seq) {
      yield* Effect.yieldNow
      const conversation: Conversation = { _tag: "Room", room }
      const { seq } = yield* history.newest(conversation)
      const lowest = Math.max(read, seq - maxLooked)
      const page = yield* history.standing(conversation, { after: lowest, before: undefined, limit: maxLooked })
      const said = page.messages.filter(
        (message) => message._tag === "Message" || (message._tag === "Sealed" && message.unheard !== true)
      )
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
      const blocked = new Set((yield* accounts.blocked(account)).map(({ partner }) => partner))
      const isBlocked = ({ from, seq: place }: { readonly from: UserName; readonly seq: Seq }) => {
        const author = targets.get(place)?.author
        const isAccount = author?.startsWith("account.") === true
        return blocked.has(partnerOf({ user: from })) || (isAccount && blocked.has(Partner.make(`#${author.slice(8)}`)))
      }
      const named = unread.filter(
        (message) => message._tag === "Message" && mentions(message.content, user) && !isBlocked(message)
      )
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
        const found = new Map([...byAccount.values()].flatMap(({ rooms }) => Array.from(rooms)))
        return [...found].toSorted(([one], [other]) => byCodePoints(one, other)).map(([, room]) => room)
      }),
      members: (room) =>
        Effect.sync(() =>
          [...(byRoom.get(nameKey(room))?.values() ?? [])].toSorted((one, other) =>
            byCodePoints(nameKey(one.user), nameKey(other.user))
          )
        ),
      join: (member, room, newest) =>
        Effect.map(isThere(member.account), (isMember) => {
          if (!isMember) return 0
          const { marks, rooms } = heldOf(member.account)
          const key = nameKey(room)
          if (!rooms.has(key)) rooms.set(key, room)
          const members = byRoom.get(key) ?? new Map<AccountId, Member>()
          byRoom.set(key, members)
          members.set(member.account, member)
          const place = conversationKey({ _tag: "Room", room })
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
            marks.delete(conversationKey({ _tag: "Room", room }))
          }
        }),
      mark: Effect.fnUntraced(function* (account, place, seq) {
        const newest = yield* newestOf(account, place)
        const key = yield* placeOf(place)
        if (newest === undefined || !(yield* isThere(account))) return 0
        const { marks } = heldOf(account)
        const mark = Math.max(marks.get(key) ?? 0, Math.min(seq, newest))
        marks.set(key, mark)
        return mark
      }),
      standing: Effect.fnUntraced(function* (member) {
        const marks = byAccount.get(member.account)?.marks ?? new Map<string, Seq>()
        const rooms = yield* Effect.forEach(roomsOf(member.account), (room) =>
          standingOf(member, room, marks.get(conversationKey({ _tag: "Room", room })) ?? 0)
        )
        const conversations = yield* conversationsOf(member.account, marks)
        const newestFirst = conversations.toSorted((one, other) => other.seq - one.seq)
        return {
          rooms,
          conversations: newestFirst.slice(0, maxConversations),
          lobbyRead: marks.get("lobby") ?? 0
        }
      })
    })
  })
)
