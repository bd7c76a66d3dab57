/** Who is in which rooms and has read how far, for as long as the process runs. */
import { Effect, Layer } from "effect"
import { conversationKey } from "../../common/log/Conversation.ts"
import type { Seq } from "../../common/log/Cursor.ts"
import { nameKey } from "../../common/name/Name.ts"
import type { RoomName } from "../../common/name/RoomName.ts"
import { type Member, Memberships, type ReadPlace } from "../accounts/Memberships.ts"
import type { AccountId } from "../session/AccountId.ts"

const byName = (one: string, other: string) => (nameKey(one) < nameKey(other) ? -1 : 1)

export const layer = Layer.sync(Memberships, () => {
  const rooms = new Map<string, { readonly room: RoomName; readonly members: Map<AccountId, Member> }>()
  const marks = new Map<string, Seq>()
  const keyOf = (account: AccountId, place: ReadPlace) =>
    `${account} ${place._tag === "With" ? `With ${nameKey(place.user)}` : conversationKey(place)}`
  const mark = (key: string, seq: Seq): Seq => {
    const mark = Math.max(marks.get(key) ?? 0, seq)
    marks.set(key, mark)
    return mark
  }
  const roomsOf = (account: AccountId) =>
    [...rooms.values()]
      .flatMap(({ members, room }) => (members.has(account) ? [room] : []))
      .toSorted((one, other) => byName(one, other))

  return Memberships.of({
    inhabited: Effect.sync(() => [...rooms.values()].flatMap(({ members, room }) => (members.size > 0 ? [room] : []))),
    rooms: (account) => Effect.sync(() => roomsOf(account)),
    members: (room) =>
      Effect.sync(() =>
        [...(rooms.get(nameKey(room))?.members.values() ?? [])].toSorted((one, other) => byName(one.user, other.user))
      ),
    join: (member, room, newest) =>
      Effect.sync(() => {
        const known = rooms.get(nameKey(room)) ?? { room, members: new Map<AccountId, Member>() }
        rooms.set(nameKey(room), known)
        const key = keyOf(member.account, { _tag: "Room", room })
        if (known.members.has(member.account)) return marks.get(key) ?? 0
        known.members.set(member.account, member)
        return mark(key, newest)
      }),
    leave: (account, room) => Effect.sync(() => void rooms.get(nameKey(room))?.members.delete(account)),
    forget: (room) =>
      Effect.sync(() => {
        const place = ` ${conversationKey({ _tag: "Room", room })}`
        for (const key of marks.keys()) if (key.endsWith(place)) marks.delete(key)
        rooms.delete(nameKey(room))
      }),
    forgetAccount: (account) =>
      Effect.sync(() => {
        for (const { members } of rooms.values()) members.delete(account)
        for (const key of marks.keys()) if (key.startsWith(`${account} `)) marks.delete(key)
      }),
    mark: (account, place, seq) => Effect.sync(() => mark(keyOf(account, place), seq)),
    standing: () => Effect.succeed({ rooms: [], conversations: [], lobbyRead: 0 })
  })
})
