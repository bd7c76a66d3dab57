/** How rooms are governed, as one would write it down: a list of rooms, looked through for each question. */
import { Arbitrary } from "effect"
import { conversationKey, type SharedConversation } from "../../../src/common/log/Conversation.ts"
import { RoomName } from "../../../src/common/name/RoomName.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import { type Governance, ungoverned } from "../../../src/server/governance/Governance.ts"
import type { Governances, Invitation } from "../../../src/server/history/Governances.ts"
import { AccountId } from "../../../src/server/session/AccountId.ts"
import { oneOf, someRoom, wholeNumber } from "../../support/generators.ts"

const holder = (user: string, account: number) => ({ user: UserName.make(user), account: AccountId.make(account) })
export const holders = [holder("ada", 1), holder("Ben", 2), holder("cyd", 3)] as const
const [ada, ben, cyd] = holders
const some = (set: number) => holders.filter((_, index) => (set >> index) % 2 === 1)

/** Of all kinds, the plain one as well, which is kept nowhere. */
export const someGovernance: Arbitrary.Arbitrary<Governance> = Arbitrary.all({
  createdAt: wholeNumber(0, 3),
  owner: oneOf(undefined, undefined, ada, ben, cyd),
  invited: wholeNumber(0, 7),
  moderators: oneOf(0, 0, 1, 6),
  banned: oneOf(0, 0, 5),
  muted: oneOf(0, 0, 2),
  isPrivate: oneOf(false, false, true),
  topic: oneOf(undefined, undefined, "tea", "語 \u2028 \\ \" ' 😀")
}).pipe(
  Arbitrary.map(({ banned, createdAt, invited, isPrivate, moderators, muted, owner, topic }): Governance => ({
    ...ungoverned(createdAt),
    isPrivate,
    moderators: some(moderators),
    bans: some(banned).map(({ account, user }) => ({ user, account, by: ada.user, until: 2000, reason: "noise" })),
    mutes: some(muted).map(({ user }) => ({ user, network: "2001:db8:0:1::/64", by: ada.user })),
    invited: some(invited).map(({ account, user }) => ({ user, account, by: ben.user })),
    ...(owner !== undefined && { owner }),
    ...(topic !== undefined && { topic })
  }))
)

/** The lobby, or a room by one of its spellings. */
export const somePlace: Arbitrary.Arbitrary<SharedConversation> = Arbitrary.all({
  room: someRoom,
  isLobby: oneOf(false, false, false, true)
}).pipe(
  Arbitrary.map(({ isLobby, room }): SharedConversation => (isLobby ? { _tag: "Lobby" } : { _tag: "Room", room }))
)

interface Kept {
  readonly key: string
  /** As it was spelled when there was something to be kept first. */
  readonly conversation: SharedConversation
  readonly governance: Governance
}

export class NaiveGovernances {
  #all: ReadonlyArray<Kept> = []

  set(conversation: SharedConversation, governance: Governance): void {
    const key = conversationKey(conversation)
    const known = this.#all.find((one) => one.key === key)
    const { createdAt: _, ...rest } = governance
    const { createdAt: __, ...nothing } = ungoverned(0)
    this.remove(conversation)
    if (JSON.stringify(rest) === JSON.stringify(nothing)) return
    this.#all = [...this.#all, { key, conversation: known?.conversation ?? conversation, governance }]
  }

  remove(conversation: SharedConversation): void {
    const key = conversationKey(conversation)
    this.#all = this.#all.filter((one) => one.key !== key)
  }

  get(conversation: SharedConversation): Governance | undefined {
    const key = conversationKey(conversation)
    return this.#all.find((one) => one.key === key)?.governance
  }

  get #rooms(): ReadonlyArray<Omit<Kept, "conversation"> & { readonly room: RoomName }> {
    return this.#all.flatMap(({ conversation, ...kept }) =>
      conversation._tag === "Room" ? [{ ...kept, room: conversation.room }] : []
    )
  }

  rooms(): ReadonlyArray<RoomName> {
    return this.#rooms.map(({ room }) => room)
  }

  invitations(account: AccountId): ReadonlyArray<Invitation> {
    return this.#rooms.flatMap(({ governance, room }) =>
      governance.invited.filter((one) => one.account === account).map(({ by }) => ({ room, by }))
    )
  }

  owned(account: AccountId): ReadonlyArray<RoomName> {
    return this.#rooms.flatMap(({ governance: { moderators, owner }, room }) =>
      [owner, ...moderators].some((holder) => holder?.account === account) ? [room] : []
    )
  }
}

type Answers = Pick<Governances["Service"], "get" | "invitations" | "owned" | "rooms">

const places: ReadonlyArray<SharedConversation> = [
  { _tag: "Lobby" },
  ...["dev", "OPS", "Ж"].map((room) => ({ _tag: "Room" as const, room: RoomName.make(room) }))
]

/** All that can be asked, in an order that means nothing. */
export const answersOf = (governances: Answers | NaiveGovernances) => ({
  kept: places.map((place) => governances.get(place)),
  rooms: [...governances.rooms()].toSorted(),
  invitations: holders.map(({ account }) =>
    governances.invitations(account).toSorted((one, other) => (one.room < other.room ? -1 : 1))
  ),
  owned: holders.map(({ account }) => governances.owned(account).toSorted())
})
